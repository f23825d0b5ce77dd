"""Real processes: Ctrl-C once and twice, SIGTERM, kill -9 and resume, a full disk."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.cli.conftest import picture

pytestmark = pytest.mark.slow
ROOT = Path(__file__).parents[2]
COMMAND = [sys.executable, "-m", "tests.support.fake_bench"]


def start(folder: Path, *argv: str) -> subprocess.Popen[str]:
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.Popen(
        [*COMMAND, *argv], cwd=folder, env=env, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )


def wait_for(condition: Callable[[], bool], seconds: float = 30) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.02)


def outputs(folder: Path) -> list[str]:
    return sorted(p.name for p in (folder / "out").glob("*") if p.suffix == ".png")


@pytest.fixture
def many(tmp_path: Path) -> Path:
    for number in range(6):
        picture(tmp_path / "in" / f"{number}.png", 10 * number)
    return tmp_path


def test_the_first_interrupt_finishes_what_has_begun(many: Path) -> None:
    process = start(many, "paint-over", "in", "-o", "out", "--seconds", "0.8", "--json")
    assert process.stderr is not None
    wait_for(lambda: bool(outputs(many)))
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=30)
    assert process.returncode == 130
    statuses = [json.loads(line)["status"] for line in out.splitlines()]
    assert len(statuses) == 6
    done = statuses.count("done")
    assert statuses == ["done"] * done + ["cancelled"] * (6 - done) and 1 <= done < 6
    assert len(outputs(many)) == done
    assert "press Ctrl-C again" in err and "Traceback" not in err


def test_the_second_interrupt_cancels(many: Path) -> None:
    process = start(many, "paint-over", "in", "-o", "out", "--seconds", "50", "--json")
    wait_for((many / "out" / ".gesso-journal.jsonl").exists)
    time.sleep(0.3)
    process.send_signal(signal.SIGINT)
    time.sleep(0.2)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=20)
    assert process.returncode == 130
    assert [json.loads(line)["status"] for line in out.splitlines()] == ["cancelled"] * 6
    assert outputs(many) == [] and "Traceback" not in err


def test_termination_cancels_at_once(many: Path) -> None:
    process = start(many, "paint-over", "in/0.png", "--seconds", "50", "--resume")
    wait_for((many / "in" / ".gesso-journal.jsonl").exists)
    time.sleep(0.3)
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=20)
    assert process.returncode == 130


def test_work_that_does_not_heed_is_left(many: Path) -> None:
    process = start(many, "paint-over", "in/0.png", "--seconds", "50", "--heedless", "--resume")
    wait_for((many / "in" / ".gesso-journal.jsonl").exists)
    time.sleep(0.3)
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=25)
    assert process.returncode == 130


def test_resume_after_kill(many: Path) -> None:
    process = start(many, "paint-over", "in", "-o", "out", "--seconds", "0.4", "--no-skip-existing")
    wait_for(lambda: len(outputs(many)) >= 2)
    process.kill()
    process.communicate()
    before = {name: (many / "out" / name).stat().st_mtime_ns for name in outputs(many)}
    assert 2 <= len(before) < 6
    journal = many / "out" / ".gesso-journal.jsonl"
    with journal.open("ab") as file:
        file.write(b'{"event":"fini')
    (many / "out" / ".gesso-1-zz.part").write_bytes(b"")

    refused = start(many, "paint-over", "in", "-o", "out", "--seconds", "0.4", "--no-skip-existing", "--json")
    out, _ = refused.communicate(timeout=60)
    assert refused.returncode == 1 and "output_exists" in out
    for name in outputs(many):
        if name not in before:
            (many / "out" / name).unlink()

    resumed = start(
        many, "paint-over", "in", "-o", "out", "--seconds", "0.4", "--no-skip-existing", "--json", "--resume"
    )
    out, err = resumed.communicate(timeout=60)
    assert resumed.returncode == 0, out + err
    lines = [json.loads(line) for line in out.splitlines()]
    assert [line["status"] for line in lines].count("skipped") >= len(before) - 1
    assert len(outputs(many)) == 6
    for line in lines:
        name = Path(line["output"]).name
        if line["status"] == "skipped":
            assert (many / "out" / name).stat().st_mtime_ns == before.get(name, -1) or name not in before


@pytest.mark.slow
def test_killed_at_random_again_and_again(many: Path) -> None:
    """Whatever the moment: no partial picture is ever visible, none is lost, and it all gets done."""
    from tests.support.fake_bench import PillowCodec

    rng = random.Random(1)
    codec = PillowCodec()
    made: set[str] = set()
    argv = ("paint-over", "in", "-o", "out", "--seconds", "0.25", "--no-skip-existing", "--resume", "--json", "-j", "2")
    for _ in range(25):
        process = start(many, *argv)
        time.sleep(rng.uniform(0.3, 1.6))
        process.kill()
        process.communicate()
        for name in outputs(many):
            path = many / "out" / name
            record = codec.provenance(path.read_bytes())
            assert record is not None and codec.picture(path).sha256 == record.output_sha256
        assert made <= set(outputs(many))
        if len(made) == 6:
            break
        made = set(outputs(many))
    last = start(many, *argv)
    out, err = last.communicate(timeout=60)
    assert last.returncode == 0, out + err
    assert len(outputs(many)) == 6
    assert {json.loads(line)["status"] for line in out.splitlines()} <= {"done", "skipped"}
    assert not list((many / "out").glob("*.part"))


def test_files_larger_than_allowed_leave_nothing_behind(many: Path) -> None:
    """A file size limit of 4 kB stands in for a full disk: writing fails in the middle."""
    noise = np.random.default_rng(0).integers(0, 255, (80, 80, 3), np.uint8)
    Image.fromarray(noise).save(many / "in" / "large.png")
    script = (
        "import resource, signal, sys, runpy; signal.signal(signal.SIGXFSZ, signal.SIG_IGN); "
        "resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096)); "
        "sys.argv[0:1] = ['gesso']; runpy.run_module('tests.support.fake_bench', run_name='__main__', alter_sys=True)"
    )
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", script, "paint-over", "in/large.png", "-o", "out/x.png", "--json"]
    done = subprocess.run(command, cwd=many, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 1, done.stderr
    assert json.loads(done.stdout)["error"]["code"] == "storage_error"
    assert list((many / "out").iterdir()) == []
