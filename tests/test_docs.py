"""The documentation is executed: Python blocks run, `gesso …` lines of console blocks run, links resolve."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
OWN_TEST = {"05-recipes.md"}
"""Pages whose blocks build on each other; tests/recipes/test_docs.py runs them."""
FENCE = re.compile(r"^```(\w+)\n(.*?)^```", re.MULTILINE | re.DOTALL)


def blocks(language: str) -> list[tuple[str, str]]:
    return [
        (f"{page.relative_to(ROOT)}:{page.read_text()[: match.start()].count(chr(10)) + 1}", match.group(2))
        for page in PAGES
        if page.name not in OWN_TEST
        for match in FENCE.finditer(page.read_text())
        if match.group(1) == language
    ]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A place with the files that the pages speak of."""
    samples = ROOT / "samples" / "photos"
    shutil.copy(samples / "coffee-band.jpg", tmp_path / "photo.jpg")
    (tmp_path / "photos").mkdir()
    for name in ("cat-timestamp.jpg", "flower-watermark.jpg"):
        shutil.copy(samples / name, tmp_path / "photos" / name)
    return tmp_path


def test_there_is_something_to_run() -> None:
    assert len(PAGES) >= 10
    assert len(blocks("python")) >= 5
    assert len(blocks("console")) >= 1


@pytest.mark.parametrize(
    ("place", "code"), blocks("python"), ids=lambda v: v if ":" in v[:60] and "\n" not in v else ""
)
def test_python_blocks_run(place: str, code: str, folder: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code], cwd=folder, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, f"{place}\n{done.stderr}"


@pytest.mark.parametrize(
    ("place", "code"), blocks("console"), ids=lambda v: v if ":" in v[:60] and "\n" not in v else ""
)
def test_console_blocks_run(place: str, code: str, folder: Path) -> None:
    """Lines that start with ``$ gesso``; what stands below them is an illustration. `# exit N` names another exit code."""
    env = {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    for line in code.splitlines():
        if not line.startswith("$ gesso"):
            continue
        command, _, remark = line[2:].partition("#")
        wanted = int(remark.split()[1]) if remark.strip().startswith("exit") else 0
        quoted = " ".join(part if "*" in part else shlex.quote(part) for part in shlex.split(command))
        done = subprocess.run(["bash", "-c", quoted], cwd=folder, capture_output=True, text=True, env=env, check=False)
        assert done.returncode == wanted, f"{place}\n{line}\n{done.stdout}\n{done.stderr}"
        assert "Traceback" not in done.stderr


def test_links_resolve() -> None:
    missing = []
    for page in PAGES:
        for target in re.findall(r"\]\(([^)#\s]+)[^)]*\)", page.read_text()):
            if not target.startswith(("http:", "https:")) and not (page.parent / target).exists():
                missing.append(f"{page.relative_to(ROOT)} → {target}")
    assert not missing
