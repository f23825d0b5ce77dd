"""Cut-outs against rendered truth: alpha, overlap, colour fringe, and whether pictures without a subject are told apart."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from bench.row import Row
from gesso.contracts.capabilities import Matter, SubjectFinder
from gesso.contracts.context import Context
from gesso.contracts.geometry import Box
from gesso.contracts.picture import Picture
from gesso.contracts.tools import tools_of
from gesso.engines.matting.closed_form import ClosedFormMatter
from gesso.engines.subject.finder import GuidedCutFinder
from gesso.operations.cutout import CutoutParams, CutoutResult
from gesso.operations.cutout import run as cutout
from tests.support.subjects import Edge, Ground, Scene, photograph, scene

PLAIN: tuple[Ground, ...] = ("white", "grey", "gradient", "studio")
BUSY: tuple[Ground, ...] = ("bokeh", "texture")
EDGES: tuple[Edge, ...] = ("hard", "soft", "hair")
GRABCUT_ROUNDS = 5
EMPTY = ("grass.png", "brick.png", "gravel.png", "hubble_deep_field.jpg")


@dataclass(frozen=True)
class _Score:
    mae: float
    iou: float
    fringe: float
    untreated: float


def run(quick: bool) -> list[Row]:
    """Rows for plain and busy grounds by edge, and for textures without a subject. Peer: GrabCut given the true box."""
    tools = tools_of({SubjectFinder: GuidedCutFinder(), Matter: ClosedFormMatter()})
    rows: list[Row] = []
    seeds = 2 if quick else 5
    for name, grounds in (("plain", PLAIN), ("busy", BUSY)):
        for edge in EDGES:
            ours: list[_Score] = []
            peers: list[_Score] = []
            for index, ground in enumerate(grounds):
                for k in range(seeds):
                    truth = scene(ground, edge, seed=5000 + 100 * index + k, size=(448, 448), shadow=k % 2 == 1)
                    result = _run(truth.image, tools, None if name == "plain" else _box(truth))
                    ours.append(_score(truth, result.mask.coverage, result.image.pixels[:, :, :3]))
                    peers.append(_score(truth, _grabcut(truth), truth.image))
            rows += _rows(name, edge, ours, peers)
    found = [_run(picture, tools).status != "unchanged" for picture in _empty(quick)]
    rows.append(
        Row(
            id="Q3",
            what=f"cutout, textures without a subject ({len(found)}): reported as nothing found",
            peer="–",
            peer_value=None,
            ours_value=round(1.0 - float(np.mean(found)), 3),
            unit="share",
            ratio=None,
            bar=">= 0.95",
            met=float(np.mean(found)) <= 0.05,
        )
    )
    return rows


def _rows(name: str, edge: Edge, ours: list[_Score], peers: list[_Score]) -> list[Row]:
    what = f"cutout, {name} ground, {edge} edge"
    mae, peer_mae = _mean(ours, "mae"), _mean(peers, "mae")
    iou, peer_iou = _mean(ours, "iou"), _mean(peers, "iou")
    fringe, raw = _mean(ours, "fringe"), _mean(ours, "untreated")
    guided = "ours gets no box" if name == "plain" else "ours gets the same box"
    return [
        Row("Q3", f"{what}: alpha error", "GrabCut in the true box", round(peer_mae, 4), round(mae, 4), "mean |Δα|",
            round(peer_mae / max(mae, 1e-6), 2), "< peer", mae < peer_mae, guided),
        Row("Q3", f"{what}: overlap", "GrabCut in the true box", round(peer_iou, 3), round(iou, 3), "IoU",
            round(iou / max(peer_iou, 1e-6), 3), ">= peer", iou >= peer_iou, guided),
        Row("Q3", f"{what}: fringe", "the photograph's own colours", round(raw, 4), round(fringe, 4), "mean |Δrgb|",
            round(raw / max(fringe, 1e-6), 2), "< peer", fringe < raw, "where true alpha is 0.1…0.95"),
    ]  # fmt: skip


def _mean(scores: list[_Score], field: str) -> float:
    return float(np.mean([getattr(s, field) for s in scores]))


def _run(image: NDArray[np.uint8], tools: Any, box: Box | None = None) -> CutoutResult:
    return cutout(CutoutParams(image=Picture(image), box=box), tools, Context())


def _box(truth: Scene) -> Box:
    rows, columns = np.flatnonzero(truth.alpha.any(axis=1)), np.flatnonzero(truth.alpha.any(axis=0))
    tight = Box(x0=int(columns[0]), y0=int(rows[0]), x1=int(columns[-1]) + 1, y1=int(rows[-1]) + 1)
    return tight.grown(3, truth.alpha.shape[1], truth.alpha.shape[0])


def _score(truth: Scene, alpha: NDArray[np.float32], colours: NDArray[Any]) -> _Score:
    edge = (truth.alpha > 0.1) & (truth.alpha < 0.95) & (alpha > 0.1)
    both, either = (alpha > 0.5) & (truth.alpha > 0.5), (alpha > 0.5) | (truth.alpha > 0.5)
    fringe = np.abs(colours[edge] / 255.0 - truth.foreground[edge]).mean() if edge.any() else 0.0
    raw = np.abs(truth.image[edge] / 255.0 - truth.foreground[edge]).mean() if edge.any() else 0.0
    return _Score(
        float(np.abs(alpha - truth.alpha).mean()), float(both.sum() / max(1, either.sum())), float(fringe), float(raw)
    )


def _grabcut(truth: Scene) -> NDArray[np.float32]:
    inside = _box(truth)
    box = (inside.x0, inside.y0, inside.width, inside.height)
    labels = np.zeros(truth.alpha.shape, np.uint8)
    models = np.zeros((1, 65)), np.zeros((1, 65))
    cv2.setRNGSeed(1)
    bgr = np.ascontiguousarray(truth.image[:, :, ::-1])
    cv2.grabCut(bgr, labels, box, *models, GRABCUT_ROUNDS, cv2.GC_INIT_WITH_RECT)
    found: NDArray[np.float32] = ((labels & 1) == 1).astype(np.float32)
    return found


def _empty(quick: bool) -> list[NDArray[np.uint8]]:
    """Textures: the photographs whole, and seeded crops of them at several scales and tints."""
    rng = np.random.default_rng(11)
    out = [photograph(name) for name in EMPTY]
    for _ in range(6 if quick else 36):
        photo = photograph(str(rng.choice(EMPTY[:3])))
        side = int(rng.integers(160, min(photo.shape[:2])))
        y, x = int(rng.integers(0, photo.shape[0] - side + 1)), int(rng.integers(0, photo.shape[1] - side + 1))
        crop = cv2.resize(photo[y : y + side, x : x + side], (400, 400), interpolation=cv2.INTER_AREA)
        out.append(np.clip(crop * rng.uniform(0.6, 1.0, 3), 0, 255).astype(np.uint8))
    return out
