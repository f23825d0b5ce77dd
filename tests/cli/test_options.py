from __future__ import annotations

import contextlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gesso.cli.options import option_of, read_value, read_values, short_forms
from gesso.contracts.errors import BadParams
from gesso.contracts.fields import fields_of
from gesso.contracts.hint import FillHint
from gesso.contracts.model import FieldError, Params, validated
from tests.support.fake_bench import PaintParams

SPECS = {spec.name: spec for spec in fields_of(PaintParams)}


class Hinted(Params):
    hint: FillHint | None = None


def read_hint(text: str) -> Any:
    spec = SPECS["hint"]
    return validated(Hinted, {"hint": read_value(text, spec, PaintParams.model_fields["hint"].annotation)}).hint


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("gradient", {}),
        ("direction:30", {"angle": 30.0}),
        (" direction : -12.5 ", {"angle": -12.5}),
        ("copy:1, 2,30,40", {"x0": 1, "y0": 2, "x1": 30, "y1": 40}),
        ('{"kind": "direction", "angle": 5}', {"angle": 5.0}),
    ],
)
def test_short_forms_of_a_tagged_union(text: str, values: dict[str, float]) -> None:
    hint = read_hint(text)
    for name, value in values.items():
        assert getattr(hint, name) == value


def test_short_form_with_items() -> None:
    assert [(p.x, p.y) for p in read_hint("edge:1,2;3,4; 5,6").points] == [(1, 2), (3, 4), (5, 6)]


def test_the_forms_are_listed() -> None:
    forms = short_forms(PaintParams.model_fields["hint"].annotation)
    assert forms == ("gradient", "direction:ANGLE", "edge:X,Y;X,Y", "copy:X0,Y0,X1,Y1")
    assert short_forms(PaintParams.model_fields["extra"].annotation) == ()


@pytest.mark.parametrize(
    "text", ["", "swirl", "gradient:3", "direction:1,2", "edge:1,2", "copy:1,2", "copy:a,b,c,d", "{}"]
)
def test_bad_short_forms(text: str) -> None:
    with pytest.raises((FieldError, BadParams)):
        read_hint(text)


def test_choices_keep_their_type() -> None:
    assert read_value("4", SPECS["scale"], PaintParams.model_fields["scale"].annotation) == 4
    assert read_value("7", SPECS["scale"], PaintParams.model_fields["scale"].annotation) == "7"
    assert read_value("soft", SPECS["mode"], PaintParams.model_fields["mode"].annotation) == "soft"


def test_help_states_ranges_units_and_defaults() -> None:
    def text(name: str) -> str:
        return option_of(SPECS[name], PaintParams).help or ""

    assert "0…1" in text("amount") and "default 0.5" in text("amount")
    assert "in px" in text("feather_px") and "0…4096" in text("feather_px")
    assert "may be repeated" in text("points")
    assert "≥ -1" in text("seed")
    assert "0…60" in text("seconds")


def test_unset_options_are_left_to_the_declaration() -> None:
    fields = tuple(SPECS.values())
    assert read_values({"amount": None, "points": (), "mask": "x.png", "grain": False}, fields, PaintParams) == (
        {"grain": False},
        (),
    )


@given(st.sampled_from(sorted(SPECS)), st.text(max_size=40))
def test_any_text_is_read_or_is_a_fault(name: str, text: str) -> None:
    values, faults = read_values({name: (text,) if SPECS[name].many else text}, (SPECS[name],), PaintParams)
    if values:
        with contextlib.suppress(BadParams):
            validated(PaintParams, values)
    elif SPECS[name].kind not in ("picture", "mask"):
        assert faults
