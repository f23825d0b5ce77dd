"""The record of how a picture came to be: versioned, embedded in the file, enough to make it again."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from pydantic import BaseModel, Field

from gesso.contracts.engine import EngineInfo
from gesso.contracts.errors import BadInput
from gesso.contracts.mask import Mask
from gesso.contracts.model import Model, validated
from gesso.contracts.picture import Picture
from gesso.contracts.verdict import Attempt, Notice, Status, Verdict

SCHEMA_VERSION = 1
MAX_BYTES = 4 * 1024 * 1024
"""A longer record is refused on reading."""


class Input(Model):
    """A picture or mask that came from outside: its name, and the hashes of its file and of its pixels."""

    name: str = ""
    kind: str = "picture"
    file_sha256: str = ""
    pixels_sha256: str
    width: int
    height: int
    changes: tuple[str, ...] = Field(
        default=(), description="what admission altered, codes of contracts.picture.Change"
    )


class StepRecord(Model):
    """One executed step. ``params`` are resolved; pictures and masks stand as {"$picture": sha256} / {"$mask": sha256}."""

    id: str
    operation: str
    version: int
    params: dict[str, Any]
    inputs: dict[str, str] = Field(default_factory=dict, description="parameter → pixel hash")
    outputs: dict[str, str] = Field(default_factory=dict, description="result field → pixel hash")
    status: Status = "done"
    reason: str = ""
    on_fail: str = ""
    engines: tuple[EngineInfo, ...] = ()
    verdicts: tuple[Verdict, ...] = ()
    attempts: tuple[Attempt, ...] = ()
    notices: tuple[Notice, ...] = ()
    seconds: float = 0.0
    reused: bool = Field(default=False, description="taken from the step store instead of run again")


class Provenance(Model):
    """The whole record. ``recipe`` holds the recipe's full text, so that a file can be reproduced without it."""

    schema_version: int = SCHEMA_VERSION
    gesso: str
    created: str = Field(description="UTC, ISO 8601")
    recipe: str = ""
    recipe_name: str = ""
    values: dict[str, Any] = Field(default_factory=dict, description="the recipe's parameters as given")
    inputs: tuple[Input, ...] = ()
    steps: tuple[StepRecord, ...] = ()
    output_sha256: str = Field(default="", description="pixel hash of the published picture")
    environment: dict[str, str] = Field(default_factory=dict, description="python, platform, cpu, library versions")


MIGRATIONS: tuple[Callable[[dict[str, Any]], dict[str, Any]], ...] = ()
"""Entry n turns a record of schema version n+1 into one of version n+2. Append, never edit."""


def read_provenance(text: str | bytes) -> Provenance:
    """The record in `text`, migrated to today's schema; raises `BadInput` (provenance_invalid, provenance_too_new)."""
    if len(text) > MAX_BYTES:
        raise BadInput(f"the provenance record exceeds {MAX_BYTES} bytes", code="provenance_invalid", limit=MAX_BYTES)
    try:
        data = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise BadInput("the provenance record is not JSON", code="provenance_invalid") from error
    if not isinstance(data, dict) or not isinstance(data.get("schema_version"), int):
        raise BadInput("the provenance record has no schema version", code="provenance_invalid")
    version: int = data["schema_version"]
    if version > SCHEMA_VERSION or version < 1:
        raise BadInput(
            f"the provenance record has schema version {version}; this Gesso reads up to {SCHEMA_VERSION}",
            code="provenance_too_new",
            hint="upgrade Gesso",
        )
    for migrate in MIGRATIONS[version - 1 :]:
        data = migrate(data)
    try:
        return validated(Provenance, data)
    except BadInput as error:
        raise BadInput(f"the provenance record is malformed: {error.message}", code="provenance_invalid") from error


def without_pictures(value: Any) -> Any:
    """Params or result fields as JSON data, pictures and masks replaced by their hashes ({"$picture": …}, {"$mask": …})."""
    if isinstance(value, Picture):
        return {"$picture": value.sha256}
    if isinstance(value, Mask):
        return {"$mask": value.sha256, "made_by": value.made_by, "lineage": list(value.lineage)}
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json")
    if isinstance(value, Mapping):
        return {str(k): without_pictures(v) for k, v in value.items()}
    if isinstance(value, tuple | list):
        return [without_pictures(v) for v in value]
    return value
