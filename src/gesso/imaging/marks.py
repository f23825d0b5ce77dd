"""What marks a picture file carries: our record, other tools' metadata, C2PA, XMP's source type. For `gesso verify`.

Everything found is untrusted text: lengths are capped, nothing is executed or followed, and a mark's presence is not its
validity (a C2PA manifest is seen, not verified).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from gesso.contracts.errors import BadInput
from gesso.contracts.limits import Limits
from gesso.imaging.chunks import inflated, iso_boxes, jpeg_segments, png_chunks, riff_chunks, tiff_directories
from gesso.imaging.headers import Header, read_header
from gesso.imaging.metadata import PNG_KEYWORD, read_record
from gesso.imaging.sniff import sniff

MAX_TEXTS = 64
"""Texts listed at most."""
MAX_EXCERPT = 200
"""Characters of a text that are shown."""
_C2PA_UUID = bytes.fromhex("d8fec3d61b0e483c92975828877ec481")
"""The ISO box of a C2PA manifest store (C2PA 2.1, section "Embedding manifests into BMFF-based assets")."""
_FOREIGN_KEYWORDS = {
    "parameters": "a1111",
    "prompt": "comfyui",
    "workflow": "comfyui",
    "invokeai_metadata": "invokeai",
    "invokeai_workflow": "invokeai",
    "invokeai_graph": "invokeai",
}
_SOURCE_TYPE = re.compile(rb"DigitalSourceType(?:=[\"']|>)\s*([^\"'<]{1,200})")
_XMP_START, _XMP_END = b"<x:xmpmeta", b"</x:xmpmeta>"
_A1111_IN_EXIF = (b"Negative prompt:", b"N\0e\0g\0a\0t\0i\0v\0e\0 \0p\0r\0o\0m\0p\0t\0:\0")


@dataclass(frozen=True)
class Marks:
    """What a file is and carries. ``tools`` are those whose metadata was found; ``texts`` maps keywords to excerpts."""

    header: Header
    bytes: int
    record: bool
    record_error: str
    tools: tuple[str, ...]
    texts: tuple[tuple[str, str], ...]
    c2pa: bool
    xmp: bool
    source_type: str

    def as_json(self) -> dict[str, Any]:
        """The marks as plain data."""
        return {
            "format": self.header.format,
            "width": self.header.width,
            "height": self.header.height,
            "frames": self.header.frames,
            "bytes": self.bytes,
            "gesso": self.record,
            "gesso_error": self.record_error,
            "tools": list(self.tools),
            "texts": dict(self.texts),
            "c2pa": self.c2pa,
            "xmp": self.xmp,
            "digital_source_type": self.source_type,
        }


def read_marks(data: bytes, limits: Limits) -> Marks:
    """The marks in a picture file; raises `BadImage` when it is none, or is beyond the limits."""
    format = sniff(data)
    header = read_header(data, format, limits)
    texts = _texts(data, format)
    packet = _xmp(data)
    found = _SOURCE_TYPE.search(packet)
    tools = {_FOREIGN_KEYWORDS[key] for key, _ in texts if key in _FOREIGN_KEYWORDS}
    if format != "png" and any(word in _exif(data, format) for word in _A1111_IN_EXIF):
        tools.add("a1111")
    try:
        record, fault = read_record(data, format) is not None, ""
    except BadInput as error:
        record, fault = True, error.message
    return Marks(
        header=header,
        bytes=len(data),
        record=record,
        record_error=fault,
        tools=tuple(sorted(tools)),
        texts=tuple((key, text[:MAX_EXCERPT]) for key, text in texts if key != PNG_KEYWORD),
        c2pa=_has_c2pa(data, format),
        xmp=bool(packet),
        source_type=found.group(1).decode("utf-8", "replace").strip() if found else "",
    )


def _texts(data: bytes, format: str) -> list[tuple[str, str]]:
    if format != "png":
        return []
    out: list[tuple[str, str]] = []
    for kind, content in png_chunks(data):
        if kind in (b"tEXt", b"zTXt", b"iTXt") and len(out) < MAX_TEXTS:
            key, _, rest = bytes(content).partition(b"\0")
            out.append((key[:79].decode("latin-1"), _text(kind, rest)))
    return out


def _text(kind: bytes, rest: bytes) -> str:
    """The beginning of a text chunk's text, after its keyword."""
    cap = 4 * MAX_EXCERPT
    if kind == b"tEXt":
        return rest[:cap].decode("latin-1")
    if kind == b"zTXt":
        return _beginning(rest[1:], cap).decode("latin-1")
    packed = rest[:1] == b"\x01"
    body = rest[2:].partition(b"\0")[2].partition(b"\0")[2]
    return (_beginning(body, cap) if packed else body[:cap]).decode("utf-8", "replace")


def _beginning(packed: bytes, cap: int) -> bytes:
    """Up to `cap` unpacked bytes; "(long)" where there are more."""
    text = inflated(packed, cap)
    return b"(long)" if text is None else text


def _xmp(data: bytes) -> bytes:
    """The file's first XMP packet where it is stored in the open, else nothing."""
    start = data.find(_XMP_START)
    end = data.find(_XMP_END, start) if start >= 0 else -1
    return data[start:end] if end >= 0 else b""


def _exif(data: bytes, format: str) -> bytes:
    if format == "jpeg":
        return b"".join(bytes(c) for marker, c in jpeg_segments(data) if marker == 0xE1 and bytes(c[:4]) == b"Exif")
    if format == "webp":
        return b"".join(bytes(c) for kind, c in riff_chunks(data) if kind == b"EXIF")
    return b""


def _has_c2pa(data: bytes, format: str) -> bool:
    if format == "png":
        return any(kind == b"caBX" for kind, _ in png_chunks(data))
    if format == "jpeg":
        return any(marker == 0xEB and b"c2pa" in bytes(c[:128]) for marker, c in jpeg_segments(data))
    if format == "webp":
        return any(kind == b"C2PA" for kind, _ in riff_chunks(data))
    if format == "tiff":
        return any(0xCD41 in directory.entries for directory in tiff_directories(data))
    if format == "gif":
        return b"C2PA_GIF" in data
    return any(k == b"uuid" and bytes(c[:16]) == _C2PA_UUID for k, c in iso_boxes(memoryview(data)))
