from __future__ import annotations

import io
import struct
import zlib
from typing import Any

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from PIL import Image

from gesso.imaging import png
from gesso.imaging.chunks import png_chunks
from tests.imaging import corpus

pictures = st.tuples(st.sampled_from([np.uint8, np.uint16]), st.integers(1, 4)).flatmap(
    lambda kind: hnp.arrays(kind[0], st.tuples(st.integers(1, 24), st.integers(1, 24), st.just(kind[1])))
)


def samples(data: bytes) -> np.ndarray[Any, Any]:
    """The samples of a PNG file by the specification, with no library but zlib: slow, and independent of what is tested."""
    chunks = [(kind, bytes(content)) for kind, content in png_chunks(data)]
    width, height, depth, colour = struct.unpack(">IIBB", chunks[0][1][:10])
    channels = {0: 1, 4: 2, 2: 3, 6: 4}[colour]
    step = channels * depth // 8
    raw = zlib.decompress(b"".join(content for kind, content in chunks if kind == b"IDAT"))
    length = width * step
    above = bytes(length)
    rows = []
    for y in range(height):
        kind = raw[y * (length + 1)]
        row = bytearray(raw[y * (length + 1) + 1 : (y + 1) * (length + 1)])
        for x in range(length):
            a = row[x - step] if x >= step else 0
            b, c = above[x], above[x - step] if x >= step else 0
            row[x] = (row[x] + (0, a, b, (a + b) // 2, _paeth(a, b, c))[kind]) & 255
        above = bytes(row)
        rows.append(above)
    flat = np.frombuffer(b"".join(rows), ">u2" if depth == 16 else "u1")
    return flat.reshape(height, width, channels).astype(np.uint16 if depth == 16 else np.uint8)


def _paeth(a: int, b: int, c: int) -> int:
    p = a + b - c
    distances = (abs(p - a), abs(p - b), abs(p - c))
    return (a, b, c)[distances.index(min(distances))]


@settings(deadline=None, max_examples=60)
@given(pictures)
def test_any_picture_comes_back(pixels: np.ndarray[Any, Any]) -> None:
    assert (samples(png.encode_png(pixels)) == pixels).all()


@settings(deadline=None, max_examples=60)
@given(pictures, st.sampled_from(range(5)))
def test_each_filter_is_the_specifications(pixels: np.ndarray[Any, Any], kind: int) -> None:
    rows, step = png._rows(pixels)
    filtered = png._filtered(rows, step, kind)
    data = png.encode_png(pixels)
    head = data[: data.index(b"IDAT") - 4]
    body = zlib.compress(filtered.tobytes())
    assert (samples(head + corpus.chunk(b"IDAT", body) + corpus.chunk(b"IEND", b"")) == pixels).all()


def test_paeth_in_eight_bits_is_paeth() -> None:
    a, b = np.meshgrid(np.arange(256, dtype=np.uint8), np.arange(256, dtype=np.uint8))
    for corner in (*range(0, 256, 13), 1, 127, 128, 254, 255):
        c = np.full_like(a, corner)
        scratch = tuple(np.empty_like(a) for _ in range(5))
        found = png._paeth(a, b, c, scratch)
        p = a.astype(int) + b - c
        pa, pb, pc = np.abs(p - a), np.abs(p - b), np.abs(p - c)
        expected = np.where((pa <= pb) & (pa <= pc), a, np.where(pb <= pc, b, c))
        assert (found == expected).all()


@pytest.mark.parametrize("shape", [(300, 200, 3), (1, 700, 4), (700, 1, 3), (130, 90, 1)])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_libraries_read_the_same(shape: tuple[int, ...], dtype: Any) -> None:
    full = int(np.iinfo(dtype).max)
    smooth = np.linspace(0, full, int(np.prod(shape))).reshape(shape)
    pixels = (smooth + np.random.default_rng(0).normal(0, full / 200, shape)).clip(0, full).astype(dtype)
    data = png.encode_png(pixels)
    by_opencv = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    assert by_opencv is not None
    by_opencv = by_opencv.reshape(*shape[:2], -1)
    order = [2, 1, 0, 3][: shape[2]] if shape[2] > 1 else [0]
    assert (by_opencv[:, :, order] == pixels).all()
    with Image.open(io.BytesIO(data)) as image:
        image.load()
        assert image.size == (shape[1], shape[0])
        assert image.info["srgb"] == 0
        if dtype == np.uint8:
            assert (np.asarray(image).reshape(shape) == pixels).all()


def test_bands_join_without_a_seam() -> None:
    pixels = np.random.default_rng(3).integers(0, 256, (400, 1000, 3), dtype=np.uint8)
    rows, step = png._rows(pixels)
    assert pixels.nbytes > 3 * png._BAND_BYTES
    for kind in (3, 4):
        data = png.encode_png(pixels)
        head = data[: data.index(b"IDAT") - 4]
        body = zlib.compress(png._filtered(rows, step, kind).data, 1)
        whole = head + corpus.chunk(b"IDAT", body) + corpus.chunk(b"IEND", b"")
        with Image.open(io.BytesIO(whole)) as image:
            assert (np.asarray(image) == pixels).all()


def test_drawings_do_not_grow() -> None:
    pixels = np.full((512, 512, 3), 255, np.uint8)
    for i in range(20):
        cv2.putText(pixels, f"Drawing {i}", (10 + 9 * i, 20 + 24 * i), 0, 0.7, (i * 9, 0, 255 - i * 9), 2, cv2.LINE_AA)
    flat = np.zeros((512, 512, 4), np.uint8)
    flat[100:300, 100:400] = (10, 200, 30, 255)
    for drawing in (pixels, flat):
        assert len(png.encode_png(drawing)) < 1.2 * len(corpus.saved(drawing)) + 1000


@given(st.text(max_size=3000))
@settings(deadline=None, max_examples=30)
def test_texts_are_read_by_pillow(text: str) -> None:
    try:
        text.encode()
    except UnicodeEncodeError:
        return
    data = png.encode_png(corpus.corners(), [("gesso:test", text)])
    with Image.open(io.BytesIO(data)) as image:
        image.load()
        assert image.text.get("gesso:test", "") == text  # type: ignore[attr-defined]


def test_planes_come_back_and_nothing_else_does() -> None:
    plane = np.random.default_rng(1).integers(0, 65536, (19, 23), dtype=np.uint16)
    packed = png.packed_plane(plane)
    found = png.unpacked_plane(packed, 23, 19)
    assert found is not None
    assert (found == plane).all()
    assert png.unpacked_plane(packed, 23, 18) is None
    assert png.unpacked_plane(packed[:-20], 23, 19) is None
    assert png.unpacked_plane(b"nonsense", 23, 19) is None
    assert png.unpacked_plane(zlib.compress(bytes(10**6)), 23, 19) is None
