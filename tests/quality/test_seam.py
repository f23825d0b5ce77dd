import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gesso.contracts.gate import Evidence
from gesso.contracts.mask import Mask
from gesso.contracts.picture import Picture
from gesso.quality.seam import SEAM, seam
from tests.quality.photographs import photograph

NAMES = ("astronaut", "chelsea", "coffee", "brick", "grass", "gravel")


def disc(height: int, width: int, y: int, x: int, radius: int) -> np.ndarray:
    plane = np.zeros((height, width), np.float32)
    cv2.circle(plane, (x, y), radius, 1.0, -1)
    return plane


def value(pixels: np.ndarray, coverage: np.ndarray) -> float:
    verdict = SEAM.judge(Evidence(Picture(pixels), mask=Mask.of(coverage)))
    assert verdict is not None
    return verdict.value


def test_masks_over_untouched_photographs_are_seamless() -> None:
    rng = np.random.default_rng(0)
    found = []
    for name in NAMES:
        pixels = photograph(name)
        height, width = pixels.shape[:2]
        for _ in range(4):
            y, x, radius = rng.integers(60, height - 60), rng.integers(60, width - 60), rng.integers(12, 50)
            found.append(value(pixels, disc(height, width, int(y), int(x), int(radius))))
    assert np.median(found) < 1.5
    assert np.mean(np.array(found) <= SEAM.limit) >= 0.9, sorted(found)


@pytest.mark.parametrize("name", NAMES)
def test_a_strong_step_of_level_is_seen(name: str) -> None:
    pixels = photograph(name)
    coverage = disc(*pixels.shape[:2], 200, 150, 45)
    shifted = np.clip(pixels + 40.0 * coverage[..., None], 0, 255).astype(np.uint8)
    assert value(shifted, coverage) > SEAM.limit
    assert value(shifted, coverage) > 1.5 * value(pixels, coverage)


@pytest.mark.parametrize("name", ["brick", "grass", "gravel"])
def test_a_blurred_fill_on_texture_is_seen(name: str) -> None:
    pixels = photograph(name)
    coverage = disc(*pixels.shape[:2], 200, 150, 45)
    blurred = np.where(coverage[..., None] > 0, cv2.GaussianBlur(pixels, (0, 0), 4), pixels)
    found = seam(Picture(blurred), Mask.of(coverage))
    assert found is not None and found.texture > SEAM.limit and found.texture > found.tone


def test_a_faint_constant_shift_shows_on_grain_and_not_within_a_gradient() -> None:
    rng = np.random.default_rng(5)
    ramp = np.linspace(40, 200, 300)[None, :, None] + np.zeros((300, 1, 3))
    coverage = disc(300, 300, 150, 150, 60)
    grain = rng.normal(0, 3, ramp.shape)
    smooth = np.clip(np.rint(ramp + grain), 0, 255).astype(np.uint8)
    shifted = np.clip(np.rint(ramp + grain + 6.0 * coverage[..., None]), 0, 255).astype(np.uint8)
    assert value(smooth, coverage) < 1.8
    assert value(shifted, coverage) > SEAM.limit


def test_mirroring_does_not_change_the_judgement_much() -> None:
    pixels = photograph("coffee")
    coverage = disc(*pixels.shape[:2], 160, 180, 40)
    there, back = value(pixels, coverage), value(pixels[:, ::-1].copy(), coverage[:, ::-1].copy())
    assert there == pytest.approx(back, rel=0.35)


def test_no_border_is_seamless_and_a_foreign_size_does_not_apply() -> None:
    pixels = photograph("coffee")
    height, width = pixels.shape[:2]
    assert value(pixels, np.zeros((height, width), np.float32)) == 1.0
    assert value(pixels, np.ones((height, width), np.float32)) == 1.0
    assert SEAM.judge(Evidence(Picture(pixels), mask=Mask.of(np.ones((3, 3), np.float32)))) is None
    assert SEAM.judge(Evidence(Picture(pixels))) is None


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 12), st.integers(1, 12), st.integers(0, 2**32 - 1), st.booleans())
def test_any_small_picture_and_mask_gives_a_finite_figure(height: int, width: int, seed: int, alpha: bool) -> None:
    rng = np.random.default_rng(seed)
    pixels = rng.integers(0, 256, (height, width, 4 if alpha else 3), dtype=np.uint8)
    coverage = rng.random((height, width), dtype=np.float32) * (rng.random((height, width)) < 0.5)
    assert np.isfinite(value(pixels, coverage))
