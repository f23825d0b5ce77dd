import cv2
import numpy as np
import pytest

from gesso.contracts.gate import Evidence
from gesso.contracts.picture import Picture
from gesso.quality.halo import HALO, halo, overshoot
from tests.quality.photographs import photograph

NAMES = ("astronaut", "coffee", "chelsea", "rocket")


def sharpened(pixels: np.ndarray, amount: float, sigma: float = 2.0) -> np.ndarray:
    plane = pixels.astype(np.float32)
    return np.clip(plane + amount * (plane - cv2.GaussianBlur(plane, (0, 0), sigma)), 0, 255).astype(np.uint8)


def test_overshoot_is_percent_of_the_local_range() -> None:
    low, high = np.full((4, 4), 100, np.float32), np.full((4, 4), 200, np.float32)
    after = np.full((4, 4), 150, np.float32)
    assert overshoot(after, low, high) == 0.0
    after[0] = 220
    after[1] = 90
    assert overshoot(after, low, high) == pytest.approx((20 + 10) / 4)
    assert overshoot(after + 1000, low, low + 5) == 0.0


@pytest.mark.parametrize("name", NAMES)
def test_sharpening_raises_it_with_and_without_reference(name: str) -> None:
    pixels = photograph(name)
    before = Picture(pixels)
    assert halo(before, before) == 0.0
    for reference in (before, None):
        figures = [halo(Picture(sharpened(pixels, amount)), reference) for amount in (0.0, 0.5, 1.5)]
        assert figures[0] < figures[1] < figures[2]
        assert figures[2] > HALO.limit or reference is None


@pytest.mark.parametrize("name", NAMES)
def test_an_enlargement_is_judged_by_its_input(name: str) -> None:
    small = cv2.resize(photograph(name), (120, 120), interpolation=cv2.INTER_AREA)
    large = cv2.resize(small, (480, 480), interpolation=cv2.INTER_CUBIC)
    gentle = HALO.judge(Evidence(Picture(large), Picture(small)))
    harsh = HALO.judge(Evidence(Picture(sharpened(large, 2.0, 4.0)), Picture(small)))
    assert gentle is not None and gentle.passed and harsh is not None and not harsh.passed


def test_ringing_on_a_clean_step_is_measured_without_reference() -> None:
    step = np.full((60, 80, 3), 60, np.uint8)
    step[:, 40:] = 180
    step = cv2.GaussianBlur(step, (0, 0), 0.8)
    assert halo(Picture(step), None) < 0.5
    ringing = step.copy()
    ringing[:, 37:39] = 45
    ringing[:, 42:44] = 195
    assert halo(Picture(ringing), None) == pytest.approx(12.5, abs=3)


def test_flat_and_tiny_pictures_have_none() -> None:
    assert halo(Picture(np.full((50, 50, 3), 9, np.uint8)), None) == 0.0
    assert halo(Picture(np.zeros((1, 1, 4), np.uint16)), None) == 0.0
