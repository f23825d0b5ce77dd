"""Small versions of pictures for the contact sheet, and the view of a mask over its picture."""

from __future__ import annotations

import base64

import numpy as np
from numpy.typing import NDArray

from gesso.contracts.mask import Mask
from gesso.contracts.picture import Picture
from gesso.contracts.ports import Codec

SIDE = 1100
"""Longest side of a picture in the sheet, in pixels."""
QUALITY = 84
ACCENT = np.array([255, 72, 56], np.float32)
"""Colour of covered pixels in the mask view, sRGB."""


def data_uri(picture: Picture, codec: Codec) -> str:
    """`picture` as it is, as a data URI (WebP where it can be written, else PNG)."""
    kind = "webp" if "webp" in codec.formats() else "png"
    data = codec.encode(picture, kind, quality=QUALITY if kind == "webp" else None)
    return f"data:image/{kind};base64,{base64.b64encode(data).decode('ascii')}"


def shrunk(picture: Picture, side: int = SIDE) -> Picture:
    """`picture` as 8 bits a channel, its longest side at most `side`, by averaging areas (alpha-weighted)."""
    pixels = picture.pixels if picture.bit_depth == 8 else (picture.pixels >> 8).astype(np.uint8)
    width, height = _fitting(picture.width, picture.height, side)
    if (width, height) == picture.size:
        return Picture(np.asarray(pixels, np.uint8))
    if not picture.has_alpha:
        return Picture(_eight(_averaged(pixels, width, height)))
    alpha = pixels[:, :, 3:].astype(np.float32)
    weighted = np.concatenate((pixels[:, :, :3] * (alpha / 255), alpha), axis=2)
    small = _averaged(weighted, width, height)
    opacity = small[:, :, 3:]
    small[:, :, :3] *= 255 / np.maximum(opacity, 1e-3)
    return Picture(_eight(small))


def mask_view(picture: Picture, mask: Mask, side: int = SIDE) -> Picture:
    """`picture` paled to gray, with what `mask` covers in the accent colour; both shrunk to `side`."""
    small = shrunk(picture, side)
    cover = _averaged(mask.coverage[:, :, None], small.width, small.height)
    gray = small.rgb.astype(np.float32).mean(axis=2, keepdims=True)
    pale = 40 + 0.62 * gray
    tinted = ACCENT * (0.45 + 0.55 * gray / 255)
    return Picture(_eight(pale + (tinted - pale) * cover))


def _fitting(width: int, height: int, side: int) -> tuple[int, int]:
    factor = min(1.0, side / max(width, height))
    return max(1, round(width * factor)), max(1, round(height * factor))


def _averaged(pixels: NDArray[np.generic], width: int, height: int) -> NDArray[np.float32]:
    """H×W×C as height×width×C float32: each cell the mean of the whole pixels that fall to it; never enlarged."""
    rows = np.arange(height) * pixels.shape[0] // height
    columns = np.arange(width) * pixels.shape[1] // width
    by_row = np.add.reduceat(pixels, rows, axis=0, dtype=np.float32)
    sums = np.add.reduceat(by_row, columns, axis=1, dtype=np.float32)
    per_row = np.diff(rows, append=pixels.shape[0])[:, None, None]
    per_column = np.diff(columns, append=pixels.shape[1])[None, :, None]
    return np.asarray(sums / (per_row * per_column), np.float32)


def _eight(values: NDArray[np.float32]) -> NDArray[np.uint8]:
    return np.clip(np.rint(values), 0, 255).astype(np.uint8)
