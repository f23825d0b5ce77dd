"""Running an upscaler: at the factor that is wanted, in tiles that fit it, on the regions that are to have it."""

from __future__ import annotations

import math

import cv2
import numpy as np

from gesso.contracts.capabilities import Upscaler
from gesso.contracts.context import Context
from gesso.contracts.errors import BadInput, OutOfMemory
from gesso.contracts.geometry import Box
from gesso.contracts.limits import Limits
from gesso.contracts.mask import Mask, Plane
from gesso.contracts.picture import Picture, Pixels
from gesso.imaging.alpha import bleed
from gesso.imaging.enlarged import blend_enlarged
from gesso.imaging.resize import resized
from gesso.imaging.tiles import OVERLAP, TILE, by_tiles

SMALLEST_TILE = 64
"""Tiles are halved down to this before running out of memory is an error."""

SURROUNDINGS = 32
"""Pixels around a region that a model sees as well."""


def check_size(width: int, height: int, name: str) -> None:
    """Raise `BadInput` (too_many_pixels) when a result of this size could not be read back by Gesso itself."""
    limits = Limits()
    if width * height > limits.max_pixels or max(width, height) > limits.max_side:
        raise BadInput(
            f"the result would be {width}×{height} pixels; at most {limits.max_pixels} pixels and {limits.max_side} a side",
            code="too_many_pixels",
            hint="choose a smaller scale, or enlarge a part of the picture",
            field=name,
            limit=limits.max_pixels,
        )


def enlarge(engine: Upscaler, picture: Picture, scale: int, context: Context) -> Picture:
    """`picture` (RGB) at exactly `scale`, by the engine's nearest native factor.

    Models, and engines that name a limit, get tiles; tiles are halved when memory runs out, `OutOfMemory` is raised when
    they cannot get smaller. Another factor than the engine's own is reached tile by tile: area means or cubic.
    """
    larger = sorted(native for native in engine.scales if native >= scale)
    native = larger[0] if larger else max(engine.scales)
    limit = math.isqrt(engine.info.max_pixels) or TILE

    def work(part: Pixels) -> Pixels:
        done = engine.upscale(Picture(part), native)
        return resized(done, (part.shape[1] * scale, part.shape[0] * scale)).pixels

    if not engine.is_model and (not engine.info.max_pixels or picture.width * picture.height <= engine.info.max_pixels):
        done = engine.upscale(picture, native, context=context)
        return resized(done, (picture.width * scale, picture.height * scale))
    tile = max(SMALLEST_TILE, min(TILE, limit, -(-(max(picture.size) + OVERLAP) // SMALLEST_TILE) * SMALLEST_TILE))
    while True:
        try:
            overlap = min(OVERLAP, tile // 4)
            done_pixels = by_tiles(
                picture.pixels, work, scale=scale, tile=tile, overlap=overlap, margin=overlap // 2, context=context
            )
            return picture.with_pixels(done_pixels)
        except OutOfMemory:
            if tile // 2 < SMALLEST_TILE:
                raise
            tile //= 2


def colours(picture: Picture) -> Picture:
    """`picture` without alpha, transparent pixels coloured like the visible ones near by."""
    if not picture.has_alpha:
        return picture
    rgb: Pixels = bleed(picture.pixels)[:, :, :3]
    return picture.with_pixels(rgb)


def with_enlarged_alpha(image: Picture, picture: Picture, engine: Upscaler, scale: int, context: Context) -> Picture:
    """Enlarged colours `image` (RGB) joined with the enlarged alpha of `picture` (RGBA) they came from.

    Both are straight, and colours under no alpha are 0, so no hidden colour can leak over the edge.
    """
    gray: Pixels = picture.pixels[:, :, [3, 3, 3]]
    large = enlarge(engine, picture.with_pixels(gray), scale, context).pixels[:, :, :1]
    joined: Pixels = np.concatenate([image.pixels * (large > 0), large], axis=2)
    return image.with_pixels(joined)


def painted(model: Upscaler, colour: Picture, image: Picture, where: Mask, scale: int, context: Context) -> Picture:
    """`image` with the model's enlargement of every connected region blended in by coverage."""
    out = image.pixels.copy()
    boxes = _boxes(where.coverage)
    for number, box in enumerate(boxes):
        part = context.part(number / len(boxes), (number + 1) / len(boxes))
        wide = box.grown(SURROUNDINGS, colour.width, colour.height)
        seen: Pixels = colour.pixels[wide.slices]
        done = enlarge(model, colour.with_pixels(seen), scale, part)
        y, x = (box.y0 - wide.y0) * scale, (box.x0 - wide.x0) * scale
        inner = done.pixels[y : y + box.height * scale, x : x + box.width * scale]
        rows = slice(box.y0 * scale, box.y1 * scale)
        columns = slice(box.x0 * scale, box.x1 * scale)
        blend_enlarged(out[rows, columns], inner, where.coverage[box.slices])
    return image.with_pixels(out)


def _boxes(coverage: Plane) -> tuple[Box, ...]:
    """Boxes around the connected regions of `coverage`, those that meet united, so that no pixel is worked on twice."""
    touched = (coverage > 0).astype(np.uint8)
    while True:
        count, _, stats, _ = cv2.connectedComponentsWithStats(touched, connectivity=8)
        found = [tuple(int(v) for v in stats[i, :4]) for i in range(1, count)]
        for x, y, width, height in found:
            touched[y : y + height, x : x + width] = 1
        if sum(width * height for _, _, width, height in found) == int(np.count_nonzero(touched)):
            return tuple(Box(x0=x, y0=y, x1=x + w, y1=y + h) for x, y, w, h in found)
