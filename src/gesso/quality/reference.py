"""Measures of a picture against the one it was made from: PSNR, SSIM, low-frequency drift, perceptual hash."""

from __future__ import annotations

import math
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from gesso.contracts.gate import Evidence, Gate, Measurement
from gesso.contracts.picture import Picture
from gesso.quality.planes import Floats, luma, pair, same_shape

PSNR_CEILING = 100.0
"""dB reported for identical pictures, whose PSNR is infinite; rounding to 16 bits alone gives 107 dB."""

DRIFT_SIGMA = 2.0
"""Width of the low pass of `drift`, in pixels of the smaller picture."""

HASH_SIDE = 8
"""The perceptual hash keeps 8×8 DCT coefficients, 64 bits."""


def psnr(after: Floats, before: Floats) -> float:
    """Peak signal-to-noise ratio in dB over all channels of two H×W×C arrays on a scale of 0…255, at most 100."""
    error = float(np.mean(np.square(after - before), dtype=np.float64))
    if error <= 0.0:
        return PSNR_CEILING
    return min(PSNR_CEILING, 10.0 * math.log10(255.0**2 / error))


def ssim(after: Floats, before: Floats) -> float:
    """Structural similarity, −1…1, mean over channels of two H×W×C arrays on a scale of 0…255.

    Wang, Bovik, Sheikh, Simoncelli 2004: Gaussian window 11×11 of σ 1.5, K₁ 0.01, K₂ 0.03, population covariance. The
    5 px rim, where the window leaves the picture, is left out unless nothing else remains.
    """
    return float(
        np.mean([ssim_map(after[:, :, c], before[:, :, c]).mean(dtype=np.float64) for c in range(after.shape[2])])
    )


def ssim_map(after: Floats, before: Floats) -> Floats:
    """The local SSIM of two H×W planes, without the 5 px rim (see `ssim`)."""
    c1, c2 = (0.01 * 255.0) ** 2, (0.03 * 255.0) ** 2
    mean_a, mean_b = _window(after), _window(before)
    var_a = _window(after * after) - mean_a * mean_a
    var_b = _window(before * before) - mean_b * mean_b
    cov = _window(after * before) - mean_a * mean_b
    out: NDArray[Any] = ((2.0 * mean_a * mean_b + c1) * (2.0 * cov + c2)) / (
        (mean_a * mean_a + mean_b * mean_b + c1) * (var_a + var_b + c2)
    )
    rim = 5
    return out[rim:-rim, rim:-rim] if min(out.shape) > 2 * rim else out


def _window(plane: Floats) -> Floats:
    out: Floats = cv2.GaussianBlur(plane, (11, 11), 1.5, borderType=cv2.BORDER_REFLECT)
    return out


def drift(after: Floats, before: Floats) -> float:
    """Mean absolute difference of the low frequencies of two H×W×C arrays, on their scale.

    Low frequencies are what a Gaussian of σ `DRIFT_SIGMA` leaves: tone, colour and contrast, not grain or sharpness.
    """
    low = cv2.GaussianBlur(after - before, (0, 0), DRIFT_SIGMA, borderType=cv2.BORDER_REFLECT)
    return float(np.abs(low).mean(dtype=np.float64))


def perceptual_hash(picture: Picture) -> NDArray[np.bool_]:
    """64 bits: signs of the lowest 8×8 DCT coefficients of the 32×32 luma against their median (Zauner 2010, pHash)."""
    small = cv2.resize(luma(picture), (32, 32), interpolation=cv2.INTER_AREA)
    low = cv2.dct(small)[:HASH_SIDE, :HASH_SIDE].ravel()
    bits: NDArray[np.bool_] = low > np.median(low[1:])
    return bits


def _psnr(evidence: Evidence) -> Measurement | None:
    both = pair(evidence)
    return None if both is None else Measurement(psnr(*both), _against(evidence))


def _ssim(evidence: Evidence) -> Measurement | None:
    both = pair(evidence)
    return None if both is None else Measurement(ssim(*both), _against(evidence))


def _drift(evidence: Evidence) -> Measurement | None:
    both = pair(evidence)
    return None if both is None else Measurement(drift(*both), _against(evidence))


def _hash_distance(evidence: Evidence) -> Measurement | None:
    if evidence.before is None or not same_shape(evidence.after, evidence.before):
        return None
    distance = int(np.count_nonzero(perceptual_hash(evidence.after) != perceptual_hash(evidence.before)))
    return Measurement(float(distance), f"{distance} of 64 bits differ")


def _against(evidence: Evidence) -> str:
    after, before = evidence.after, evidence.before
    assert before is not None
    if after.size == before.size:
        return f"against the picture before, {before.width}×{before.height}"
    width, height = min(after.width, before.width), min(after.height, before.height)
    return f"after averaging the larger picture down to {width}×{height}"


PSNR = Gate(
    id="psnr",
    title="PSNR",
    summary="Peak signal-to-noise ratio against the picture before; an enlargement is averaged down first.",
    unit="dB",
    better="higher",
    limit=30.0,  # below about 30 dB differences of 8-bit photographs are seen side by side
    measure=_psnr,
    requires=("before",),
)

SSIM = Gate(
    id="ssim",
    title="SSIM",
    summary="Structural similarity with the picture before, 1 for identical; an enlargement is averaged down first.",
    unit="",
    better="higher",
    limit=0.9,
    measure=_ssim,
    requires=("before",),
)

DRIFT = Gate(
    id="low_frequency_drift",
    title="Low-frequency drift",
    summary="How far tone and colour moved from the picture before: mean absolute difference after a low pass.",
    unit="1/255",
    better="lower",
    limit=3.0,  # the bar of this project for enlargements
    measure=_drift,
    requires=("before",),
)

PERCEPTUAL_HASH = Gate(
    id="perceptual_hash",
    title="Perceptual-hash distance",
    summary="How many of 64 bits of the pHash differ from the picture before; above 10 it is another picture.",
    unit="bits",
    better="lower",
    limit=10.0,
    measure=_hash_distance,
    requires=("before",),
)
