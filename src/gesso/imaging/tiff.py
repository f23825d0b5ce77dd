"""A small TIFF writer: one RGB or RGBA page of 8 or 16 bits, deflated strips, colour profile and XMP.

Pillow cannot write 16-bit colour. Tags are those of TIFF 6.0 with Adobe's deflate and predictor supplements.
"""

from __future__ import annotations

import struct
from typing import Any

import numpy as np
from isal import isal_zlib
from numpy.typing import NDArray

_SHORT, _LONG, _RATIONAL, _BYTE, _UNDEFINED = 3, 4, 5, 1, 7
_STRIP_BYTES = 1 << 20


def encode_tiff(pixels: NDArray[Any], *, icc: bytes, xmp: bytes = b"") -> bytes:
    """H×W×3 or 4 (straight alpha), uint8 or uint16, as a little-endian TIFF file, lossless."""
    height, width, channels = pixels.shape
    rows = max(1, min(height, _STRIP_BYTES // max(1, width * channels * pixels.itemsize)))
    strips = [isal_zlib.compress(_differences(pixels[i : i + rows]).data, 1) for i in range(0, height, rows)]
    offsets, at = [], 8
    for strip in strips:
        offsets.append(at)
        at += len(strip) + (len(strip) & 1)
    tags: list[tuple[int, int, list[int] | bytes]] = [
        (256, _LONG, [width]),
        (257, _LONG, [height]),
        (258, _SHORT, [8 * pixels.itemsize] * channels),
        (259, _SHORT, [8]),
        (262, _SHORT, [2]),
        (273, _LONG, offsets),
        (277, _SHORT, [channels]),
        (278, _LONG, [rows]),
        (279, _LONG, [len(strip) for strip in strips]),
        (284, _SHORT, [1]),
        (317, _SHORT, [2]),
    ]
    if channels == 4:
        tags.append((338, _SHORT, [2]))
    if xmp:
        tags.append((700, _BYTE, xmp))
    tags.append((34675, _UNDEFINED, icc))
    body = b"".join(strip + b"\0" * (len(strip) & 1) for strip in strips)
    return struct.pack("<2sHI", b"II", 42, at) + body + _directory(tags, at)


def _differences(strip: NDArray[Any]) -> NDArray[Any]:
    """The strip's samples as differences to the pixel at the left (TIFF predictor 2)."""
    out = np.array(strip, dtype=strip.dtype.newbyteorder("<"), order="C")
    np.subtract(strip[:, 1:], strip[:, :-1], out=out[:, 1:])
    return out.view(np.uint8)


def _directory(tags: list[tuple[int, int, list[int] | bytes]], at: int) -> bytes:
    """The directory that begins at byte `at` of the file, with the values that do not fit into their entries after it."""
    extra_at = at + 2 + 12 * len(tags) + 4
    entries, extra = b"", b""
    for tag, kind, values in tags:
        raw = (
            values
            if isinstance(values, bytes)
            else struct.pack(f"<{len(values)}{'H' if kind == _SHORT else 'I'}", *values)
        )
        if len(raw) <= 4:
            entries += struct.pack("<HHI4s", tag, kind, len(values), raw)
            continue
        entries += struct.pack("<HHII", tag, kind, len(values), extra_at + len(extra))
        extra += raw + b"\0" * (len(raw) & 1)
    return struct.pack("<H", len(tags)) + entries + bytes(4) + extra
