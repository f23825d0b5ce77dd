"""JSON typed at the command line: small, finite, without duplicate keys."""

from __future__ import annotations

import json
from typing import Any, NoReturn

from gesso.contracts.model import FieldError

MAX_CHARS = 1024 * 1024
"""Longest text (research B2 rule 2: JSON ≤ 1 MB)."""
MAX_DEPTH = 32
"""Deepest nesting (same rule)."""


def read_json(text: str) -> Any:
    """The value of `text`; raises `FieldError` (json_too_long, json_too_deep, json_duplicate_key, not_finite, json_invalid)."""
    if len(text) > MAX_CHARS:
        raise FieldError("json_too_long", f"JSON of more than {MAX_CHARS} characters")
    if _depth(text) > MAX_DEPTH:
        raise FieldError("json_too_deep", f"JSON nested deeper than {MAX_DEPTH}")
    try:
        return json.loads(text, object_pairs_hook=_distinct, parse_constant=_not_finite, parse_float=_finite)
    except FieldError:
        raise
    except (ValueError, RecursionError) as error:
        raise FieldError("json_invalid", f"not valid JSON: {error}") from error


def _depth(text: str) -> int:
    """Deepest nesting of brackets outside strings."""
    deepest = depth = 0
    quoted = escaped = False
    for character in text:
        if quoted:
            quoted = escaped or character != '"'
            escaped = not escaped and character == "\\"
        elif character == '"':
            quoted = True
        elif character in "[{":
            depth += 1
            deepest = max(deepest, depth)
        elif character in "]}":
            depth -= 1
    return deepest


def _distinct(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise FieldError("json_duplicate_key", "a key stands twice in one JSON object")
    return found


def _not_finite(text: str) -> NoReturn:
    raise FieldError("not_finite", f"{text} is not a number that can be used")


def _finite(text: str) -> float:
    value = float(text)
    if value in (float("inf"), float("-inf")):
        raise FieldError("not_finite", f"{text} is too large")
    return value
