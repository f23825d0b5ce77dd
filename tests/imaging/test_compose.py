from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from gesso.contracts.geometry import Box
from gesso.imaging.compose import box_of, crop_for, dilate, erode, feather, paste_back, placed, regions_of


def plane(shape: tuple[int, int], *boxes: tuple[int, int, int, int], value: float = 1.0) -> NDArray[np.float32]:
    out = np.zeros(shape, np.float32)
    for x0, y0, x1, y1 in boxes:
        out[y0:y1, x0:x1] = value
    return out


def pixels(seed: int, shape: tuple[int, ...], dtype: Any) -> NDArray[Any]:
    return np.random.default_rng(seed).integers(0, np.iinfo(dtype).max + 1, shape).astype(dtype)


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 10_000),
    height=st.integers(1, 300),
    width=st.integers(1, 300),
    channels=st.sampled_from([3, 4]),
    dtype=st.sampled_from([np.uint8, np.uint16]),
)
def test_paste_back_keeps_its_promises(seed: int, height: int, width: int, channels: int, dtype: Any) -> None:
    rng = np.random.default_rng(seed)
    original, edited = (
        pixels(seed, (height, width, channels), dtype),
        pixels(seed + 1, (height, width, channels), dtype),
    )
    cover = np.clip(rng.random((height, width)) * 2.0 - 0.5, 0.0, 1.0).astype(np.float32)
    before = original.copy()
    out = paste_back(original, edited, cover)
    assert out.dtype == dtype and out.shape == original.shape
    assert np.array_equal(original, before)
    assert np.array_equal(out[cover == 0], original[cover == 0])
    assert np.array_equal(out[cover == 1], edited[cover == 1])
    if channels == 3:
        share = cover.astype(np.float64)[:, :, None]
        exact = original * (1 - share) + edited * share
        assert float(np.abs(out - exact).max()) <= 0.51 + 1e-4 * np.iinfo(dtype).max / 255


def test_paste_back_of_a_crop_touches_nothing_else() -> None:
    original = pixels(1, (90, 120, 3), np.uint8)
    at = Box(x0=30, y0=20, x1=80, y1=60)
    edited = pixels(2, (40, 50, 3), np.uint8)
    cover = np.ones((40, 50), np.float32)
    out = paste_back(original, edited, cover, at=at)
    assert np.array_equal(out[at.slices], edited)
    out[at.slices] = original[at.slices]
    assert np.array_equal(out, original)


def test_colours_under_transparency_do_not_bleed_in() -> None:
    original = np.zeros((1, 1, 4), np.uint8)
    original[0, 0] = (255, 0, 0, 0)
    edited = np.zeros((1, 1, 4), np.uint8)
    edited[0, 0] = (0, 0, 200, 255)
    out = paste_back(original, edited, np.full((1, 1), 0.5, np.float32))
    assert out[0, 0].tolist() == [0, 0, 200, 128]


def test_feather_stays_inside_and_reaches_full() -> None:
    base = plane((60, 80), (10, 10, 60, 50))
    soft = feather(base, 5)
    assert np.array_equal(soft > 0, base > 0)
    assert soft[30, 35] == 1.0
    assert 0.0 < soft[10, 35] < 0.3
    assert np.all(np.diff(soft[10:20, 35]) >= 0)


def test_feather_does_not_fade_at_the_edge_of_the_picture() -> None:
    soft = feather(plane((40, 40), (0, 0, 20, 40)), 6)
    assert soft[20, 0] == 1.0 and soft[0, 5] == 1.0 and soft[20, 19] < 0.3


def test_feather_of_nothing_and_of_everything() -> None:
    assert not feather(np.zeros((5, 5), np.float32), 3).any()
    assert feather(np.ones((5, 5), np.float32), 3).all()


def test_dilate_is_round_and_erode_undoes_it() -> None:
    base = plane((101, 101), (50, 50, 51, 51))
    grown = dilate(base, 10)
    assert grown[50, 60] == 1.0 and grown[50, 62] == 0.0
    assert grown[58, 58] == 0.0 and grown[57, 57] == 1.0
    square = plane((101, 101), (30, 30, 70, 70))
    assert np.abs(erode(dilate(square, 6), 6) - square).mean() < 0.002


def test_dilate_grows_faint_masks_and_never_shrinks() -> None:
    faint = plane((40, 40), (15, 15, 25, 25), value=0.2)
    grown = dilate(faint, 3)
    assert grown[20, 12] == pytest.approx(0.2)
    assert np.all(grown >= faint)
    assert float(grown.max()) == pytest.approx(0.2)


def test_erode_spares_the_edge_of_the_picture() -> None:
    shrunk = erode(plane((40, 40), (0, 0, 20, 40)), 4)
    assert shrunk[20, 0] == 1.0 and shrunk[0, 5] == 1.0 and shrunk[20, 18] == 0.0


def test_box_of() -> None:
    assert box_of(np.zeros((4, 4), np.float32)) is None
    assert box_of(plane((20, 30), (3, 4, 9, 11))) == Box(x0=3, y0=4, x1=9, y1=11)


@given(
    x=st.integers(0, 900),
    y=st.integers(0, 700),
    w=st.integers(1, 200),
    h=st.integers(1, 200),
    m=st.sampled_from([1, 8]),
)
def test_crops_hold_their_region_and_stay_inside(x: int, y: int, w: int, h: int, m: int) -> None:
    region = Box(x0=x, y0=y, x1=x + w, y1=y + h).clipped(1000, 800) if x < 1000 and y < 800 else None
    if region is None:
        return
    crop = crop_for(region, 1000, 800, multiple=m)
    assert 0 <= crop.x0 <= region.x0 and region.x1 <= crop.x1 <= 1000
    assert 0 <= crop.y0 <= region.y0 and region.y1 <= crop.y1 <= 800
    assert crop.width % m == 0 or crop.width == 1000
    assert crop.width >= min(1000, region.width + 256) and crop.height >= min(800, region.height + 256)


def test_regions_merge_near_ones_and_keep_far_ones() -> None:
    cover = plane((200, 300), (10, 10, 30, 30), (36, 12, 50, 30), (200, 150, 220, 170))
    near = Box(x0=10, y0=10, x1=50, y1=30)
    assert regions_of(cover, gap_px=8) == (near, Box(x0=200, y0=150, x1=220, y1=170))
    assert len(regions_of(cover, gap_px=2)) == 3
    assert regions_of(np.zeros((5, 5), np.float32)) == ()


def test_placed() -> None:
    part = np.full((2, 3), 0.5, np.float32)
    whole = placed(part, Box(x0=1, y0=1, x1=4, y1=3), 6, 5)
    assert whole.shape == (5, 6) and float(whole.sum()) == 3.0
