"""From evidence to a yes-or-no subject: GrabCut within the doubtful part, then clean shapes."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from gesso.engines.subject.evidence import Evidence, Guidance
from gesso.imaging.morphology import Bits, closed, filled, opened, touching, without_small

ITERATIONS = 4
MIN_PIXELS = 16
"""Fewer likely pixels than this cannot feed GrabCut's colour models."""
RIM = 2
"""The outermost pixels are held to be background while cutting, so that there is always some."""
SEED = 7
"""GrabCut's k-means draws from OpenCV's own generator, which is set to this before each cut: same input, same cut."""


def cut(rgb: NDArray[np.uint8], evidence: Evidence, guidance: Guidance) -> Bits | None:
    """The subject of `rgb` (H×W×3) as H×W bool, or None when the evidence names no candidate at all."""
    labels = _labels(evidence, guidance)
    likely = (labels == cv2.GC_FGD) | (labels == cv2.GC_PR_FGD)
    if likely.sum() < MIN_PIXELS or likely.all():
        return None
    models = np.zeros((1, 65)), np.zeros((1, 65))
    bgr = np.ascontiguousarray(rgb[:, :, ::-1])
    cv2.setRNGSeed(SEED)
    cv2.grabCut(bgr, labels, None, *models, ITERATIONS, cv2.GC_INIT_WITH_MASK)
    found = (labels == cv2.GC_FGD) | (labels == cv2.GC_PR_FGD)
    found = _to_the_edge(found) & ~guidance.outside
    return found if found.any() else None


def tidied(found: Bits, evidence: Evidence, guidance: Guidance) -> Bits:
    """`found` without specks, threads and pinholes. With points, only what they touch; otherwise what weighs enough."""
    short = min(found.shape)
    clean = opened(found, max(1, round(short / 200)))
    clean = closed(clean, max(1, round(short / 250)))
    if guidance.inside.any():
        clean = touching(clean | guidance.inside, guidance.inside)
    else:
        clean = _weighty(clean, evidence)
    # A hole is kept only where the ground shows through: a handle, the space between legs.
    through = evidence.ground.residual < 2.5
    hole = filled(clean) & ~clean
    keep = touching(hole, opened(hole & through, 2)) if evidence.plain > 0.5 and hole.any() else np.zeros_like(hole)
    solid = (clean | hole) & ~keep
    return without_small(solid & ~guidance.outside, short * short / 4000.0)


def _labels(evidence: Evidence, guidance: Guidance) -> NDArray[np.uint8]:
    score = evidence.score
    low, high = 0.35, 0.92
    middle = 0.5 if evidence.plain > 0.5 else float(np.clip(_otsu(score), 0.3, 0.6))
    labels = np.where(score > middle, cv2.GC_PR_FGD, cv2.GC_PR_BGD).astype(np.uint8)
    if evidence.plain > 0.5:
        labels[score < low * 0.4] = cv2.GC_BGD
        labels[score > high] = cv2.GC_FGD
    labels[guidance.band & (score < middle)] = cv2.GC_PR_BGD
    rim = np.ones_like(guidance.band)
    rim[RIM:-RIM, RIM:-RIM] = False
    labels[rim & guidance.band & (score < middle)] = cv2.GC_BGD
    labels[guidance.outside] = cv2.GC_BGD
    labels[guidance.inside] = cv2.GC_FGD
    return labels


def _to_the_edge(found: Bits) -> Bits:
    """`found` with its state just inside the rim, which was held to be background, continued to the picture's edge."""
    inner = found[RIM:-RIM, RIM:-RIM].view(np.uint8)
    spread = cv2.copyMakeBorder(inner, RIM, RIM, RIM, RIM, cv2.BORDER_REPLICATE).astype(bool)
    whole: Bits = found | spread
    return whole


def _otsu(score: NDArray[np.float32]) -> float:
    level, _ = cv2.threshold(np.rint(score * 255).astype(np.uint8), 0, 255, cv2.THRESH_BINARY | cv2.THRESH_OTSU)
    return float(level) / 255.0


def _weighty(bits: Bits, evidence: Evidence) -> Bits:
    """Components whose summed score is at least a tenth of the heaviest's."""
    count, labels = cv2.connectedComponents(bits.view(np.uint8), connectivity=8)
    if count <= 2:
        return bits
    weight = np.bincount(labels.ravel(), weights=(evidence.score * bits).ravel(), minlength=count)
    weight[0] = 0.0
    kept: Bits = (weight >= 0.1 * weight.max())[labels] & bits
    return kept
