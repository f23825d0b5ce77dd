"""Burns text into real photographs and keeps the clean original: the ground truth of text removal.

`burn` draws one `TextSpec`; `random_spec` draws specs from a seed, so that a set is named by one number. The mask is
exact by construction: a pixel is in it when its stored value changed.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

Array = NDArray[np.uint8]
Rgb = tuple[int, int, int]
Style = Literal["caption", "headline", "watermark", "band", "timestamp", "tiny", "rotated", "low_contrast", "lines"]

STYLES: tuple[Style, ...] = (
    "caption",
    "headline",
    "watermark",
    "band",
    "timestamp",
    "tiny",
    "rotated",
    "low_contrast",
    "lines",
)
FONTS = (
    "DejaVuSans.ttf",
    "DejaVuSans-Bold.ttf",
    "DejaVuSerif.ttf",
    "DejaVuSerif-Bold.ttf",
    "DejaVuSans-Oblique.ttf",
    "DejaVuSansMono-Bold.ttf",
    "STIXGeneralBol.ttf",
)
PHRASES = (
    "Summer sale 2026",
    "Limited edition",
    "www.example.com",
    "Photo: Anna Berg",
    "FREE SHIPPING",
    "Breaking news",
    "Sample preview",
    "New collection",
    "Visit our store",
    "Do not copy",
    "Grand opening",
    "Made with love",
    "Добро пожаловать",
    "Only 19.99 today",
    "Follow us online",
)
STAMPS = ("2026-11-21 14:05", "08/03/2019 07:42", "12:59:03", "'98 10 24", "REC 00:14:27")
COLOURS: tuple[Rgb, ...] = (
    (255, 255, 255),
    (0, 0, 0),
    (255, 221, 0),
    (214, 30, 38),
    (20, 90, 200),
    (255, 140, 0),
    (30, 150, 70),
    (235, 235, 235),
)
CONTRAST_MIN = 60.0
"""Luma between burnt text and ground, except in the style "low_contrast": 22…36 beyond the ground's own spread."""
PLACES = 12
SMOOTH_DETAIL = 3.0
"""A ground is plain when 85 % of its pixels stray less than this from the clean picture's low frequencies (σ 3 px)."""


@dataclass(frozen=True)
class TextSpec:
    """How one piece of text is burnt in. Lengths in pixels of the picture; ``at`` is its centre as fractions."""

    text: str
    font: str = "DejaVuSans.ttf"
    size_px: float = 32.0
    colour: Rgb = (255, 255, 255)
    opacity: float = 1.0
    angle: float = 0.0
    at: tuple[float, float] = (0.5, 0.8)
    outline_px: int = 0
    outline: Rgb = (0, 0, 0)
    shadow_px: int = 0
    shadow_opacity: float = 0.6
    band: Rgb | None = None
    band_opacity: float = 0.6
    seven_segment: bool = False
    style: Style = "caption"


@dataclass(frozen=True)
class Burnt:
    """A picture with text, the clean original, the changed pixels (H×W bool), and how the text was made."""

    image: Array
    clean: Array
    mask: NDArray[np.bool_]
    spec: TextSpec

    @property
    def is_plain(self) -> bool:
        """Whether the ground behind the text is smooth, judged on the clean picture around it."""
        rows, columns = np.nonzero(self.mask)
        y0, y1, x0, x1 = rows.min(), rows.max() + 1, columns.min(), columns.max() + 1
        part = self.clean[max(0, y0 - 8) : y1 + 8, max(0, x0 - 8) : x1 + 8].astype(np.float32)
        detail = np.abs(part - cv2.GaussianBlur(part, (0, 0), 3)).max(axis=2)
        return bool(np.percentile(detail, 85) < SMOOTH_DETAIL)


def burn(photo: Array, spec: TextSpec) -> Burnt:
    """`photo` (H×W×3 uint8) with `spec` drawn over it. Text that would leave the picture is moved inside."""
    glyphs, outline, pad = _glyphs(spec)
    layers: list[tuple[NDArray[np.float32], Rgb, float]] = []
    if spec.band is not None:
        plate = np.zeros_like(glyphs)
        margin = pad - max(3, round(0.3 * spec.size_px))
        plate[margin : plate.shape[0] - margin, margin : plate.shape[1] - margin] = 1.0
        layers.append((plate, spec.band, spec.band_opacity))
    if spec.shadow_px:
        moved = np.roll(outline, (spec.shadow_px, spec.shadow_px), (0, 1))
        layers.append((cv2.GaussianBlur(moved, (0, 0), max(0.6, 0.5 * spec.shadow_px)), (0, 0, 0), spec.shadow_opacity))
    if spec.outline_px:
        layers.append((outline, spec.outline, spec.opacity))
    layers.append((glyphs, spec.colour, spec.opacity))
    out = photo.astype(np.float32)
    for cover, colour, opacity in layers:
        alpha = _placed(cover, spec, photo.shape[:2])[:, :, None] * np.float32(opacity)
        out += (np.array(colour, np.float32) - out) * alpha
    image = np.clip(np.rint(out), 0, 255).astype(np.uint8)
    return Burnt(image, photo, (image != photo).any(axis=2), spec)


def random_spec(
    rng: np.random.Generator, photo: Array, style: Style | None = None, *, is_calm: bool = False
) -> TextSpec:
    """A spec that suits the photograph's size, drawn from `rng`; text and ground differ as `CONTRAST_MIN` says.

    With `is_calm` the text goes where the photograph has least detail, out of several places drawn.
    """
    style = style or STYLES[int(rng.integers(len(STYLES)))]
    height, width = photo.shape[:2]
    at = (float(rng.uniform(0.25, 0.75)), float(rng.uniform(0.12, 0.9)))
    size = float(rng.uniform(0.045, 0.075)) * min(height, width)
    phrase = PHRASES[int(rng.integers(len(PHRASES)))]
    made: dict[str, Any] = {"text": phrase, "size_px": max(13.0, size), "at": at, "style": style}
    made["font"] = FONTS[int(rng.integers(len(FONTS)))]
    if style == "headline":
        made.update(text=phrase[:12].strip(), size_px=float(rng.uniform(0.1, 0.15)) * min(height, width))
        made.update(outline_px=int(rng.integers(0, 4)), shadow_px=int(rng.integers(0, 5)))
    elif style == "watermark":
        made.update(
            opacity=float(rng.uniform(0.45, 0.75)), size_px=1.4 * size, angle=float(rng.choice([0, 0, 25, -20]))
        )
    elif style == "band":
        made.update(band=COLOURS[int(rng.choice([0, 1, 3, 4]))], band_opacity=float(rng.choice([0.45, 0.6, 0.75, 1.0])))
    elif style == "timestamp":
        made.update(text=STAMPS[int(rng.integers(len(STAMPS)))], at=(0.8, 0.93), seven_segment=bool(rng.random() < 0.4))
        made.update(size_px=max(14.0, 0.04 * min(height, width)), font="DejaVuSansMono-Bold.ttf")
    elif style == "tiny":
        made.update(size_px=float(rng.uniform(11, 14)), font="DejaVuSans.ttf")
    elif style == "rotated":
        made.update(angle=float(rng.uniform(-35, 35)), shadow_px=int(rng.integers(0, 3)))
    elif style == "lines":
        made.update(text=phrase + "\n" + PHRASES[int(rng.integers(len(PHRASES)))], outline_px=int(rng.integers(0, 3)))
    if is_calm:
        made["at"] = _calmest(rng, photo, TextSpec(**made))
    colour, outline = _colours(rng, photo, TextSpec(**made))
    return TextSpec(**{**made, "colour": colour, "outline": outline})


def cases(seed: int, count: int, photos: dict[str, Array] | None = None) -> list[tuple[str, Burnt]]:
    """`count` burnt pictures over all photographs and styles in turn: (name of the photograph, case)."""
    pool = photos or photographs()
    names = sorted(pool)
    rng = np.random.default_rng(seed)
    out = []
    for index in range(count):
        name = names[index % len(names)]
        style = STYLES[(index // len(names) + index) % len(STYLES)]
        out.append((name, burn(pool[name], random_spec(rng, pool[name], style, is_calm=index % 3 == 2))))
    return out


@lru_cache(maxsize=1)
def photographs() -> dict[str, Array]:
    """The photographs text is burnt into, by name, as RGB; sources and licences: docs/06-ground-truth.md."""
    import skimage
    import sklearn.datasets

    folder = Path(skimage.__file__).parent / "data"
    other = Path(sklearn.datasets.__file__).parent / "images"
    names = ("astronaut.png", "brick.png", "camera.png", "chelsea.png", "coffee.png", "grass.png", "gravel.png")
    files = [folder / name for name in names]
    files += [folder / "hubble_deep_field.jpg", folder / "rocket.jpg", folder / "motorcycle_left.png"]
    files += [other / "china.jpg", other / "flower.jpg"]
    out = {}
    for file in files:
        with Image.open(file) as opened:
            array = np.array(opened.convert("RGB"))
        array.flags.writeable = False
        out[file.stem] = array
    return out


def _calmest(rng: np.random.Generator, photo: Array, spec: TextSpec) -> tuple[float, float]:
    """The place, out of `PLACES` drawn, where the text's frame holds least detail."""
    values = photo.astype(np.float32)
    detail = np.abs(values - cv2.GaussianBlur(values, (0, 0), 3)).max(axis=2)
    places = [(float(x), float(y)) for x, y in rng.uniform(0.1, 0.9, (PLACES, 2))]
    frame = np.ones_like(_glyphs(spec)[0])

    def roughness(at: tuple[float, float]) -> float:
        return float(np.percentile(detail[_placed(frame, replace(spec, at=at), photo.shape[:2]) > 0.5], 90))

    return min(places, key=roughness)


def _colours(rng: np.random.Generator, photo: Array, spec: TextSpec) -> tuple[Rgb, Rgb]:
    ground = float(np.median(_ground(photo, spec)))
    if spec.band is not None and spec.band_opacity > 0:
        ground += (_luma(spec.band) - ground) * spec.band_opacity
    if spec.style == "low_contrast":
        spread = float(np.std(_ground(photo, spec)))
        step = (float(rng.uniform(22, 36)) + spread) * (1 if ground < 128 else -1)
        grey = int(np.clip(ground + step, 0, 255))
        return (grey, grey, grey), (0, 0, 0)
    order = [COLOURS[i] for i in rng.permutation(len(COLOURS))]
    need = CONTRAST_MIN / max(spec.opacity, 0.5)
    colour = next(c for c in order if abs(_luma(c) - ground) >= min(need, 100.0))
    return colour, (0, 0, 0) if _luma(colour) > 110 else (255, 255, 255)


def _ground(photo: Array, spec: TextSpec) -> NDArray[np.float64]:
    """Luma of the pixels that the text's frame covers."""
    glyphs, _, _ = _glyphs(spec)
    at = _placed(np.ones_like(glyphs), spec, photo.shape[:2]) > 0.5
    out: NDArray[np.float64] = photo[at] @ np.array([0.299, 0.587, 0.114])
    return out


def _luma(colour: Rgb) -> float:
    return 0.299 * colour[0] + 0.587 * colour[1] + 0.114 * colour[2]


def _glyphs(spec: TextSpec) -> tuple[NDArray[np.float32], NDArray[np.float32], int]:
    """Coverage of the glyphs and of glyphs with outline, both with the returned margin around the text."""
    pad = round(0.5 * spec.size_px) + spec.outline_px + 3 * spec.shadow_px + 4
    if spec.seven_segment:
        digits = np.pad(_seven_segments(spec.text, spec.size_px), pad)
        return digits, digits, pad
    import matplotlib

    font = ImageFont.truetype(str(Path(matplotlib.get_data_path()) / "fonts" / "ttf" / spec.font), spec.size_px)
    box = ImageDraw.Draw(Image.new("L", (1, 1))).multiline_textbbox((0, 0), spec.text, font=font)
    size = (round(box[2] - box[0]) + 2 * pad, round(box[3] - box[1]) + 2 * pad)
    out: list[NDArray[np.float32]] = []
    for stroke in (0, spec.outline_px):
        layer = Image.new("L", size)
        at = (pad - box[0], pad - box[1])
        ImageDraw.Draw(layer).multiline_text(at, spec.text, 255, font=font, stroke_width=stroke)
        out.append(np.asarray(layer, np.float32) / np.float32(255))
    return out[0], out[1], pad


SEGMENTS = {
    "0": "abcdef", "1": "bc", "2": "abdeg", "3": "abcdg", "4": "bcfg", "5": "acdfg", "6": "acdefg", "7": "abc",
    "8": "abcdefg", "9": "abcdfg", "-": "g",
}  # fmt: skip


def _seven_segments(text: str, size: float) -> NDArray[np.float32]:
    """Digits of a camera's date stamp, drawn four times too large and averaged down."""
    tall, wide, step, thick = (round(4 * size * f) for f in (0.8, 0.45, 0.65, 0.09))
    canvas = np.zeros((tall + 2 * thick, step * len(text) + wide), np.uint8)
    ends = {"a": (0, 0, 1, 0), "b": (1, 0, 1, 1), "c": (1, 1, 1, 2), "d": (0, 2, 1, 2)}
    ends |= {"e": (0, 1, 0, 2), "f": (0, 0, 0, 1), "g": (0, 1, 1, 1)}
    for index, letter in enumerate(text):
        left = index * step + thick
        for name in SEGMENTS.get(letter, ""):
            x0, y0, x1, y1 = ends[name]
            a = (left + x0 * wide, thick + y0 * tall // 2)
            b = (left + x1 * wide, thick + y1 * tall // 2)
            cv2.line(canvas, a, b, 255, thick)
        if letter in ":.":
            for y in (1, 3) if letter == ":" else (4,):
                cv2.circle(canvas, (left + wide // 2, thick + y * tall // 4), thick, 255, -1)
    small = cv2.resize(canvas, (canvas.shape[1] // 4, canvas.shape[0] // 4), interpolation=cv2.INTER_AREA)
    out: NDArray[np.float32] = small.astype(np.float32) / np.float32(255)
    return out


def _placed(cover: NDArray[np.float32], spec: TextSpec, shape: tuple[int, ...]) -> NDArray[np.float32]:
    """`cover` turned by the spec's angle and moved to its place on a plane of the picture's shape."""
    height, width = cover.shape
    turn = cv2.getRotationMatrix2D((width / 2, height / 2), spec.angle, 1.0)
    corners = np.array([[0, 0, 1], [width, 0, 1], [width, height, 1], [0, height, 1]], np.float64) @ turn.T
    low, high = corners.min(axis=0), corners.max(axis=0)
    for axis, size in ((0, shape[1]), (1, shape[0])):
        middle = spec.at[axis] * size
        half = (high[axis] - low[axis]) / 2
        middle = size / 2 if 2 * half >= size else min(max(middle, half), size - half)
        turn[axis, 2] += round(middle - (low[axis] + high[axis]) / 2)
    flags = cv2.INTER_LINEAR if spec.angle else cv2.INTER_NEAREST
    if not spec.angle:
        turn[:, 2] = np.rint(turn[:, 2])
    out: NDArray[np.float32] = cv2.warpAffine(cover, turn, (shape[1], shape[0]), flags=flags)
    return out
