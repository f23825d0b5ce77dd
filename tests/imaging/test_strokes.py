import numpy as np
import pytest

from gesso.contracts.geometry import Box
from gesso.imaging.ground import ring_stats
from gesso.imaging.lettering import Spot, line_in
from gesso.imaging.strokes import Ink, Line, find_ink, halo_px
from tests.support.ground_truth import Burnt, TextSpec, burn, photographs


def found_in(case: Burnt) -> tuple[Ink, Line, np.ndarray]:
    rows, columns = np.nonzero(case.mask)
    x0, y0, x1, y1 = columns.min() - 2.0, rows.min() - 2.0, columns.max() + 3.0, rows.max() + 3.0
    spot = Spot(((x0, y0), (x1, y0), (x1, y1), (x0, y1)), 0.95)
    height, width = case.mask.shape
    box = spot.box(1.4 * spot.height, width, height)
    colours = case.image[box.slices].astype(np.float32)
    line = line_in(box, spot, (), 1.0)
    return find_ink(colours, line, ring_stats(colours, line.ring)), line, case.mask[box.slices]


def plain(value: int = 120) -> np.ndarray:
    return np.full((200, 420, 3), value, np.uint8)


@pytest.mark.parametrize("colour", [(255, 255, 255), (0, 0, 0), (214, 30, 38), (132, 132, 132)])
def test_ink_of_either_polarity_is_found_exactly_on_plain_ground(colour: tuple[int, int, int]) -> None:
    ink, _, truth = found_in(burn(plain(), TextSpec("Some words", size_px=40, colour=colour, at=(0.5, 0.5))))
    assert ink.kind == "strokes" and ink.reliability > 0.5
    assert (ink.mask & truth).sum() > (0.9 if colour[0] != 132 else 0.8) * truth.sum()
    assert (ink.mask & ~truth).sum() < 0.05 * truth.sum()


def test_outline_and_shadow_belong_to_the_ink_on_plain_ground() -> None:
    spec = TextSpec("Some words", size_px=48, outline_px=2, shadow_px=3, at=(0.5, 0.5))
    ink, _, truth = found_in(burn(plain(), spec))
    assert (ink.mask & truth).sum() > 0.85 * truth.sum()


@pytest.mark.parametrize("name", ["grass", "gravel", "brick"])
def test_strokes_are_told_from_texture(name: str) -> None:
    spec = TextSpec("Some words", font="DejaVuSans-Bold.ttf", size_px=40, colour=(255, 221, 0), at=(0.5, 0.5))
    ink, _, truth = found_in(burn(photographs()[name], spec))
    assert ink.kind == "strokes"
    assert (ink.mask & truth).sum() > 0.85 * truth.sum()
    assert (ink.mask & truth).sum() > 0.8 * ink.mask.sum()


def test_without_ink_the_whole_zone_is_taken() -> None:
    photo = photographs()["grass"]
    case = Burnt(photo, photo, np.zeros(photo.shape[:2], bool), TextSpec(""))
    case.mask[200:230, 100:300] = True
    ink, line, _ = found_in(case)
    assert ink.kind == "polygon" and ink.reliability == 0.0 and ink.reason
    assert np.array_equal(ink.mask, line.zone)


def test_halo_sees_a_glow_and_nothing_where_there_is_none() -> None:
    box = Box(x0=0, y0=0, x1=300, y1=120)
    spot = Spot(((50, 40), (250, 40), (250, 80), (50, 80)), 0.9)
    line = line_in(box, spot, (), 1.0)
    ink = np.zeros((120, 300), bool)
    ink[50:70, 60:240:20] = True
    ink[50:70, 61:240:20] = True
    colours = np.full((120, 300, 3), 100, np.float32)
    colours[ink] = 255
    assert halo_px(colours, ink, line) == 0.0
    for step in (1, 2):
        shell = np.zeros_like(ink)
        shell[50:70, 60 - step : 240 : 20] = True
        shell[50:70, 61 + step : 240 : 20] = True
        colours[shell & ~ink] = 160
    assert halo_px(colours, ink, line) >= 2.0
