"""Odd and hostile picture files, made by script: nothing here is copied from anywhere. Rows refer to research B3."""

from __future__ import annotations

import io
import struct
import zlib
from typing import Any

import numpy as np
from PIL import Image, ImageCms

RED, GREEN, BLUE, LIME = (220, 30, 40), (20, 160, 60), (40, 60, 210), (0, 255, 0)


def corners(width: int = 48, height: int = 32) -> np.ndarray[Any, np.dtype[np.uint8]]:
    """A picture whose four quarters differ, so that every turn and mirroring shows: red, green, blue, gray."""
    out = np.empty((height, width, 3), np.uint8)
    out[: height // 2, : width // 2] = RED
    out[: height // 2, width // 2 :] = GREEN
    out[height // 2 :, : width // 2] = BLUE
    out[height // 2 :, width // 2 :] = (128, 128, 128)
    return out


def photograph(width: int = 64, height: int = 48, seed: int = 0) -> np.ndarray[Any, np.dtype[np.uint8]]:
    """Smooth colours with a little noise."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[0:height, 0:width]
    waves = [127 + 100 * np.sin(x / 9 + k) * np.cos(y / (7 + k)) for k in range(3)]
    return np.clip(np.stack(waves, axis=2) + rng.normal(0, 3, (height, width, 3)), 0, 255).astype(np.uint8)


def saved(image: Image.Image | np.ndarray[Any, Any], format: str = "PNG", **options: Any) -> bytes:
    """The file Pillow writes for an image or array."""
    out = io.BytesIO()
    (image if isinstance(image, Image.Image) else Image.fromarray(image)).save(out, format, **options)
    return out.getvalue()


def chunk(kind: bytes, content: bytes) -> bytes:
    """One PNG chunk."""
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def png(width: int, height: int, *chunks: bytes, depth: int = 8, colour: int = 2, end: bool = True) -> bytes:
    """A PNG file of given header and further chunks."""
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + b"".join(chunks) + (chunk(b"IEND", b"") if end else b"")


def zeros_png(side: int) -> bytes:
    """A valid all-black RGB PNG of side² pixels that packs to almost nothing (row 4)."""
    packer = zlib.compressobj(1)
    row = bytes(1 + 3 * side)
    data = b"".join(packer.compress(row) for _ in range(side)) + packer.flush()
    return png(side, side, chunk(b"IDAT", data))


def with_chunks(data: bytes, *chunks: bytes) -> bytes:
    """A PNG file with further chunks after its header."""
    return data[:33] + b"".join(chunks) + data[33:]


def text_bomb(kind: bytes = b"zTXt", size: int = 50_000_000) -> bytes:
    """A PNG whose text unpacks to `size` bytes (row 9)."""
    packed = zlib.compress(bytes(size), 9)
    body = b"Comment\0\0" + packed if kind == b"zTXt" else b"Comment\0\x01\0\0\0" + packed
    return with_chunks(saved(corners()), chunk(kind, body))


def gif_frames(count: int, left: int = 0, size: int = 4) -> bytes:
    """A GIF of `count` frames of 1×1 pixel at `left` on a size×size canvas (row 10)."""
    head = b"GIF89a" + struct.pack("<HHBBB", size, size, 0x80, 0, 0) + bytes([0, 0, 0, 255, 255, 255])
    frame = b"\x2c" + struct.pack("<HHHHB", left, 0, 1, 1, 0) + b"\x02\x02\x44\x01\x00"
    return head + frame * count + b"\x3b"


def animation(format: str, frames: int = 3) -> bytes:
    """An animated PNG, WebP or GIF, or a TIFF of several pages; frame n has red value 60·n."""
    images = [Image.new("RGB", (16, 12), (60 * n, 0, 0)) for n in range(frames)]
    options: dict[str, Any] = {"lossless": True} if format == "WEBP" else {}
    return saved(images[0], format, save_all=True, append_images=images[1:], **options)


def exif(orientation: int) -> bytes:
    """EXIF data of one entry: the orientation as SHORT."""
    return b"Exif\0\0" + b"II*\0" + struct.pack("<IHHHIHHI", 8, 1, 0x0112, 3, 1, orientation, 0, 0)


def exif_text(text: bytes) -> bytes:
    """EXIF data whose orientation is a text (row 13)."""
    return b"Exif\0\0" + b"II*\0" + struct.pack("<IHHHI4sI", 8, 1, 0x0112, 2, len(text), text, 0)


def turned(pixels: np.ndarray[Any, Any], orientation: int) -> np.ndarray[Any, Any]:
    """The stored pixels that an EXIF orientation turns back into `pixels` (Exif 2.32: where row 0, column 0 lie)."""
    swapped = pixels.transpose(1, 0, 2)
    return {
        1: pixels,
        2: pixels[:, ::-1],
        3: pixels[::-1, ::-1],
        4: pixels[::-1],
        5: swapped,
        6: swapped[::-1],
        7: swapped[::-1, ::-1],
        8: swapped[:, ::-1],
    }[orientation]


D50 = np.array([0.9642, 1.0, 0.8249])
_BRADFORD = np.array([[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]])

PRIMARIES: dict[str, tuple[tuple[tuple[float, float], ...], tuple[float, float], float]] = {
    "srgb": (((0.64, 0.33), (0.30, 0.60), (0.15, 0.06)), (0.3127, 0.3290), 0.0),
    "display-p3": (((0.680, 0.320), (0.265, 0.690), (0.150, 0.060)), (0.3127, 0.3290), 0.0),
    "adobe-rgb": (((0.64, 0.33), (0.21, 0.71), (0.15, 0.06)), (0.3127, 0.3290), 563 / 256),
    "prophoto": (((0.7347, 0.2653), (0.1596, 0.8404), (0.0366, 0.0001)), (0.3457, 0.3585), 1.8),
}
"""Chromaticities, white and gamma (0 = sRGB's curve) from the public specifications of each space."""


def to_xyz_d50(space: str) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Linear RGB of a space to XYZ under D50 (Bradford adaptation)."""
    primaries, white, _ = PRIMARIES[space]
    columns = np.array([[x / y, 1.0, (1 - x - y) / y] for x, y in primaries]).T
    white_xyz = np.array([white[0] / white[1], 1.0, (1 - white[0] - white[1]) / white[1]])
    matrix = columns * np.linalg.solve(columns, white_xyz)
    adapt = np.linalg.inv(_BRADFORD) @ np.diag((_BRADFORD @ D50) / (_BRADFORD @ white_xyz)) @ _BRADFORD
    return adapt @ matrix


def linear(values: np.ndarray[Any, Any], gamma: float) -> np.ndarray[Any, Any]:
    """Encoded 0…1 to linear light; gamma 0 is sRGB's curve."""
    if gamma:
        return values**gamma
    return np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)


def profile(space: str) -> bytes:
    """A matrix ICC profile (version 2) of a space in `PRIMARIES`, or "gray-2.2"."""
    if space == "gray-2.2":
        tags = [(b"wtpt", _xyz(D50)), (b"kTRC", _gamma(2.2)), (b"desc", _desc(space)), (b"cprt", b"text\0\0\0\0CC0\0")]
        return _icc(b"GRAY", tags)
    matrix = to_xyz_d50(space)
    gamma = PRIMARIES[space][2]
    curve = _gamma(gamma) if gamma else _table(linear(np.linspace(0, 1, 1024), 0.0))
    tags = [(b"wtpt", _xyz(D50)), (b"desc", _desc(space)), (b"cprt", b"text\0\0\0\0CC0\0")]
    tags += [(name, _xyz(matrix[:, i])) for i, name in enumerate((b"rXYZ", b"gXYZ", b"bXYZ"))]
    tags += [(name, curve) for name in (b"rTRC", b"gTRC", b"bTRC")]
    return _icc(b"RGB ", tags)


def _xyz(values: Any) -> bytes:
    return b"XYZ \0\0\0\0" + struct.pack(">3i", *(round(float(v) * 65536) for v in values))


def _gamma(gamma: float) -> bytes:
    return b"curv\0\0\0\0" + struct.pack(">IH", 1, round(gamma * 256)) + b"\0\0"


def _table(values: np.ndarray[Any, Any]) -> bytes:
    body = np.rint(values * 65535).astype(">u2").tobytes()
    return b"curv\0\0\0\0" + struct.pack(">I", len(values)) + body


def _desc(name: str) -> bytes:
    text = name.encode() + b"\0"
    return b"desc\0\0\0\0" + struct.pack(">I", len(text)) + text + bytes(4 + 4 + 2 + 1 + 67)


def _icc(space: bytes, tags: list[tuple[bytes, bytes]]) -> bytes:
    at = 128 + 4 + 12 * len(tags)
    table, body = b"", b""
    for name, content in tags:
        content += bytes(-len(content) % 4)
        table += struct.pack(">4sII", name, at + len(body), len(content))
        body += content
    head = struct.pack(">I4sI4s4s4s12s4s4sIII", at + len(body), b"\0\0\0\0", 0x02100000, b"mntr", space, b"XYZ ",
                       struct.pack(">6H", 2026, 1, 1, 0, 0, 0), b"acsp", b"\0\0\0\0", 0, 0, 0)  # fmt: skip
    head += struct.pack(">QI3i", 0, 0, *(round(float(v) * 65536) for v in D50)) + bytes(48)
    assert len(head) == 128, len(head)
    return head + struct.pack(">I", len(tags)) + table + body


def lab_of_srgb(pixels: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """CIE L*a*b* (D50) of sRGB values 0…1."""
    return lab(linear(pixels, 0.0) @ to_xyz_d50("srgb").T)


def lab(xyz: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """CIE L*a*b* (D50) of XYZ."""
    scaled = xyz / D50
    f = np.where(scaled > (6 / 29) ** 3, np.cbrt(scaled), scaled / (3 * (6 / 29) ** 2) + 4 / 29)
    return np.stack([116 * f[..., 1] - 16, 500 * (f[..., 0] - f[..., 1]), 200 * (f[..., 1] - f[..., 2])], axis=-1)


def in_space(srgb: np.ndarray[Any, Any], space: str) -> np.ndarray[Any, Any]:
    """sRGB values 0…1 as encoded values of another space."""
    gamma = PRIMARIES[space][2]
    rgb = linear(srgb, 0.0) @ to_xyz_d50("srgb").T @ np.linalg.inv(to_xyz_d50(space)).T
    rgb = np.clip(rgb, 0, 1)
    if gamma:
        return rgb ** (1 / gamma)
    return np.where(rgb <= 0.0031308, rgb * 12.92, 1.055 * rgb ** (1 / 2.4) - 0.055)


def adobe_jpeg(pixels: np.ndarray[Any, Any], transform: int) -> bytes:
    """A four-channel JPEG as Adobe writes it: inverted CMYK (transform 0) or YCCK (2) of an RGB picture (row 16)."""
    ink = np.concatenate([255 - pixels, np.zeros((*pixels.shape[:2], 1), np.uint8)], axis=2)
    if transform == 0:
        return saved(Image.fromarray(ink, "CMYK"), "JPEG", quality=100)
    ycc = np.asarray(Image.fromarray(255 - pixels).convert("YCbCr"))
    stored = np.concatenate([ycc, np.full((*pixels.shape[:2], 1), 255, np.uint8)], axis=2)
    # Adobe stores inverted inks, and YCCK is made of the complement of what is stored: Y, Cb, Cr of the inks themselves,
    # and K inverted. Pillow inverts what it writes, hence 255 - stored.
    data = saved(Image.fromarray(255 - stored, "CMYK"), "JPEG", quality=100)
    at = data.index(b"Adobe")
    return data[: at + 11] + bytes([transform]) + data[at + 12 :]


def srgb_profile_of_pillow() -> bytes:
    """The profile LittleCMS makes for sRGB."""
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def eps() -> bytes:
    """A PostScript picture that asks its interpreter to write a file (row 6)."""
    return b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\n(canary) (w) file closefile showpage\n"


def foreign() -> dict[str, bytes]:
    """Files of formats that are never opened, whatever they are called (rows 2, 6, 7, 8)."""
    return {
        "html": b"<!doctype html><script>alert(1)</script>",
        "javascript": b"function f() { return 1 }; f();",
        "zip": b"PK\x03\x04" + bytes(60),
        "eps": eps(),
        "svg": b'<svg xmlns="http://www.w3.org/2000/svg"><script>1</script><image href="http://a/b"/></svg>',
        "svg with declaration": b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"/>',
        "psd": b"8BPS\0\x01" + bytes(6) + struct.pack(">HIIHH", 3, 4, 4, 8, 3) + bytes(40),
        "fits": b"SIMPLE  =                    T" + bytes(60),
        "pdf": b"%PDF-1.7\n" + bytes(60),
        "jpeg 2000": b"\0\0\0\x0cjP  \r\n\x87\n" + bytes(40),
        "jpeg 2000 codestream": b"\xff\x4f\xff\x51" + bytes(40),
        "mcidas": b"\0\0\0\0\0\0\0\x04" + bytes(256),
        "bmp": b"BM" + bytes(60),
    }


def with_profile(data: bytes, icc: bytes) -> bytes:
    """A PNG file with an embedded profile, its sRGB chunk removed."""
    at = data.index(b"sRGB") - 4
    return with_chunks(data[:at] + data[at + 13 :], chunk(b"iCCP", b"p\0\0" + zlib.compress(icc)))


def srgb_of(stored: np.ndarray[Any, Any], space: str) -> np.ndarray[Any, Any]:
    """Encoded values 0…1 of a space in `PRIMARIES` as sRGB values, clipped to sRGB."""
    light = linear(stored, PRIMARIES[space][2]) @ to_xyz_d50(space).T @ np.linalg.inv(to_xyz_d50("srgb")).T
    light = np.clip(light, 0, 1)
    return np.where(light <= 0.0031308, light * 12.92, 1.055 * light ** (1 / 2.4) - 0.055)


def encoded(values: np.ndarray[Any, Any], gamma: float) -> np.ndarray[Any, Any]:
    """Gray values of a gamma space as sRGB values, 0…1."""
    light = linear(values, gamma)
    return np.where(light <= 0.0031308, light * 12.92, 1.055 * light ** (1 / 2.4) - 0.055)


def plain_tiff16(pixels: np.ndarray[Any, np.dtype[np.uint16]], order: str, photometric: int = 2) -> bytes:
    """An uncompressed 16-bit TIFF of one strip in either byte order ("<", ">")."""
    height, width, channels = pixels.shape
    body = pixels.astype(order + "u2").tobytes()
    tags = [(256, 4, 1, width), (257, 4, 1, height), (258, 3, channels, 8), (259, 3, 1, 1), (262, 3, 1, photometric)]
    tags += [(273, 4, 1, 16), (277, 3, 1, channels), (278, 4, 1, height), (279, 4, 1, len(body))]
    tags += [(338, 3, 1, 2)] if channels == 4 and photometric == 2 else []
    out = struct.pack(order + "2sHI", b"II" if order == "<" else b"MM", 42, 16 + len(body))
    out += struct.pack(order + "4H", 16, 16, 16, 16) + body + struct.pack(order + "H", len(tags))
    for tag, kind, count, value in tags:
        inline = kind == 3 and count == 1
        out += struct.pack(order + ("HHIHxx" if inline else "HHII"), tag, kind, count, value)
    return out + bytes(4)


def interlaced_png16(pixels: np.ndarray[Any, np.dtype[np.uint16]]) -> bytes:
    """A 16-bit PNG in Adam7 order (PNG specification, 8.2), unfiltered."""
    height, width, channels = pixels.shape
    colour = {1: 0, 2: 4, 3: 2, 4: 6}[channels]
    passes = [(0, 0, 8, 8), (0, 4, 8, 8), (4, 0, 8, 4), (0, 2, 4, 4), (2, 0, 4, 2), (0, 1, 2, 2), (1, 0, 2, 1)]
    raw = b""
    for top, left, down, right in passes:
        part = pixels[top::down, left::right]
        if part.size:
            raw += b"".join(b"\0" + row.astype(">u2").tobytes() for row in part)
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 16, colour, 0, 0, 1))
    return b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", zlib.compress(raw)) + chunk(b"IEND", b"")
