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
_NONE, _SUB, _UP, _AVERAGE, _PAETH = range(5)
_LEVEL = 1
"""ISA-L's level: 0 leaves about 40 % on the table, 2 and 3 cost time and gain nothing on photographs (bench/c01_png.py)."""
_FLAT = 0.12
"""A sample that packs below this share is a drawing: zlib's long search pays there, and is quick."""
_ZLIB_LEVEL = 6
_SAMPLE_ROWS = 5
_PAETH_PAYS = 0.975
"""Paeth takes some three times as long as the other filters: it must save this share."""
_BAND_BYTES = 96 * 1024
"""Rows filtered at a time; nine such arrays stay within a megabyte."""
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

    A few bands of rows are packed with each filter; the smallest wins, Paeth only if it saves enough for its time. One
    filter for all rows loses 1 to 2 % against a choice per row, and saves the time of judging every row five times.
    """
    height = rows.shape[0]
    bands = [rows[max(0, i - 1) : i + _SAMPLE_ROWS] for i in sorted({height // 8, height // 2, height * 7 // 8})]
    sizes = [
        sum(len(isal_zlib.compress(_filtered(band, step, kind)[1:].data, _LEVEL)) for band in bands)
        for kind in (_NONE, _SUB, _UP, _AVERAGE, _PAETH)
    ]
    best = min(sizes[:_PAETH])
    choice = _PAETH if sizes[_PAETH] < _PAETH_PAYS * best else sizes.index(best)
    return choice, best < _FLAT * sum(band.size for band in bands)


def _filtered(rows: Bytes, step: int, kind: int) -> Bytes:
    """H×(1 + row bytes): every row with its filter byte. What lies above the first row or left of it counts as zero.

    Worked off in bands that fit into a core's cache.
    """
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
        predict = _average if kind == _AVERAGE else _paeth
        band = max(1, min(height, _BAND_BYTES // length))
        padded = np.zeros((band + 1, step + length), np.uint8)
        scratch = tuple(np.empty((band, length), np.uint8) for _ in range(5))
        for top in range(0, height, band):
            count = min(band, height - top)
            padded[1 : count + 1, step:] = rows[top : top + count]
            left, up, corner = padded[1 : count + 1, :length], padded[:count, step:], padded[:count, :length]
            found = predict(left, up, corner, tuple(array[:count] for array in scratch))
            np.subtract(rows[top : top + count], found, out=body[top : top + count])
            padded[0] = padded[count]
    return out


def _average(left: Bytes, up: Bytes, corner: Bytes, scratch: tuple[Bytes, ...]) -> Bytes:
    """The mean of left and up, rounded down, without leaving 8 bits."""
    mean = np.bitwise_xor(left, up, out=scratch[0])
    mean >>= 1
    mean += np.bitwise_and(left, up, out=scratch[1])
    return mean


def _paeth(left: Bytes, up: Bytes, corner: Bytes, scratch: tuple[Bytes, ...]) -> Bytes:
    """Paeth's predictor in 8-bit arithmetic.

    With a, b, c for left, up and corner: where c lies outside [min(a, b), max(a, b)] the nearest to a + b - c is the
    opposite one of the two. Inside, |b - c| and |a - c| add up to |a - b|; a is nearest when twice the first is no more
    than the second, b when twice the second is no more than the first, c otherwise. Ties fall as the specification says.
    """
    low = np.minimum(left, up, out=scratch[0])
    high = np.maximum(left, up, out=scratch[1])
    to_up = np.maximum(up, corner, out=scratch[2])
    to_up -= np.minimum(up, corner, out=scratch[3])
    to_left = np.maximum(left, corner, out=scratch[3])
    to_left -= np.minimum(left, corner, out=scratch[4])
    take_left = _mask(to_up <= np.right_shift(to_left, 1, out=scratch[4]))
    take_up = _mask(to_left <= np.right_shift(to_up, 1, out=scratch[4]))
    found = np.bitwise_xor(corner, left, out=scratch[2])
    found &= take_left
    found ^= corner
    change = scratch[3]
    for mask, value in ((take_up, up), (_mask(corner <= low), high), (_mask(corner >= high), low)):
        np.bitwise_xor(found, value, out=change)
        change &= mask
        found ^= change
    return found


def _mask(condition: NDArray[np.bool_]) -> Bytes:
    """255 where true, else 0."""
    return np.negative(condition.view(np.uint8))
