from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import cv2
import numpy as np
import pytest

from gesso.contracts.errors import BadInput
from gesso.contracts.geometry import Box, Point
from gesso.contracts.picture import Picture
from gesso.engines.subject.finder import GuidedCutFinder
from tests.support.subjects import Ground, Scene, photograph, scene

FINDER = GuidedCutFinder()


def overlap(truth: Scene, found: np.ndarray) -> float:
    a, b = truth.alpha > 0.5, found > 0.5
    return float((a & b).sum() / (a | b).sum())


@pytest.mark.parametrize("ground", ["white", "grey", "gradient", "studio"])
def test_finds_a_subject_on_plain_ground(ground: Ground) -> None:
    truth = scene(ground, "hard", seed=31, size=(320, 280))
    found = FINDER.find_subject(Picture(truth.image))
    assert found is not None
    assert found.confidence > 0.8
    score = overlap(truth, found.mask.coverage)
    assert score > 0.95, f"IoU {score:.3f}"


def test_finds_a_subject_on_texture_given_its_box() -> None:
    truth = scene("texture", "hard", seed=12, size=(320, 320))
    rows, columns = np.flatnonzero(truth.alpha.any(axis=1)), np.flatnonzero(truth.alpha.any(axis=0))
    box = Box(x0=int(columns[0]), y0=int(rows[0]), x1=int(columns[-1]) + 1, y1=int(rows[-1]) + 1)
    found = FINDER.find_subject(Picture(truth.image), box=box)
    assert found is not None
    assert overlap(truth, found.mask.coverage) > 0.85
    outside = np.ones(truth.alpha.shape, bool)
    outside[box.grown(4, 320, 320).slices] = False
    assert not (found.mask.coverage[outside] > 0.5).any()


@pytest.mark.parametrize("name", ["grass.png", "gravel.png", "hubble_deep_field.jpg"])
def test_textures_hold_nothing(name: str) -> None:
    assert FINDER.find_subject(Picture(photograph(name)[:400, :400])) is None


@pytest.mark.parametrize("kind", ["flat", "ramp", "noise", "tiny"])
def test_empty_pictures_hold_nothing(kind: str) -> None:
    rng = np.random.default_rng(5)
    picture = {
        "flat": np.full((200, 300, 3), 120, np.uint8),
        "ramp": np.repeat(np.tile(np.linspace(30, 220, 300), (200, 1))[:, :, None], 3, 2).astype(np.uint8),
        "noise": rng.integers(0, 256, (200, 300, 3), dtype=np.uint8),
        "tiny": rng.integers(0, 256, (3, 5, 3), dtype=np.uint8),
    }[kind]
    assert FINDER.find_subject(Picture(picture)) is None


def test_points_choose_between_two_subjects() -> None:
    picture = np.full((240, 400, 3), 235, np.uint8)
    picture[80:160, 60:140] = (200, 30, 30)
    picture[80:160, 260:340] = (30, 30, 200)
    found = FINDER.find_subject(Picture(picture), points=(Point(x=300, y=120), Point(x=100, y=120, label=0)))
    assert found is not None
    assert found.mask.coverage[120, 300] > 0.9 and found.mask.coverage[120, 100] == 0.0
    area = float((found.mask.coverage > 0.5).sum())
    assert abs(area - 6400) < 500


def test_a_small_object_in_a_large_picture_is_cut_from_close_by() -> None:
    picture = np.full((1800, 2400, 3), 210, np.uint8)
    picture[600:700, 1500:1620] = (40, 90, 160)
    found = FINDER.find_subject(Picture(picture))
    assert found is not None
    true = np.zeros((1800, 2400), bool)
    true[600:700, 1500:1620] = True
    got = found.mask.coverage > 0.5
    assert (got & true).sum() / (got | true).sum() > 0.95


def test_deep_and_transparent_pictures_are_read_alike() -> None:
    truth = scene("grey", "hard", seed=8, size=(200, 200))
    shallow = FINDER.find_subject(Picture(truth.image))
    deep = FINDER.find_subject(Picture(truth.image.astype(np.uint16) * 257))
    assert shallow is not None and deep is not None
    assert shallow.mask == deep.mask


def test_guidance_outside_the_picture_is_refused() -> None:
    picture = Picture(np.zeros((50, 50, 3), np.uint8))
    with pytest.raises(BadInput, match="outside"):
        FINDER.find_subject(picture, box=Box(x0=60, y0=0, x1=70, y1=10))
    with pytest.raises(BadInput, match="outside"):
        FINDER.find_subject(picture, points=(Point(x=50, y=2),))


def test_same_picture_same_mask_in_any_thread() -> None:
    picture = Picture(scene("studio", "hair", seed=4, size=(240, 240)).image)
    with ThreadPoolExecutor(3) as pool:
        masks = [found.mask.sha256 for found in pool.map(FINDER.find_subject, [picture] * 3) if found]
    assert len(masks) == 3 and len(set(masks)) == 1


@pytest.mark.parametrize("tone", [60, 128, 200])
def test_a_neutral_object_is_not_taken_for_its_own_shadow(tone: int) -> None:
    """A box of the ground's hue, lighter or darker than its soft shadow: the object must stay whole."""
    cast = np.zeros((300, 400), np.float32)
    cast[200:225, 140:290] = 1.0
    ground = 245.0 * (1.0 - 0.5 * cv2.GaussianBlur(cast, (0, 0), 8))
    picture = np.repeat(ground[:, :, None], 3, axis=2)
    picture[80:215, 130:250] = tone - 15 * np.linspace(0, 1, 120)[None, :, None]
    picture += np.random.default_rng(3).normal(0, 1.0, picture.shape)
    found = FINDER.find_subject(Picture(np.clip(picture, 0, 255).astype(np.uint8)))
    assert found is not None
    body = found.mask.coverage[84:211, 134:246]
    assert float((body > 0.5).mean()) > 0.97
    assert not (found.mask.coverage[:70] > 0.5).any()
