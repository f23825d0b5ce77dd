"""What a picture file claims to hold, read from its headers alone, and whether that is within the limits.

This runs in the caller's process before any decoder sees the file (research B2 rule 1): sizes, frames and metadata are
refused here by arithmetic, in time and memory that do not grow with what the file claims.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from gesso.contracts.errors import BadImage
from gesso.contracts.limits import Limits
from gesso.imaging.chunks import (
    TiffDirectory,
    inflated,
    iso_boxes,
    iso_is_whole,
    jpeg_segments,
    png_chunks,
    riff_chunks,
    tiff_directories,
)

_TEXT_CHUNKS = (b"tEXt", b"zTXt", b"iTXt")
_METADATA_CHUNKS = (*_TEXT_CHUNKS, b"eXIf", b"iCCP", b"caBX")
_SOF = frozenset({*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC})


@dataclass(frozen=True)
class Header:
    """The claims of a file: size in pixels, frames (``frames`` > 1 means animated or paged), and where frame n lies.

    ``bits`` a channel, where the decoder would not tell (AVIF, HEIC).
    ``pages`` lists the decoder's index of each frame for formats whose index also counts thumbnails (TIFF).
    """

    format: str
    width: int
    height: int
    frames: int = 1
    metadata_bytes: int = 0
    metadata_chunks: int = 0
    pages: tuple[int, ...] = ()
    bits: int = 8


def read_header(data: bytes, format: str, limits: Limits) -> Header:
    """The header of `data`, checked against `limits`; raises `BadImage`.

    Codes: image_truncated, image_corrupt, too_many_pixels, side_too_long, too_many_frames, frame_outside,
    metadata_too_large.
    """
    header = _READERS[format](data, limits)
    if header is None:
        raise BadImage(
            f"the {format.upper()} file ends before its picture begins",
            code="image_truncated",
            hint="the file may not have been copied completely",
        )
    if header.width < 1 or header.height < 1:
        raise BadImage(f"the {format.upper()} file claims a picture of no size", code="image_corrupt")
    check_size(header.width, header.height, limits)
    if header.frames > limits.max_frames:
        raise BadImage(
            f"the file holds more than {limits.max_frames} frames",
            code="too_many_frames",
            hint="split the animation first",
            limit=limits.max_frames,
        )
    if header.metadata_bytes > limits.max_metadata_bytes:
        raise _metadata(f"unpacked, exceeds {limits.max_metadata_bytes} bytes", limits.max_metadata_bytes)
    return header


def check_size(width: int, height: int, limits: Limits) -> None:
    """Raise `BadImage` (too_many_pixels, side_too_long) unless a width×height picture is within `limits`."""
    if width * height > limits.max_pixels:
        raise BadImage(
            f"{width}×{height} is {width * height / 1e6:.1f} megapixels; at most {limits.max_pixels / 1e6:g} are taken",
            code="too_many_pixels",
            hint="reduce the picture first, or raise the limit max_pixels",
            limit=limits.max_pixels,
        )
    if max(width, height) > limits.max_side:
        raise BadImage(
            f"{width}×{height} is longer than {limits.max_side} pixels on one side",
            code="side_too_long",
            hint="reduce the picture first, or raise the limit max_side",
            limit=limits.max_side,
        )


def _metadata(what: str, limit: int) -> BadImage:
    return BadImage(
        f"the file's metadata, {what}", code="metadata_too_large", hint="strip the file's metadata", limit=limit
    )


def _png(data: bytes, limits: Limits) -> Header | None:
    width = height = chunks = total = 0
    frames = 1
    whole = False
    for kind, content in png_chunks(data):
        if not width:
            if kind != b"IHDR" or len(content) != 13:
                raise BadImage("the PNG file does not begin with its header", code="image_corrupt")
            width, height = struct.unpack_from(">II", content)
            check_size(width, height, limits)
            if not width or not height:
                raise BadImage("the PNG file claims a picture of no size", code="image_corrupt")
        elif kind == b"acTL" and len(content) == 8:
            (frames,) = struct.unpack_from(">I", content)
        elif kind in _METADATA_CHUNKS:
            chunks += kind in _TEXT_CHUNKS
            total += len(content) + _unpacked(kind, content, limits.max_metadata_bytes - total)
            if chunks > limits.max_metadata_chunks:
                raise _metadata(f"counts more than {limits.max_metadata_chunks} chunks", limits.max_metadata_chunks)
            if total > limits.max_metadata_bytes:
                raise _metadata(f"unpacked, exceeds {limits.max_metadata_bytes} bytes", limits.max_metadata_bytes)
        whole |= kind == b"IEND"
    if not whole:
        return None
    return Header("png", width, height, max(1, frames), total, chunks)


def _unpacked(kind: bytes, content: memoryview, room: int) -> int:
    """Bytes a compressed chunk unpacks to; one more than `room` when it does not fit."""
    if kind not in (b"zTXt", b"iTXt", b"iCCP"):
        return 0
    body = bytes(content)
    end = body.find(b"\0")
    if end < 0:
        return 0
    if kind == b"iTXt":
        if body[end + 1 : end + 2] != b"\x01":
            return 0
        for _ in range(2):
            end = body.find(b"\0", end + (3 if _ == 0 else 1))
            if end < 0:
                return 0
        start = end + 1
    else:
        start = end + 2
    text = inflated(body[start:], max(0, room))
    return room + 1 if text is None else len(text)


def _jpeg(data: bytes, limits: Limits) -> Header | None:
    found: tuple[int, int] | None = None
    total = 0
    for marker, content in jpeg_segments(data):
        if marker in _SOF and len(content) >= 6:
            height, width = struct.unpack_from(">HH", content, 1)
            if content[0] != 8:
                raise BadImage(
                    f"the JPEG file has {content[0]} bits a channel; 8 are supported",
                    code="precision_not_supported",
                    hint="convert it to PNG or TIFF",
                    limit=8,
                )
            check_size(width, height, limits)
            found = found or (width, height)
        elif 0xE0 <= marker <= 0xEF or marker == 0xFE:
            total += len(content)
        elif marker == 0xDA:
            return Header("jpeg", *found, 1, total) if found else None
    return None


def _gif(data: bytes, limits: Limits) -> Header | None:
    if len(data) < 13:
        return None
    width, height, flags = struct.unpack_from("<HHB", data, 6)
    check_size(width, height, limits)
    at = 13 + (3 << ((flags & 7) + 1) if flags & 0x80 else 0)
    frames = total = 0
    end = len(data)
    while at < end and frames <= limits.max_frames:
        block = data[at]
        if block == 0x3B:
            break
        if block == 0x21:
            at, size = _sub_blocks(data, at + 2)
            total += size if data[at : at + 1] and size > 255 else 0
        elif block == 0x2C and at + 10 <= end:
            left, top, w, h, local = struct.unpack_from("<HHHHB", data, at + 1)
            width, height = (width or left + w), (height or top + h)
            if left + w > width or top + h > height:
                raise BadImage(
                    f"frame {frames} of the GIF lies outside its {width}×{height} canvas", code="frame_outside"
                )
            frames += 1
            at, _ = _sub_blocks(data, at + 11 + (3 << ((local & 7) + 1) if local & 0x80 else 0))
        else:
            break
    return Header("gif", width, height, frames, total) if frames else None


def _sub_blocks(data: bytes, at: int) -> tuple[int, int]:
    """Where the run of sub-blocks at `at` ends, and how many bytes it holds."""
    total, end = 0, len(data)
    while at < end and data[at]:
        total += data[at]
        at += 1 + data[at]
    return at + 1, total


def _webp(data: bytes, limits: Limits) -> Header | None:
    (claimed,) = struct.unpack_from("<I", data, 4) if len(data) >= 12 else (len(data),)
    if claimed + 8 > len(data):
        return None
    width = height = frames = total = 0
    for kind, content in riff_chunks(data):
        if kind == b"VP8X" and len(content) >= 10:
            width = 1 + int.from_bytes(content[4:7], "little")
            height = 1 + int.from_bytes(content[7:10], "little")
        elif kind == b"VP8 " and len(content) >= 10 and not width:
            width, height = (v & 0x3FFF for v in struct.unpack_from("<HH", content, 6))
        elif kind == b"VP8L" and len(content) >= 5 and not width:
            bits = int.from_bytes(content[1:5], "little")
            width, height = 1 + (bits & 0x3FFF), 1 + ((bits >> 14) & 0x3FFF)
        elif kind == b"ANMF":
            frames += 1
        elif kind in (b"EXIF", b"XMP ", b"ICCP", b"C2PA"):
            total += len(content)
    return Header("webp", width, height, max(1, frames), total) if width else None


def _iso(format: str) -> Callable[[bytes, Limits], Header | None]:
    def read(data: bytes, limits: Limits) -> Header | None:
        sizes: list[tuple[int, int]] = []
        frames, bits = 1, 8
        for kind, content in iso_boxes(memoryview(data)):
            if kind == b"meta":
                for name, value in _properties(content[4:]):
                    if name == b"ispe" and len(value) >= 12:
                        sizes.append(struct.unpack_from(">II", value, 4))
                    elif name == b"pixi" and len(value) >= 5 + value[4]:
                        bits = max((bits, *value[5 : 5 + value[4]]))
            elif kind == b"moov":
                frames = max(frames, _samples(content, 0))
        if not sizes or not iso_is_whole(data):
            return None
        for width, height in sizes:
            check_size(width, height, limits)
        width, height = max(sizes, key=lambda s: s[0] * s[1])
        return Header(format, width, height, frames, bits=bits)

    return read


def _properties(meta: memoryview) -> Iterator[tuple[bytes, memoryview]]:
    """The properties of all items (tiles and thumbnails too) in a ``meta`` box."""
    for kind, content in iso_boxes(meta):
        if kind == b"iprp":
            for inner, properties in iso_boxes(content):
                if inner == b"ipco":
                    yield from iso_boxes(properties)


_TRACK_PATH = (b"trak", b"mdia", b"minf", b"stbl")


def _samples(box: memoryview, depth: int) -> int:
    """The largest sample count of the tracks in a ``moov`` box: the frames of an image sequence."""
    most = 0
    for kind, content in iso_boxes(box):
        if depth < len(_TRACK_PATH) and kind == _TRACK_PATH[depth]:
            most = max(most, _samples(content, depth + 1))
        elif depth == len(_TRACK_PATH) and kind == b"stsz" and len(content) >= 12:
            most = max(most, struct.unpack_from(">I", content, 8)[0])
    return most


_TIFF_METADATA = (700, 33723, 34377, 34675, 37724, 270, 305, 315)
"""XMP, IPTC, Photoshop resources, ICC, layers, description, software, artist."""


def _tiff(data: bytes, limits: Limits) -> Header | None:
    pages: list[int] = []
    first: TiffDirectory | None = None
    total = 0
    for index, directory in enumerate(tiff_directories(data)):
        total += sum(directory.entries[tag].size for tag in _TIFF_METADATA if tag in directory.entries)
        if directory.number(254) & 0b101:
            continue
        check_size(directory.number(256), directory.number(257), limits)
        pages.append(index)
        first = first or directory
    if first is None:
        return None
    return Header("tiff", first.number(256), first.number(257), len(pages), total, pages=tuple(pages))


_READERS: dict[str, Callable[[bytes, Limits], Header | None]] = {
    "png": _png,
    "jpeg": _jpeg,
    "gif": _gif,
    "webp": _webp,
    "avif": _iso("avif"),
    "heic": _iso("heic"),
    "tiff": _tiff,
}
