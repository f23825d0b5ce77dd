"""A fast, lossless PNG writer: row filters in numpy, deflate by ISA-L.

Filters are those of the PNG specification (third edition, section 9.2); what is chosen, and why, stands at `_choose`.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterable
from typing import Any

import numpy as np
from isal import isal_zlib
from numpy.typing import NDArray

from gesso.imaging.chunks import inflated

Samples = NDArray[np.uint8] | NDArray[np.uint16]
Bytes = NDArray[np.uint8]

SIGNATURE = b"\x89PNG\r\n\x1a\n"
_COLOUR_TYPES = {1: 0, 2: 4, 3: 2, 4: 6}
_NONE, _SUB, _UP, _AVERAGE = range(4)
_LEVEL = 1
"""ISA-L's level: 0 leaves about 40 % on the table, 2 and 3 cost time and gain nothing on photographs (bench/c01_png.py)."""
_FLAT = 0.12
"""A sample that packs below this share is a drawing: zlib's long search pays there, and is quick."""
_ZLIB_LEVEL = 6
_SAMPLE_ROWS = 24
_COMPRESS_TEXT_FROM = 1024


def encode_png(
    pixels: Samples, texts: Iterable[tuple[str, str]] = (), chunks: Iterable[tuple[bytes, bytes]] = ()
) -> bytes:
    """H×W×C (C 1…4: gray, gray and alpha, RGB, RGBA; uint8 or uint16) as a PNG file tagged sRGB.

    `texts` become iTXt chunks (keyword, text), `chunks` stand before the image data as they are (type, content).
    """
    assert pixels.ndim == 3 and pixels.shape[2] in _COLOUR_TYPES and pixels.dtype in (np.uint8, np.uint16)
    height, width, channels = pixels.shape
    depth = 8 if pixels.dtype == np.uint8 else 16
    head = struct.pack(">IIBBBBB", width, height, depth, _COLOUR_TYPES[channels], 0, 0, 0)
    parts = [SIGNATURE, *_chunk(b"IHDR", head), *_chunk(b"sRGB", b"\x00")]
    for keyword, text in texts:
        parts += _chunk(b"iTXt", _itxt(keyword, text))
    for kind, content in chunks:
        parts += _chunk(kind, content)
    parts += _chunk(b"IDAT", packed_rows(pixels))
    parts += _chunk(b"IEND", b"")
    return b"".join(parts)


def packed_rows(pixels: Samples) -> bytes:
    """The pixels as PNG image data: filtered rows, deflated."""
    rows, step = _rows(pixels)
    choice, small = _choose(rows, step)
    filtered = _filtered(rows, step, choice)
    if small:
        return zlib.compress(filtered.data, _ZLIB_LEVEL)
    packed: bytes = isal_zlib.compress(filtered.data, _LEVEL)
    return packed


def packed_plane(plane: NDArray[np.uint16]) -> bytes:
    """H×W uint16 as PNG image data with the filter "up" in every row; `unpacked_plane` is the inverse."""
    rows, step = _rows(plane[:, :, None])
    packed: bytes = isal_zlib.compress(_filtered(rows, step, _UP).data, _LEVEL)
    return packed


def unpacked_plane(packed: bytes | memoryview, width: int, height: int) -> NDArray[np.uint16] | None:
    """The H×W uint16 plane that `packed_plane` wrote, or None when `packed` is not that. Never unpacks more than fits."""
    size = height * (1 + 2 * width)
    data = inflated(packed, size)
    if data is None or len(data) != size:
        return None
    rows = np.frombuffer(data, np.uint8).reshape(height, 1 + 2 * width)
    if not (rows[:, 0] == _UP).all():
        return None
    body = np.add.accumulate(rows[:, 1:], axis=0, dtype=np.uint8)
    return np.ascontiguousarray(body).view(">u2").astype(np.uint16)


def _chunk(kind: bytes, content: bytes) -> tuple[bytes, bytes, bytes]:
    crc = isal_zlib.crc32(content, isal_zlib.crc32(kind))
    return struct.pack(">I4s", len(content), kind), content, struct.pack(">I", crc)


def _itxt(keyword: str, text: str) -> bytes:
    body = text.encode()
    packed = len(body) >= _COMPRESS_TEXT_FROM
    if packed:
        body = zlib.compress(body, 6)
    return keyword.encode("latin-1") + (b"\0\x01\0" if packed else b"\0\0\0") + b"\0\0" + body


def _rows(pixels: Samples) -> tuple[Bytes, int]:
    """The rows as bytes in file order (16-bit samples big-endian), and the bytes per pixel."""
    height = pixels.shape[0]
    wide: NDArray[Any] = pixels if pixels.dtype == np.uint8 else pixels.astype(">u2")
    flat = np.ascontiguousarray(wide).view(np.uint8).reshape(height, -1)
    return flat, pixels.shape[2] * pixels.dtype.itemsize


def _choose(rows: Bytes, step: int) -> tuple[int, bool]:
    """The filter for the whole picture, and whether it is a drawing for which zlib's longer search pays.

    A few bands of rows are packed with each filter; the smallest wins.
    """
    height = rows.shape[0]
    bands = [rows[i : i + _SAMPLE_ROWS // 3] for i in {0, height // 2, max(0, height - _SAMPLE_ROWS // 3)}]
    sizes = [
        sum(len(isal_zlib.compress(_filtered(band, step, kind).data, _LEVEL)) for band in bands)
        for kind in (_NONE, _SUB, _UP, _AVERAGE)
    ]
    best = min(sizes)
    return sizes.index(best), best < _FLAT * sum(band.size for band in bands)


def _filtered(rows: Bytes, step: int, kind: int) -> Bytes:
    """H×(1 + row bytes): every row with its filter byte. The row above the first counts as zero."""
    height, length = rows.shape
    out = np.empty((height, 1 + length), np.uint8)
    out[:, 0] = kind
    body = out[:, 1:]
    if kind == _NONE:
        body[:] = rows
    elif kind == _SUB:
        body[:, :step] = rows[:, :step]
        np.subtract(rows[:, step:], rows[:, :-step], out=body[:, step:])
    elif kind == _UP:
        body[0] = rows[0]
        np.subtract(rows[1:], rows[:-1], out=body[1:])
    else:
        up = np.zeros_like(rows)
        up[1:] = rows[:-1]
        mean = up >> 1
        left, above = rows[:, :-step], up[:, step:]
        mean[:, step:] = (left & above) + ((left ^ above) >> 1)
        np.subtract(rows, mean, out=body)
    return out
