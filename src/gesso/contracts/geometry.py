"""Boxes and points in pixels. Checked here, because user-chosen coordinates otherwise reach C code."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field, model_validator

from gesso.contracts.errors import BadInput
from gesso.contracts.model import FieldError, Model

SIDE_LIMIT = 1 << 20
"""Largest coordinate accepted at all, far above any picture that is admitted."""


class Box(Model):
    """A rectangle in pixels, ``x0 ≤ x < x1`` and ``y0 ≤ y < y1``; never empty. Written ``[x0, y0, x1, y1]`` or "x0,y0,x1,y1"."""

    x0: int = Field(ge=-SIDE_LIMIT, le=SIDE_LIMIT)
    y0: int = Field(ge=-SIDE_LIMIT, le=SIDE_LIMIT)
    x1: int = Field(ge=-SIDE_LIMIT, le=SIDE_LIMIT)
    y1: int = Field(ge=-SIDE_LIMIT, le=SIDE_LIMIT)

    @model_validator(mode="before")
    @classmethod
    def _read(cls, value: Any) -> Any:
        return _named(value, ("x0", "y0", "x1", "y1"))

    @model_validator(mode="after")
    def _not_empty(self) -> Box:
        if self.x1 <= self.x0 or self.y1 <= self.y0:
            raise FieldError("box_empty", "a box needs x0 < x1 and y0 < y1")
        return self

    @property
    def width(self) -> int:
        """Columns."""
        return self.x1 - self.x0

    @property
    def height(self) -> int:
        """Rows."""
        return self.y1 - self.y0

    @property
    def slices(self) -> tuple[slice, slice]:
        """(rows, columns) for indexing; the box must lie inside the array."""
        assert self.x0 >= 0 and self.y0 >= 0
        return slice(self.y0, self.y1), slice(self.x0, self.x1)

    def grown(self, margin: int, width: int, height: int) -> Box:
        """The box widened by `margin` pixels on every side and clipped to a width×height picture."""
        return Box(
            x0=max(0, self.x0 - margin),
            y0=max(0, self.y0 - margin),
            x1=min(width, self.x1 + margin),
            y1=min(height, self.y1 + margin),
        )

    def clipped(self, width: int, height: int) -> Box:
        """The part inside a width×height picture; raises `BadInput` (box_outside) when there is none."""
        if self.x0 >= width or self.y0 >= height or self.x1 <= 0 or self.y1 <= 0:
            raise BadInput(
                f"box {self.x0},{self.y0},{self.x1},{self.y1} lies outside the {width}×{height} picture",
                code="box_outside",
                hint="coordinates are pixels from the top left corner",
                field="box",
            )
        return self.grown(0, width, height)


class Point(Model):
    """A pixel position with a label: 1 "this belongs", 0 "this does not". Written ``[x, y]``, ``[x, y, label]`` or "x,y"."""

    x: int = Field(ge=-SIDE_LIMIT, le=SIDE_LIMIT)
    y: int = Field(ge=-SIDE_LIMIT, le=SIDE_LIMIT)
    label: Literal[0, 1] = 1

    @model_validator(mode="before")
    @classmethod
    def _read(cls, value: Any) -> Any:
        return _named(value, ("x", "y", "label"))

    def inside(self, width: int, height: int) -> Point:
        """Itself; raises `BadInput` (point_outside) when it lies outside a width×height picture."""
        if 0 <= self.x < width and 0 <= self.y < height:
            return self
        raise BadInput(
            f"point {self.x},{self.y} lies outside the {width}×{height} picture",
            code="point_outside",
            hint="coordinates are pixels from the top left corner",
            field="points",
        )


def _named(value: Any, names: tuple[str, ...]) -> Any:
    if isinstance(value, str):
        value = [part.strip() for part in value.split(",")]
    if isinstance(value, list | tuple):
        if len(value) > len(names):
            raise FieldError("too_many", f"at most {len(names)} numbers: {', '.join(names)}")
        return dict(zip(names, value, strict=False))
    return value
