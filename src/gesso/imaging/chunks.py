"""Walkers over the containers of picture files: PNG chunks, JPEG segments, RIFF chunks, ISO boxes, TIFF directories.

Pure Python over the encoded bytes; nothing is decoded. Every walker is bounded by the data's length and never raises on
malformed input: it stops, and what it yielded so far is all there is. Callers decide whether that is enough.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
MAX_DIRECTORIES = 4096
"""TIFF directories followed at most; far above `Limits.max_frames`."""

_OUTSIDE = (struct.error, OverflowError)
"""What reading at an offset outside the file raises; the second at 64-bit offsets of BigTIFF."""

_TIFF_SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4, 16: 8, 17: 8, 18: 8}


def png_chunks(data: bytes) -> Iterator[tuple[bytes, memoryview]]:
    """(type, content) of each complete chunk up to and including IEND. A chunk that runs past the end ends the walk."""
    view = memoryview(data)
    at, end = len(PNG_SIGNATURE), len(data)
    while at + 12 <= end:
        length, kind = struct.unpack_from(">I4s", data, at)
        if length > end - at - 12:
            return
        yield kind, view[at + 8 : at + 8 + length]
        if kind == b"IEND":
            return
        at += 12 + length


def jpeg_segments(data: bytes) -> Iterator[tuple[int, memoryview]]:
    """(marker, content) of each segment up to the first scan (SOS, yielded last). Stand-alone markers are skipped."""
    view = memoryview(data)
    at, end = 2, len(data)
    while at + 4 <= end:
        if data[at] != 0xFF:
            return
        marker = data[at + 1]
        if marker == 0xFF:
            at += 1
            continue
        if marker == 0x01 or 0xD0 <= marker <= 0xD8:
            at += 2
            continue
        length = int.from_bytes(view[at + 2 : at + 4], "big")
        if marker == 0xD9 or length < 2 or at + 2 + length > end:
            return
        yield marker, view[at + 4 : at + 2 + length]
        if marker == 0xDA:
            return
        at += 2 + length


def riff_chunks(data: bytes) -> Iterator[tuple[bytes, memoryview]]:
    """(type, content) of each complete chunk of a RIFF file."""
    view = memoryview(data)
    at, end = 12, len(data)
    while at + 8 <= end:
        kind, length = struct.unpack_from("<4sI", data, at)
        if length > end - at - 8:
            return
        yield kind, view[at + 8 : at + 8 + length]
        at += 8 + length + (length & 1)


def iso_boxes(view: memoryview) -> Iterator[tuple[bytes, memoryview]]:
    """(type, content) of each complete box in a run of ISO base-media boxes; a size of 0 means "to the end"."""
    at, end = 0, len(view)
    while at + 8 <= end:
        size, kind = struct.unpack_from(">I4s", view, at)
        head = 8
        if size == 1 and at + 16 <= end:
            (size,) = struct.unpack_from(">Q", view, at + 8)
            head = 16
        size = end - at if size == 0 else size
        if size < head or size > end - at:
            return
        yield kind, view[at + head : at + size]
        at += size


def iso_is_whole(data: bytes) -> bool:
    """Whether the file's top-level ISO boxes all end within it."""
    at, end = 0, len(data)
    while at + 8 <= end:
        (size,) = struct.unpack_from(">I", data, at)
        if size == 1 and at + 16 <= end:
            (size,) = struct.unpack_from(">Q", data, at + 8)
        if size == 0:
            return True
        if size < 8 or at + size > end:
            return data[at + 4 : at + 8] not in (b"ftyp", b"meta", b"mdat", b"moov")
        at += size
    return True


@dataclass(frozen=True)
class TiffEntry:
    """One entry of a TIFF directory: field type, count of values, and where its bytes begin in the file."""

    type: int
    count: int
    offset: int

    @property
    def size(self) -> int:
        """Bytes its values take."""
        return _TIFF_SIZES.get(self.type, 1) * self.count


@dataclass(frozen=True)
class TiffDirectory:
    """One picture of a TIFF file: its entries by tag."""

    entries: dict[int, TiffEntry]
    order: str
    data: bytes

    def number(self, tag: int, default: int = 0) -> int:
        """The first value of an integer tag, or `default` where it is absent or lies outside the file."""
        entry = self.entries.get(tag)
        code = {1: "B", 3: "H", 4: "I", 16: "Q"}.get(entry.type) if entry else None
        if entry is None or code is None or entry.count < 1:
            return default
        try:
            return int(struct.unpack_from(self.order + code, self.data, entry.offset)[0])
        except _OUTSIDE:
            return default

    def content(self, tag: int) -> bytes:
        """The raw bytes of a tag, cut at the file's end; empty where it is absent."""
        entry = self.entries.get(tag)
        return b"" if entry is None else self.data[entry.offset : entry.offset + entry.size]


def tiff_directories(data: bytes) -> Iterator[TiffDirectory]:
    """Each directory of a TIFF or BigTIFF file in order; loops and offsets outside the file end the walk."""
    order = "<" if data[:2] == b"II" else ">"
    big = data[2:4] in (b"+\x00", b"\x00+")
    try:
        at = struct.unpack_from(order + ("Q" if big else "I"), data, 8 if big else 4)[0]
        seen: set[int] = set()
        while at and at not in seen and len(seen) < MAX_DIRECTORIES:
            seen.add(at)
            directory, at = _tiff_directory(data, at, order, big)
            yield directory
    except _OUTSIDE:
        return


def _tiff_directory(data: bytes, at: int, order: str, big: bool) -> tuple[TiffDirectory, int]:
    count_code, entry_size, inline, offset_code = ("Q", 20, 8, "Q") if big else ("H", 12, 4, "I")
    (count,) = struct.unpack_from(order + count_code, data, at)
    at += struct.calcsize(count_code)
    entries: dict[int, TiffEntry] = {}
    if count > (len(data) - at) // entry_size:
        raise struct.error
    for position in range(at, at + count * entry_size, entry_size):
        tag, kind, values = struct.unpack_from(order + "HH" + offset_code, data, position)
        value_at = position + 4 + struct.calcsize(offset_code)
        if _TIFF_SIZES.get(kind, 1) * values > inline:
            (value_at,) = struct.unpack_from(order + offset_code, data, value_at)
        entries.setdefault(tag, TiffEntry(kind, values, value_at))
    try:
        (following,) = struct.unpack_from(order + offset_code, data, at + count * entry_size)
    except _OUTSIDE:
        following = 0
    return TiffDirectory(entries, order, data), following


def inflated(packed: bytes | memoryview, cap: int) -> bytes | None:
    """`packed` unpacked by zlib, or None when it would exceed `cap` bytes; broken data yields what could be read."""
    stream = zlib.decompressobj()
    try:
        out = stream.decompress(packed, cap + 1)
    except zlib.error:
        return b""
    return None if len(out) > cap else out
