"""One decoded Pillow image of any mode to an upright sRGB array. Runs in the decoder child, and here for PIL images.

Imports only Pillow and numpy, so that the child starts quickly.
"""

from __future__ import annotations

import struct
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from gesso.contracts.errors import BadImage
from gesso.imaging.colour import deep_to_srgb, to_srgb
from gesso.imaging.notes import Notes

Array = NDArray[Any]

ORIENTATION_TAG = 0x0112
_TURNS: dict[int, tuple[int, bool]] = {
    1: (0, False),
    2: (0, True),
    3: (2, False),
    4: (2, True),
    5: (3, True),
    6: (3, False),
    7: (1, True),
    8: (1, False),
}
"""EXIF orientation → (quarter turns counter-clockwise, mirrored left to right afterwards); Exif 2.32, tag 274."""

_BROKEN_EXIF = (SyntaxError, ValueError, TypeError, KeyError, IndexError, OSError, OverflowError, struct.error)


def orientation_of(image: Image.Image, notes: Notes) -> int:
    """The EXIF orientation 1…8 of `image`; anything else counts as 1 and is noted (orientation_invalid, exif_invalid)."""
    try:
        value = image.getexif().get(ORIENTATION_TAG, 1)
    except _BROKEN_EXIF:
        notes.add("exif_invalid", "the EXIF data is broken and was ignored")
        return 1
    if isinstance(value, int) and value in _TURNS:
        return value
    notes.add("orientation_invalid", f"the EXIF orientation {str(value)[:20]!r} does not exist; taken as upright")
    return 1


def upright(array: Array, orientation: int) -> Array:
    """`array` turned so that a picture of this EXIF `orientation` (1…8) stands upright."""
    turns, mirrored = _TURNS[orientation]
    turned = np.rot90(array, turns)
    return turned[:, ::-1] if mirrored else turned


def normalised(image: Image.Image, notes: Notes, *, as_mask: bool = False) -> Array:
    """`image` as H×W×C uint8 or uint16 in sRGB, not yet turned upright; raises `BadImage`.

    C is 3 or 4 (straight alpha), also for gray pictures. With `as_mask`, colour profiles are not applied (coverage is no
    colour) and gray stays C = 1 or 2. Codes: not_finite, value_range, mode_not_supported.
    """
    icc = None if as_mask else image.info.get("icc_profile")
    mode = image.mode
    if mode in ("F", "I") or mode.startswith("I;16"):
        return finished(_deep_gray(image), icc, notes, as_mask)
    image = _plain(image, notes)
    alpha = image.getchannel("A") if image.mode in ("LA", "RGBA") else None
    colour = image.convert(image.mode[:-1]) if alpha is not None else image
    colour = to_srgb(colour, icc, notes) if icc or colour.mode in ("CMYK", "LAB") else colour
    pixels = np.asarray(colour)
    pixels = pixels[:, :, None] if pixels.ndim == 2 else pixels
    if alpha is not None:
        pixels = np.concatenate([pixels, np.asarray(alpha)[:, :, None]], axis=2)
    return _expanded(pixels, notes, as_mask)


def finished(pixels: Array, icc: bytes | None, notes: Notes, as_mask: bool) -> Array:
    """H×W×C uint16 samples (C 1…4) as `normalised` promises them, the profile `icc` applied."""
    return _expanded(deep_to_srgb(pixels, icc, notes) if icc else pixels, notes, as_mask)


def _expanded(pixels: Array, notes: Notes, as_mask: bool) -> Array:
    """Gray to three equal channels, alpha kept."""
    channels = pixels.shape[2]
    if channels > 2 or as_mask:
        return pixels
    notes.add("gray_to_rgb", "gray was written as three equal channels")
    return np.concatenate([np.repeat(pixels[:, :, :1], 3, axis=2), pixels[:, :, 1:]], axis=2)


def _plain(image: Image.Image, notes: Notes) -> Image.Image:
    """`image` in one of L, LA, RGB, RGBA, CMYK, LAB, with palettes, transparent colours and premultiplication resolved."""
    mode = image.mode
    if mode in ("P", "PA"):
        notes.add("palette_expanded", "palette colours were written out")
        clear = mode == "PA" or "transparency" in image.info
        return image.convert("RGBA" if clear else "RGB")
    if mode == "1":
        return image.convert("L")
    if mode in ("L", "RGB") and "transparency" in image.info:
        return image.convert("RGBA" if mode == "RGB" else "LA")
    if mode in ("La", "RGBa"):
        return image.convert("LA" if mode == "La" else "RGBA")
    if mode in ("RGBX", "YCbCr", "HSV"):
        return image.convert("RGB")
    if mode in ("L", "LA", "RGB", "RGBA", "CMYK", "LAB"):
        return image
    raise BadImage(f"pictures of mode {mode} are not supported", code="mode_not_supported", hint="convert it to RGB")


def _deep_gray(image: Image.Image) -> Array:
    """A gray image of more than 8 bits as H×W×1 uint16, or H×W×2 where it names a transparent value."""
    values = np.asarray(image)
    if image.mode == "F":
        if not np.isfinite(values).all():
            raise BadImage("the picture holds NaN or infinite values", code="not_finite")
        if values.min() < 0 or values.max() > 1:
            raise _range(float(values.min()), float(values.max()), "0…1")
        gray = np.rint(values * np.float32(65535)).astype(np.uint16)
    elif image.mode == "I":
        if values.min() < 0 or values.max() > 65535:
            raise _range(int(values.min()), int(values.max()), "0…65535")
        gray = values.astype(np.uint16)
    else:
        gray = values.astype(np.uint16)
    clear = image.info.get("transparency")
    if isinstance(clear, int) and image.mode != "F":
        return np.stack([gray, np.where(gray == clear, 0, 65535).astype(np.uint16)], axis=2)
    return gray[:, :, None]


def _range(low: float, high: float, allowed: str) -> BadImage:
    return BadImage(
        f"the picture's values run from {low:g} to {high:g}; {allowed} is expected",
        code="value_range",
        hint=f"scale the values to {allowed}",
        limit=allowed,
    )
