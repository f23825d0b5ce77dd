"""YAML text → plain nodes that remember where they stand. Nothing is constructed: the text is read as a stream of events.

Only what a recipe can use is let through: one document of mappings, sequences and scalars. Aliases, anchors, tags,
duplicate and non-string keys, NaN and infinity are refused with line and column, so alias bombs cannot exist. Scalars
follow the YAML 1.2 core schema (``yes``, ``on`` and ``12:30`` are text), quoted scalars are always text.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NoReturn

import yaml

from gesso.contracts.errors import BadRecipe

MAX_BYTES = 256 * 1024
"""A recipe is a page of text; the limit keeps the worst case far below 200 ms (research B3 row 32)."""
MAX_DEPTH = 32
"""Mappings and sequences inside each other (research B2 rule 2)."""
MAX_NODES = 5000
"""Scalars, mappings and sequences in all: bounds the time of reading where libyaml is not available, too."""
MAX_DIGITS = 40
"""Longest integer; Python's own conversion is quadratic."""

Scalar = str | int | float | bool | None

_NULL = frozenset(("", "~", "null", "Null", "NULL"))
_TRUE = frozenset(("true", "True", "TRUE"))
_FALSE = frozenset(("false", "False", "FALSE"))
_INTEGER = re.compile(r"[-+]?[0-9]+", re.ASCII)
_OTHER_BASE = re.compile(r"0o[0-7]+|0x[0-9a-fA-F]+", re.ASCII)
_NUMBER = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?", re.ASCII)
_NOT_FINITE = re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)", re.ASCII)


@dataclass(frozen=True)
class Node:
    """A scalar, list of nodes, or mapping of nodes, with its 1-based position (0 where it was not read from text)."""

    value: Scalar | list[Node] | dict[str, Node]
    line: int = 0
    column: int = 0
    keys: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    """Positions of the keys of a mapping."""

    def refuse(self, message: str, *, code: str = "recipe_invalid", hint: str = "", field: str = "") -> NoReturn:
        """Raise `BadRecipe` at this position."""
        raise BadRecipe(message, code=code, hint=hint, field=field, line=self.line, column=self.column)

    @property
    def plain(self) -> Any:
        """The value without positions: dicts, lists and scalars."""
        if isinstance(self.value, dict):
            return {key: node.plain for key, node in self.value.items()}
        if isinstance(self.value, list):
            return [node.plain for node in self.value]
        return self.value


def nodes_of(value: Any) -> Node:
    """Plain data as nodes without positions: the inverse of `Node.plain`. Tuples become lists."""
    if isinstance(value, Mapping):
        return Node({str(key): nodes_of(item) for key, item in value.items()})
    if isinstance(value, list | tuple):
        return Node([nodes_of(item) for item in value])
    return Node(value)


def read_nodes(source: str | bytes) -> Node:
    """The one document in `source` (UTF-8); raises `BadRecipe` with line and column, and nothing else."""
    text = _checked_text(source)
    events = _Events(text)
    try:
        return events.document()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line, column = (mark.line + 1, mark.column + 1) if mark else (0, 0)
        said = error.problem or error.context or "unreadable"
        raise BadRecipe(f"this is not YAML: {said}", code="yaml_invalid", line=line, column=column) from error
    except (yaml.YAMLError, ValueError, OverflowError) as error:
        raise BadRecipe("this is not YAML: unreadable characters", code="yaml_invalid") from error
    finally:
        events.close()


def _checked_text(source: str | bytes) -> str:
    size = len(source)
    if size > MAX_BYTES:
        raise BadRecipe(f"the recipe has {size} bytes; at most {MAX_BYTES} are read", code="recipe_too_large")
    try:
        text = source.decode("utf-8-sig") if isinstance(source, bytes) else source
        text.encode("utf-8")
    except UnicodeError as error:
        raise BadRecipe("the recipe is not UTF-8 text", code="recipe_encoding", hint="save it as UTF-8") from error
    unfit = re.search("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]", text)
    if unfit:
        before = text[: unfit.start()]
        line = before.count("\n") + 1
        column = len(before) - before.rfind("\n")
        name = f"U+{ord(unfit.group()):04X}"
        raise BadRecipe(f"the character {name} may not stand in YAML", code="yaml_invalid", line=line, column=column)
    return text


class _Events:
    """Builds nodes from the parser's events and stops at the first one that is not allowed."""

    def __init__(self, text: str) -> None:
        loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
        self._stream: Iterator[Any] = yaml.parse(text, Loader=loader)
        self._count = 0

    def close(self) -> None:
        """Free the parser."""
        self._stream.close()  # type: ignore[attr-defined]  # yaml.parse is a generator

    def document(self) -> Node:
        """The only document's root; comments, and one ``---``, may stand around it."""
        root: Node | None = None
        for event in self._stream:
            if isinstance(event, yaml.NodeEvent):
                root = self._node(event, 1)
            elif isinstance(event, yaml.DocumentStartEvent) and root is not None:
                _refuse(event, "a recipe file holds one document", "yaml_documents")
        if root is None:
            raise BadRecipe("the recipe is empty", code="recipe_empty")
        return root

    def _node(self, event: Any, depth: int) -> Node:
        self._count += 1
        if self._count > MAX_NODES:
            _refuse(event, f"more than {MAX_NODES} values", "recipe_too_large")
        if isinstance(event, yaml.AliasEvent) or event.anchor is not None:
            _refuse(event, "anchors and aliases (& and *) are not allowed", "yaml_alias", "write the value out")
        if event.tag is not None:
            _refuse(event, f"the tag {event.tag[:40]} is not allowed", "yaml_tag", "recipes hold plain values only")
        if isinstance(event, yaml.ScalarEvent):
            return Node(_scalar(event), *_place(event))
        if depth > MAX_DEPTH:
            _refuse(event, f"nested more than {MAX_DEPTH} levels deep", "recipe_too_deep")
        if isinstance(event, yaml.SequenceStartEvent):
            return self._sequence(event, depth)
        return self._mapping(event, depth)

    def _sequence(self, start: Any, depth: int) -> Node:
        items: list[Node] = []
        while not isinstance(event := next(self._stream), yaml.SequenceEndEvent):
            items.append(self._node(event, depth + 1))
        return Node(items, *_place(start))

    def _mapping(self, start: Any, depth: int) -> Node:
        items: dict[str, Node] = {}
        keys: dict[str, tuple[int, int]] = {}
        while not isinstance(event := next(self._stream), yaml.MappingEndEvent):
            if not isinstance(event, yaml.ScalarEvent):
                _refuse(event, "a key has to be a word", "yaml_key")
            key = self._node(event, depth + 1).value
            if not isinstance(key, str):
                _refuse(event, f"the key {event.value[:40]!r} is not text", "yaml_key", "put it in quotes")
            if key in items:
                first = keys[key][0]
                _refuse(
                    event, f"the key {key[:40]!r} stands here a second time", "yaml_duplicate", f"first in line {first}"
                )
            keys[key] = _place(event)
            items[key] = self._node(next(self._stream), depth + 1)
        return Node(items, *_place(start), keys)


def _place(event: Any) -> tuple[int, int]:
    return event.start_mark.line + 1, event.start_mark.column + 1


def _refuse(event: Any, message: str, code: str, hint: str = "") -> NoReturn:
    line, column = _place(event)
    raise BadRecipe(message, code=code, hint=hint, line=line, column=column)


def _scalar(event: Any) -> Scalar:
    try:
        return plain_scalar(event.value) if event.implicit[0] else str(event.value)
    except ValueError as error:
        _refuse(event, str(error), "yaml_number")


def plain_scalar(text: str) -> Scalar:
    """An unquoted scalar's value; raises `ValueError` with a sentence for numbers that cannot be used."""
    if text in _NULL:
        return None
    if text in _TRUE or text in _FALSE:
        return text in _TRUE
    if _NOT_FINITE.fullmatch(text):
        raise ValueError(f"{text} is not a number that can be used")
    if len(text) > MAX_DIGITS and (_INTEGER.fullmatch(text) or _OTHER_BASE.fullmatch(text)):
        raise ValueError(f"an integer of {len(text)} digits")
    if _INTEGER.fullmatch(text):
        return int(text)
    if _OTHER_BASE.fullmatch(text):
        return int(text, 0)
    if _NUMBER.fullmatch(text):
        number = float(text)
        if not math.isfinite(number):
            raise ValueError(f"{text[:40]} is too large for a number")
        return number
    return text


_SAFE_WORD = re.compile(r"[A-Za-z$][A-Za-z0-9_.$@/-]*", re.ASCII)


class _Writer(yaml.SafeDumper):
    """Writes so that `read_nodes` reads the same values: every text that is not a plain word is quoted."""

    def ignore_aliases(self, data: Any) -> bool:
        """Never write anchors."""
        return True


def _write_text(writer: _Writer, text: str) -> yaml.ScalarNode:
    reserved = text in _NULL | _TRUE | _FALSE
    quoted = reserved or not _SAFE_WORD.fullmatch(text)
    return writer.represent_scalar("tag:yaml.org,2002:str", text, style='"' if quoted else None)


_Writer.add_representer(str, _write_text)


def write_yaml(data: Mapping[str, Any]) -> str:
    """Plain data (text, numbers, lists, mappings) as YAML text that `read_nodes` reads back to equal data."""
    return yaml.dump(data, Dumper=_Writer, sort_keys=False, allow_unicode=True, width=120)
