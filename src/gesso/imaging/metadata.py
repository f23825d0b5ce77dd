"""The provenance record in and out of files: an iTXt chunk in PNG, an XMP packet elsewhere. Reading is capped.

XMP packets are read by search, not by an XML parser: their content is untrusted, and only one element is wanted.
"""

from __future__ import annotations

import hashlib
import re
import struct
from xml.sax.saxutils import escape

from gesso.contracts.errors import BadInput
from gesso.contracts.provenance import MAX_BYTES, Provenance, read_provenance
from gesso.imaging.chunks import inflated, jpeg_segments, png_chunks

PNG_KEYWORD = "gesso:provenance"
_NAMESPACE = "urn:gesso:provenance:1"
_OPEN, _CLOSE = b"<gesso:provenance>", b"</gesso:provenance>"
_XMP_HEADER = b"http://ns.adobe.com/xap/1.0/\0"
_EXTENSION_HEADER = b"http://ns.adobe.com/xmp/extension/\0"
_SEGMENT = 65000
"""Bytes of XMP in one JPEG segment; a segment holds at most 65533 with its headers."""
_ESCAPES = {b"lt": b"<", b"gt": b">", b"amp": b"&", b"quot": b'"', b"apos": b"'"}


def xmp_packet(record: str, extension: str = "") -> bytes:
    """An XMP packet that holds the JSON `record`, or names the JPEG extension (its MD5) in which it stands."""
    inner = f"<gesso:provenance>{escape(record)}</gesso:provenance>" if record else ""
    note = f' xmlns:xmpNote="http://ns.adobe.com/xmp/note/" xmpNote:HasExtendedXMP="{extension}"' if extension else ""
    return (
        '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>'
        '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        f'<rdf:Description rdf:about="" xmlns:gesso="{_NAMESPACE}"{note}>{inner}</rdf:Description>'
        '</rdf:RDF></x:xmpmeta><?xpacket end="w"?>'
    ).encode()


def jpeg_with_xmp(jpeg: bytes, record: str) -> bytes:
    """`jpeg` with the JSON `record` in its XMP; a long one continues in extension segments (XMP part 3, 1.1.3.1)."""
    packet = xmp_packet(record)
    if len(packet) <= _SEGMENT:
        return _inserted(jpeg, [_XMP_HEADER + packet])
    digest = hashlib.md5(packet, usedforsecurity=False).hexdigest().upper()
    parts = [_XMP_HEADER + xmp_packet("", digest)]
    for at in range(0, len(packet), _SEGMENT):
        head = _EXTENSION_HEADER + digest.encode() + struct.pack(">II", len(packet), at)
        parts.append(head + packet[at : at + _SEGMENT])
    return _inserted(jpeg, parts)


def _inserted(jpeg: bytes, contents: list[bytes]) -> bytes:
    """`jpeg` with APP1 segments after its JFIF header."""
    at = 2
    if jpeg[2:4] == b"\xff\xe0":
        at += 2 + int.from_bytes(jpeg[4:6], "big")
    segments = b"".join(b"\xff\xe1" + struct.pack(">H", len(c) + 2) + c for c in contents)
    return jpeg[:at] + segments + jpeg[at:]


def png_text(data: bytes, keyword: str, cap: int) -> str | None:
    """The text of the first iTXt or tEXt chunk of this keyword; None when absent, `BadInput` when it exceeds `cap`."""
    key = keyword.encode("latin-1") + b"\0"
    for kind, content in png_chunks(data):
        if kind not in (b"iTXt", b"tEXt") or bytes(content[: len(key)]) != key:
            continue
        body = bytes(content[len(key) :])
        if kind == b"tEXt":
            text: bytes | None = body
        else:
            _, _, rest = body[2:].partition(b"\0")
            _, _, rest = rest.partition(b"\0")
            text = inflated(rest, cap) if body[:1] == b"\x01" else rest
        if text is None or len(text) > cap:
            raise BadInput(f"the text “{keyword}” exceeds {cap} bytes", code="metadata_too_large", limit=cap)
        return text.decode("utf-8", "replace")
    return None


def xmp_text(data: bytes, format: str) -> bytes | None:
    """The JSON record in a file's XMP, or None."""
    return _element(_jpeg_xmp(data) if format == "jpeg" else data)


def _jpeg_xmp(data: bytes) -> bytes:
    main, extension = b"", {}
    for marker, content in jpeg_segments(data):
        if marker != 0xE1:
            continue
        body = bytes(content)
        if body.startswith(_XMP_HEADER):
            main = main or body[len(_XMP_HEADER) :]
        elif body.startswith(_EXTENSION_HEADER):
            at = len(_EXTENSION_HEADER) + 32
            if len(body) >= at + 8:
                extension[struct.unpack_from(">I", body, at + 4)[0]] = body[at + 8 :]
    return main + b"".join(extension[at] for at in sorted(extension))


def _element(data: bytes) -> bytes | None:
    start = data.find(_OPEN)
    if start < 0:
        return None
    start += len(_OPEN)
    end = data.find(_CLOSE, start, start + 2 * MAX_BYTES)
    if end < 0:
        raise BadInput("the provenance record is cut off or too long", code="provenance_invalid", limit=MAX_BYTES)
    return re.sub(rb"&(lt|gt|amp|quot|apos);", lambda m: _ESCAPES[m.group(1)], data[start:end])


def read_record(data: bytes, format: str) -> Provenance | None:
    """The provenance in a file of this format, or None; raises `BadInput` when there is one that cannot be read."""
    text = png_text(data, PNG_KEYWORD, MAX_BYTES) if format == "png" else xmp_text(data, format)
    return None if text is None else read_provenance(text)
