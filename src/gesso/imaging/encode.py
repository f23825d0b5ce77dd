"""Pictures and masks to the bytes of a file, tagged sRGB, with provenance."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from typing import Any

import numpy as np
from PIL import Image

from gesso.contracts.errors import BadInput
from gesso.contracts.mask import Mask
from gesso.contracts.picture import Picture
from gesso.contracts.provenance import Provenance
from gesso.imaging.colour import srgb_profile
from gesso.imaging.metadata import PNG_KEYWORD, jpeg_with_xmp, xmp_packet
from gesso.imaging.png import encode_png, packed_plane
from gesso.imaging.tiff import encode_tiff

DEFAULT_QUALITY = {"jpeg": 92, "webp": 90, "avif": 80}
FULL_CHROMA_FROM = 90
"""JPEG quality from which colour is kept at full resolution (4:4:4)."""
LARGEST_SIDE = {"jpeg": 65500, "webp": 16383, "avif": 32768}
"""libjpeg's JPEG_MAX_DIMENSION, WebP's 14 bits, and libavif's default limit for reading."""
SUFFIXES = {"png": "png", "jpg": "jpeg", "jpeg": "jpeg", "webp": "webp", "avif": "avif", "tif": "tiff", "tiff": "tiff"}
MASK_KEYWORD = "gesso:mask"
CONFIDENCE_CHUNK = b"gsCf"
"""Private, ancillary, not safe to copy: the confidence plane of a mask, packed like image data (16-bit gray)."""


def encode_picture(picture: Picture, format: str, *, provenance: Provenance | None, quality: int | None) -> bytes:
    """`picture` as a file; raises `BadInput`.

    Codes: format_not_writable, quality_out_of_range, alpha_not_supported, depth_not_supported, side_too_long.
    """
    name = SUFFIXES.get(format.lower().removeprefix("."))
    if name is None:
        raise BadInput(
            f"Gesso does not write {format!r} files",
            code="format_not_writable",
            hint="use " + ", ".join(SUFFIXES),
            field="format",
        )
    if quality is not None and not 1 <= quality <= 100:
        raise BadInput("quality runs from 1 to 100", code="quality_out_of_range", field="quality", limit="1…100")
    record = "" if provenance is None else provenance.model_dump_json()
    if name == "png":
        return encode_png(picture.pixels, [(PNG_KEYWORD, record)] if record else ())
    if name == "tiff":
        return encode_tiff(picture.pixels, icc=srgb_profile(), xmp=xmp_packet(record) if record else b"")
    if max(picture.size) > LARGEST_SIDE[name]:
        raise BadInput(
            f"{name.upper()} holds at most {LARGEST_SIDE[name]} pixels a side, the picture is {picture.width}×{picture.height}",
            code="side_too_long",
            hint="write PNG or TIFF",
            field="format",
            limit=LARGEST_SIDE[name],
        )
    if picture.bit_depth == 16:
        raise BadInput(
            f"{name.upper()} holds 8 bits a channel, the picture has 16",
            code="depth_not_supported",
            hint="write PNG or TIFF, or reduce the picture to 8 bits first",
            field="format",
        )
    return _WRITERS[name](picture.pixels, DEFAULT_QUALITY[name] if quality is None else quality, record)


def encode_mask_png(mask: Mask) -> bytes:
    """Coverage as a 16-bit gray PNG; maker, lineage and confidence in a text, an uneven confidence in an own chunk."""
    coverage = _sixteen(mask.coverage)[:, :, None]
    confidence = _sixteen(mask.confidence)
    even = bool((confidence == confidence.flat[0]).all())
    facts: dict[str, Any] = {"made_by": mask.made_by, "lineage": list(mask.lineage)}
    facts["confidence"] = int(confidence.flat[0]) if even else CONFIDENCE_CHUNK.decode()
    chunks = [] if even else [(CONFIDENCE_CHUNK, packed_plane(confidence))]
    return encode_png(coverage, [(MASK_KEYWORD, json.dumps(facts))], chunks)


def _sixteen(plane: Any) -> Any:
    return np.rint(plane * np.float32(65535)).astype(np.uint16)


def _jpeg(pixels: Any, quality: int, record: str) -> bytes:
    if pixels.shape[2] == 4:
        if not (pixels[:, :, 3] == 255).all():
            raise BadInput(
                "JPEG has no transparency, and the picture has some",
                code="alpha_not_supported",
                hint="write PNG, WebP, AVIF or TIFF, or put the picture on a background first",
                field="format",
            )
        pixels = pixels[:, :, :3]
    out = io.BytesIO()
    subsampling = "4:4:4" if quality >= FULL_CHROMA_FROM else "4:2:0"
    image = Image.fromarray(np.ascontiguousarray(pixels))
    image.save(out, "JPEG", quality=quality, subsampling=subsampling, icc_profile=srgb_profile())
    return jpeg_with_xmp(out.getvalue(), record) if record else out.getvalue()


def _webp(pixels: Any, quality: int, record: str) -> bytes:
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, "WEBP", quality=quality, exact=True, icc_profile=srgb_profile(), xmp=_xmp(record))
    return out.getvalue()


def _avif(pixels: Any, quality: int, record: str) -> bytes:
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, "AVIF", quality=quality, speed=6, icc_profile=srgb_profile(), xmp=_xmp(record))
    return out.getvalue()


def _xmp(record: str) -> bytes:
    return xmp_packet(record) if record else b""


_WRITERS: dict[str, Callable[[Any, int, str], bytes]] = {"jpeg": _jpeg, "webp": _webp, "avif": _avif}
