from itertools import pairwise

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gesso.contracts.context import Context
from gesso.contracts.errors import Cancelled
from gesso.imaging.tiles import by_tiles, ramp_up, reflected, spans


def noise_picture(height: int, width: int, dtype: type = np.uint8, channels: int = 3) -> np.ndarray:
    return np.random.default_rng(height * 1009 + width).integers(
        0, np.iinfo(dtype).max, (height, width, channels), dtype
    )


@settings(max_examples=200, deadline=None)
@given(st.integers(1, 3000), st.integers(3, 400), st.floats(0, 0.33), st.integers(0, 40))
def test_spans_cover_the_axis_once_and_overlap_enough(length: int, tile: int, share: float, margin: int) -> None:
    overlap = int(tile * share)
    margin = min(margin, (tile - overlap - 1) // 2)
    found = spans(length, tile, overlap, margin)
    weight = np.zeros(length)
    for span in found:
        assert span.start <= span.first < span.last <= span.start + tile
        part = np.ones(span.last - span.first)
        part[: span.lead] *= ramp_up(span.lead)
        part[len(part) - span.tail :] *= ramp_up(span.tail)[::-1]
        assert span.lead + span.tail <= len(part)
        weight[span.first : span.last] += part
    assert np.allclose(weight, 1.0, atol=1e-6)
    for before, after in pairwise(found):
        assert before.start + tile - after.start >= overlap


@settings(max_examples=60, deadline=None)
@given(
    st.integers(1, 90),
    st.integers(1, 90),
    st.sampled_from([(16, 4), (24, 8), (33, 11), (64, 0), (9, 3)]),
    st.integers(1, 4),
    st.sampled_from([np.uint8, np.uint16]),
    st.integers(0, 9),
)
def test_an_identity_model_leaves_no_seam(
    height: int, width: int, size: tuple[int, int], scale: int, dtype: type, margin: int
) -> None:
    pixels = noise_picture(height, width, dtype)
    margin = min(margin, (size[0] - size[1] - 1) // 2)

    def nearest(part: np.ndarray) -> np.ndarray:
        return part.repeat(scale, axis=0).repeat(scale, axis=1)

    tiled = by_tiles(pixels, nearest, scale=scale, tile=size[0], overlap=size[1], margin=margin)
    assert np.abs(tiled.astype(int) - nearest(pixels)).max() <= 1


def test_a_local_model_agrees_with_the_untiled_run() -> None:
    pixels = noise_picture(230, 310)

    def blur(part: np.ndarray) -> np.ndarray:
        return cv2.resize(cv2.blur(part, (5, 5)), None, fx=2, fy=2, interpolation=cv2.INTER_LINEAR)

    tiled = by_tiles(pixels, blur, scale=2, tile=96, overlap=24, margin=8)
    assert np.abs(tiled.astype(int) - blur(pixels))[8:-8, 8:-8].max() <= 1


def test_disagreeing_tiles_are_blended_gradually() -> None:
    levels = iter(range(0, 250, 40))

    def mood(part: np.ndarray) -> np.ndarray:
        return np.full_like(part, next(levels))

    out = by_tiles(np.zeros((64, 200, 3), np.uint8), mood, tile=64, overlap=20)
    steps = np.abs(np.diff(out[30, :, 0].astype(int)))
    assert len(np.unique(out)) > 12 and steps.max() <= 12


def test_tiles_have_one_shape_and_reflect_at_the_border() -> None:
    seen = []

    def look(part: np.ndarray) -> np.ndarray:
        seen.append(part.copy())
        return part

    pixels = noise_picture(70, 45)
    assert (by_tiles(pixels, look, tile=60, overlap=12, margin=4) == pixels).all()
    assert {part.shape for part in seen} == {(60, 60, 3)} and len(seen) == 2
    assert reflected(-3, 8, 4).tolist() == [3, 2, 1, 0, 1, 2, 3, 2]
    assert reflected(-2, 4, 1).tolist() == [0, 0, 0, 0]


def test_reports_progress_and_stops() -> None:
    heard: list[float] = []
    pixels = noise_picture(100, 100)
    by_tiles(pixels, lambda part: part, tile=40, overlap=8, context=Context(lambda at, _: heard.append(at)))
    assert heard == sorted(heard) and heard[-1] == 1.0 and len(heard) == 10
    calls: list[int] = []
    context = Context(cancelled=lambda: len(calls) >= 3)
    with pytest.raises(Cancelled):
        by_tiles(pixels, lambda part: calls.append(1) or part, tile=40, overlap=8, context=context)
    assert len(calls) == 3
