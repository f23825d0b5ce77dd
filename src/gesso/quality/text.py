"""Residual text: whether a fresh detection still finds lines, in the whole picture or where an edit was made."""

from __future__ import annotations

from collections.abc import Mapping

import cv2
import numpy as np

from gesso.contracts.capabilities import Corners, TextDetector, TextRegion
from gesso.contracts.gate import Evidence, Gate, Measurement
from gesso.contracts.geometry import Box
from gesso.contracts.mask import Mask
from gesso.contracts.picture import Picture

CONFIDENCE = 0.5
"""From here on a find counts as text."""
SHARED = 0.2
"""A find belongs to an edit, or to another line, when they share this part of the smaller one."""
CONTEXT_PX = 24
"""Surroundings of an edited area that the detector sees as well."""


def overlap(first: Corners, second: Corners) -> float:
    """Area two quadrilaterals share, as part of the smaller one: 0…1."""
    one, two = (cv2.convexHull(np.array(corners, np.float32)) for corners in (first, second))
    smaller = min(cv2.contourArea(one), cv2.contourArea(two))
    if smaller <= 0:
        return 0.0
    return min(1.0, float(cv2.intersectConvexConvex(one, two)[0]) / smaller)


def residual_lines(
    detector: TextDetector, picture: Picture, *, within: Box | None = None, confidence: float = CONFIDENCE
) -> tuple[TextRegion, ...]:
    """Lines a fresh detection finds in `picture`, or in the box `within` only, at least as sure as `confidence`."""
    return tuple(r for r in detector.detect_text(picture, within=within) if r.confidence >= confidence)


def surest_at(found: tuple[TextRegion, ...], lines: Mapping[int, Corners]) -> dict[int, TextRegion]:
    """For every key of `lines` at whose quadrilateral something was found, the surest find."""
    out: dict[int, TextRegion] = {}
    for region in sorted(found, key=lambda r: r.confidence):
        out.update({key: region for key, corners in lines.items() if overlap(region.corners, corners) >= SHARED})
    return out


def touches(region: TextRegion, mask: Mask) -> bool:
    """Whether the mask covers `SHARED` of the region's frame, or the frame holds that share of the whole mask."""
    corners = np.array(region.corners, np.float32)
    low = np.maximum(np.floor(corners.min(axis=0)), 0).astype(int)
    high = np.minimum(np.ceil(corners.max(axis=0)).astype(int) + 1, (mask.width, mask.height))
    if (high <= low).any():
        return False
    frame = np.zeros((high[1] - low[1], high[0] - low[0]), np.uint8)
    cv2.fillConvexPoly(frame, np.rint(corners - low).astype(np.int32), 1)
    inside = mask.touched[low[1] : high[1], low[0] : high[0]] & frame.view(bool)
    return bool(inside.sum() >= SHARED * max(1, min(int(frame.sum()), int(mask.touched.sum()))))


def _measure(evidence: Evidence) -> Measurement | None:
    detector = evidence.tools.find(TextDetector)
    if detector is None:
        return None
    mask, picture = evidence.mask, evidence.after
    if mask is None:
        found = residual_lines(detector, picture)
        return Measurement(float(len(found)), _named(found, "in the picture"))
    if (mask.width, mask.height) != picture.size:
        return None
    box = mask.box
    if box is None:
        return Measurement(0.0, "nothing was edited")
    near = residual_lines(detector, picture, within=box.grown(CONTEXT_PX, *picture.size))
    found = tuple(r for r in near if touches(r, mask))
    return Measurement(float(len(found)), _named(found, "where the picture was edited"))


def _named(found: tuple[TextRegion, ...], where: str) -> str:
    if not found:
        return f"no text {where}"
    return f"{len(found)} line{'s' * (len(found) > 1)} of text {where}, surest {max(r.confidence for r in found):.2f}"


RESIDUAL_TEXT = Gate(
    id="residual_text",
    title="Residual text",
    summary="Lines of text that a fresh detection finds, in the picture or, with a mask, where it was edited.",
    unit="lines",
    better="lower",
    limit=0.0,
    measure=_measure,
    needs=(TextDetector,),
)
