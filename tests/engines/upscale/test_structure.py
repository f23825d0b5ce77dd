import numpy as np
import pytest
from skimage import data

from gesso.engines.upscale.filters import ANGLES
from gesso.engines.upscale.structure import WIDTHS, crispness, orientation, sampling_width


@pytest.mark.parametrize("degrees", [0, 30, 75, 120, 165])
def test_orientation_finds_the_direction_of_the_gradient(degrees: int) -> None:
    ys, xs = np.mgrid[0:48, 0:48].astype(np.float32)
    turn = np.radians(degrees)
    wave = (127 + 100 * np.sin((xs * np.cos(turn) + ys * np.sin(turn)) * 0.5)).astype(np.float32)
    angle, ratio = orientation(wave)
    found = angle[20:28, 20:28] * (180 / ANGLES)
    assert np.abs((found - degrees + 90) % 180 - 90).max() < 4
    assert ratio[20:28, 20:28].min() > 2


def test_point_samples_are_crisper_than_means() -> None:
    plane = data.camera().astype(np.float32)
    means = plane.reshape(128, 4, 128, 4).mean(axis=(1, 3))
    points = np.ascontiguousarray(plane[1::4, 1::4])
    crisp_means, crisp_points = crispness(means), crispness(points)
    assert crisp_means is not None and crisp_points is not None and crisp_points > crisp_means + 0.1
    assert sampling_width(points) < sampling_width(means)


def test_too_small_or_flat_pictures_get_the_usual_width() -> None:
    assert crispness(np.zeros((10, 10), np.float32)) is None
    assert crispness(np.full((64, 64), 7, np.float32)) is None
    assert sampling_width(np.zeros((64, 64), np.float32)) in WIDTHS
