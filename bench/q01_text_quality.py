"""Quality bars of text removal, on text burnt into photographs whose clean originals are known."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from bench.row import Row
from gesso.contracts.capabilities import Inpainter, TextDetector
from gesso.contracts.context import Context
from gesso.contracts.picture import Picture
from gesso.contracts.tools import Tools, tools_of
from gesso.engines.fill import MembraneFill, PatchFill
from gesso.engines.ocr.engine import RapidText
from gesso.operations.remove_text import REMOVE_TEXT, RemoveTextParams, RemoveTextResult
from gesso.quality.text import residual_lines
from tests.support.ground_truth import Array, Burnt, cases, photographs

SEED = 20261121
CASES, QUICK_CASES = 216, 36
TELEA_RADIUS_PX = 3
WITHOUT_TEXT = ("brick", "camera", "chelsea", "coffee", "flower", "grass", "gravel", "hubble_deep_field", "rocket")
"""The photographs of the set in which nothing is written."""


@dataclass(frozen=True)
class Outcome:
    """One case: how it ended, and PSNR inside the true mask for us and for Telea on two masks."""

    name: str
    style: str
    is_plain: bool
    status: str
    residual: int
    given_back: bool
    missed: bool
    outside: int
    ours: float
    telea_polygons: float
    telea_strokes: float


def psnr_inside(picture: Array, clean: Array, mask: NDArray[np.bool_]) -> float:
    """PSNR of the pixels of `mask`, in dB, at most 60."""
    error = float(np.mean((picture[mask].astype(np.float64) - clean[mask]) ** 2))
    return 60.0 if error < 0.065 else float(10 * np.log10(255.0**2 / error))


def polygons(result: RemoveTextResult, shape: tuple[int, ...]) -> Array:
    """The detector's polygons as a mask: the usual pipeline's."""
    out = np.zeros(shape[:2], np.uint8)
    for region in result.regions:
        if region.fate in ("removed", "rolled_back"):
            cv2.fillConvexPoly(out, np.rint(np.array(region.corners)).astype(np.int32), 255)
    return out


def outcome(tools: Tools, name: str, case: Burnt) -> Outcome:
    """Run one case and measure it."""
    result = REMOVE_TEXT.run(RemoveTextParams(image=Picture(case.image)), tools, Context())
    after = result.image.pixels.astype(np.uint8)
    fresh = residual_lines(tools.one(TextDetector), result.image)
    left = 0
    for region in fresh:
        frame = np.zeros(case.mask.shape, np.uint8)
        cv2.fillConvexPoly(frame, np.rint(np.array(region.corners)).astype(np.int32), 1)
        left += bool((frame.view(bool) & case.mask).sum() > 0.1 * frame.sum())
    found = polygons(result, case.mask.shape)
    strokes = (result.mask.touched * np.uint8(255)).astype(np.uint8)
    touched = (after != case.image).any(axis=2) & ~result.mask.touched
    return Outcome(
        name=name,
        style=case.spec.style,
        is_plain=case.is_plain,
        status=result.status,
        residual=left,
        given_back=any(region.fate == "rolled_back" for region in result.regions),
        missed=bool(((found > 0) & case.mask).sum() < 0.2 * case.mask.sum()),
        outside=int(touched.sum()),
        ours=psnr_inside(after, case.clean, case.mask),
        telea_polygons=psnr_inside(
            cv2.inpaint(case.image, found, TELEA_RADIUS_PX, cv2.INPAINT_TELEA), case.clean, case.mask
        ),
        telea_strokes=psnr_inside(
            cv2.inpaint(case.image, strokes, TELEA_RADIUS_PX, cv2.INPAINT_TELEA), case.clean, case.mask
        ),
    )


def gain_row(found: list[Outcome], kind: str, peer: str, bar: float, note: str) -> Row:
    """Mean PSNR against Telea over the cases of one kind in which something was removed."""
    edited = [o for o in found if o.status in ("done", "repaired") and not o.given_back and not o.missed]
    ours = float(np.mean([o.ours for o in edited])) if edited else float("nan")
    telea = float(np.mean([getattr(o, peer) for o in edited])) if edited else float("nan")
    where = "the detector's polygons" if peer == "telea_polygons" else "our own masks"
    return Row(
        id="Q1",
        what=f"PSNR in the true mask, {kind} grounds ({len(edited)} cases)",
        peer=f"Telea on {where}",
        peer_value=telea,
        ours_value=ours,
        unit="dB",
        ratio=ours - telea,
        bar=f"difference ≥ {bar:+.1f} dB",
        met=ours - telea >= bar if edited else None,
        note=note,
    )


def unchanged_row(tools: Tools) -> Row:
    """Photographs without text must come back as they are."""
    pictures = {name: photographs()[name] for name in WITHOUT_TEXT}
    statuses = {
        name: REMOVE_TEXT.run(RemoveTextParams(image=Picture(image)), tools, Context())
        for name, image in pictures.items()
    }
    wrong = [name for name, result in statuses.items() if result.status != "unchanged"]
    return Row(
        id="Q1",
        what=f"photographs without text returned unchanged ({len(pictures)})",
        peer="",
        peer_value=None,
        ours_value=float(len(pictures) - len(wrong)),
        unit="pictures",
        ratio=None,
        bar="all",
        met=not wrong,
        note=", ".join(wrong),
    )


def count_row(what: str, value: float, unit: str, bar: str, met: bool, note: str) -> Row:
    """A row without a peer."""
    return Row("Q1", what, "", None, value, unit, None, bar, met, note)


def run(quick: bool) -> list[Row]:
    """The rows of bars.md on text."""
    cv2.setNumThreads(1)
    tools = tools_of({TextDetector: RapidText.load(), Inpainter: (MembraneFill(), PatchFill())})
    found = [outcome(tools, name, case) for name, case in cases(SEED, QUICK_CASES if quick else CASES)]
    clean = [o for o in found if not o.residual]
    hidden = [o for o in found if o.residual and not o.given_back]
    missed = [o for o in found if o.missed]
    textured, plain = ([o for o in found if o.is_plain is kind] for kind in (False, True))
    note = "; ".join(f"{o.name} {o.style}" for o in hidden)
    share = len(clean) / len(found)
    return [
        count_row(
            f"no residual text in a fresh detection ({len(found)} cases)", share, "share", "≥ 0.95", share >= 0.95, ""
        ),
        count_row("residual text in a result reported as good", len(hidden), "cases", "0", not hidden, note),
        count_row("text the detector never saw", len(missed), "cases", "–", True, "returned unchanged; no bar"),
        count_row(
            "pixels changed outside the mask",
            sum(o.outside for o in found),
            "px",
            "0",
            not any(o.outside for o in found),
            "",
        ),
        gain_row(textured, "textured", "telea_polygons", 2.0, "the usual pipeline"),
        gain_row(textured, "textured", "telea_strokes", 2.0, "stricter: the peer gets our masks"),
        gain_row(plain, "plain", "telea_polygons", -0.3, "the usual pipeline"),
        gain_row(plain, "plain", "telea_strokes", -0.3, "stricter: the peer gets our masks"),
        unchanged_row(tools),
    ]
