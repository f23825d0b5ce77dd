"""Finds the subject of a picture without any weights, and what a box or points name."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from gesso.contracts.capabilities import Subject
from gesso.contracts.engine import EngineInfo
from gesso.contracts.geometry import Box, Point
from gesso.contracts.mask import Mask, Plane
from gesso.contracts.picture import Picture
from gesso.engines.subject.confidence import confidence_of, traits_of
from gesso.engines.subject.cut import cut, tidied
from gesso.engines.subject.evidence import Evidence, Guidance, gather, lab_of
from gesso.imaging.compose import box_of, placed
from gesso.imaging.morphology import Bits

WORK_SIDE = 448
"""Longest side of the picture that is worked on: GrabCut there takes well under a second."""
BAND_SHARE = 0.04
"""Width of the border band taken as background evidence, as a share of the shorter side."""
NOTHING_BELOW = 0.3
"""An unguided cut of lower confidence is reported as nothing found."""
POINTED_WELL = 0.4
"""A pointed cut of lower confidence is tried again in smaller windows around the points."""
ZOOM_BELOW = 0.4
"""A subject smaller than this share of the window, in both directions, is cut again from a closer view."""
STEADY_SIDE = 320
"""Longest side at which a find is looked for once more to see whether it is steady."""
STEADY_FROM, STEADY_TO = 0.6, 0.9
"""A find that other views confirm this poorly is chance, this well is certain (intersection over union of the cuts)."""
FITS = 0.8
"""A cut that fills the user's box this well is taken as it is."""
SMALLEST_SIDE = 16
"""Pictures narrower than this hold nothing that could be told from their ground."""


@dataclass(frozen=True)
class _View:
    """A cut inside ``window`` of the picture, at working size."""

    window: Box
    bits: Bits
    confidence: float

    @property
    def extent(self) -> Box:
        """The box around the cut, in pixels of the picture."""
        found = box_of(self.bits.astype(np.float32))
        assert found is not None
        fx, fy = self.window.width / self.bits.shape[1], self.window.height / self.bits.shape[0]
        return Box(
            x0=self.window.x0 + int(found.x0 * fx),
            y0=self.window.y0 + int(found.y0 * fy),
            x1=self.window.x0 + min(self.window.width, int(np.ceil(found.x1 * fx))),
            y1=self.window.y0 + min(self.window.height, int(np.ceil(found.y1 * fy))),
        )

    def on(self, width: int, height: int) -> Plane:
        """The coverage on the whole picture; borders are soft over about one working pixel."""
        soft = cv2.GaussianBlur(self.bits.astype(np.float32), (0, 0), 0.6)
        size = (self.window.width, self.window.height)
        plane = np.clip(cv2.resize(soft, size, interpolation=cv2.INTER_LINEAR), 0.0, 1.0)
        plane[plane < 0.02] = 0.0
        return placed(plane, self.window, width, height)


class GuidedCutFinder:
    """A `SubjectFinder` from classical means: background field, barrier distance, colour rarity, GrabCut.

    It is at its best on plain and softly graded grounds (product photographs), fair on one object before a blurred or
    textured ground, and needs a box or points on crowded scenes. ``confidence`` is computed from the cut itself (see
    `gesso.engines.subject.confidence`) and, unguided, from how steadily slightly other views of the picture confirm it;
    unguided cuts of low confidence are answered with None. Deterministic, thread-safe, about 1–6 s on one core whatever
    the picture's size.
    """

    @property
    def info(self) -> EngineInfo:
        """Identity for provenance."""
        return EngineInfo(
            id="guided-cut",
            version=2,
            title="Subject finder by background field, barrier distance and GrabCut",
            libraries=(f"opencv-contrib-python-headless {cv2.__version__}",),
        )

    def find_subject(
        self, picture: Picture, *, box: Box | None = None, points: tuple[Point, ...] = ()
    ) -> Subject | None:
        """See `SubjectFinder`. Raises `BadInput` for a box or points outside the picture."""
        box = None if box is None else box.clipped(picture.width, picture.height)
        points = tuple(p.inside(picture.width, picture.height) for p in points)
        whole = Box(x0=0, y0=0, x1=picture.width, y1=picture.height)
        guided = box is not None or any(p.label for p in points)
        window = _window(box, points, picture) if box else whole
        view = _look(picture, window, box, points)
        if box is None and any(p.label for p in points):
            view = _narrowed(picture, view, points)
        if view is None or (not guided and view.confidence < NOTHING_BELOW):
            return None
        view = _closer(picture, view, points)
        if not guided:
            view = replace(view, confidence=view.confidence * _steadiness(picture, view))
            if view.confidence < NOTHING_BELOW:
                return None
        plane = view.on(picture.width, picture.height)
        lineage = (picture.sha256,)
        return Subject(Mask.of(plane, view.confidence, made_by=self.info.id, lineage=lineage), view.confidence)


def _steadiness(picture: Picture, view: _View) -> float:
    """How well slightly other views of its window confirm the find, 0…1.

    A subject stays what it is when the margins around it are trimmed or the grain is blurred away; what chance arranged out
    of a texture or a crowded scene does not. The worst of three views counts; the first clear no ends the search.
    """
    exact, full = view.extent, view.window
    left, top, right, bottom = exact.x0 - full.x0, exact.y0 - full.y0, full.x1 - exact.x1, full.y1 - exact.y1
    closer = Box(x0=full.x0 + left // 2, y0=full.y0 + top // 2, x1=full.x1 - right // 2, y1=full.y1 - bottom // 2)
    askew = Box(x0=full.x0, y0=full.y0 + round(0.7 * top), x1=full.x1 - round(0.7 * right), y1=full.y1)
    small, _ = _reduced(picture, full, STEADY_SIDE)
    worst = 1.0
    for seen, window in ((picture, closer), (picture, askew), (_blurred(small), None)):
        part = window or Box(x0=0, y0=0, x1=seen.width, y1=seen.height)
        again = _look(seen, part, None, (), STEADY_SIDE)
        if again is not None and window is None:
            again = replace(again, window=full)
        worst = min(worst, 0.0 if again is None else _agreement(view, again))
        if worst <= STEADY_FROM:
            return 0.0
    return min(1.0, (worst - STEADY_FROM) / (STEADY_TO - STEADY_FROM))


def _blurred(rgb: NDArray[np.uint8]) -> Picture:
    return Picture(cv2.GaussianBlur(rgb, (0, 0), max(0.8, 0.004 * max(rgb.shape[:2]))))


def _look(
    picture: Picture, window: Box, box: Box | None, points: tuple[Point, ...], side: int = WORK_SIDE
) -> _View | None:
    """The cut inside `window`, worked on at `side` pixels, or None when nothing is a candidate there."""
    rgb, scale = _reduced(picture, window, side)
    if min(rgb.shape[:2]) < SMALLEST_SIDE:
        return None
    guidance = _guidance(rgb.shape[1], rgb.shape[0], scale, window, box, points)
    lab = lab_of(rgb)
    evidence = gather(lab, guidance)
    view = _cut(rgb, lab, evidence, guidance, window, box)
    if box is None or (view is not None and _fit(view, box) > FITS):
        return view
    # What is in a box fills it: where the evidence alone led elsewhere, start from the whole box instead.
    assumed = np.where(guidance.outside, np.float32(0.0), 0.55 + 0.45 * evidence.score).astype(np.float32)
    other = _cut(rgb, lab, replace(evidence, score=assumed), guidance, window, box)
    both = [v for v in (view, other) if v is not None]
    return max(both, key=lambda v: v.confidence * _fit(v, box), default=None)


def _cut(
    rgb: NDArray[np.uint8],
    lab: NDArray[np.float32],
    evidence: Evidence,
    guidance: Guidance,
    window: Box,
    box: Box | None,
) -> _View | None:
    raw = cut(rgb, evidence, guidance)
    if raw is None:
        return None
    clean = tidied(raw, evidence, guidance)
    if not clean.any() or clean.all():
        return None
    return _View(window, clean, confidence_of(traits_of(lab, raw, clean), bounded=box is not None))


def _fit(view: _View, box: Box) -> float:
    """How well the cut's extent fills `box`: intersection over union of the two rectangles (Lempitsky et al., ICCV 2009)."""
    found = view.extent
    width = max(0, min(found.x1, box.x1) - max(found.x0, box.x0))
    height = max(0, min(found.y1, box.y1) - max(found.y0, box.y0))
    common = width * height
    return common / (found.width * found.height + box.width * box.height - common)


def _closer(picture: Picture, view: _View, points: tuple[Point, ...]) -> _View:
    """`view`, or the same subject cut again from a crop around it, when it fills little of the window."""
    exact, window = view.extent, view.window
    if exact.width > ZOOM_BELOW * window.width or exact.height > ZOOM_BELOW * window.height:
        return view
    if max(window.width, window.height) <= WORK_SIDE:
        return view
    window = exact.grown(round(0.4 * max(exact.width, exact.height)), picture.width, picture.height)
    near = _look(picture, window, None, tuple(p for p in points if _holds(window, p)))
    if near is None or near.confidence < 0.8 * view.confidence or _agreement(view, near) < 0.6:
        return view
    return near


def _narrowed(picture: Picture, view: _View | None, points: tuple[Point, ...]) -> _View | None:
    """The first convincing view out of ever smaller windows around the points, or the best of all."""
    best = view
    side = max(picture.width, picture.height)
    while (best is None or best.confidence < POINTED_WELL) and side > WORK_SIDE // 3:
        side //= 2
        window = _around(tuple(p for p in points if p.label), side, picture)
        trial = _look(picture, window, None, tuple(p for p in points if _holds(window, p)))
        if trial is not None and (best is None or trial.confidence > best.confidence):
            best = trial
    return best


def _agreement(first: _View, second: _View) -> float:
    """Overlap of two cuts over the second one's window: intersection over union."""
    window = second.window
    height, width = second.bits.shape
    fx, fy = first.bits.shape[1] / first.window.width, first.bits.shape[0] / first.window.height
    xs = ((np.arange(width) + 0.5) * window.width / width + window.x0 - first.window.x0) * fx
    ys = ((np.arange(height) + 0.5) * window.height / height + window.y0 - first.window.y0) * fy
    columns = np.clip(xs.astype(int), 0, first.bits.shape[1] - 1)
    rows = np.clip(ys.astype(int), 0, first.bits.shape[0] - 1)
    same = first.bits[np.ix_(rows, columns)]
    return float((same & second.bits).sum() / max(1, (same | second.bits).sum()))


def _guidance(
    width: int, height: int, scale: tuple[float, float], window: Box, box: Box | None, points: tuple[Point, ...]
) -> Guidance:
    """Guidance at working size (width × height), `scale` working pixels per picture pixel in x and y."""
    band_px = max(3, round(BAND_SHARE * min(width, height)))
    band = np.ones((height, width), bool)
    band[band_px:-band_px, band_px:-band_px] = False
    outside = np.zeros_like(band)
    if box is not None:
        outside = np.ones_like(band)
        x0, x1 = (round((v - window.x0) * scale[0]) for v in (box.x0, box.x1))
        y0, y1 = (round((v - window.y0) * scale[1]) for v in (box.y0, box.y1))
        outside[y0 : max(y1, y0 + 1), x0 : max(x1, x0 + 1)] = False
        if outside.mean() > 0.02:
            band = outside
    inside = np.zeros_like(band)
    radius = max(2, round(0.008 * min(width, height)))
    for target, label in ((inside, 1), (outside, 0)):
        canvas = target.astype(np.uint8)
        for p in points:
            if p.label == label:
                at = (int((p.x - window.x0 + 0.5) * scale[0]), int((p.y - window.y0 + 0.5) * scale[1]))
                cv2.circle(canvas, at, radius, 1, -1)
        target[...] = canvas.astype(bool)
    outside &= ~inside
    return Guidance(band & ~inside, inside, outside, band_px)


def _window(box: Box, points: tuple[Point, ...], picture: Picture) -> Box:
    """The box with a margin of background around it, and every point."""
    margin = max(8, round(0.15 * max(box.width, box.height)))
    grown = box.grown(margin, picture.width, picture.height)
    xs = [grown.x0, grown.x1 - 1, *(p.x for p in points)]
    ys = [grown.y0, grown.y1 - 1, *(p.y for p in points)]
    return Box(x0=min(xs), y0=min(ys), x1=max(xs) + 1, y1=max(ys) + 1)


def _around(points: tuple[Point, ...], side: int, picture: Picture) -> Box:
    """A square of `side` pixels about the points, wide enough to hold all of them, clipped to the picture."""
    xs, ys = [p.x for p in points], [p.y for p in points]
    half = max(side, max(xs) - min(xs) + side // 2, max(ys) - min(ys) + side // 2) // 2
    x, y = (min(xs) + max(xs)) // 2, (min(ys) + max(ys)) // 2
    return Box(x0=x - half, y0=y - half, x1=x + half, y1=y + half).clipped(picture.width, picture.height)


def _holds(window: Box, point: Point) -> bool:
    return window.x0 <= point.x < window.x1 and window.y0 <= point.y < window.y1


def _reduced(picture: Picture, window: Box, side: int = WORK_SIDE) -> tuple[NDArray[np.uint8], tuple[float, float]]:
    """The window as h×w×3 uint8 at working size, never enlarged, and working pixels per picture pixel in x and y."""
    part: NDArray[Any] = picture.rgb[window.slices]
    shrink = min(1.0, side / max(window.width, window.height))
    size = (max(1, round(window.width * shrink)), max(1, round(window.height * shrink)))
    small = cv2.resize(np.ascontiguousarray(part), size, interpolation=cv2.INTER_AREA)
    if small.dtype == np.uint16:
        small = (small // 257).astype(np.uint8)
    return small, (size[0] / window.width, size[1] / window.height)
