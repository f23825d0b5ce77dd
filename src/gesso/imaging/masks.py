"""Masks from decoded pictures and arrays, and from the files that `encode.encode_mask_png` writes."""

from __future__ import annotations

import json
from typing import Any

import numpy as np

from gesso.contracts.errors import BadImage, BadInput
from gesso.contracts.mask import Mask
from gesso.imaging.chunks import png_chunks
from gesso.imaging.encode import CONFIDENCE_CHUNK, MASK_KEYWORD
from gesso.imaging.metadata import png_text
from gesso.imaging.normalise import Array
from gesso.imaging.png import unpacked_plane

MAX_FACTS = 64 * 1024
"""Bytes of a mask file's facts (maker and lineage) that are read."""
MAX_NAME = 200
MAX_LINEAGE = 1000

_LUMA_THOUSANDTHS = (299, 587, 114)


def coverage_of(pixels: Array) -> Array:
    """H×W float32 in 0…1 of an H×W×C array: white is covered, alpha multiplies."""
    full = np.float32(np.iinfo(pixels.dtype).max)
    coverage: Array = _gray(pixels).astype(np.float32)
    coverage /= full
    if pixels.shape[2] in (2, 4):
        coverage *= pixels[:, :, -1].astype(np.float32) / full
    return coverage


def _gray(pixels: Array) -> Array:
    """H×W of the colour channels: the channel itself where all are equal, else ITU-R BT.601 luma."""
    first = pixels[:, :, 0]
    if pixels.shape[2] < 3 or all(bool((first == pixels[:, :, i]).all()) for i in (1, 2)):
        return first
    gray = np.zeros(first.shape, np.uint32)
    for i, weight in enumerate(_LUMA_THOUSANDTHS):
        gray += pixels[:, :, i].astype(np.uint32) * np.uint32(weight)
    return (gray + 500) // 1000


def with_facts(coverage: Array, data: bytes) -> Mask:
    """The mask of a PNG file's coverage, with maker, lineage and confidence where `data` is a file of ours.

    The facts are untrusted: what is not of the right shape counts as absent.
    """
    height, width = coverage.shape
    facts = _facts(data)
    if facts is None:
        return Mask.of(coverage)
    sure = facts.get("confidence")
    confidence: Any = np.float32(1.0)
    if isinstance(sure, int) and 0 <= sure <= 65535:
        confidence = np.float32(sure) / np.float32(65535)
    elif sure == CONFIDENCE_CHUNK.decode():
        plane = next(
            (unpacked_plane(c, width, height) for kind, c in png_chunks(data) if kind == CONFIDENCE_CHUNK), None
        )
        if plane is not None:
            confidence = plane
    lineage = facts.get("lineage")
    hashes = tuple(str(h)[:MAX_NAME] for h in lineage[:MAX_LINEAGE]) if isinstance(lineage, list) else ()
    return Mask.of(coverage, confidence, made_by=str(facts.get("made_by", "user"))[:MAX_NAME], lineage=hashes)


def _facts(data: bytes) -> dict[str, Any] | None:
    try:
        text = png_text(data, MASK_KEYWORD, MAX_FACTS)
        facts = None if text is None else json.loads(text)
    except (BadInput, ValueError, RecursionError):
        return None
    return facts if isinstance(facts, dict) else None


def checked(mask: Mask, size: tuple[int, int] | None) -> Mask:
    """`mask` itself; raises `BadImage` (mask_size, mask_empty)."""
    found = (mask.width, mask.height)
    if size is not None and found != size:
        raise BadImage(
            f"the mask is {found[0]}×{found[1]}, the picture {size[0]}×{size[1]}",
            code="mask_size",
            hint="make the mask at the picture's size (after EXIF rotation); Gesso never resizes a mask",
            field="mask",
            limit=f"{size[0]}×{size[1]}",
        )
    if mask.is_empty:
        raise BadImage(
            "the mask covers nothing",
            code="mask_empty",
            hint="white means covered, black and transparent mean not; invert the mask if it is the other way round",
            field="mask",
        )
    return mask
