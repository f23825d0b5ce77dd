"""Resizing that respects alpha and depth: area means when shrinking, a chosen kernel when enlarging.

Arithmetic happens on sRGB-encoded values, not in linear light. That is what viewers, browsers and every common tool do,
so a thumbnail made here matches theirs, and an upscale compared with its input by area means compares like with like.
Linear light would keep the photon count of fine bright detail, at the price of thinner dark strokes.
"""

from __future__ import annotations

from typing import Any, Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from gesso.contracts.picture import Picture, Pixels
from gesso.imaging.alpha import peak, premultiply, unpremultiply

Floats = NDArray[np.float32]
Kernel = Literal["nearest", "linear", "cubic", "lanczos"]

_CV2_KERNELS: dict[Kernel, int] = {
    "nearest": cv2.INTER_NEAREST_EXACT,
    "linear": cv2.INTER_LINEAR,
    "cubic": cv2.INTER_CUBIC,
    "lanczos": cv2.INTER_LANCZOS4,
}


def premultiplied(pixels: Pixels) -> Floats:
    """`pixels` as H×W×C float32 in 0…1, RGBA with colour multiplied by alpha. RGB is only scaled."""
    if pixels.shape[2] == 4:
        return premultiply(pixels)
    planes = pixels.astype(np.float32)
    planes *= np.float32(1.0 / peak(pixels))
    return planes


def straightened(planes: Floats, dtype: np.dtype[Any]) -> Pixels:
    """The inverse of `premultiplied`, rounded and clipped to `dtype`; planes may overshoot 0…1."""
    if planes.shape[2] == 3:
        return quantised(planes, dtype)
    return unpremultiply(np.clip(planes, 0.0, 1.0), dtype)


def quantised(planes: Floats, dtype: np.dtype[Any]) -> Pixels:
    """Floats in 0…1, clipped and rounded to the full range of `dtype`."""
    top = np.float32(np.iinfo(dtype).max)
    scaled = planes * top
    np.rint(scaled, out=scaled)
    np.clip(scaled, 0.0, top, out=scaled)
    out: Pixels = scaled.astype(dtype)
    return out


def area_mean(planes: NDArray[Any], size: tuple[int, int]) -> NDArray[Any]:
    """`planes` (H×W or H×W×C, uint16 or float32) averaged over the footprint of each pixel of `size` (width, height).

    `size` must not exceed the array's in either direction.
    """
    width, height = size
    assert width <= planes.shape[1] and height <= planes.shape[0]
    if (planes.shape[1], planes.shape[0]) == size:
        return planes
    out: NDArray[Any] = cv2.resize(planes, size, interpolation=cv2.INTER_AREA)
    return out.reshape(height, width, *planes.shape[2:])


def resize_planes(planes: Floats, size: tuple[int, int], kernel: Kernel = "cubic") -> Floats:
    """`planes` (H×W×C float32) at `size` (width, height): area mean along every side that shrinks, `kernel` else."""
    width, height = size
    channels = planes.shape[2:]
    inner = (min(width, planes.shape[1]), min(height, planes.shape[0]))
    out: NDArray[Any] = area_mean(planes, inner)
    if inner != size:
        out = cv2.resize(out, size, interpolation=_CV2_KERNELS[kernel]).reshape(height, width, *channels)
    return out.astype(np.float32, copy=False)


def resized(picture: Picture, size: tuple[int, int], kernel: Kernel = "cubic") -> Picture:
    """`picture` at `size` (width, height); alpha is respected by resizing premultiplied colour.

    Shrinking sides use area means, enlarging sides `kernel`. Returns `picture` itself when nothing changes.
    """
    if picture.size == size:
        return picture
    planes = resize_planes(premultiplied(picture.pixels), size, kernel)
    return picture.with_pixels(straightened(planes, picture.pixels.dtype))
