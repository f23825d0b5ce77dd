"""How sure a cut is: whether it looks like one thing that stands out, or like the grain of a texture."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from gesso.imaging.morphology import Bits, grown, perimeter, shrunk

Array = NDArray[np.float32]


@dataclass(frozen=True)
class Traits:
    """Figures of a cut. Lengths are relative, colours in Lab units.

    contrast: median colour step across the outline, over the steps that the background itself shows at that scale.
    weakest: the same at the outline's tenth percentile.
    pieces: effective number of components.
    ragged: perimeter over that of as many discs.
    area: share of the picture.
    cropped: share of the outline that lies on the picture's edge.
    kept: agreement of the raw cut with the cleaned one.
    """

    contrast: float
    weakest: float
    pieces: float
    ragged: float
    area: float
    cropped: float
    kept: float


def traits_of(lab: Array, raw: Bits, clean: Bits) -> Traits:
    """Traits of the cut `clean` (H×W bool, not empty) that was made from `raw`."""
    shares = _component_shares(clean)
    pieces = float(1.0 / np.square(shares).sum())
    area = float(clean.mean())
    around = perimeter(clean)
    on_edge = sum(int(side.sum()) for side in (clean[0], clean[-1], clean[:, 0], clean[:, -1]))
    ragged = around / (2.0 * np.sqrt(np.pi * clean.sum() * pieces))
    step, own = _steps(lab, clean)
    contrast, weakest = (float(np.percentile(step, q) / (own + 2.0)) if step.size else 0.0 for q in (50, 10))
    kept = float((raw & clean).sum() / max(1, (raw | clean).sum()))
    return Traits(contrast, weakest, pieces, float(ragged), area, on_edge / max(1.0, around), kept)


def confidence_of(traits: Traits, bounded: bool = False) -> float:
    """0…1. A product of judgements, each near 1 for an ordinary subject; the constants separate photographs and rendered
    scenes with one subject from bare textures, skies, pages of text and star fields (bench/q03_cutout.py shows how well).

    `bounded`: the user drew a box, so that being cut off by the picture's edge says nothing.
    """
    stands_out = 1.0 / (1.0 + np.exp(-(traits.contrast - 0.9) / 0.25)) * np.clip(traits.weakest / 0.3, 0.3, 1.0)
    is_one = np.exp(-max(0.0, traits.pieces - 2.5) / 2.5)
    # A net of joints in masonry is as ragged as a bicycle; the bicycle stands out more.
    is_compact = np.exp(-max(0.0, traits.ragged - 3.0 - 0.5 * max(0.0, traits.contrast - 2.0)) / 0.9)
    is_large = np.clip((traits.area - 0.001) / 0.006, 0.0, 1.0) * np.clip((0.97 - traits.area) / 0.05, 0.0, 1.0)
    is_whole = 1.0 if bounded else np.clip((0.55 - traits.cropped) / 0.2, 0.0, 1.0)
    is_stable = np.clip((traits.kept - 0.3) / 0.3, 0.0, 1.0)
    return float(stands_out * is_one * is_compact * is_large * is_whole * is_stable)


def _component_shares(bits: Bits) -> NDArray[np.float64]:
    _, _, stats, _ = cv2.connectedComponentsWithStats(bits.view(np.uint8), connectivity=8)
    areas = stats[1:, cv2.CC_STAT_AREA].astype(np.float64)
    shares: NDArray[np.float64] = areas / areas.sum()
    return shares


def _steps(lab: Array, bits: Bits) -> tuple[Array, float]:
    """Colour steps across the outline at each of its pixels, and the background's own median step at the same scale."""
    sigma = max(2.0, 0.012 * min(bits.shape))
    inside = _mean_within(lab, bits, sigma)
    outside = _mean_within(lab, ~bits, sigma)
    outline = grown(bits, 1) & ~shrunk(bits, 1)
    outline[[0, -1]] = False
    outline[:, [0, -1]] = False
    step: Array = np.sqrt(((inside - outside) ** 2).sum(axis=2))[outline]
    rest = shrunk(~bits, round(2 * sigma))
    rest = rest if rest.any() else ~bits
    shift = max(1, round(2 * sigma))
    smooth = cv2.GaussianBlur(lab, (0, 0), sigma)
    across = np.sqrt(((smooth - np.roll(smooth, shift, 1)) ** 2).sum(axis=2))
    down = np.sqrt(((smooth - np.roll(smooth, shift, 0)) ** 2).sum(axis=2))
    own = float(np.percentile(np.maximum(across, down)[rest], 75)) if rest.any() else 0.0
    return step, own


def _mean_within(lab: Array, bits: Bits, sigma: float) -> Array:
    weight = bits.astype(np.float32)
    mass = cv2.GaussianBlur(weight, (0, 0), sigma)
    mean: Array = cv2.GaussianBlur(lab * weight[:, :, None], (0, 0), sigma) / np.maximum(mass, 1e-4)[:, :, None]
    return mean
