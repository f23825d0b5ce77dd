import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gesso.contracts.picture import Picture
from gesso.imaging.resize import premultiplied, resized, straightened


@settings(max_examples=60, deadline=None)
@given(
    st.tuples(st.integers(1, 30), st.integers(1, 30)),
    st.tuples(st.integers(1, 60), st.integers(1, 60)),
    st.sampled_from([3, 4]),
    st.sampled_from([np.uint8, np.uint16]),
)
def test_any_size_to_any_size(before: tuple[int, int], after: tuple[int, int], channels: int, dtype: type) -> None:
    pixels = np.random.default_rng(1).integers(0, np.iinfo(dtype).max, (*before, channels), dtype)
    done = resized(Picture(pixels), after)
    assert done.size == after and done.pixels.dtype == dtype and done.pixels.shape[2] == channels


@pytest.mark.parametrize("channels", [3, 4])
def test_flat_colours_survive_exactly(channels: int) -> None:
    pixels = np.full((20, 20, channels), 77, np.uint8)
    pixels[..., -1] = 200
    for size in ((7, 9), (31, 50), (31, 5)):
        assert (resized(Picture(pixels), size).pixels == pixels[0, 0]).all()


def test_shrinking_is_the_mean_and_respects_alpha() -> None:
    pixels = np.zeros((2, 2, 4), np.uint8)
    pixels[0] = (0, 255, 0, 0)
    pixels[1] = (200, 0, 0, 255)
    assert resized(Picture(pixels), (1, 1)).pixels[0, 0].tolist() == [200, 0, 0, 128]


def test_premultiplying_and_back_is_lossless_where_opaque_enough() -> None:
    pixels = np.random.default_rng(2).integers(0, 256, (40, 40, 4), dtype=np.uint8)
    back = straightened(premultiplied(pixels), np.dtype(np.uint8))
    assert (back[pixels[..., 3] > 0] == pixels[pixels[..., 3] > 0]).all()


def test_the_same_size_is_the_same_picture() -> None:
    picture = Picture(np.zeros((3, 4, 3), np.uint8))
    assert resized(picture, (4, 3)) is picture
