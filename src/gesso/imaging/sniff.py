"""Which of the allowed formats a file is, by its first bytes. File names and declared types are never believed."""

from __future__ import annotations

from gesso.contracts.errors import BadImage

ALLOWED = ("png", "jpeg", "webp", "avif", "gif", "tiff", "heic")
"""Research B2 rule 1. Most of Pillow's vulnerabilities are in other formats, so nothing else is ever opened."""

SIGNATURE_BYTES = 8
"""A file shorter than this cannot hold any allowed format's signature."""

_AVIF_BRANDS = (b"avif", b"avis")
_HEIC_BRANDS = (b"heic", b"heix", b"hevc", b"hevx", b"heim", b"heis", b"mif1", b"msf1")

_FOREIGN = (
    (b"%!PS", "EPS or PostScript"),
    (b"\xc5\xd0\xd3\xc6", "EPS"),
    (b"8BPS", "Photoshop PSD"),
    (b"%PDF", "PDF"),
    (b"SIMPLE", "FITS"),
    (b"\x00\x00\x00\x0cjP  ", "JPEG 2000"),
    (b"\xff\x4f\xff\x51", "JPEG 2000"),
    (b"BM", "BMP"),
    (b"PK\x03\x04", "ZIP"),
    (b"\x00\x00\x01\x00", "ICO"),
    (b"\xff\x0a", "JPEG XL"),
    (b"\x00\x00\x00\x0cJXL ", "JPEG XL"),
    (b"\x1f\x8b", "gzip"),
)
"""Names for the refusal only; nothing is decided by them."""


def sniff(data: bytes | memoryview) -> str:
    """The format (an entry of `ALLOWED`) of a file's bytes; raises `BadImage` (image_empty, format_not_allowed)."""
    head = bytes(data[:64])
    if len(head) < SIGNATURE_BYTES:
        raise BadImage(
            f"the file holds {len(head)} bytes, too few for a picture",
            code="image_empty",
            hint="the file may not have been copied completely",
            limit=SIGNATURE_BYTES,
        )
    found = _known(head)
    if found:
        return found
    raise BadImage(
        f"this is not a picture in an allowed format ({_foreign(head)})",
        code="format_not_allowed",
        hint="use PNG, JPEG, WebP, AVIF, GIF, TIFF or HEIC; the content counts, not the file's name",
        limit=", ".join(ALLOWED),
    )


def _known(head: bytes) -> str:
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return "png"
    if head.startswith(b"\xff\xd8\xff"):
        return "jpeg"
    if head.startswith((b"GIF87a", b"GIF89a")):
        return "gif"
    if head.startswith((b"II*\x00", b"MM\x00*", b"II+\x00", b"MM\x00+")):
        return "tiff"
    if head.startswith(b"RIFF") and head[8:12] == b"WEBP":
        return "webp"
    if head[4:8] == b"ftyp":
        size = min(int.from_bytes(head[:4], "big"), len(head))
        brands = [head[8:12], *(head[i : i + 4] for i in range(16, size - 3, 4))]
        if any(brand in _AVIF_BRANDS for brand in brands):
            return "avif"
        if any(brand in _HEIC_BRANDS for brand in brands):
            return "heic"
    return ""


def _foreign(head: bytes) -> str:
    for magic, name in _FOREIGN:
        if head.startswith(magic):
            return f"it looks like {name}"
    text = head.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if text.startswith((b"<svg", b"<?xml")):
        return "it looks like SVG or XML"
    if text.startswith((b"<!doctype", b"<html", b"<script")):
        return "it looks like HTML"
    return "its first bytes are not known"
