"""Every gate, in the order in which tables show them. A new measure is one value here."""

from __future__ import annotations

from gesso.contracts.gate import Gate
from gesso.quality.halo import HALO
from gesso.quality.outside import OUTSIDE_MASK
from gesso.quality.reference import DRIFT, PERCEPTUAL_HASH, PSNR, SSIM
from gesso.quality.seam import SEAM
from gesso.quality.signal import BLOCKING, NOISE, SHARPNESS
from gesso.quality.text import RESIDUAL_TEXT

GATES: tuple[Gate, ...] = (
    OUTSIDE_MASK,
    SEAM,
    RESIDUAL_TEXT,
    HALO,
    BLOCKING,
    SHARPNESS,
    NOISE,
    DRIFT,
    PSNR,
    SSIM,
    PERCEPTUAL_HASH,
)
