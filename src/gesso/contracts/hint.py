"""Typed structural hints for fills: what the user knows about the ground behind the object."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from gesso.contracts.geometry import Point
from gesso.contracts.model import Model


class ExtendGradient(Model):
    """The ground behind is one smooth gradient (sky, studio wall): continue it, low frequencies only."""

    kind: Literal["gradient"] = "gradient"


class ContinueDirection(Model):
    """Structure runs in one direction across the hole; ``angle`` in degrees, 0 = horizontal, 90 = vertical."""

    kind: Literal["direction"] = "direction"
    angle: float = Field(ge=-180, le=180)


class ContinueEdge(Model):
    """An edge crosses the hole along these points (two or more, in pixels of the picture)."""

    kind: Literal["edge"] = "edge"
    points: tuple[Point, ...] = Field(min_length=2, max_length=64)


class CopyFrom(Model):
    """Take the texture from this part of the picture only; the box as (x0, y0, x1, y1) in pixels."""

    kind: Literal["copy"] = "copy"
    x0: int = Field(ge=0)
    y0: int = Field(ge=0)
    x1: int = Field(ge=1)
    y1: int = Field(ge=1)


FillHint = Annotated[
    ExtendGradient | ContinueDirection | ContinueEdge | CopyFrom,
    Field(discriminator="kind"),
]
