import threading
from functools import cache

import cv2
import numpy as np
import pytest
from PIL import Image
from skimage import data

from gesso.contracts.context import Context
from gesso.contracts.errors import Cancelled
from gesso.contracts.picture import Picture
from gesso.engines.upscale.engine import OrientedKriging
from gesso.quality.halo import halo
from gesso.quality.reference import psnr, ssim

ENGINE = OrientedKriging()

SHRINK = {
    "area": lambda a, size: cv2.resize(a, size, interpolation=cv2.INTER_AREA),
    "bicubic": lambda a, size: np.asarray(Image.fromarray(a).resize(size, Image.Resampling.BICUBIC)),
    "lanczos": lambda a, size: np.asarray(Image.fromarray(a).resize(size, Image.Resampling.LANCZOS)),
    "point": lambda a, size: cv2.resize(a, size, interpolation=cv2.INTER_CUBIC),
}


@cache
def photographs() -> tuple[np.ndarray, ...]:
    return tuple(getattr(data, name)()[:360, :384] for name in ("astronaut", "coffee", "rocket"))


def enlarged(pixels: np.ndarray, scale: int) -> np.ndarray:
    return ENGINE.upscale(Picture(np.ascontiguousarray(pixels)), scale).pixels


def lanczos(pixels: np.ndarray, scale: int) -> np.ndarray:
    size = (pixels.shape[1] * scale, pixels.shape[0] * scale)
    return np.asarray(Image.fromarray(pixels).resize(size, Image.Resampling.LANCZOS))


def figures(after: np.ndarray, before: np.ndarray) -> tuple[float, float]:
    a, b = after.astype(np.float32), before.astype(np.float32)
    return psnr(a, b), ssim(a, b)


@pytest.mark.parametrize("scale", [2, 3, 4])
@pytest.mark.parametrize("kernel", sorted(SHRINK))
def test_beats_lanczos_without_its_halos(kernel: str, scale: int) -> None:
    ours, theirs, our_halos, sharpened_halos = [], [], [], []
    for truth in photographs():
        coarse = np.ascontiguousarray(SHRINK[kernel](truth, (truth.shape[1] // scale, truth.shape[0] // scale)))
        mine, other = enlarged(coarse, scale), lanczos(coarse, scale)
        blurred = cv2.GaussianBlur(other, (0, 0), 1.0)
        sharp = np.clip(2.0 * other - blurred.astype(np.float32), 0, 255).astype(np.uint8)
        ours.append(figures(mine, truth))
        theirs.append(figures(other, truth))
        our_halos.append(halo(Picture(mine), Picture(coarse)))
        sharpened_halos.append(halo(Picture(sharp), Picture(coarse)))
        drift = np.abs(cv2.resize(mine.astype(np.float32), coarse.shape[1::-1], interpolation=cv2.INTER_AREA) - coarse)
        assert drift.mean() <= 3.0
    gain = np.mean(ours, axis=0) - np.mean(theirs, axis=0)
    assert (gain > 0).all(), f"PSNR and SSIM against Lanczos: {gain}"
    assert np.mean(our_halos) <= 0.5 * np.mean(sharpened_halos)


@pytest.mark.parametrize("size", [(1, 1), (17, 13), (1, 40), (40, 1), (2, 3)])
@pytest.mark.parametrize("scale", [2, 3, 4])
def test_any_size_works_and_is_exact(size: tuple[int, int], scale: int) -> None:
    pixels = np.random.default_rng(1).integers(0, 256, (*size, 3), dtype=np.uint8)
    out = enlarged(pixels, scale)
    assert out.shape == (size[0] * scale, size[1] * scale, 3) and out.dtype == np.uint8


@pytest.mark.parametrize("level", [0, 1, 128, 255])
def test_a_flat_picture_stays_flat(level: int) -> None:
    assert (enlarged(np.full((30, 30, 3), level, np.uint8), 4) == level).all()


def test_sixteen_bits_give_the_same_picture_and_keep_their_depth() -> None:
    pixels = photographs()[0][:90, :90]
    narrow, wide = enlarged(pixels, 3), enlarged(pixels.astype(np.uint16) * 257, 3)
    assert wide.dtype == np.uint16 and len(np.unique(wide % 257)) > 100
    assert np.abs(wide / 257.0 - narrow).max() <= 0.6


def test_a_slanted_edge_has_no_steps() -> None:
    ys, xs = np.mgrid[0:240, 0:240]
    truth = np.where(xs * 0.9 + ys * 0.35 > 150, 220, 30).astype(np.uint8)
    coarse = SHRINK["area"](np.dstack([truth] * 3), (60, 60))
    mine = np.abs(enlarged(coarse, 4).astype(int) - truth[..., None])[16:-16, 16:-16].mean()
    other = np.abs(lanczos(coarse, 4).astype(int) - truth[..., None])[16:-16, 16:-16].mean()
    assert mine < 0.8 * other


def test_turning_the_picture_turns_the_result() -> None:
    pixels = np.ascontiguousarray(photographs()[1][:80, :100])
    turned = enlarged(np.ascontiguousarray(np.rot90(pixels)), 2)
    assert np.abs(np.rot90(enlarged(pixels, 2)).astype(int) - turned).max() <= 1


def test_threads_agree_and_inputs_stay() -> None:
    picture = Picture(photographs()[2][:100, :100].copy())
    engine = OrientedKriging()
    found: list[str] = []
    work = [threading.Thread(target=lambda: found.append(engine.upscale(picture, 2).sha256)) for _ in range(4)]
    before = picture.pixels.copy()
    for one in work:
        one.start()
    for one in work:
        one.join()
    assert len(set(found)) == 1 and len(found) == 4
    assert (picture.pixels == before).all()


def test_cancels() -> None:
    with pytest.raises(Cancelled):
        ENGINE.upscale(Picture(photographs()[0].copy()), 2, context=Context(cancelled=lambda: True))


def test_says_what_it_is() -> None:
    assert ENGINE.info.deterministic and not ENGINE.is_model and ENGINE.scales == (2, 3, 4)
    assert any("numba" in library for library in ENGINE.info.libraries)
