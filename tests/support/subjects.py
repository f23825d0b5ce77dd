"""Ground truth for cut-outs: rendered subjects with known straight alpha, laid over grounds of several kinds.

The photographs are those bundled with scikit-image and scikit-learn (free licences, see docs); nothing is downloaded.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

Ground = Literal["white", "grey", "gradient", "studio", "bokeh", "texture"]
Edge = Literal["hard", "soft", "hair"]
Array = NDArray[np.float32]


@dataclass(frozen=True)
class Scene:
    """A composite with its truth. ``image`` H×W×3 uint8; ``alpha`` H×W and ``foreground`` H×W×3 float32 in 0…1."""

    image: NDArray[np.uint8]
    alpha: Array
    foreground: Array


@cache
def photograph(name: str) -> NDArray[np.uint8]:
    """A bundled photograph as H×W×3 uint8: a file name of skimage/data, or china.jpg and flower.jpg of scikit-learn."""
    import skimage
    import sklearn

    folders = (Path(skimage.__file__).parent / "data", Path(sklearn.__file__).parent / "datasets" / "images")
    path = next(f / name for f in folders if (f / name).is_file())
    with Image.open(path) as image:
        return np.asarray(image.convert("RGB"))


def scene(ground: Ground, edge: Edge, *, seed: int, size: tuple[int, int] = (512, 512), shadow: bool = False) -> Scene:
    """One subject on one ground, with sensor noise and mild JPEG compression. `size` is (width, height)."""
    rng = np.random.default_rng(seed)
    alpha = _outline(rng, size, edge)
    fore = _material(rng, size)
    back = ground_of(ground, size, rng)
    if shadow:
        cast = cv2.GaussianBlur(np.roll(alpha, (size[1] // 24, size[0] // 40), (0, 1)), (0, 0), size[1] / 40)
        back = back * (1.0 - 0.45 * cast[:, :, None])
    mixed = fore * alpha[:, :, None] + back * (1.0 - alpha[:, :, None])
    noisy = np.clip(mixed * 255.0 + rng.normal(0.0, 1.2, mixed.shape), 0, 255).astype(np.uint8)
    ok, data = cv2.imencode(".jpg", noisy[:, :, ::-1], [cv2.IMWRITE_JPEG_QUALITY, 95])
    assert ok
    decoded: Any = cv2.imdecode(data, cv2.IMREAD_COLOR)
    image = np.ascontiguousarray(decoded[:, :, ::-1])
    return Scene(image, alpha, fore)


def ground_of(ground: Ground, size: tuple[int, int], rng: np.random.Generator) -> Array:
    """An H×W×3 float32 background in 0…1."""
    width, height = size
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    flat = np.ones((height, width, 3), np.float32)
    if ground == "white":
        flat *= np.float32(0.97)
        return flat
    if ground == "grey":
        flat *= (0.35 + 0.4 * rng.random(3)).astype(np.float32)
        return flat
    if ground == "gradient":
        first, second = rng.random(3), rng.random(3)
        second = first + np.clip(second - first, -0.35, 0.35)
        angle = rng.uniform(0, 2 * np.pi)
        t = ((x / width - 0.5) * np.cos(angle) + (y / height - 0.5) * np.sin(angle) + 0.7) / 1.4
        graded: Array = (first + (second - first) * t[:, :, None]).astype(np.float32)
        return graded
    if ground == "studio":
        glow = np.exp(-(((x / width - 0.5) / 0.6) ** 2 + ((y / height - 0.4) / 0.7) ** 2))
        floor = 1.0 / (1.0 + np.exp(-(y / height - 0.75) * 25))
        level = 0.45 + 0.4 * glow - 0.12 * floor
        lit: Array = (level[:, :, None] * (0.9 + 0.1 * rng.random(3))).astype(np.float32)
        return lit
    name = str(
        rng.choice(["grass.png", "brick.png", "gravel.png"] if ground == "texture" else ["china.jpg", "rocket.jpg"])
    )
    photo = cv2.resize(photograph(name), (width, height), interpolation=cv2.INTER_AREA).astype(np.float32) / 255.0
    if ground == "bokeh":
        photo = cv2.GaussianBlur(photo, (0, 0), height / 40)
    out: Array = photo
    return out


def _outline(rng: np.random.Generator, size: tuple[int, int], edge: Edge) -> Array:
    """A smooth closed shape with a neck, antialiased by 4×4 supersampling, with fine hairs where asked for."""
    width, height = size
    fine = 4
    canvas = np.zeros((height * fine, width * fine), np.uint8)
    angles = np.linspace(0, 2 * np.pi, 720, endpoint=False)
    radius = np.ones_like(angles)
    for k in range(2, 8):
        radius += rng.uniform(-0.22, 0.22) / k * np.cos(k * angles + rng.uniform(0, 2 * np.pi))
    reach = 0.27 * min(width, height) * fine
    middle = np.array([width * rng.uniform(0.42, 0.58), height * rng.uniform(0.42, 0.58)]) * fine
    points = middle + reach * radius[:, None] * np.stack([np.cos(angles), 1.15 * np.sin(angles)], axis=1)
    cv2.fillPoly(canvas, [np.rint(points).astype(np.int32)], 255, cv2.LINE_8)
    if edge == "hair":
        for start in rng.choice(720, 260):
            _hair(canvas, points[start], angles[start], rng, fine)
    alpha: Array = cv2.resize(canvas, (width, height), interpolation=cv2.INTER_AREA).astype(np.float32) / 255.0
    if edge == "soft":
        alpha = cv2.GaussianBlur(alpha, (0, 0), 3.0)
    return alpha


def _hair(canvas: NDArray[np.uint8], root: Any, angle: float, rng: np.random.Generator, fine: int) -> None:
    steps = np.linspace(0, 1, 12)
    length, bend = rng.uniform(12, 42) * fine, rng.uniform(-0.9, 0.9)
    heading = angle + bend * steps
    path = root + np.cumsum(length / 12 * np.stack([np.cos(heading), np.sin(heading)], axis=1), axis=0)
    cv2.polylines(canvas, [np.rint(path).astype(np.int32)], False, 255, int(rng.integers(3, 7)), cv2.LINE_8)


def _material(rng: np.random.Generator, size: tuple[int, int]) -> Array:
    """Surface colours: a photograph's crop, tinted and shaded like a round body."""
    width, height = size
    name = str(rng.choice(["coffee.png", "flower.jpg", "motorcycle_left.png", "astronaut.png"]))
    photo = photograph(name)
    side = min(photo.shape[:2]) // 2
    top, left = int(rng.integers(0, photo.shape[0] - side)), int(rng.integers(0, photo.shape[1] - side))
    crop = cv2.resize(photo[top : top + side, left : left + side], (width, height), interpolation=cv2.INTER_CUBIC)
    tint = rng.uniform(0.25, 1.0, 3)
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    shade = 1.05 - 0.6 * np.hypot(x / width - 0.4, y / height - 0.35)
    mixed = (0.35 * crop.astype(np.float32) / 255.0 + 0.5 * tint) * shade[:, :, None]
    colours: Array = np.clip(mixed, 0.0, 1.0).astype(np.float32)
    return colours
