"""Results to and from the step store: plain values, with pictures and masks as they are."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ValidationError

from gesso.contracts.errors import BadParams
from gesso.contracts.mask import Mask
from gesso.contracts.model import validated
from gesso.contracts.operation import Result
from gesso.contracts.picture import Picture
from gesso.contracts.provenance import StepRecord


def to_store(result: Result, record: StepRecord) -> dict[str, Any]:
    """What `StepStore.put` takes for a finished step."""
    return {"result": _plain(result), "record": record.model_dump(mode="json")}


def restored(model: type[Result], entry: Mapping[str, Any]) -> tuple[Result, StepRecord] | None:
    """The result and record of a stored step; None when the entry does not fit today's declaration."""
    try:
        return model.model_validate(entry["result"]), validated(StepRecord, entry["record"])
    except (BadParams, ValidationError, KeyError, TypeError, ValueError):
        return None


def _plain(value: Any) -> Any:
    if isinstance(value, Picture | Mask):
        return value
    if isinstance(value, BaseModel):
        return {name: _plain(getattr(value, name)) for name in type(value).model_fields}
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value
