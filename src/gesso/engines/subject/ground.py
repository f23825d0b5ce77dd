"""What the background looks like: a smooth field fitted to the part that is reached from the border without an edge."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from gesso.engines.subject.sweeps import geodesic
from gesso.imaging.morphology import Bits, grown, perimeter, touching

Array = NDArray[np.float32]

NOISE_FLOOR = 0.8
"""Lab units: what 8-bit rounding and ordinary JPEG compression leave on a flat ground after light smoothing."""
ROUNDS = 3
BUSY_SLOPE = 3.8
"""Lab units per pixel: where a quarter of the border band is steeper, it is a texture and not one slowly varying colour."""


SHADOW_DEEPEST = 45.0
SHADOW_SLOPE = 2.2
SHADOW_CHROMA = 5.0
"""A cast shadow darkens by at most so many L units, changes by at most so many per pixel (of a picture of about 400
pixels), and keeps the ground's hue to within so many units of chroma. An object's outline is steeper than that."""
SHADOW_REACHES = (0.5, 0.12, 0.06, 0.03)
"""How far from the lit ground a shadow may extend, as shares of the shorter side, longest first."""
STEEP_EDGE_PX = 5
"""Half the width of a sharp outline after smoothing."""
LEAK_SHARE = 0.06
"""Share of a shadow's outline that may lie along steep edges to the lit ground: corners where object and ground meet."""


@dataclass(frozen=True)
class Ground:
    """``field`` H×W×3 Lab, the background's colour everywhere; ``noise`` its scatter; ``reached`` what is surely background.

    ``residual`` H×W is the distance of each pixel from the field in units of the scatter, ``shadow`` H×W bool where the
    ground is merely darkened. ``plain`` 0…1 says how well one slowly varying colour explains the border band.
    """

    field: Array
    noise: float
    reached: Bits
    residual: Array
    shadow: Bits
    plain: float


def ground_of(lab: Array, band: Bits) -> Ground:
    """The background of `lab` (H×W×3 float32), given that most of `band` (H×W bool) shows it."""
    smooth = cv2.GaussianBlur(lab, (0, 0), 1.0)
    slope = slope_of(smooth)
    off, spread, plain = _off_trend(smooth, band)
    plain *= float(np.clip(BUSY_SLOPE - np.percentile(slope[band], 75), 0.0, 1.0))
    # Weak edges are noise and texture: what the calmer three quarters of the band show is free to cross.
    free = max(NOISE_FLOOR, 1.5 * float(np.percentile(slope[band], 75)))
    allowed = off < 4.0 * spread + 6.0
    steps = np.maximum(slope - free, 0.0) + np.where(allowed, np.float32(0.0), np.float32(4.0 * free))
    reach = geodesic(steps, band & (slope <= free) & allowed)
    near = reach < 2.0 * free
    reached = near if near.any() else band
    for _ in range(ROUNDS):
        field = _extended(smooth, reached)
        distance = np.sqrt(((smooth - field) ** 2).sum(axis=2))
        calm = distance[reached & band] if (reached & band).any() else distance[band]
        noise = max(NOISE_FLOOR, 1.4826 * float(np.median(calm)))
        closer = (reach < 4.0 * free) & (distance < 3.5 * noise + 1.0)
        reached = closer if closer.any() else reached
    shadow = _shadow(smooth, field, slope, reached)
    return Ground(field, noise, reached, distance / np.float32(noise), shadow, plain)


def slope_of(smooth: Array) -> Array:
    """H×W length of the Lab gradient, colour difference per pixel."""
    dx = cv2.Sobel(smooth, cv2.CV_32F, 1, 0, ksize=3) / 8.0
    dy = cv2.Sobel(smooth, cv2.CV_32F, 0, 1, ksize=3) / 8.0
    slope: Array = np.sqrt((dx**2 + dy**2).sum(axis=2))
    return slope


def _off_trend(smooth: Array, band: Bits) -> tuple[Array, float, float]:
    """Distance H×W from the band's quadratic trend, the band's scatter about it, and how plain that makes the band.

    Least squares with Tukey's weights, so that up to about a third of the band may show something else.
    """
    height, width = band.shape
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    u, v = x / width - 0.5, y / height - 0.5
    basis = np.stack([np.ones_like(u), u, v, u * v, u * u, v * v], axis=2)
    known, values = basis[band], smooth[band]
    weight = np.ones(len(known), np.float32)
    scatter = np.inf
    for _ in range(8):
        root = np.sqrt(weight)[:, None]
        solution = np.linalg.lstsq(known * root, values * root, rcond=None)[0]
        distance = np.sqrt(((values - known @ solution) ** 2).sum(axis=1))
        scatter = max(NOISE_FLOOR, 1.4826 * float(np.median(distance)))
        weight = np.clip(1.0 - (distance / (4.0 * scatter)) ** 2, 0.0, 1.0) ** 2
    share = float((distance < 3.0 * scatter + 3.0).mean())
    plain = float(np.clip((share - 0.55) / 0.25, 0.0, 1.0) * np.clip((10.0 - scatter) / 5.0, 0.0, 1.0))
    off: Array = np.sqrt(((smooth - basis @ solution) ** 2).sum(axis=2))
    return off, float(scatter), plain


def _shadow(smooth: Array, field: Array, slope: Array, reached: Bits) -> Bits:
    """Parts that join the reached ground without a steep edge and differ from it by being darker only.

    Where a shadow touches an object of the ground's hue, the object's inside would join as well. It betrays itself: it
    borders the ground across steep edges, which a shadow never does. The reach is shortened until that stops.
    """
    delta = smooth - field
    chroma = np.hypot(delta[:, :, 1], delta[:, :, 2])
    dark = (delta[:, :, 0] < 1.0) & (delta[:, :, 0] > -SHADOW_DEEPEST)
    like = dark & (chroma < SHADOW_CHROMA) & (slope < SHADOW_SLOPE)
    steep = slope >= SHADOW_SLOPE
    away = cv2.distanceTransform((~reached).view(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_5)
    for share in SHADOW_REACHES:
        near = like & (away <= share * min(reached.shape))
        found = touching(near | reached, reached) & ~reached
        if not found.any():
            break
        across = steep & grown(reached, STEEP_EDGE_PX) & grown(found, STEEP_EDGE_PX)
        if across.sum() < LEAK_SHARE * STEEP_EDGE_PX * perimeter(found):
            return found
    return np.zeros_like(reached)


def _extended(values: Array, known: Bits) -> Array:
    """`values` smoothed where `known` and continued smoothly elsewhere: normalised convolution from fine to coarse scales.

    Computed on a quarter of the resolution, because the finest scale is far wider than that.
    """
    height, width = known.shape
    size = (max(1, width // 4), max(1, height // 4))
    weight = cv2.resize(known.astype(np.float32), size, interpolation=cv2.INTER_AREA)
    heavy = cv2.resize(values * known[:, :, None], size, interpolation=cv2.INTER_AREA)
    out, have = np.zeros_like(heavy), np.zeros_like(weight)
    longest = max(size)
    scale = longest / 64.0
    while float(have.min()) < 0.999:
        mass = cv2.GaussianBlur(weight, (0, 0), scale, borderType=cv2.BORDER_REPLICATE)
        mean = cv2.GaussianBlur(heavy, (0, 0), scale, borderType=cv2.BORDER_REPLICATE)
        mean /= np.maximum(mass, 1e-6)[:, :, None]
        last = scale > longest / 3.0
        trust = (1.0 - have) * (1.0 if last else np.clip((mass - 0.05) / 0.2, 0.0, 1.0))
        out += mean * trust[:, :, None]
        have += trust
        scale *= 1.8
    field: Array = cv2.resize(out, (width, height), interpolation=cv2.INTER_LINEAR)
    return field
