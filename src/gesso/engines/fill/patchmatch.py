"""Exemplar-based completion: coarse to fine, alternating nearest patches and voting.

After Wexler, Shechtman, Irani, "Space-Time Completion of Video" (PAMI 2007), Barnes et al., "PatchMatch" (2009) and
Newson et al., "Video Inpainting of Complex Scenes" (2014): 7×7 patches, votes weighted by patch similarity and by the
confidence that falls with the distance from known pixels, a sharp last step.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from gesso.contracts.context import Context
from gesso.engines.fill import kernels

Field = NDArray[np.float32]
Flags = NDArray[np.bool_]

COARSE_DEPTH = 3.5
"""Depth of the hole, in pixels, at which the pyramid ends: about half a patch, so that every patch sees known pixels."""
MIN_SIDE = 24
"""A coarser level would have a shorter side than this, too small to hold different patches."""
MIN_SOURCES = 300
"""A coarser level would leave fewer whole source patches than this."""
FALL_OFF = 1.3
"""Wexler's γ: confidence of a pixel is γ^(−distance to the nearest known pixel)."""
COARSE_ROUNDS = 10
MIDDLE_ROUNDS = 4
FINE_ROUNDS = 2


@dataclass(frozen=True)
class Level:
    """One level of the pyramid: picture h×(4·w), hole, allowed sources, and the guide field (1×1×3 when there is none)."""

    image: Field
    hole: Flags
    allowed: Flags
    guide: Field

    @property
    def source(self) -> Flags:
        """Centres of patches that are entirely known and allowed."""
        return whole_patches(~self.hole & self.allowed)


def whole_patches(known: Flags) -> Flags:
    """Centres whose whole patch is `known` and inside the picture."""
    inside = np.pad(known, 1).astype(np.uint8)
    kernel = np.ones((kernels.PATCH, kernels.PATCH), np.uint8)
    return cv2.erode(inside, kernel, borderType=cv2.BORDER_CONSTANT, borderValue=0)[1:-1, 1:-1] > 0


def pyramid(image: Field, hole: Flags, allowed: Flags, guide: Field) -> list[Level]:
    """Levels from the finest to the coarsest sensible one; hole pixels of coarser levels hold no evidence."""
    levels = [Level(image, hole, allowed, guide)]
    while True:
        top = levels[-1]
        if _depth(top.hole) <= COARSE_DEPTH or min(top.hole.shape) < 2 * MIN_SIDE:
            return levels
        lower = halved(top)
        if int(lower.source.sum()) < MIN_SOURCES:
            return levels
        levels.append(lower)


def _depth(hole: Flags) -> float:
    return float(distance_to_known(hole).max())


def distance_to_known(hole: Flags) -> Field:
    """Euclidean distance of each hole pixel to the nearest known one, 0 outside."""
    return np.asarray(cv2.distanceTransform(hole.astype(np.uint8), cv2.DIST_L2, 3), np.float32)


def halved(level: Level) -> Level:
    """The next coarser level: mean of the known children; a hole where any child is one."""
    h, w = level.hole.shape
    h2, w2 = (h + 1) // 2, (w + 1) // 2
    pad = ((0, 2 * h2 - h), (0, 2 * w2 - w))
    hole = np.pad(level.hole, pad, mode="edge")
    allowed = np.pad(level.allowed, pad, mode="edge")
    image = np.pad(level.image.reshape(h, w, 4), (*pad, (0, 0)), mode="edge")
    known = (~hole).astype(np.float32)
    weight = np.maximum(_four(known), 1e-6)
    mean = _four(image * known[..., None]) / weight[..., None]
    guide = level.guide
    if guide.shape[0] > 1:
        guide = np.ascontiguousarray(np.pad(guide, (*pad, (0, 0)), mode="edge")[::2, ::2])
        guide[..., 2] *= 4.0
    return Level(
        np.ascontiguousarray(mean.reshape(h2, 4 * w2), np.float32),
        _four(hole.astype(np.float32)) > 0,
        _four(allowed.astype(np.float32)) > 3.5,
        guide,
    )


def _four(a: NDArray[Any]) -> NDArray[Any]:
    return np.asarray(a[::2, ::2] + a[1::2, ::2] + a[::2, 1::2] + a[1::2, 1::2])


@dataclass
class Nearest:
    """The nearest-patch field of one level: positions (−1 where there is none) and distances."""

    y: NDArray[np.int32]
    x: NDArray[np.int32]
    d: Field


def complete(levels: list[Level], start: Field, seed: int, context: Context) -> Field:
    """The finest level's picture, h×(4·w), with its hole filled.

    `start` is a first guess of the coarsest level. Every level must have at least one source patch.
    """
    state = np.array([(seed * 0x9E3779B97F4A7C15 + 0x2545F4914F6CDD1D) % 2**64 or 1], np.uint64)
    image = start.copy()
    near: Nearest | None = None
    for k in range(len(levels) - 1, -1, -1):
        level = levels[k]
        rounds = COARSE_ROUNDS if k == len(levels) - 1 else FINE_ROUNDS if k == 0 else MIDDLE_ROUNDS
        image, near = _solve(level, image if near is None else None, near, rounds, k == 0, state, context)
        context.progress(1.0 - k / len(levels))
    return image


def _solve(
    level: Level, start: Field | None, coarse: Nearest | None, rounds: int, last: bool, state: Any, context: Context
) -> tuple[Field, Nearest]:
    """Alternate search and vote on one level, from a first picture or from the coarser level's field."""
    h, w = level.hole.shape
    source = level.source
    sources = np.flatnonzero(source).astype(np.int64)
    inner = np.zeros((h, w), bool)
    inner[kernels.HALF : h - kernels.HALF, kernels.HALF : w - kernels.HALF] = True
    kernel = np.ones((kernels.PATCH, kernels.PATCH), np.uint8)
    target = (cv2.dilate(level.hole.astype(np.uint8), kernel) > 0) & inner
    ys, xs = (a.astype(np.int32) for a in np.nonzero(target))
    hy, hx = (a.astype(np.int32) for a in np.nonzero(level.hole))
    marks, allowed = target.astype(np.uint8), source.astype(np.uint8)
    confidence = np.power(np.float32(FALL_OFF), -distance_to_known(level.hole))
    if coarse is None:
        assert start is not None
        near = Nearest(np.full((h, w), -1, np.int32), np.full((h, w), -1, np.int32), np.zeros((h, w), np.float32))
        image = start.copy()
    else:
        near = _upsampled(coarse, source, h, w)
        image = level.image.copy()
        state_y = near.y.copy()
        state_y[state_y < 0] = 0
        marks_known = (target & (near.y >= 0)).astype(np.uint8)
        kernels.vote(level.image, image, hy, hx, marks_known, near.y, near.x, confidence)
    radius = max(h, w) if coarse is None else 8
    for r in range(rounds):
        context.check()
        passes = 4 if coarse is None else 2
        kernels.search(
            image, ys, xs, marks, allowed, sources, near.y, near.x, near.d, level.guide, state, passes, radius
        )
        if last and r == rounds - 1:
            kernels.pick(level.image, image, hy, hx, marks, near.y, near.x, near.d)
            break
        spread = max(float(np.percentile(near.d[target], 75)), 1.0)
        weight = np.exp(near.d * np.float32(-1.0 / (2.0 * spread / 4.0))) * confidence + np.float32(1e-12)
        kernels.vote(level.image, image, hy, hx, marks, near.y, near.x, weight)
    return image, near


def _upsampled(coarse: Nearest, source: Flags, h: int, w: int) -> Nearest:
    """The coarse field at twice the size; entries that are no source any more become −1."""
    rows, columns = np.arange(h), np.arange(w)
    y = 2 * coarse.y[rows // 2][:, columns // 2] + (rows % 2)[:, None]
    x = 2 * coarse.x[rows // 2][:, columns // 2] + (columns % 2)[None, :]
    good = (coarse.y[rows // 2][:, columns // 2] >= 0) & (y < h) & (x < w)
    good[good] = source[y[good], x[good]]
    minus = np.int32(-1)
    return Nearest(
        np.where(good, y, minus).astype(np.int32),
        np.where(good, x, minus).astype(np.int32),
        np.zeros((h, w), np.float32),
    )
