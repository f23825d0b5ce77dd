from __future__ import annotations

import json
from pathlib import Path

from PIL import Image, PngImagePlugin

from tests.cli.conftest import Gesso


def test_proven_changed_lossy_and_without_record(gesso: Gesso, folder: Path) -> None:
    assert gesso("paint-over", "in/a.png", "-o", "a.png").code == 0
    said = gesso("verify", "a.png", "--json")
    assert said.code == 0
    assert said.lines[0]["pixels"] == "match" and said.lines[0]["steps"][0]["operation"] == "paint-over"
    with Image.open(folder / "a.png") as opened:
        changed, text = opened.copy(), opened.info["gesso:provenance"]
    changed.putpixel((0, 0), (1, 2, 3))
    info = PngImagePlugin.PngInfo()
    info.add_itxt("gesso:provenance", text)
    changed.save(folder / "changed.png", pnginfo=info)
    said = gesso("verify", "changed.png")
    assert said.code == 1 and "not those of the record" in said.out
    assert gesso("verify", "in/a.png", "a.png").code == 1
    assert "no record" in gesso("verify", "in/a.png").out


def test_a_record_that_contradicts_itself_is_not_proven(gesso: Gesso, folder: Path) -> None:
    assert gesso("paint-over", "in/a.png", "-o", "a.png").code == 0
    with Image.open(folder / "a.png") as opened:
        picture, record = opened.copy(), json.loads(opened.info["gesso:provenance"])
    for name, change in (("steps", {"steps": []}), ("recipe", {"recipe": "gesso: 2"}), ("none", {"recipe": ""})):
        info = PngImagePlugin.PngInfo()
        info.add_itxt("gesso:provenance", json.dumps({**record, **change}))
        picture.save(folder / f"{name}.png", pnginfo=info)
        said = gesso("verify", f"{name}.png", "--json")
        assert said.code == 1 and said.lines[0]["pixels"] == "match" and said.lines[0]["problems"]
        assert "contradicts itself" in gesso("verify", f"{name}.png").out
    assert gesso("verify", "a.png", "--json").lines[0]["problems"] == []


def test_marks_are_listed(gesso: Gesso, folder: Path) -> None:
    assert gesso("paint-over", "in/a.png", "-o", "a.png").code == 0
    with (folder / "a.png").open("ab") as file:
        file.write(b"c2pa")
    assert gesso("verify", "a.png", "--json").lines[0]["marks"] == ["C2PA manifest (not checked)", "comfyui metadata"]
    assert "other marks: none" in gesso("verify", "in/b.png").out


def test_broken_records_and_files(gesso: Gesso, folder: Path) -> None:
    for name, text in (
        ("json", "{"),
        ("deep", "[" * 100_000),
        ("new", '{"schema_version": 99}'),
        ("odd", '{"schema_version": 1}'),
    ):
        info = PngImagePlugin.PngInfo()
        info.add_itxt("gesso:provenance", text)
        Image.new("RGB", (3, 3)).save(folder / f"{name}.png", pnginfo=info)
        said = gesso("verify", f"{name}.png", "--json")
        assert said.code == 1 and said.lines[0]["error"]["code"].startswith("provenance_")
    (folder / "no.png").write_bytes(b"no")
    assert gesso("verify", "no.png").code == 1
    assert gesso("verify", "missing.png").code == 2
