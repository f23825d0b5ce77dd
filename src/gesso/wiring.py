"""The only place that knows concrete rooms: which engine serves which capability, and what a bench is made of.

Everything here is lazy: declaring operations and offers loads no runtime; an engine is imported and built when an operation
first asks for its capability.
"""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
import platform
import shutil
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any

from gesso.cli.session import Finding, State, Wiring
from gesso.contracts.capabilities import Inpainter, Matter, SubjectFinder, TextDetector, Upscaler
from gesso.contracts.operation import AnyOperation
from gesso.contracts.ports import Bench
from gesso.contracts.tools import Offer, Tools
from gesso.contracts.version import VERSION
from gesso.settings import Settings, read_settings

RECORDED = (
    "numpy",
    "pillow",
    "opencv-contrib-python-headless",
    "scipy",
    "numba",
    "pymatting",
    "rapidocr",
    "onnxruntime",
)
"""Distributions whose versions can change pixels; they stand in every record's environment."""

STORE_RESERVE = 64 * 1024**2
"""Free bytes below which `doctor` warns that results may not fit."""


def operations() -> tuple[AnyOperation, ...]:
    """Every operation, in the order in which doors list them."""
    from gesso.operations import OPERATIONS

    return OPERATIONS


def offers(settings: Settings) -> tuple[Offer, ...]:
    """Engines by capability, preferred first. The one table that a new engine family is added to."""
    return (
        Offer(
            TextDetector, "rapid-text", lambda: _part("ocr.engine", "RapidText").load(settings.threads), _text_missing
        ),
        Offer(Inpainter, "membrane", lambda: _part("fill", "MembraneFill")(), lambda: _absent("numba")),
        Offer(Inpainter, "patch", lambda: _part("fill", "PatchFill")(), lambda: _absent("numba")),
        Offer(SubjectFinder, "guided-cut", lambda: _part("subject.finder", "GuidedCutFinder")()),
        Offer(
            Matter,
            "closed-form",
            lambda: _part("matting.closed_form", "ClosedFormMatter")(),
            lambda: _absent("pymatting"),
        ),
        Offer(
            Upscaler, "oriented-kriging", lambda: _part("upscale.engine", "OrientedKriging")(), lambda: _absent("numba")
        ),
    )


def build_bench(settings: Settings | None = None) -> Bench:
    """Everything a plan runs with, under `settings` (default: those of the environment)."""
    from gesso.imaging.codec import PictureCodec
    from gesso.quality.catalogue import GATES
    from gesso.storage.steps import FileStepStore

    settings = settings or read_settings()
    return Bench(
        operations={operation.id: operation for operation in operations()},
        gates={gate.id: gate for gate in GATES},
        tools=Tools(offers(settings)),
        codec=PictureCodec(settings.limits),
        store=FileStepStore(settings.store, settings.store_bytes) if settings.store_bytes else None,
        environment=environment(),
        recipe_folders=settings.recipes,
    )


@cache
def environment() -> Mapping[str, str]:
    """What else decides pixels: Python, platform, processor, library versions."""
    facts = {
        "python": platform.python_version(),
        "platform": f"{platform.system()}-{platform.machine()}",
        "processor": _processor(),
    }
    return facts | {name: version for name in RECORDED if (version := _version(name))}


def doctor(settings: Settings | None = None) -> tuple[Finding, ...]:
    """What is installed, which engines are usable, and why not."""
    settings = settings or read_settings()
    found = [Finding("gesso", "ok", f"{VERSION}, Python {platform.python_version()}, {_cores()} cores")]
    for name in RECORDED:
        version = _version(name)
        found.append(Finding(name, "ok" if version else "missing", version or f"pip install {name}"))
    for extra, module in (("heic", "pi_heif"),):
        state: State = "ok" if importlib.util.find_spec(module) else "off"
        found.append(Finding(f"extra {extra}", state, "" if state == "ok" else f"pip install 'gesso[{extra}]'"))
    for offer in offers(settings):
        missing = offer.missing()
        found.append(Finding(f"{offer.capability.__name__}: {offer.id}", "missing" if missing else "ok", missing))
    return (*found, _decoder(settings), _opencv(), _torchvision(), _store(settings))


def warm_up() -> tuple[str, ...]:
    """Compile and load what is otherwise compiled on first use; one line per part. Run once after installing."""
    done = []
    for family in ("fill", "matting", "upscale", "ocr"):
        module = importlib.import_module(f"gesso.engines.{family}")
        prepare: Callable[[], None] | None = getattr(module, "warm_up", None)
        if prepare is not None:
            prepare()
            done.append(f"{family}: ready")
    return tuple(done)


def command_line() -> Wiring:
    """What the command line is handed."""
    return Wiring(
        version=VERSION,
        operations=operations,
        bench=build_bench,
        doctor=doctor,
        warm_up=warm_up,
        limits=lambda: read_settings().limits.model_dump(),
    )


def _part(module: str, name: str) -> Any:
    return getattr(importlib.import_module(f"gesso.engines.{module}"), name)


def _absent(distribution: str) -> str:
    return "" if _version(distribution) else f"{distribution} is not installed: pip install {distribution}"


def _text_missing() -> str:
    from gesso.engines.ocr.sessions import missing

    return missing()


@cache
def _version(distribution: str) -> str:
    try:
        return importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError:
        return ""


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _processor() -> str:
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as lines:  # noqa: PTH123
            return next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), "")
    except OSError:
        return platform.processor()


def _decoder(settings: Settings) -> Finding:
    from gesso.imaging.codec import PictureCodec

    with PictureCodec(settings.limits) as codec:
        cage = codec.sandbox()
    return Finding("decoder", "ok" if cage == "seccomp" else "off", f"own process, {cage}")


def _opencv() -> Finding:
    import cv2

    whole = hasattr(cv2.ximgproc, "guidedFilter")
    hint = "pip install --force-reinstall --no-deps opencv-contrib-python-headless"
    return Finding(
        "opencv modules", "ok" if whole else "missing", "" if whole else f"another OpenCV overwrote them: {hint}"
    )


def _torchvision() -> Finding:
    """A torchvision that does not match torch breaks transformers and diffusers as a whole."""
    present = importlib.util.find_spec("torchvision") is not None
    return Finding(
        "torchvision",
        "off",
        "installed, and may break transformers: pip uninstall torchvision" if present else "not needed",
    )


def _store(settings: Settings) -> Finding:
    if not settings.store_bytes:
        return Finding("step store", "off", "GESSO_STORE_BYTES=0")
    place = settings.store
    while not place.exists() and place != place.parent:
        place = place.parent
    if not os.access(place, os.W_OK):
        return Finding("step store", "missing", f"{settings.store} cannot be written: set GESSO_STORE")
    free = shutil.disk_usage(place).free
    state: State = "ok" if free > STORE_RESERVE else "missing"
    return Finding("step store", state, f"{settings.store}, {free / 1024**3:.0f} GiB free")


__all__: Sequence[str] = ("build_bench", "command_line", "doctor", "environment", "offers", "operations", "warm_up")
