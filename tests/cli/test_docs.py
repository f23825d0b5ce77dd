"""docs/04-command-line.md: every line that begins with `gesso` is accepted by the real command line."""

from __future__ import annotations

import io
import re
import shlex
import sys
from pathlib import Path

import pytest

from gesso import wiring
from gesso.cli.main import COMMANDS, run
from tests.cli.conftest import picture

PAGE = (Path(__file__).parents[2] / "docs" / "04-command-line.md").read_text()
LINES = [
    line.partition("#")[0].strip()
    for block in re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL)
    for line in block.splitlines()
    if line.startswith("gesso ")
]
FILES = ("photo.jpg", "photos/photo.jpg", "photos/deep/a.jpg", "masks/photo.png", "masks/deep/a.png")


def test_there_are_lines() -> None:
    assert len(LINES) > 12


@pytest.mark.parametrize("line", LINES)
def test_a_documented_line(
    line: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in FILES:
        picture(tmp_path / name)
    picture(tmp_path / "out" / "photo.remove-text.png")
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO((tmp_path / "photo.jpg").read_bytes())))
    words = shlex.split(re.sub(r"[<>] *\S+", "", line))[1:]
    runs = words[0] == "run" or words[0] not in COMMANDS
    code = run(wiring.command_line(), [*words, "--dry-run"] if runs else words)
    said = capsys.readouterr()
    assert code == (1 if words[0] in ("verify", "reproduce") else 0), said.err
    assert "internal_error" not in said.out + said.err


def test_every_exit_code_and_status_is_described() -> None:
    for word in ("130", "rolled_back", "unchanged", "repaired", "skipped", "cancelled"):
        assert word in PAGE
    for command in COMMANDS:
        assert f"gesso {command}" in PAGE
