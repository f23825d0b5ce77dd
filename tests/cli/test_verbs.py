"""Verbs: derived options, outputs, statuses, exit codes, dry runs, standard streams."""

from __future__ import annotations

import io
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from gesso.cli.flags import NAMES
from gesso.cli.main import run
from gesso.cli.verbs import Verb
from tests.cli.conftest import Gesso, picture
from tests.support.fake_bench import OPERATIONS, PillowCodec, fake_wiring


def kind_of(path: Path) -> str | None:
    with Image.open(path) as opened:
        return opened.format


def test_one_verb_per_operation_with_all_its_parameters(gesso: Gesso) -> None:
    listed = gesso("--help").out
    for operation in OPERATIONS:
        assert operation.id in listed
        text = gesso(operation.id, "--help").out
        for spec in Verb(operation).options:
            assert spec.flag in text
        assert spec.name not in NAMES


def test_output_beside_the_input_with_the_record(gesso: Gesso, folder: Path) -> None:
    said = gesso("paint-over", "in/a.png")
    assert said.code == 0
    made = folder / "in" / "a.paint-over.png"
    codec = PillowCodec()
    assert np.array_equal(codec.picture(made).pixels, 255 - codec.picture(folder / "in/a.png").pixels)
    record = PillowCodec().provenance(made.read_bytes())
    assert record is not None and record.recipe_name == "paint-over"
    assert not (folder / "in" / ".gesso-journal.jsonl").exists()


def test_folder_keeps_the_tree_and_leaves_existing_outputs_alone(gesso: Gesso, folder: Path) -> None:
    first = gesso("paint-over", "in", "-o", "out", "--json", "-j", "3")
    assert first.code == 0
    assert [line["input"] for line in first.lines] == ["in/a.png", "in/b.png", "in/sub/c.png"]
    assert (folder / "out" / "sub" / "c.paint-over.png").is_file()
    before = (folder / "out" / "a.paint-over.png").stat().st_mtime_ns
    again = gesso("paint-over", "in", "-o", "out", "--json")
    assert again.code == 0 and {line["status"] for line in again.lines} == {"skipped"}
    assert (folder / "out" / "a.paint-over.png").stat().st_mtime_ns == before
    assert {line["status"] for line in gesso("paint-over", "in", "-o", "out", "--json", "--force").lines} == {"done"}


def test_outputs_beside_the_inputs_are_not_inputs_next_time(gesso: Gesso) -> None:
    assert gesso("paint-over", "in").code == 0
    again = gesso("paint-over", "in", "--json")
    assert len(again.lines) == 3
    assert len(gesso("paint-over", "in/*", "--json", "--skip-existing").lines) == 3


def test_never_over_an_existing_file_without_force(gesso: Gesso, folder: Path) -> None:
    (folder / "mine.png").write_bytes(b"mine")
    said = gesso("paint-over", "in/a.png", "-o", "mine.png")
    assert said.code == 1 and "output_exists" in said.out
    assert (folder / "mine.png").read_bytes() == b"mine"
    assert gesso("paint-over", "in/a.png", "-o", "mine.png", "--force").code == 0
    assert (folder / "mine.png").read_bytes() != b"mine"


@pytest.mark.parametrize(
    ("args", "code"),
    [
        (("in/a.png", "in/sub/../a.png", "other/a.png", "-o", "out"), "output_collision"),
        (("in/a.png", "-o", "in/a.png", "--force"), "output_is_input"),
        (("in/a.png", "in/b.png", "-o", "in/a.png"), "output_not_folder"),
        (("in/a.png", "-o", "x.xyz"), "format_unknown"),
        (("in/a.png", "--format", "bmp"), "format_unknown"),
        (("in/a.png", "-o", "-", "--json"), "stdout_taken"),
        (("in/a.png", "--mask-out", "in/a.png", "--force"), "output_is_input"),
        (("in/a.png", "--sheet", "in/a.png", "--force"), "output_is_input"),
        (("in/a.png", "--journal", "in/a.png"), "output_is_input"),
        (("in/a.png", "--mask-out", "x.png", "-o", "x.png"), "output_collision"),
        (("in/a.png", "other/a.png", "--mask-out", "masks"), "output_collision"),
        (("-", "in/a.png"), "stdin_alone"),
        (("nothing.png",), "input_not_found"),
        (("no*.png",), "no_inputs"),
        (("empty",), "no_inputs"),
        (("",), "input_not_found"),
        (("in/a.png", "-o", ""), "path_invalid"),
    ],
)
def test_what_cannot_work_is_refused_before_anything_runs(
    gesso: Gesso, folder: Path, args: tuple[str, ...], code: str
) -> None:
    (folder / "empty").mkdir()
    picture(folder / "other" / "a.png")
    before = sorted(folder.rglob("*"))
    said = gesso("paint-over", *args)
    assert said.code == 2
    assert f"[{code}]" in said.err and said.out == ""
    assert sorted(folder.rglob("*")) == before


def test_every_fault_is_listed_at_once_under_the_name_that_was_typed(gesso: Gesso) -> None:
    said = gesso(
        "paint-over", "in/a.png", "--amount", "nan", "--seed", "abc", "--feather-px", "1e9", "--box", "5,5,1,1",
        "--points", "1", "--hint", "swirl", "--extra", '{"a":1,"a":2}', "--mode", "loud", "--scale", "3",
    )  # fmt: skip
    assert said.code == 2
    for flag in ("amount", "seed", "feather-px", "box", "points", "hint", "extra", "mode", "scale"):
        assert f"--{flag}" in said.err
    assert gesso("paint-over", "in/a.png", "--seed", "1.5").code == 2
    assert gesso("paint-over", "in/a.png", "--seed", str(2**63)).code == 2


def test_values_reach_the_operation(gesso: Gesso, folder: Path) -> None:
    said = gesso(
        "paint-over", "in/a.png", "--amount", "0.25", "--scale", "4", "--no-grain", "--points", "1,2", "--points", "3,4,0",
        "--box", "0,0,5,5", "--hint", "edge:1,2;3,4", "--extra", '{"a": 1}', "--seed", "-1",
    )  # fmt: skip
    assert said.code == 0, said.everything
    record = PillowCodec().provenance((folder / "in" / "a.paint-over.png").read_bytes())
    assert record is not None
    params = record.steps[0].params
    assert (params["amount"], params["scale"], params["grain"], params["extra"]) == (0.25, 4, False, {"a": 1.0})
    assert [p["label"] for p in params["points"]] == [1, 0]
    assert params["hint"]["kind"] == "edge" and params["box"]["x1"] == 5
    assert params["seed"] >= 0


def test_mask_of_another_size_is_refused(gesso: Gesso, folder: Path) -> None:
    picture(folder / "mask.png", 100, (5, 5))
    said = gesso("paint-over", "in/a.png", "--mask", "mask.png", "--json")
    assert said.code == 1 and said.lines[0]["error"]["code"] == "mask_size"


def test_masks_by_folder_and_mask_out(gesso: Gesso, folder: Path) -> None:
    for name in ("a.png", "b.png", "sub/c.png"):
        picture(folder / "masks" / name)
    said = gesso("paint-over", "in", "-o", "out", "--mask", "masks", "--mask-out", "found", "--json")
    assert said.code == 0
    assert (folder / "found" / "sub" / "c.mask.png").is_file()
    (folder / "masks" / "b.png").unlink()
    said = gesso("paint-over", "in", "-o", "out2", "--mask", "masks", "--json")
    assert [line["status"] for line in said.lines] == ["done", "failed", "done"]
    assert said.lines[1]["error"]["code"] == "companion_not_found"


def test_faults_between_fields_are_found_per_item(gesso: Gesso, folder: Path) -> None:
    picture(folder / "mask.png")
    said = gesso("paint-over", "in/a.png", "--mask", "mask.png", "--box", "0,0,2,2", "--json")
    assert said.code == 2 and said.lines[0]["error"]["code"] == "two_places"


@pytest.mark.parametrize(
    ("ending", "code", "word"),
    [
        ("bad_input", 1, "no_good"),
        ("unavailable", 3, "unavailable"),
        ("memory", 4, "out_of_memory"),
        ("policy", 5, "policy_refused"),
        ("engine", 1, "engine_failed"),
        ("defect", 1, "RuntimeError"),
        ("rolled_back", 1, "too bold"),
        ("repaired", 0, "second try"),
    ],
)
def test_endings_and_exit_codes(gesso: Gesso, ending: str, code: int, word: str) -> None:
    said = gesso("paint-over", "in/a.png", "--ending", ending)
    assert said.code == code
    assert word in said.out and "in step" not in said.out


def test_some_failed_goes_on_past_failures(gesso: Gesso, folder: Path) -> None:
    (folder / "in" / "b.png").write_bytes(b"<html>")
    (folder / "in" / "empty.png").write_bytes(b"")
    said = gesso("paint-over", "in", "-o", "out")
    assert said.code == 1
    assert (folder / "out" / "sub" / "c.paint-over.png").is_file()
    assert "format_not_allowed" in said.out and "image_empty" in said.out
    table = said.out[said.out.index("\npassed") :]
    assert "passed           2" in table and "failed           2" in table


def test_results_without_an_image_are_printed(gesso: Gesso, folder: Path) -> None:
    said = gesso("check", "in/a.png", "in/sub/c.png", "--max-level", "100", "--json")
    assert said.code == 1
    assert [line["status"] for line in said.lines] == ["done", "failed"]
    assert said.lines[0]["figures"]["passed"] is True
    assert said.lines[1]["error"]["code"] == "gate_failed" and said.lines[1]["verdicts"][0]["limit"] == 100
    said = gesso("check", "in/a.png")
    assert said.code == 0 and "  name   left\n" in said.out and "    level  2.5" in said.out
    assert "passed: yes" in said.out
    assert gesso("check", "in/a.png", "-o", "x.png").code == 2
    assert not list(folder.rglob("*.check.*"))


def test_missing_capability_is_told_before_anything_runs(gesso: Gesso) -> None:
    said = gesso("ask", "in/a.png", "in/b.png")
    assert said.code == 3 and said.out == "" and "there is no oracle" in said.err


def test_dry_run_writes_nothing_and_names_engines_and_outputs(gesso: Gesso, folder: Path) -> None:
    before = sorted(folder.rglob("*"))
    said = gesso("paint-over", "in", "-o", "out", "--dry-run", "--json", "--amount", "0.1")
    assert said.code == 0 and sorted(folder.rglob("*")) == before
    plan = said.lines[0]["plan"]
    assert plan["engines"][0]["engine"] == "fake-brush" and plan["params"] == {"amount": "0.1"}
    assert said.lines[2]["output"] == "out/sub/c.paint-over.png"
    said = gesso("ask", "in/a.png", "--dry-run")
    assert said.code == 0 and "Oracle: fake-oracle (not usable: there is no oracle)" in said.out
    assert gesso("paint-over", "in/a.png", "--dry-run", "--amount", "7").code == 2


def test_a_picture_out_of_nothing(gesso: Gesso, folder: Path) -> None:
    assert gesso("make", "--prompt", "a\u202eb").code == 0
    assert (folder / "make.png").is_file()
    assert gesso("make", "--prompt", "x", "-o", "y.webp").code == 0
    assert kind_of(folder / "y.webp") == "WEBP"
    assert gesso("make").code == 2


def test_standard_input_to_standard_output(
    folder: Path, capsysbinary: pytest.CaptureFixture[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    data = (folder / "in" / "a.png").read_bytes()
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data)))
    assert run(fake_wiring(), ["paint-over", "-"]) == 0
    out, err = capsysbinary.readouterr()
    assert Image.open(io.BytesIO(out)).size == (12, 9)
    assert b"done" in err
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data)))
    assert run(fake_wiring(), ["paint-over", "-", "-o", "s.png"]) == 0
    assert (folder / "s.png").is_file()
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"")))
    assert run(fake_wiring(), ["paint-over", "-"]) == 1
    assert b"image_empty" in capsysbinary.readouterr().err


def test_an_image_is_not_poured_into_a_terminal(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    assert run(fake_wiring(), ["paint-over", "in/a.png", "-o", "-"]) == 2
    assert "stdout_is_terminal" in capsys.readouterr().err


def test_formats_by_suffix_and_frames(gesso: Gesso, folder: Path) -> None:
    assert gesso("paint-over", "in/a.png", "-o", "x.JPG", "--quality", "50").code == 0
    assert kind_of(folder / "x.JPG") == "JPEG"
    assert gesso("paint-over", "in/a.png", "-o", "out/", "--format", "webp").code == 0
    assert (folder / "out" / "a.paint-over.webp").is_file()
    frames = [Image.new("RGB", (6, 6), c) for c in ("red", "blue")]
    frames[0].save(folder / "two.gif", save_all=True, append_images=frames[1:])
    said = gesso("paint-over", "two.gif", "--json")
    assert said.code == 1 and said.lines[0]["error"]["code"] == "animated_input"
    assert gesso("paint-over", "two.gif", "--frame", "1").code == 0


def test_a_rolled_back_item_stays_one_when_resumed(gesso: Gesso) -> None:
    args = ("paint-over", "in/a.png", "in/b.png", "--ending", "rolled_back", "--json", "--resume")
    assert gesso(*args).code == 1
    again = gesso(*args)
    assert again.code == 1 and {line["status"] for line in again.lines} == {"skipped"}
    assert "rolled back" in again.lines[0]["reason"]


def test_hostile_names_do_not_reach_the_terminal_raw(gesso: Gesso, folder: Path) -> None:
    picture(folder / "in" / "x\x1b[2Jy\u202e.png")
    said = gesso("paint-over", "in", "-o", "out")
    assert said.code == 0
    assert "\x1b" not in said.everything and "\u202e" not in said.everything
    assert "\\x1b" in said.out
