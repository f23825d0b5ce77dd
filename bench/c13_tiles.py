"""C13: the plumbing of a tiled ×4 enlargement, with a model that only repeats pixels."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.row import Row
from gesso.imaging.tiles import OVERLAP, by_tiles, ramp_up, spans

SCALE = 4
TILE = 256


def nearest(part: Any) -> Any:
    """The identity model: every pixel repeated SCALE × SCALE times."""
    return part.repeat(SCALE, axis=0).repeat(SCALE, axis=1)


def naive(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The usual way: full-frame float sums and weights, ``out += w·tile; sum += w``, divided at the end."""
    height, width = pixels.shape[:2]
    out = np.zeros((height * SCALE, width * SCALE, 3), np.float32)
    total = np.zeros((height * SCALE, width * SCALE, 1), np.float32)
    ramp = OVERLAP * SCALE
    line = np.ones(TILE * SCALE, np.float32)
    line[:ramp] = ramp_up(ramp)
    line[-ramp:] = ramp_up(ramp)[::-1]
    weight = (line[:, None] * line + np.float32(1e-6))[:, :, None]
    for row in spans(height, TILE, OVERLAP):
        for column in spans(width, TILE, OVERLAP):
            y, x = row.start, column.start
            done = nearest(pixels[y : y + TILE, x : x + TILE]).astype(np.float32)
            area = (slice(y * SCALE, (y + TILE) * SCALE), slice(x * SCALE, (x + TILE) * SCALE))
            out[area] += weight * done
            total[area] += weight
    return np.clip(np.rint(out / total), 0, 255).astype(np.uint8)


def ours(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The same through `by_tiles`."""
    done: NDArray[np.uint8] = by_tiles(pixels, nearest, scale=SCALE, tile=TILE, overlap=OVERLAP)  # type: ignore[assignment]
    return done


def run(quick: bool) -> list[Row]:
    """Seam error against the untiled result, and CPU time against the naive accumulation (A B A B, medians)."""
    side = 512 if quick else 768
    pixels = np.random.default_rng(13).integers(0, 256, (side, side + 40, 3), dtype=np.uint8)
    truth = nearest(pixels).astype(np.int16)
    seconds: dict[str, list[float]] = {"model": [], "naive": [], "ours": []}
    error = 0.0
    for _ in range(3 if quick else 5):
        for name, work in (("model", nearest), ("naive", naive), ("ours", ours)):
            began = time.process_time()
            done = work(pixels)
            seconds[name].append(time.process_time() - began)
            if name == "ours":
                error = max(error, float(np.abs(done.astype(np.int16) - truth).max()))
    peer, mine = (float(np.median(seconds[name])) * 1e3 for name in ("naive", "ours"))
    size = f"{side + 40}×{side} → ×{SCALE}, tiles of {TILE}"
    return [
        Row("C13", f"tiled seam error, {size}", "untiled", 0.0, error, "LSB", None, "≤ 1 LSB", error <= 1.0),
        Row(
            "C13",
            f"tile and blend, CPU, {size}",
            "full-frame float accumulation",
            peer,
            mine,
            "ms",
            peer / mine,
            "≥ 2×",
            peer / mine >= 2.0,
            f"the model itself takes {float(np.median(seconds['model'])) * 1e3:.0f} ms of both",
        ),
    ]
