"""Thin holes on texture: the conditional mean under a local Gaussian model, by ordinary kriging.

Around each tile the autocovariance of the known pixels is measured (Wiener–Khinchin on the masked window). A missing
pixel is the best linear unbiased prediction from its nearest known neighbours in eight sectors (Cressie, "Statistics for
Spatial Data", 1993, §3.2): it minimises the squared error among linear fills, follows the local orientation and period,
and falls back to the local mean where nothing can be predicted. Giving the unpredictable part back by conditional
simulation (op. cit. §3.6.2) was tried: on anything but a stationary texture the simulated grain is visible, and it costs
0.4 dB at three tenths of the true amplitude.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from gesso.contracts.context import Context
from gesso.engines.fill import kriging

Field = NDArray[np.float32]
Flags = NDArray[np.bool_]

REACH = 12
"""Neighbours are looked for within this radius, in pixels; it is the thickness this engine can bridge."""
BRIDGE = 8
"""Depth in pixels to which a hole is tied to its rim."""
NUGGET = 0.01
"""Share of the variance taken as noise; also keeps the systems well conditioned."""
FEWEST = 20
"""Lags seen fewer times than this are shrunk towards zero."""
FLAT = 1e-2
"""Variance, in squared levels, under which a window holds no texture at all."""


@dataclass(frozen=True)
class Scale:
    """Covariances are measured in windows `margin` wider than a `tile` on every side; far lags, which are mostly
    measurement error, are tapered by a Gaussian of standard deviation `taper`. All in pixels.
    """

    tile: int
    margin: int
    taper: float


FIRST = (Scale(tile=32, margin=32, taper=10.0),)
SECOND = (Scale(tile=16, margin=16, taper=8.0), Scale(tile=16, margin=40, taper=12.0))
"""The second pass measures on the completed picture. Narrow windows follow edges, wide ones measure textures better;
their mean is better than either (+2.26 dB over Telea on eight photographs, against +2.08 after the first pass)."""


CONTEXT = 56
"""Known pixels around a hole that can bear on its prediction: the widest margin and a tile's remainder."""


def fill_thin(image: Field, hole: Flags, own: Flags, context: Context) -> Field:
    """`image` (h×w×4 float32, 0…255) with the `own` pixels predicted, with the least squared error; the rest as it was.

    `hole` marks everything unknown. Pixels further than REACH from anything known keep their value.
    """
    known = ~hole
    first = _pass(image, known, own, known.astype(np.float32), FIRST, context)
    return _pass(first, known, own, (known | own).astype(np.float32), SECOND, context)


def bridge(image: Field, hole: Flags, known: Flags, gap: Field, rim: Flags, context: Context) -> Field:
    """What `gap`, measured on the known `rim` around the hole, predicts inside: h×w×4, dying away from the rim.

    The gap is assumed to have mean 0 and the texture's own covariance, as measured on the `known` pixels of `image`.
    """
    near = hole & (cv2.distanceTransform((~rim).astype(np.uint8), cv2.DIST_L2, 3) < BRIDGE)
    out = np.zeros_like(gap)
    for where, table in _models(image, near, known.astype(np.float32), FIRST, context):
        kriging.krige(gap, rim.astype(np.uint8), where, *_neighbours(), table, np.float32(NUGGET), False, out)
    return out


def _pass(image: Field, known: Flags, own: Flags, weight: Field, scales: tuple[Scale, ...], context: Context) -> Field:
    """Predict `own` from `known`, covariances measured with `weight` and averaged over `scales`."""
    out = image.copy()
    steps, sector = _neighbours()
    for where, table in _models(image, own, weight, scales, context):
        kriging.krige(image, known.astype(np.uint8), where, steps, sector, table, np.float32(NUGGET), True, out)
    return out


def _models(
    image: Field, own: Flags, weight: Field, scales: tuple[Scale, ...], context: Context
) -> Iterator[tuple[NDArray[np.int32], Field]]:
    """Tile by tile: corners of the blocks that hold `own` pixels, and the covariance by lag that is valid there."""
    h, w = own.shape
    tile = scales[0].tile
    blocks = _blocks(own)
    for y0 in range(0, h, tile):
        context.check()
        for x0 in range(0, w, tile):
            inside = blocks[y0 : y0 + tile, x0 : x0 + tile]
            if not inside.any():
                continue
            table = np.zeros((4 * REACH + 1, 4 * REACH + 1), np.float32)
            for scale in scales:
                top, left = max(0, y0 - scale.margin), max(0, x0 - scale.margin)
                window = np.s_[top : y0 + tile + scale.margin, left : x0 + tile + scale.margin]
                table += _covariance(image[window], weight[window], scale.taper) / np.float32(len(scales))
            yield (np.argwhere(inside) + np.array([y0, x0])).astype(np.int32), table


def _blocks(own: Flags) -> Flags:
    """Upper left corners, on a grid of BLOCK, of the blocks that contain any `own` pixel."""
    h, w = own.shape
    padded = np.pad(own, ((0, h % 2), (0, w % 2)))
    some = padded[::2, ::2] | padded[1::2, ::2] | padded[::2, 1::2] | padded[1::2, 1::2]
    out = np.zeros((h + h % 2, w + w % 2), bool)
    out[::2, ::2] = some
    return out[:h, :w]


def _neighbours() -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Steps to all pixels within REACH, nearest first, and the sector (eighth of the circle) of each."""
    grid = np.arange(-REACH, REACH + 1)
    y, x = (a.ravel() for a in np.meshgrid(grid, grid, indexing="ij"))
    square = y * y + x * x
    keep = (square > 0) & (square <= REACH * REACH)
    y, x, square = y[keep], x[keep], square[keep]
    order = np.lexsort((x, y, square))
    y, x = y[order], x[order]
    sector = np.floor((np.arctan2(y, x) + math.pi) / (math.pi / 4)).astype(np.int32) % kriging.SECTORS
    return np.stack([y, x], axis=1).astype(np.int32), sector


def _covariance(part: Field, weight: Field, spread: float) -> Field:
    """Covariance by lag of the channels' sum, 1 at lag 0, for lags up to 2·REACH, with `weight` 0…1 for each pixel.

    Tapered with standard deviation `spread`, and made positive definite by clipping its spectrum at zero.
    """
    from scipy.fft import irfft2, next_fast_len, rfft2

    h, w = weight.shape
    reach = 2 * REACH
    size = (next_fast_len(h + reach + 1, True), next_fast_len(w + reach + 1, True))
    tone = part.sum(axis=2)
    tone = (tone - float((tone * weight).sum()) / max(float(weight.sum()), 1.0)) * weight
    power = irfft2(np.abs(rfft2(tone, size)) ** 2, size)
    pairs = irfft2(np.abs(rfft2(weight, size)) ** 2, size)
    ly, lx = (np.minimum(np.arange(s), s - np.arange(s)) for s in size)
    taper = np.exp(-(ly[:, None] ** 2 + lx[None, :] ** 2) / (2.0 * spread**2))
    taper[ly > reach] = 0.0
    taper[:, lx > reach] = 0.0
    spectrum = np.maximum(rfft2(power / np.maximum(pairs, FEWEST) * taper).real, 0.0)
    covariance = irfft2(spectrum, size)
    lags = np.arange(-reach, reach + 1)
    variance = float(covariance[0, 0])
    if variance < FLAT:
        return np.exp(-np.hypot(lags[:, None], lags[None, :]) / REACH).astype(np.float32)
    return np.asarray(covariance[np.ix_(lags, lags)] / variance, np.float32)
