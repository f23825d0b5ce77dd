"""Field kinds and their hints: what a door must know to offer a parameter, read off the declaration."""

from __future__ import annotations

import types
from dataclasses import dataclass
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel, Field
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from gesso.contracts.geometry import Box, Point
from gesso.contracts.mask import Mask
from gesso.contracts.picture import Picture

Kind = Literal["picture", "mask", "box", "point", "integer", "number", "boolean", "choice", "text", "json"]


@dataclass(frozen=True)
class UI:
    """A hint for forms, kept apart from the contract: ``Annotated[float, UI(widget="slider", unit="px")]``."""

    widget: str = ""
    unit: str = ""
    group: str = ""
    advanced: bool = False

    def __get_pydantic_json_schema__(self, schema: Any, handler: Any) -> dict[str, Any]:
        out: dict[str, Any] = handler(schema)
        out["x-gesso-ui"] = {k: v for k, v in vars(self).items() if v}
        return out


Seed = Annotated[int, Field(ge=-1, le=2**63 - 1, description="same seed, same result; -1 draws one and records it")]
Fraction = Annotated[float, Field(ge=0, le=1)]
PixelCount = Annotated[int, Field(ge=0, le=4096), UI(unit="px")]
Colour = Annotated[str, Field(pattern=r"^#[0-9a-fA-F]{6}$", description="sRGB as #rrggbb"), UI(widget="colour")]


@dataclass(frozen=True)
class FieldSpec:
    """One parameter as a door sees it. ``many`` for tuples; ``default`` is None for required fields (see ``required``)."""

    name: str
    kind: Kind
    required: bool
    many: bool
    optional: bool
    default: Any
    description: str
    choices: tuple[str, ...] = ()
    ui: UI = UI()

    @property
    def flag(self) -> str:
        """The name at the command line."""
        return "--" + self.name.replace("_", "-")


def fields_of(model: type[BaseModel]) -> tuple[FieldSpec, ...]:
    """Every field of `model` in order of declaration."""
    return tuple(_spec(name, info) for name, info in model.model_fields.items())


def _spec(name: str, info: FieldInfo) -> FieldSpec:
    inner, optional, many, ui = _unwrap(info.annotation)
    ui = next((m for m in info.metadata if isinstance(m, UI)), ui)
    kind, choices = _kind(inner)
    default = None if info.default is PydanticUndefined else info.default
    return FieldSpec(name, kind, info.is_required(), many, optional, default, info.description or "", choices, ui)


def _unwrap(annotation: Any) -> tuple[Any, bool, bool, UI]:
    optional = many = False
    ui = UI()
    while True:
        origin = get_origin(annotation)
        if origin is Annotated:
            annotation, *extra = get_args(annotation)
            ui = next((m for m in extra if isinstance(m, UI)), ui)
        elif origin in (Union, types.UnionType) and type(None) in get_args(annotation):
            rest = [a for a in get_args(annotation) if a is not type(None)]
            optional = True
            annotation = rest[0] if len(rest) == 1 else Union[tuple(rest)]  # noqa: UP007
        elif origin is tuple and len(get_args(annotation)) == 2 and get_args(annotation)[1] is Ellipsis:
            many = True
            annotation = get_args(annotation)[0]
        else:
            return annotation, optional, many, ui


def _kind(inner: Any) -> tuple[Kind, tuple[str, ...]]:
    if get_origin(inner) is Literal:
        return "choice", tuple(str(a) for a in get_args(inner))
    simple: dict[Any, Kind] = {
        Picture: "picture",
        Mask: "mask",
        Box: "box",
        Point: "point",
        bool: "boolean",
        int: "integer",
        float: "number",
        str: "text",
    }
    return simple.get(inner, "json"), ()
