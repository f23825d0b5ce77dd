"""The two base classes of all declared data, and the one place where pydantic's errors become ours."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from gesso.contracts.errors import BadParams, Fault


class Model(BaseModel):
    """A frozen value: unknown keys are refused, no NaN or infinity in any float."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Params(Model):
    """Base of an operation's parameters after resolution: nothing optional is symbolic any more."""


M = TypeVar("M", bound=BaseModel)

_CODES = {
    "extra_forbidden": "unknown_field",
    "missing": "missing_field",
    "finite_number": "not_finite",
    "greater_than_equal": "too_small",
    "greater_than": "too_small",
    "less_than_equal": "too_large",
    "less_than": "too_large",
    "too_long": "too_many",
    "string_too_long": "too_long",
    "literal_error": "not_a_choice",
}


def validated(model: type[M], values: Mapping[str, Any]) -> M:
    """`values` as a `model`; raises `BadParams` that lists every fault at once with field, code and limit."""
    try:
        return model.model_validate(dict(values))
    except ValidationError as error:
        faults = tuple(_fault(item) for item in error.errors(include_url=False, include_input=False))
        known = ", ".join(sorted(model.model_fields))
        hint = f"known fields: {known}" if any(f.code == "unknown_field" for f in faults) else ""
        raise BadParams(faults, hint=hint) from error


def _fault(item: Mapping[str, Any]) -> Fault:
    context = item.get("ctx") or {}
    own = context.get("error")
    code = getattr(own, "code", None) or _CODES.get(item["type"], item["type"])
    limit = next((context[k] for k in ("ge", "gt", "le", "lt", "max_length", "expected") if k in context), None)
    message = str(item["msg"]).removeprefix("Value error, ")
    return Fault(field=".".join(str(p) for p in item["loc"]), code=code, message=message, limit=limit)


class FieldError(ValueError):
    """Raised inside a validator to give the resulting fault its own code."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
