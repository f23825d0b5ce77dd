from __future__ import annotations

import pytest

from gesso.contracts.errors import BadInput
from gesso.contracts.geometry import Box, Point
from gesso.contracts.hint import ContinueDirection, ContinueEdge, CopyFrom
from gesso.imaging.hints import with_source, within

CROP = Box(x0=100, y0=50, x1=300, y1=250)


def test_coordinates_move_with_the_crop() -> None:
    assert within(CopyFrom(x0=120, y0=60, x1=180, y1=400), CROP) == CopyFrom(x0=20, y0=10, x1=80, y1=200)
    edge = ContinueEdge(points=(Point(x=90, y=60), Point(x=310, y=70)))
    assert within(edge, CROP) == ContinueEdge(points=(Point(x=-10, y=10), Point(x=210, y=20)))
    assert within(ContinueDirection(angle=10), CROP) == ContinueDirection(angle=10)
    assert within(None, CROP) is None


def test_the_crop_holds_the_source() -> None:
    wide = with_source(CROP, CopyFrom(x0=10, y0=60, x1=90, y1=900), 1000, 500)
    assert wide == Box(x0=10, y0=50, x1=300, y1=500)
    assert with_source(CROP, None, 1000, 500) == CROP


@pytest.mark.parametrize(("x0", "x1", "code"), [(50, 50, "box_empty"), (2000, 2100, "box_outside")])
def test_a_source_without_pixels_is_refused(x0: int, x1: int, code: str) -> None:
    with pytest.raises(BadInput) as caught:
        with_source(CROP, CopyFrom(x0=x0, y0=0, x1=x1, y1=10), 1000, 500)
    assert caught.value.code == code
