import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from skimage import data

from gesso.contracts.capabilities import Upscaler
from gesso.contracts.context import Context
from gesso.contracts.errors import BadInput, BadParams
from gesso.contracts.model import validated
from gesso.contracts.picture import Picture
from gesso.contracts.tools import Tools, tools_of
from gesso.engines.upscale.engine import OrientedKriging
from gesso.operations.resize import RESIZE, ResizeResult, crisper

WITH = tools_of({Upscaler: OrientedKriging()})
COFFEE = np.ascontiguousarray(data.coffee()[:200, :300])


def resized(pixels: np.ndarray, tools: Tools = WITH, **values: object) -> ResizeResult:
    return RESIZE.run(validated(RESIZE.params, {"image": Picture(pixels), **values}), tools, Context())


@pytest.mark.parametrize(
    ("asked", "size"),
    [
        ({"width": 150}, (150, 100)),
        ({"height": 50}, (75, 50)),
        ({"width": 100, "height": 100}, (100, 67)),
        ({"width": 100, "height": 100, "fit": "cover"}, (100, 100)),
        ({"width": 100, "height": 100, "fit": "pad"}, (100, 100)),
        ({"width": 100, "height": 100, "fit": "stretch"}, (100, 100)),
        ({"width": 100, "fit": "pad"}, (100, 67)),
        ({"width": 450, "height": 900}, (450, 300)),
        ({"width": 1500, "height": 1000, "fit": "cover"}, (1500, 1000)),
        ({"width": 1}, (1, 1)),
    ],
)
def test_sizes_are_as_asked(asked: dict[str, object], size: tuple[int, int]) -> None:
    assert resized(COFFEE, **asked).image.size == size


def test_cover_keeps_the_point() -> None:
    found = resized(COFFEE, width=50, height=100, fit="cover", focus="point", point=[290, 10])
    assert found.kept.x1 == 300 and found.kept.width == 100 and found.kept.height == 200
    left = resized(COFFEE, width=50, height=100, fit="cover", focus="centre")
    assert left.kept.x0 == 100


def test_padding_fills_with_the_background() -> None:
    found = resized(COFFEE, width=100, height=100, fit="pad", background="#ff8000").image.pixels
    assert (found[:16] == (255, 128, 0)).all() and (found[-16:] == (255, 128, 0)).all()
    assert (resized(COFFEE, width=100, height=100, fit="pad").image.pixels[0] == 255).all()
    rgba = np.dstack([COFFEE, np.full((200, 300), 255, np.uint8)])
    clear = resized(rgba, width=100, height=100, fit="pad").image
    assert clear.has_alpha and (clear.pixels[:16] == 0).all() and (clear.pixels[50, :, 3] == 255).all()


def test_a_background_replaces_transparency_without_a_fringe() -> None:
    rgba = np.zeros((100, 100, 4), np.uint8)
    rgba[..., 1] = 255
    rgba[30:70, 30:70] = (200, 0, 0, 255)
    found = resized(rgba, width=37, background="#ffffff").image
    assert not found.has_alpha
    assert (found.pixels[..., 0] >= 195).all() and (found.pixels[..., 1] <= found.pixels[..., 2].astype(int) + 1).all()
    assert resized(rgba, width=100, background="#ffffff").status == "done"


def test_enlarging_uses_the_upscaler_and_says_when_there_is_none() -> None:
    found = resized(COFFEE, width=700)
    assert [a.engine for a in found.attempts] == ["oriented-kriging"] and found.attempts[0].what == "enlarge ×3"
    poor = resized(COFFEE, Tools(), width=700)
    assert poor.image.size == found.image.size and [n.code for n in poor.notices] == ["no_upscaler"]
    assert resized(COFFEE[:8, :8].copy(), width=100).image.size == (100, 100)


def test_nothing_to_do_is_said() -> None:
    found = resized(COFFEE, width=300)
    assert found.status == "unchanged" and found.reason and found.image == Picture(COFFEE)


def test_sharpening_never_overshoots() -> None:
    planes = np.random.default_rng(0).random((40, 50, 3), dtype=np.float32)
    out = crisper(planes, 1.0)
    assert not np.array_equal(out, planes) and out.min() >= planes.min() and out.max() <= planes.max()
    soft, crisp = (resized(COFFEE, width=100, sharpen=s).image.pixels.astype(float) for s in (0.0, 1.0))
    assert np.abs(np.diff(crisp, axis=1)).mean() > 1.05 * np.abs(np.diff(soft, axis=1)).mean()


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        ({}, "missing_field"),
        ({"width": 0}, "too_small"),
        ({"width": 10, "focus": "point"}, "point_without_focus"),
        ({"width": 10, "point": [1, 1]}, "point_without_focus"),
        ({"width": 99999}, "too_large"),
        ({"width": 10, "background": "red"}, "string_pattern_mismatch"),
    ],
)
def test_bad_params_are_refused(asked: dict[str, object], code: str) -> None:
    with pytest.raises(BadParams) as caught:
        resized(COFFEE, **asked)
    assert caught.value.code == code


def test_impossible_requests_are_refused() -> None:
    with pytest.raises(BadInput) as large:
        resized(COFFEE, width=16000, height=16000, fit="stretch")
    assert large.value.code == "too_many_pixels"
    with pytest.raises(BadInput) as outside:
        resized(COFFEE, width=10, height=10, fit="cover", focus="point", point=[300, 0])
    assert outside.value.code == "point_outside"


@settings(max_examples=40, deadline=None)
@given(
    st.tuples(st.integers(1, 40), st.integers(1, 40)),
    st.tuples(st.integers(1, 60), st.integers(1, 60)),
    st.sampled_from(["cover", "pad", "stretch", "contain"]),
    st.sampled_from([3, 4]),
    st.sampled_from([np.uint8, np.uint16]),
)
def test_any_size_meets_any_frame(size: tuple, frame: tuple, fit: str, channels: int, dtype: type) -> None:
    pixels = np.random.default_rng(5).integers(0, np.iinfo(dtype).max, (*size, channels), dtype)
    found = resized(pixels, width=frame[0], height=frame[1], fit=fit).image
    assert found.bit_depth == (8 if dtype == np.uint8 else 16)
    if fit == "contain":
        assert found.width <= frame[0] and found.height <= frame[1]
    else:
        assert found.size == frame
