from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gesso.contracts.errors import BadInput
from gesso.contracts.mask import Mask
from gesso.contracts.picture import Picture
from gesso.recipes.composite import keep_outside
from tests.recipes.bench import picture


@given(st.integers(0, 2**31), st.booleans(), st.booleans(), st.sampled_from([8, 16]))
@settings(max_examples=60)
def test_outside_is_byte_identical_and_inside_is_new(seed: int, alpha_a: bool, alpha_b: bool, bits: int) -> None:
    rng = np.random.default_rng(seed)
    dtype = np.uint8 if bits == 8 else np.uint16

    def make(alpha: bool) -> Picture:
        return Picture(rng.integers(0, np.iinfo(dtype).max + 1, (6, 9, 4 if alpha else 3), dtype))

    before, after = make(alpha_a), make(alpha_b)
    cover = rng.choice([0.0, 0.3, 1.0], (6, 9)).astype(np.float32)
    out = keep_outside(before, after, Mask.of(cover))
    outside, inside = cover == 0, cover == 1
    assert out.pixels.dtype == dtype
    assert out.has_alpha == (alpha_a or alpha_b)
    assert np.array_equal(out.rgb[outside], before.rgb[outside])
    assert np.array_equal(out.rgb[inside], after.rgb[inside])
    low = np.minimum(before.rgb, after.rgb)
    high = np.maximum(before.rgb, after.rgb)
    assert ((out.rgb >= low) & (out.rgb <= high)).all()


def test_half_coverage_is_the_mean() -> None:
    before, after = Picture(np.full((1, 1, 3), 10, np.uint8)), Picture(np.full((1, 1, 3), 21, np.uint8))
    out = keep_outside(before, after, Mask.of(np.full((1, 1), 0.5)))
    assert out.pixels.tolist() == [[[16, 16, 16]]]


def test_transparent_colour_does_not_bleed() -> None:
    before = Picture(np.array([[[200, 0, 0, 0]]], np.uint8))
    after = Picture(np.array([[[0, 100, 0, 255]]], np.uint8))
    out = keep_outside(before, after, Mask.of(np.full((1, 1), 0.5)))
    assert out.pixels.tolist() == [[[0, 100, 0, 128]]]


@pytest.mark.parametrize(("after", "mask"), [((24, 16), (12, 16)), ((48, 32), (24, 16)), ((48, 32), (48, 32))])
def test_sizes_must_match(after: tuple[int, int], mask: tuple[int, int]) -> None:
    with pytest.raises(BadInput) as caught:
        keep_outside(picture(), picture(1, *after), Mask.of(np.ones(mask[::-1])))
    assert caught.value.code == "where_mismatch"


def test_depth_must_match() -> None:
    deep = Picture(picture().pixels.astype(np.uint16))
    with pytest.raises(BadInput) as caught:
        keep_outside(picture(), deep, Mask.of(np.ones((16, 24))))
    assert caught.value.code == "where_mismatch"
