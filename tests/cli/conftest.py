"""A folder of small pictures, and the command line called in this process."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from gesso.cli.main import run
from tests.support.fake_bench import fake_wiring


@dataclass(frozen=True)
class Said:
    """What a command answered."""

    code: int
    out: str
    err: str

    @property
    def lines(self) -> list[dict[str, Any]]:
        """The JSON lines on stdout."""
        return [json.loads(line) for line in self.out.splitlines()]

    @property
    def everything(self) -> str:
        """Both streams."""
        return self.out + self.err


def picture(path: Path, level: int = 60, size: tuple[int, int] = (12, 9)) -> Path:
    """A small gradient."""
    path.parent.mkdir(parents=True, exist_ok=True)
    ramp = np.linspace(0, 90, size[0]).astype(np.uint8)[None, :, None] + np.uint8(level)
    Image.fromarray(np.broadcast_to(ramp, (size[1], size[0], 3)).copy()).save(path)
    return path


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder: a.png, b.png, sub/c.png."""
    monkeypatch.chdir(tmp_path)
    for level, name in enumerate(("a.png", "b.png", "sub/c.png")):
        picture(tmp_path / "in" / name, 40 + 20 * level)
    return tmp_path


@pytest.fixture
def gesso(folder: Path, capsys: pytest.CaptureFixture[str]) -> Callable[..., Said]:
    """`gesso ARGS` in `folder`, on the fake bench."""

    def call(*argv: str | Path) -> Said:
        code = run(fake_wiring((folder,)), [str(a) for a in argv])
        streams = capsys.readouterr()
        assert "Traceback" not in streams.out + streams.err
        return Said(code, streams.out, streams.err)

    return call


Gesso = Callable[..., Said]
