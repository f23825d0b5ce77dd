"""Straight alpha: laying pictures over one another, and colours under transparent pixels that do not fringe.

Blends are done on the stored sRGB values, as browsers and design tools do, so that results look the same there.
"""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from gesso.contracts.mask import Plane
from gesso.contracts.picture import Pixels

STRIP_ROWS = 256
"""Rows computed in float at a time, so that a large picture never stands in memory as float32."""
BLEED_SIDE = 1024
"""Working size of `bleed`: colours under transparent pixels need no finer detail."""


def peak(pixels: Pixels) -> int:
    """The largest value of the array's type: 255 or 65535."""
    return int(np.iinfo(pixels.dtype).max)


def premultiply(pixels: Pixels) -> NDArray[np.float32]:
    """H×W×4 straight → H×W×4 float32 in 0…1 with colours multiplied by alpha."""
    out = pixels.astype(np.float32) / np.float32(peak(pixels))
    out[:, :, :3] *= out[:, :, 3:]
    return out


def unpremultiply(values: NDArray[np.float32], dtype: Any) -> Pixels:
    """H×W×4 premultiplied float 0…1 → straight uint8 or uint16. Colour under alpha 0 is 0."""
    alpha = values[:, :, 3:]
    colour = np.divide(values[:, :, :3], alpha, out=np.zeros_like(values[:, :, :3]), where=alpha > 0)
    straight = np.clip(np.concatenate([colour, alpha], axis=2), 0.0, 1.0) * np.float32(np.iinfo(dtype).max)
    out: Pixels = np.rint(straight).astype(dtype)
    return out


def over(top: Pixels, bottom: Pixels) -> Pixels:
    """`top` (H×W×4) laid over `bottom` (H×W×3 or H×W×4, same size and dtype); the channels of `bottom`.

    Alpha 0 leaves the bottom's bytes, alpha full gives the top's colour exactly; between them the Porter–Duff "over".
    """
    assert top.shape[:2] == bottom.shape[:2] and top.shape[2] == 4 and top.dtype == bottom.dtype
    out = bottom.copy()
    for y in range(0, top.shape[0], STRIP_ROWS):
        rows = slice(y, y + STRIP_ROWS)
        _over_strip(top[rows], out[rows])
    return out


def with_alpha(rgb: Pixels, alpha: Plane) -> Pixels:
    """H×W×3 colours and a 0…1 plane as one straight H×W×4 array."""
    levels = np.rint(alpha * np.float32(peak(rgb))).astype(rgb.dtype)
    out: Pixels = np.dstack([rgb, levels])
    return out


def alpha_plane(pixels: Pixels) -> Plane:
    """The alpha channel of an H×W×4 array as 0…1; all 1 for H×W×3."""
    if pixels.shape[2] == 3:
        return np.ones(pixels.shape[:2], np.float32)
    plane: Plane = pixels[:, :, 3].astype(np.float32) / np.float32(peak(pixels))
    return plane


def bleed(pixels: Pixels) -> Pixels:
    """`pixels` (H×W×4) with the colours of fully transparent pixels replaced by those of visible pixels near by.

    Visible pixels are untouched. So no later resize, blur or texture filter can pull a foreign colour into the edge. The
    colours spread by push–pull over a pyramid (Gortler et al., "The Lumigraph", 1996) at a reduced size.
    """
    hidden = pixels[:, :, 3] == 0
    if not hidden.any():
        return pixels
    out = pixels.copy()
    if hidden.all():
        return out
    height, width = hidden.shape
    factor = max(1, -(-max(height, width) // BLEED_SIDE))
    spread = _push_pull(_reduced(pixels, factor))
    for y in range(0, height, STRIP_ROWS):
        rows = slice(y, min(y + STRIP_ROWS, height))
        if not hidden[rows].any():
            continue
        low, high = y // factor, min(spread.shape[0], -(-rows.stop // factor))
        strip = np.repeat(np.repeat(spread[low:high], factor, axis=0), factor, axis=1)
        strip = strip[y - low * factor :][: rows.stop - y, :width]
        colours = np.rint(np.clip(strip, 0.0, 1.0) * np.float32(peak(pixels))).astype(pixels.dtype)
        np.copyto(out[rows][:, :, :3], colours, where=hidden[rows][:, :, None])
    return out


def _over_strip(top: Pixels, bottom: Pixels) -> None:
    alpha = top[:, :, 3:]
    if not alpha.any():
        return
    share = alpha.astype(np.float32) / np.float32(peak(top))
    base = bottom.astype(np.float32)
    if bottom.shape[2] == 3:
        bottom[...] = np.rint(base + (top[:, :, :3] - base) * share)
        return
    below = base[:, :, 3:] * (1.0 - share)
    total = top[:, :, 3:] + below
    weight = np.divide(top[:, :, 3:], total, out=np.zeros_like(total), where=total > 0)
    mixed = base.copy()
    mixed[:, :, :3] += (top[:, :, :3] - base[:, :, :3]) * weight
    mixed[:, :, 3:] = total
    np.copyto(bottom, np.rint(mixed).astype(bottom.dtype), where=alpha > 0)


def _reduced(pixels: Pixels, factor: int) -> NDArray[np.float32]:
    """Premultiplied means over factor×factor blocks (the last ones padded with transparency), h×w×4 float32."""
    height, width = pixels.shape[:2]
    columns = -(-width // factor)
    strips = []
    step = factor * max(1, STRIP_ROWS // factor)
    for y in range(0, height, step):
        part = premultiply(pixels[y : y + step])
        rows = -(-part.shape[0] // factor)
        padded = np.zeros((rows * factor, columns * factor, 4), np.float32)
        padded[: part.shape[0], :width] = part
        strips.append(padded.reshape(rows, factor, columns, factor, 4).mean(axis=(1, 3), dtype=np.float32))
    return np.concatenate(strips)


def _push_pull(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """Colours (h×w×3) of premultiplied `values`, unknown ones (alpha 0) taken from coarser levels."""
    alpha = values[:, :, 3:]
    known = alpha > 0
    colours: NDArray[np.float32] = np.divide(values[:, :, :3], alpha, out=np.zeros_like(values[:, :, :3]), where=known)
    if known.all() or max(values.shape[:2]) <= 1:
        return colours
    height, width = values.shape[:2]
    weighted = np.concatenate([colours * known, known.astype(np.float32)], axis=2)
    half = ((height + 1) // 2, (width + 1) // 2)
    padded = np.zeros((half[0] * 2, half[1] * 2, 4), np.float32)
    padded[:height, :width] = weighted
    coarse = _push_pull(padded.reshape(half[0], 2, half[1], 2, 4).mean(axis=(1, 3), dtype=np.float32))
    wide = cv2.resize(coarse, (half[1] * 2, half[0] * 2), interpolation=cv2.INTER_LINEAR)[:height, :width]
    return np.where(known, colours, wide.reshape(height, width, 3))
