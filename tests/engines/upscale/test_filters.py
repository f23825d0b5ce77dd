import numpy as np
import pytest

from gesso.engines.upscale.filters import ANGLES, RADIUS, RATIOS, TAPS, bank


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
