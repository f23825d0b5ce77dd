"""Bar C6: text removal on plain grounds, end to end, against the text detector alone on the same picture."""

from __future__ import annotations

import logging
import os
import statistics
import time
from collections.abc import Callable
from typing import Any

import cv2
import numpy as np

from bench.row import Row
from gesso.contracts.capabilities import Inpainter, TextDetector
from gesso.contracts.context import Context
from gesso.contracts.picture import Picture
from gesso.contracts.tools import tools_of
from gesso.engines.fill import MembraneFill, PatchFill
from gesso.engines.ocr.engine import RapidText
from gesso.engines.ocr.sessions import default_threads
from gesso.operations.remove_text import REMOVE_TEXT, RemoveTextParams, RemoveTextResult
from tests.support.ground_truth import Array, TextSpec, burn, photographs

SIDE = 1024
BAR = 1.15
CASES = (
    ("flower", (0.72, 0.12), TextSpec("Summer sale 2026", size_px=44, colour=(255, 255, 255))),
    ("camera", (0.25, 0.08), TextSpec("Photo: Anna Berg", size_px=38, colour=(20, 20, 20))),
    ("rocket", (0.35, 0.12), TextSpec("www.example.com", size_px=40, colour=(255, 221, 0))),
    ("chelsea", (0.8, 0.9), TextSpec("Limited edition", size_px=34, colour=(255, 255, 255))),
)


def rows_cpu(first: Callable[[], Any], second: Callable[[], Any], rounds: int) -> tuple[float, float]:
    """Median CPU seconds of two calls, measured in turn after one warm-up of each."""
    times: tuple[list[float], list[float]] = ([], [])
    for turn in range(rounds + 1):
        for call, kept in zip((first, second), times, strict=True):
            start = time.process_time()
            call()
            if turn:
                kept.append(time.process_time() - start)
    return statistics.median(times[0]), statistics.median(times[1])


def one_case(detector: RapidText, peer: Any, image: Array, rounds: int) -> tuple[float, float, RemoveTextResult]:
    """(peer's seconds, our seconds, our result) for one picture."""
    tools = tools_of({TextDetector: detector, Inpainter: (MembraneFill(), PatchFill())})
    params = RemoveTextParams(image=Picture(image))
    bgr = np.ascontiguousarray(image[:, :, ::-1])
    theirs, ours = rows_cpu(
        lambda: peer(bgr, use_det=True, use_cls=False, use_rec=False),
        lambda: REMOVE_TEXT.run(params, tools, Context()),
        rounds,
    )
    return theirs, ours, REMOVE_TEXT.run(params, tools, Context())


def measured(quick: bool) -> list[tuple[str, float, float, RemoveTextResult]]:
    """Every case: name, seconds of the peer, seconds of ours, the result."""
    from rapidocr import RapidOCR

    cv2.setNumThreads(1)
    threads = default_threads()
    logging.getLogger("RapidOCR").setLevel(logging.ERROR)
    peer = RapidOCR(
        params={"Global.log_level": "critical", "EngineConfig.onnxruntime.intra_op_num_threads": threads},
    )
    detector = RapidText.load(threads)
    out = []
    for name, at, spec in CASES[: 2 if quick else None]:
        photo = cv2.resize(photographs()[name], (SIDE, SIDE), interpolation=cv2.INTER_CUBIC)
        case = burn(photo, TextSpec(**{**vars(spec), "at": at}))
        out.append((name, *one_case(detector, peer, case.image, 2 if quick else 4)))
    return out


def run(quick: bool) -> list[Row]:
    """One row for each picture and one for their mean."""
    found = measured(quick)
    rows = []
    for name, theirs, ours, result in found:
        ratio = ours / theirs
        used = ", ".join(sorted({f"{r.synthesis} on {r.ground}" for r in result.regions if r.fate == "removed"}))
        rows.append(
            Row(
                id="C6",
                what=f"remove-text, {name} {SIDE}², caption on a plain ground",
                peer="RapidOCR, detector alone",
                peer_value=theirs,
                ours_value=ours,
                unit="s CPU",
                ratio=ratio,
                bar=f"≤ {BAR}×",
                met=ratio <= BAR and result.status == "done",
                note=f"{result.status}, {used}, {os.cpu_count()} cores",
            )
        )
    return rows
