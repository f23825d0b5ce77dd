"""`gesso run` and `gesso recipes`."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from gesso.cli.errors import BadUsage, problem_of
from gesso.cli.flags import Flags, shared_options, take
from gesso.cli.flow import Flow, Made
from gesso.cli.inputs import Item, expand
from gesso.cli.outputs import Asked, Target, place
from gesso.cli.report import columns, say_json
from gesso.cli.session import Session, debug_option, session_of
from gesso.cli.text import plain, say
from gesso.cli.verbs import admitted, side_input
from gesso.contracts.context import Context
from gesso.contracts.errors import BadParams, Fault
from gesso.contracts.picture import Picture
from gesso.recipes.model import Recipe
from gesso.recipes.outcome import Outcome
from gesso.recipes.parse import parse_setting
from gesso.recipes.plan import Plan, make_plan
from gesso.recipes.run import run_plan
from gesso.recipes.shelf import find_recipe, list_recipes, read_recipe


def _run(recipe: str, inputs: tuple[str, ...], set_: tuple[str, ...], input_: tuple[str, ...], **given: Any) -> int:
    """Run a recipe over pictures."""
    session = session_of(click.get_current_context())
    return run_recipe(session, recipe, inputs, take(given), set_, input_)


def run_recipe(
    session: Session, name: str, words: Sequence[str], flags: Flags, settings: Sequence[str], sides: Sequence[str]
) -> int:
    """Run the recipe `name` over `words`; the exit code. Everything that can be refused is, before the first picture."""
    bench = session.bench
    recipe = find_recipe(name, bench.recipe_folders)
    values = _settings(settings)
    plan = make_plan(recipe, bench, values)
    main, others = _inputs(recipe, sides)
    skip = None if flags.output in (None, "-") else Path(str(flags.output))
    items = expand(words, verb=recipe.name, skip=skip)
    publishes = "image" in recipe.output
    targets: tuple[Target, ...] = tuple(Target() for _ in items)
    if publishes:
        targets = place(items, Asked(flags.output, flags.format or ""), recipe.name, bench.codec.formats())
    if not flags.dry_run:
        plan.require()
    shown = plan.as_json()
    work = {
        "recipe": hashlib.sha256(recipe.text.encode("utf-8", "replace")).hexdigest(),
        "values": shown["values"],
        "versions": [[s["operation"], s["version"]] for s in shown["steps"]],
        "inputs": others,
        "gesso": session.wiring.version,
        "format": flags.format,
        "quality": flags.quality,
        "frame": flags.frame,
    }

    def admit(item: Item) -> Picture | None:
        return admitted(session, item, flags)

    def make(item: Item, picture: Picture | None, context: Context) -> Made:
        given: dict[str, Any] = {
            name: side_input(f"--input {name}", recipe.inputs[name], path, item, picture, bench)
            for name, path in others.items()
        }
        return _made(run_plan(plan, {main: picture, **given}, bench, context))

    title = recipe.title or recipe.name
    return Flow(session, flags, title, items, targets, admit, make, work, shown, table=True).run()


def _settings(settings: Sequence[str]) -> dict[str, Any]:
    values: dict[str, Any] = {}
    faults: list[Fault] = []
    for text in settings:
        try:
            name, value = parse_setting(text)
            values[name] = value
        except BadParams as error:
            faults += error.faults
    if faults:
        raise BadParams(tuple(faults), hint="write --set name=value")
    return values


def _inputs(recipe: Recipe, sides: Sequence[str]) -> tuple[str, dict[str, str]]:
    """The input that takes the pictures, and the files of the others; raises `BadUsage` with what is missing."""
    main = next((name for name, kind in recipe.inputs.items() if kind == "picture"), None)
    if main is None:
        raise BadUsage(f"the recipe {recipe.name} takes no picture", code="recipe_takes_no_picture")
    given = {}
    for side in sides:
        name, equals, path = side.partition("=")
        if not equals or name not in recipe.inputs or name == main:
            known = ", ".join(n for n in recipe.inputs if n != main) or "none"
            raise BadUsage(f"--input {plain(side[:60])}: not NAME=PATH of another input", hint=f"other inputs: {known}")
        given[name] = path
    missing = [n for n in recipe.inputs if n != main and n not in given]
    if missing:
        raise BadUsage(
            f"the recipe {recipe.name} also needs: {', '.join(missing)}",
            code="input_missing",
            hint="give each with --input NAME=PATH",
        )
    return main, given


def _made(outcome: Outcome) -> Made:
    steps = tuple(
        {"id": s.id, "operation": s.operation, "status": s.status, "reason": s.reason, "reused": s.reused}
        | {"seconds": round(s.seconds, 3)}
        for s in outcome.steps
    )
    others = {name: v for name, v in outcome.fields.items() if isinstance(v, Picture) and name != "image"}
    return Made(
        outcome.status,
        outcome.reason,
        image=outcome.image,
        mask=outcome.mask,
        others=others,
        provenance=outcome.provenance,
        verdicts=outcome.verdicts,
        notices=outcome.notices,
        steps=steps,
    )


def _list(json: bool) -> int:
    """List the recipes."""
    found = list_recipes(session_of(click.get_current_context()).bench.recipe_folders)
    for path, recipe in found if json else ():
        if isinstance(recipe, Recipe):
            say_json(
                {"name": path.stem, "title": recipe.title, "summary": recipe.summary, "inputs": dict(recipe.inputs)}
            )
        else:
            say_json({"name": path.stem, "error": recipe.as_json()})
    if not json:
        columns(
            [(plain(p.stem), plain(r.title if isinstance(r, Recipe) else f"broken: {r.message}")) for p, r in found]
        )
    return int(any(not isinstance(r, Recipe) for _, r in found))


def _show(name: str, json: bool) -> int:
    """Show what a recipe does: its steps, engines, gates and values."""
    session = session_of(click.get_current_context())
    plan = make_plan(find_recipe(name, session.bench.recipe_folders), session.bench)
    if json:
        say_json(plan.as_json())
    else:
        _say_plan(plan)
    return 0


def _check(files: tuple[str, ...], json: bool) -> int:
    """Check recipe files against what is installed, without running anything."""
    session = session_of(click.get_current_context())
    worst = 0
    for file in files:
        try:
            plan = make_plan(read_recipe(Path(file)), session.bench)
            found: Mapping[str, Any] = {"file": file, "ok": True, "missing": list(plan.missing)}
            text = "ok" + "".join(f"\n  {plain(m)}" for m in plan.missing)
        except Exception as error:  # noqa: BLE001  (a door: the next file is still checked)
            problem = problem_of(error)
            worst = problem.exit_code
            found = {"file": file, "ok": False, "error": problem.details}
            text = "\n  ".join(plain(line) for line in problem.lines())
        if json:
            say_json(found)
        else:
            say(f"{plain(file)}: {text}")
    return worst


def _say_plan(plan: Plan) -> None:
    recipe = plan.recipe
    say(plain(f"{recipe.name}: {recipe.title}" if recipe.title else recipe.name))
    if recipe.summary:
        say(plain(recipe.summary))
    for name, value in plan.values.items():
        say(plain(f"  --set {name}={value}"))
    for number, step in enumerate(plan.steps, 1):
        usable = ", ".join(dict.fromkeys(c.engine for c in step.engines if c.usable))
        say(plain(f"{number}. {step.id}: {step.checked.operation.id}" + (f"  (engines: {usable})" if usable else "")))
        for gate in step.gates:
            sign = "≤" if gate.gate.better == "lower" else "≥"
            say(plain(f"   gate {gate.gate.id} {sign} {gate.limit:.4g} {gate.gate.unit}".rstrip()))
        say(f"   on failure: {step.checked.step.on_fail}")
    for sentence in plan.missing:
        say(plain(f"missing: {sentence}"))


def _json_option() -> click.Option:
    return click.Option(["--json"], is_flag=True, help="JSON on standard output.")


RUN = click.Command(
    "run",
    callback=_run,
    short_help="Run a recipe over pictures.",
    help="Run a recipe: one of `gesso recipes`, or a .yaml file. Goes on past failures and ends with a table.",
    params=[
        click.Argument(["recipe"], metavar="RECIPE"),
        click.Argument(["inputs"], nargs=-1, required=True, metavar="IN..."),
        click.Option(
            ["--set", "set_"], multiple=True, metavar="NAME=VALUE", help="One of the recipe's values. Repeatable."
        ),
        click.Option(["--input", "input_"], multiple=True, metavar="NAME=PATH", help="A further input. Repeatable."),
        *shared_options(image=True, mask=True),
    ],
)

RECIPES = click.Group(
    "recipes",
    callback=lambda **given: _list(given["json"]) if click.get_current_context().invoked_subcommand is None else 0,
    invoke_without_command=True,
    short_help="List recipes; show or check one.",
    help="List the recipes that `gesso run` finds by name.",
    params=[_json_option(), debug_option()],
    commands=[
        click.Command(
            "show",
            callback=_show,
            help="Show what a recipe does: its steps, engines, gates and values.",
            params=[click.Argument(["name"]), _json_option(), debug_option()],
        ),
        click.Command(
            "check",
            callback=_check,
            help="Check recipe files against what is installed, without running anything.",
            params=[click.Argument(["files"], nargs=-1, required=True), _json_option(), debug_option()],
        ),
    ],
)

COMMANDS: tuple[click.Command, ...] = (RUN, RECIPES)
"""The commands of this module."""
