"""A small bench of fake operations, gates and engines for the tests of recipes."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from pydantic import Field

from gesso.contracts.capabilities import Upscaler
from gesso.contracts.context import Context
from gesso.contracts.engine import EngineInfo
from gesso.contracts.errors import BadImage, EngineFailed, StorageError
from gesso.contracts.fields import Colour, Seed
from gesso.contracts.gate import Evidence, Gate, Measurement
from gesso.contracts.geometry import Box, Point
from gesso.contracts.mask import Mask
from gesso.contracts.model import Params
from gesso.contracts.operation import AnyOperation, Operation, Result
from gesso.contracts.picture import Origin, Picture
from gesso.contracts.ports import Bench
from gesso.contracts.tools import Offer, Tools
from gesso.contracts.verdict import Attempt, Notice, Verdict


def picture(seed: int = 0, width: int = 24, height: int = 16, alpha: bool = False) -> Picture:
    rng = np.random.default_rng(seed)
    pixels = rng.integers(0, 256, (height, width, 4 if alpha else 3), np.uint8)
    return Picture(pixels, origin=Origin(f"{seed}.png", "png", f"{seed:064x}", 100))


def half_mask(width: int = 24, height: int = 16) -> Mask:
    cover = np.zeros((height, width), np.float32)
    cover[:, : width // 2] = 1.0
    return Mask.of(cover)


class ImageResult(Result):
    image: Picture


class MaskResult(Result):
    image: Picture
    mask: Mask | None
    found: bool
    level: float


class InvertParams(Params):
    image: Picture
    amount: float = Field(default=1.0, ge=0, le=1)
    points: tuple[Point, ...] = ()
    box: Box | None = None
    colour: Colour = "#ffffff"
    note: str = ""


def invert(params: InvertParams, tools: Tools, context: Context) -> ImageResult:
    context.progress(0.5, "half way")
    rgb = params.image.pixels.copy()
    rgb[..., :3] = np.rint(rgb[..., :3] * (1 - params.amount) + (255 - rgb[..., :3]) * params.amount).astype(np.uint8)
    return ImageResult(image=params.image.with_pixels(rgb))


class NoiseParams(Params):
    image: Picture
    strength: int = Field(default=10, ge=0, le=100)
    seed: Seed = 0


def noise(params: NoiseParams, tools: Tools, context: Context) -> ImageResult:
    rng = np.random.default_rng(params.seed)
    added = rng.integers(0, params.strength + 1, params.image.pixels.shape, np.uint8)
    return ImageResult(image=params.image.with_pixels(params.image.pixels // 2 + added))


class FindParams(Params):
    image: Picture
    nothing: bool = False


def find(params: FindParams, tools: Tools, context: Context) -> MaskResult:
    mask = None if params.nothing else half_mask(params.image.width, params.image.height)
    attempt = Attempt(what="looked")
    return MaskResult(
        image=params.image,
        mask=mask,
        found=not params.nothing,
        level=0.25,
        attempts=(attempt,),
        notices=(Notice(code="looked", message="looked"),),
    )


class FillParams(Params):
    image: Picture
    mask: Mask
    value: int = Field(default=7, ge=0, le=255)


def fill(params: FillParams, tools: Tools, context: Context) -> MaskResult:
    pixels = params.image.pixels.copy()
    pixels[params.mask.touched] = params.value
    return MaskResult(image=params.image.with_pixels(pixels), mask=params.mask, found=True, level=0.0)


class EnlargeParams(Params):
    image: Picture
    scale: int = Field(default=2, ge=1, le=8)


def enlarge(params: EnlargeParams, tools: Tools, context: Context) -> ImageResult:
    return ImageResult(image=tools.one(Upscaler).upscale(params.image, params.scale))


class BreakParams(Params):
    image: Picture
    how: str = "value"


def broken(params: BreakParams, tools: Tools, context: Context) -> ImageResult:
    if params.how == "memory":
        raise MemoryError
    if params.how == "image":
        raise BadImage("no", code="too_small_picture")
    if params.how == "engine":
        raise EngineFailed("the engine gave up")
    if params.how == "never":
        return ImageResult(image=params.image)
    raise ValueError("secret")


class ShatterResult(Result):
    image: Picture
    mask: Mask
    level: float


def shatter(params: BreakParams, tools: Tools, context: Context) -> ShatterResult:
    raise EngineFailed("the engine gave up")


class JudgeParams(Params):
    image: Picture
    limit: float = 100.0


class JudgeResult(Result):
    brightness: float
    passed: bool


def judge(params: JudgeParams, tools: Tools, context: Context) -> JudgeResult:
    value = float(params.image.rgb.mean())
    passed = value <= params.limit
    verdict = Verdict(gate="brightness", passed=passed, value=value, limit=params.limit)
    return JudgeResult(brightness=value, passed=passed, verdicts=(verdict,))


class StackParams(Params):
    images: tuple[Picture, ...] = Field(min_length=1)


def stack(params: StackParams, tools: Tools, context: Context) -> ImageResult:
    return ImageResult(image=Picture(np.vstack([p.rgb for p in params.images])))


def _operation(id: str, params: Any, result: Any, run: Any, **more: Any) -> AnyOperation:
    return Operation(id, more.pop("version", 1), id.title(), f"{id}s", params, result, run, **more)


OPERATIONS = (
    _operation("invert", InvertParams, ImageResult, invert, version=3),
    _operation("add-noise", NoiseParams, ImageResult, noise),
    _operation("find", FindParams, MaskResult, find),
    _operation("fill", FillParams, MaskResult, fill),
    _operation("enlarge", EnlargeParams, ImageResult, enlarge, needs=(Upscaler,)),
    _operation("break", BreakParams, ImageResult, broken),
    _operation("shatter", BreakParams, ShatterResult, shatter),
    _operation("judge", JudgeParams, JudgeResult, judge),
    _operation("stack", StackParams, ImageResult, stack),
)


def _brightness(evidence: Evidence) -> Measurement:
    return Measurement(float(evidence.after.rgb.mean()), "mean of all channels")


def _changed(evidence: Evidence) -> Measurement | None:
    if evidence.before is None or evidence.before.size != evidence.after.size:
        return None
    return Measurement(float((evidence.before.rgb != evidence.after.rgb).mean()))


def _inside(evidence: Evidence) -> Measurement | None:
    return None if evidence.mask is None else Measurement(evidence.mask.area)


def _raises(evidence: Evidence) -> Measurement:
    raise ZeroDivisionError


GATES = (
    Gate("brightness", "Brightness", "", "", "lower", 1000.0, _brightness),
    Gate("changed", "Changed", "", "share", "higher", 0.0, _changed, requires=("before",)),
    Gate("inside", "Inside", "", "share", "lower", 1.0, _inside, requires=("mask",)),
    Gate("sharp", "Sharp", "", "", "higher", 0.0, _brightness, needs=(Upscaler,)),
    Gate("raises", "Raises", "", "", "higher", 0.0, _raises),
)


@dataclass(frozen=True)
class Repeat:
    """An upscaler that repeats pixels."""

    version: int = 1

    @property
    def info(self) -> EngineInfo:
        return EngineInfo(id="repeat", version=self.version, libraries=("numpy",))

    @property
    def scales(self) -> tuple[int, ...]:
        return (2, 3, 4)

    @property
    def is_model(self) -> bool:
        return False

    def upscale(self, picture: Picture, scale: int, *, context: Context | None = None) -> Picture:
        return picture.with_pixels(picture.pixels.repeat(scale, 0).repeat(scale, 1))


@dataclass
class DictStore:
    """A step store in memory that counts, and fails on demand."""

    entries: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    hits: int = 0
    full: bool = False

    def get(self, key: str) -> Mapping[str, Any] | None:
        self.hits += key in self.entries
        return self.entries.get(key)

    def put(self, key: str, values: Mapping[str, Any]) -> None:
        if self.full:
            raise StorageError("no space left", code="storage_full")
        self.entries[key] = dict(values)


class FakeCodec:
    """Admits pictures, masks and arrays; everything else is refused."""

    def picture(self, source: Any, *, name: str = "", frame: int | None = None) -> Picture:
        if isinstance(source, Picture):
            return source
        if isinstance(source, np.ndarray):
            return Picture(source)
        raise BadImage("this is no picture", code="not_an_image")

    def mask(self, source: Any, *, size: tuple[int, int] | None = None, name: str = "") -> Mask:
        return source if isinstance(source, Mask) else Mask.of(source)

    def encode(self, picture: Picture, format: str = "png", **more: Any) -> bytes:
        raise AssertionError

    def encode_mask(self, mask: Mask) -> bytes:
        raise AssertionError

    def provenance(self, data: bytes) -> None:
        raise AssertionError

    def formats(self) -> tuple[str, ...]:
        return ("png",)


@dataclass
class Calls:
    """How often each operation ran; thread-safe."""

    counts: dict[str, int] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def counting(self, operation: AnyOperation) -> AnyOperation:
        def run(params: Any, tools: Tools, context: Context) -> Any:
            with self.lock:
                self.counts[operation.id] = self.counts.get(operation.id, 0) + 1
            return operation.run(params, tools, context)

        from dataclasses import replace

        return replace(operation, run=run)


def fake_bench(
    *, store: Any = None, upscaler: bool = True, calls: Calls | None = None, engine_version: int = 1
) -> Bench:
    engine = Repeat(engine_version)
    offer = Offer(Upscaler, "repeat", lambda: engine, lambda: "" if upscaler else "not installed; install repeat")
    operations = [calls.counting(op) if calls else op for op in OPERATIONS]
    return Bench(
        operations={op.id: op for op in operations},
        gates={gate.id: gate for gate in GATES},
        tools=Tools((offer,)),
        codec=FakeCodec(),
        store=store,
        environment={"python": "3.11", "numpy": "2"},
    )
