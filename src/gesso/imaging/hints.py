"""Fill hints in the coordinates of a crop."""

from __future__ import annotations

from gesso.contracts.errors import BadInput
from gesso.contracts.geometry import Box, Point
from gesso.contracts.hint import ContinueEdge, CopyFrom, FillHint


def within(hint: FillHint | None, crop: Box) -> FillHint | None:
    """The hint as seen from the crop's corner; of a box only the part inside the crop is kept."""
    if isinstance(hint, CopyFrom):
        x0, y0 = max(0, hint.x0 - crop.x0), max(0, hint.y0 - crop.y0)
        x1, y1 = min(crop.x1, hint.x1) - crop.x0, min(crop.y1, hint.y1) - crop.y0
        return CopyFrom(x0=x0, y0=y0, x1=max(x0 + 1, x1), y1=max(y0 + 1, y1))
    if isinstance(hint, ContinueEdge):
        return ContinueEdge(points=tuple(Point(x=p.x - crop.x0, y=p.y - crop.y0, label=p.label) for p in hint.points))
    return hint


def with_source(crop: Box, hint: FillHint | None, width: int, height: int) -> Box:
    """The crop of a width×height picture, widened to hold what the hint copies from.

    Raises `BadInput` (box_empty, box_outside) for a source without pixels.
    """
    if not isinstance(hint, CopyFrom):
        return crop
    if hint.x1 <= hint.x0 or hint.y1 <= hint.y0:
        raise BadInput("the hint's box is empty", code="box_empty", field="hint", hint="it needs x0 < x1 and y0 < y1")
    source = Box(x0=hint.x0, y0=hint.y0, x1=hint.x1, y1=hint.y1).clipped(width, height)
    return Box(
        x0=min(crop.x0, source.x0), y0=min(crop.y0, source.y0), x1=max(crop.x1, source.x1), y1=max(crop.y1, source.y1)
    )
