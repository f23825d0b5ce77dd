from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from gesso.contracts.capabilities import Matter, SubjectFinder
from gesso.contracts.context import Context
from gesso.contracts.errors import BadInput, Unavailable
from gesso.contracts.geometry import Box
from gesso.contracts.model import validated
from gesso.contracts.picture import Picture
from gesso.contracts.tools import Tools, tools_of
from gesso.engines.matting.closed_form import ClosedFormMatter
from gesso.engines.subject.finder import GuidedCutFinder
from gesso.operations.cutout import CutoutParams, CutoutResult, run
from tests.support.edits import FixedFinder, FixedMatter
from tests.support.subjects import photograph, scene

FOUND = Box(x0=20, y0=10, x1=60, y1=40)


def picture(dtype: Any = np.uint8) -> Picture:
    pixels = np.full((50, 80, 3), 200 * (np.iinfo(dtype).max // 255), dtype)
    pixels[FOUND.slices] = 50
    return Picture(pixels)


def cutout(image: Picture, tools: Tools, **params: Any) -> CutoutResult:
    return run(validated(CutoutParams, {"image": image, **params}), tools, Context())


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_the_result_has_straight_alpha_and_the_matter_s_colours(dtype: Any) -> None:
    result = cutout(picture(dtype), tools_of({SubjectFinder: FixedFinder(FOUND), Matter: FixedMatter()}))
    assert result.status == "done" and result.image.has_alpha and result.image.pixels.dtype == dtype
    alpha = result.image.alpha
    assert alpha is not None and alpha[20, 30] == np.iinfo(dtype).max and alpha[2, 2] == 0
    assert result.image.pixels[20, 30, :3].tolist() == [10, 20, 30]
    assert result.image.pixels[2, 2, :3].tolist() == [10, 20, 30], "the foreground bleeds under the transparency"
    assert result.mask.coverage[20, 30] == 1.0 and result.confidence == pytest.approx(0.9)


def test_nothing_found_is_an_answer() -> None:
    image = picture()
    for finder in (FixedFinder(None), FixedFinder(FOUND, confidence=0.1)):
        result = cutout(image, tools_of({SubjectFinder: finder}))
        assert (result.status, result.reason, result.confidence) == ("unchanged", "nothing found", 0.0)
        assert result.image == image and result.mask.is_empty
        assert [n.code for n in result.notices] == ["nothing_found"]


def test_guidance_overrides_doubt() -> None:
    tools = tools_of({SubjectFinder: FixedFinder(FOUND, confidence=0.1)})
    assert cutout(picture(), tools, box=(15, 5, 65, 45)).status == "done"
    assert cutout(picture(), tools, points=((30, 20),)).status == "done"


def test_without_a_matter_the_coarse_edge_is_used_and_said() -> None:
    result = cutout(picture(), tools_of({SubjectFinder: FixedFinder(FOUND)}))
    assert [n.code for n in result.notices] == ["not_refined"]
    assert result.image.pixels[20, 30, :3].tolist() == [50, 50, 50]
    silent = cutout(picture(), tools_of({SubjectFinder: FixedFinder(FOUND)}), refine=False)
    assert not silent.notices


@pytest.mark.parametrize("matter", [FixedMatter(fails=True), FixedMatter(factor=0.2)])
def test_refinement_that_fails_or_strays_is_rejected(matter: FixedMatter) -> None:
    result = cutout(picture(), tools_of({SubjectFinder: FixedFinder(FOUND), Matter: matter}))
    assert [a.accepted for a in result.attempts] == [False]
    assert result.mask.coverage[20, 30] == 1.0
    assert [n.code for n in result.notices] == ["not_refined"]


def test_colours_stay_when_they_are_wanted() -> None:
    tools = tools_of({SubjectFinder: FixedFinder(FOUND), Matter: FixedMatter()})
    result = cutout(picture(), tools, decontaminate=False)
    assert np.array_equal(result.image.rgb, picture().pixels)


def test_the_outline_moves() -> None:
    tools = tools_of({SubjectFinder: FixedFinder(FOUND)})
    wide = cutout(picture(), tools, edge_px=3).mask.area
    same = cutout(picture(), tools).mask.area
    thin = cutout(picture(), tools, edge_px=-3).mask.area
    assert thin < same < wide


def test_a_cut_out_comes_back_as_it_is() -> None:
    pixels = np.full((50, 80, 4), 200, np.uint8)
    pixels[:, :40, 3] = 0
    result = cutout(Picture(pixels), tools_of({SubjectFinder: FixedFinder(FOUND)}))
    assert result.status == "unchanged" and np.array_equal(result.image.pixels, pixels)
    opaque = np.full((50, 80, 4), 255, np.uint8)
    assert cutout(Picture(opaque), tools_of({SubjectFinder: FixedFinder(FOUND)})).status == "done"


def test_guidance_is_checked() -> None:
    tools = tools_of({SubjectFinder: FixedFinder(FOUND)})
    clipped = cutout(picture(), tools, box=(-5, -5, 30, 30), refine=False)
    assert [n.code for n in clipped.notices] == ["box_clipped"]
    for params in ({"box": (90, 0, 99, 9)}, {"points": ((80, 0),)}):
        with pytest.raises(BadInput, match="outside"):
            cutout(picture(), tools, **params)


def test_without_a_finder_it_is_unavailable() -> None:
    with pytest.raises(Unavailable):
        cutout(picture(), tools_of({}))


def test_for_real_a_product_on_a_graded_ground() -> None:
    truth = scene("studio", "hard", seed=91, size=(300, 260))
    result = cutout(Picture(truth.image), tools_of({SubjectFinder: GuidedCutFinder(), Matter: ClosedFormMatter()}))
    error = float(np.abs(result.mask.coverage - truth.alpha).mean())
    assert result.status == "done" and error < 0.01, f"alpha error {error:.4f}"


def test_for_real_a_lawn_has_no_subject() -> None:
    tools = tools_of({SubjectFinder: GuidedCutFinder(), Matter: ClosedFormMatter()})
    image = Picture(photograph("grass.png"))
    assert cutout(image, tools).image == image
