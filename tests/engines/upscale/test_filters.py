import numpy as np
import pytest

from gesso.engines.upscale.filters import ANGLES, RADIUS, RATIOS, TAPS, bank
from gesso.engines.upscale.structure import ANGLES as SAME
from gesso.engines.upscale.structure import WIDTHS, crispness, orientation, sampling_width


@pytest.mark.parametrize("scale", [2, 3, 4])
def test_filters_are_unbiased_and_average_back(scale: int) -> None:
    filters = bank(scale, 1.0)
    assert filters.shape == (ANGLES, len(RATIOS), TAPS, scale * scale)
    assert np.abs(filters.sum(axis=2) - 1.0).max() < 1e-4
    centre = np.zeros(TAPS)
    centre[TAPS // 2] = 1.0
    assert np.abs(filters[:, 0].mean(axis=-1) - centre).max() < 0.04


def test_filters_reach_farther_along_the_edge_than_across() -> None:
    along_columns = bank(2, 1.0)[0, len(RATIOS) - 1].reshape(2 * RADIUS + 1, 2 * RADIUS + 1, 4)
    weight = np.abs(along_columns).sum(axis=2)
    assert weight[0, RADIUS] + weight[-1, RADIUS] > 2 * (weight[RADIUS, 0] + weight[RADIUS, -1])


@pytest.mark.parametrize("degrees", [0, 30, 75, 120, 165])
def test_orientation_finds_the_direction_of_the_gradient(degrees: int) -> None:
    ys, xs = np.mgrid[0:48, 0:48].astype(np.float32)
    turn = np.radians(degrees)
    wave = (127 + 100 * np.sin((xs * np.cos(turn) + ys * np.sin(turn)) * 0.5)).astype(np.float32)
    angle, ratio = orientation(wave)
    found = angle[20:28, 20:28] * (180 / SAME)
    assert np.abs((found - degrees + 90) % 180 - 90).max() < 4
    assert ratio[20:28, 20:28].min() > 2


def test_point_samples_are_crisper_than_means() -> None:
    from skimage import data

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
