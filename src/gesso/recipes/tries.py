"""Run an operation once or several times, judge each try, and decide as `on_fail` says."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from gesso.contracts.context import Context
from gesso.contracts.errors import EngineFailed, GateFailed
from gesso.contracts.gate import Evidence
from gesso.contracts.mask import Mask
from gesso.contracts.model import Params
from gesso.contracts.operation import Result
from gesso.contracts.picture import Picture
from gesso.contracts.provenance import without_pictures
from gesso.contracts.tools import Tools
from gesso.contracts.verdict import Attempt, Notice, Status, Verdict
from gesso.recipes.composite import keep_outside
from gesso.recipes.plan import PlannedGate, PlannedStep

BROKEN = "broken"
"""The code of an `EngineFailed` that stands for a foreign exception: a fault of Gesso, which no other try mends."""

Guard = Callable[[str, Callable[[], Any]], Any]
"""(what, call) → the call's result; whatever foreign it raises arrives as one of our errors that names `what`."""


@dataclass(frozen=True)
class Kept:
    """The result that a step hands on, with verdicts, attempts and notices complete, and the parameters it came from.

    ``lasting`` is False where an engine broke on the way: another time it may not, so that is not kept for reuse.
    """

    params: Params
    result: Result
    lasting: bool


@dataclass(frozen=True)
class _Try:
    """One finished try: its result and verdicts, or the error that ended it."""

    params: Params
    seconds: float
    result: Result | None = None
    verdicts: tuple[Verdict, ...] = ()
    notices: tuple[Notice, ...] = field(default=())
    error: EngineFailed | None = None

    @property
    def all_verdicts(self) -> tuple[Verdict, ...]:
        """The operation's own verdicts, then those of the step's gates that do not say the same again."""
        own = self.result.verdicts if self.result else ()
        said = {(v.gate, v.value, v.limit) for v in own}
        return (*own, *(v for v in self.verdicts if (v.gate, v.value, v.limit) not in said))

    @property
    def failing(self) -> tuple[Verdict, ...]:
        """Failing gates of the step; those of the operation count unless it has rolled back by itself."""
        own = self.result.verdicts if self.result and self.result.status != "rolled_back" else ()
        return tuple(v for v in (*own, *self.verdicts) if not v.passed)

    @property
    def accepted(self) -> bool:
        """Whether nothing is wrong with it."""
        return self.error is None and not self.failing

    @property
    def wrong(self) -> str:
        """What is wrong with it, in words."""
        if self.error is not None:
            return self.error.message
        return ", ".join(f"{v.gate} {v.value:.4g}{_unit(v)} (limit {v.limit:.4g}{_unit(v)})" for v in self.failing)


def run_tries(
    planned: PlannedStep,
    tries: tuple[Params, ...],
    where: Mask | None,
    tools: Tools,
    context: Context,
    guard: Guard,
) -> Kept:
    """Try in order until one is accepted, else do what `on_fail` says.

    A try fails when a gate of the step fails, when the operation reports a failing verdict without having rolled back by
    itself, or with an engine's `EngineFailed`. Every other error ends the step at once. Raises `GateFailed` (or the last
    `EngineFailed`) for `stop`, and for `retry` when no try is left.
    """
    done: list[_Try] = []
    for number, params in enumerate(tries):
        part = context.part(number / len(tries), (number + 1) / len(tries))
        done.append(_one(planned, params, where, tools, part, guard))
        if done[-1].accepted:
            status: Status = done[-1].result.status if done[-1].result else "done"
            if number and status == "done":
                status = "repaired"
            reason = f"{done[0].wrong}; try {number + 1} passed" if number else ""
            return _kept(planned, done, done[-1], status, reason)
    return _given_up(planned, done)


def _given_up(planned: PlannedStep, done: list[_Try]) -> Kept:
    step = planned.checked.step
    with_result = [t for t in done if t.result is not None]
    best = min(with_result, key=lambda t: len(t.failing), default=None)
    if step.on_fail == "rollback":
        return _rolled_back(planned, done, best)
    if best is None or (step.on_fail != "accept" and done[-1].error is not None):
        assert done[-1].error is not None
        raise done[-1].error
    if step.on_fail == "accept":
        assert best.result is not None
        as_is = len(done) == 1 and not step.gates
        reason = "" if as_is else f"accepted in spite of {best.wrong}"
        return _kept(planned, done, best, best.result.status, reason)
    tried = f" after {len(done)} tries" if len(done) > 1 else ""
    raise GateFailed(
        f"step {step.id} failed{tried}: {done[-1].wrong}",
        hint="on_fail: rollback would give the step's input back, accept would let it pass",
        field=step.id,
    )


def _rolled_back(planned: PlannedStep, done: list[_Try], best: _Try | None) -> Kept:
    """The step's input picture as its image; the other fields stay those of the best try."""
    source = planned.checked.source
    assert source is not None
    chosen = best or done[-1]
    picture: Picture = getattr(chosen.params, source)
    if best is None:
        chosen = replace(chosen, result=_without_result(planned, picture))
    assert chosen.result is not None
    back = replace(chosen, result=chosen.result.model_copy(update={"image": picture}))
    tried = f" in {len(done)} tries" if len(done) > 1 else ""
    return _kept(planned, done, back, "rolled_back", f"rolled back: {(best or done[-1]).wrong}{tried}")


def _without_result(planned: PlannedStep, picture: Picture) -> Result:
    """A result where no try gave one: the picture, and empty masks, for nothing was edited. Other required fields are
    absent; a reference to one is refused when it is used.
    """
    checked = planned.checked
    empty = Mask.of(np.zeros((picture.height, picture.width), np.float32), made_by=checked.operation.id)
    masks = {s.name: empty for s in checked.result.values() if s.kind == "mask" and s.required and not s.many}
    made: Result = checked.operation.result.model_construct(image=picture, **masks)
    return made


def _kept(planned: PlannedStep, done: list[_Try], chosen: _Try, status: Status, reason: str) -> Kept:
    assert chosen.result is not None
    result = chosen.result
    notices = (*result.notices, *chosen.notices)
    if reason and not chosen.accepted and status != "rolled_back":
        notices = (*notices, Notice(code="gate_accepted", message=reason))
    changes = {
        "status": status,
        "reason": "; ".join(part for part in (result.reason, reason) if part),
        "verdicts": chosen.all_verdicts,
        "attempts": _attempts(planned, done, result),
        "notices": notices,
    }
    lasting = all(t.error is None for t in done)
    return Kept(chosen.params, result.model_copy(update=changes), lasting)


def _attempts(planned: PlannedStep, done: list[_Try], result: Result) -> tuple[Attempt, ...]:
    """The operation's own attempts, and one for each try where there was more than one or where it was rejected."""
    step = planned.checked.step
    as_is = step.on_fail == "accept" and not step.gates and not done[0].error
    if len(done) == 1 and (done[0].accepted or as_is):
        return result.attempts
    out: list[Attempt] = []
    for number, tried in enumerate(done):
        out.extend(tried.result.attempts if tried.result else ())
        changed = step.retry[number - 1] if 0 < number <= len(step.retry) else {}
        details: dict[str, Any] = {"recipe_try": number}
        if changed:
            details["params"] = {name: without_pictures(getattr(tried.params, name)) for name in changed}
        if hasattr(tried.params, "seed"):
            details["seed"] = tried.params.seed
        if tried.wrong:
            details["wrong"] = tried.wrong
        attempt = Attempt(
            what=f"try {number + 1} of {planned.checked.operation.id}",
            chosen_because=f"try {number}: {done[number - 1].wrong}" if number else "first choice",
            seconds=round(tried.seconds, 4),
            accepted=tried.accepted,
            verdicts=tried.all_verdicts,
            details=details,
        )
        out.append(attempt)
    return tuple(out)


def _judged(planned: PlannedGate, evidence: Evidence, guard: Guard) -> Verdict | None:
    verdict: Verdict | None = guard(f"gate {planned.gate.id}", lambda: planned.gate.judge(evidence, planned.limit))
    return verdict


def _one(
    planned: PlannedStep, params: Params, where: Mask | None, tools: Tools, context: Context, guard: Guard
) -> _Try:
    began = time.perf_counter()
    checked = planned.checked
    try:
        result: Result = guard(checked.operation.id, lambda: checked.operation.run(params, tools, context))
    except EngineFailed as error:
        if error.code == BROKEN:
            raise
        return _Try(params, time.perf_counter() - began, error=error)
    assert type(result) is checked.operation.result, f"{checked.operation.id} returned {type(result).__name__}"
    before = getattr(params, checked.source) if checked.source else None
    image = getattr(result, "image", None)
    if where is not None and isinstance(image, Picture):
        assert isinstance(before, Picture)
        image = keep_outside(before, image, where)
        result = result.model_copy(update={"image": image})
    verdicts: list[Verdict] = []
    notices: list[Notice] = []
    for gate in planned.gates:
        context.check()
        mask = where or _mask(result, params)
        verdict = _judged(gate, Evidence(image, before, mask, tools), guard) if isinstance(image, Picture) else None
        if verdict is not None:
            verdicts.append(verdict)
        else:
            said = f"gate {gate.gate.id} does not apply to this result of step {checked.step.id}"
            notices.append(Notice(code="gate_not_applicable", message=said))
    return _Try(params, time.perf_counter() - began, result, tuple(verdicts), tuple(notices))


def _mask(result: Result, params: Params) -> Mask | None:
    """The mask of the edit: the result's own, else the first among the parameters."""
    found = [getattr(result, "mask", None), *(getattr(params, name) for name in type(params).model_fields)]
    return next((mask for mask in found if isinstance(mask, Mask)), None)


def _unit(verdict: Verdict) -> str:
    return f" {verdict.unit}" if verdict.unit else ""
