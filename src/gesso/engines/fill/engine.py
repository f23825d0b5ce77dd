"""The two fill engines: the membrane for smooth grounds, the patch engine for everything that has texture."""

from __future__ import annotations

from typing import Any

import numpy as np

from gesso.contracts.capabilities import Ground
from gesso.contracts.context import Context
from gesso.contracts.engine import EngineInfo
from gesso.contracts.hint import FillHint
from gesso.contracts.mask import Mask
from gesso.contracts.picture import Picture
from gesso.engines.fill import holes

MEMBRANE_GAP = 17
MEMBRANE_MARGIN = 16
PATCH_GAP = 33
LEAST_MARGIN = 64


class MembraneFill:
    """Fills smooth grounds: a surface fitted to a noisy band around the hole, with a little of the band's grain."""

    @property
    def info(self) -> EngineInfo:
        """Identity; deterministic."""
        return EngineInfo(id="membrane", version=1, title="Membrane")

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
        for job in holes.groups(~known, MEMBRANE_GAP, lambda side: MEMBRANE_MARGIN):
            context.check()
            box = job.box if known[job.box.slices].any() else _everything(picture)
            own = job.own if box == job.box else ~known
            field = holes.as_field(picture, box)
            holes.write(pixels, box, own, membrane(field, ~known[box.slices]))
        return picture.with_pixels(pixels)


class PatchFill:
    """Continues texture from the surroundings by multi-scale PatchMatch completion."""

    @property
    def info(self) -> EngineInfo:
        """Identity; deterministic for a given seed."""
        return EngineInfo(id="patch", version=1, title="Patch fill")

    @property
    def serves(self) -> frozenset[Ground]:
        """Texture, and structure as far as the surroundings show it."""
        return frozenset({"texture"})

    @property
    def honours(self) -> frozenset[str]:
        """Hints it follows."""
        return frozenset({"copy"})

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
        from gesso.engines.fill import patchmatch
        from gesso.engines.fill.membrane import membrane

        context = context or Context()
        if mask.is_empty:
            return picture
        known = holes.known_part(picture, mask)
        pixels = picture.pixels.copy()
        for job in holes.groups(~known, PATCH_GAP, lambda side: max(LEAST_MARGIN, side)):
            context.check()
            rows, columns = job.box.slices
            hole = ~known[rows, columns]
            h, w = hole.shape
            field = holes.as_field(picture, job.box)
            field[hole] = 0.0
            allowed = np.ones((h, w), bool)
            if hint is not None and hint.kind == "copy":
                allowed[:] = False
                allowed[
                    max(0, hint.y0 - rows.start) : max(0, hint.y1 - rows.start),
                    max(0, hint.x0 - columns.start) : max(0, hint.x1 - columns.start),
                ] = True
            whole = patchmatch.whole_patches(~hole & allowed)
            if not whole.any():
                holes.write(pixels, job.box, job.own, membrane(field, hole))
                continue
            guide = np.zeros((1, 1, 3), np.float32)
            levels = patchmatch.pyramid(field.reshape(h, 4 * w), hole, allowed, guide)
            top = levels[-1]
            th, tw = top.hole.shape
            start = membrane(top.image.reshape(th, tw, 4), top.hole, smooth_band=False).reshape(th, 4 * tw)
            done: Any = patchmatch.complete(levels, start, seed, context)
            holes.write(pixels, job.box, job.own, done.reshape(h, w, 4))
        return picture.with_pixels(pixels)


def _everything(picture: Picture) -> Any:
    from gesso.contracts.geometry import Box

    return Box(x0=0, y0=0, x1=picture.width, y1=picture.height)
