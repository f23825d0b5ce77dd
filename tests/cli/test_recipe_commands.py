from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.conftest import Gesso, picture
from tests.support.fake_bench import PillowCodec

RECIPE = """\
gesso: 1
name: twice
title: Paint twice
values:
  amount: 0.5
  ending: ""
inputs:
  image: picture
steps:
  - id: first
    use: paint-over
    with: {image: $image, amount: $values.amount, ending: $values.ending}
    on_fail: accept
  - id: second
    use: paint-over
    with: {image: $first.image}
    gates: {level: {max: 200}}
    on_fail: stop
output:
  image: $second.image
  mask: $first.mask
"""
MASKED = RECIPE.replace("  image: picture\n", "  image: picture\n  where: mask\n").replace(
    "amount: $values.amount", "mask: $where, amount: $values.amount"
)


@pytest.fixture
def recipe(folder: Path) -> Path:
    (folder / "twice.yaml").write_text(RECIPE)
    return folder / "twice.yaml"


def test_a_recipe_runs_over_a_folder(gesso: Gesso, folder: Path, recipe: Path) -> None:
    said = gesso("run", "twice", "in", "-o", "out", "--mask-out", "masks", "--set", "amount=0.25")
    assert said.code == 0, said.everything
    assert (folder / "out" / "sub" / "c.twice.png").is_file() and (folder / "masks" / "sub" / "c.mask.png").is_file()
    codec = PillowCodec()
    assert codec.picture(folder / "out" / "a.twice.png") == codec.picture(folder / "in" / "a.png")
    record = codec.provenance((folder / "out" / "a.twice.png").read_bytes())
    assert record is not None and record.values["amount"] == 0.25 and record.recipe == RECIPE
    assert "passed           3" in said.out
    again = gesso("run", "twice", "in", "-o", "out", "--json")
    assert {line["status"] for line in again.lines} == {"skipped"}


def test_the_table_tells_what_became_of_each(gesso: Gesso, folder: Path, recipe: Path) -> None:
    (folder / "in" / "b.png").write_bytes(b"no picture")
    picture(folder / "in" / "d.png", level=165, size=(1, 1))
    said = gesso("run", "twice.yaml", "in", "-o", "out", "--set", "ending=repaired")
    assert said.code == 1
    table = said.out[said.out.index("\npassed") :]
    assert "repaired         3" in table and "failed           1" in table and "not a picture" in table


def test_further_pictures_of_a_recipe_are_shown_in_the_sheet(gesso: Gesso, folder: Path, recipe: Path) -> None:
    recipe.write_text(RECIPE + "  half_way: $first.image\n")
    assert gesso("run", "twice", "in/a.png", "-o", "out/", "--sheet", "sheet.html").code == 0
    text = (folder / "sheet.html").read_text()
    assert text.count('class="layer"') == 2 and ">Half way</button>" in text and ">Mask</button>" in text


def test_a_failing_gate_stops_the_item_only(gesso: Gesso, folder: Path, recipe: Path) -> None:
    recipe.write_text(RECIPE.replace("max: 200", "max: 100"))
    said = gesso("run", "twice", "in", "-o", "out", "--json", "--sheet", "sheet.html")
    assert said.code == 1
    assert [line["status"] for line in said.lines] == ["passed", "failed", "failed"]
    assert said.lines[1]["error"]["code"] == "gate_failed" and "second" in str(said.lines[1]["error"])
    assert "b.png" in (folder / "sheet.html").read_text()
    assert not (folder / "out" / "b.twice.png").exists()


def test_rolled_back_is_told_and_is_no_failure(gesso: Gesso, folder: Path, recipe: Path) -> None:
    said = gesso("run", "twice", "in/a.png", "-o", "out/", "--set", "ending=rolled_back", "--json")
    assert said.code == 0 and said.lines[0]["status"] == "rolled_back"
    assert [s["status"] for s in said.lines[0]["steps"]] == ["rolled_back", "done"]


@pytest.mark.parametrize(
    "args",
    [
        ("run", "nothing", "in"),
        ("run", "twice", "in", "--set", "amount"),
        ("run", "twice", "in", "--set", "amount=7"),
        ("run", "twice", "in", "--set", "amuont=1"),
        ("run", "twice", "in", "--set", "amount=[[["),
        ("run", "twice", "in", "--input", "where=x.png"),
        ("run", "twice"),
        ("run",),
    ],
)
def test_what_is_wrong_is_refused_before_anything_runs(
    gesso: Gesso, folder: Path, recipe: Path, args: tuple[str, ...]
) -> None:
    said = gesso(*args, *(["-o", "out"] if len(args) > 2 else []))
    assert said.code == 2 and said.out == "" and not (folder / "out").exists()


BAD_RECIPES = {
    "python-tag": "gesso: 1\nname: !!python/object/apply:os.system [id]\n",
    "alias-bomb": "a: &a [x,x]\nb: &b [*a,*a]\nc: &c [*b,*b]\ngesso: 1\n",
    "duplicate": RECIPE.replace("title: Paint twice", "name: again"),
    "unknown-key": RECIPE + "colour: red\n",
    "unknown-operation": RECIPE.replace("paint-over", "paint-under"),
    "not-yaml": "{[",
    "binary": "\x00\xff",
    "empty": "",
    "deep": "[" * 100_000,
    "large": "# " + "x" * 5_000_000,
}


@pytest.mark.parametrize("name", sorted(BAD_RECIPES))
def test_bad_recipes_are_refused(gesso: Gesso, folder: Path, name: str) -> None:
    (folder / "bad.yaml").write_text(BAD_RECIPES[name])
    for args in (("run", "bad.yaml", "in", "-o", "out"), ("recipes", "check", "bad.yaml"), ("recipes", "show", "bad")):
        said = gesso(*args)
        assert said.code == 2, said.everything
        assert "internal_error" not in said.everything
    listed = gesso("recipes", "--json")
    if name != "unknown-operation":  # a list only parses
        assert listed.code == 1 and any("error" in line for line in listed.lines)


def test_listing_showing_checking(gesso: Gesso, folder: Path, recipe: Path) -> None:
    assert any(line["name"] == "twice" for line in gesso("recipes", "--json").lines)
    assert "Paint twice" in gesso("recipes").out
    shown = gesso("recipes", "show", "twice").out
    assert "--set amount=0.5" in shown and "2. second: paint-over" in shown and "gate level ≤ 200" in shown
    assert gesso("recipes", "show", "twice", "--json").lines[0]["steps"][1]["on_fail"] == "stop"
    assert gesso("recipes", "check", "twice.yaml").out == "twice.yaml: ok\n"
    assert gesso("recipes", "check", "none.yaml").code == 1


def test_dry_run_shows_the_plan(gesso: Gesso, folder: Path, recipe: Path) -> None:
    said = gesso("run", "twice", "in", "-o", "out", "--dry-run", "--json")
    assert said.code == 0 and not (folder / "out").exists()
    assert [s["operation"] for s in said.lines[0]["plan"]["steps"]] == ["paint-over", "paint-over"]


def test_missing_capabilities_end_the_run_before_it_begins(gesso: Gesso, folder: Path, recipe: Path) -> None:
    recipe.write_text(
        RECIPE.replace("use: paint-over\n    with: {image: $first.image}", "use: ask\n    with: {image: $first.image}")
    )
    said = gesso("run", "twice", "in", "-o", "out")
    assert said.code == 3 and not (folder / "out").exists()
    assert gesso("run", "twice", "in", "-o", "out", "--dry-run").code == 0
    assert "missing" in gesso("recipes", "show", "twice").out


def test_further_inputs(gesso: Gesso, folder: Path) -> None:
    (folder / "masked.yaml").write_text(MASKED.replace("name: twice", "name: masked"))
    assert gesso("run", "masked", "in/a.png", "-o", "out/").code == 2
    picture(folder / "masks" / "a.png")
    assert gesso("run", "masked", "in/a.png", "-o", "out/", "--input", "where=masks").code == 0
    picture(folder / "small.png", size=(3, 3))
    said = gesso("run", "masked", "in/b.png", "-o", "out/", "--input", "where=small.png", "--json")
    assert said.code == 1 and said.lines[0]["error"]["code"] == "mask_size"
