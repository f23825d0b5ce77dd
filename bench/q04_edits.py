"""Quality rows that are counts: pixels outside the mask, determinism, 32 at once, reproduction."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np

from bench.row import Row
from gesso import Studio, wiring
from gesso.recipes.reproduce import reproduce
from tests.support.ground_truth import cases, photographs

SEED = 41


def run(quick: bool) -> list[Row]:
    bench = replace(wiring.build_bench(), store=None)
    studio = Studio(bench)
    burnt = cases(SEED, 8 if quick else 32)
    edits: list[tuple[Any, Callable[[], Any]]] = []
    for _, case in burnt:
        edits.append((case.image, partial(studio.remove_text, case.image)))
    for name in ("chelsea", "coffee", "rocket", "brick"):
        photo = photographs()[name]
        height, width = photo.shape[:2]
        box = (width // 3, height // 3, width // 2, height // 2)
        edits.append((photo, partial(studio.erase, photo, boxes=[box])))
    results = [edit() for _, edit in edits]
    changed = sum(_outside(before, result) for (before, _), result in zip(edits, results, strict=True))
    again = sum(edit().image.sha256 == result.image.sha256 for (_, edit), result in zip(edits, results, strict=True))
    with ThreadPoolExecutor(8) as pool:
        at_once = list(pool.map(lambda pair: pair[1]().image.sha256, edits))
    parallel = sum(a == r.image.sha256 for a, r in zip(at_once, results, strict=True))
    identical = sum(_reproduced(studio, before, result) for (before, _), result in zip(edits, results, strict=True))
    total = len(edits)
    return [
        Row("Q", f"pixels outside the mask, {total} edits", "–", None, changed, "changed", None, "0", changed == 0),
        Row("Q", "same request twice, equal pixel hash", "–", total, again, "of", None, "all", again == total),
        Row(
            "Q", f"{total} at once (8 threads) = in series", "–", total, parallel, "of", None, "all", parallel == total
        ),
        Row(
            "Q", "reproduce from the record, identical", "–", total, identical, "of", None, "100 %", identical == total
        ),
    ]


def _outside(before: Any, result: Any) -> int:
    outside = ~result.mask.touched if result.mask is not None else np.ones(before.shape[:2], bool)
    return int(np.count_nonzero((result.image.rgb != before).any(axis=2) & outside))


def _reproduced(studio: Studio, before: Any, result: Any) -> bool:
    picture = studio.bench.codec.picture(before)
    return reproduce(result.provenance, studio.bench, lambda name, sha256: picture).identical
