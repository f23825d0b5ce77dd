"""docs/03-pictures.md names every code that this room uses, and its example runs."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
FILES = sorted((ROOT / "src/gesso/imaging").glob("*.py"))
MINE = {
    "admission", "codec", "colour", "decoder", "decoder_child", "decoding", "encode", "headers", "marks", "masks", "metadata",
    "normalise", "sniff",
}  # fmt: skip


def test_every_code_is_explained() -> None:
    text = (ROOT / "docs/03-pictures.md").read_text()
    found: set[str] = set()
    for file in FILES:
        if file.stem in MINE:
            source = file.read_text()
            found |= set(re.findall(r'(?:code=|notes\.add\(|Change\(|\(\()"([a-z][a-z_]+)"', source))
    assert len(found) > 40
    assert not {code for code in found if f"`{code}`" not in text}


def test_the_example_runs() -> None:
    blocks = re.findall(r"```python\n(.*?)```", (ROOT / "docs/03-pictures.md").read_text(), re.S)
    assert blocks
    for block in blocks:
        exec(compile(block, "03-pictures.md", "exec"), {})
