from __future__ import annotations

import gc
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from gesso.contracts.errors import BadImage, EngineFailed
from gesso.contracts.limits import Limits
from gesso.imaging import decoder as module
from gesso.imaging import decoding, wire
from gesso.imaging.decoder import Decoder
from gesso.imaging.decoding import Order
from tests.imaging import corpus

linux = pytest.mark.skipif(sys.platform != "linux", reason="seccomp and /proc are Linux's")


def order(data: bytes, format: str = "png") -> Order:
    return Order(format, 0, 64, 48, max_frames=1000, max_pixels=50_000_000, animation=False)


PHOTO = corpus.photograph()
DATA = corpus.saved(PHOTO)


@pytest.fixture
def decoder() -> Iterator[Decoder]:
    made = Decoder(Limits())
    yield made
    made.close()


def gone(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False


def test_pixels_come_back(decoder: Decoder) -> None:
    pixels, notes = decoder.decode(DATA, order(DATA))
    assert (pixels == PHOTO).all()
    assert notes == ()


@pytest.mark.parametrize("format", ["PNG", "JPEG", "WEBP", "AVIF", "GIF", "TIFF"])
def test_the_cage_lets_every_format_work(decoder: Decoder, format: str) -> None:
    data = corpus.saved(corpus.photograph(300, 200), format)
    found, _ = decoder.decode(data, order(data, format.lower()))
    here, _ = decoding.decode(data, order(data, format.lower()))
    assert (found == here).all()


@linux
def test_the_cage_is_there(decoder: Decoder) -> None:
    assert decoder.sandbox() == "seccomp"
    (pid,) = decoder.pids()
    status = Path(f"/proc/{pid}/status").read_text()
    assert "Seccomp:\t2" in status
    assert "NoNewPrivs:\t1" in status
    limits = Path(f"/proc/{pid}/limits").read_text()
    assert str(Limits().decode_memory) in limits.replace(" ", "\n").split("\n")


@linux
def test_the_child_holds_no_foreign_files(decoder: Decoder, tmp_path: Path) -> None:
    with (tmp_path / "secret").open("w") as secret:
        os.set_inheritable(secret.fileno(), True)
        decoder.decode(DATA, order(DATA))
        (pid,) = decoder.pids()
        targets = [str(entry.readlink()) for entry in Path(f"/proc/{pid}/fd").iterdir()]
    assert not any("secret" in target for target in targets)
    environment = Path(f"/proc/{pid}/environ").read_bytes()
    assert b"HOME=" not in environment


def test_a_child_killed_in_mid_request_fails_that_file_only(decoder: Decoder) -> None:
    decoder.decode(DATA, order(DATA))
    (pid,) = decoder.pids()
    os.kill(pid, signal.SIGSTOP)
    found: list[BadImage] = []

    def ask() -> None:
        try:
            decoder.decode(DATA, order(DATA))
        except BadImage as error:
            found.append(error)

    thread = threading.Thread(target=ask)
    thread.start()
    while decoder.pids():
        time.sleep(0.01)
    os.kill(pid, signal.SIGKILL)
    thread.join(30)
    assert [error.code for error in found] == ["decoder_crashed"]
    assert "signal 9" in found[0].message
    assert gone(pid)
    pixels, _ = decoder.decode(DATA, order(DATA))
    assert (pixels == PHOTO).all()


def test_a_child_killed_while_idle_is_replaced(decoder: Decoder) -> None:
    decoder.decode(DATA, order(DATA))
    (pid,) = decoder.pids()
    os.kill(pid, signal.SIGKILL)
    os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
    pixels, _ = decoder.decode(DATA, order(DATA))
    assert (pixels == PHOTO).all()
    assert decoder.pids() != (pid,)


def test_a_child_that_stalls_is_stopped() -> None:
    decoder = Decoder(Limits(decode_seconds=0.2))
    decoder.decode(DATA, order(DATA))
    (pid,) = decoder.pids()
    os.kill(pid, signal.SIGSTOP)
    with pytest.raises(BadImage) as caught:
        decoder.decode(DATA, order(DATA))
    assert caught.value.code == "decode_timeout"
    assert caught.value.limit == 0.2
    assert gone(pid)
    decoder.decode(DATA, order(DATA))
    decoder.close()


def test_too_much_memory_is_refused() -> None:
    big = corpus.zeros_png(7000)
    decoder = Decoder(Limits(decode_memory=400 * 1024 * 1024))
    with pytest.raises(BadImage) as caught:
        decoder.decode(big, order(big))
    assert caught.value.code in ("decode_memory", "decoder_crashed")
    pixels, _ = decoder.decode(DATA, order(DATA))
    assert (pixels == PHOTO).all()
    decoder.close()


@pytest.mark.parametrize("executable", ["/nonexistent/python", "/bin/false"])
def test_a_decoder_that_cannot_start_says_so(monkeypatch: pytest.MonkeyPatch, executable: str) -> None:
    monkeypatch.setattr(sys, "executable", executable)
    decoder = Decoder(Limits())
    with pytest.raises(EngineFailed) as caught:
        decoder.decode(DATA, order(DATA))
    assert caught.value.code == "decoder_unavailable"


def test_warming_up_does_not_wait(decoder: Decoder) -> None:
    decoder.warm()
    (first,) = decoder.pids()
    decoder.warm()
    assert decoder.pids() == (first,)
    pixels, _ = decoder.decode(DATA, order(DATA))
    assert (pixels == PHOTO).all()
    assert decoder.pids() == (first,)


def test_children_are_replaced_after_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "REQUESTS_PER_CHILD", 2)
    decoder = Decoder(Limits())
    decoder.decode(DATA, order(DATA))
    (first,) = decoder.pids()
    decoder.decode(DATA, order(DATA))
    assert decoder.pids() == ()
    assert gone(first)
    decoder.decode(DATA, order(DATA))
    decoder.close()


def test_threads_share_few_children(decoder: Decoder) -> None:
    files = [corpus.saved(corpus.photograph(seed=n)) for n in range(8)]
    wrong: list[int] = []

    def work(n: int) -> None:
        for _ in range(4):
            pixels, _ = decoder.decode(files[n], order(files[n]))
            if not (pixels == corpus.photograph(seed=n)).all():
                wrong.append(n)

    threads = [threading.Thread(target=work, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong
    assert 1 <= len(decoder.pids()) <= 2


@linux
def test_nothing_is_left_behind() -> None:
    gc.collect()
    before = len(list(Path("/proc/self/fd").iterdir()))
    decoder = Decoder(Limits())
    decoder.decode(DATA, order(DATA))
    (first,) = decoder.pids()
    decoder.close()
    assert gone(first)
    decoder.decode(DATA, order(DATA))
    (second,) = decoder.pids()
    del decoder
    gc.collect()
    assert gone(second)
    assert len(list(Path("/proc/self/fd").iterdir())) == before


def test_a_child_dies_with_its_parent() -> None:
    script = (
        "import os, sys\n"
        "from gesso.contracts.limits import Limits\n"
        "from gesso.imaging.decoder import Decoder\n"
        "decoder = Decoder(Limits()); decoder.sandbox()\n"
        "sys.stdout.write(str(decoder.pids()[0])); sys.stdout.flush()\n"
        "os.kill(os.getpid(), 9)\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, check=False)
    assert done.returncode == -9
    pid = int(done.stdout)
    deadline = time.monotonic() + 20
    while not gone(pid) and time.monotonic() < deadline:
        stat = Path(f"/proc/{pid}/stat")
        if stat.exists() and stat.read_text().rsplit(")", 1)[1].split()[0] == "Z":
            break
        time.sleep(0.05)
    else:
        assert gone(pid)


def test_an_exit_without_close_is_clean() -> None:
    script = (
        "from gesso.contracts.limits import Limits\n"
        "from gesso.imaging.decoder import Decoder\n"
        "decoder = Decoder(Limits()); decoder.sandbox(); print(decoder.pids()[0])\n"
    )
    done = subprocess.run([sys.executable, "-X", "dev", "-W", "error", "-c", script], capture_output=True, check=True)
    assert done.stderr == b""
    assert gone(int(done.stdout))


def test_after_a_fork_each_process_has_its_own_children(decoder: Decoder) -> None:
    decoder.decode(DATA, order(DATA))
    before = decoder.pids()
    pid = os.fork()
    if pid == 0:
        try:
            pixels, _ = decoder.decode(DATA, order(DATA))
            good = (pixels == PHOTO).all() and decoder.pids() != before
            decoder.close()
            os._exit(0 if good else 1)
        finally:
            os._exit(2)
    _, status = os.waitpid(pid, 0)
    assert os.waitstatus_to_exitcode(status) == 0
    pixels, _ = decoder.decode(DATA, order(DATA))
    assert (pixels == PHOTO).all()
    assert decoder.pids() == before


@pytest.mark.parametrize(
    "answer",
    [
        {},
        {"shape": [1, 1], "notes": []},
        {"shape": [10**6, 10**6, 3], "notes": []},
        {"shape": [4, 4, 5], "notes": []},
        {"shape": [-4, 4, 3], "notes": []},
        {"shape": [4, 4, 3], "notes": []},
    ],
)
def test_a_lying_child_is_not_believed(answer: dict[str, object]) -> None:
    target = wire.anonymous_file()
    try:
        with pytest.raises(wire.Closed):
            module._received(answer, target, order(DATA))
    finally:
        os.close(target)


def test_wire_carries_and_refuses() -> None:
    import socket

    ours, theirs = socket.socketpair()
    with ours, theirs:
        wire.send(ours, {"a": [1, "ü"]})
        assert wire.receive(theirs) == {"a": [1, "ü"]}
        ours.sendall(b"\xff\xff\xff\x7f")
        with pytest.raises(wire.Closed):
            wire.receive(theirs)
        ours.sendall(b"\x02\0\0\0[]")
        with pytest.raises(wire.Closed):
            wire.receive(theirs)
    file = wire.anonymous_file()
    wire.write_all(file, memoryview(np.arange(10, dtype=np.uint16)))
    out = np.empty(10, np.uint16)
    wire.read_all(file, out.data)
    assert (out == np.arange(10)).all()
    os.close(file)
