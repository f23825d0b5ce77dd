"""16-bit colour, which Pillow reduces to 8 bits: decoded twice by Pillow's public decoders, high and low bytes apart.

Pillow's unpackers for "RGB;16B" and "RGB;16L" keep the first or the second byte of each sample. Asking for both of the
same data yields all 16 bits without another decoder.
"""

from __future__ import annotations

import io
import sys
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from PIL.TiffImagePlugin import TiffImageFile

from gesso.imaging.chunks import png_chunks

Deep = NDArray[np.uint16]

_PNG_MODES = {2: "RGB", 6: "RGBA", 4: "LA"}


def png_is_deep(data: bytes) -> bool:
    """Whether a PNG file holds 16-bit colour, or 16-bit gray with alpha (plain 16-bit gray Pillow reads itself)."""
    return data[24] == 16 and data[25] in _PNG_MODES


def decode_png(data: bytes) -> Deep:
    """The samples of a PNG file for which `png_is_deep`, H×W×2, 3 or 4; a transparent colour becomes alpha."""
    width, height = (int.from_bytes(data[i : i + 4], "big") for i in (16, 20))
    mode, interlaced = _PNG_MODES[data[25]], data[28]
    parts, clear = [], b""
    for kind, content in png_chunks(data):
        if kind == b"IDAT":
            parts.append(content)
        elif kind == b"tRNS":
            clear = bytes(content)
    packed = b"".join(parts)
    if mode == "LA":
        quads = np.asarray(Image.frombytes("RGBA", (width, height), packed, "zip", "RGBA", interlaced))
        return _joined(quads[:, :, ::2], quads[:, :, 1::2])
    high, low = (
        np.asarray(Image.frombytes(mode, (width, height), packed, "zip", f"{mode};16{end}", interlaced)) for end in "BL"
    )
    pixels = _joined(high, low)
    if mode == "RGB" and len(clear) == 6:
        key = np.frombuffer(clear, ">u2")
        alpha = np.where((pixels == key).all(axis=2), 0, 65535).astype(np.uint16)
        return np.concatenate([pixels, alpha[:, :, None]], axis=2)
    return pixels


def _joined(high: NDArray[Any], low: NDArray[Any]) -> Deep:
    out = high.astype(np.uint16)
    out <<= 8
    out |= low
    return out


def tiff_is_deep(image: Image.Image) -> bool:
    """Whether an opened, not yet loaded TIFF page holds 16-bit RGB that this module can read."""
    return isinstance(image, TiffImageFile) and bool(image.tile) and all(_raw_mode(tile) for tile in image.tile)


def _raw_mode(tile: Any) -> tuple[str, str] | None:
    """(colour model, byte order L, B or N) of a tile of 16-bit RGB, else None."""
    raw = tile.args[0] if isinstance(tile.args, tuple) and tile.args else tile.args
    model, found, order = raw.partition(";16") if isinstance(raw, str) else ("", "", "")
    return (model, order) if found and order in ("L", "B", "N") and model in ("RGB", "RGBA", "RGBX", "RGBa") else None


def decode_tiff(data: bytes, page: int) -> Deep:
    """The samples of a TIFF page for which `tiff_is_deep`, H×W×3 or 4, straight alpha, already turned upright by Pillow."""
    planes = [_tiff_plane(data, page, end) for end in "BL"]
    premultiplied = planes[0][1]
    high, low = planes[0][0], planes[1][0]
    pixels = _joined(high, low)
    return _straight(pixels) if premultiplied else pixels


def _tiff_plane(data: bytes, page: int, end: str) -> tuple[NDArray[Any], bool]:
    """Every sample's high (`end` "B") or low ("L") byte as the decoder delivers them, and whether alpha is premultiplied."""
    native = "L" if sys.byteorder == "little" else "B"
    with Image.open(io.BytesIO(data), formats=["TIFF"]) as image:
        assert isinstance(image, TiffImageFile)
        image.seek(page)
        premultiplied = False
        tiles = []
        for tile in image.tile:
            found = _raw_mode(tile)
            assert found is not None
            model, order = found
            premultiplied |= model == "RGBa"
            stored = native if order == "N" else order
            wanted = stored if end == "B" else {"L": "B", "B": "L"}[stored]
            raw = ("RGBA" if model == "RGBa" else model) + ";16" + wanted
            tiles.append(tile._replace(args=(raw, *tile.args[1:]) if isinstance(tile.args, tuple) else raw))
        image.tile = tiles
        image.load()
        return np.asarray(image), premultiplied


def _straight(pixels: Deep) -> Deep:
    alpha = pixels[:, :, 3:].astype(np.float32)
    colour = pixels[:, :, :3] * (65535.0 / np.maximum(alpha, 1.0))
    out = np.concatenate([np.minimum(np.rint(colour), 65535.0), alpha], axis=2)
    return out.astype(np.uint16)
