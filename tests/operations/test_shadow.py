from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from gesso.contracts.context import Context
from gesso.contracts.errors import BadInput
from gesso.contracts.model import validated
from gesso.contracts.picture import Picture
from gesso.contracts.tools import Tools
from gesso.operations.shadow import ShadowParams, ShadowResult, run


def subject(dtype: Any = np.uint8, height: int = 200, width: int = 240, bottom: int = 150) -> Picture:
    top = np.iinfo(dtype).max
    pixels = np.zeros((height, width, 4), dtype)
    pixels[60:bottom, 70:170] = (top, top // 2, 0, top)
    return Picture(pixels)


def shadow(image: Picture, **params: Any) -> ShadowResult:
    return run(validated(ShadowParams, {"image": image, **params}), Tools(), Context())


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("kind", ["contact", "drop"])
def test_the_subject_keeps_its_bytes_over_the_shadow(kind: str, dtype: Any) -> None:
    image = subject(dtype)
    result = shadow(image, kind=kind)
    assert result.image.size == image.size and not result.notices
    opaque = image.pixels[:, :, 3] == np.iinfo(dtype).max
    assert np.array_equal(result.image.pixels[opaque], image.pixels[opaque])
    cast = (result.image.pixels[:, :, 3] > 0) & ~opaque
    assert cast.any()
    assert not result.image.pixels[cast][:, :3].any(), "the shadow is black where nothing else is"


def test_a_contact_shadow_lies_beneath_and_is_darkest_at_the_base() -> None:
    mask = shadow(subject(), strength=0.6).mask.coverage
    assert float(mask.max()) == pytest.approx(0.6, abs=0.01)
    row = int(np.argmax(mask[:, 120]))
    assert 144 <= row <= 153
    assert mask[60, 120] < 0.02, "nothing behind the top"
    assert mask[row, 120] > 1.5 * mask[row, 67] > 0, "it fades at the ends"
    below = mask[152:175, 120]
    assert np.all(np.diff(below) <= 1e-4) and below[-1] < 0.1


def test_a_drop_shadow_is_the_shape_shifted() -> None:
    mask = shadow(subject(), kind="drop", blur_px=0, offset_x=5, offset_y=7, strength=1.0).mask.coverage
    expected = np.zeros_like(mask)
    expected[67:157, 75:175] = 1.0
    assert np.array_equal(mask, expected)


def test_the_canvas_grows_when_it_must_and_says_so() -> None:
    image = subject(height=152)
    result = shadow(image)
    assert [n.code for n in result.notices] == ["canvas_enlarged"]
    assert result.image.width == image.width and result.image.height > image.height
    assert (result.mask.width, result.mask.height) == result.image.size
    assert np.array_equal(result.image.pixels[60:150, 70:170], image.pixels[60:150, 70:170])
    left = shadow(image, kind="drop", offset_x=-200, offset_y=0)
    assert left.image.width > image.width


def test_colour_and_strength() -> None:
    result = shadow(subject(), kind="drop", colour="#203040", strength=0.4)
    cast = (result.image.pixels[:, :, 3] > 60) & (result.image.pixels[:, :, 3] < 255)
    assert cast.any() and int(result.image.pixels[cast][:, 3].max()) <= 103
    assert np.allclose(result.image.pixels[cast][:, :3], (0x20, 0x30, 0x40), atol=1)


def test_softer_is_wider() -> None:
    spread = [int((shadow(subject(), kind="drop", blur_px=b).mask.coverage > 0.01).sum()) for b in (2, 8)]
    assert spread[0] < spread[1]


def test_no_shadow_is_no_change() -> None:
    image = subject()
    assert shadow(image, strength=0).image == image and shadow(image, strength=0).status == "unchanged"
    empty = Picture(np.zeros((20, 20, 4), np.uint8))
    assert shadow(empty).status == "unchanged"


@pytest.mark.parametrize("channels", [3, 4])
def test_an_opaque_picture_is_refused(channels: int) -> None:
    with pytest.raises(BadInput) as caught:
        shadow(Picture(np.full((20, 20, channels), 255, np.uint8)))
    assert (caught.value.code, caught.value.hint) == ("alpha_missing", "cutout first")


def test_a_single_pixel_casts_a_shadow() -> None:
    pixels = np.zeros((30, 30, 4), np.uint8)
    pixels[15, 15] = 255
    assert float(shadow(Picture(pixels)).mask.coverage.max()) > 0
