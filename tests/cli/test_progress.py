from __future__ import annotations

import sys

import pytest

from gesso.cli import progress as module
from gesso.cli.progress import progress


def test_lines_for_logs(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "QUIET_SECONDS", 0.0)
    with progress(2, quiet=False) as bars:
        report = bars.begin(0, "a.png")
        report(0.25, "detect\x1b")
        report(0.3, "detect\x1b")
        bars.end(0, "done")
    streams = capsys.readouterr()
    assert streams.err.splitlines() == ["[1/2] a.png", "[1/2] a.png: detect\\x1b (25%)", "[1/2] a.png: done"]
    assert streams.out == ""


def test_silence(capsys: pytest.CaptureFixture[str]) -> None:
    with progress(2, quiet=True) as bars:
        bars.begin(0, "a")(0.5, "x")
        bars.end(0, "done")
    with progress(1, quiet=False) as bars:
        bars.begin(0, "a")
        bars.end(0, "done")
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("total", [1, 3])
def test_bars_for_people(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, total: int) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    with progress(total, quiet=False) as bars:
        report = bars.begin(0, "[red]" + "x" * 100)
        report(0.5, "[bold]step")
        bars.end(0, "done")
    assert "Traceback" not in capsys.readouterr().err
