"""Decoding in a warm, caged child process: this process never runs a codec on foreign bytes."""

from __future__ import annotations

import contextlib
import math
import os
import site
import socket
import subprocess
import sys
import threading
import weakref
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import PIL

from gesso.contracts.errors import BadImage, EngineFailed
from gesso.contracts.limits import Limits
from gesso.imaging import wire
from gesso.imaging.decoding import Order
from gesso.imaging.normalise import Array

START_SECONDS = 60.0
"""A child that is not ready by then never will be (a cold start takes about 0.3 s; a busy disk may take seconds)."""
REQUESTS_PER_CHILD = 500
"""Children are replaced after so many pictures, so that no leak in a codec can add up."""
KEPT_BYTES = 64 * 1024 * 1024
"""Shared memory an idle child keeps: filling known pages is quicker than getting new ones."""
EXIT_SECONDS = 1.0
"""How long a child that closed its line may take to be gone, so that its exit code can be told."""
WALL_FACTOR = 4.0
"""Wall-clock seconds granted per CPU second allowed: a child on a busy machine gets less than a core."""


class _Child:
    """One decoder process and the line to it. Not thread-safe; `Decoder` hands it to one thread at a time."""

    def __init__(self, memory: int, heic: bool) -> None:
        ours, theirs = socket.socketpair()
        self.line = ours
        self.source, self.target = wire.anonymous_file(), wire.anonymous_file()
        self.served = 0
        self._sandbox = ""
        handed = (theirs.fileno(), self.source, self.target)
        command = [sys.executable, "-P", "-m", "gesso.imaging.decoder_child", *map(str, handed), str(memory)]
        try:
            self.process = subprocess.Popen(
                [*command, "heic" if heic else "-"],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                pass_fds=handed,
                cwd="/",
                env=_environment(),
                process_group=0,  # Ctrl-C at the terminal must not break the picture being decoded
            )
        except OSError as error:
            self._close()
            raise EngineFailed(f"the decoder process cannot be started: {error}", code="decoder_unavailable") from error
        finally:
            theirs.close()

    def ready(self) -> str:
        """Wait until the process serves; what cages it. Raises `EngineFailed` when it does not start."""
        if not self._sandbox:
            try:
                self.line.settimeout(START_SECONDS)
                self._sandbox = str(wire.receive(self.line).get("sandbox", "unknown"))
            except (wire.Closed, OSError) as error:
                raise EngineFailed(
                    "the decoder process does not start",
                    code="decoder_unavailable",
                    hint="run `gesso doctor`; the limit decode_memory may be too low",
                ) from error
        return self._sandbox

    def ask(self, message: dict[str, Any], data: bytes, seconds: float) -> dict[str, Any]:
        """The answer to a message about `data`; raises `wire.Closed` when the child dies, `TimeoutError` when it is slow."""
        self.served += 1
        self.line.settimeout(seconds)
        wire.write_all(self.source, memoryview(data))
        wire.send(self.line, message)
        return wire.receive(self.line)

    def rest(self) -> None:
        """Give memory back that only big pictures need."""
        for file in (self.source, self.target):
            if os.fstat(file).st_size > KEPT_BYTES:
                os.ftruncate(file, 0)

    def end(self) -> None:
        """Kill the process, and wait for it. May be called again."""
        self.process.kill()
        self.process.wait()
        self._close()

    def _close(self) -> None:
        self.line.close()
        for file in (self.source, self.target):
            with contextlib.suppress(OSError):
                os.close(file)
        self.source = self.target = -1


def _environment() -> dict[str, str]:
    """All that a child learns of this process's environment: libraries outside the standard place, and to stay small.

    The standard place is left out: PYTHONPATH comes before the standard library, and must not shadow it.
    """
    files = ((__file__, 2), (np.__file__, 1), (PIL.__file__, 1))
    folders = dict.fromkeys(str(Path(file).resolve().parents[depth]) for file, depth in files)
    standard = {str(Path(folder).resolve()) for folder in site.getsitepackages()}
    settings = {
        "PYTHONPATH": os.pathsep.join(folder for folder in folders if folder not in standard),
        "OMP_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
        "MALLOC_ARENA_MAX": "1",
        "MALLOC_MMAP_THRESHOLD_": str(KEPT_BYTES),
        "MALLOC_TRIM_THRESHOLD_": str(KEPT_BYTES),
    }
    loader = os.environ.get("LD_LIBRARY_PATH")
    return {**settings, "LD_LIBRARY_PATH": loader} if loader else settings


class Decoder:
    """A small pool of decoder children, started when first needed. Thread-safe.

    Guarantees: a file that crashes, stalls or bloats its decoder fails alone, as `BadImage` (decoder_crashed,
    decode_timeout, decode_memory); children end with `close`, with this object, and with this process.
    """

    def __init__(self, limits: Limits, *, workers: int = 2, heic: bool = False) -> None:
        self._limits = limits
        self._heic = heic
        self._slots = threading.BoundedSemaphore(workers)
        self._lock = threading.Lock()
        self._idle: list[_Child] = []
        self._owner = os.getpid()
        self._finalizer = weakref.finalize(self, _end_all, self._idle, self._lock, os.getpid())

    def decode(self, data: bytes, order: Order) -> tuple[Array, tuple[tuple[str, str], ...]]:
        """The picture in `data` as an array, and notes (code, sentence); raises `BadImage`, or `EngineFailed` when no
        decoder can be started at all."""
        with self._slots, self._borrowed() as child:
            child.ready()
            try:
                answer, pixels = self._exchange(child, data, order)
            except TimeoutError as error:
                raise _slow(self._limits.decode_seconds) from error
            except wire.Closed as error:
                raise _crashed(_exit_code(child), self._limits.decode_seconds) from error
        if pixels is None:
            raise _refusal(answer.get("error"))
        return pixels, tuple((str(code), str(detail)) for code, detail in answer["notes"])

    def sandbox(self) -> str:
        """What cages the children: "seccomp", or the reason why there is only a resource limit. Starts one if need be."""
        with self._slots, self._borrowed() as child:
            return child.ready()

    def warm(self) -> None:
        """Start a child, if there is none, without waiting for it: its start then overlaps with other work."""
        with self._slots:
            self._give_back(self._take())

    def pids(self) -> tuple[int, ...]:
        """Process ids of the idle children."""
        with self._lock:
            return tuple(child.process.pid for child in self._idle)

    def close(self) -> None:
        """End all idle children. The decoder starts new ones if it is used again."""
        _end_all(self._idle, self._lock, self._owner)

    @contextlib.contextmanager
    def _borrowed(self) -> Iterator[_Child]:
        """A child for one use; one that was in use when something went wrong is ended, not given back."""
        child = self._take()
        healthy = False
        try:
            yield child
            healthy = True
        finally:
            if healthy:
                self._give_back(child)
            else:
                child.end()

    def _take(self) -> _Child:
        if os.getpid() != self._owner:
            # After a fork the children belong to the parent: leave them alone, start own ones.
            self._idle, self._lock, self._owner = [], threading.Lock(), os.getpid()
            self._finalizer = weakref.finalize(self, _end_all, self._idle, self._lock, self._owner)
        while True:
            with self._lock:
                child = self._idle.pop() if self._idle else None
            if child is None:
                return _Child(self._limits.decode_memory, self._heic)
            if child.process.poll() is None:
                return child
            child.end()

    def _give_back(self, child: _Child) -> None:
        if child.served >= REQUESTS_PER_CHILD:
            child.end()
            return
        child.rest()
        with self._lock:
            self._idle.append(child)

    def _exchange(self, child: _Child, data: bytes, order: Order) -> tuple[dict[str, Any], Array | None]:
        seconds = self._limits.decode_seconds
        message = {**asdict(order), "bytes": len(data), "cpu_seconds": seconds}
        answer = child.ask(message, data, math.ceil(seconds * WALL_FACTOR))
        if "error" in answer:
            return answer, None
        return answer, _received(answer, child.target, order)


def _received(answer: dict[str, Any], target: int, order: Order) -> Array:
    """A private copy of the pixels, so that the child cannot change them any more; its claims are checked first."""
    shape = answer.get("shape")
    if not (isinstance(shape, list) and len(shape) == 3 and all(isinstance(n, int) and n > 0 for n in shape)):
        raise wire.Closed
    if shape[0] * shape[1] > order.max_pixels or shape[2] > 4 or not isinstance(answer.get("notes"), list):
        raise wire.Closed
    pixels: Array = np.empty(shape, np.uint16 if answer.get("deep") else np.uint8)
    wire.read_all(target, pixels.data)
    return pixels


def _exit_code(child: _Child) -> int:
    """The exit code of a child that closed its line, negative for the signal that killed it; 0 while it still runs."""
    with contextlib.suppress(subprocess.TimeoutExpired):
        return child.process.wait(timeout=EXIT_SECONDS)
    return 0


def _end_all(idle: list[_Child], lock: threading.Lock, owner: int) -> None:
    if os.getpid() != owner:
        return
    with lock:
        children = list(idle)
        idle.clear()
    for child in children:
        child.end()


def _slow(seconds: float) -> BadImage:
    return BadImage(
        f"decoding the file took more than {seconds:g} s and was stopped",
        code="decode_timeout",
        hint="the file may be built to be slow; otherwise raise the limit decode_seconds",
        limit=seconds,
    )


def _crashed(code: int, seconds: float) -> BadImage:
    if -code == 24:  # SIGXCPU
        return _slow(seconds)
    how = f"signal {-code}" if code < 0 else f"exit code {code}"
    return BadImage(
        f"the file made its decoder fail ({how}); only this file is affected",
        code="decoder_crashed",
        hint="the file is damaged or hostile; if it opens elsewhere, save it again as PNG there",
    )


def _refusal(error: Any) -> BadImage:
    if not isinstance(error, dict):
        return BadImage("the decoder gave no answer", code="decoder_crashed")
    return BadImage(
        str(error.get("message", "")),
        code=str(error.get("code", "image_corrupt")),
        hint=str(error.get("hint", "")),
        field=str(error.get("field", "")),
        limit=error.get("limit"),
    )
