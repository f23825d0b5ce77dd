"""C1: pictures to PNG, lossless, against Pillow's and OpenCV's defaults.

Photographs bundled with scikit-image, enlarged to 1024² and 2048², plain and with Gaussian noise of sigma 2 (enlarging
leaves them smoother than any camera's or model's output; the noise puts that back). CPU time, minimum of runs in the
order A B C A B C.
"""

from __future__ import annotations

import io
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from PIL import Image

from bench.row import Row
from gesso.imaging.png import encode_png

PHOTOGRAPHS = ("astronaut.png", "coffee.png", "hubble_deep_field.jpg")
SIGMA = 2.0
FASTER_THAN_PILLOW = 15.0
FASTER_THAN_OPENCV = 2.5
LARGEST = 1.10


def pictures(quick: bool) -> Iterator[tuple[str, np.ndarray[Any, np.dtype[np.uint8]]]]:
    """Name and pixels of each picture, RGB and (with a round transparency) RGBA."""
    import skimage.data

    folder = Path(skimage.data.__file__).parent
    rng = np.random.default_rng(0)
    for name in PHOTOGRAPHS[:1] if quick else PHOTOGRAPHS:
        for side in (1024,) if quick else (1024, 2048):
            with Image.open(folder / name) as image:
                plain = np.asarray(image.convert("RGB").resize((side, side), Image.Resampling.BICUBIC))
            noisy = np.clip(np.rint(plain + rng.normal(0, SIGMA, plain.shape)), 0, 255).astype(np.uint8)
            grid = np.linspace(-1, 1, side)
            round_alpha = np.clip(900 * (1.1 - np.hypot(grid[:, None], grid[None, :])), 0, 255).astype(np.uint8)
            yield f"{name} {side}² noisy RGB", noisy
            yield f"{name} {side}² noisy RGBA", np.dstack([noisy, round_alpha])
            yield f"{name} {side}² smooth RGB", plain


def run(quick: bool) -> list[Row]:
    """Per picture: speed against both peers and size against Pillow; the last row is the worst of the noisy ones."""
    cv2.setNumThreads(1)
    rows: list[Row] = []
    noisy: list[tuple[float, float, float]] = []
    for name, pixels in pictures(quick):
        pillow_s, ours_s, opencv_s = _times(pixels, 2 if quick else 3)
        size = len(encode_png(pixels)) / len(_pillow(pixels))
        against = (pillow_s / ours_s, opencv_s / ours_s, size)
        if "noisy" in name:
            noisy.append(against)
        lossless = _lossless(pixels)
        rows.append(_row(f"PNG of {name}", pillow_s, ours_s, against, lossless))
    if noisy:
        worst = (min(n[0] for n in noisy), min(n[1] for n in noisy), max(n[2] for n in noisy))
        rows.append(_row("PNG, worst of the noisy photographs", None, None, worst, True))
    return rows


def _row(what: str, peer: float | None, ours: float | None, against: tuple[float, float, float], lossless: bool) -> Row:
    pillow, opencv, size = against
    met = lossless and pillow >= FASTER_THAN_PILLOW and opencv >= FASTER_THAN_OPENCV and size <= LARGEST
    return Row(
        id="C1",
        what=what,
        peer="Pillow default",
        peer_value=None if peer is None else peer * 1e3,
        ours_value=None if ours is None else ours * 1e3,
        unit="ms CPU",
        ratio=pillow,
        bar=f"≥ {FASTER_THAN_PILLOW:g}× Pillow, ≥ {FASTER_THAN_OPENCV:g}× OpenCV, size ≤ {LARGEST:g}× Pillow, lossless",
        met=met,
        note=f"OpenCV ×{opencv:.1f}, size ×{size:.3f}, {'lossless' if lossless else 'NOT LOSSLESS'}",
    )


def _times(pixels: np.ndarray[Any, Any], repeats: int) -> tuple[float, float, float]:
    order = np.ascontiguousarray(pixels[:, :, [2, 1, 0, 3][: pixels.shape[2]]])
    work: tuple[Callable[[], object], ...] = (
        lambda: _pillow(pixels),
        lambda: encode_png(pixels),
        lambda: cv2.imencode(".png", order),
    )
    best = [float("inf")] * 3
    for _ in range(repeats):
        for i, one in enumerate(work):
            start = time.process_time()
            one()
            best[i] = min(best[i], time.process_time() - start)
    return best[0], best[1], best[2]


def _pillow(pixels: np.ndarray[Any, Any]) -> bytes:
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, "PNG")
    return out.getvalue()


def _lossless(pixels: np.ndarray[Any, Any]) -> bool:
    data = encode_png(pixels)
    by_pillow = np.asarray(Image.open(io.BytesIO(data)))
    by_opencv = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    assert by_opencv is not None
    order = [2, 1, 0, 3][: pixels.shape[2]]
    return bool((by_pillow == pixels).all() and (by_opencv[:, :, order] == pixels).all())
