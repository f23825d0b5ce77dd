# Derived from the operations by `make stubs`; do not edit.
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from gesso.contracts.geometry import Box, Point
from gesso.contracts.mask import Mask
from gesso.contracts.operation import AnyOperation
from gesso.contracts.picture import Picture
from gesso.contracts.ports import Bench, Codec, Source
from gesso.contracts.provenance import Provenance
from gesso.contracts.verdict import Attempt, Notice, Verdict
from gesso.recipes.outcome import ItemStatus, Outcome

OnStep = Callable[[float, str], None]

class Edit:
    outcome: Outcome
    codec: Codec
    def __init__(self, outcome: Outcome, codec: Codec) -> None: ...
    @property
    def image(self) -> Picture: ...
    @property
    def mask(self) -> Mask | None: ...
    @property
    def provenance(self) -> Provenance: ...
    @property
    def status(self) -> ItemStatus: ...
    @property
    def reason(self) -> str: ...
    @property
    def verdicts(self) -> tuple[Verdict, ...]: ...
    @property
    def attempts(self) -> tuple[Attempt, ...]: ...
    @property
    def notices(self) -> tuple[Notice, ...]: ...
    def pil(self) -> Any: ...
    def encoded(self, format: str = "png", *, quality: int | None = None) -> bytes: ...
    def save(self, path: str | Path, *, force: bool = False, quality: int | None = None) -> Path: ...
    def __getattr__(self, name: str) -> Any: ...

class Studio:
    def __init__(self, bench: Bench | None = None) -> None: ...
    @property
    def bench(self) -> Bench: ...
    @property
    def operations(self) -> Mapping[str, AnyOperation]: ...
    def run(
        self, recipe: str | Path, image: Source = None, *, on_step: OnStep | None = None, **values: Any
    ) -> Edit: ...
    def remove_text(
        self,
        image: Source,
        *,
        where: Source | None = None,
        min_confidence: float = 0.5,
        keep: Sequence[Box | Sequence[int] | str] = (),
        dilate: float = 1.0,
        feather_px: int = 2,
        max_retries: int = 2,
        synthesis: Literal["auto", "membrane", "patch", "model"] = "auto",
        seed: int = 0,
        on_step: OnStep | None = None,
    ) -> Edit:
        """Takes captions, watermarks and date stamps out of a photograph, and says where it could not."""

    def erase(
        self,
        image: Source,
        *,
        mask: Source | None = None,
        boxes: Sequence[Box | Sequence[int] | str] = (),
        points: Sequence[Point | Sequence[int] | str] = (),
        grow_px: int = 0,
        feather_px: int = 4,
        hint: Mapping[str, Any] | None = None,
        synthesis: Literal["auto", "membrane", "patch", "model"] = "auto",
        two_pass: bool = True,
        max_seam: float = 2.5,
        keep_best: bool = False,
        seed: int = 0,
        on_step: OnStep | None = None,
    ) -> Edit:
        """Removes what a mask, boxes or points cover and continues the background, at full resolution."""

    def cutout(
        self,
        image: Source,
        *,
        box: Box | Sequence[int] | str | None = None,
        points: Sequence[Point | Sequence[int] | str] = (),
        refine: bool = True,
        decontaminate: bool = True,
        edge_px: float = 0.0,
        min_confidence: float = 0.3,
        on_step: OnStep | None = None,
    ) -> Edit:
        """Removes the background: straight alpha, refined edges, no colour fringe. Finding nothing is an answer."""

    def replace_background(
        self,
        image: Source,
        *,
        colour: str | None = None,
        gradient: Mapping[str, Any] | None = None,
        background: Source | None = None,
        aspect: str | None = None,
        cover: float | None = None,
        light_wrap: float = 0.0,
        on_step: OnStep | None = None,
    ) -> Edit:
        """Puts a cut-out on a colour, a gradient or a picture, and shapes the canvas around the subject."""

    def shadow(
        self,
        image: Source,
        *,
        kind: Literal["contact", "drop"] = "contact",
        strength: float = 0.5,
        blur_px: float | None = None,
        offset_x: int | None = None,
        offset_y: int | None = None,
        colour: str = "#000000",
        on_step: OnStep | None = None,
    ) -> Edit:
        """Puts a soft contact or drop shadow beneath a cut-out."""

    def upscale(
        self,
        image: Source,
        *,
        scale: Literal[2, 3, 4] = 2,
        where: Literal["auto", "all"] = "auto",
        mask: Source | None = None,
        denoise: float | None = None,
        on_step: OnStep | None = None,
    ) -> Edit:
        """Enlarge ×2, ×3 or ×4 without halos, in stages that are each checked against the input."""

    def resize(
        self,
        image: Source,
        *,
        width: int | None = None,
        height: int | None = None,
        fit: Literal["cover", "contain", "pad", "stretch"] = "contain",
        focus: Literal["auto", "centre", "point"] = "auto",
        point: Point | Sequence[int] | str | None = None,
        background: str | None = None,
        sharpen: float = 0.3,
        on_step: OnStep | None = None,
    ) -> Edit:
        """Bring a picture to a size: fit, fill with a crop that keeps the subject, pad, or stretch."""

    def measure(
        self,
        image: Source,
        *,
        reference: Source | None = None,
        mask: Source | None = None,
        measures: Sequence[
            Literal[
                "outside_mask",
                "seam",
                "residual_text",
                "halo",
                "blocking",
                "sharpness",
                "noise",
                "low_frequency_drift",
                "psnr",
                "ssim",
                "perceptual_hash",
            ]
        ] = (),
        on_step: OnStep | None = None,
    ) -> Edit:
        """Measure a picture: sharpness, noise, halos, blocking, and against a reference PSNR, SSIM, seams and more."""

    def gate(
        self,
        image: Source,
        *,
        before: Source | None = None,
        mask: Source | None = None,
        max_outside_mask: float | None = None,
        max_seam: float | None = None,
        max_residual_text: float | None = None,
        max_halo: float | None = None,
        max_blocking: float | None = None,
        min_sharpness: float | None = None,
        max_noise: float | None = None,
        max_low_frequency_drift: float | None = None,
        min_psnr: float | None = None,
        min_ssim: float | None = None,
        max_perceptual_hash: float | None = None,
        on_step: OnStep | None = None,
    ) -> Edit:
        """Judge a picture by limits, such as a largest halo or a least PSNR; passes only when all are kept."""
