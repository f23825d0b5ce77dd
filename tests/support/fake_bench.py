"""A bench without engines: small operations that show every kind of parameter and every way to end, and a Pillow codec.

`python -m tests.support.fake_bench ARGS` is the command line on top of it, for tests that need a process.
"""

from __future__ import annotations

import hashlib
import io
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Protocol

import numpy as np
from PIL import Image, PngImagePlugin, UnidentifiedImageError
from pydantic import Field, model_validator

from gesso.cli.main import Finding, Wiring, run
from gesso.contracts.context import Context
from gesso.contracts.engine import EngineInfo
from gesso.contracts.errors import (
    BadImage,
    BadInput,
    EngineFailed,
    OutOfMemory,
    PolicyRefused,
    Unavailable,
)
from gesso.contracts.fields import Fraction, PixelCount, Seed
from gesso.contracts.gate import Evidence, Gate, Measurement
from gesso.contracts.geometry import Box, Point
from gesso.contracts.hint import FillHint
from gesso.contracts.limits import Limits
from gesso.contracts.mask import Mask
from gesso.contracts.model import FieldError, Model, Params
from gesso.contracts.operation import AnyOperation, Operation, Result
from gesso.contracts.picture import Origin, Picture
from gesso.contracts.ports import Bench, Source
from gesso.contracts.provenance import Provenance, read_provenance
from gesso.contracts.tools import Offer, Tools
from gesso.contracts.verdict import Attempt, Notice, Status, Verdict

Ending = Literal["", "bad_input", "unavailable", "memory", "policy", "engine", "defect", "rolled_back", "repaired"]


class Brush(Protocol):
    """A capability that one fake engine offers."""

    @property
    def info(self) -> EngineInfo: ...


class Oracle(Protocol):
    """A capability that nothing offers."""

    @property
    def info(self) -> EngineInfo: ...


class FakeBrush:
    """Offers `Brush`."""

    info = EngineInfo(id="fake-brush", version=1)


class PaintParams(Params):
    """One parameter of every kind."""

    image: Picture
    mask: Mask | None = Field(default=None, description="where to paint")
    other: Picture | None = None
    box: Box | None = None
    points: tuple[Point, ...] = Field(default=(), max_length=64)
    hint: FillHint | None = None
    extra: dict[str, float] = Field(default_factory=dict)
    amount: Fraction = 0.5
    scale: Literal[2, 4] = 2
    mode: Literal["soft", "hard"] = "soft"
    feather_px: PixelCount = 4
    grain: bool = True
    label: str = Field(default="", max_length=100)
    ending: Ending = ""
    seconds: float = Field(default=0.0, ge=0, le=60)
    heedless: bool = Field(default=False, description="does not notice a cancellation")
    seed: Seed = 0

    @model_validator(mode="after")
    def _one_place(self) -> PaintParams:
        if self.mask is not None and self.box is not None:
            raise FieldError("two_places", "give a mask or a box, not both")
        return self


class PaintResult(Result):
    """The picture inverted, and a mask."""

    image: Picture
    mask: Mask
    level: float


def _paint(params: PaintParams, tools: Tools, context: Context) -> PaintResult:
    end = time.monotonic() + params.seconds
    while time.monotonic() < end:
        if not params.heedless:
            context.progress(0.5, "painting")
        time.sleep(0.01)
    if params.ending not in ("", "rolled_back", "repaired"):
        raise _error(params.ending)
    if params.box is not None:
        params.box.clipped(params.image.width, params.image.height)
    status: Status = params.ending or "done"
    image = params.image if status == "rolled_back" else params.image.with_pixels(255 - params.image.pixels)
    verdict = Verdict(gate="level", passed=status != "rolled_back", value=0.25, limit=0.5, detail="of 1")
    attempt = Attempt(what="region 1", engine="fake-brush", chosen_because="smooth ground", seconds=0.5)
    tools.find(Brush)
    cover = np.zeros((image.height, image.width), np.float32)
    cover[: image.height // 2] = 1
    return PaintResult(
        image=image,
        mask=Mask.of(cover),
        level=float(image.pixels.mean()),
        status=status,
        reason="too bold" if status == "rolled_back" else "second try" if status == "repaired" else "",
        verdicts=(verdict,),
        attempts=(attempt,),
        notices=(Notice(code="said", message="a note"),),
    )


def _error(ending: Ending) -> Exception:
    errors: dict[str, Exception] = {
        "bad_input": BadInput("no good", code="no_good", hint="try another"),
        "unavailable": Unavailable("no model"),
        "memory": OutOfMemory("too large"),
        "policy": PolicyRefused("not allowed"),
        "engine": EngineFailed("the engine broke"),
        "defect": RuntimeError("a defect\nwith two lines"),
    }
    return errors[ending]


class CheckParams(Params):
    """A picture and the level it may have."""

    image: Picture
    max_level: float = Field(default=100.0, ge=0, le=255)


class CheckRow(Model):
    """A line of a table."""

    name: str
    left: float
    unit: str = ""
    corners: tuple[int, ...] = ()


class CheckResult(Result):
    """Whether the picture passed."""

    passed: bool
    level: float
    rows: tuple[CheckRow, ...] = ()


def _check(params: CheckParams, tools: Tools, context: Context) -> CheckResult:
    level = float(params.image.pixels.mean())
    passed = level <= params.max_level
    verdict = Verdict(gate="level", passed=passed, value=level, limit=params.max_level, unit="levels")
    rows = (CheckRow(name="level", left=2.5, corners=(1, 2)),)
    return CheckResult(passed=passed, level=level, rows=rows, verdicts=(verdict,))


class AskParams(Params):
    """Needs what nobody offers."""

    image: Picture


class MakeParams(Params):
    """A picture out of nothing."""

    prompt: str = Field(min_length=1)


class MakeResult(Result):
    """The picture."""

    image: Picture


def _make(params: MakeParams, tools: Tools, context: Context) -> MakeResult:
    level = hashlib.sha256(params.prompt.encode()).digest()[0]
    return MakeResult(image=Picture(np.full((8, 8, 3), level, np.uint8)))


def _ask(params: AskParams, tools: Tools, context: Context) -> MakeResult:
    tools.one(Oracle)
    return MakeResult(image=params.image)


PAINT: Operation[Any, Any] = Operation(
    id="paint-over",
    version=3,
    title="Paint over a picture",
    summary="Inverts it.",
    params=PaintParams,
    result=PaintResult,
    run=_paint,
    wants=(Brush,),
    gates=("level",),
)
CHECK: Operation[Any, Any] = Operation("check", 1, "Check the level", "", CheckParams, CheckResult, _check)
ASK: Operation[Any, Any] = Operation("ask", 1, "Ask the oracle", "", AskParams, MakeResult, _ask, needs=(Oracle,))
MAKE: Operation[Any, Any] = Operation("make", 1, "Make a picture", "", MakeParams, MakeResult, _make)
OPERATIONS: tuple[AnyOperation, ...] = (PAINT, CHECK, ASK, MAKE)


def _level(evidence: Evidence) -> Measurement:
    return Measurement(float(evidence.after.pixels.mean()))


LEVEL = Gate("level", "Level", "Mean level.", "levels", "lower", 255.0, _level)


@dataclass(frozen=True)
class FakeMarks:
    """What `gesso verify` asks for."""

    c2pa: bool

    def as_json(self) -> dict[str, Any]:
        return {"c2pa": self.c2pa, "digital_source_type": "", "tools": ["comfyui"] if self.c2pa else []}


class PillowCodec:
    """Implements `contracts.ports.Codec` with Pillow, in this process. For tests only: it trusts its input."""

    def picture(self, source: Source, *, name: str = "", frame: int | None = None) -> Picture:
        if isinstance(source, Picture):
            return source
        try:
            data = source if isinstance(source, bytes) else Path(source).read_bytes()
        except OSError as error:
            raise BadImage(f"{name}: cannot be read", code="unreadable") from error
        if not data:
            raise BadImage(f"{name}: the file is empty", code="image_empty")
        try:
            with Image.open(io.BytesIO(data)) as opened:
                if getattr(opened, "n_frames", 1) > 1 and frame is None:
                    raise BadImage("several frames", code="animated_input", hint="choose one with frame")
                opened.seek(frame or 0)
                pixels = np.array(opened.convert("RGBA" if "A" in opened.getbands() else "RGB"))
                kind = (opened.format or "").lower()
        except (UnidentifiedImageError, OSError, EOFError) as error:
            raise BadImage(f"{name}: not a picture", code="format_not_allowed") from error
        return Picture(pixels, (), Origin(name, kind, hashlib.sha256(data).hexdigest(), len(data)))

    def mask(self, source: Source, *, size: tuple[int, int] | None = None, name: str = "") -> Mask:
        if isinstance(source, Mask):
            return source
        found = Mask.of(self.picture(source, name=name).pixels[:, :, 0])
        if size is not None and size != (found.width, found.height):
            raise BadImage("the mask has another size", code="mask_size")
        return found

    def encode(
        self, picture: Picture, format: str = "png", *, provenance: Provenance | None = None, quality: int | None = None
    ) -> bytes:
        info = PngImagePlugin.PngInfo()
        if provenance is not None:
            info.add_itxt("gesso:provenance", provenance.model_dump_json())
        out = io.BytesIO()
        image = Image.fromarray(picture.pixels)
        if format == "png":
            image.save(out, "PNG", pnginfo=info)
        elif format == "webp":
            image.save(out, "WEBP", quality=quality or 90)
        else:
            image.convert("RGB").save(out, "JPEG", quality=quality or 90)
        return out.getvalue()

    def encode_mask(self, mask: Mask) -> bytes:
        out = io.BytesIO()
        Image.fromarray((mask.coverage * 255).astype(np.uint8)).save(out, "PNG")
        return out.getvalue()

    def provenance(self, data: bytes) -> Provenance | None:
        with Image.open(io.BytesIO(data)) as opened:
            text = getattr(opened, "text", {}).get("gesso:provenance")
        return None if text is None else read_provenance(text)

    def inspect(self, data: bytes) -> FakeMarks:
        return FakeMarks(b"c2pa" in data)

    def formats(self) -> tuple[str, ...]:
        return ("png", "jpg", "webp")


def fake_bench(recipe_folders: tuple[Path, ...] = ()) -> Bench:
    """The bench with everything above."""
    brush = Offer(Brush, "fake-brush", FakeBrush)
    oracle = Offer(Oracle, "fake-oracle", FakeBrush, lambda: "there is no oracle")
    operations = {o.id: o for o in OPERATIONS}
    return Bench(operations, {"level": LEVEL}, Tools((brush, oracle)), PillowCodec(), recipe_folders=recipe_folders)


def fake_wiring(recipe_folders: tuple[Path, ...] = (), findings: Sequence[Finding] = ()) -> Wiring:
    """Wiring for `gesso.cli.main.run`."""

    def limits() -> Mapping[str, Any]:
        return Limits().model_dump()

    return Wiring(
        version="1.2.3",
        operations=lambda: OPERATIONS,
        bench=lambda: fake_bench(recipe_folders),
        doctor=lambda: findings or (Finding("python", "ok", "3.11"), Finding("heic", "off", "pip install gesso[heic]")),
        warm_up=lambda: ("nothing to prepare",),
        limits=limits,
    )


if __name__ == "__main__":
    sys.exit(run(fake_wiring((Path.cwd(),))))
