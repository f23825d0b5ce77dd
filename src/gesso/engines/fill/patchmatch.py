"""Exemplar-based completion: coarse to fine, alternating nearest patches and voting.

After Wexler, Shechtman, Irani, "Space-Time Completion of Video" (PAMI 2007), Barnes et al., "PatchMatch" (2009) and
Newson et al., "Video Inpainting of Complex Scenes" (2014): 7×7 patches, votes weighted by patch similarity and by the
confidence that falls with the distance from known pixels, a sharp last step.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import distance_transform_edt

from gesso.contracts.context import Context
from gesso.engines.fill import kernels
from gesso.engines.fill.gaussian import bridge
from gesso.engines.fill.hints import Guidance
from gesso.engines.fill.membrane import membrane, surface

Field = NDArray[np.float32]
Flags = NDArray[np.bool_]

COARSE_DEPTH = 10.0
"""Depth of the hole, in pixels, at which the pyramid ends and the first guess is made: coarser, the guess has too few
details to go by (a face is filled with sky); finer, it follows them too far."""
MIN_SIDE = 24
"""A coarser level would have a shorter side than this, too small to hold different patches."""
MIN_SOURCES = 120
"""A coarser level would leave fewer whole source patches than this."""
FALL_OFF = 1.3
"""Wexler's γ: confidence of a pixel is γ^(−distance to the nearest known pixel)."""
COARSE_ROUNDS = 6
MIDDLE_ROUNDS = 4
FINE_ROUNDS = 2
BUSY_SIGMA = 4.0
BUSY_WEIGHT = 2.0
GRADIENT_SIGMA = 8.0
"""Scale in pixels above which, on a gradient hint, the membrane governs and patches are compared without their mean."""
PASSES = 2
"""Propagation passes of one search."""
SHARPNESS = 0.5
"""A patch at the 75th percentile of distances votes with e^−SHARPNESS of the weight of a perfect one."""
LAST_SHARPNESS = 4.0
"""In the last vote a patch at the median distance has e^−4 of the weight of a perfect one: nine tenths of the texture's
sharpness remain, and seams between copies are softer than with the single best patch."""
LEAST_WORTH = 0.1
"""Weight of a pixel deep in the hole when patches are compared; known pixels weigh 1."""
RIM_TRUST = 0.1
"""Weight of one rim pixel against one unit of smoothness when levels are matched."""
PEEL_WORK = 1_200_000
"""Patch distances that the first guess may cost; more sources than that are thinned out."""


@dataclass(frozen=True)
class Level:
    """One level of the pyramid: picture h×(4·w), the hole to fill, other unknown pixels (which count for nothing), allowed
    sources, and the guide field (1×1×3 when there is none).
    """

    image: Field
    hole: Flags
    ignored: Flags
    allowed: Flags
    guide: Field

    @property
    def source(self) -> Flags:
        """Centres of patches that are entirely known and allowed."""
        return whole_patches(~self.hole & ~self.ignored & self.allowed)


def with_texture(image: Field, known: Flags) -> Field:
    """`image` (h×w×4) with the fourth channel replaced by how busy the ground is: the mean gradient magnitude nearby.

    It tells fine texture from flat ground on coarse levels, where both look alike (Newson et al. 2014, §3.3.3).
    """
    grey = image[..., :3].mean(axis=2)
    slope = np.zeros_like(grey)
    seen = np.zeros_like(grey)
    for axis in (0, 1):
        a, b = ((np.s_[1:], np.s_[:-1]), (np.s_[:, 1:], np.s_[:, :-1]))[axis]
        both = known[a] & known[b]
        slope[b] += np.abs(grey[a] - grey[b]) * both
        seen[b] += both
    mean = cv2.GaussianBlur(slope, (0, 0), BUSY_SIGMA) / np.maximum(cv2.GaussianBlur(seen, (0, 0), BUSY_SIGMA), 1e-3)
    out = image.copy()
    out[..., 3] = BUSY_WEIGHT * mean * known
    return out


def whole_patches(known: Flags) -> Flags:
    """Centres whose whole patch is `known` and inside the picture."""
    inside = np.pad(known, 1).astype(np.uint8)
    kernel = np.ones((kernels.PATCH, kernels.PATCH), np.uint8)
    eroded = cv2.erode(inside, kernel, borderType=cv2.BORDER_CONSTANT, borderValue=0)
    return np.asarray(eroded[1:-1, 1:-1] > 0)


def pyramid(image: Field, hole: Flags, ignored: Flags, allowed: Flags, guide: Field) -> list[Level]:
    """Levels from the finest to the coarsest sensible one; hole pixels of coarser levels hold no evidence."""
    levels = [Level(image, hole, ignored, allowed, guide)]
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
    ignored = np.pad(level.ignored, pad, mode="edge")
    known = (~hole & ~ignored).astype(np.float32)
    weight = np.maximum(_four(known), 1e-6)
    mean = _four(image * known[..., None]) / weight[..., None]
    guide = level.guide
    if guide.shape[0] > 1:
        guide = np.ascontiguousarray(np.pad(guide, (*pad, (0, 0)), mode="edge")[::2, ::2])
        guide[..., 2] *= 4.0
    return Level(
        np.ascontiguousarray(mean.reshape(h2, 4 * w2), np.float32),
        _four(hole.astype(np.float32)) > 0,
        (_four(known) == 0) & (_four(hole.astype(np.float32)) == 0),
        _four(allowed.astype(np.float32)) > 3.5,
        guide,
    )


def _four(a: NDArray[Any]) -> NDArray[Any]:
    return np.asarray(a[::2, ::2] + a[1::2, ::2] + a[::2, 1::2] + a[1::2, 1::2])


def fill_thick(
    image: Field,
    hole: Flags,
    ignored: Flags,
    wishes: Guidance,
    *,
    opaque: bool,
    gradient: bool,
    seed: int,
    context: Context,
) -> Field:
    """`image` (h×w×4 float32, 0…255) with its `hole` completed by patches; the rest as it was.

    `ignored` marks other unknown pixels, which are neither filled nor taken as evidence.

    `opaque` frees the fourth channel, which then carries a texture measure. With `gradient`, low frequencies are
    those of the membrane. Where there is no whole known patch to copy from, the membrane is all there is.
    """
    h, w = hole.shape
    known = ~hole & ~ignored
    if not whole_patches(known & wishes.allowed).any():
        if wishes.allowed.all():
            return membrane(image, ~known)
        wishes = replace(wishes, allowed=np.ones((h, w), bool))
        return fill_thick(image, hole, ignored, wishes, opaque=opaque, gradient=gradient, seed=seed, context=context)
    trend = np.zeros_like(image)
    if gradient:
        trend = cv2.GaussianBlur(membrane(image, ~known), (0, 0), GRADIENT_SIGMA)
        image = (image - trend) * known[..., None]
    work = with_texture(image, known) if opaque else image
    levels = pyramid(np.ascontiguousarray(work.reshape(h, 4 * w)), hole, ignored, wishes.allowed, wishes.guide)
    return complete(levels, wishes.guess, seed, context).reshape(h, w, 4) + trend


@dataclass
class Nearest:
    """The nearest-patch field of one level: positions (−1 where there is none) and distances."""

    y: NDArray[np.int32]
    x: NDArray[np.int32]
    d: Field


def complete(levels: list[Level], guess: Field | None, seed: int, context: Context) -> Field:
    """The finest level's picture, h×(4·w), with its hole filled. Every level must have at least one source patch.

    `guess` (h×w×4, finest size), if given, is what the coarsest level starts from.
    """
    state = np.array([(seed * 0x9E3779B97F4A7C15 + 0x2545F4914F6CDD1D) % 2**64 or 1], np.uint64)
    image, near = _peeled(levels[-1]) if guess is None else _guessed(levels[-1], guess)
    for k in range(len(levels) - 1, -1, -1):
        level, coarsest = levels[k], k == len(levels) - 1
        if not coarsest:
            image, near = _enlarged(level, image, near)
        rounds = COARSE_ROUNDS if coarsest else FINE_ROUNDS if k == 0 else MIDDLE_ROUNDS
        radius = max(level.hole.shape) if coarsest else 8
        _solve(level, image, near, rounds, radius, state, context)
        if k == 0:
            _sharpen(level, image, near)
            _level_out(level, image, near, context)
        context.progress(1.0 - k / len(levels))
    return image


def _sharpen(level: Level, image: Field, near: Nearest) -> None:
    """The last vote, in which only the best of the patches over a pixel count."""
    target = _target(level.hole)
    if not target.any():
        return
    usual = max(float(np.median(near.d[target])), 1e-6)
    weight = np.exp(near.d * np.float32(-LAST_SHARPNESS / usual)) + np.float32(1e-12)
    kernels.vote(level.image, image, *_places(level.hole), target.astype(np.uint8), near.y, near.x, weight)


def _level_out(level: Level, image: Field, near: Nearest, context: Context) -> None:
    """Add to the hole of `image` the smooth surface that takes the copied patches to the level of the known rim.

    The rim pixels are compared with what the patches over them would have copied there; the differences are continued
    into the hole by a membrane that does not follow single pixels (Pérez et al. 2003, with a soft boundary).
    """
    h, w = level.hole.shape
    kernel = np.ones((kernels.PATCH, kernels.PATCH), np.uint8)
    rim = (cv2.dilate(level.hole.astype(np.uint8), kernel) > 0) & ~level.hole & ~level.ignored
    ry, rx = _places(rim)
    copied = level.image.copy()
    ones = np.ones((h, w), np.float32)
    kernels.vote(level.image, copied, ry, rx, _target(level.hole).astype(np.uint8), near.y, near.x, ones)
    gap = (level.image - copied).reshape(h, w, 4)
    smooth = surface(gap, level.hole, rim, RIM_TRUST)
    known = ~level.hole & ~level.ignored
    fine = bridge(level.image.reshape(h, w, 4), level.hole, known, gap - smooth, rim, context)
    image.reshape(h, w, 4)[level.hole] += (smooth + fine)[level.hole]


def _peeled(level: Level) -> tuple[Field, Nearest]:
    """A first guess of the coarsest level, from the hole's rim inwards (onion peel)."""
    h, w = level.hole.shape
    depth = distance_to_known(level.hole)
    hy, hx = _places(level.hole)
    order = np.argsort(depth[hy, hx], kind="stable")
    sources = np.flatnonzero(level.source).astype(np.int64)
    stride = 1 + sources.size * hy.size // PEEL_WORK
    near = Nearest(np.full((h, w), -1, np.int32), np.full((h, w), -1, np.int32), np.zeros((h, w), np.float32))
    image = level.image.copy()
    worth = np.repeat((~level.hole & ~level.ignored).astype(np.float32), kernels.CHANNELS, axis=1)
    source = level.source
    marks = source.astype(np.uint8)
    kernels.peel(image, worth, hy[order], hx[order], marks, sources, near.y, near.x, stride)
    good = near.y >= 0
    good[good] = source[near.y[good], near.x[good]]
    near.y[~good] = near.x[~good] = -1
    return image, near


def _guessed(level: Level, guess: Field) -> tuple[Field, Nearest]:
    """A first guess of the coarsest level by shrinking one of the finest size."""
    h, w = level.hole.shape
    small = cv2.resize(guess, (w, h), interpolation=cv2.INTER_AREA)
    image = np.where(level.hole[..., None], small, level.image.reshape(h, w, 4)).astype(np.float32)
    near = Nearest(np.full((h, w), -1, np.int32), np.full((h, w), -1, np.int32), np.zeros((h, w), np.float32))
    return np.ascontiguousarray(image.reshape(h, 4 * w)), near


def _places(flags: Flags) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    ys, xs = np.nonzero(flags)
    return ys.astype(np.int32), xs.astype(np.int32)


def _target(hole: Flags) -> Flags:
    """Centres of the patches inside the picture that touch the hole."""
    kernel = np.ones((kernels.PATCH, kernels.PATCH), np.uint8)
    touching = cv2.dilate(hole.astype(np.uint8), kernel) > 0
    touching[: kernels.HALF] = touching[-kernels.HALF :] = False
    touching[:, : kernels.HALF] = touching[:, -kernels.HALF :] = False
    return np.asarray(touching)


def _solve(
    level: Level, image: Field, near: Nearest, rounds: int, radius: int, state: NDArray[np.uint64], context: Context
) -> None:
    """Alternate search and vote on one level; `image` and `near` are improved in place."""
    source, target = level.source, _target(level.hole)
    sources = np.flatnonzero(source).astype(np.int64)
    ys, xs = _places(target)
    hy, hx = _places(level.hole)
    marks, allowed = target.astype(np.uint8), source.astype(np.uint8)
    confidence = np.power(np.float32(FALL_OFF), -distance_to_known(level.hole))
    worth = np.where(level.ignored, np.float32(1e-4), np.maximum(confidence, LEAST_WORTH))
    mass = cv2.boxFilter(worth, -1, (kernels.PATCH, kernels.PATCH))
    worth = np.repeat(worth, kernels.CHANNELS, axis=1)
    for _ in range(rounds):
        context.check()
        kernels.search(
            image, worth, ys, xs, marks, allowed, sources, near.y, near.x, near.d, level.guide, state, PASSES, radius
        )
        error = near.d / mass
        spread = max(float(np.percentile(error[target], 75)), 1.0)
        weight = np.exp(error * np.float32(-SHARPNESS / spread)) * confidence + np.float32(1e-12)
        kernels.vote(level.image, image, hy, hx, marks, near.y, near.x, weight)


def _enlarged(level: Level, image: Field, coarse: Nearest) -> tuple[Field, Nearest]:
    """First guess on a finer level: the coarser field's offsets, doubled, and what they vote for.

    Offsets that lead out of the sources are moved to the nearest source.
    """
    h, w = level.hole.shape
    ch, cw = coarse.y.shape
    target = _target(level.hole)
    ys, xs = _places(target)
    cy = np.clip(ys // 2, kernels.HALF, ch - 1 - kernels.HALF)
    cx = np.clip(xs // 2, kernels.HALF, cw - 1 - kernels.HALF)
    sy = np.clip(ys + 2 * (coarse.y[cy, cx] - cy), 0, h - 1)
    sx = np.clip(xs + 2 * (coarse.x[cy, cx] - cx), 0, w - 1)
    source = level.source
    nearest = distance_transform_edt(~source, return_distances=False, return_indices=True)
    near = Nearest(np.full((h, w), -1, np.int32), np.full((h, w), -1, np.int32), np.zeros((h, w), np.float32))
    near.y[ys, xs] = nearest[0][sy, sx]
    near.x[ys, xs] = nearest[1][sy, sx]
    out = level.image.copy()
    hy, hx = _places(level.hole)
    confidence = np.power(np.float32(FALL_OFF), -distance_to_known(level.hole))
    out.reshape(h, w, 4)[hy, hx] = image.reshape(ch, cw, 4)[hy // 2, hx // 2]
    kernels.vote(level.image, out, hy, hx, target.astype(np.uint8), near.y, near.x, confidence)
    return out, near
