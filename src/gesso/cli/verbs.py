"""One verb per operation, read off its declaration. No operation is named here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import click
import numpy as np

from gesso.cli.errors import BadUsage, Problem, problem_of
from gesso.cli.flags import NAMES, Flags, shared_options, summary, take
from gesso.cli.flow import Flow, Made
from gesso.cli.inputs import Item, companion, expand
from gesso.cli.options import PATHS, option_of, read_values
from gesso.cli.outputs import Asked, Target, place
from gesso.cli.session import Session, session_of
from gesso.contracts.context import Context
from gesso.contracts.errors import BadParams, Fault, GateFailed, GessoError
from gesso.contracts.fields import FieldSpec, fields_of
from gesso.contracts.mask import Mask
from gesso.contracts.model import validated
from gesso.contracts.operation import AnyOperation, Result
from gesso.contracts.picture import Picture
from gesso.contracts.ports import Bench
from gesso.contracts.provenance import without_pictures
from gesso.contracts.tools import Tools
from gesso.contracts.verdict import Verdict
from gesso.recipes.outcome import Outcome
from gesso.recipes.single import single


@dataclass(frozen=True)
class Verb:
    """What the command line reads off one declaration."""

    operation: AnyOperation

    @cached_property
    def fields(self) -> tuple[FieldSpec, ...]:
        """All parameters."""
        return fields_of(self.operation.params)

    @cached_property
    def main(self) -> FieldSpec | None:
        """The picture that comes from the inputs: the first picture parameter; None when there is none."""
        return next((f for f in self.fields if f.kind == "picture" and not f.many), None)

    @cached_property
    def options(self) -> tuple[FieldSpec, ...]:
        """The parameters that are options."""
        return tuple(f for f in self.fields if f is not self.main)

    @cached_property
    def image(self) -> str | None:
        """The result's image field."""
        return self._result("picture", "image")

    @cached_property
    def mask(self) -> str | None:
        """The result's mask field."""
        return self._result("mask", "mask")

    def _result(self, kind: str, preferred: str) -> str | None:
        names = [f.name for f in fields_of(self.operation.result) if f.kind == kind]
        return preferred if preferred in names else next(iter(names), None)


class VerbCommand(click.Command):
    """A command whose help lists the operation's parameters apart from the options that every verb has.

    `advanced` names the parameters that few will want to touch; they come last among them.
    """

    def __init__(self, *args: Any, advanced: frozenset[str], **rest: Any) -> None:
        super().__init__(*args, **rest)
        self.advanced = advanced

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Three lists of options."""
        rows: dict[str, list[tuple[str, str]]] = {"Parameters": [], "Fine tuning": [], "Options": []}
        for parameter in self.get_params(ctx):
            record = parameter.get_help_record(ctx)
            if record is not None and record[1]:
                shared = parameter.name in NAMES or "--help" in parameter.opts
                title = "Options" if shared else "Fine tuning" if parameter.name in self.advanced else "Parameters"
                rows[title].append(record)
        for title, own in rows.items():
            if own:
                with formatter.section(title):
                    formatter.write_dl(own)


def command_of(operation: AnyOperation) -> click.Command:
    """The command of one operation."""
    verb = Verb(operation)
    inputs: list[click.Parameter] = []
    if verb.main is not None:
        inputs = [click.Argument(["inputs"], nargs=-1, required=True, metavar="IN...")]
    options = [option_of(spec, operation.params) for spec in verb.options]
    shared = shared_options(image=verb.image is not None, mask=verb.mask is not None)

    def callback(**given: Any) -> int:
        session = session_of(click.get_current_context())
        return run_verb(session, verb, tuple(given.pop("inputs", ())), take(given), given)

    return VerbCommand(
        operation.id,
        params=[*inputs, *options, *shared],
        advanced=frozenset(f.name for f in verb.options if f.ui.advanced),
        callback=callback,
        short_help=operation.title,
        help=f"{operation.title}.\n\n{operation.summary}",
        epilog="IN is a file, a folder, a quoted glob pattern, or - for standard input." if inputs else None,
    )


def run_verb(session: Session, verb: Verb, words: tuple[str, ...], flags: Flags, given: Mapping[str, Any]) -> int:
    """Run one operation over its inputs; the exit code. Refuses everything that is wrong with the command at once."""
    operation = verb.operation
    values = _checked(verb, given)
    skip = None if flags.output in (None, "-") else Path(str(flags.output))
    items = expand(words, verb=operation.id, skip=skip) if verb.main else (Item(0, None, Path(operation.id)),)
    targets: tuple[Target, ...] = tuple(Target() for _ in items)
    if verb.image is not None:
        asked = Asked(flags.output, flags.format or "")
        if verb.main is None and flags.output is None:
            asked = replace(asked, output=f"{operation.id}.{asked.format or 'png'}")
        targets = place(items, asked, operation.id, session.bench.codec.formats())
    paths = {f.name: given[f.name] for f in verb.options if f.kind in PATHS and given.get(f.name)}
    if not flags.dry_run:
        _require(operation, session.bench.tools)
    plan = {
        "operation": operation.id,
        "version": operation.version,
        "params": summary({**values, **paths}),
        "engines": _engines(operation, session.bench.tools),
    }
    work = {k: plan[k] for k in ("operation", "version", "params")}
    work |= {"gesso": session.wiring.version, "format": flags.format, "quality": flags.quality, "frame": flags.frame}

    def admit(item: Item) -> Picture | None:
        return admitted(session, item, flags) if verb.main else None

    def make(item: Item, picture: Picture | None, context: Context) -> Made:
        inputs = _inputs(verb, item, picture, paths, session.bench)
        step = replace(context, on_progress=lambda f, m: context.on_progress(f, m.removeprefix("step").lstrip(": ")))
        try:
            outcome = single(operation.id, {**values, **inputs}, session.bench, step)
        except GessoError as error:
            error.__notes__ = []  # they name the recipe's step; a verb is a recipe of one
            raise
        return _made(verb, outcome)

    return Flow(session, flags, operation.title, items, targets, admit, make, work, plan).run()


def _checked(verb: Verb, given: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters as given, checked as far as that can be done without the pictures; `BadParams` with every fault.

    Pictures and masks are stood in for by single pixels, so only faults of single fields count here; what the declaration
    says about fields together is checked again, with the real pictures, before each item.
    """
    model = verb.operation.params
    values, faults = read_values(given, verb.options, model)
    pixel = Picture(np.zeros((1, 1, 3), np.uint8))
    stand_ins: dict[str, Any] = {}
    for spec in verb.fields:
        if spec.kind in PATHS and (spec is verb.main or given.get(spec.name)):
            one: Any = pixel if spec.kind == "picture" else Mask.of(np.ones((1, 1), np.float32))
            stand_ins[spec.name] = tuple(one for _ in given[spec.name]) if spec.many else one
    try:
        validated(model, {**stand_ins, **values})
    except BadParams as error:
        unread = {f.field for f in faults}
        faults += tuple(f for f in error.faults if f.field and f.field.split(".")[0] not in unread)
    if faults:
        flags = {f.name: f.flag for f in verb.fields}
        raise BadParams(tuple(_flagged(f, flags) for f in faults), hint=f"see `gesso {verb.operation.id} --help`")
    return values


def _flagged(fault: Fault, flags: Mapping[str, str]) -> Fault:
    """The fault under the name that was typed: "points.0.x" → "--points 0.x"."""
    name, _, rest = fault.field.partition(".")
    return replace(fault, field=(flags.get(name, name) + " " + rest).rstrip())


def _require(operation: AnyOperation, tools: Tools) -> None:
    """Raise `Unavailable` before anything runs when a capability that is needed has no engine. Builds none."""
    for capability in operation.needs:
        if not any(o.capability is capability and not o.missing() for o in tools.offers):
            tools.one(capability)


def _engines(operation: AnyOperation, tools: Tools) -> list[dict[str, Any]]:
    """The engines that may be used, best first, for the plan."""
    out = []
    for capability in (*operation.needs, *operation.wants):
        for offer in (o for o in tools.offers if o.capability is capability):
            why = offer.missing()
            need = "needed" if capability in operation.needs else "wanted"
            out.append({"capability": capability.__name__, "engine": offer.id, "use": need, "missing": why})
    return out


def admitted(session: Session, item: Item, flags: Flags) -> Picture:
    """The picture of an item; raises `BadImage`."""
    source: Any = item.read(session.max_bytes) if item.source is None else item.source
    return session.bench.codec.picture(source, name=item.relative.name, frame=flags.frame)


def _inputs(verb: Verb, item: Item, picture: Picture | None, paths: Mapping[str, Any], bench: Bench) -> dict[str, Any]:
    """The pictures and masks of one item, by parameter."""
    out: dict[str, Any] = {}
    if verb.main is not None and picture is not None:
        out[verb.main.name] = picture
    for spec in verb.options:
        if spec.name in paths:
            given = paths[spec.name] if spec.many else (paths[spec.name],)
            read = tuple(side_input(spec.flag, spec.kind, p, item, picture, bench) for p in given)
            out[spec.name] = read if spec.many else read[0]
    return out


def side_input(name: str, kind: str, given: str, item: Item, picture: Picture | None, bench: Bench) -> Picture | Mask:
    """A further picture or a mask: the file itself, or the one of `item` in a folder. A mask has the picture's size."""
    path = Path(given)
    if "\0" in given or not given.strip():
        raise BadUsage(f"{name}: not a usable path", code="path_invalid")
    file = companion(path, item) if path.is_dir() else path
    if kind == "picture":
        return bench.codec.picture(file, name=file.name)
    return bench.codec.mask(file, size=None if picture is None else picture.size, name=file.name)


def _made(verb: Verb, outcome: Outcome) -> Made:
    """One operation's outcome for the report. What was rolled back, or did not pass, counts as failed in the exit code."""
    step = outcome.steps[0]
    names = [f for f in verb.operation.result.model_fields if f not in Result.model_fields]
    kinds = {f.name: f.kind for f in fields_of(verb.operation.result)}
    figures = {n: without_pictures(outcome.fields[n]) for n in names if kinds[n] not in PATHS}
    problem: Problem | None = None
    status = str(step.status)
    if outcome.fields.get("passed") is False:
        status, problem = "failed", problem_of(GateFailed(_why(step.verdicts)))
    return Made(
        status,
        step.reason,
        image=outcome.fields[verb.image] if verb.image else None,
        mask=outcome.fields[verb.mask] if verb.mask else None,
        others={n: p for n in names if n != verb.image and isinstance(p := outcome.fields[n], Picture)},
        provenance=outcome.provenance,
        verdicts=step.verdicts,
        notices=step.notices,
        figures=figures,
        problem=problem,
        exit_code=int(status in ("failed", "rolled_back")),
    )


def _why(verdicts: tuple[Verdict, ...]) -> str:
    found = [f"{v.gate} is {v.value:.4g}, the limit is {v.limit:.4g}" for v in verdicts if not v.passed]
    return "; ".join(found) or "the picture does not pass"
