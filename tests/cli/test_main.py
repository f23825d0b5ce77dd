"""The command as a whole: help, version, unknown words, defects, closed pipes, and arguments of any kind."""

from __future__ import annotations

import dataclasses
import importlib
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gesso.cli.main import COMMANDS, run
from tests.cli.conftest import Gesso
from tests.support.fake_bench import OPERATIONS, fake_wiring

KNOWN_CODES = {0, 1, 2, 3, 4, 5, 130}


def test_help_and_version(gesso: Gesso) -> None:
    for word in ("--help", "-h"):
        said = gesso(word)
        assert said.code == 0 and all(name in said.out for name in (*COMMANDS, *(o.id for o in OPERATIONS)))
    assert gesso("--version").out == "gesso 1.2.3\n"
    alone = gesso()
    assert alone.code == 2 and alone.out == gesso("--help").out and alone.err == ""
    assert gesso("--debug").err.startswith("error: Missing command")


def test_the_table_of_commands_is_that_of_the_modules(gesso: Gesso) -> None:
    for name, (module, summary) in COMMANDS.items():
        commands = importlib.import_module(f"gesso.cli.{module}").COMMANDS
        (command,) = (c for c in commands if c.name == name)
        assert command.get_short_help_str(100) == summary
        assert gesso(name, "--help").code == 0
    assert not {o.id for o in OPERATIONS} & set(COMMANDS)


def test_version_and_help_load_neither_the_bench_nor_recipes() -> None:
    code = (
        "import sys; from gesso.cli.main import run, Wiring\n"
        "w = Wiring('1', lambda: (), None, None, None, None)\n"
        "assert run(w, ['--version']) == 0 and run(w, ['--help']) == 0\n"
        "print([m for m in ('numpy', 'pydantic', 'rich', 'yaml', 'gesso.recipes') if m in sys.modules])"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert out.splitlines()[-1] == "[]"


def test_unknown_words_are_answered_with_the_nearest(gesso: Gesso) -> None:
    said = gesso("paint-ovr", "x")
    assert said.code == 2 and "did you mean paint-over?" in said.err
    assert gesso("paint-over", "--amont", "1", "in/a.png").code == 2
    assert gesso("\x1b[31m").code == 2


def test_a_defect_is_one_line_unless_debugging(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def broken() -> tuple[()]:
        raise ValueError("secret\nsecond line")

    wiring = dataclasses.replace(fake_wiring(), operations=broken)
    assert run(wiring, ["--help"]) == 1
    err = capsys.readouterr().err
    assert "internal_error" in err and "Traceback" not in err and "second line" not in err
    assert run(wiring, ["--debug", "--help"]) == 1
    assert run(wiring, ["--debug", "operations"]) == 1
    assert "Traceback" in capsys.readouterr().err
    assert run(fake_wiring(), ["paint-over", "in/a.png", "--ending", "engine", "--debug"]) == 1
    assert "EngineFailed" in capsys.readouterr().err


def test_information(gesso: Gesso) -> None:
    assert gesso("doctor").code == 0
    assert {line["name"] for line in gesso("doctor", "--json").lines} == {"python", "heic"}
    assert gesso("limits", "--json").lines[0]["max_pixels"] == 50_000_000
    assert "50,000,000" in gesso("limits").out
    schemas = {line["id"]: line for line in gesso("operations", "--json").lines}
    assert schemas["paint-over"]["params"]["properties"]["amount"]["maximum"] == 1
    assert "--feather-px" in gesso("operations", "paint-over").out
    assert gesso("operations", "nothing").code == 2
    assert gesso("warm-up").err == "nothing to prepare\n"


def test_doctor_fails_when_something_is_missing(capsys: pytest.CaptureFixture[str]) -> None:
    from gesso.cli.main import Finding

    wiring = fake_wiring(findings=(Finding("engine", "missing", "pip install it"),))
    assert run(wiring, ["doctor"]) == 1
    assert "pip install it" in capsys.readouterr().out


def test_a_closed_pipe_ends_quietly(folder: Path) -> None:
    root = Path(__file__).parents[2]
    command = f"cd {root} && {sys.executable} -m tests.support.fake_bench operations --json | head -c 1"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=False)
    assert done.stdout == "{" and done.stderr == ""


WORDS = (
    st.sampled_from(
        ["in/a.png", "in", "-", "--", "x*", "--json", "--dry-run", "-o", "out", "--amount", "--box", "1,2,3,4"]
    )
    | st.sampled_from(["--points", "--hint", "--mask", "--extra", "--scale", "--force", "-j", "2", "--frame", "--seed"])
    | st.sampled_from(
        ["run", "recipes", "show", "check", "verify", "reproduce", "operations", "--set", "a=b", "--format"]
    )
    | st.text(max_size=12)
    | st.sampled_from(["[" * 2000, "\udcff", "a\0b", "../../etc/passwd", "C:x", "é" * 300, "1e400", "NaN", str(2**64)])
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sampled_from(["paint-over", "check", "ask", "make", "run", "verify", ""]), st.lists(WORDS, max_size=7))
def test_no_arguments_end_in_a_traceback(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, verb: str, words: list[str]
) -> None:
    import io

    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"not a picture")))
    code = run(fake_wiring((folder,)), [w for w in (verb, *words) if w != "--debug"])
    said = capsys.readouterr()
    assert code in KNOWN_CODES
    assert "Traceback" not in said.out + said.err and "internal_error" not in said.out + said.err
    if code not in (0,):
        assert said.out + said.err
