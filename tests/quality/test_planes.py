import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gesso.contracts.gate import Evidence, Gate
from gesso.contracts.picture import Picture
from gesso.quality.planes import luma, pair, planes, same_shape
from gesso.quality.reference import PSNR, SSIM


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_planes_are_on_one_scale(dtype: type) -> None:
    top = np.iinfo(dtype).max
    white = Picture(np.full((2, 2, 4), top, dtype))
    assert (planes(white) == 255).all() and planes(white).shape == (2, 2, 4)
    assert planes(white, alpha=False).shape == (2, 2, 3) and luma(white)[0, 0] == pytest.approx(255, abs=1e-3)
    half = Picture(np.array([[[top, 0, 0, top // 2]]], dtype))
    assert planes(half)[0, 0] == pytest.approx([127, 0, 0, 127], abs=0.6)


def test_an_opaque_picture_can_be_given_an_alpha() -> None:
    assert (planes(Picture(np.zeros((3, 3, 3), np.uint8)), alpha=True)[..., 3] == 255).all()


@settings(max_examples=100, deadline=None)
@given(st.integers(1, 200), st.integers(1, 200), st.integers(1, 4))
def test_enlargements_show_the_same_frame(height: int, width: int, scale: int) -> None:
    small = Picture(np.zeros((height, width, 3), np.uint8))
    large = Picture(np.zeros((height * scale, width * scale, 3), np.uint8))
    assert same_shape(small, large) and same_shape(large, small)
    both = pair(Evidence(after=large, before=small))
    assert both is not None and both[0].shape == both[1].shape == (height, width, 3)


def test_a_crop_does_not() -> None:
    assert not same_shape(Picture(np.zeros((100, 100, 3), np.uint8)), Picture(np.zeros((100, 90, 3), np.uint8)))


@pytest.mark.parametrize("gate", [PSNR, SSIM], ids=lambda g: g.id)
def test_a_speck_is_no_reference_for_a_picture(gate: Gate) -> None:
    """Averaged down to one pixel any picture agrees with its mean: the gate does not apply instead of passing."""
    picture = Picture(np.random.default_rng(1).integers(0, 256, (64, 64, 3), np.uint8))
    mean = picture.pixels.reshape(-1, 3).mean(axis=0).round().astype(np.uint8)
    assert gate.judge(Evidence(after=picture, before=Picture(mean.reshape(1, 1, 3).copy()))) is None
