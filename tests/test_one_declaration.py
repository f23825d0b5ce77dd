"""Every operation stands at every door, derived from its one declaration."""

from __future__ import annotations

import io
import re
import subprocess
import sys
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

import pytest

from gesso import Studio, wiring
from gesso.cli.main import run
from gesso.contracts.fields import fields_of
from gesso.contracts.operation import AnyOperation
from gesso.recipes.parse import parse_recipe
from gesso.recipes.plan import make_plan

OPERATIONS = wiring.operations()
LEAST = {"resize": ", width: 64"}
"""Parameters without which an operation's own check refuses, as recipe text."""
ROOT = Path(__file__).parents[1]


def test_there_are_operations() -> None:
    ids = [o.id for o in OPERATIONS]
    assert len(ids) == len(set(ids)) >= 9
    assert {"remove-text", "erase", "cutout", "upscale", "measure", "gate"} <= set(ids)


@pytest.fixture(scope="module")
def studio() -> Studio:
    return Studio()


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda o: o.id)
class TestEveryOperation:
    def test_is_declared_properly(self, operation: AnyOperation, studio: Studio) -> None:
        assert re.fullmatch(r"[a-z]+(-[a-z]+)*", operation.id)
        assert operation.version >= 1
        assert operation.title and operation.summary.endswith(".")
        assert set(operation.gates) <= set(studio.bench.gates)
        specs = fields_of(operation.params)
        assert specs[0].kind == "picture" and specs[0].required
        assert all(s.description or s.kind in ("picture", "boolean") for s in specs), [
            s.name for s in specs if not s.description
        ]

    def test_stands_at_the_command_line(self, operation: AnyOperation) -> None:
        out = io.StringIO()
        with redirect_stdout(out):
            assert run(wiring.command_line(), [operation.id, "--help"]) == 0
        for spec in fields_of(operation.params)[1:]:
            assert spec.flag in out.getvalue()

    def test_stands_in_the_library_and_its_stub(self, operation: AnyOperation, studio: Studio) -> None:
        method = getattr(studio, operation.method)
        assert operation.method in dir(studio)
        assert operation.summary in method.__doc__
        assert f"def {operation.method}(" in (ROOT / "src/gesso/studio.pyi").read_text()

    def test_stands_in_recipes(self, operation: AnyOperation, studio: Studio) -> None:
        pictures = [s for s in fields_of(operation.params) if s.required]
        arguments = ", ".join(f"{s.name}: ${s.name}" for s in pictures if s.kind in ("picture", "mask"))
        output = fields_of(operation.result)[0].name
        inputs = ", ".join(f"{s.name}: {s.kind}" for s in pictures)
        text = (
            f"gesso: 1\nname: one\ninputs: {{{inputs}}}\nsteps:\n  - id: only\n    use: {operation.id}\n"
            f"    with: {{{arguments}{LEAST.get(operation.id, '')}}}\noutput: {{out: $only.{output}}}\n"
        )
        plan = make_plan(parse_recipe(text), studio.bench)
        assert [step.id for step in plan.steps] == ["only"]

    def test_has_a_schema(self, operation: AnyOperation) -> None:
        schema = operation.params.model_json_schema()
        assert schema["additionalProperties"] is False
        assert set(schema["properties"]) == {s.name for s in fields_of(operation.params)}


def test_the_stub_is_up_to_date(tmp_path: Path) -> None:
    fresh: Any = tmp_path / "studio.pyi"
    made = subprocess.run([sys.executable, "-m", "scripts.stub"], cwd=ROOT, capture_output=True, text=True, check=True)
    fresh.write_text(made.stdout)
    subprocess.run([sys.executable, "-m", "ruff", "format", "-q", str(fresh)], cwd=ROOT, check=True)
    assert fresh.read_text() == (ROOT / "src/gesso/studio.pyi").read_text(), "run `make stubs`"


def test_no_door_names_an_operation() -> None:
    """The ids stand in `operations/` alone (recipes are data)."""
    doors = [
        *(ROOT / "src/gesso/cli").glob("*.py"),
        *(ROOT / "src/gesso/recipes").glob("*.py"),
        ROOT / "src/gesso/studio.py",
    ]
    assert len(doors) > 20
    names = [o.id for o in OPERATIONS if "-" in o.id] + ["cutout", "upscale", "erase"]
    found = [
        f"{path.name}: {name}"
        for path in doors
        for line in path.read_text().splitlines()
        for name in names
        if re.search(rf"[\"']{name}[\"']", line)
    ]
    assert not found
