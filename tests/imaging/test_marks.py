from __future__ import annotations

import struct
import zlib

import numpy as np
import pytest

from gesso.contracts.errors import BadImage
from gesso.contracts.limits import Limits
from gesso.contracts.picture import Picture
from gesso.contracts.provenance import Provenance
from gesso.imaging.encode import encode_picture
from gesso.imaging.marks import MAX_EXCERPT, MAX_TEXTS, Marks, read_marks
from tests.imaging import corpus
from tests.imaging.corpus import chunk, saved, with_chunks

RECORD = Provenance(gesso="0.1.0", created="2026-01-01T00:00:00Z")
PNG = saved(corpus.corners())
JPEG = saved(corpus.corners(), "JPEG")


def marks(data: bytes) -> Marks:
    return read_marks(data, Limits())


def segment(marker: int, content: bytes) -> bytes:
    return JPEG[:2] + bytes([0xFF, marker]) + struct.pack(">H", len(content) + 2) + content + JPEG[2:]


def test_a_plain_file_has_none() -> None:
    found = marks(PNG)
    assert found.as_json() == {
        "format": "png", "width": 48, "height": 32, "frames": 1, "bytes": len(PNG), "gesso": False, "gesso_error": "",
        "tools": [], "texts": {}, "c2pa": False, "xmp": False, "digital_source_type": "",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("keyword", "tool"),
    [("parameters", "a1111"), ("prompt", "comfyui"), ("workflow", "comfyui"), ("invokeai_metadata", "invokeai")],
)
@pytest.mark.parametrize("kind", [b"tEXt", b"zTXt", b"iTXt"])
def test_other_tools_in_png(keyword: str, tool: str, kind: bytes) -> None:
    key, text = keyword.encode(), b'{"a": 1}'
    body = {
        b"tEXt": key + b"\0" + text,
        b"zTXt": key + b"\0\0" + zlib.compress(text),
        b"iTXt": key + b"\0\x01\0\0\0" + zlib.compress(text),
    }[kind]
    found = marks(with_chunks(PNG, chunk(kind, body)))
    assert found.tools == (tool,)
    assert dict(found.texts) == {keyword: '{"a": 1}'}


def test_other_tools_in_exif() -> None:
    text = b"UNICODE\0" + "cat\nNegative prompt: dog".encode("utf-16-le")
    assert marks(segment(0xE1, b"Exif\0\0" + text)).tools == ("a1111",)


@pytest.mark.parametrize("format", ["png", "jpg", "webp", "avif", "tif"])
def test_our_record(format: str) -> None:
    picture = Picture(corpus.photograph())
    assert marks(encode_picture(picture, format, provenance=RECORD, quality=None)).record
    found = marks(encode_picture(picture, format, provenance=None, quality=None))
    assert not found.record
    assert not found.xmp


def test_a_broken_record_is_said() -> None:
    found = marks(with_chunks(PNG, chunk(b"iTXt", b"gesso:provenance\0\0\0\0\0{")))
    assert found.record
    assert "JSON" in found.record_error


def test_c2pa_is_seen() -> None:
    assert marks(with_chunks(PNG, chunk(b"caBX", b"\0\0\0\x10jumb"))).c2pa
    assert marks(segment(0xEB, b"JP\0\x01\0\0\0\x01\0\0\0\x40jumb\0\0\0\x1ejumdc2pa")).c2pa
    assert not marks(segment(0xEB, b"JP something else")).c2pa
    webp = saved(corpus.corners(), "WEBP")
    assert marks(webp[:4] + struct.pack("<I", len(webp)) + webp[8:] + b"C2PA\0\0\0\0").c2pa
    avif = saved(corpus.corners(), "AVIF")
    box = bytes.fromhex("d8fec3d61b0e483c92975828877ec481") + bytes(8)
    assert marks(avif + struct.pack(">I4s", 8 + len(box), b"uuid") + box).c2pa
    assert not marks(avif).c2pa


def test_source_type_in_xmp() -> None:
    uri = "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia"
    for inner in (
        f'<rdf:Description Iptc4xmpExt:DigitalSourceType="{uri}"/>',
        f"<Iptc4xmpExt:DigitalSourceType>{uri}</Iptc4xmpExt:DigitalSourceType>",
    ):
        packet = f'<x:xmpmeta xmlns:x="adobe:ns:meta/">{inner}</x:xmpmeta>'.encode()
        found = marks(segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0" + packet))
        assert (found.xmp, found.source_type) == (True, uri)


def test_what_is_shown_is_capped() -> None:
    many = b"".join(chunk(b"tEXt", f"key{n}\0{'x' * 5000}".encode()) for n in range(500))
    found = marks(with_chunks(PNG, many))
    assert len(found.texts) == MAX_TEXTS
    assert all(len(text) <= MAX_EXCERPT for _, text in found.texts)
    bomb = chunk(b"zTXt", b"parameters\0\0" + zlib.compress(bytes(3_000_000)))
    assert dict(marks(with_chunks(PNG, bomb)).texts) == {"parameters": "(long)"}
    with pytest.raises(BadImage):
        marks(corpus.text_bomb())


def test_what_is_no_picture_is_refused() -> None:
    with pytest.raises(BadImage):
        marks(b"<html></html>")
    with pytest.raises(BadImage):
        marks(np.zeros(10, np.uint8).tobytes())
