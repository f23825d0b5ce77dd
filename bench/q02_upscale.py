"""Upscaling of downscaled photographs by the operation with its embedded engine, beside Lanczos and its sharpened copy."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from bench.row import Row
from gesso.contracts.capabilities import Upscaler
from gesso.contracts.context import Context
from gesso.contracts.picture import Picture
from gesso.contracts.tools import tools_of
from gesso.engines.upscale.engine import OrientedKriging
from gesso.operations.upscale import UPSCALE
from gesso.quality.halo import halo
from gesso.quality.reference import psnr, ssim

Array = NDArray[np.uint8]
Size = tuple[int, int]

RIM = 4
"""Pixels left out at the border: there the methods differ by how they invent surroundings."""


def _pillow(kernel: Image.Resampling) -> Callable[[Array, Size], Array]:
    return lambda a, size: np.asarray(Image.fromarray(a).resize(size, kernel))


def _cv2(kernel: int) -> Callable[[Array, Size], Array]:
    def resize(a: Array, size: Size) -> Array:
        out: Array = cv2.resize(a, size, interpolation=kernel)
        return out

    return resize


DOWN = {
    "area": _cv2(cv2.INTER_AREA),
    "bicubic": _pillow(Image.Resampling.BICUBIC),
    "Lanczos": _pillow(Image.Resampling.LANCZOS),
    "bicubic, aliased": _cv2(cv2.INTER_CUBIC),
}
"""Pillow's kernels widen when they shrink; OpenCV's do not, so that fine detail is aliased."""

LANCZOS = {"OpenCV": _cv2(cv2.INTER_LANCZOS4), "Pillow": _pillow(Image.Resampling.LANCZOS)}


def photographs(quick: bool) -> dict[str, Array]:
    """Photographs that scikit-image and scikit-learn bundle; sides cut to multiples of 12, large ones halved by area."""
    from skimage import data
    from sklearn.datasets import load_sample_image

    names = ["astronaut", "coffee", "chelsea"] + ([] if quick else ["rocket", "camera", "brick", "retina"])
    found: dict[str, Any] = {name: getattr(data, name)() for name in names}
    found["motorcycle"] = data.stereo_motorcycle()[0]
    if not quick:
        found |= {name: load_sample_image(f"{name}.jpg") for name in ("china", "flower")}
    return {name: _cut(a) for name, a in found.items()}


def _cut(a: Any) -> Array:
    rgb = np.dstack([a] * 3) if a.ndim == 2 else a[:, :, :3]
    if min(rgb.shape[:2]) > 640:
        rgb = cv2.resize(rgb, (rgb.shape[1] // 2, rgb.shape[0] // 2), interpolation=cv2.INTER_AREA)
    cut: Array = np.ascontiguousarray(rgb[: rgb.shape[0] // 12 * 12, : rgb.shape[1] // 12 * 12])
    return cut


def run(quick: bool) -> list[Row]:
    """One row of PSNR and SSIM per scale and kernel, means over the photographs, then halo, drift and time per scale."""
    cv2.setNumThreads(1)
    pictures = photographs(quick)
    tools = tools_of({Upscaler: OrientedKriging()})
    for scale in (2, 4):
        _ours(next(iter(pictures.values()))[:48, :48], scale, tools)
    rows: list[Row] = []
    for scale in (2, 4):
        measured = [_one(a, scale, kernel, tools) for kernel in DOWN for a in pictures.values()]
        for kernel in DOWN:
            rows += _quality_rows(scale, kernel, [m for m in measured if m["kernel"] == kernel])
        rows += _other_rows(scale, measured)
    return rows


def _ours(coarse: Array, scale: int, tools: Any) -> Array:
    params = UPSCALE.params(image=Picture(np.ascontiguousarray(coarse)), scale=scale)  # type: ignore[arg-type]
    done: Array = UPSCALE.run(params, tools, Context()).image.pixels  # type: ignore[assignment]
    return done


def _one(truth: Array, scale: int, kernel: str, tools: Any) -> dict[str, Any]:
    size = (truth.shape[1], truth.shape[0])
    coarse = np.ascontiguousarray(DOWN[kernel](truth, (size[0] // scale, size[1] // scale)))
    began = time.process_time()
    mine = _ours(coarse, scale, tools)
    seconds = time.process_time() - began
    theirs = [_figures(resize(coarse, size), truth) for resize in LANCZOS.values()]
    smooth = LANCZOS["Pillow"](coarse, size)
    mean = cv2.resize(mine.astype(np.float32), coarse.shape[1::-1], interpolation=cv2.INTER_AREA)
    before = Picture(coarse)
    return {
        "kernel": kernel,
        "ours": _figures(mine, truth),
        "theirs": tuple(max(f[i] for f in theirs) for i in (0, 1)),
        "halo": halo(Picture(mine), before),
        "mild": halo(Picture(_mild(smooth)), before),
        "usual": halo(Picture(np.asarray(Image.fromarray(smooth).filter(ImageFilter.UnsharpMask()))), before),
        "drift": float(np.abs(mean - coarse).mean()),
        "rate": size[0] * size[1] / 1e6 / max(seconds, 1e-9),
    }


def _figures(after: Array, truth: Array) -> tuple[float, float]:
    a, b = (one[RIM:-RIM, RIM:-RIM].astype(np.float32) for one in (after, truth))
    return psnr(a, b), ssim(a, b)


def _mild(a: Array) -> Array:
    plane = a.astype(np.float32)
    sharp = 2.0 * plane - cv2.GaussianBlur(plane, (0, 0), 1.0)
    out: Array = np.clip(np.rint(sharp), 0, 255).astype(np.uint8)
    return out


def _quality_rows(scale: int, kernel: str, measured: list[dict[str, Any]]) -> list[Row]:
    rows = []
    for i, (name, unit) in enumerate((("PSNR", "dB"), ("SSIM", ""))):
        ours, theirs = (float(np.mean([m[who][i] for m in measured])) for who in ("ours", "theirs"))
        gains = [m["ours"][i] - m["theirs"][i] for m in measured]
        note = f"gain {ours - theirs:+.3f}; better on {sum(g >= 0 for g in gains)} of {len(gains)}, least {min(gains):+.3f}"
        what = f"upscale ×{scale} after {kernel}: {name}"
        peer = "Lanczos, better of OpenCV and Pillow"
        rows.append(Row("Q02", what, peer, theirs, ours, unit, None, "≥ Lanczos", ours >= theirs, note))
    return rows


def _other_rows(scale: int, measured: list[dict[str, Any]]) -> list[Row]:
    mean = {key: float(np.mean([m[key] for m in measured])) for key in ("halo", "mild", "usual", "drift", "rate")}
    rows = []
    for key, peer in (("mild", "Lanczos + unsharp σ 1, 100 %"), ("usual", "Lanczos + Pillow's unsharp default")):
        ratio = mean["halo"] / mean[key]
        met = ratio <= 0.5
        rows.append(Row("Q02", f"upscale ×{scale}: halo", peer, mean[key], mean["halo"], "%", ratio, "≤ 0.5×", met))
    worst = max(m["drift"] for m in measured)
    drift = mean["drift"]
    what = f"upscale ×{scale}: drift |averaged down − input|"
    rows.append(Row("Q02", what, "input", 0.0, drift, "1/255", None, "≤ 3", drift <= 3.0, f"largest {worst:.2f}"))
    what = f"upscale ×{scale}: output per CPU second, all stages and gates"
    rows.append(Row("Q02", what, "–", None, mean["rate"], "MP/s", None, "≥ 2", mean["rate"] >= 2.0))
    return rows
