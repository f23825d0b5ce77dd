"""Research B3 rows 1–24, by number, at the codec: each bad or odd file has the stated outcome, and nothing else breaks."""

from __future__ import annotations

import io
import resource
import struct
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from gesso.contracts.errors import BadImage
from gesso.contracts.limits import Limits
from gesso.contracts.picture import Picture
from gesso.imaging.codec import PictureCodec
from tests.imaging import corpus


@pytest.fixture(scope="module")
def codec() -> Iterator[PictureCodec]:
    with PictureCodec() as made:
        yield made


def refused(codec: PictureCodec, source: Any, code: str, **options: Any) -> BadImage:
    with pytest.raises(BadImage) as caught:
        codec.picture(source, **options)
    assert caught.value.code == code, caught.value.message
    assert caught.value.message
    return caught.value


def codes(picture: Picture) -> set[str]:
    return {change.code for change in picture.changes}


@pytest.mark.parametrize("data", [b"", b"\x89", b"x"])
def test_row_01_empty(codec: PictureCodec, data: bytes) -> None:
    refused(codec, data, "image_empty")


@pytest.mark.parametrize("kind", ["html", "javascript", "zip"])
def test_row_02_other_content_named_png(codec: PictureCodec, tmp_path: Path, kind: str) -> None:
    file = tmp_path / "picture.png"
    file.write_bytes(corpus.foreign()[kind])
    assert refused(codec, file, "format_not_allowed").hint


@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP", "TIFF", "GIF", "AVIF"])
def test_row_03_cut_in_half(codec: PictureCodec, format: str) -> None:
    data = corpus.saved(corpus.photograph(200, 160), format)
    refused(codec, data[: len(data) // 2], "image_truncated")


def test_row_03_png_without_end(codec: PictureCodec) -> None:
    refused(codec, corpus.saved(corpus.photograph())[:-12], "image_truncated")


def test_row_04_bomb_in_pixels(codec: PictureCodec) -> None:
    data = corpus.zeros_png(13000)
    assert len(data) < 3_000_000
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    found = refused(codec, data, "too_many_pixels")
    assert found.limit == 50_000_000
    assert "max_pixels" in found.hint
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert grown < 50 * 1024, f"{grown} KiB"


@pytest.mark.parametrize("side", [60_000, 2**31 - 1])
def test_row_05_huge_claims(codec: PictureCodec, side: int) -> None:
    refused(codec, corpus.png(side, side), "too_many_pixels")
    refused(codec, corpus.png(20_000, 1), "side_too_long")


def test_row_06_eps_disguised_as_png(codec: PictureCodec, tmp_path: Path) -> None:
    file = tmp_path / "picture.png"
    file.write_bytes(corpus.eps())
    assert "EPS" in refused(codec, file, "format_not_allowed").message


@pytest.mark.parametrize("kind", sorted(corpus.foreign()))
def test_rows_07_08_formats_that_are_never_opened(codec: PictureCodec, kind: str) -> None:
    refused(codec, corpus.foreign()[kind], "format_not_allowed")


@pytest.mark.parametrize("kind", [b"zTXt", b"iTXt"])
def test_row_09_text_bomb(codec: PictureCodec, kind: bytes) -> None:
    data = corpus.text_bomb(kind)
    assert len(data) < 60_000
    assert refused(codec, data, "metadata_too_large").limit == Limits().max_metadata_bytes


def test_row_09_many_texts(codec: PictureCodec) -> None:
    data = corpus.with_chunks(corpus.saved(corpus.corners()), corpus.chunk(b"tEXt", b"a\0b") * 100_000)
    assert refused(codec, data, "metadata_too_large").limit == Limits().max_metadata_chunks


def test_row_10_many_frames(codec: PictureCodec) -> None:
    refused(codec, corpus.gif_frames(50_000), "too_many_frames")
    refused(codec, corpus.gif_frames(50_000), "too_many_frames", frame=0)


def test_row_10_frame_outside_canvas(codec: PictureCodec) -> None:
    refused(codec, corpus.gif_frames(1, left=60_000), "frame_outside")


@pytest.mark.parametrize("format", ["PNG", "WEBP", "GIF", "TIFF"])
def test_row_11_animation(codec: PictureCodec, format: str) -> None:
    data = corpus.animation(format)
    assert "frame=0" in refused(codec, data, "animated_input").hint
    for frame in range(3):
        found = codec.picture(data, frame=frame)
        assert abs(int(found.pixels[3, 3, 0]) - 60 * frame) <= 2
    refused(codec, data, "frame_not_found", frame=3)
    refused(codec, data, "frame_not_found", frame=-1)


@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP", "TIFF", "AVIF"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_row_12_orientation(codec: PictureCodec, orientation: int, format: str) -> None:
    upright = corpus.corners()
    stored = np.ascontiguousarray(corpus.turned(upright, orientation))
    data = corpus.saved(stored, format, exif=corpus.exif(orientation)[6 if format == "TIFF" else 0 :])
    found = codec.picture(data)
    assert found.size == (48, 32)
    assert np.abs(found.pixels[::4, ::4].astype(int) - upright[::4, ::4]).mean() < 8
    assert ("orientation_applied" in codes(found)) == (orientation != 1)
    again = codec.picture(codec.encode(found))
    assert again == found
    assert not codes(again)


@pytest.mark.parametrize("exif", [corpus.exif(0), corpus.exif(9), corpus.exif(65535), corpus.exif_text(b"up\0\0")])
def test_row_13_orientation_that_does_not_exist(codec: PictureCodec, exif: bytes) -> None:
    found = codec.picture(corpus.saved(corpus.corners(), "JPEG", exif=exif))
    assert found.size == (48, 32)
    assert "orientation_invalid" in codes(found)


@pytest.mark.parametrize("space", ["display-p3", "adobe-rgb", "prophoto"])
@pytest.mark.parametrize("deep", [False, True])
def test_row_14_colour_spaces(codec: PictureCodec, space: str, deep: bool) -> None:
    srgb = corpus.photograph(96, 64) / 255 * 0.8 + 0.1
    stored = corpus.in_space(srgb, space)
    icc = corpus.profile(space)
    if deep:
        array = np.rint(stored * 65535).astype(np.uint16)
        data = corpus.with_profile(codec.encode(Picture(array)), icc)
    else:
        data = corpus.saved(np.rint(stored * 255).astype(np.uint8), "JPEG", quality=100, subsampling=0, icc_profile=icc)
        srgb = corpus.srgb_of(np.asarray(Image.open(io.BytesIO(data))) / 255, space)
    found = codec.picture(data)
    assert found.bit_depth == (16 if deep else 8)
    assert "colour_converted" in codes(found)
    values = found.pixels / (65535 if deep else 255)
    difference = np.linalg.norm(corpus.lab_of_srgb(values) - corpus.lab_of_srgb(srgb), axis=-1)
    assert difference.mean() < (0.05 if deep else 1.0)


def test_row_14_gray_gamma(codec: PictureCodec) -> None:
    light = np.linspace(0, 1, 256)[None, :].repeat(8, axis=0)
    icc = corpus.profile("gray-2.2")
    data = corpus.saved(np.rint(light * 255).astype(np.uint8), "JPEG", quality=100, icc_profile=icc)
    found = codec.picture(data).pixels / 255
    expected = corpus.encoded(np.rint(light * 255) / 255, 2.2)
    assert np.abs(found - expected[..., None]).mean() < 1 / 255
    assert np.ptp(found, axis=2).max() == 0


@pytest.mark.parametrize("icc", [b"nonsense", b"\0" * 200_000, corpus.profile("adobe-rgb")[:300]])
def test_row_15_broken_profile(codec: PictureCodec, icc: bytes) -> None:
    pixels = corpus.photograph()
    found = codec.picture(corpus.saved(pixels, "PNG", icc_profile=icc))
    assert "profile_invalid" in codes(found)
    assert (found.pixels == pixels).all()


def test_row_15_profile_of_another_model(codec: PictureCodec) -> None:
    pixels = corpus.photograph()
    found = codec.picture(corpus.saved(pixels, "PNG", icc_profile=corpus.profile("gray-2.2")))
    assert "profile_mismatch" in codes(found)
    assert (found.pixels == pixels).all()


def test_row_15_srgb_profile_changes_nothing(codec: PictureCodec) -> None:
    pixels = corpus.photograph()
    for icc in (corpus.profile("srgb"), corpus.srgb_profile_of_pillow()):
        found = codec.picture(corpus.saved(pixels, "PNG", icc_profile=icc))
        assert not found.changes
        assert (found.pixels == pixels).all()


@pytest.mark.parametrize("transform", [0, 2])
def test_row_16_adobe_cmyk(codec: PictureCodec, transform: int) -> None:
    pixels = corpus.corners()
    found = codec.picture(corpus.adobe_jpeg(pixels, transform))
    assert "cmyk_converted" in codes(found)
    assert np.abs(found.pixels.astype(int) - pixels).mean() < 4


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_row_17_sixteen_bits_png(codec: PictureCodec, channels: int) -> None:
    from gesso.imaging.png import encode_png

    pixels = np.random.default_rng(1).integers(0, 65536, (21, 34, channels), dtype=np.uint16)
    found = codec.picture(encode_png(pixels))
    assert found.bit_depth == 16
    colours = np.repeat(pixels[:, :, :1], 3, axis=2) if channels < 3 else pixels[:, :, :3]
    assert (found.rgb == colours).all()
    if channels in (2, 4):
        assert found.alpha is not None
        assert (found.alpha == pixels[:, :, -1]).all()


@pytest.mark.parametrize("channels", [3, 4])
def test_row_17_sixteen_bits_tiff(codec: PictureCodec, channels: int) -> None:
    pixels = np.random.default_rng(2).integers(0, 65536, (21, 34, channels), dtype=np.uint16)
    for data in (
        codec.encode(Picture(pixels), "tiff"),
        corpus.plain_tiff16(pixels, "<"),
        corpus.plain_tiff16(pixels, ">"),
    ):
        found = codec.picture(data)
        assert found.bit_depth == 16
        assert (found.pixels == pixels).all()


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_row_17_interlaced(codec: PictureCodec, channels: int) -> None:
    pixels = np.random.default_rng(3).integers(0, 65536, (21, 34, channels), dtype=np.uint16)
    found = codec.picture(corpus.interlaced_png16(pixels))
    assert (found.rgb == (pixels[:, :, :3] if channels > 2 else pixels[:, :, :1])).all()


@pytest.mark.parametrize("channels", [1, 3])
def test_row_17_transparent_colour_of_sixteen_bits(codec: PictureCodec, channels: int) -> None:
    from gesso.imaging.png import encode_png

    pixels = np.full((4, 5, channels), 0x1234, np.uint16)
    pixels[1, 2] = 0x1235
    key = struct.pack(f">{channels}H", *[0x1235] * channels)
    found = codec.picture(corpus.with_chunks(encode_png(pixels), corpus.chunk(b"tRNS", key)))
    expected = np.full((4, 5), 65535)
    expected[1, 2] = 0
    assert found.alpha is not None
    assert (found.alpha == expected).all()


def test_row_17_what_cannot_be_kept_is_said(codec: PictureCodec) -> None:
    inks = np.full((4, 5, 4), 0, np.uint16)
    found = codec.picture(corpus.plain_tiff16(inks, "<", photometric=5))
    assert found.bit_depth == 8
    assert {"bit_depth_reduced", "cmyk_converted"} <= codes(found)


def test_row_18_modes(codec: PictureCodec) -> None:
    gray = corpus.photograph()[:, :, 0]
    image = Image.fromarray(gray)
    bilevel = codec.picture(corpus.saved(image.convert("1")))
    assert set(np.unique(bilevel.pixels)) <= {0, 255}
    palette = Image.fromarray(corpus.corners()).quantize(8)
    clear = codec.picture(corpus.saved(palette, "PNG", transparency=palette.getpixel((0, 0))))
    assert clear.alpha is not None
    assert clear.alpha[0, 0] == 0
    assert clear.alpha[-1, -1] == 255
    both = Image.merge("LA", (image, Image.fromarray(255 - gray)))
    found = codec.picture(corpus.saved(both))
    assert (found.rgb == gray[:, :, None]).all()
    assert (found.alpha == 255 - gray).all()
    deep = gray.astype(np.uint16) * 257
    assert (codec.picture(corpus.saved(deep)).rgb == deep[:, :, None]).all()
    assert (codec.picture(corpus.saved(deep, "TIFF")).rgb == deep[:, :, None]).all()


def test_row_18_floats(codec: PictureCodec) -> None:
    values = (corpus.photograph()[:, :, 0] / 255).astype(np.float32)
    found = codec.picture(corpus.saved(values, "TIFF"))
    assert np.abs(found.rgb[:, :, 0] / 65535 - values).max() < 1e-5
    for bad in (np.nan, np.inf):
        broken = values.copy()
        broken[3, 4] = bad
        refused(codec, corpus.saved(broken, "TIFF"), "not_finite")
        refused(codec, broken, "not_finite")
    refused(codec, corpus.saved(values * 300, "TIFF"), "value_range")


def test_row_19_lime_under_transparency(codec: PictureCodec) -> None:
    pixels = np.zeros((32, 32, 4), np.uint8)
    pixels[:, :] = (*corpus.LIME, 0)
    pixels[8:24, 8:24] = (*corpus.RED, 255)
    found = codec.picture(corpus.saved(pixels))
    assert (found.pixels == pixels).all()
    for format in ("png", "tiff", "webp"):
        again = codec.picture(codec.encode(found, format, quality=None if format != "webp" else 100))
        opaque = again.pixels[10:22, 10:22, :3].astype(int)
        assert np.abs(opaque - corpus.RED).max() < 12, format
        assert (again.pixels[:6, :, 3] == 0).all()


WEBP_SIDE = 16383
"""Longer sides do not exist in WebP."""


@pytest.mark.parametrize("size", [(1, 1), (1, 16384), (16384, 1), (17, 13)])
@pytest.mark.parametrize("format", ["PNG", "JPEG", "TIFF", "GIF", "WEBP"])
def test_row_20_sizes(codec: PictureCodec, size: tuple[int, int], format: str) -> None:
    if format == "WEBP":
        size = (min(size[0], WEBP_SIDE), min(size[1], WEBP_SIDE))
    image = Image.new("RGB", size, corpus.RED)
    found = codec.picture(corpus.saved(image, format))
    assert found.size == size
    assert np.abs(found.pixels[0, 0].astype(int) - corpus.RED).max() < 6


def test_row_21_heic(codec: PictureCodec, monkeypatch: pytest.MonkeyPatch) -> None:
    import importlib.util

    head = b"\0\0\0\x18ftypheic\0\0\0\0mif1heic"
    found = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "pi_heif" else found(name))
    assert "gesso[heic]" in refused(codec, head + bytes(100), "heic_not_installed").hint


def test_row_22_polyglot_is_re_encoded(codec: PictureCodec) -> None:
    script = b"<script>alert(1)</script>"
    data = corpus.with_chunks(corpus.saved(corpus.corners()), corpus.chunk(b"tEXt", b"Comment\0" + script)) + script
    found = codec.picture(data)
    assert (found.pixels == corpus.corners()).all()
    for format in codec.formats():
        assert script not in codec.encode(found, format)


def test_row_23_mask_of_another_size(codec: PictureCodec) -> None:
    mask = np.full((32, 48), 255, np.uint8)
    with pytest.raises(BadImage) as caught:
        codec.mask(corpus.saved(mask), size=(48, 33))
    assert caught.value.code == "mask_size"
    assert "48×33" in caught.value.message
    assert codec.mask(corpus.saved(mask), size=(48, 32)).area == 1.0


def test_row_24_masks(codec: PictureCodec) -> None:
    for empty in (corpus.saved(np.zeros((4, 4), np.uint8)), np.zeros((4, 4), bool), np.zeros((4, 4))):
        with pytest.raises(BadImage) as caught:
            codec.mask(empty)
        assert caught.value.code == "mask_empty"
    assert codec.mask(np.ones((4, 4), bool)).area == 1.0
    soft = np.arange(256, dtype=np.uint8).reshape(16, 16)
    for source in (
        soft,
        corpus.saved(soft),
        Image.fromarray(soft),
        corpus.saved(np.repeat(soft[:, :, None], 3, axis=2)),
    ):
        assert np.abs(codec.mask(source).coverage * 255 - soft).max() < 1e-3
    painted = np.full((16, 16, 4), 255, np.uint8)
    painted[:, :, 3] = soft
    assert np.abs(codec.mask(corpus.saved(painted)).coverage * 255 - soft).max() < 1e-3
    inverted = codec.mask(255 - soft)
    assert np.abs(inverted.coverage + codec.mask(soft).coverage - 1).max() < 1e-6


def test_every_refusal_is_quick(codec: PictureCodec) -> None:
    """Refusals by header cost arithmetic, not decoding: far below the limit on any machine."""
    codec.picture(corpus.saved(corpus.corners()))
    start = time.process_time()
    for side in (60_000, 2**31 - 1):
        refused(codec, corpus.png(side, side), "too_many_pixels")
    assert time.process_time() - start < 5
