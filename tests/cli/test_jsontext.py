from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gesso.cli.jsontext import MAX_CHARS, MAX_DEPTH, read_json
from gesso.contracts.model import FieldError

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=12,
)


@given(VALUES)
def test_valid_json_is_read(value: object) -> None:
    assert read_json(json.dumps(value)) == value


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("[" * 100_000 + "]" * 100_000, "json_too_deep"),
        ("[" * (MAX_DEPTH + 1) + "]" * (MAX_DEPTH + 1), "json_too_deep"),
        ('"' + "x" * MAX_CHARS + '"', "json_too_long"),
        ('{"a": 1, "a": 2}', "json_duplicate_key"),
        ("NaN", "not_finite"),
        ("[-Infinity]", "not_finite"),
        ("1e400", "not_finite"),
        ("{", "json_invalid"),
        ("", "json_invalid"),
        ("9" * 5000, "json_invalid"),
        ("{'a': 1}", "json_invalid"),
    ],
)
def test_what_is_refused(text: str, code: str) -> None:
    with pytest.raises(FieldError) as caught:
        read_json(text)
    assert caught.value.code == code


def test_brackets_in_strings_do_not_count() -> None:
    assert read_json('"' + "[" * 100 + '\\"]"') == "[" * 100 + '"]'
    assert read_json("[" * MAX_DEPTH + "]" * MAX_DEPTH) is not None


@given(st.text(max_size=60))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        read_json(text)
    except FieldError:
        return
