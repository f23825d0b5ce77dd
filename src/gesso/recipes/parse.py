"""Text → `Recipe`: the form of a recipe, every key of it, with line and column for whatever does not fit."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, cast, get_args

from gesso.contracts.errors import BadParams, BadRecipe, Fault
from gesso.recipes.model import (
    RECIPE_SCHEMA,
    Bound,
    GateLimit,
    InputKind,
    OnFail,
    Recipe,
    Reference,
    Step,
)
from gesso.recipes.suggest import did_you_mean
from gesso.recipes.yaml_nodes import Node, plain_scalar, read_nodes

MAX_STEPS = 64
"""Steps of one recipe."""
MAX_RETRIES = 8
"""Further tries of one step: each may cost minutes."""
MAX_TEXT = 4096
"""Characters of a title or summary."""

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,63}", re.ASCII)
_REFERENCE = re.compile(r"\$([A-Za-z][A-Za-z0-9_-]{0,63})(?:\.([A-Za-z_][A-Za-z0-9_-]{0,63}))?", re.ASCII)
_USE = re.compile(r"([a-z][a-z0-9-]{0,63})(?:@([0-9]{1,6}))?", re.ASCII)
_RECIPE_KEYS = ("gesso", "name", "title", "summary", "inputs", "values", "steps", "output")
_STEP_KEYS = ("id", "use", "with", "gates", "on_fail", "retry", "where", "when")
_RESERVED = ("values",)


def parse_recipe(source: str | bytes) -> Recipe:
    """The recipe in `source`; raises `BadRecipe` with line and column, and nothing else. Runs and imports nothing."""
    text = source.decode("utf-8-sig", errors="replace") if isinstance(source, bytes) else source
    return recipe_of(read_nodes(source), text)


def parse_setting(text: str) -> tuple[str, Any]:
    """``name=value`` as written at the command line; raises `BadParams`.

    The value is read like one in a recipe: lists, mappings and quoted text as YAML, words and numbers as they stand
    (``#`` needs no quotes here).
    """
    name, equals, value = text.partition("=")
    if not equals or not _NAME.fullmatch(name):
        raise BadParams((Fault("set", "bad_setting", f"{text[:60]!r} is not of the form name=value"),))
    value = value.strip()
    try:
        if value.startswith(("[", "{", '"', "'")):
            return name, read_nodes(value).plain
        return name, plain_scalar(value) if value else ""
    except (BadRecipe, ValueError) as error:
        raise BadParams((Fault(name, "bad_setting", f"the value of {name} cannot be read: {error}"),)) from error


def recipe_of(root: Node, text: str) -> Recipe:
    """The recipe whose top mapping is `root`; `text` is kept as its source."""
    reader = _Reader()
    top = reader.mapping(root, "", _RECIPE_KEYS, "a recipe")
    version = top.pop("gesso", None)
    if version is None:
        root.refuse("the recipe does not say its schema version", code="recipe_version", hint="begin with `gesso: 1`")
    if version.value != RECIPE_SCHEMA or isinstance(version.value, bool):
        version.refuse(
            f"this Gesso reads recipes of schema version {RECIPE_SCHEMA}", code="recipe_version", hint="upgrade Gesso"
        )
    for key in ("name", "steps", "output"):
        if key not in top:
            root.refuse(f"the recipe has no `{key}`", code="missing_key", field=key)
    return Recipe(
        name=reader.name(top["name"], "name"),
        title=reader.text(top.get("title"), "title"),
        summary=reader.text(top.get("summary"), "summary"),
        inputs=reader.inputs(top.get("inputs")),
        values=reader.values(top.get("values")),
        steps=reader.steps(top["steps"]),
        output=reader.output(top["output"]),
        text=text,
        marks=reader.marks,
    )


@dataclass
class _Reader:
    """Walks the nodes once and notes where each dotted path stands."""

    marks: dict[str, tuple[int, int]] = field(default_factory=dict)

    def mapping(self, node: Node, path: str, allowed: tuple[str, ...] | None, what: str) -> dict[str, Node]:
        """The items of a mapping; its keys must be among `allowed` unless that is None."""
        if not isinstance(node.value, dict):
            node.refuse(f"{what} has to be a mapping of keys to values", code="not_a_mapping", field=path)
        for key, item in node.value.items():
            where = node.keys.get(key, (node.line, node.column))
            if allowed is not None and key not in allowed:
                raise BadRecipe(
                    f"{what} has no key {key[:60]!r}",
                    code="unknown_key",
                    hint=did_you_mean(key, allowed),
                    field=_join(path, key),
                    line=where[0],
                    column=where[1],
                )
            self.marks[_join(path, key)] = (item.line, item.column) if item.line else where
        return dict(node.value)

    def sequence(self, node: Node, path: str, what: str) -> list[Node]:
        """The items of a list."""
        if not isinstance(node.value, list):
            node.refuse(f"{what} has to be a list", code="not_a_list", field=path)
        for index, item in enumerate(node.value):
            self.marks[_join(path, str(index))] = (item.line, item.column)
        return node.value

    def name(self, node: Node, path: str) -> str:
        """A name: a letter, then letters, digits, ``_`` and ``-``, at most 64 in all."""
        if not isinstance(node.value, str) or not _NAME.fullmatch(node.value):
            node.refuse(
                f"{_shown(node)} is not a name",
                code="bad_name",
                hint="a letter, then letters, digits, - and _; at most 64",
                field=path,
            )
        if node.value in _RESERVED:
            node.refuse(f"the name {node.value!r} is taken", code="bad_name", field=path)
        return node.value

    def text(self, node: Node | None, path: str) -> str:
        """A title or summary."""
        if node is None or node.value is None:
            return ""
        if not isinstance(node.value, str) or len(node.value) > MAX_TEXT:
            node.refuse(f"{path} has to be text of at most {MAX_TEXT} characters", code="bad_text", field=path)
        return node.value

    def inputs(self, node: Node | None) -> dict[str, InputKind]:
        """Pictures and masks that come from outside."""
        out: dict[str, InputKind] = {}
        if node is None:
            return out
        for name, item in self.mapping(node, "inputs", None, "inputs").items():
            key = Node(name, *node.keys.get(name, (item.line, item.column)))
            self.name(key, f"inputs.{name}")
            if item.value not in get_args(InputKind):
                item.refuse(f"{_shown(item)} is not an input kind", code="unknown_kind", hint="picture or mask")
            out[name] = cast(InputKind, item.value)
        return out

    def values(self, node: Node | None) -> dict[str, Any]:
        """Parameters of the recipe with their defaults."""
        out: dict[str, Any] = {}
        if node is None:
            return out
        for name, item in self.mapping(node, "values", None, "values").items():
            key = Node(name, *node.keys.get(name, (item.line, item.column)))
            if not _NAME.fullmatch(name):
                key.refuse(f"{name[:60]!r} is not a name", code="bad_name")
            out[name] = _literal(item)
        return out

    def steps(self, node: Node) -> tuple[Step, ...]:
        """All steps, in the order in which they run."""
        items = self.sequence(node, "steps", "steps")
        if not items:
            node.refuse("the recipe has no steps", code="no_steps", field="steps")
        if len(items) > MAX_STEPS:
            node.refuse(f"{len(items)} steps; at most {MAX_STEPS} are allowed", code="too_many_steps", field="steps")
        return tuple(self.step(item, f"steps.{index}") for index, item in enumerate(items))

    def step(self, node: Node, path: str) -> Step:
        """One step."""
        items = self.mapping(node, path, _STEP_KEYS, "a step")
        if "use" not in items:
            node.refuse("the step does not say which operation to use", code="missing_key", field=f"{path}.use")
        use = items["use"]
        matched = _USE.fullmatch(use.value) if isinstance(use.value, str) else None
        if matched is None:
            use.refuse(f"{_shown(use)} is not an operation", code="bad_operation", hint="e.g. upscale or upscale@1")
        on_fail = items.get("on_fail", Node("stop"))
        if on_fail.value not in get_args(OnFail):
            hint = did_you_mean(str(on_fail.value), get_args(OnFail))
            on_fail.refuse(f"{_shown(on_fail)} is not a policy", code="bad_on_fail", hint=hint, field=f"{path}.on_fail")
        given = items.get("with")
        return Step(
            id=self.name(items["id"], f"{path}.id") if "id" in items else matched[1],
            use=matched[1],
            version=int(matched[2]) if matched[2] else None,
            params=self.params(given, f"{path}.with") if given and given.value is not None else {},
            gates=self.gates(items.get("gates"), f"{path}.gates"),
            on_fail=cast(OnFail, on_fail.value),
            retry=self.retry(items.get("retry"), f"{path}.retry"),
            where=self.reference(items.get("where"), f"{path}.where"),
            when=self.reference(items.get("when"), f"{path}.when"),
        )

    def params(self, node: Node, path: str) -> dict[str, Any]:
        """Literals and references of an operation's parameters."""
        items = self.mapping(node, path, None, "the parameters")
        return {key: self.argument(item, f"{path}.{key}") for key, item in items.items()}

    def argument(self, node: Node, path: str) -> Any:
        """A reference, a list of references, or a literal. References stand for whole values only."""
        if isinstance(node.value, str) and node.value.startswith("$$"):
            return node.value[1:]
        if isinstance(node.value, str) and node.value.startswith("$"):
            return self.reference(node, path)
        if isinstance(node.value, list) and node.value and all(_is_reference(item) for item in node.value):
            return tuple(self.reference(item, path) for item in node.value)
        return _literal(node)

    def reference(self, node: Node | None, path: str) -> Reference | None:
        """A reference, or None where nothing was written."""
        if node is None:
            return None
        matched = _REFERENCE.fullmatch(node.value) if isinstance(node.value, str) else None
        if matched is None:
            node.refuse(
                f"{_shown(node)} is not a reference",
                code="bad_reference",
                hint="$input, $values.name or $step.field; $$ stands for a dollar sign",
                field=path,
            )
        return Reference(matched[1], matched[2] or "")

    def gates(self, node: Node | None, path: str) -> tuple[GateLimit, ...]:
        """Gates with their limits: a number, {max: n}, {min: n}, or ``default``."""
        if node is None:
            return ()
        items = self.mapping(node, path, None, "gates")
        return tuple(self.gate(name, item, f"{path}.{name}") for name, item in items.items())

    def gate(self, name: str, node: Node, path: str) -> GateLimit:
        """One gate and its limit."""
        if node.value == "default":
            return GateLimit(name)
        bound: Bound = "limit"
        given = node
        if isinstance(node.value, dict):
            items = self.mapping(node, path, ("max", "min"), "a gate's limit")
            if len(items) != 1:
                node.refuse("a gate's limit is one of {max: n} and {min: n}", code="bad_limit", field=path)
            key, given = next(iter(items.items()))
            bound = "max" if key == "max" else "min"
        if _is_reference(given):
            return GateLimit(name, bound, self.reference(given, path))
        if isinstance(given.value, bool) or not isinstance(given.value, int | float):
            given.refuse(
                f"{_shown(given)} is not a limit",
                code="bad_limit",
                hint="a number, {max: n}, {min: n} or default",
                field=path,
            )
        return GateLimit(name, bound, float(given.value))

    def retry(self, node: Node | None, path: str) -> tuple[dict[str, Any], ...]:
        """Parameters of the further tries, each laid over the step's own."""
        if node is None:
            return ()
        items = self.sequence(node, path, "retry")
        if not items or len(items) > MAX_RETRIES:
            node.refuse(f"retry lists 1 to {MAX_RETRIES} further tries", code="bad_retry", field=path)
        return tuple(self.params(item, f"{path}.{index}") for index, item in enumerate(items))

    def output(self, node: Node) -> dict[str, Reference]:
        """What the recipe hands out, by name."""
        items = self.mapping(node, "output", None, "output")
        if not items:
            node.refuse("the recipe has no output", code="missing_key", field="output")
        out: dict[str, Reference] = {}
        for key, item in items.items():
            if not _NAME.fullmatch(key):
                item.refuse(f"{key[:60]!r} is not a name", code="bad_name", field="output")
            reference = self.reference(item, f"output.{key}")
            assert reference is not None
            out[key] = reference
        return out


def _literal(node: Node) -> Any:
    if _is_reference(node):
        node.refuse(
            "a reference can only stand for a whole value",
            code="bad_reference",
            hint="give the list or mapping as one value, or write $$ for a dollar sign",
        )
    if isinstance(node.value, str) and node.value.startswith("$$"):
        return node.value[1:]
    if isinstance(node.value, list):
        return [_literal(item) for item in node.value]
    if isinstance(node.value, dict):
        return {key: _literal(item) for key, item in node.value.items()}
    return node.value


def written(value: Any) -> Any:
    """A literal as it has to be written in a recipe: texts that begin with ``$`` get a second one."""
    if isinstance(value, str) and value.startswith("$"):
        return "$" + value
    if isinstance(value, Mapping):
        return {key: written(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [written(item) for item in value]
    return value


def _is_reference(node: Node) -> bool:
    return isinstance(node.value, str) and node.value.startswith("$") and not node.value.startswith("$$")


def _join(path: str, key: str) -> str:
    return f"{path}.{key}" if path else key


def _shown(node: Node) -> str:
    return repr(node.plain)[:60]
