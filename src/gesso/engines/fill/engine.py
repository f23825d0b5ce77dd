"""The two fill engines: the membrane for smooth grounds, the patch engine for everything that has texture."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from gesso.contracts.capabilities import Ground
from gesso.contracts.context import Context
from gesso.contracts.engine import EngineInfo
from gesso.contracts.geometry import Box
from gesso.contracts.hint import FillHint
from gesso.contracts.mask import Mask
from gesso.contracts.picture import Picture
from gesso.engines.fill import holes

Flags = NDArray[np.bool_]

MEMBRANE_GAP = 17
"""Holes closer than this share one crop, so that a line of letters is one job."""
MEMBRANE_MARGIN = 16
PATCH_GAP = 33
PATCH_MARGIN = 64
"""Least context around a hole, pixels; at most one and a half times the hole's longer side is taken."""
THIN = 8.0
"""Depth in pixels (half the thickness) up to which a hole is predicted rather than continued by patches."""
DEEPEST = 11.0
"""Depth that prediction can reach where strokes cross."""


class MembraneFill:
    """Fills smooth grounds: a surface fitted to a noisy band around the hole. Reads at most a few pixels of context."""

    @property
    def info(self) -> EngineInfo:
        """Identity; deterministic."""
        return EngineInfo(id="membrane", version=1, title="Membrane", libraries=_libraries())

    @property
    def serves(self) -> frozenset[Ground]:
        """Smooth grounds only."""
        return frozenset({"smooth"})

    @property
    def honours(self) -> frozenset[str]:
        """Continuing a gradient is what it does."""
        return frozenset({"gradient"})

    def fill(
        self,
        picture: Picture,
        mask: Mask,
        *,
        hint: FillHint | None = None,
        seed: int = 0,
        context: Context | None = None,
    ) -> Picture:
        """See `Inpainter.fill`. Raises `EngineFailed` (nothing_known) when the mask covers everything."""
        from gesso.engines.fill.membrane import membrane

        context = context or Context()
        if mask.is_empty:
            return picture
        known = holes.known_part(picture, mask)
        pixels = picture.pixels.copy()
        jobs = tuple(holes.groups(~known, MEMBRANE_GAP, lambda side: MEMBRANE_MARGIN))
        for k, job in enumerate(jobs):
            context.progress(k / len(jobs))
            box = job.box if known[job.box.slices].any() else Box(x0=0, y0=0, x1=picture.width, y1=picture.height)
            own = job.own if box == job.box else ~known
            filled = membrane(holes.as_field(picture, box), ~known[box.slices])
            holes.write(pixels, box, own, filled)
        context.progress(1.0)
        return picture.with_pixels(pixels)


class PatchFill:
    """Continues texture: thin holes by local Gaussian prediction, thick ones by multi-scale PatchMatch completion."""

    @property
    def info(self) -> EngineInfo:
        """Identity; deterministic for a given seed."""
        return EngineInfo(id="patch", version=1, title="Patch fill", libraries=_libraries())

    @property
    def serves(self) -> frozenset[Ground]:
        """Texture, and structure as far as the surroundings show it."""
        return frozenset({"texture", "structure"})

    @property
    def honours(self) -> frozenset[str]:
        """Every kind of hint; a gradient in the low frequencies."""
        return frozenset({"direction", "edge", "copy", "gradient"})

    def fill(
        self,
        picture: Picture,
        mask: Mask,
        *,
        hint: FillHint | None = None,
        seed: int = 0,
        context: Context | None = None,
    ) -> Picture:
        """See `Inpainter.fill`. Thin holes (see `_thin`) are predicted, unless a hint says where to go.

        Raises `EngineFailed`: nothing_known when the mask covers everything, copy_too_small for an unusable copy hint.
        """
        context = context or Context()
        if mask.is_empty:
            return picture
        known = holes.known_part(picture, mask)
        pixels = picture.pixels.copy()
        thin = _thin(~known) if hint is None or hint.kind == "gradient" else np.zeros_like(known)
        thick = ~known & ~thin
        if thin.any():
            _fill_thin(picture, pixels, known, thin, context.part(0.0, 0.3 if thick.any() else 1.0))
        if thick.any():
            _fill_thick(picture, pixels, known, thick, hint, seed, context.part(0.3 if thin.any() else 0.0, 1.0))
        return picture.with_pixels(pixels)


def _libraries() -> tuple[str, ...]:
    from importlib.metadata import version

    return tuple(f"{name} {version(name)}" for name in ("numba", "numpy", "scipy"))


def _thin(hole: Flags) -> Flags:
    """The connected parts of `hole` of which all but a twentieth is within THIN of known pixels, and all within DEEPEST."""
    count, labels = cv2.connectedComponents(hole.astype(np.uint8), connectivity=8)
    depth = cv2.distanceTransform(hole.astype(np.uint8), cv2.DIST_L2, 3)
    area = np.bincount(labels.ravel(), minlength=count)
    deep = np.bincount(labels[depth > THIN], minlength=count)
    deepest = np.bincount(labels[depth > DEEPEST], minlength=count)
    thin = (deep * 20 <= area) & (deepest == 0)
    return np.asarray(hole & thin[labels])


def _fill_thin(picture: Picture, pixels: holes.AnyPixels, known: Flags, own: Flags, context: Context) -> None:
    from gesso.engines.fill.gaussian import CONTEXT, fill_thin

    jobs = tuple(holes.groups(own, PATCH_GAP, lambda side: CONTEXT))
    for k, job in enumerate(jobs):
        part = context.part(k / len(jobs), (k + 1) / len(jobs))
        field = fill_thin(holes.as_field(picture, job.box), ~known[job.box.slices], job.own, part)
        holes.write(pixels, job.box, job.own, field)
        part.progress(1.0)


def _fill_thick(
    picture: Picture,
    pixels: holes.AnyPixels,
    known: Flags,
    own: Flags,
    hint: FillHint | None,
    seed: int,
    context: Context,
) -> None:
    from gesso.engines.fill.hints import guidance, needed_box
    from gesso.engines.fill.patchmatch import fill_thick

    jobs = tuple(holes.groups(own, PATCH_GAP, lambda side: max(PATCH_MARGIN, side)))
    for k, job in enumerate(jobs):
        part = context.part(k / len(jobs), (k + 1) / len(jobs))
        box = needed_box(job.box, hint, picture.width, picture.height)
        mine = np.zeros(known.shape, bool)
        mine[job.box.slices] = job.own
        field, hole, sure = holes.as_field(picture, box), mine[box.slices], known[box.slices]
        field[~sure] = 0.0
        wishes = guidance(hint, box, field, hole, sure)
        filled = fill_thick(
            field, hole, ~hole & ~sure, wishes, opaque=not picture.has_alpha,
            gradient=hint is not None and hint.kind == "gradient", seed=seed, context=part,
        )  # fmt: skip
        holes.write(pixels, box, hole, filled)
        part.progress(1.0)
