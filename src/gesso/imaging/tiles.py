"""Working on a picture in overlapping tiles, joined by feathered blending that only touches the overlaps.

All tiles have one shape (models and compilers like that). They are spread evenly, so that neighbours overlap by at least
what was asked for. In the middle of every overlap runs a raised-cosine ramp; outside ramps a pixel comes from one tile and
is copied, never converted. Ramps are accumulated in float32 strips: besides the result, memory holds one tile and two
strips as high as a ramp, whatever the picture's size.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gesso.contracts.context import Context
from gesso.contracts.picture import Pixels

Floats = NDArray[np.float32]
Work = Callable[[Pixels], Pixels]
"""What is done to one tile: h×w×C in, (h·scale)×(w·scale)×C of the same dtype out."""

TILE = 512
OVERLAP = 32
"""Defaults in pixels of the input: research/techniques.md §8.3."""


@dataclass(frozen=True)
class Span:
    """One tile along one axis, in input pixels: where it starts, which part it owns alone or shares in a ramp.

    ``start`` may be negative and ``start + tile`` may pass the end: what lies outside is reflected. The ramps before and
    after are ``lead`` and ``tail`` pixels long (0 at the picture's ends); ``first`` … ``last`` is the output it writes to.
    """

    start: int
    first: int
    last: int
    lead: int
    tail: int


def spans(length: int, tile: int, overlap: int, margin: int = 0) -> tuple[Span, ...]:
    """The fewest tiles of size `tile` that cover ``-margin … length+margin`` with at least `overlap` between neighbours.

    Ramps are half of `overlap` long and lie in the middle of the overlaps, so that a tile's outermost pixels, where a
    model knows least, never show. `margin` must stay below (tile − overlap) / 2.
    """
    assert length > 0 and overlap >= 0 and 3 * overlap <= tile and margin >= 0 and 2 * margin < tile - overlap
    ramp = overlap // 2
    reach = length + 2 * margin
    if reach <= tile:
        return (Span(-margin - (tile - reach) // 2, 0, length, 0, 0),)
    count = math.ceil((reach - overlap) / (tile - overlap))
    starts = [round(i * (reach - tile) / (count - 1)) - margin for i in range(count)]
    cuts = [(after + before + tile - ramp) // 2 for before, after in pairwise(starts)]
    firsts = [0, *cuts]
    lasts = [*(cut + ramp for cut in cuts), length]
    return tuple(
        Span(start, first, last, ramp if i else 0, ramp if i < count - 1 else 0)
        for i, (start, first, last) in enumerate(zip(starts, firsts, lasts, strict=True))
    )


def reflected(start: int, size: int, length: int) -> NDArray[np.intp]:
    """Indices start … start+size into an axis of `length`, those outside mirrored at the border pixels (… 2 1 0 1 2 …)."""
    period = max(1, 2 * (length - 1))
    index = np.abs(np.arange(start, start + size)) % period
    out: NDArray[np.intp] = np.minimum(index, period - index) if length > 1 else np.zeros(size, np.intp)
    return out


def ramp_up(size: int) -> Floats:
    """Raised-cosine weights rising over `size` samples; with their mirror image they add up to 1."""
    at = (np.arange(size, dtype=np.float64) + 0.5) / max(1, size)
    return (0.5 - 0.5 * np.cos(np.pi * at)).astype(np.float32)


def by_tiles(
    pixels: Pixels,
    work: Work,
    *,
    scale: int = 1,
    tile: int = TILE,
    overlap: int = OVERLAP,
    margin: int = 0,
    context: Context | None = None,
) -> Pixels:
    """`work` done to H×W×C `pixels` tile by tile: (H·scale)×(W·scale)×C of the same dtype.

    Equal to ``work(pixels)`` wherever the work looks no farther than a quarter of `overlap`; at the picture's border if
    it pads by reflection itself or `margin` covers its reach. Reports progress after and checks for cancellation before
    every tile.
    """
    context = context or Context()
    height, width, channels = pixels.shape
    rows, columns = spans(height, tile, overlap, margin), spans(width, tile, overlap, margin)
    out: Any = np.empty((height * scale, width * scale, channels), pixels.dtype)
    above: Floats | None = None
    for r, row in enumerate(rows):
        below = np.zeros((row.tail * scale, width * scale, channels), np.float32) if row.tail else None
        beside: Floats | None = None
        for c, column in enumerate(columns):
            context.progress((r * len(columns) + c) / (len(rows) * len(columns)), "tiles")
            done = work(_cut(pixels, row, column, tile))
            assert done.dtype == pixels.dtype and done.shape == (tile * scale, tile * scale, channels)
            part = _own(done, row, column, scale)
            beside = _join(part, row, column, scale, above, beside, below, out)
        if above is not None:
            out[row.first * scale : (row.first + row.lead) * scale] = _rounded(above)
        above = below
    context.progress(1.0, "tiles")
    done_pixels: Pixels = out
    return done_pixels


def _cut(pixels: Pixels, row: Span, column: Span, tile: int) -> Pixels:
    height, width = pixels.shape[:2]
    if row.start >= 0 and row.start + tile <= height and column.start >= 0 and column.start + tile <= width:
        part: Any = pixels[row.start : row.start + tile, column.start : column.start + tile]
        return np.ascontiguousarray(part)
    ys, xs = reflected(row.start, tile, height), reflected(column.start, tile, width)
    mirrored: Pixels = pixels[ys[:, None], xs]
    return mirrored


def _own(done: Pixels, row: Span, column: Span, scale: int) -> Pixels:
    """The part of a finished tile that is written: first … last along both axes."""
    top, left = (row.first - row.start) * scale, (column.first - column.start) * scale
    part: Pixels = done[
        top : top + (row.last - row.first) * scale,
        left : left + (column.last - column.first) * scale,
    ]
    return part


def _join(
    part: Pixels,
    row: Span,
    column: Span,
    scale: int,
    above: Floats | None,
    beside: Floats | None,
    below: Floats | None,
    out: Any,
) -> Floats | None:
    """Write one tile: core copied, ramps accumulated in `above`, `below` and the strip `beside`; the next such strip."""
    height, width = part.shape[:2]
    lead_y, tail_y = row.lead * scale, height - row.tail * scale
    lead_x, tail_x = column.lead * scale, width - column.tail * scale
    y, x = row.first * scale, column.first * scale
    weights = np.ones(width, np.float32)
    weights[:lead_x] = ramp_up(lead_x)
    weights[tail_x:] = ramp_up(width - tail_x)[::-1]
    across = weights[None, :, None]
    out[y + lead_y : y + tail_y, x + lead_x : x + tail_x] = part[lead_y:tail_y, lead_x:tail_x]
    if lead_x:
        assert beside is not None
        beside += part[lead_y:tail_y, :lead_x] * across[:, :lead_x]
        out[y + lead_y : y + tail_y, x : x + lead_x] = _rounded(beside)
    if lead_y:
        assert above is not None
        above[:, x : x + width] += part[:lead_y] * (ramp_up(lead_y)[:, None, None] * across)
    if below is not None:
        below[:, x : x + width] += part[tail_y:] * (ramp_up(height - tail_y)[::-1, None, None] * across)
    return part[lead_y:tail_y, tail_x:] * across[:, tail_x:] if tail_x < width else None


def _rounded(sums: Floats) -> Floats:
    """Sums of weighted integers, to the nearest: they cannot leave the range by more than float32's own rounding."""
    return np.rint(sums)
