"""Closed-form matting (Levin, Lischinski, Weiss, 2008) and multi-level foreground colours (Germer et al., 2020) by pymatting."""

from __future__ import annotations

import importlib
from importlib.metadata import version
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from gesso.contracts.capabilities import Matte
from gesso.contracts.context import Context
from gesso.contracts.engine import EngineInfo
from gesso.contracts.errors import EngineFailed
from gesso.contracts.geometry import Box
from gesso.contracts.mask import Mask, Plane
from gesso.contracts.picture import Picture, Pixels
from gesso.engines.matting.trimap import UNKNOWN, trimap_of
from gesso.imaging.compose import box_of, placed

SOLVE_PIXELS = 600_000
"""The matte is solved at no more pixels than this and enlarged by a guided filter: the cost of the solver grows fast."""
TILE_PX = 1024
OVERLAP_PX = 48
"""Foreground colours are estimated in tiles: they are local, and only tiles with partial alpha need it."""
HAZE = 0.03
"""Alphas this close to 0 or 1 are rounding of the solver, not transparency."""
MARGIN_SHARE = 0.12


class ClosedFormMatter:
    """A `Matter` for any coarse mask. Deterministic, thread-safe; imports pymatting on first use (see `warm_up`)."""

    @property
    def info(self) -> EngineInfo:
        """Identity for provenance."""
        return EngineInfo(
            id="closed-form",
            version=1,
            title="Closed-form matting with multi-level foreground estimation",
            libraries=(f"pymatting {version('pymatting')}", f"opencv-contrib-python-headless {cv2.__version__}"),
        )

    def matte(self, picture: Picture, coarse: Mask, *, context: Context | None = None) -> Matte:
        """See `Matter`. Outside the subject's surroundings alpha is 0 and the foreground is the picture itself."""
        context = context or Context()
        box = box_of(coarse.coverage)
        if box is None or bool((coarse.coverage >= 1.0).all()):
            whole: Any = np.ascontiguousarray(picture.rgb)
            return Matte(coarse, Picture(whole))
        margin = max(8, round(MARGIN_SHARE * max(box.width, box.height)))
        crop = box.grown(margin, picture.width, picture.height)
        rgb: Any = np.ascontiguousarray(picture.rgb[crop.slices])
        context.progress(0.05, "matting")
        alpha = _alpha(rgb, np.ascontiguousarray(coarse.coverage[crop.slices]))
        context.progress(0.6, "foreground colours")
        fore: Any = np.array(picture.rgb)
        fore[crop.slices] = _foreground(rgb, alpha, context)
        made = f"{coarse.made_by} + {self.info.id}"
        plane = placed(alpha, crop, picture.width, picture.height)
        lineage = (*coarse.lineage, coarse.sha256)
        return Matte(Mask(plane, coarse.confidence, made, lineage), Picture(fore))


def warm_up() -> None:
    """Import and compile what matting needs. The first time after installation that takes half a minute or more."""
    step = np.linspace(0.0, 1.0, 16)
    image = np.repeat(np.tile(step, (16, 1))[:, :, None], 3, axis=2)
    trimap = np.tile(np.where(step < 0.3, 0.0, np.where(step > 0.7, 1.0, UNKNOWN)), (16, 1))
    pymatting = _pymatting()
    pymatting.estimate_foreground_ml(image, pymatting.estimate_alpha_cf(image, trimap))


def _pymatting() -> Any:
    """Imported late: it pulls in numba and compiles on its very first import."""
    return importlib.import_module("pymatting")


def _alpha(rgb: Pixels, coarse: Plane) -> Plane:
    """H×W alpha of the crop: solved at a bounded size, enlarged with the crop's own edges as the guide."""
    height, width = coarse.shape
    shrink = min(1.0, (SOLVE_PIXELS / (height * width)) ** 0.5)
    image = _unit(rgb)
    if shrink == 1.0:
        return _settled(_solved(image, coarse))
    size = (max(2, round(width * shrink)), max(2, round(height * shrink)))
    small = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
    solved = _solved(small, cv2.resize(coarse, size, interpolation=cv2.INTER_AREA))
    radius = max(2, round(1.5 / shrink))
    wide = cv2.resize(solved, (width, height), interpolation=cv2.INTER_LINEAR)
    partial = cv2.dilate(((solved > 0.0) & (solved < 1.0)).view(np.uint8), np.ones((3, 3), np.uint8))
    partial = cv2.resize(partial, (width, height), interpolation=cv2.INTER_NEAREST).astype(bool)
    guided = cv2.ximgproc.guidedFilter(image, wide, radius, 1e-4)
    return _settled(np.where(partial, guided, wide).astype(np.float32))


def _solved(image: NDArray[np.float32], coarse: Plane) -> Plane:
    lab = cv2.cvtColor(image, cv2.COLOR_RGB2LAB)
    trimap = trimap_of(lab, coarse)
    if not (trimap == UNKNOWN).any() or not (trimap == 0.0).any() or not (trimap == 1.0).any():
        return coarse
    try:
        alpha = _pymatting().estimate_alpha_cf(image.astype(np.float64), trimap, laplacian_kwargs={"epsilon": 1e-6})
    except (ValueError, ArithmeticError, np.linalg.LinAlgError) as error:
        raise EngineFailed("matting could not be solved", code="matting_failed") from error
    solved: Plane = np.nan_to_num(alpha, nan=0.0).astype(np.float32)
    return solved


def _settled(alpha: Plane) -> Plane:
    """With the solver's haze near 0 and 1 taken away."""
    clean: Plane = np.clip((alpha - HAZE) / (1.0 - 2.0 * HAZE), 0.0, 1.0).astype(np.float32)
    return clean


def _foreground(rgb: Pixels, alpha: Plane, context: Context) -> Pixels:
    """The crop's colours with the background taken out of partly transparent pixels; opaque pixels keep their bytes."""
    out = rgb.copy()
    height, width = alpha.shape
    peak = np.iinfo(rgb.dtype).max
    for y in range(0, height, TILE_PX):
        context.check()
        for x in range(0, width, TILE_PX):
            tile = Box(x0=x, y0=y, x1=min(x + TILE_PX, width), y1=min(y + TILE_PX, height))
            part = alpha[tile.slices]
            change = part < 1.0
            if not ((part > 0.0) & change).any():
                continue
            wide = tile.grown(OVERLAP_PX, width, height)
            seen: Any = rgb[wide.slices]
            known = _unit(seen).astype(np.float64)
            fore = _pymatting().estimate_foreground_ml(known, alpha[wide.slices].astype(np.float64))
            inner = fore[tile.y0 - wide.y0 :, tile.x0 - wide.x0 :][: tile.height, : tile.width]
            colours = np.rint(np.clip(inner, 0.0, 1.0) * peak).astype(rgb.dtype)
            np.copyto(out[tile.slices], colours, where=change[:, :, None])
    return out


def _unit(rgb: Pixels) -> NDArray[np.float32]:
    unit: NDArray[np.float32] = rgb.astype(np.float32) / np.float32(np.iinfo(rgb.dtype).max)
    return unit
