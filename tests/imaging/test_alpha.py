from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from gesso.imaging.alpha import alpha_plane, bleed, over, premultiply, unpremultiply, with_alpha


def disc(size: int, colour: tuple[int, int, int], under: tuple[int, int, int], dtype: Any = np.uint8) -> NDArray[Any]:
    out = np.zeros((size, size, 4), dtype)
    scale = np.iinfo(dtype).max // 255
    out[:, :, :3] = np.array(under) * scale
    canvas = np.zeros((size, size), np.uint8)
    cv2.circle(canvas, (size // 2, size // 2), size // 4, 255, -1)
    out[canvas > 0] = (*(c * scale for c in colour), 255 * scale)
    return out


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_premultiplying_and_back_is_exact_where_opaque(dtype: Any) -> None:
    picture = disc(40, (200, 30, 10), (0, 255, 0), dtype)
    back = unpremultiply(premultiply(picture), dtype)
    seen = picture[:, :, 3] > 0
    assert np.array_equal(back[seen], picture[seen])
    assert not back[~seen].any()


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("channels", [3, 4])
def test_over_is_exact_at_both_ends(dtype: Any, channels: int) -> None:
    rng = np.random.default_rng(3)
    bottom = rng.integers(0, np.iinfo(dtype).max, (50, 50, channels)).astype(dtype)
    top = disc(50, (9, 8, 7), (255, 255, 255), dtype)
    out = over(top, bottom)
    clear = top[:, :, 3] == 0
    assert np.array_equal(out[clear], bottom[clear])
    assert np.array_equal(out[~clear], top[~clear][:, :channels])


def test_over_follows_porter_and_duff() -> None:
    top = np.array([[[200, 100, 0, 128]]], np.uint8)
    bottom = np.array([[[0, 100, 200, 64]]], np.uint8)
    out = over(top, bottom)[0, 0].astype(float)
    a, b = 128 / 255, 64 / 255
    alpha = a + b * (1 - a)
    assert out[3] == pytest.approx(alpha * 255, abs=0.6)
    assert out[0] == pytest.approx(200 * a / alpha, abs=0.6)
    assert out[2] == pytest.approx(200 * b * (1 - a) / alpha, abs=0.6)


@pytest.mark.parametrize("size", [64, 1500])
def test_bleed_keeps_what_is_seen_and_stops_fringes(size: int) -> None:
    picture = disc(size, (250, 120, 20), (0, 0, 255))
    out = bleed(picture)
    seen = picture[:, :, 3] > 0
    assert np.array_equal(out[seen], picture[seen])
    assert np.array_equal(out[:, :, 3], picture[:, :, 3])
    assert int(np.abs(out[:, :, :3].astype(int) - (250, 120, 20)).max()) <= 2
    naive = cv2.resize(out, (size // 3, size // 3), interpolation=cv2.INTER_LANCZOS4)
    assert int(naive[:, :, 2].max()) < 60


def test_bleed_of_an_opaque_and_of_an_invisible_picture() -> None:
    opaque = np.full((8, 8, 4), 255, np.uint8)
    assert np.array_equal(bleed(opaque), opaque)
    clear = np.zeros((8, 8, 4), np.uint8)
    assert np.array_equal(bleed(clear), clear)


def test_planes() -> None:
    rgb = np.full((3, 4, 3), 7, np.uint16)
    alpha = np.linspace(0, 1, 12, dtype=np.float32).reshape(3, 4)
    whole = with_alpha(rgb, alpha)
    assert np.allclose(alpha_plane(whole), alpha, atol=1e-4)
    assert alpha_plane(rgb).all()
