"""Bar C4: the patch engine against OpenCV's SHIFTMAP (time and quality) and Telea (quality on texture)."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from bench.row import Row
from gesso.contracts.mask import Mask
from gesso.contracts.picture import Picture
from gesso.engines.fill import PatchFill, warm_up

Array = NDArray[np.uint8]
Flags = NDArray[np.bool_]

TEXTURES = ("brick", "grass", "gravel")
PHOTOGRAPHS = (*TEXTURES, "astronaut", "chelsea", "coffee")
SPEED_BAR = 10.0
WORDS = "SAMPLE Photo 2024 gallery Quick brown fox 12:45 Sale Studio"


@dataclass(frozen=True)
class Score:
    """One fill: CPU seconds, and PSNR and SSIM inside the hole against the photograph."""

    seconds: float
    psnr: float
    ssim: float


def run(quick: bool) -> list[Row]:
    """Rows for every size, shape and share of the hole, over the photographs; quick: 512², 5 %, three photographs."""
    cv2.setNumThreads(1)
    warm_up()
    rows: list[Row] = []
    names = ("brick", "grass", "astronaut") if quick else PHOTOGRAPHS
    for side in (512,) if quick else (512, 1024):
        for shape in ("blobs", "strokes"):
            for share in (0.05,) if quick else (0.01, 0.05, 0.15):
                rows += _rows(names, side, shape, share)
    return rows


def _rows(names: tuple[str, ...], side: int, shape: str, share: float) -> list[Row]:
    ours: dict[str, Score] = {}
    shift: dict[str, Score] = {}
    telea: dict[str, Score] = {}
    for k, name in enumerate(names):
        photo = photograph(name, side)
        hole = blobs(side, share, k) if shape == "blobs" else strokes(side, share, k)
        ours[name] = _score(photo, hole, _ours, 1)
        shift[name] = _score(photo, hole, _shiftmap, 1)
        second = _score(photo, hole, _ours, 1)
        ours[name] = min(ours[name], second, key=lambda s: s.seconds)
        telea[name] = max((_score(photo, hole, _telea(r), 1) for r in (3, 5)), key=lambda s: s.psnr)
    what = f"{side}², {shape} {share:.0%}"
    rows = [_speed(what, sum(s.seconds for s in shift.values()), sum(s.seconds for s in ours.values()))]
    for peer, scores in (("SHIFTMAP", shift), ("Telea", telea)):
        chosen = [n for n in names if peer == "SHIFTMAP" or n in TEXTURES]
        where = "" if peer == "SHIFTMAP" else ", textures"
        for figure in ("psnr", "ssim"):
            pair = [float(np.mean([getattr(s[n], figure) for n in chosen])) for s in (scores, ours)]
            judged = peer == "SHIFTMAP" or figure == "ssim" or shape == "strokes"
            rows.append(_quality(f"{what}{where}", peer, figure, pair[0], pair[1], judged))
    return rows


def _speed(what: str, peer: float, ours: float) -> Row:
    ratio = peer / ours
    return Row("C4", f"fill time, {what}", "SHIFTMAP", round(peer, 3), round(ours, 3), "s CPU", round(ratio, 1),
               f">= {SPEED_BAR:.0f}x", ratio >= SPEED_BAR, "sum over the photographs, compiled beforehand")  # fmt: skip


def _quality(what: str, peer: str, figure: str, theirs: float, ours: float, judged: bool) -> Row:
    digits, unit = (2, "dB") if figure == "psnr" else (3, "")
    note = (
        "mean inside the hole" if judged else "mean inside the hole; shown, not judged: a mean grey has the best PSNR"
    )
    return Row("C4", f"{figure.upper()}, {what}", peer, round(theirs, digits), round(ours, digits), unit, None,
               ">= peer" if judged else "-", ours >= theirs if judged else None, note)  # fmt: skip


def _score(photo: Array, hole: Flags, fill: Callable[[Array, Flags], Array], rounds: int) -> Score:
    from skimage.metrics import structural_similarity

    seconds = float("inf")
    for _ in range(rounds):
        start = time.process_time()
        out = fill(photo, hole)
        seconds = min(seconds, time.process_time() - start)
    out = np.where(hole[..., None], out, photo)
    error = float(((out[hole].astype(float) - photo[hole]) ** 2).mean())
    grey = [cv2.cvtColor(p, cv2.COLOR_RGB2GRAY) for p in (out, photo)]
    alike: Any = structural_similarity(*grey, data_range=255, full=True)[1]
    return Score(seconds, 10 * float(np.log10(255.0**2 / max(error, 1e-9))), float(alike[hole].mean()))


def _ours(photo: Array, hole: Flags) -> Array:
    return np.asarray(PatchFill().fill(Picture(photo), Mask.of(hole)).pixels, np.uint8)


def _shiftmap(photo: Array, hole: Flags) -> Array:
    """OpenCV's SHIFTMAP: 8-bit Lab, and a mask that is non-zero where pixels are kept."""
    lab = cv2.cvtColor(photo, cv2.COLOR_RGB2Lab)
    out = np.zeros_like(lab)
    cv2.xphoto.inpaint(lab, np.where(hole, 0, 255).astype(np.uint8), out, cv2.xphoto.INPAINT_SHIFTMAP)
    return np.asarray(cv2.cvtColor(out, cv2.COLOR_Lab2RGB))


def _telea(radius: int) -> Callable[[Array, Flags], Array]:
    return lambda photo, hole: np.asarray(cv2.inpaint(photo, hole.astype(np.uint8), radius, cv2.INPAINT_TELEA))


def photograph(name: str, side: int) -> Array:
    """The central square of one of scikit-image's photographs at side×side pixels."""
    from skimage import data

    array = np.asarray(getattr(data, name)())
    array = np.repeat(array[..., None], 3, axis=2) if array.ndim == 2 else array
    least = min(array.shape[:2])
    y, x = (array.shape[0] - least) // 2, (array.shape[1] - least) // 2
    way = cv2.INTER_AREA if least > side else cv2.INTER_CUBIC
    square = np.ascontiguousarray(array[y : y + least, x : x + least, :3])
    return np.asarray(square if least == side else cv2.resize(square, (side, side), interpolation=way), np.uint8)


def blobs(side: int, share: float, seed: int) -> Flags:
    """Rounded holes that cover `share` of the square: smoothed noise above its quantile."""
    noise = np.random.default_rng(seed).standard_normal((side, side)).astype(np.float32)
    noise = cv2.GaussianBlur(noise, (0, 0), 0.05 * side)
    return np.asarray(noise > np.quantile(noise, 1.0 - share))


def strokes(side: int, share: float, seed: int) -> Flags:
    """Lines of words, 16 to 64 pixels high, dilated by 2 pixels, until they cover `share` of the square."""
    rng = np.random.default_rng(seed)
    canvas = Image.new("L", (side, side))
    draw = ImageDraw.Draw(canvas)
    y = 4.0
    while y < side and (np.asarray(canvas) > 0).mean() < share / 1.7:
        size = int(rng.integers(16, 65))
        draw.text((int(rng.integers(0, 12)), y), " ".join(rng.permutation(WORDS.split())), fill=255,
                  font=ImageFont.load_default(size))  # fmt: skip
        y += 1.3 * size
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (5, 5))
    hole = cv2.dilate((np.asarray(canvas) > 32).astype(np.uint8), kernel) > 0
    rows = np.searchsorted(np.cumsum(hole.sum(axis=1)), share * hole.size)
    hole[rows + 1 :] = False
    return np.asarray(hole)
