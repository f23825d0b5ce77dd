from __future__ import annotations

from pathlib import Path

from tests.cli.conftest import Gesso, picture


def test_identical(gesso: Gesso, folder: Path) -> None:
    picture(folder / "mask.png", 0)
    assert gesso("paint-over", "in/a.png", "--mask", "mask.png", "-o", "out/x.png", "--seed", "-1").code == 0
    said = gesso("reproduce", "out/x.png", "--inputs", "in", "--inputs", "mask.png")
    assert said.code == 0, said.everything
    assert said.out.index("level identical") < said.out.index("identical: every pixel")
    said = gesso("reproduce", "out/x.png", "--inputs", "in", "--inputs", "mask.png", "--json")
    assert said.lines[0]["identical"] is True and said.lines[0]["level"] == "identical"


def test_inputs_are_found_beside_the_file_and_by_their_pixels(gesso: Gesso, folder: Path) -> None:
    assert gesso("paint-over", "in/a.png").code == 0
    assert gesso("reproduce", "in/a.paint-over.png").code == 0
    with (folder / "in" / "a.png").open("ab") as file:
        file.write(b"more")
    assert gesso("reproduce", "in/a.paint-over.png", "--json").code == 0


def test_what_is_missing_is_said(gesso: Gesso, folder: Path) -> None:
    assert gesso("paint-over", "in/a.png", "-o", "out/x.png").code == 0
    said = gesso("reproduce", "out/x.png")
    assert said.code == 1 and "not at hand" in said.out and "--inputs" in said.out
    assert gesso("reproduce", "out/x.png", "--dry-run", "--json").lines[0]["level"] == "replay_only"
    assert gesso("reproduce", "in/a.png", "--json").lines[0]["error"]["code"] == "no_record"
    assert gesso("reproduce", "out/x.png", "in/a.png", "--inputs", "in").code == 1
    assert gesso("reproduce").code == 2


def test_dry_run_only_promises(gesso: Gesso, folder: Path) -> None:
    assert gesso("paint-over", "in/a.png", "-o", "out/x.png").code == 0
    said = gesso("reproduce", "out/x.png", "--inputs", "in", "--dry-run")
    assert said.code == 0 and "level identical" in said.out and "every pixel" not in said.out
