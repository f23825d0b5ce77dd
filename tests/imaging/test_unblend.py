import numpy as np
import pytest

from gesso.imaging.unblend import find_plate, layer_between
from tests.support.ground_truth import Burnt, TextSpec, burn, photographs


def frame_of(case: Burnt) -> tuple[np.ndarray, float]:
    rows, columns = np.nonzero(case.mask)
    x0, y0, x1, y1 = columns.min() - 4.0, rows.min() - 4.0, columns.max() + 5.0, rows.max() + 5.0
    return np.array([[x0, y0], [x1, y0], [x1, y1], [x0, y1]]), y1 - y0


def test_a_layer_is_known_from_both_sides_of_its_border() -> None:
    rng = np.random.default_rng(0)
    outside = rng.uniform(20, 220, (400, 3))
    layer = layer_between(outside, 0.4 * outside + 0.6 * np.array([200.0, 30, 40]) + rng.normal(0, 1, (400, 3)))
    assert layer is not None
    assert layer.shows == pytest.approx(0.4, abs=0.02)
    assert np.abs(layer.colour - (200, 30, 40)).max() < 4
    colours = outside.astype(np.float32)
    assert np.abs(layer.undone(layer.over(colours)) - colours).max() < 1e-2


@pytest.mark.parametrize("inside", ["other", "opaque", "same"])
def test_no_layer_where_there_is_none(inside: str) -> None:
    rng = np.random.default_rng(1)
    outside = rng.uniform(20, 220, (400, 3))
    other = {"other": rng.uniform(20, 220, (400, 3)), "opaque": np.full((400, 3), 80.0), "same": outside}[inside]
    assert layer_between(outside, other) is None


@pytest.mark.parametrize("opacity", [0.45, 0.6, 0.75])
def test_a_plate_is_found_and_undone(opacity: float) -> None:
    spec = TextSpec("Some words", size_px=28, at=(0.4, 0.45), band=(20, 90, 200), band_opacity=opacity)
    photo = photographs()["china"]
    case = burn(photo, spec)
    corners, height = frame_of(burn(photo, TextSpec("Some words", size_px=28, at=(0.4, 0.45))))
    plate = find_plate(case.image.astype(np.float32), corners, height)
    assert plate is not None and plate.layer is not None
    assert (plate.mask & case.mask).sum() > 0.97 * (plate.mask | case.mask).sum()
    assert 1 - plate.layer.shows == pytest.approx(opacity, abs=0.05)


def test_an_opaque_plate_is_found() -> None:
    spec = TextSpec("Some words", size_px=28, at=(0.4, 0.45), band=(214, 30, 38), band_opacity=1.0)
    photo = photographs()["rocket"]
    case = burn(photo, spec)
    corners, height = frame_of(burn(photo, TextSpec("Some words", size_px=28, at=(0.4, 0.45))))
    plate = find_plate(case.image.astype(np.float32), corners, height)
    assert plate is not None and plate.layer is None
    assert (plate.mask & case.mask).sum() > 0.97 * (plate.mask | case.mask).sum()


@pytest.mark.parametrize("name", ["grass", "brick", "china", "rocket", "coffee"])
def test_bare_text_has_no_plate(name: str) -> None:
    case = burn(photographs()[name], TextSpec("Some words", size_px=28, at=(0.5, 0.5)))
    assert find_plate(case.image.astype(np.float32), *frame_of(case)) is None
