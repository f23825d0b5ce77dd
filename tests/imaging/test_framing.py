import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from skimage import data

from gesso.contracts.picture import Picture
from gesso.imaging.framing import conspicuous, cover_box, focus


@settings(max_examples=200, deadline=None)
@given(
    st.tuples(st.integers(1, 500), st.integers(1, 500)),
    st.tuples(st.integers(1, 500), st.integers(1, 500)),
    st.tuples(st.floats(-50, 600), st.floats(-50, 600)),
)
def test_a_cover_lies_inside_and_touches_two_sides(size: tuple, frame: tuple, centre: tuple) -> None:
    box = cover_box(size, frame, centre)
    assert 0 <= box.x0 < box.x1 <= size[0] and 0 <= box.y0 < box.y1 <= size[1]
    assert box.width == size[0] or box.height == size[1]
    assert abs(box.width * frame[1] - box.height * frame[0]) <= max(frame) * 1.01


def test_focus_keeps_the_face() -> None:
    wide = np.zeros((300, 900, 3), np.uint8)
    wide[:] = data.coffee()[0, 0]
    portrait = np.ascontiguousarray(data.astronaut()[0:300, 80:380])
    for x in (0, 300, 600):
        picture = wide.copy()
        picture[:, x : x + 300] = portrait
        at, _ = focus(Picture(picture), (300, 300))
        assert abs(at - (x + 150)) < 60


@pytest.mark.parametrize("alpha", [False, True])
def test_focus_finds_what_stands_out_and_what_is_opaque(alpha: bool) -> None:
    pixels = np.full((200, 600, 4 if alpha else 3), 120, np.uint8)
    if alpha:
        pixels[..., 3] = 0
        pixels[60:140, 480:560, 3] = 255
    else:
        pixels[60:140, 480:560] = np.random.default_rng(0).integers(0, 256, (80, 80, 3))
    assert focus(Picture(pixels), (200, 200))[0] > 430


def test_an_even_picture_is_kept_in_the_middle() -> None:
    x, y = focus(Picture(np.full((100, 300, 3), 90, np.uint8)), (100, 100))
    assert abs(x - 150) < 6 and abs(y - 50) < 6
    assert np.isfinite(conspicuous(Picture(np.zeros((1, 1, 4), np.uint16)))).all()
