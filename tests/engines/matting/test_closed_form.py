from __future__ import annotations

import numpy as np
import pytest

from gesso.contracts.mask import Mask
from gesso.contracts.picture import Picture
from gesso.engines.matting.closed_form import ClosedFormMatter, warm_up
from gesso.engines.matting.trimap import UNKNOWN, trimap_of
from gesso.imaging.compose import dilate
from tests.support.subjects import Edge, Ground, scene

MATTER = ClosedFormMatter()


@pytest.mark.parametrize(("ground", "edge"), [("grey", "soft"), ("gradient", "hair"), ("white", "hard")])
def test_the_matte_is_nearer_to_the_truth_than_the_mask(ground: Ground, edge: Edge) -> None:
    truth = scene(ground, edge, seed=21, size=(320, 320))
    coarse = Mask.of(dilate((truth.alpha > 0.5).astype(np.float32), 2.5))
    found = MATTER.matte(Picture(truth.image), coarse)
    before = float(np.abs(coarse.coverage - truth.alpha).mean())
    after = float(np.abs(found.alpha.coverage - truth.alpha).mean())
    assert after < 0.6 * before, f"alpha error {after:.4f}, coarse {before:.4f}"
    edges = (truth.alpha > 0.15) & (truth.alpha < 0.9) & (found.alpha.coverage > 0.15)
    fringe = float(np.abs(found.foreground.pixels / 255.0 - truth.foreground)[edges].mean())
    raw = float(np.abs(truth.image / 255.0 - truth.foreground)[edges].mean())
    assert fringe < 0.75 * raw, f"fringe {fringe:.4f}, untreated {raw:.4f}"


def test_opaque_colours_and_far_pixels_keep_their_bytes() -> None:
    truth = scene("grey", "hard", seed=2, size=(200, 160))
    coarse = Mask.of((truth.alpha > 0.5).astype(np.float32))
    found = MATTER.matte(Picture(truth.image), coarse)
    opaque = found.alpha.coverage == 1.0
    assert opaque.any()
    assert np.array_equal(found.foreground.pixels[opaque], truth.image[opaque])
    assert found.alpha.coverage[0, 0] == 0.0
    assert found.foreground.size == (200, 160)


def test_a_deep_picture_stays_deep_and_a_large_one_is_solved_small() -> None:
    truth = scene("studio", "hard", seed=5, size=(1100, 1000))
    coarse = Mask.of((truth.alpha > 0.5).astype(np.float32))
    found = MATTER.matte(Picture(truth.image.astype(np.uint16) * 257), coarse)
    assert found.foreground.bit_depth == 16
    assert float(np.abs(found.alpha.coverage - truth.alpha).mean()) < 0.006


@pytest.mark.parametrize("value", [0.0, 1.0])
def test_nothing_to_decide(value: float) -> None:
    picture = Picture(np.full((20, 30, 3), 90, np.uint8))
    coarse = Mask.of(np.full((20, 30), value, np.float32))
    found = MATTER.matte(picture, coarse)
    assert np.array_equal(found.alpha.coverage, coarse.coverage)
    assert found.foreground == picture


def test_the_trimap_leaves_body_and_ground_certain() -> None:
    lab = np.zeros((120, 120, 3), np.float32) + np.float32(90.0)
    lab[30:90, 30:90] = (30.0, 20.0, 10.0)
    lab[20:30, 58:62] = (30.0, 20.0, 10.0)
    coarse = np.zeros((120, 120), np.float32)
    coarse[30:90, 30:90] = 1.0
    trimap = trimap_of(lab, coarse)
    assert trimap[60, 60] == 1.0 and trimap[5, 5] == 0.0
    assert trimap[30, 45] == UNKNOWN
    assert trimap[26, 60] == UNKNOWN, "a strand outside the mask is for matting to decide"
    assert trimap[26, 80] == 0.0


def test_warm_up_runs() -> None:
    warm_up()
