import io

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from skimage.measure import blur_effect

from gesso.contracts.gate import Evidence
from gesso.contracts.picture import Picture
from gesso.quality.planes import luma
from gesso.quality.signal import BLOCKING, NOISE, SHARPNESS, WHITE, blocking, grain, noise, sharpness
from tests.quality.photographs import photograph

NAMES = ("astronaut", "coffee", "camera", "rocket")


def jpeg(pixels: np.ndarray, quality: int) -> np.ndarray:
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "JPEG", quality=quality)
    return np.asarray(Image.open(file))


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("sigma", [0.0, 1.0, 3.0])
def test_sharpness_agrees_with_scikit_image(name: str, sigma: float) -> None:
    plane = luma(Picture(photograph(name)))
    plane = cv2.GaussianBlur(plane, (0, 0), sigma) if sigma else plane
    assert sharpness(plane) == pytest.approx(1.0 - blur_effect(plane, h_size=9), abs=0.01)


@pytest.mark.parametrize("name", NAMES)
def test_sharpness_falls_with_blur(name: str) -> None:
    pixels = photograph(name)
    crisp = SHARPNESS.judge(Evidence(Picture(pixels)))
    soft = SHARPNESS.judge(Evidence(Picture(cv2.GaussianBlur(pixels, (0, 0), 3))))
    assert crisp is not None and crisp.passed and soft is not None and not soft.passed


@pytest.mark.parametrize("sigma", [2.0, 5.0, 10.0, 25.0])
def test_noise_is_found_on_flat_ground_and_on_photographs(sigma: float) -> None:
    grain = np.random.default_rng(4).normal(0, sigma, (400, 400)).astype(np.float32)
    assert noise(128 + grain) == pytest.approx(sigma, rel=0.07)
    for name in NAMES:
        plane = luma(Picture(photograph(name)))
        assert noise(plane + grain[: plane.shape[0], : plane.shape[1]]) == pytest.approx(sigma, rel=0.25, abs=1.0)


@pytest.mark.parametrize("name", ["grass", "gravel", "immunohistochemistry"])
def test_texture_does_not_look_like_noise(name: str) -> None:
    plane = luma(Picture(photograph(name)))
    for scale in (1, 2, 4):
        small = cv2.resize(plane, (400 // scale, 400 // scale), interpolation=cv2.INTER_AREA)
        assert grain(small).whiteness < WHITE


@pytest.mark.parametrize("name", NAMES)
def test_noise_looks_like_noise(name: str) -> None:
    plane = luma(Picture(photograph(name)))
    found = grain(plane + np.random.default_rng(6).normal(0, 10, plane.shape).astype(np.float32))
    assert found.whiteness > WHITE and found.deviation == pytest.approx(10, rel=0.1)


def test_noise_ignores_texture_while_there_is_flat_ground() -> None:
    plane = np.full((256, 256), 128, np.float32)
    plane[:, :150] += np.random.default_rng(1).normal(0, 30, (256, 150)).astype(np.float32)
    assert noise(plane) == 0.0


@pytest.mark.parametrize("name", NAMES)
def test_blocking_rises_as_jpeg_quality_falls(name: str) -> None:
    pixels = photograph(name)
    figures = [blocking(luma(Picture(jpeg(pixels, quality)))) for quality in (95, 50, 20, 8)]
    assert figures == sorted(figures) and figures[-1] > BLOCKING.limit > figures[0]


def test_blocking_is_found_off_the_grid() -> None:
    pixels = jpeg(photograph("astronaut"), 10)
    assert blocking(luma(Picture(pixels[3:, 5:]))) > BLOCKING.limit


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 40), st.integers(1, 40), st.sampled_from([3, 4]), st.sampled_from([np.uint8, np.uint16]))
def test_any_size_gives_finite_figures(height: int, width: int, channels: int, dtype: type) -> None:
    pixels = np.random.default_rng(height + 50 * width).integers(
        0, np.iinfo(dtype).max, (height, width, channels), dtype
    )
    for gate in (SHARPNESS, NOISE, BLOCKING):
        verdict = gate.judge(Evidence(Picture(pixels)))
        assert verdict is not None and np.isfinite(verdict.value)
