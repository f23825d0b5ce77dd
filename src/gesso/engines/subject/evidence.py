"""Where the subject may be: a score per pixel out of several weak cues, before any cut is made."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from gesso.engines.subject.ground import Ground, ground_of
from gesso.engines.subject.sweeps import FAR, barrier

Array = NDArray[np.float32]
Bits = NDArray[np.bool_]

BARRIER_SIDE = 256
"""Barrier distances are computed at this size: they are smooth inside objects, and the cut restores the outline."""


@dataclass(frozen=True)
class Guidance:
    """What is known beforehand, H×W bool each: ``band`` shows mostly background, ``inside`` and ``outside`` are certain.

    ``width`` is the band's width in pixels.
    """

    band: Bits
    inside: Bits
    outside: Bits
    width: int


@dataclass(frozen=True)
class Evidence:
    """``score`` H×W float32 in 0…1, high on the subject, and the ground it was judged against."""

    score: Array
    ground: Ground

    @property
    def plain(self) -> float:
        """0…1: how well one slowly varying colour explains the border."""
        return self.ground.plain


def lab_of(rgb: NDArray[np.uint8]) -> Array:
    """H×W×3 CIE Lab (L 0…100), float32."""
    lab: Array = cv2.cvtColor(rgb.astype(np.float32) / np.float32(255.0), cv2.COLOR_RGB2LAB)
    return lab


def gather(lab: Array, guidance: Guidance) -> Evidence:
    """The evidence of `lab` (H×W×3) under `guidance`."""
    ground = ground_of(lab, guidance.band)
    far = _normalised(_from_border(lab, guidance))
    different = _unlike_ground(lab, ground)
    colours = _unlike_colours(lab, guidance.band)
    busy = np.cbrt(far * far * np.maximum(colours, 1e-4))
    score = ground.plain * different + (1.0 - ground.plain) * busy
    if guidance.inside.any():
        score = _pointed(lab, guidance) * (0.35 + 0.65 * score)
    score = np.where(guidance.outside, 0.0, np.where(guidance.inside, 1.0, score))
    return Evidence(score.astype(np.float32), ground)


def _from_border(lab: Array, guidance: Guidance) -> Array:
    """Minimum barrier distance from the band, on a lightly smoothed picture."""
    return _barrier(lab, guidance.band | guidance.outside)


def _unlike_ground(lab: Array, ground: Ground) -> Array:
    """0…1: how little the smooth ground, lit or in shadow, explains a pixel."""
    delta = cv2.GaussianBlur(lab, (0, 0), 0.8) - ground.field
    unlike = np.sqrt((delta**2).sum(axis=2)) / np.float32(ground.noise)
    score: Array = 1.0 - np.exp(-((unlike / 4.5) ** 2))
    score[ground.shadow] = 0.0
    return score


def _unlike_colours(lab: Array, band: Bits) -> Array:
    """0…1: how rare a pixel's colour is in the band compared with the rest, by smoothed 3-D histograms."""
    bins = np.clip((lab - (0, -80, -80)) / (100 / 15.99, 160 / 19.99, 160 / 19.99), 0, (15, 19, 19)).astype(np.int32)
    index = (bins[:, :, 0] * 20 + bins[:, :, 1]) * 20 + bins[:, :, 2]
    border = _histogram(index[band])
    rest = _histogram(index[~band])
    ratio = rest / (rest + border + 1e-9)
    found: Array = cv2.GaussianBlur(ratio[index].astype(np.float32), (0, 0), 2.0)
    return found


def _histogram(index: NDArray[np.int32]) -> NDArray[np.float64]:
    counts = np.bincount(index, minlength=16 * 20 * 20).reshape(16, 20, 20).astype(np.float64)
    for axis in range(3):
        moved = np.moveaxis(counts, axis, 0)
        padded = np.concatenate([moved[:1], moved, moved[-1:]])
        counts = np.moveaxis((padded[:-2] + 2 * padded[1:-1] + padded[2:]) / 4.0, 0, axis)
    share: NDArray[np.float64] = (counts / max(1.0, counts.sum())).ravel()
    return share


def _pointed(lab: Array, guidance: Guidance) -> Array:
    """0…1: nearer to the points that belong than to those that do not and to the border, by barrier distance."""
    near = _barrier(lab, guidance.inside)
    other = _barrier(lab, guidance.outside if guidance.outside.any() else guidance.band)
    share: Array = np.where(other >= FAR, 0.5, other / (near + other + 1e-3))
    return share


def _barrier(lab: Array, seeds: Bits) -> Array:
    """Minimum barrier distance on a smoothed and reduced picture, enlarged again."""
    height, width = seeds.shape
    shrink = min(1.0, BARRIER_SIDE / max(height, width))
    size = (max(2, round(width * shrink)), max(2, round(height * shrink)))
    small = cv2.GaussianBlur(cv2.resize(lab, size, interpolation=cv2.INTER_AREA), (0, 0), 1.0)
    marked = cv2.resize(seeds.astype(np.float32), size, interpolation=cv2.INTER_AREA) > (
        0.0 if seeds.sum() < 400 else 0.5
    )
    found: Array = cv2.resize(barrier(small, marked), (width, height), interpolation=cv2.INTER_LINEAR)
    return found


def _normalised(values: Array) -> Array:
    """Scaled so that the 98th percentile is 1; distances of a few Lab units, which noise reaches too, stay small."""
    top = max(25.0, float(np.percentile(values, 98)))
    scaled: Array = np.clip(values / np.float32(top), 0.0, 1.0)
    return scaled
