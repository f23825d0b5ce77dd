from __future__ import annotations

import struct
import time
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gesso.contracts.errors import BadImage
from gesso.contracts.limits import Limits
from gesso.imaging import chunks, metadata
from gesso.imaging.headers import read_header
from gesso.imaging.marks import read_marks
from gesso.imaging.sniff import ALLOWED, sniff
from tests.imaging import corpus

LIMITS = Limits()
FORMATS = {"PNG": "png", "JPEG": "jpeg", "WEBP": "webp", "AVIF": "avif", "GIF": "gif", "TIFF": "tiff"}
VALID = {name: corpus.saved(corpus.photograph(40, 30), format) for format, name in FORMATS.items()}
VALID["animated webp"] = corpus.animation("WEBP")
VALID["animated gif"] = corpus.animation("GIF")
VALID["apng"] = corpus.animation("PNG")
VALID["pages"] = corpus.animation("TIFF")
VALID["text"] = corpus.text_bomb(b"iTXt", 5000)
VALID["lossless webp"] = corpus.saved(corpus.photograph(40, 30), "WEBP", lossless=True)

READERS: tuple[Callable[[bytes], object], ...] = (
    sniff,
    lambda data: read_header(data, sniff(data), LIMITS),
    lambda data: read_marks(data, LIMITS),
    *(lambda data, name=name: read_header(data, name, LIMITS) for name in ALLOWED),  # type: ignore[misc]
)


def never_leaks(data: bytes) -> None:
    for read in READERS:
        code = ""
        try:
            read(data)
        except BadImage as error:
            code = error.code
        assert code != "bad_image"


@pytest.mark.parametrize("name", sorted(FORMATS.values()))
def test_sizes(name: str) -> None:
    assert sniff(VALID[name]) == name
    header = read_header(VALID[name], name, LIMITS)
    assert (header.width, header.height, header.frames) == (40, 30, 1)


@pytest.mark.parametrize("name", ["animated webp", "animated gif", "apng", "pages"])
def test_frames(name: str) -> None:
    assert read_header(VALID[name], sniff(VALID[name]), LIMITS).frames == 3


def test_avif_of_ten_bits_and_sequences() -> None:
    assert read_header(VALID["avif"], "avif", LIMITS).bits == 8
    images = corpus.animation("AVIF")
    assert read_header(images, "avif", LIMITS).frames == 3


@settings(deadline=None, max_examples=150)
@given(st.binary(max_size=400))
def test_arbitrary_bytes(data: bytes) -> None:
    never_leaks(data)


@settings(deadline=None, max_examples=100)
@given(
    st.sampled_from([b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"GIF89a", b"II*\0", b"MM\0+", b"RIFF\0\0\0\0WEBP"]),
    st.binary(max_size=300),
)
def test_arbitrary_bytes_after_a_signature(head: bytes, data: bytes) -> None:
    never_leaks(head + data)


@settings(deadline=None, max_examples=200)
@given(st.sampled_from(sorted(VALID)), st.data())
def test_cut_and_damaged_files(name: str, draw: st.DataObject) -> None:
    data = bytearray(VALID[name])
    del data[draw.draw(st.integers(0, len(data))) :]
    for _ in range(draw.draw(st.integers(0, 6))):
        if data:
            data[draw.draw(st.integers(0, len(data) - 1))] = draw.draw(st.sampled_from([0, 1, 127, 128, 255]))
    never_leaks(bytes(data))


def test_avif_that_lists_no_channels() -> None:
    data = bytearray(VALID["avif"])
    data[data.index(b"pixi") + 8] = 0
    assert read_header(bytes(data), "avif", LIMITS).bits == 8


def test_limits_are_kept() -> None:
    small = Limits(max_pixels=1000, max_side=50)
    for name in FORMATS.values():
        with pytest.raises(BadImage) as caught:
            read_header(VALID[name], name, small)
        assert caught.value.code == "too_many_pixels"
        with pytest.raises(BadImage) as caught:
            read_header(VALID[name], name, Limits(max_side=39))
        assert caught.value.code == "side_too_long"


def test_jpeg_of_twelve_bits_is_refused() -> None:
    data = bytearray(VALID["jpeg"])
    at = data.index(b"\xff\xc0")
    data[at + 4] = 12
    with pytest.raises(BadImage) as caught:
        read_header(bytes(data), "jpeg", LIMITS)
    assert caught.value.code == "precision_not_supported"


def test_tiff_directories_in_a_loop_end() -> None:
    data = bytearray(VALID["tiff"])
    (at,) = struct.unpack_from("<I", data, 4)
    (count,) = struct.unpack_from("<H", data, at)
    struct.pack_into("<I", data, at + 2 + 12 * count, at)
    assert read_header(bytes(data), "tiff", LIMITS).frames == 1


def test_thumbnails_of_a_tiff_are_no_pages() -> None:
    data = bytearray(VALID["pages"])
    planar = struct.pack("<HHI", 284, 3, 1)
    first = data.index(planar)
    at = data.index(planar, first + 1)
    for _ in range(2):
        struct.pack_into("<HHII", data, at, 254, 4, 1, 1)
        at = data.find(planar, at)
    header = read_header(bytes(data), "tiff", LIMITS)
    assert (header.frames, header.pages) == (1, (0,))


def test_metadata_is_counted_unpacked_over_all_chunks() -> None:
    one = corpus.text_bomb(b"zTXt", 1_500_000)
    body = next(bytes(content) for kind, content in chunks.png_chunks(one) if kind == b"zTXt")
    data = corpus.with_chunks(corpus.saved(corpus.corners()), corpus.chunk(b"zTXt", body) * 3)
    with pytest.raises(BadImage) as caught:
        read_header(data, "png", LIMITS)
    assert caught.value.code == "metadata_too_large"
    assert read_header(one, "png", LIMITS).metadata_bytes > 1_500_000


def test_walking_costs_little() -> None:
    many = b"GIF89a" + struct.pack("<HHBBB", 4, 4, 0, 0, 0) + b"\x21\xfe" + b"\xff" + bytes(255)
    many += (b"\xff" + bytes(255)) * 50_000
    start = time.process_time()
    with pytest.raises(BadImage):
        read_header(many, "gif", LIMITS)
    assert time.process_time() - start < 10


def test_inflation_is_capped() -> None:
    import zlib

    assert chunks.inflated(zlib.compress(bytes(10_000_000)), 1000) is None
    assert chunks.inflated(zlib.compress(bytes(1000)), 1000) == bytes(1000)
    assert chunks.inflated(b"broken", 1000) == b""


def test_png_text_is_found_and_capped() -> None:
    from gesso.contracts.errors import BadInput
    from gesso.imaging.png import encode_png

    data = encode_png(np.zeros((2, 2, 3), np.uint8), [("a", "x" * 5000), ("b", "y")])
    assert metadata.png_text(data, "a", 5000) == "x" * 5000
    assert metadata.png_text(data, "b", 10) == "y"
    assert metadata.png_text(data, "c", 10) is None
    with pytest.raises(BadInput):
        metadata.png_text(data, "a", 4999)
