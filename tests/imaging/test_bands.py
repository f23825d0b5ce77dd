from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from gesso.imaging.bands import detail_of, enlarged, joined, likeness, reduced


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_taking_apart_and_joining_gives_the_picture_back(dtype: Any) -> None:
    rng = np.random.default_rng(4)
    top = np.iinfo(dtype).max
    base = np.linspace(0.3, 0.6, 120)[None, :, None] + rng.normal(0, 0.03, (90, 120, 3))
    pixels = (base * top).astype(dtype)
    unknown = np.zeros((90, 120), bool)
    unknown[30:60, 40:80] = True
    small, hole = reduced(pixels, np.zeros_like(unknown), 30)
    assert not hole.any() and max(small.shape[:2]) <= 34
    low = enlarged(small, 120, 90)
    detail = detail_of(pixels, low, np.zeros_like(unknown))
    back = joined(pixels, low, detail, unknown)
    assert np.array_equal(back[~unknown], pixels[~unknown])
    assert float(np.abs(back.astype(float) - pixels).max()) <= 0.51 * top / 255 + 1


def test_unknown_pixels_do_not_reach_the_low_frequencies() -> None:
    pixels = np.full((80, 80, 3), 100, np.uint8)
    pixels[30:50, 30:50] = 255
    unknown = np.zeros((80, 80), bool)
    unknown[30:50, 30:50] = True
    small, hole = reduced(pixels, unknown, 20)
    assert hole.any() and int(small[~hole].max()) == 100
    assert (detail_of(pixels, enlarged(small, 80, 80), unknown)[unknown] == 128).all()


def test_grain_is_alike_and_an_object_is_not() -> None:
    rng = np.random.default_rng(1)
    first, second = (np.clip(120 + rng.normal(0, 12, (60, 60, 3)), 0, 255).astype(np.uint8) for _ in range(2))
    second[20:40, 20:40] = 220
    like = likeness(first, second, 14.0)
    assert float(like[:12].min()) > 0.5 and float(like[24:36, 24:36].max()) < 0.01
