"""The contract of `Inpainter` for both fill engines, and what each is for."""

from __future__ import annotations

import threading
from pathlib import Path

import cv2
import numpy as np
import pytest
import skimage
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from skimage.metrics import structural_similarity

from gesso.contracts.context import Context
from gesso.contracts.errors import Cancelled, EngineFailed
from gesso.contracts.geometry import Point
from gesso.contracts.hint import ContinueDirection, ContinueEdge, CopyFrom, ExtendGradient
from gesso.contracts.mask import Mask
from gesso.contracts.picture import Picture
from gesso.engines.fill import MembraneFill, PatchFill

ENGINES = (MembraneFill(), PatchFill())
IDS = [engine.info.id for engine in ENGINES]
BOTH = pytest.mark.parametrize("engine", ENGINES, ids=IDS)


def photograph(name: str) -> np.ndarray:
    file = Path(skimage.__file__).parent / "data" / name
    return np.ascontiguousarray(cv2.cvtColor(cv2.imread(str(file)), cv2.COLOR_BGR2RGB))


def disc(h: int, w: int, radius: int) -> np.ndarray:
    y, x = np.mgrid[:h, :w]
    return (y - h // 2) ** 2 + (x - w // 2) ** 2 <= radius**2


def letters(h: int, w: int) -> np.ndarray:
    mask = np.zeros((h, w), np.uint8)
    for y in range(40, h, 50):
        cv2.putText(mask, "Sample 2024", (6, y), cv2.FONT_HERSHEY_SIMPLEX, 1.0, 255, 3)
    return cv2.dilate((mask > 100).astype(np.uint8), np.ones((5, 5), np.uint8)) > 0


def psnr(a: np.ndarray, b: np.ndarray, where: np.ndarray) -> float:
    error = ((a[where].astype(float) - b[where]) ** 2).mean()
    return float(10 * np.log10(255.0**2 / max(error, 1e-9)))


def ssim(a: np.ndarray, b: np.ndarray, where: np.ndarray) -> float:
    grey = [cv2.cvtColor(p, cv2.COLOR_RGB2GRAY) for p in (a, b)]
    return float(structural_similarity(*grey, data_range=255, full=True)[1][where].mean())


@BOTH
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    height=st.integers(1, 40),
    width=st.integers(1, 40),
    channels=st.sampled_from((3, 4)),
    deep=st.booleans(),
    kind=st.sampled_from(("specks", "rectangle", "border", "nearly all")),
    seed=st.integers(0, 2**32 - 1),
)
def test_any_hole_is_filled_and_nothing_else_changes(engine, height, width, channels, deep, kind, seed):  # type: ignore[no-untyped-def]
    rng = np.random.default_rng(seed)
    dtype = np.uint16 if deep else np.uint8
    pixels = rng.integers(0, np.iinfo(dtype).max, (height, width, channels), dtype=dtype, endpoint=True)
    hole = rng.random((height, width)) < 0.3
    if kind == "rectangle":
        hole[:] = False
        hole[height // 4 : 3 * height // 4, width // 4 : 3 * width // 4] = True
    elif kind == "border":
        hole[:] = True
        hole[height // 3 : height // 2 + 1, width // 3 : width // 2 + 1] = False
    elif kind == "nearly all":
        hole[:] = True
        hole[rng.integers(height), rng.integers(width)] = False
    hole[0, 0] &= hole.size > 1 and not hole.all()
    picture, mask = Picture(pixels), Mask.of(hole * rng.uniform(0.2, 1.0, hole.shape))
    first = engine.fill(picture, mask, seed=seed)
    assert first.pixels.shape == pixels.shape and first.pixels.dtype == dtype
    assert np.array_equal(first.pixels[~hole], pixels[~hole])
    assert first == engine.fill(picture, mask, seed=seed)


@BOTH
def test_hidden_pixels_are_no_evidence(engine):  # type: ignore[no-untyped-def]
    photo = photograph("brick.png")[:120, :120]
    hole = disc(120, 120, 20) | (letters(120, 120) & (np.arange(120) < 30))
    other = photo.copy()
    other[hole] = (255, 0, 255)
    mask = Mask.of(hole)
    assert engine.fill(Picture(photo), mask) == engine.fill(Picture(other), mask)


@BOTH
def test_nothing_known_is_refused(engine):  # type: ignore[no-untyped-def]
    with pytest.raises(EngineFailed) as caught:
        engine.fill(Picture(np.zeros((9, 9, 3), np.uint8)), Mask.of(np.ones((9, 9))))
    assert caught.value.code == "nothing_known" and caught.value.hint


@BOTH
def test_an_empty_mask_changes_nothing(engine):  # type: ignore[no-untyped-def]
    picture = Picture(photograph("brick.png")[:32, :32])
    assert engine.fill(picture, Mask.of(np.zeros((32, 32)))) is picture


@BOTH
def test_cancellation_is_obeyed(engine):  # type: ignore[no-untyped-def]
    calls = iter([False, True])
    context = Context(cancelled=lambda: next(calls, True))
    hole = letters(200, 200) | disc(200, 200, 30)
    with pytest.raises(Cancelled):
        engine.fill(Picture(photograph("grass.png")[:200, :200]), Mask.of(hole), context=context)


@BOTH
def test_progress_rises_within_its_span(engine):  # type: ignore[no-untyped-def]
    seen: list[float] = []
    context = Context(on_progress=lambda fraction, message: seen.append(fraction))
    hole = disc(160, 160, 16)
    hole[20:24, 10:80] = True
    engine.fill(Picture(photograph("grass.png")[:160, :160]), Mask.of(hole), context=context)
    assert seen and seen == sorted(seen) and seen[0] >= 0.0 and seen[-1] <= 1.0


@BOTH
def test_threads_do_not_disturb_each_other(engine):  # type: ignore[no-untyped-def]
    hole = disc(96, 96, 14)
    hole[5:9, 5:60] = True
    pictures = [Picture(photograph(n)[:96, :96]) for n in ("brick.png", "grass.png", "gravel.png")]
    alone = [engine.fill(p, Mask.of(hole), seed=3) for p in pictures]
    together: dict[int, Picture] = {}

    def work(k: int) -> None:
        together[k] = engine.fill(pictures[k % 3], Mask.of(hole), seed=3)

    threads = [threading.Thread(target=work, args=(k,)) for k in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(together[k] == alone[k % 3] for k in range(6))


@pytest.mark.parametrize("radius", [4, 30])
@BOTH
def test_a_gradient_comes_back_within_two_levels(engine, radius):  # type: ignore[no-untyped-def]
    y, x = np.mgrid[:140, :180].astype(float)
    photo = np.rint(np.stack([40 + x * 0.8, 200 - y, 60 + 0.4 * x + 0.5 * y], axis=2)).astype(np.uint8)
    hole = disc(140, 180, radius)
    out = engine.fill(Picture(photo), Mask.of(hole), hint=ExtendGradient())
    limit = 2 if engine.info.id == "membrane" or radius == 4 else 6
    assert int(np.abs(out.pixels.astype(int) - photo)[hole].max()) <= limit


@pytest.mark.parametrize("sigma", [0.0, 2.0, 6.0])
def test_the_membrane_is_never_behind_telea_on_plain_grounds(sigma):  # type: ignore[no-untyped-def]
    rng = np.random.default_rng(5)
    y, x = np.mgrid[:200, :300].astype(float)
    clean = np.stack([90 + 0.2 * x, 140 + 0.1 * y, 170 - 0.1 * x], axis=2) + 8 * np.sin(x / 60)[..., None]
    photo = np.clip(np.rint(clean + sigma * rng.standard_normal(clean.shape)), 0, 255).astype(np.uint8)
    hole = letters(200, 300)
    ours = MembraneFill().fill(Picture(photo), Mask.of(hole)).pixels
    peer = cv2.inpaint(photo, hole.astype(np.uint8), 3, cv2.INPAINT_TELEA)
    assert psnr(ours, photo, hole) >= psnr(peer, photo, hole) - 0.3


@pytest.mark.parametrize(("name", "gain"), [("brick.png", 0.1), ("grass.png", -0.15), ("gravel.png", -0.15)])
def test_thick_holes_on_texture_are_like_the_original_and_sharp(name, gain):  # type: ignore[no-untyped-def]
    photo = photograph(name)[100:356, 100:356]
    hole = np.roll(disc(256, 256, 24), 60, axis=1) | np.roll(disc(256, 256, 20), -55, axis=0)
    ours = PatchFill().fill(Picture(photo), Mask.of(hole)).pixels
    peer = cv2.inpaint(photo, hole.astype(np.uint8), 3, cv2.INPAINT_TELEA)
    assert ssim(ours, photo, hole) > ssim(peer, photo, hole) + gain
    sharp = [float(cv2.Laplacian(p[..., 0], cv2.CV_64F)[hole].std()) for p in (photo, ours, peer)]
    assert sharp[1] > 0.6 * sharp[0] > sharp[2], "blurred"


@pytest.mark.parametrize(
    ("name", "gain"), [("brick.png", 2.0), ("grass.png", 0.3), ("gravel.png", 0.5), ("chelsea.png", 1.5)]
)
def test_letters_on_texture_beat_telea(name, gain):  # type: ignore[no-untyped-def]
    photo = photograph(name)[40:290, 60:330]
    hole = letters(*photo.shape[:2])
    ours = PatchFill().fill(Picture(photo), Mask.of(hole)).pixels
    peers = [cv2.inpaint(photo, hole.astype(np.uint8), r, cv2.INPAINT_TELEA) for r in (3, 5)]
    assert psnr(ours, photo, hole) >= max(psnr(p, photo, hole) for p in peers) + gain
    assert ssim(ours, photo, hole) > max(ssim(p, photo, hole) for p in peers)


def test_a_copy_hint_restricts_the_source():  # type: ignore[no-untyped-def]
    rng = np.random.default_rng(2)
    photo = np.zeros((160, 240, 3), np.uint8)
    photo[..., 0] = rng.integers(0, 80, (160, 240))
    photo[20:80, 180:230] = 0
    photo[20:80, 180:230, 1] = rng.integers(150, 250, (60, 50))
    hole = disc(160, 240, 24)
    hint = CopyFrom(x0=182, y0=22, x1=228, y1=78)
    plain = PatchFill().fill(Picture(photo), Mask.of(hole)).pixels
    asked = PatchFill().fill(Picture(photo), Mask.of(hole), hint=hint).pixels
    inner = disc(160, 240, 10)
    assert asked[inner][:, 1].std() > 10 > plain[inner][:, 1].std()


def test_a_copy_hint_without_room_is_refused():  # type: ignore[no-untyped-def]
    picture, mask = Picture(photograph("brick.png")[:64, :64]), Mask.of(disc(64, 64, 12))
    with pytest.raises(EngineFailed) as caught:
        PatchFill().fill(picture, mask, hint=CopyFrom(x0=60, y0=0, x1=500, y1=40))
    assert caught.value.code == "copy_too_small" and caught.value.hint


@pytest.mark.parametrize("angle", [0.0, 35.0, 90.0, -60.0])
def test_a_direction_hint_continues_stripes(angle):  # type: ignore[no-untyped-def]
    y, x = np.mgrid[:180, :180].astype(float)
    across = x * np.sin(np.radians(angle)) + y * np.cos(np.radians(angle))
    value = np.interp(across, np.arange(-200, 400, 5), np.random.default_rng(1).integers(20, 230, 120))
    photo = np.repeat(np.rint(value).astype(np.uint8)[..., None], 3, axis=2)
    hole = disc(180, 180, 26)
    out = PatchFill().fill(Picture(photo), Mask.of(hole), hint=ContinueDirection(angle=angle)).pixels
    assert psnr(out, photo, hole) > 26.0


def test_an_edge_hint_continues_the_edge():  # type: ignore[no-untyped-def]
    rng = np.random.default_rng(4)
    y, x = np.mgrid[:180, :180].astype(float)
    photo = np.where((y > 60 + 0.4 * x)[..., None], (200, 180, 90), (40, 60, 160)) + rng.normal(0, 4, (180, 180, 3))
    photo = np.clip(photo, 0, 255).astype(np.uint8)
    hole = disc(180, 180, 30)
    hint = ContinueEdge(points=(Point(x=40, y=76), Point(x=140, y=116)))
    out = PatchFill().fill(Picture(photo), Mask.of(hole), hint=hint).pixels
    assert psnr(out, photo, hole) > 26.0


def test_alpha_is_continued_like_a_colour():  # type: ignore[no-untyped-def]
    photo = np.dstack([photograph("brick.png")[:128, :128], np.full((128, 128), 255, np.uint8)])
    photo[:, 64:, 3] = 0
    hole = disc(128, 128, 18)
    for engine in ENGINES:
        alpha = engine.fill(Picture(photo), Mask.of(hole)).pixels[..., 3]
        assert alpha[64, 50] > 200 and alpha[64, 78] < 55


def test_sixteen_bits_keep_their_depth():  # type: ignore[no-untyped-def]
    y, x = np.mgrid[:100, :100]
    photo = np.repeat((20000 + 37 * x + 11 * y)[..., None], 3, axis=2).astype(np.uint16)
    hole = disc(100, 100, 15)
    out = MembraneFill().fill(Picture(photo), Mask.of(hole)).pixels
    assert np.abs(out.astype(int) - photo)[hole].max() < 128
    assert np.unique(out[hole] % 257).size > 20
