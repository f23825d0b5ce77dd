"""Pictures, masks, geometry and the field kinds."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from PIL import Image

from gesso.contracts.errors import BadInput, BadParams
from gesso.contracts.fields import Fraction, Seed, fields_of
from gesso.contracts.geometry import Box, Point
from gesso.contracts.hint import FillHint
from gesso.contracts.mask import Mask
from gesso.contracts.model import Params, validated
from gesso.contracts.picture import Picture
from gesso.contracts.provenance import without_pictures


class Example(Params):
    image: Picture
    mask: Mask | None = None
    box: Box | None = None
    points: tuple[Point, ...] = ()
    hint: FillHint | None = None
    seed: Seed = 0
    strength: Fraction = 0.5
    mode: Literal["a", "b"] = "a"


def picture(width: int = 5, height: int = 4, channels: int = 3) -> Picture:
    rng = np.random.default_rng(0)
    return Picture(rng.integers(0, 256, (height, width, channels), np.uint8))


def test_picture_is_read_only_and_hashes_its_pixels() -> None:
    array = np.zeros((2, 3, 3), np.uint8)
    one = Picture(array)
    with pytest.raises(ValueError, match="read-only"):
        one.pixels[0, 0, 0] = 1
    assert one.size == (3, 2)
    assert one == Picture(np.zeros((2, 3, 3), np.uint8))
    assert one != Picture(np.zeros((3, 2, 3), np.uint8))
    assert one != Picture(np.zeros((2, 3, 3), np.uint16))
    assert one.sha256 != one.with_pixels(np.ones((2, 3, 3), np.uint8)).sha256


def test_picture_goes_to_numpy_and_pillow_without_ceremony() -> None:
    one = picture(channels=4)
    assert np.array_equal(np.asarray(one), one.pixels)
    assert Image.fromarray(np.asarray(one)).size == one.size


@given(hnp.arrays(np.float32, hnp.array_shapes(min_dims=2, max_dims=2, max_side=9), elements=st.floats(0, 1, width=32)))
def test_mask_box_covers_exactly_what_is_touched(plane: Any) -> None:
    mask = Mask.of(plane)
    if mask.box is None:
        assert mask.is_empty
        return
    outside = mask.touched.copy()
    outside[mask.box.slices] = False
    assert not outside.any()
    inner = mask.touched[mask.box.slices]
    assert inner[0].any() and inner[-1].any() and inner[:, 0].any() and inner[:, -1].any()


def test_mask_scales_integers_and_keeps_lineage() -> None:
    assert Mask.of(np.array([[0, 255]], np.uint8)).coverage.tolist() == [[0.0, 1.0]]
    assert Mask.of(np.array([[0, 65535]], np.uint16)).coverage.tolist() == [[0.0, 1.0]]
    mask = Mask.of(np.array([[True]]), 0.25, made_by="x", lineage=("abc",))
    assert mask.confidence.tolist() == [[0.25]]
    assert without_pictures({"m": mask})["m"] == {"$mask": mask.sha256, "made_by": "x", "lineage": ["abc"]}


@pytest.mark.parametrize(
    ("box", "code"),
    [
        ("nan,1,2,3", None),
        ("1e400,0,5,5", None),
        ([0, 0, 0, 5], "box_empty"),
        ([5, 5, 1, 9], "box_empty"),
        ([1, 2, 3], "missing_field"),
        ([1, 2, 3, 4, 5], "too_many"),
        ([0, 0, 10**9, 5], "too_large"),
    ],
)
def test_bad_boxes_are_refused(box: object, code: str | None) -> None:
    with pytest.raises(BadParams) as caught:
        validated(Example, {"image": picture(), "box": box})
    fault = caught.value.faults[0]
    assert fault.field.startswith("box")
    assert code is None or fault.code == code


def test_boxes_and_points_against_a_picture() -> None:
    assert Box(x0=-5, y0=-5, x1=3, y1=2).clipped(10, 10) == Box(x0=0, y0=0, x1=3, y1=2)
    with pytest.raises(BadInput, match="outside") as caught:
        Box(x0=10, y0=0, x1=12, y1=2).clipped(10, 10)
    assert caught.value.code == "box_outside"
    with pytest.raises(BadInput) as caught:
        Point(x=10, y=0).inside(10, 10)
    assert caught.value.code == "point_outside"


def test_every_fault_is_listed_at_once() -> None:
    with pytest.raises(BadParams) as caught:
        validated(
            Example,
            {"image": picture(), "strength": 2, "seed": "abc", "mode": "c", "nonsense": 1, "points": ["1"], "hint": 3},
        )
    fields = {f.field.split(".")[0] for f in caught.value.faults}
    assert fields == {"strength", "seed", "mode", "nonsense", "points", "hint"}
    assert "known fields" in caught.value.hint
    assert caught.value.as_json()["faults"]


@pytest.mark.parametrize(
    ("seed", "accepted"),
    [(-1, True), (0, True), (2**63 - 1, True), (2**63, False), ("abc", False), (1.5, False), (-2, False)],
)
def test_bad_input_29_seeds(seed: object, accepted: bool) -> None:
    if accepted:
        assert validated(Example, {"image": picture(), "seed": seed}).seed == seed
    else:
        with pytest.raises(BadParams):
            validated(Example, {"image": picture(), "seed": seed})


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -0.1, 1.01])
def test_fractions_are_finite_and_in_range(value: float) -> None:
    with pytest.raises(BadParams):
        validated(Example, {"image": picture(), "strength": value})


def test_field_kinds_are_read_off_the_declaration() -> None:
    kinds = {f.name: (f.kind, f.many, f.required) for f in fields_of(Example)}
    assert kinds == {
        "image": ("picture", False, True),
        "mask": ("mask", False, False),
        "box": ("box", False, False),
        "points": ("point", True, False),
        "hint": ("json", False, False),
        "seed": ("integer", False, False),
        "strength": ("number", False, False),
        "mode": ("choice", False, False),
    }
    assert next(f for f in fields_of(Example) if f.name == "mode").choices == ("a", "b")


def test_json_schema_names_the_kinds() -> None:
    schema = Example.model_json_schema()
    assert schema["properties"]["image"]["x-gesso-kind"] == "picture"
    assert schema["additionalProperties"] is False
