import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

from gesso.contracts.gate import Evidence
from gesso.contracts.picture import Picture
from gesso.quality.reference import DRIFT, PERCEPTUAL_HASH, PSNR, PSNR_CEILING, SSIM, psnr, ssim
from tests.quality.photographs import photograph


def noisy(pixels: np.ndarray, sigma: float, seed: int = 1) -> np.ndarray:
    grain = np.random.default_rng(seed).normal(0, sigma, pixels.shape)
    return np.clip(np.rint(pixels + grain), 0, 255).astype(np.uint8)


@pytest.mark.parametrize("name", ["astronaut", "coffee", "grass"])
@pytest.mark.parametrize("sigma", [1.0, 12.0])
def test_psnr_and_ssim_agree_with_scikit_image(name: str, sigma: float) -> None:
    before = photograph(name)
    after = cv2.GaussianBlur(noisy(before, sigma), (0, 0), 0.8)
    a, b = after.astype(np.float32), before.astype(np.float32)
    theirs = structural_similarity(
        before, after, channel_axis=2, data_range=255, gaussian_weights=True, sigma=1.5, use_sample_covariance=False
    )
    assert psnr(a, b) == pytest.approx(peak_signal_noise_ratio(before, after), abs=1e-3)
    assert ssim(a, b) == pytest.approx(theirs, abs=1e-4)


def judged(gate_value, after: np.ndarray, before: np.ndarray | None) -> float | None:  # type: ignore[no-untyped-def]
    verdict = gate_value.judge(Evidence(Picture(after), None if before is None else Picture(before)))
    return None if verdict is None else verdict.value


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 24), st.integers(1, 24), st.sampled_from([3, 4]), st.sampled_from([np.uint8, np.uint16]))
def test_a_picture_equals_itself(height: int, width: int, channels: int, dtype: type) -> None:
    pixels = np.random.default_rng(height * 31 + width).integers(
        0, np.iinfo(dtype).max, (height, width, channels), dtype
    )
    assert judged(PSNR, pixels, pixels) == PSNR_CEILING
    assert judged(SSIM, pixels, pixels) == pytest.approx(1.0, abs=1e-5)
    assert judged(DRIFT, pixels, pixels) == 0.0
    assert judged(PERCEPTUAL_HASH, pixels, pixels) == 0.0


def test_drift_sees_tone_and_not_grain() -> None:
    before = np.clip(photograph("coffee"), 20, 230)
    assert judged(DRIFT, before + np.uint8(5), before) == pytest.approx(5.0, abs=1e-3)
    grain = judged(DRIFT, noisy(before, 8.0), before)
    assert grain is not None and grain < 1.5


def test_an_enlargement_is_averaged_down_before_it_is_compared() -> None:
    before = photograph("astronaut")
    after = np.repeat(np.repeat(before, 3, axis=0), 3, axis=1)
    assert judged(PSNR, after, before) == PSNR_CEILING
    assert judged(DRIFT, after, before) == 0.0
    assert judged(DRIFT, np.clip(after, 0, 250) + np.uint8(4), np.clip(before, 0, 250)) == pytest.approx(4.0, abs=0.05)


def test_another_frame_does_not_apply() -> None:
    before = photograph("astronaut")
    for gate in (PSNR, SSIM, DRIFT, PERCEPTUAL_HASH):
        assert judged(gate, before[:, :200], before) is None
        assert judged(gate, before, None) is None


def test_colour_of_transparent_pixels_is_not_compared_but_alpha_is() -> None:
    rgba = np.dstack([photograph("coffee"), np.full(photograph("coffee").shape[:2], 255, np.uint8)])
    rgba[:100, :, 3] = 0
    lime = rgba.copy()
    lime[:100, :, :3] = (0, 255, 0)
    assert judged(PSNR, lime, rgba) == PSNR_CEILING
    lime[:100, :, 3] = 128
    assert judged(PSNR, lime, rgba) < 20  # type: ignore[operator]


def test_the_hash_keeps_to_the_picture_under_small_changes_and_leaves_it_under_large_ones() -> None:
    before = photograph("astronaut")
    small = cv2.resize(before, (200, 200), interpolation=cv2.INTER_AREA)
    assert judged(PERCEPTUAL_HASH, noisy(small, 5.0), before) <= 6  # type: ignore[operator]
    assert judged(PERCEPTUAL_HASH, photograph("coffee"), before) > 16  # type: ignore[operator]
    verdict = PERCEPTUAL_HASH.judge(Evidence(Picture(photograph("coffee")), Picture(before)))
    assert verdict is not None and not verdict.passed
