import numpy as np
import pytest

from gesso.contracts.gate import Evidence
from gesso.contracts.mask import Mask
from gesso.contracts.picture import Picture
from gesso.quality.outside import OUTSIDE_MASK, changed_outside


@pytest.fixture
def pixels() -> np.ndarray:
    return np.random.default_rng(3).integers(0, 256, (20, 30, 3), dtype=np.uint8)


@pytest.fixture
def mask() -> Mask:
    coverage = np.zeros((20, 30), np.float32)
    coverage[5:10, 5:10] = 0.01
    return Mask.of(coverage)


def test_changes_inside_any_coverage_do_not_count(pixels: np.ndarray, mask: Mask) -> None:
    after = pixels.copy()
    after[5:10, 5:10] ^= 255
    verdict = OUTSIDE_MASK.judge(Evidence(Picture(after), Picture(pixels), mask))
    assert verdict is not None and verdict.passed and verdict.value == 0


def test_one_step_of_one_channel_outside_fails(pixels: np.ndarray, mask: Mask) -> None:
    for channel in range(3):
        after = pixels.copy()
        after[4, 5, channel] ^= 1
        verdict = OUTSIDE_MASK.judge(Evidence(Picture(after), Picture(pixels), mask))
        assert verdict is not None and not verdict.passed and verdict.value == 1


def test_alpha_counts_and_an_absent_alpha_is_opaque(pixels: np.ndarray, mask: Mask) -> None:
    opaque = np.dstack([pixels, np.full((20, 30), 255, np.uint8)])
    assert changed_outside(Picture(opaque), Picture(pixels), mask) == 0
    assert changed_outside(Picture(pixels), Picture(opaque), mask) == 0
    opaque[0, 0, 3] = 254
    assert changed_outside(Picture(opaque), Picture(pixels), mask) == 1
    assert changed_outside(Picture(pixels), Picture(opaque), mask) == 1


def test_depths_are_compared_on_one_scale(pixels: np.ndarray, mask: Mask) -> None:
    wide = pixels.astype(np.uint16) * 257
    assert changed_outside(Picture(wide), Picture(pixels), mask) == 0
    wide[0, 0, 1] ^= 1
    assert changed_outside(Picture(wide), Picture(pixels), mask) == 1


def test_does_not_apply_without_before_mask_or_equal_sizes(pixels: np.ndarray, mask: Mask) -> None:
    picture = Picture(pixels)
    assert OUTSIDE_MASK.judge(Evidence(picture, None, mask)) is None
    assert OUTSIDE_MASK.judge(Evidence(picture, picture, None)) is None
    assert OUTSIDE_MASK.judge(Evidence(Picture(pixels[:-1]), picture, mask)) is None
