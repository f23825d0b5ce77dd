import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gesso.contracts.picture import Picture
from gesso.quality.planes import luma
from gesso.quality.regions import need
from tests.quality.photographs import photograph


@pytest.mark.parametrize("name", ["astronaut", "brick", "rocket"])
def test_blur_and_noise_are_needy_and_the_rest_is_not(name: str) -> None:
    plane = luma(Picture(photograph(name)))
    half = plane.shape[1] // 2
    noisy = plane.copy()
    noisy[:, half:] += np.random.default_rng(0).normal(0, 14, noisy[:, half:].shape).astype(np.float32)
    found = need(noisy)
    assert found[:, half + 40 :].mean() > 0.8 and found[:, : half - 40].mean() < 0.15


@pytest.mark.parametrize("name", ["astronaut", "coffee", "chelsea"])
def test_blurred_detail_is_needy(name: str) -> None:
    plane = luma(Picture(photograph(name)))
    half = plane.shape[1] // 2
    blurred = plane.copy()
    blurred[:, half:] = cv2.GaussianBlur(plane, (0, 0), 2.5)[:, half:]
    assert need(blurred)[:, half + 40 :].mean() > need(plane)[:, half + 40 :].mean() + 0.2


def test_flat_ground_needs_nothing() -> None:
    ramp = np.linspace(90, 150, 200, dtype=np.float32)[None, :].repeat(100, axis=0)
    assert not need(ramp).any() and not need(np.full((50, 50), 99, np.float32)).any()


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 50), st.integers(1, 50))
def test_any_size_gives_a_map_in_range(height: int, width: int) -> None:
    plane = np.random.default_rng(height).random((height, width), dtype=np.float32) * 255
    found = need(plane)
    assert found.shape == plane.shape and found.dtype == np.float32 and 0.0 <= found.min() <= found.max() <= 1.0
