from __future__ import annotations

import contextlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gesso.contracts.errors import BadRecipe
from gesso.recipes.yaml_nodes import MAX_BYTES, MAX_DEPTH, nodes_of, read_nodes, write_yaml


def refused(text: str | bytes) -> BadRecipe:
    with pytest.raises(BadRecipe) as caught:
        read_nodes(text)
    return caught.value


def test_plain_values() -> None:
    text = """
a: 1
b: -2.5
c: true
d: null
e: yes
f: 12:30
g: "1"
h: [1, two, 3.0e2]
i: {j: ~, k: 0x1f, l: 0o17, m: 010}
n: 'it''s'
o: |
  two
  lines
p: 2026-01-01
"""
    assert read_nodes(text).plain == {
        "a": 1, "b": -2.5, "c": True, "d": None, "e": "yes", "f": "12:30", "g": "1", "h": [1, "two", 300.0],
        "i": {"j": None, "k": 31, "l": 15, "m": 10}, "n": "it's", "o": "two\nlines\n", "p": "2026-01-01",
    }  # fmt: skip


def test_positions() -> None:
    root = read_nodes("a: 1\nb:\n  - x\n  - {c: 2}\n")
    assert isinstance(root.value, dict) and root.keys["b"] == (2, 1)
    items = root.value["b"].value
    assert isinstance(items, list) and (items[1].line, items[1].column) == (4, 5)


BOMB = "a: &a [x,x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"{chr(98 + n)}: &{chr(98 + n)} [{','.join(['*' + chr(97 + n)] * 10)}]\n" for n in range(9)
)


@pytest.mark.parametrize(
    ("text", "code", "line", "column"),
    [
        ("a: 1\nb: !!python/object/apply:os.system [ls]\n", "yaml_tag", 2, 4),
        ("a: !!str 5\n", "yaml_tag", 1, 4),
        ("a: !own x\n", "yaml_tag", 1, 4),
        (BOMB, "yaml_alias", 1, 4),
        ("a: 1\nb: *a\n", "yaml_alias", 2, 4),
        ("a: &x 1\n", "yaml_alias", 1, 4),
        ("a: 1\nb: 2\na: 3\n", "yaml_duplicate", 3, 1),
        ("x: {a: 1, a: 2}\n", "yaml_duplicate", 1, 11),
        ("1: a\n", "yaml_key", 1, 1),
        ("true: a\n", "yaml_key", 1, 1),
        ("? [a, b]\n: c\n", "yaml_key", 1, 3),
        ("~: a\n", "yaml_key", 1, 1),
        ("a: .nan\n", "yaml_number", 1, 4),
        ("a: -.inf\n", "yaml_number", 1, 4),
        ("a: 1e400\n", "yaml_number", 1, 4),
        ("a: " + "9" * 5000, "yaml_number", 1, 4),
        ("a: 0x" + "f" * 5000, "yaml_number", 1, 4),
        ("a: 1\n---\nb: 2\n", "yaml_documents", 2, 1),
        ("a: [1, 2\nb: 3\n", "yaml_invalid", 2, 2),
        ("a: b: c\n", "yaml_invalid", 1, 5),
        ("a: \x00\n", "yaml_invalid", 1, 4),
        ("ok: 1\nb: \x1b[31m\n", "yaml_invalid", 2, 4),
        ("\tb: 1\n", "yaml_invalid", 1, 1),
        ("%YAML 9.9\n--- 1\n", "yaml_invalid", 0, 0),
        ('a: "\\ud800"\n', "yaml_invalid", 0, 0),
        ("", "recipe_empty", 0, 0),
        ("# nothing\n", "recipe_empty", 0, 0),
    ],
)
def test_b3_row_32_refusals_have_line_and_column(text: str, code: str, line: int, column: int) -> None:
    error = refused(text)
    assert error.code == code
    if line:
        assert (error.line, error.column) == (line, column)
        assert f"(line {line}, column {column})" in error.message


def test_b3_row_32_size() -> None:
    assert refused("a: " + "x" * 5_000_000).code == "recipe_too_large"
    assert refused(b"a" * (MAX_BYTES + 1)).code == "recipe_too_large"
    assert refused("[" + "x," * 20_000 + "]").code == "recipe_too_large"


@pytest.mark.parametrize("open_", ["[", "{a: ", "- ", "? "])
def test_b3_row_33_depth(open_: str) -> None:
    assert refused(open_ * 50_000).code in ("recipe_too_deep", "yaml_key", "yaml_invalid")
    assert read_nodes("[" * MAX_DEPTH + "]" * MAX_DEPTH).plain is not None
    assert refused("[" * (MAX_DEPTH + 1) + "]" * (MAX_DEPTH + 1)).code == "recipe_too_deep"


@pytest.mark.parametrize("data", [b"\xff\xfea\x00:\x00", b"a: \xe9", b"\x80", "a: \ud800", b"\xed\xa0\x80: 1"])
def test_b3_row_33_wrong_charset(data: str | bytes) -> None:
    assert refused(data).code == "recipe_encoding"


def test_byte_order_mark_is_fine() -> None:
    assert read_nodes(b"\xef\xbb\xbfa: \xc3\xa4").plain == {"a": "ä"}


WORST = (
    "a: &a [x,x]\nb: [" + "*a," * 60_000 + "]",
    "x" * (MAX_BYTES - 1),
    "[" * (MAX_BYTES - 1),
    "- " * (MAX_BYTES // 2 - 1),
    "a: '" + "'' " * (MAX_BYTES // 3 - 10) + "'",
    "\n".join(f"k{n}: 1" for n in range(20_000)),
    "a: " + '"' + "\\u0041" * (MAX_BYTES // 6 - 10) + '"',
    "#" * (MAX_BYTES - 1),
    "a: |\n" + " x\n" * (MAX_BYTES // 3 - 10),
    "!" * (MAX_BYTES - 1),
    "{" * (MAX_BYTES - 1),
    "? " * (MAX_BYTES // 2 - 1),
    ": " * (MAX_BYTES // 2 - 1),
    "a: " + "9" * (MAX_BYTES - 10),
)


@pytest.mark.parametrize("index", range(len(WORST)))
def test_b3_row_32_worst_cases_end_in_nodes_or_bad_recipe(index: int) -> None:
    with contextlib.suppress(BadRecipe):
        read_nodes(WORST[index])


@given(st.text(max_size=200))
@settings(max_examples=300)
def test_any_text_gives_nodes_or_bad_recipe(text: str) -> None:
    with contextlib.suppress(BadRecipe):
        read_nodes(text)


@given(st.text(alphabet="ab1.:-[]{}&*!|>'\"#%@, \n\t?~eE+x0\\", max_size=80))
@settings(max_examples=600)
def test_any_yaml_like_text_gives_nodes_or_bad_recipe(text: str) -> None:
    with contextlib.suppress(BadRecipe):
        read_nodes(text)


@given(st.binary(max_size=100))
@settings(max_examples=150)
def test_any_bytes_give_nodes_or_bad_recipe(data: bytes) -> None:
    with contextlib.suppress(BadRecipe):
        read_nodes(data)


TEXT = st.text(
    alphabet=st.characters(
        codec="utf-8", exclude_categories=("Cs", "Cc"), exclude_characters="\ufffe\uffff\ufeff\u2028\u2029\x85"
    ),
    max_size=20,
) | st.sampled_from(
    ["1e5", "0x1f", ".nan", "null", "true", "~", "", "-", "yes", "#x", "$a", "a\nb", " a ", "\t", "1_000"]
)
PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63) | st.floats(allow_nan=False, allow_infinity=False) | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=12,
)  # fmt: skip


@given(st.dictionaries(TEXT, PLAIN, max_size=4))
@settings(max_examples=200)
def test_what_is_written_is_read_back(data: dict[str, object]) -> None:
    assert read_nodes(write_yaml(data)).plain == data
    assert nodes_of(data).plain == data
