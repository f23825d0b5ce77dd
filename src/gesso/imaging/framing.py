"""Choosing what part of a picture to keep, and fitting it into a frame."""

from __future__ import annotations

import math
from pathlib import Path

import cv2
import cv2.data
import numpy as np
from numpy.typing import NDArray

from gesso.contracts.geometry import Box
from gesso.contracts.picture import Picture
from gesso.imaging.alpha import alpha_plane, peak

SALIENCY_SIDE = 64
"""Longest side at which conspicuous parts are looked for; the method is defined at this scale."""

FACE_SIDE = 320
"""Longest side at which faces are looked for."""

FACE_WEIGHT = 4.0
"""How much a face counts against everything else that is conspicuous together."""

HEAD = (0.25, 0.6, 0.3)
"""A head reaches beyond the face that is found: by these parts of its size to the sides, above and below."""

CENTRE_WEIGHT = 0.5
"""How much the middle counts likewise: what matters is rarely at the rim, and ties must break somewhere."""


def cover_box(size: tuple[int, int], frame: tuple[int, int], centre: tuple[float, float]) -> Box:
    """The largest part of a picture of `size` with the proportions of `frame`, as near to `centre` (x, y) as it fits."""
    width, height = size
    scale = min(width / frame[0], height / frame[1])
    kept = (min(width, max(1, round(frame[0] * scale))), min(height, max(1, round(frame[1] * scale))))
    x0 = min(max(0, round(centre[0] - kept[0] / 2)), width - kept[0])
    y0 = min(max(0, round(centre[1] - kept[1] / 2)), height - kept[1])
    return Box(x0=x0, y0=y0, x1=x0 + kept[0], y1=y0 + kept[1])


def focus(picture: Picture, frame: tuple[int, int]) -> tuple[float, float]:
    """(x, y): the centre of the crop with the proportions of `frame` that keeps most of what is conspicuous.

    Conspicuous are faces, whatever stands out (spectral residual, Hou and Zhang 2007), opaque parts, and mildly the middle.
    """
    weight = conspicuous(picture)
    height, width = weight.shape
    box = cover_box((width, height), frame, (width / 2, height / 2))
    best_x = _best_start(weight.sum(axis=0), box.width)
    best_y = _best_start(weight.sum(axis=1), box.height)
    return (best_x + box.width / 2) * picture.width / width, (best_y + box.height / 2) * picture.height / height


def conspicuous(picture: Picture) -> NDArray[np.float32]:
    """A small map of what catches the eye; its longest side is at most `SALIENCY_SIDE`."""
    small = _shrunk(picture, SALIENCY_SIDE)
    height, width = small.shape
    residual = _spectral_residual(small)
    total = residual.sum() or 1.0
    ys, xs = (np.arange(n, dtype=np.float32) + 0.5 for n in (height, width))
    middle = np.exp(-2.0 * (((xs / width - 0.5) ** 2)[None, :] + ((ys / height - 0.5) ** 2)[:, None]))
    found = residual / total + CENTRE_WEIGHT * middle / middle.sum()
    if picture.has_alpha:
        found *= cv2.resize(alpha_plane(picture.pixels), (width, height), interpolation=cv2.INTER_AREA) + 1e-6
    faces = np.zeros_like(found)
    beside, above, below = HEAD
    for x, y, w, h in _faces(picture):
        left, top = (max(0, int(v)) for v in ((x - beside * w) * width, (y - above * h) * height))
        right, bottom = math.ceil((x + w + beside * w) * width), math.ceil((y + h + below * h) * height)
        faces[top:bottom, left:right] = 1.0
    if faces.any():
        found += FACE_WEIGHT * faces / faces.sum()
    out: NDArray[np.float32] = found.astype(np.float32)
    return out


def _best_start(profile: NDArray[np.float32], length: int) -> float:
    """Where a window of `length` over `profile` holds most; the middle of equally good places."""
    sums = np.convolve(profile, np.ones(length), mode="valid")
    return float(np.flatnonzero(sums >= sums.max() - 1e-6 * abs(sums.max())).mean())


def _shrunk(picture: Picture, side: int) -> NDArray[np.float32]:
    """Luma in 0…1, at most `side` pixels long."""
    factor = min(1.0, side / max(picture.size))
    size = (max(1, round(picture.width * factor)), max(1, round(picture.height * factor)))
    rgb = cv2.resize(picture.pixels[:, :, :3], size, interpolation=cv2.INTER_AREA).reshape(size[1], size[0], 3)
    gray: NDArray[np.float32] = rgb.astype(np.float32) @ np.array([0.299, 0.587, 0.114], np.float32)
    return gray / np.float32(peak(picture.pixels))


def _spectral_residual(gray: NDArray[np.float32]) -> NDArray[np.float32]:
    spectrum = np.fft.fft2(gray)
    amplitude = np.log(np.abs(spectrum) + 1e-6).astype(np.float32)
    residual = amplitude - cv2.blur(amplitude, (3, 3))
    standing_out = np.abs(np.fft.ifft2(np.exp(residual + 1j * np.angle(spectrum)))) ** 2
    out: NDArray[np.float32] = cv2.GaussianBlur(standing_out.astype(np.float32), (0, 0), 2.5)
    return out


def _faces(picture: Picture) -> tuple[tuple[float, float, float, float], ...]:
    """Boxes (x, y, width, height) of frontal faces in parts of the picture's size, by OpenCV's own cascade; maybe none."""
    file = Path(cv2.data.haarcascades) / "haarcascade_frontalface_default.xml"
    if not file.is_file():
        return ()
    gray = np.rint(_shrunk(picture, FACE_SIDE) * 255).astype(np.uint8)
    height, width = gray.shape
    if min(height, width) < 24:
        return ()
    found = cv2.CascadeClassifier(str(file)).detectMultiScale(gray, 1.15, 8, minSize=(24, 24))
    return tuple((x / width, y / height, w / width, h / height) for x, y, w, h in found)
