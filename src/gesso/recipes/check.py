"""Everything that can be known to be wrong with a recipe before anything runs: names, kinds, literals, gates."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from gesso.contracts.errors import BadParams, BadRecipe, Fault
from gesso.contracts.fields import FieldSpec, Kind, fields_of
from gesso.contracts.gate import Gate
from gesso.contracts.mask import Mask
from gesso.contracts.model import validated
from gesso.contracts.operation import AnyOperation
from gesso.contracts.picture import Picture
from gesso.recipes.model import GateLimit, Recipe, Reference, Step
from gesso.recipes.suggest import did_you_mean

MANY_WORDS: dict[Kind, str] = {"picture": "a picture", "mask": "a mask", "boolean": "true or false"}


@dataclass(frozen=True)
class CheckedStep:
    """A step with what its names stand for. ``source`` is its first picture parameter, what a rollback returns."""

    step: Step
    operation: AnyOperation
    source: str | None
    gates: tuple[Gate, ...]
    params: Mapping[str, FieldSpec]
    result: Mapping[str, FieldSpec]

    @property
    def has_image(self) -> bool:
        """Whether the result has a picture field ``image``."""
        return "image" in self.result and self.result["image"].kind == "picture"


@dataclass(frozen=True)
class Checked:
    """A recipe whose names, kinds and literals are known to fit; ``values`` are the defaults with the caller's laid over."""

    recipe: Recipe
    values: Mapping[str, Any]
    steps: tuple[CheckedStep, ...]


def check(
    recipe: Recipe,
    operations: Mapping[str, AnyOperation],
    gates: Mapping[str, Gate],
    values: Mapping[str, Any] | None = None,
) -> Checked:
    """`recipe` against what is installed. Raises `BadRecipe` (first fault with its place, the others in the hint), or
    `BadParams` where one of the caller's `values` does not fit.
    """
    given = dict(values or {})
    known = {name: value for name, value in given.items() if name in recipe.values}
    checker = _Checker(recipe, operations, gates, {**recipe.values, **known}, frozenset(known))
    for name in given.keys() - known.keys():
        hint = did_you_mean(name, recipe.values) or "it has none"
        checker.faults.append(Fault(name, "unknown_value", f"the recipe has no value {name[:60]!r}; {hint}"))
    steps = tuple(s for index, step in enumerate(recipe.steps) if (s := checker.step(step, f"steps.{index}")))
    checker.output()
    checker.raise_faults()
    return Checked(recipe, checker.values, steps)


@dataclass(frozen=True)
class _Problem:
    path: str
    code: str
    message: str
    hint: str = ""


@dataclass
class _Checker:
    recipe: Recipe
    operations: Mapping[str, AnyOperation]
    known_gates: Mapping[str, Gate]
    values: dict[str, Any]
    given: frozenset[str]
    problems: list[_Problem] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    done: dict[str, CheckedStep | None] = field(default_factory=dict)

    def say(self, path: str, code: str, message: str, hint: str = "") -> None:
        """Note a fault of the recipe at the dotted `path`."""
        self.problems.append(_Problem(path, code, message, hint))

    def raise_faults(self) -> None:
        """Raise what was noted, if anything: the recipe's faults before those of the caller's values."""
        if self.problems:
            first, *more = self.problems
            line, column = self.recipe.mark(first.path)
            others = "; ".join(f"line {self.recipe.mark(p.path)[0]}: {p.message}" for p in more[:20])
            hint = first.hint + (" · " if first.hint and others else "") + (f"also {others}" if others else "")
            raise BadRecipe(first.message, code=first.code, hint=hint, field=first.path, line=line, column=column)
        if self.faults:
            raise BadParams(tuple(self.faults))

    def step(self, step: Step, path: str) -> CheckedStep | None:
        """The step with its operation, or None where that is unknown; every fault is noted."""
        if step.id in self.done or step.id in self.recipe.inputs:
            self.say(f"{path}.id", "duplicate_id", f"the name {step.id!r} is used twice", "give the step another `id`")
        self.done.setdefault(step.id, None)
        operation = self.operations.get(step.use)
        if operation is None:
            hint = did_you_mean(step.use, self.operations)
            self.say(f"{path}.use", "unknown_operation", f"there is no operation {step.use!r}", hint)
            return None
        if step.version not in (None, operation.version):
            said = f"{step.use} has version {operation.version} here, not {step.version}"
            self.say(f"{path}.use", "operation_version", said, "check the recipe against it, then change the number")
        params = {spec.name: spec for spec in fields_of(operation.params)}
        result = {spec.name: spec for spec in fields_of(operation.result)}
        source = next((s.name for s in params.values() if s.kind == "picture" and not s.many), None)
        known = tuple(self.known_gates[g.gate] for g in step.gates if g.gate in self.known_gates)
        checked = CheckedStep(step, operation, source, known, params, result)
        self._arguments(checked, step.params, f"{path}.with", {})
        for index, extra in enumerate(step.retry):
            self._arguments(checked, extra, f"{path}.retry.{index}", step.params)
        for limit in step.gates:
            self._gate(checked, limit, f"{path}.gates.{limit.gate}")
        self._policy(checked, path)
        self.done[step.id] = checked
        return checked

    def output(self) -> None:
        """References of the recipe's output."""
        for name, reference in self.recipe.output.items():
            spec = self._target(reference, f"output.{name}")
            if name == "image" and spec and (spec.kind != "picture" or spec.many):
                self.say("output.image", "wrong_kind", f"the output `image` has to be a picture, {reference} is not")

    def _target(self, reference: Reference, path: str) -> FieldSpec | None:
        """What a reference to an input or an earlier step's field stands for; faults are noted."""
        if reference.name in self.recipe.inputs:
            if reference.field:
                self.say(path, "unknown_reference", f"an input has no field: {reference}", f"write ${reference.name}")
                return None
            return FieldSpec(reference.name, self.recipe.inputs[reference.name], True, False, False, None, "")
        if reference.name not in self.done:
            later = any(step.id == reference.name for step in self.recipe.steps)
            if later:
                said = f"{reference} refers to a step that runs later"
                self.say(path, "forward_reference", said, "a step can use earlier steps only")
            else:
                known = did_you_mean(reference.name, (*self.recipe.inputs, *self.done, "values"))
                self.say(path, "unknown_reference", f"{reference} refers to nothing", known)
            return None
        step = self.done[reference.name]
        if step is None:
            own = path.startswith("steps.") and self.recipe.steps[int(path.split(".")[1])].id == reference.name
            if own:
                self.say(path, "forward_reference", f"{reference} refers to its own step", "use an earlier result")
            return None
        spec = step.result.get(reference.field)
        if spec is None:
            hint = (
                f"write ${reference.name}.image" if not reference.field else did_you_mean(reference.field, step.result)
            )
            self.say(path, "unknown_reference", f"{reference} refers to no field of {step.operation.id}", hint)
        elif step.step.when is not None and reference.field != "image":
            said = f"{reference} may be missing, because step {reference.name} has a `when`"
            self.say(path, "conditional_reference", said, "only its image can be used")
        return spec

    def _arguments(self, step: CheckedStep, params: Mapping[str, Any], path: str, under: Mapping[str, Any]) -> None:
        trial: dict[str, Any] = {}
        bound: dict[str, str] = {}
        unknown: set[str] = set()
        for name, argument in {**under, **params}.items():
            spec = step.params.get(name)
            own = f"{path}.{name}"
            if spec is None:
                if name in params:
                    hint = did_you_mean(name, step.params)
                    self.say(own, "unknown_param", f"{step.operation.id} has no parameter {name[:60]!r}", hint)
            elif isinstance(argument, Reference) and argument.is_value:
                if self._has_value(argument, own):
                    trial[name] = self.values[argument.field]
                    bound[name] = argument.field
                else:
                    unknown.add(name)
            elif isinstance(argument, Reference | tuple):
                sample = self._sample(argument, spec, own)
                unknown |= {name} if sample is None else set()
                trial.update({} if sample is None else {name: sample})
            else:
                trial[name] = argument
        inherited = {name for name in under if name not in params}
        self._validate(step, trial, bound, unknown | inherited, path)

    def _has_value(self, reference: Reference, path: str) -> bool:
        if reference.field in self.values:
            return True
        hint = did_you_mean(reference.field, self.values) if self.values else "the recipe declares no `values`"
        self.say(path, "unknown_reference", f"{reference} refers to no value of the recipe", hint)
        return False

    def _sample(self, argument: Reference | tuple[Reference, ...], spec: FieldSpec, path: str) -> Any:
        """A stand-in of the right kind for what a reference will bring, or None where there is none."""
        many = isinstance(argument, tuple)
        targets = [self._target(ref, path) for ref in (argument if isinstance(argument, tuple) else (argument,))]
        for target in targets:
            if target and not _fits(target, spec, spec.many if not many else False):
                said = f"{spec.name} wants {_word(spec)}, {_shown(argument)} is {_word(target)}"
                self.say(path, "wrong_kind", said)
        if many and not spec.many:
            self.say(path, "wrong_kind", f"{spec.name} wants one {spec.kind}, not a list")
        if any(target is None for target in targets) or spec.kind not in ("picture", "mask"):
            return None
        sample = _picture_sample() if spec.kind == "picture" else _mask_sample()
        return (sample,) * len(targets) if spec.many else sample

    def _validate(
        self, step: CheckedStep, trial: dict[str, Any], bound: Mapping[str, str], unknown: set[str], path: str
    ) -> None:
        """Notes the faults of all literals at once, as the operation's own declaration sees them."""
        try:
            validated(step.operation.params, trial)
        except BadParams as error:
            for fault in error.faults:
                name = fault.field.partition(".")[0]
                if name in unknown or (not name and unknown):
                    continue
                if bound.get(name) in self.given:
                    self.faults.append(Fault(bound[name], fault.code, fault.message, fault.limit))
                else:
                    text = f"{step.step.id}: {fault.field or step.operation.id}: {fault.message}"
                    self.say(f"{path}.{fault.field}", fault.code, text, _hint(step, name, trial.get(name)))

    def _gate(self, step: CheckedStep, limit: GateLimit, path: str) -> None:
        gate = self.known_gates.get(limit.gate)
        if gate is None:
            hint = did_you_mean(limit.gate, self.known_gates)
            self.say(path, "unknown_gate", f"there is no gate {limit.gate[:60]!r}", hint)
            return
        if not step.has_image:
            self.say(path, "gate_without_image", f"{step.operation.id} has no picture that a gate could look at")
        if {"max": "higher", "min": "lower"}.get(limit.bound) == gate.better:
            right = "max" if gate.better == "lower" else "min"
            self.say(path, "bad_limit", f"{gate.id} is better when {gate.better}", f"write {{{right}: …}}")
        if isinstance(limit.limit, Reference):
            self._limit_value(limit.limit, path)
        if "before" in gate.requires and step.source is None:
            self.say(path, "gate_evidence", f"{gate.id} compares with a picture that {step.operation.id} does not take")
        if "mask" in gate.requires and not _may_have_mask(step):
            said = f"{gate.id} looks along a mask, and {step.operation.id} neither takes nor gives one"
            self.say(path, "gate_evidence", said, "give the step a `where`")

    def _limit_value(self, reference: Reference, path: str) -> None:
        if not reference.is_value:
            self.say(path, "wrong_kind", f"a limit is a number or one of the recipe's values, not {reference}")
        elif self._has_value(reference, path):
            value = self.values[reference.field]
            if isinstance(value, bool) or not isinstance(value, int | float):
                if reference.field in self.given:
                    self.faults.append(Fault(reference.field, "bad_limit", "a limit has to be a number"))
                else:
                    self.say(path, "bad_limit", f"{reference} is not a number")

    def _policy(self, step: CheckedStep, path: str) -> None:
        """`on_fail`, `where` and `when`: what they need of the step."""
        own, name = step.step, step.operation.id
        returns = step.source is not None and step.has_image
        if own.on_fail == "retry" and not own.retry and "seed" not in step.params:
            said = f"{name} has no seed to vary"
            self.say(f"{path}.on_fail", "bad_retry", said, "say under `retry` what the further tries change")
        if own.on_fail == "rollback" and not returns:
            self.say(f"{path}.on_fail", "bad_on_fail", f"{name} has no input picture to roll back to")
        if own.where is not None:
            if not returns:
                self.say(f"{path}.where", "bad_where", f"{name} does not turn a picture into a picture")
            spec = None if own.where.is_value else self._target(own.where, f"{path}.where")
            if own.where.is_value or (spec and (spec.kind != "mask" or spec.many)):
                self.say(f"{path}.where", "wrong_kind", f"`where` has to be a mask, {own.where} is not")
        if own.when is not None:
            if not returns:
                self.say(f"{path}.when", "bad_when", f"{name} has no input picture to pass through when it is left out")
            self._condition(own.when, f"{path}.when")

    def _condition(self, reference: Reference, path: str) -> None:
        if not reference.is_value:
            spec = self._target(reference, path)
            if spec and spec.kind != "boolean":
                self.say(path, "wrong_kind", f"`when` has to be true or false, {reference} is {_word(spec)}")
        elif self._has_value(reference, path) and not isinstance(self.values[reference.field], bool):
            if reference.field in self.given:
                self.faults.append(Fault(reference.field, "bool_type", "has to be true or false"))
            else:
                self.say(path, "wrong_kind", f"`when` has to be true or false, {reference} is not")


def _picture_sample() -> Picture:
    return Picture(np.zeros((1, 1, 3), np.uint8))


def _mask_sample() -> Mask:
    return Mask.of(np.ones((1, 1), np.float32))


def _fits(target: FieldSpec, spec: FieldSpec, many: bool) -> bool:
    kinds = (target.kind, spec.kind)
    return target.many == many and (target.kind == spec.kind or kinds in (("integer", "number"), ("choice", "text")))


def _may_have_mask(step: CheckedStep) -> bool:
    takes = any(spec.kind == "mask" and name in step.step.params for name, spec in step.params.items())
    gives = "mask" in step.result and step.result["mask"].kind == "mask"
    return takes or gives or step.step.where is not None


def _word(spec: FieldSpec) -> str:
    word = MANY_WORDS.get(spec.kind, spec.kind)
    return f"a list of {spec.kind}" if spec.many else word


def _shown(argument: Reference | tuple[Reference, ...]) -> str:
    return ", ".join(map(str, argument)) if isinstance(argument, tuple) else str(argument)


def _hint(step: CheckedStep, name: str, value: Any) -> str:
    spec = step.params.get(name)
    if spec and spec.kind in ("picture", "mask") and value is not None:
        return f"a {spec.kind} comes from an input or an earlier step, e.g. ${spec.kind}"
    if spec and value is None and spec.ui.widget == "colour":
        return 'a colour needs quotes, "#ffffff": without them # begins a comment'
    return ""
