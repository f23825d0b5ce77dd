from __future__ import annotations

import struct

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from gesso.imaging import colour, profile
from gesso.imaging.notes import Notes
from tests.imaging import corpus


def test_the_srgb_profile_is_the_same_every_time_and_changes_nothing() -> None:
    icc = colour.srgb_profile()
    assert icc == colour.srgb_profile()
    notes = Notes()
    image = Image.fromarray(corpus.photograph())
    assert colour.to_srgb(image, icc, notes) is image
    assert not notes.items


@pytest.mark.parametrize("space", ["display-p3", "adobe-rgb", "prophoto"])
def test_both_routes_agree(space: str) -> None:
    """LittleCMS in 8 bits and our own arithmetic in 16 give the same colours."""
    pixels = corpus.photograph()
    icc = corpus.profile(space)
    small = np.asarray(colour.to_srgb(Image.fromarray(pixels), icc, Notes())).astype(float)
    deep = colour.deep_to_srgb(pixels.astype(np.uint16) * 257, icc, Notes())
    assert deep.dtype == np.uint16
    assert np.abs(deep / 257 - small).mean() < 0.5
    assert np.abs(deep / 257 - small).max() < 6


def test_alpha_is_no_colour() -> None:
    pixels = np.dstack([corpus.photograph(), corpus.photograph()[:, :, :1]]).astype(np.uint16) * 257
    found = colour.deep_to_srgb(pixels, corpus.profile("adobe-rgb"), Notes())
    assert (found[:, :, 3] == pixels[:, :, 3]).all()
    assert (found[:, :, :3] != pixels[:, :, :3]).any()


def test_gray_profiles() -> None:
    gray = np.linspace(0, 65535, 600).round().astype(np.uint16).reshape(20, 30, 1)
    found = colour.deep_to_srgb(gray, corpus.profile("gray-2.2"), Notes())
    expected = corpus.encoded(gray / 65535, round(2.2 * 256) / 256)
    assert np.abs(found / 65535 - expected).max() < 1e-3


def test_unfitting_profiles_leave_the_picture_alone() -> None:
    pixels = corpus.photograph().astype(np.uint16)
    for icc, code in ((corpus.profile("gray-2.2"), "profile_mismatch"), (b"junk" * 50, "profile_invalid")):
        notes = Notes()
        assert colour.deep_to_srgb(pixels, icc, notes) is pixels
        assert [found for found, _ in notes.items] == [code]


def curve(form: int, *values: float) -> bytes:
    return b"para\0\0\0\0" + struct.pack(">Hxx", form) + b"".join(struct.pack(">i", round(v * 65536)) for v in values)


@pytest.mark.parametrize("form", [3, 4])
def test_parametric_curves(form: int) -> None:
    """sRGB's curve in the forms of ICC.1:2022, table 68."""
    values = [2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045, 0.0, 0.0][: 5 if form == 3 else 7]
    found = profile._curve(curve(form, *values))
    assert np.abs(found - corpus.linear(np.linspace(0, 1, 65536), 0.0)).max() < 1e-4


def test_the_other_forms() -> None:
    x = np.linspace(0, 1, 65536)
    assert np.abs(profile._curve(curve(0, 1.8)) - x**1.8).max() < 1e-4
    assert np.abs(profile._curve(curve(1, 2.0, 1.0, -0.5)) - np.maximum(x - 0.5, 0) ** 2).max() < 1e-4
    assert np.abs(profile._curve(curve(2, 2.0, 0.5, 0.0, 0.25)) - (0.25 * x**2 + 0.25)).max() < 1e-4
    assert np.abs(profile._curve(b"curv\0\0\0\0\0\0\0\0") - x).max() < 1e-6
    table = b"curv\0\0\0\0" + struct.pack(">I3H", 3, 0, 16384, 65535)
    assert abs(float(profile._curve(table)[32768]) - 0.25) < 1e-4


@settings(deadline=None, max_examples=100)
@given(st.sampled_from(["srgb", "display-p3", "gray-2.2"]), st.data())
def test_damaged_profiles_never_raise(space: str, draw: st.DataObject) -> None:
    icc = bytearray(corpus.profile(space))
    del icc[draw.draw(st.integers(0, len(icc))) :]
    for _ in range(draw.draw(st.integers(0, 8))):
        if icc:
            icc[draw.draw(st.integers(0, len(icc) - 1))] = draw.draw(st.integers(0, 255))
    profile.read_profile(bytes(icc))
    pixels = np.full((2, 2, 3), 30_000, np.uint16)
    assert colour.deep_to_srgb(pixels, bytes(icc), Notes()).shape == (2, 2, 3)
    assert colour.to_srgb(Image.new("RGB", (2, 2)), bytes(icc), Notes()).size == (2, 2)


def test_cmyk_without_profile_and_lab() -> None:
    notes = Notes()
    found = colour.to_srgb(Image.new("CMYK", (1, 1), (0, 255, 255, 0)), None, notes)
    assert found.getpixel((0, 0)) == (255, 0, 0)
    assert dict(notes.items).keys() == {"cmyk_converted"}
    white = colour.to_srgb(Image.new("LAB", (1, 1), (255, 128, 128)), None, Notes())
    assert white.mode == "RGB"
    assert min(white.getpixel((0, 0))) >= 253  # type: ignore[arg-type,type-var]
