import numpy as np
import pytest

from gesso.imaging.ground import distance_to, polygon_mask, ring_stats, smooth_guess
from tests.support.ground_truth import photographs


def everywhere(colours: np.ndarray) -> np.ndarray:
    return np.ones(colours.shape[:2], bool)


def test_a_gradient_is_smooth_and_its_noise_is_measured() -> None:
    ramp = np.broadcast_to(np.linspace(40, 200, 160)[None, :, None], (120, 160, 3)).astype(np.float32)
    assert ring_stats(ramp, everywhere(ramp)).ground == "smooth"
    noisy = ramp + np.random.default_rng(0).normal(0, 1.2, ramp.shape).astype(np.float32)
    stats = ring_stats(noisy, everywhere(noisy))
    assert stats.ground == "smooth" and 0.5 < stats.noise < 4


@pytest.mark.parametrize("name", ["grass", "gravel"])
def test_texture_is_texture(name: str) -> None:
    colours = photographs()[name][:160, :240].astype(np.float32)
    assert ring_stats(colours, everywhere(colours)).ground == "texture"


def test_few_edges_on_calm_ground_are_structure() -> None:
    colours = np.full((120, 200, 3), 90, np.float32)
    colours[:, 100:104] = 230
    assert ring_stats(colours, everywhere(colours)).ground == "structure"


def test_pixels_outside_the_ring_do_not_count() -> None:
    colours = np.full((100, 100, 3), 90, np.float32)
    ring = np.zeros((100, 100), bool)
    ring[:40] = True
    colours[45:] = np.random.default_rng(1).uniform(0, 255, (55, 100, 3))
    assert ring_stats(colours, ring).ground == "smooth"


def test_an_empty_ring_is_no_error() -> None:
    colours = np.zeros((10, 10, 3), np.float32)
    assert ring_stats(colours, np.zeros((10, 10), bool)).ground == "smooth"


def test_smooth_guess_keeps_what_is_known_and_continues_a_ramp() -> None:
    ramp = np.broadcast_to(np.linspace(0, 100, 90)[None, :, None], (61, 90, 3)).astype(np.float32)
    known = np.ones((61, 90), bool)
    known[25:35, 20:70] = False
    guess = smooth_guess(np.where(known[:, :, None], ramp, 250).astype(np.float32), known)
    assert np.abs(guess - ramp)[known].max() < 1e-3
    assert np.abs(guess - ramp)[~known].max() < 4


def test_polygons_and_distances() -> None:
    mask = polygon_mask(np.array([[10, 5], [20, 5], [20, 15], [10, 15]], float), (30, 30))
    assert mask[10, 15] and not mask[2, 2] and 100 <= mask.sum() <= 121
    assert distance_to(mask)[10, 25] == pytest.approx(5, abs=1.5)
