from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from PIL import Image

from gesso.contracts.errors import BadImage, BadInput
from gesso.contracts.limits import Limits
from gesso.contracts.mask import Mask
from gesso.contracts.picture import Picture
from gesso.contracts.ports import Codec
from gesso.contracts.provenance import Provenance
from gesso.imaging.codec import PictureCodec
from tests.imaging import corpus
from tests.imaging.test_headers import VALID


@pytest.fixture(scope="module")
def codec() -> Iterator[PictureCodec]:
    with PictureCodec() as made:
        yield made


def code_of(codec: PictureCodec, source: Any, **options: Any) -> str:
    with pytest.raises(BadImage) as caught:
        codec.picture(source, **options)
    return caught.value.code


def record(recipe: str = "steps: []") -> Provenance:
    return Provenance(gesso="0.1.0", created="2026-01-01T00:00:00Z", recipe=recipe, values={"ünï": "<&>\"'\0\u2028"})


def test_it_is_the_codec_of_the_contract(codec: PictureCodec) -> None:
    promised: Codec = codec
    assert set(promised.formats()) >= {"png", "jpg", "webp", "avif", "tif"}


def test_every_kind_of_source_gives_the_same_picture(codec: PictureCodec, tmp_path: Path) -> None:
    pixels = corpus.photograph()
    data = corpus.saved(pixels)
    file = tmp_path / "a picture.png"
    file.write_bytes(data)
    sources = (file, str(file), data, bytearray(data), memoryview(data), Image.fromarray(pixels), pixels, pixels / 255)
    found = [codec.picture(source) for source in sources]
    assert all(picture == found[0] for picture in found)
    assert (found[0].pixels == pixels).all()
    assert found[0].origin.name == "a picture.png"
    assert found[0].origin.bytes == len(data)
    assert found[2].origin.sha256 == found[0].origin.sha256
    assert codec.picture(found[0]) is found[0]
    assert codec.picture(data, name="folder/x.png").origin.name == "x.png"


def test_files_that_cannot_be_read(codec: PictureCodec, tmp_path: Path) -> None:
    assert code_of(codec, tmp_path / "none.png") == "file_not_found"
    assert code_of(codec, tmp_path) == "not_a_file"
    assert code_of(codec, "/dev/null") == "not_a_file"
    assert code_of(codec, "a\0b.png") == "file_unreadable"
    assert code_of(codec, "x" * 5000) == "file_unreadable"
    assert code_of(codec, 5) == "source_not_supported"
    with pytest.raises(BadImage) as caught:
        PictureCodec(Limits(max_bytes=100)).picture(corpus.saved(corpus.photograph()))
    assert (caught.value.code, caught.value.limit) == ("too_many_bytes", 100)


def test_a_pipe_does_not_block(codec: PictureCodec, tmp_path: Path) -> None:
    import os

    pipe = tmp_path / "pipe.png"
    os.mkfifo(pipe)
    assert code_of(codec, pipe) == "not_a_file"


def test_arrays_are_copied(codec: PictureCodec) -> None:
    for pixels in (corpus.photograph(), corpus.photograph()[:, :, 0], corpus.photograph()[::-1, ::2]):
        found = codec.picture(pixels)
        before = found.sha256
        pixels[:] = 7
        assert Picture(found.pixels).sha256 == before


def test_masked_arrays_count_as_plain_ones(codec: PictureCodec) -> None:
    plain = np.linspace(0, 1, 12).reshape(3, 4)
    assert codec.picture(np.ma.masked_array(plain)) == codec.picture(plain)


def test_arrays_that_are_no_pictures(codec: PictureCodec) -> None:
    for shape in ((3,), (2, 2, 2), (2, 2, 5), (0, 4, 3), (1, 2, 2, 3)):
        assert code_of(codec, np.zeros(shape, np.uint8)) == "shape_not_allowed"
    for dtype in (np.int64, np.int8, np.uint32, np.complex64, object, "U3"):
        assert code_of(codec, np.zeros((2, 2, 3), dtype)) == "dtype_not_allowed"
    assert code_of(codec, np.full((2, 2), 1.5)) == "value_range"
    assert code_of(codec, np.full((2, 2), -0.5, np.float16)) == "value_range"
    assert code_of(codec, np.full((2, 2, 3), np.inf)) == "not_finite"
    assert code_of(codec, np.full((2, 2, 3), np.nan, np.float32)) == "not_finite"
    assert code_of(codec, np.broadcast_to(np.uint8(0), (60_000, 60_000))) == "too_many_pixels"
    assert code_of(codec, np.zeros((1, 20_000), bool)) == "side_too_long"


def test_arrays_of_every_kind(codec: PictureCodec) -> None:
    assert (codec.picture(np.eye(3, dtype=bool)).pixels[:, :, 1] == np.eye(3) * 255).all()
    deep = np.random.default_rng(0).integers(0, 65536, (4, 5, 4), dtype=np.uint16)
    assert (codec.picture(deep).pixels == deep).all()
    assert (codec.picture(deep.astype(">u2")).pixels == deep).all()
    fine = codec.picture(np.linspace(0, 1, 300).reshape(10, 30))
    assert fine.bit_depth == 16
    assert codec.picture(np.ones((4, 4, 1), np.uint8)).pixels.shape == (4, 4, 3)
    assert "gray_to_rgb" in {c.code for c in codec.picture(np.ones((4, 4), np.uint8)).changes}


@settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    hnp.arrays(
        st.sampled_from([np.float16, np.float32, np.float64]), hnp.array_shapes(min_dims=1, max_dims=4, max_side=6)
    )
)
def test_any_float_array_is_a_picture_or_refused(codec: PictureCodec, array: np.ndarray[Any, Any]) -> None:
    try:
        found = codec.picture(array)
    except BadImage:
        return
    full = 255 if found.bit_depth == 8 else 65535
    gray = array[:, :, None] if array.ndim == 2 else array
    assert np.abs(found.pixels / full - gray).max() <= 1.1 / 65535 + 1e-3


def test_pil_images_are_left_alone(codec: PictureCodec, tmp_path: Path) -> None:
    file = tmp_path / "turned.jpg"
    upright = corpus.corners()
    file.write_bytes(corpus.saved(corpus.turned(upright, 6), "JPEG", exif=corpus.exif(6), quality=95))
    with Image.open(file) as image:
        found = codec.picture(image)
        assert found == codec.picture(file)
        assert image.size == (32, 48)
        assert image.getexif()[0x0112] == 6
    for mode in ("1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "YCbCr", "LAB", "HSV", "I;16", "F", "I", "RGBa", "La"):
        source = Image.new(mode, (5, 4))
        assert codec.picture(source).size == (5, 4), mode


def test_animated_pil_images(codec: PictureCodec, tmp_path: Path) -> None:
    file = tmp_path / "moving.gif"
    file.write_bytes(corpus.animation("GIF"))
    with Image.open(file) as image:
        image.seek(1)
        assert code_of(codec, image) == "animated_input"
        assert abs(int(codec.picture(image, frame=2).pixels[0, 0, 0]) - 120) <= 2
        assert image.tell() == 1
        assert code_of(codec, image, frame=7) == "frame_not_found"


def test_a_damaged_pil_image_is_refused(codec: PictureCodec, tmp_path: Path) -> None:
    file = tmp_path / "cut.png"
    data = corpus.saved(corpus.photograph(200, 200))
    file.write_bytes(data[: len(data) // 2])
    with Image.open(file) as image:
        assert code_of(codec, image) == "image_truncated"


@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sampled_from(sorted(VALID)), st.data())
def test_no_damage_leaks_a_foreign_error(codec: PictureCodec, name: str, draw: st.DataObject) -> None:
    data = bytearray(VALID[name])
    for _ in range(draw.draw(st.integers(1, 5))):
        data[draw.draw(st.integers(0, len(data) - 1))] = draw.draw(st.integers(0, 255))
    for call in (codec.picture, codec.mask):
        try:
            found = call(bytes(data))
        except BadImage as error:
            found = error
        assert isinstance(found, Picture | Mask) or found.code != "bad_image"
    try:
        codec.provenance(bytes(data))
    except BadInput as error:
        assert str(error)  # noqa: PT017


@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=200))
def test_no_bytes_leak_a_foreign_error(codec: PictureCodec, data: bytes) -> None:
    with pytest.raises(BadImage):
        codec.picture(data)


@pytest.mark.parametrize("format", ["png", "jpg", "webp", "avif", "tif"])
@pytest.mark.parametrize("recipe", ["", "steps: []", "&<lang>ü€\U0001f600" * 30_000], ids=["none", "short", "long"])
def test_provenance_comes_back(codec: PictureCodec, format: str, recipe: str) -> None:
    picture = Picture(corpus.photograph())
    written = record(recipe) if recipe else None
    data = codec.encode(picture, format, provenance=written)
    assert codec.provenance(data) == written
    again = codec.picture(data)
    assert again.size == picture.size
    assert not {c.code for c in again.changes}
    if format in ("png", "tif"):
        assert again == picture
    else:
        assert np.abs(again.pixels.astype(int) - picture.pixels).mean() < 4


def test_a_malformed_record_is_refused(codec: PictureCodec) -> None:
    from gesso.imaging.metadata import PNG_KEYWORD, jpeg_with_xmp
    from gesso.imaging.png import encode_png

    for text in ("{", "[]", '{"schema_version": 99}', '{"schema_version": 1, "extra": 1}', "[" * 100_000):
        for data in (
            encode_png(corpus.corners(), [(PNG_KEYWORD, text)]),
            jpeg_with_xmp(corpus.saved(corpus.corners(), "JPEG"), text),
        ):
            with pytest.raises(BadInput):
                codec.provenance(data)


def test_files_without_a_record_have_none(codec: PictureCodec) -> None:
    for data in VALID.values():
        assert codec.provenance(data) is None


@pytest.mark.parametrize("format", ["png", "tiff"])
@pytest.mark.parametrize("shape", [(5, 7, 3), (5, 7, 4), (1, 1, 3), (70, 3000, 4)])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_lossless_formats(codec: PictureCodec, format: str, shape: tuple[int, ...], dtype: Any) -> None:
    pixels = np.random.default_rng(0).integers(0, np.iinfo(dtype).max, shape, dtype=dtype, endpoint=True)
    assert codec.picture(codec.encode(Picture(pixels), format)) == Picture(pixels)


def test_what_a_format_cannot_hold_is_refused(codec: PictureCodec) -> None:
    def refusal(pixels: Any, format: str, **options: Any) -> str:
        with pytest.raises(BadInput) as caught:
            codec.encode(Picture(pixels), format, **options)
        return caught.value.code

    clear = np.zeros((4, 4, 4), np.uint8)
    assert refusal(clear, "jpg") == "alpha_not_supported"
    assert codec.picture(codec.encode(Picture(clear | 255), "jpg")).size == (4, 4)
    for format in ("jpg", "webp", "avif"):
        assert refusal(np.zeros((4, 4, 3), np.uint16), format) == "depth_not_supported"
    assert refusal(clear, "bmp") == "format_not_writable"
    assert refusal(clear, "") == "format_not_writable"
    assert refusal(clear[:, :, :3], "jpg", quality=0) == "quality_out_of_range"
    assert refusal(clear[:, :, :3], "jpg", quality=101) == "quality_out_of_range"
    assert refusal(np.zeros((1, 17_000, 3), np.uint8), "webp") == "side_too_long"
    assert len(codec.encode(Picture(corpus.photograph()), ".JPG", quality=30)) < len(
        codec.encode(Picture(corpus.photograph()), "jpg", quality=95)
    )


@pytest.mark.parametrize("format", ["png", "jpg", "webp", "avif", "tif"])
def test_files_are_tagged_srgb_and_reproducible(codec: PictureCodec, format: str) -> None:
    import io

    picture = Picture(corpus.photograph())
    data = codec.encode(picture, format, provenance=record())
    assert data == codec.encode(picture, format, provenance=record())
    with Image.open(io.BytesIO(data)) as image:
        assert image.info.get("icc_profile") or image.info.get("srgb") == 0
        assert image.getexif().get(0x0112, 1) == 1


@pytest.mark.parametrize("even", [True, False])
def test_masks_come_back(codec: PictureCodec, even: bool) -> None:
    rng = np.random.default_rng(0)
    coverage = rng.random((37, 53)).astype(np.float32)
    sure = 0.25 if even else rng.random((37, 53)).astype(np.float32)
    mask = Mask.of(coverage, sure, made_by="remove-text 1 ü", lineage=("a" * 64, "b" * 64))
    data = codec.encode_mask(mask)
    found = codec.mask(data, size=(53, 37))
    assert np.abs(found.coverage - mask.coverage).max() <= 0.5 / 65535 + 1e-7
    assert np.abs(found.confidence - mask.confidence).max() <= 0.5 / 65535 + 1e-7
    assert (found.made_by, found.lineage) == (mask.made_by, mask.lineage)
    assert codec.mask(codec.encode_mask(found)) == found


def test_a_lying_mask_file_is_only_a_mask(codec: PictureCodec) -> None:
    from gesso.imaging.png import encode_png

    plane = np.full((4, 5, 1), 65535, np.uint16)
    for facts in (
        "[]",
        "{",
        '{"confidence": -1}',
        '{"confidence": "gsCf"}',
        '{"lineage": 5, "made_by": {}}',
        "x" * 10**6,
    ):
        found = codec.mask(encode_png(plane, [("gesso:mask", facts)], [(b"gsCf", b"junk")]))
        assert found.area == 1.0
        assert found.confidence.min() == 1.0


def test_masks_ignore_colour_profiles(codec: PictureCodec) -> None:
    gray = np.arange(256, dtype=np.uint8).reshape(16, 16)
    data = corpus.saved(gray, "PNG", icc_profile=corpus.profile("gray-2.2"))
    assert np.abs(codec.mask(data).coverage * 255 - gray).max() < 1e-3


def test_masks_of_every_source(codec: PictureCodec) -> None:
    soft = np.linspace(0, 1, 48).reshape(6, 8).astype(np.float32)
    assert (codec.mask(soft).coverage == soft).all()
    mask = Mask.of(soft)
    assert codec.mask(mask) is mask
    assert codec.mask(Picture(np.full((2, 2, 3), 255, np.uint8))).area == 1.0
    with pytest.raises(BadImage) as caught:
        codec.mask(mask, size=(6, 8))
    assert caught.value.code == "mask_size"
    with pytest.raises(BadImage) as caught:
        codec.mask(np.full((3, 3), np.nan))
    assert caught.value.code == "not_finite"


def test_threads_get_their_own_pictures(codec: PictureCodec) -> None:
    files = [corpus.saved(corpus.photograph(seed=n), "TIFF" if n % 2 else "PNG") for n in range(8)]
    wrong: list[int] = []

    def work(n: int) -> None:
        for _ in range(3):
            picture = codec.picture(files[n])
            again = codec.picture(codec.encode(picture, "png"))
            if not (again.pixels == corpus.photograph(seed=n)).all():
                wrong.append(n)

    threads = [threading.Thread(target=work, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_deep_files_with_a_table_profile_say_they_were_reduced(codec: PictureCodec) -> None:
    """Profiles without matrix and curves go through 8 bits; the picture says so."""
    from gesso.imaging import colour, profile
    from gesso.imaging.notes import Notes

    pixels = (corpus.photograph().astype(np.uint16)) * 257
    notes = Notes()
    icc = corpus.profile("adobe-rgb")
    direct = colour.deep_to_srgb(pixels, icc, notes)
    assert direct.dtype == np.uint16
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(colour, "read_profile", lambda icc: None)
        notes = Notes()
        reduced = colour.deep_to_srgb(pixels, icc, notes)
    assert reduced.dtype == np.uint8
    assert "bit_depth_reduced" in dict(notes.items)
    assert np.abs(reduced.astype(int) - direct / 257).max() < 3
    assert profile.read_profile(icc) is not None


def test_png_gamma_is_noted(codec: PictureCodec) -> None:
    import struct

    def gamma(value: int) -> bytes:
        return corpus.with_chunks(corpus.saved(corpus.corners()), corpus.chunk(b"gAMA", struct.pack(">I", value)))

    assert not codec.picture(gamma(45455)).changes
    assert {c.code for c in codec.picture(gamma(100_000)).changes} == {"gamma_ignored"}
    srgb = corpus.with_chunks(gamma(100_000), corpus.chunk(b"sRGB", b"\0"))
    assert not codec.picture(srgb).changes


def test_heic_with_the_extra(codec: PictureCodec) -> None:
    """No HEIC encoder can be installed with pip alone, so this proves the route: caged, opened as HEIF, and refused."""
    pytest.importorskip("pi_heif")
    assert code_of(codec, b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(100)) == "image_truncated"
    data = VALID["avif"]
    size = int.from_bytes(data[:4], "big")
    brands = data[8:size].replace(b"avif", b"heic").replace(b"avis", b"heic")
    assert code_of(codec, data[:8] + brands + data[size:]) == "image_corrupt"
