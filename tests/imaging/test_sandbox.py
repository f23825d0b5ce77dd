"""What the cage forbids, tried from inside. Each attempt runs in a process of its own, because the cage is for good."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="seccomp is Linux's")

PREAMBLE = """
import ctypes, mmap, os, resource, signal, socket, subprocess, sys, threading
from gesso.imaging import sandbox
sandbox.limit_resources(1 << 30)
state = sandbox.forbid_everything_else()
if state != "seccomp":
    os.write(1, state.encode()); os._exit(3)
try:
    {attempt}
except PermissionError:
    os.write(1, b"forbidden"); os._exit(0)
os.write(1, b"done"); os._exit(0)
"""


def tried(attempt: str) -> tuple[str, int]:
    done = subprocess.run(
        [sys.executable, "-c", PREAMBLE.format(attempt=attempt)], capture_output=True, check=False, timeout=60
    )
    if done.returncode == 3:
        pytest.skip(done.stdout.decode())
    return done.stdout.decode(), done.returncode


@pytest.mark.parametrize(
    "attempt",
    [
        "open('/etc/passwd')",
        "open('canary', 'w')",
        "os.listdir('/')",
        "os.unlink('canary')",
        "os.rename('a', 'b')",
        "os.mkdir('canary')",
        "socket.socket()",
        "socket.socketpair()",
        "os.fork()",
        "os.execv('/bin/true', ['true'])",
        "os.posix_spawn('/bin/true', ['true'], {})",
        "subprocess.run(['true'])",
        "os.kill(os.getppid(), 0)",
        "os.kill(1, 0)",
        "os.memfd_create('x')",
        "os.chdir('/tmp')",
        "os.pidfd_open(os.getppid())",
    ],
)
def test_forbidden(attempt: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert tried(attempt) == ("forbidden", 0)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "attempt",
    [
        "mmap.mmap(-1, 1 << 24)",
        "[t.start() or t.join() for t in [threading.Thread(target=sum, args=([1],))]]",
        "sandbox.allow_cpu(5)",
        "bytearray(100_000_000)",
        "os.urandom(8)",
    ],
)
def test_computing_is_allowed(attempt: str) -> None:
    assert tried(attempt) == ("done", 0)


def test_memory_is_capped() -> None:
    found, code = tried("bytearray(2 << 30)")
    assert found == ""
    assert code != 0


def test_cpu_time_is_capped() -> None:
    found, code = tried("sandbox.allow_cpu(0.1)\n    while True: pass")
    assert (found, code) == ("", -24)


def test_abort_still_ends_the_process() -> None:
    assert tried("os.abort()") == ("", -6)


def test_raw_clone_of_a_process_is_forbidden() -> None:
    number = {"x86_64": 56, "aarch64": 220}
    attempt = (
        f"libc = ctypes.CDLL(None, use_errno=True); r = libc.syscall({number}[os.uname().machine], 17, 0, 0, 0, 0)\n"
        "    if r == 0: os._exit(9)\n"
        "    if r < 0: raise PermissionError"
    )
    assert tried(attempt) == ("forbidden", 0)


def test_other_systems_say_why(monkeypatch: pytest.MonkeyPatch) -> None:
    from gesso.imaging import sandbox

    monkeypatch.setattr(sandbox.platform, "machine", lambda: "riscv64")
    assert "riscv64" in sandbox.forbid_everything_else()
    monkeypatch.setattr(sandbox.sys, "platform", "darwin")
    assert "darwin" in sandbox.forbid_everything_else()
