from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from gesso.contracts.context import Context
from gesso.contracts.errors import BadInput, BadParams
from gesso.contracts.model import validated
from gesso.contracts.picture import Picture
from gesso.contracts.tools import Tools
from gesso.operations.replace_background import ReplaceBackgroundParams, ReplaceBackgroundResult, run


def subject(dtype: Any = np.uint8, height: int = 60, width: int = 100) -> Picture:
    """A red rectangle, 40×20 at 30, 30, whose right quarter is two thirds opaque."""
    top = np.iinfo(dtype).max
    pixels = np.zeros((height, width, 4), dtype)
    pixels[30:50, 30:70] = (top, 0, 0, top)
    pixels[30:50, 60:70, 3] = top * 2 // 3
    return Picture(pixels)


def replace(image: Picture, **params: Any) -> ReplaceBackgroundResult:
    return run(validated(ReplaceBackgroundParams, {"image": image, **params}), Tools(), Context())


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_a_colour_shows_through_exactly(dtype: Any) -> None:
    top = int(np.iinfo(dtype).max)
    result = replace(subject(dtype), colour="#0000ff")
    assert not result.image.has_alpha and result.image.pixels.dtype == dtype
    assert result.image.pixels[0, 0].tolist() == [0, 0, top]
    assert result.image.pixels[40, 40].tolist() == [top, 0, 0]
    mixed = result.image.pixels[40, 65].astype(float) / top
    assert mixed == pytest.approx([2 / 3, 0.0, 1 / 3], abs=0.005)
    assert result.mask.coverage[40, 40] == 1.0 and result.mask.coverage[0, 0] == 0.0


def test_white_is_the_default() -> None:
    assert replace(subject()).image.pixels[0, 0].tolist() == [255, 255, 255]


def test_an_opaque_picture_is_refused_with_the_way_out() -> None:
    with pytest.raises(BadInput) as caught:
        replace(Picture(np.zeros((5, 5, 3), np.uint8)))
    assert (caught.value.code, caught.value.hint) == ("alpha_missing", "cutout first")


def test_only_one_background() -> None:
    with pytest.raises(BadInput) as caught:
        replace(subject(), colour="#ffffff", gradient={"start": "#000000", "end": "#ffffff"})
    assert caught.value.code == "background_ambiguous"


@pytest.mark.parametrize(
    ("angle", "low", "high"), [(0, (5, 1), (5, 98)), (90, (1, 5), (58, 5)), (180, (5, 98), (5, 1))]
)
def test_gradients_run_their_way_without_bands(angle: float, low: tuple[int, int], high: tuple[int, int]) -> None:
    result = replace(subject(), gradient={"start": "#000000", "end": "#ffffff", "angle": angle})
    assert int(result.image.pixels[low][0]) < 12 and int(result.image.pixels[high][0]) > 243
    wide = replace(subject(height=60, width=2000), gradient={"start": "#808080", "end": "#888888", "angle": 0})
    row = wide.image.pixels[:4, :, 0].astype(float).mean(axis=0)
    runs = np.diff(np.flatnonzero(np.diff(np.concatenate([[-1.0], row, [-1.0]]))))
    assert int(runs.max()) < 60, "a ramp of eight steps over 2000 px is dithered"


def test_a_picture_covers_the_canvas_and_changes_depth() -> None:
    behind = np.zeros((40, 400, 3), np.uint8)
    behind[:, 150:250] = (10, 200, 30)
    result = replace(subject(np.uint16), background=Picture(behind))
    assert result.image.size == (100, 60)
    assert np.allclose(result.image.pixels[0, 50] / 257.0, (10, 200, 30), atol=3)
    clear = np.zeros((40, 40, 4), np.uint8)
    assert replace(subject(), background=Picture(clear)).image.pixels[0, 0].tolist() == [255, 255, 255]


def test_aspect_pads_and_cover_centres_without_resampling() -> None:
    padded = replace(subject(), aspect="1:1")
    assert padded.image.size == (100, 100)
    assert padded.image.pixels[20 + 40, 40].tolist() == [255, 0, 0]
    tight = replace(subject(), aspect="1:1", cover=0.8)
    assert tight.image.size == (50, 50)
    red = (tight.image.pixels == (255, 0, 0)).all(axis=2)
    assert red.sum() == 30 * 20, "the opaque part keeps every pixel"
    columns = np.flatnonzero(tight.mask.coverage.any(axis=0))
    assert (int(columns[0]), int(columns[-1])) == (5, 44)


@pytest.mark.parametrize("aspect", ["0:1", "a:b", "1:0", "16/9"])
def test_bad_aspects_are_refused(aspect: str) -> None:
    with pytest.raises(BadParams):
        replace(subject(), aspect=aspect)


def test_limits() -> None:
    with pytest.raises(BadInput) as caught:
        replace(subject(), aspect="99999:1")
    assert caught.value.code == "canvas_too_large"
    with pytest.raises(BadInput) as caught:
        replace(Picture(np.zeros((9, 9, 4), np.uint8)), cover=0.5)
    assert caught.value.code == "subject_empty"


def test_light_wraps_only_around_the_edge() -> None:
    plain = replace(subject(height=300, width=300), colour="#ffffff").image.pixels
    lit = replace(subject(height=300, width=300), colour="#ffffff", light_wrap=1.0).image.pixels
    assert np.array_equal(lit[0, 0], plain[0, 0])
    assert int(lit[31, 45][1]) > int(plain[31, 45][1])
