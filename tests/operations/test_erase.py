from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gesso.contracts.capabilities import Inpainter, SubjectFinder
from gesso.contracts.context import Context
from gesso.contracts.errors import BadInput, BadParams, Cancelled, Unavailable
from gesso.contracts.geometry import Box
from gesso.contracts.mask import Mask
from gesso.contracts.model import validated
from gesso.contracts.picture import Picture
from gesso.contracts.tools import Tools, tools_of
from gesso.operations.erase import MAX_BOXES, MAX_POINTS, MAX_REGIONS, EraseParams, EraseResult, run
from tests.support.edits import FixedFinder, SolidFill


def scene(height: int = 160, width: int = 200, channels: int = 3, dtype: Any = np.uint8) -> Picture:
    """A flat ground with faint grain, and a red square at 60…90 × 50…80."""
    rng = np.random.default_rng(1)
    scale = np.iinfo(dtype).max // 255
    ground = 130 + rng.normal(0, 0.5, (height, width, channels))
    pixels = np.rint(ground * scale).astype(dtype)
    pixels[50:80, 60:90, :3] = np.array((200, 20, 20)) * scale
    if channels == 4:
        pixels[:, :, 3] = np.iinfo(dtype).max
    return Picture(pixels)


def erase(picture: Picture, tools: Tools | None = None, **params: Any) -> EraseResult:
    tools = tools or tools_of({Inpainter: SolidFill()})
    return run(validated(EraseParams, {"image": picture, **params}), tools, Context())


@pytest.mark.parametrize("channels", [3, 4])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_a_box_is_filled_and_nothing_else_changes(channels: int, dtype: Any) -> None:
    picture = scene(channels=channels, dtype=dtype)
    result = erase(picture, boxes=((55, 45, 95, 85),))
    assert result.status == "done", result.reason
    scale = np.iinfo(dtype).max / 255
    assert float(np.abs(result.image.pixels[50:80, 60:90, :3] / scale - 130).max()) < 15
    outside = result.mask.coverage == 0
    assert np.array_equal(result.image.pixels[outside], picture.pixels[outside])
    assert np.array_equal(result.mask.touched, _box_mask(picture, (55, 45, 95, 85)).touched)
    assert {v.gate for v in result.verdicts} == {"outside_mask", "seam"}
    assert all(v.passed for v in result.verdicts)


@settings(max_examples=25, deadline=None)
@given(
    x=st.integers(-20, 199),
    y=st.integers(-20, 159),
    w=st.integers(1, 120),
    h=st.integers(1, 120),
    grow=st.integers(0, 6),
    feather=st.integers(0, 9),
)
def test_outside_the_mask_is_always_identical(x: int, y: int, w: int, h: int, grow: int, feather: int) -> None:
    picture = scene()
    if x + w <= 0 or y + h <= 0:
        return
    result = erase(picture, boxes=((x, y, x + w, y + h),), grow_px=grow, feather_px=feather, keep_best=True)
    outside = result.mask.coverage == 0
    assert np.array_equal(result.image.pixels[outside], picture.pixels[outside])
    asked = _box_mask(picture, (max(0, x - grow), max(0, y - grow), x + w + grow, y + h + grow)).touched
    assert not (result.mask.touched & ~asked).any()


def test_a_mask_is_honoured_to_the_pixel() -> None:
    picture = scene()
    cover = np.zeros((160, 200), np.float32)
    cover[48:82, 58:92] = 1.0
    result = erase(picture, mask=Mask.of(cover))
    changed = (result.image.pixels != picture.pixels).any(axis=2)
    assert changed[50:80, 60:90].all() and not (changed & (cover == 0)).any()


def test_points_erase_what_the_finder_finds_a_little_wider() -> None:
    tools = tools_of({Inpainter: SolidFill(), SubjectFinder: FixedFinder(Box(x0=60, y0=50, x1=90, y1=80))})
    result = erase(scene(), tools, points=((75, 65),))
    assert result.status == "done", result.reason
    assert result.mask.box == Box(x0=58, y0=48, x1=92, y1=82)


@pytest.mark.parametrize("params", [{}, {"points": ((3, 3, 0),)}])
def test_nothing_to_erase_is_refused(params: dict[str, Any]) -> None:
    with pytest.raises(BadInput) as caught:
        erase(scene(), **params)
    assert caught.value.code == "nothing_to_erase" and caught.value.hint


def test_points_on_nothing_are_refused() -> None:
    with pytest.raises(BadInput) as caught:
        erase(scene(), tools_of({Inpainter: SolidFill(), SubjectFinder: FixedFinder(None)}), points=((3, 3),))
    assert caught.value.code == "nothing_to_erase"


def test_a_mask_over_everything_is_refused_and_an_empty_one_changes_nothing() -> None:
    picture = scene()
    with pytest.raises(BadInput) as caught:
        erase(picture, mask=Mask.of(np.ones((160, 200), np.float32)))
    assert caught.value.code == "nothing_known"
    result = erase(picture, mask=Mask.of(np.zeros((160, 200), np.float32)))
    assert result.status == "unchanged" and result.image == picture and result.reason


def test_sizes_and_places_are_checked() -> None:
    with pytest.raises(BadInput) as caught:
        erase(scene(), mask=Mask.of(np.ones((4, 4), np.float32)))
    assert caught.value.code == "mask_size"
    with pytest.raises(BadInput) as caught:
        erase(scene(), boxes=((300, 0, 310, 10),))
    assert caught.value.code == "box_outside"
    clipped = erase(scene(), boxes=((190, 100, 260, 120),))
    assert [n.code for n in clipped.notices] == ["box_clipped"]


@pytest.mark.parametrize(
    ("name", "value"), [("boxes", ((0, 0, 5, 5),) * (MAX_BOXES + 1)), ("points", ((1, 1),) * (MAX_POINTS + 1))]
)
def test_too_many_are_refused_by_name(name: str, value: Any) -> None:
    with pytest.raises(BadParams) as caught:
        erase(scene(), **{name: value})
    fault = caught.value.faults[0]
    assert (fault.field, fault.code) == (name, "too_many") and fault.limit


def test_a_visible_seam_is_retried_with_another_engine() -> None:
    ugly = SolidFill("ugly", colour=(255, 255, 255))
    good = SolidFill("good", frozenset({"texture"}))
    result = erase(scene(), tools_of({Inpainter: (ugly, good)}), boxes=((55, 45, 95, 85),), two_pass=False)
    assert result.status == "repaired"
    assert [(a.engine, a.accepted) for a in result.attempts] == [("ugly", False), ("good", True)]
    assert not result.attempts[0].verdicts[1].passed


def test_when_every_fill_fails_the_picture_comes_back() -> None:
    picture = scene()
    tools = tools_of({Inpainter: (SolidFill("ugly", colour=(255, 255, 255)), SolidFill("broken", fails=True))})
    result = erase(picture, tools, boxes=((55, 45, 95, 85),))
    assert result.status == "rolled_back" and result.image == picture and "seam" in result.reason
    assert result.mask.is_empty
    kept = erase(picture, tools, boxes=((55, 45, 95, 85),), keep_best=True)
    assert kept.image != picture
    assert [v.passed for v in kept.verdicts if v.gate == "seam"] == [False]


def test_hints_reach_who_can_follow_them_in_its_coordinates() -> None:
    able = SolidFill("patch", frozenset({"texture"}), frozenset({"copy"}))
    big = scene(600, 800)
    hint = {"kind": "copy", "x0": 300, "y0": 200, "x1": 380, "y1": 260}
    result = erase(big, tools_of({Inpainter: able}), boxes=((400, 300, 440, 330),), hint=hint)
    size, got = able.asked[0]
    assert got is not None and got.kind == "copy"
    assert (got.x1 - got.x0, got.y1 - got.y0) == (80, 60) and got.x1 <= size[0] and got.y1 <= size[1]
    assert size[0] < 800 and not result.notices


def test_a_hint_that_nobody_follows_is_said() -> None:
    result = erase(scene(), boxes=((55, 45, 95, 85),), hint={"kind": "direction", "angle": 30})
    assert [n.code for n in result.notices] == ["hint_not_honoured"]


def test_the_asked_synthesis_is_used_or_refused() -> None:
    smooth, rough = SolidFill("membrane"), SolidFill("patch", frozenset({"texture"}))
    tools = tools_of({Inpainter: (smooth, rough)})
    result = erase(scene(), tools, boxes=((55, 45, 95, 85),), synthesis="patch")
    assert [a.engine for a in result.attempts] == ["patch"] and not smooth.asked
    with pytest.raises(Unavailable):
        erase(scene(), tools, boxes=((55, 45, 95, 85),), synthesis="model")


def test_two_passes_put_texture_on_structure() -> None:
    smooth = SolidFill("membrane", hints=frozenset({"gradient"}))
    rough = SolidFill("patch", frozenset({"texture"}))
    rng = np.random.default_rng(2)
    picture = Picture(rng.integers(60, 190, (160, 200, 3), dtype=np.uint8))
    tools = tools_of({Inpainter: (smooth, rough)})
    result = erase(picture, tools, boxes=((80, 60, 120, 100),), hint={"kind": "gradient"}, max_seam=1.0)
    assert [a.engine for a in result.attempts] == ["membrane", "patch", "membrane + patch"]
    (whole, hint), (small, again) = smooth.asked
    assert small[0] < whole[0], "the structure pass runs on a reduced crop"
    assert hint is not None and again is not None
    assert not any("+" in a.engine for a in erase(picture, tools, boxes=((80, 60, 120, 100),), two_pass=False).attempts)


def test_texture_is_tried_with_the_texture_engine_first() -> None:
    smooth, rough = SolidFill("membrane"), SolidFill("patch", frozenset({"texture"}))
    rng = np.random.default_rng(2)
    picture = Picture(rng.integers(60, 190, (160, 200, 3), dtype=np.uint8))
    result = erase(picture, tools_of({Inpainter: (smooth, rough)}), boxes=((80, 60, 120, 100),), max_seam=1.0)
    assert [a.engine for a in result.attempts] == ["patch", "membrane + patch", "membrane"]
    flat = erase(scene(), tools_of({Inpainter: (smooth, rough)}), boxes=((55, 45, 95, 85),))
    assert flat.attempts[0].engine == "membrane"


def test_large_pictures_are_worked_on_in_crops() -> None:
    fill = SolidFill()
    picture = Picture(np.full((4000, 6000, 3), 128, np.uint8))
    result = erase(picture, tools_of({Inpainter: fill}), boxes=((100, 100, 160, 140), (5000, 3000, 5040, 3060)))
    assert result.status == "done"
    assert len(fill.asked) == 2 and all(w < 500 and h < 500 for (w, h), _ in fill.asked)


def test_many_specks_do_not_cost_a_crop_each() -> None:
    cover = np.zeros((600, 600), np.float32)
    cover[::12, ::12] = 1.0
    cover[:, 400:] = 0.0
    fill = SolidFill()
    erase(Picture(np.full((600, 600, 3), 90, np.uint8)), tools_of({Inpainter: fill}), mask=Mask.of(cover))
    assert 0 < len(fill.asked) <= MAX_REGIONS


def test_cancelling_stops_it() -> None:
    params = validated(EraseParams, {"image": scene(), "boxes": ((55, 45, 95, 85),)})
    with pytest.raises(Cancelled):
        run(params, tools_of({Inpainter: SolidFill()}), Context(cancelled=lambda: True))


def _box_mask(picture: Picture, box: tuple[int, int, int, int]) -> Mask:
    plane = np.zeros((picture.height, picture.width), np.float32)
    plane[max(0, box[1]) : max(0, box[3]), max(0, box[0]) : max(0, box[2])] = 1.0
    return Mask.of(plane)
