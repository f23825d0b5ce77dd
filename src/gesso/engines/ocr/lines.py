"""From the detector's probability map to quadrilaterals: differentiable binarisation, and the merging of tiles.

Source of the scheme: Liao et al., "Real-time Scene Text Detection with Differentiable Binarization", AAAI 2020. The
network is trained on line cores shrunk by Vatti clipping; a core is grown back by area × ratio / perimeter. For the
rotated rectangles used here that offset has a closed form, so no polygon library is needed.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from gesso.contracts.capabilities import Corners

PIXEL_THRESHOLD = 0.3
"""Probability above which a pixel belongs to a line's core (PP-OCR's setting)."""
LINE_THRESHOLD = 0.5
"""Mean probability inside the contour below which a candidate is dropped at once (PP-OCR's setting for the frame)."""
GROW_RATIO = 1.6
"""PP-OCR's unclip ratio."""
MIN_CORE_PX = 3.0
MAX_LINES = 1000
SAME_LINE_OVERLAP = 0.5
"""Two finds are one line when they share this part of the smaller one."""

Quad = NDArray[np.float32]


@dataclass(frozen=True)
class Line:
    """A found line: 4×2 corners clockwise from its own top left, mean probability of its core, and the core's highest."""

    quad: Quad
    score: float
    peak: float


def lines_of(probability: NDArray[np.float32]) -> list[Line]:
    """All lines in an H×W probability map, in the map's own pixels (continuous: pixel centres at .5)."""
    core = cv2.dilate((probability > PIXEL_THRESHOLD).view(np.uint8), np.ones((2, 2), np.uint8))
    contours = cv2.findContours(core, cv2.RETR_LIST, cv2.CHAIN_APPROX_SIMPLE)[0]
    out = []
    for contour in contours[:MAX_LINES]:
        centre, (side_a, side_b), angle = cv2.minAreaRect(contour)
        if min(side_a, side_b) < MIN_CORE_PX:
            continue
        score, peak = _score(probability, contour)
        if score < LINE_THRESHOLD:
            continue
        grow = GROW_RATIO * side_a * side_b / (side_a + side_b)
        box = cv2.boxPoints((centre, (side_a + grow, side_b + grow), angle))
        out.append(Line(clockwise(box), score, peak))
    return out


def clockwise(points: Quad) -> Quad:
    """The four corners in reading order: top left, top right, bottom right, bottom left of the line's own frame.

    The longer side is taken as the line's direction unless the box is nearly upright and tall (one short word, or
    vertical text), where the picture's horizontal is.
    """
    by_x = points[np.argsort(points[:, 0], kind="stable")]
    top_left, bottom_left = by_x[:2][np.argsort(by_x[:2, 1], kind="stable")]
    top_right, bottom_right = by_x[2:][np.argsort(by_x[2:, 1], kind="stable")]
    return np.array([top_left, top_right, bottom_right, bottom_left], np.float32)


def sides(quad: Quad) -> tuple[float, float]:
    """(length along the top, length along the left) in pixels."""
    return float(np.linalg.norm(quad[1] - quad[0])), float(np.linalg.norm(quad[3] - quad[0]))


def text_height(quad: Quad) -> float:
    """The shorter side: the height of the line whatever its direction."""
    return min(sides(quad))


def merged(lines: list[Line]) -> list[Line]:
    """Finds of overlapping tiles as one list: of two that cover each other the longer one stays, with the better score.

    Pieces of one line that meet end to end across a tile border are united into their common rectangle.
    """
    kept: list[Line] = []
    for line in sorted(lines, key=lambda item: -cv2.contourArea(item.quad)):
        for index, other in enumerate(kept):
            area = max(1.0, min(cv2.contourArea(line.quad), cv2.contourArea(other.quad)))
            shared = cv2.intersectConvexConvex(line.quad, other.quad)[0] / area
            if shared >= SAME_LINE_OVERLAP:
                kept[index] = Line(other.quad, max(line.score, other.score), max(line.peak, other.peak))
                break
            if shared > 0 and _collinear(line.quad, other.quad):
                joint = cv2.boxPoints(cv2.minAreaRect(np.concatenate([line.quad, other.quad])))
                kept[index] = Line(clockwise(joint), max(line.score, other.score), max(line.peak, other.peak))
                break
        else:
            kept.append(line)
    return kept


def corners_of(quad: Quad) -> Corners:
    """The quad as plain numbers."""
    a, b, c, d = ((round(float(x), 2), round(float(y), 2)) for x, y in quad)
    return (a, b, c, d)


def _collinear(first: Quad, second: Quad) -> bool:
    """Whether two overlapping quads have like heights and directions and lie on one axis."""
    tall, other = text_height(first), text_height(second)
    if max(tall, other) > 1.5 * min(tall, other):
        return False
    axis = first[1] - first[0]
    length = float(np.linalg.norm(axis))
    turn = second[1] - second[0]
    if length == 0 or abs(float(axis[0] * turn[1] - axis[1] * turn[0])) > 0.1 * length * float(np.linalg.norm(turn)):
        return False
    between = second.mean(axis=0) - first.mean(axis=0)
    off = abs(float(axis[0] * between[1] - axis[1] * between[0])) / length
    return off < 0.3 * min(tall, other)


def _score(probability: NDArray[np.float32], contour: NDArray[np.int32]) -> tuple[float, float]:
    """Mean and highest probability inside the contour itself: its frame would dilute lines that are not straight."""
    x, y, width, height = cv2.boundingRect(contour)
    inside = np.zeros((height, width), np.uint8)
    cv2.drawContours(inside, [contour], 0, 1, -1, offset=(-x, -y))
    part = probability[y : y + height, x : x + width]
    mean: float = cv2.mean(part, inside)[0]
    peak: float = cv2.minMaxLoc(part, inside)[1]
    return mean, peak
