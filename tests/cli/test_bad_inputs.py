"""Research B3, rows 1–24 as they reach the command line, through the real codec: an error with a code, never a traceback."""

from __future__ import annotations

import io
import json
import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from gesso import wiring
from gesso.cli.main import run


def saved(image: Image.Image, kind: str, **options: object) -> bytes:
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


def noise(mode: str = "RGB", size: int = 40) -> Image.Image:
    return Image.fromarray(np.random.default_rng(0).integers(0, 255, (size, size, 3), np.uint8)).convert(mode)


def header(width: int, height: int) -> bytes:
    body = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + body + struct.pack(">I", zlib.crc32(body))


def animation(kind: str) -> bytes:
    return saved(noise(), kind, save_all=True, append_images=[noise(size=40).rotate(90)])


BAD: dict[str, tuple[Callable[[], bytes], str]] = {
    "empty.png": (lambda: b"", "image_empty"),
    "one.png": (lambda: b"x", "format_not_allowed|image_empty|image_truncated"),
    "page.png": (lambda: b"<!doctype html><script>1</script>", "format_not_allowed"),
    "archive.png": (lambda: b"PK\x03\x04" + bytes(100), "format_not_allowed"),
    "half.jpg": (lambda: saved(noise(), "JPEG")[:600], "image_truncated"),
    "noend.png": (lambda: saved(noise(), "PNG")[:-12], "image_truncated"),
    "huge.png": (lambda: header(60000, 60000), "too_many_pixels|side_too_long|too_large"),
    "vast.png": (lambda: header(2**31 - 1, 2**31 - 1), "too_many_pixels|side_too_long|too_large"),
    "eps.png": (lambda: b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", "format_not_allowed"),
    "vector.svg.png": (lambda: b'<svg xmlns="http://www.w3.org/2000/svg"/>', "format_not_allowed"),
    "paper.pdf.png": (lambda: b"%PDF-1.7\n", "format_not_allowed"),
    "moving.gif": (lambda: animation("GIF"), "animated_input"),
    "moving.webp": (lambda: animation("WEBP"), "animated_input"),
    "moving.png": (lambda: animation("PNG"), "animated_input"),
}


def command(words: list[str], capsys: pytest.CaptureFixture[str]) -> tuple[int, list[dict[str, dict[str, str] | str]]]:
    code = run(wiring.command_line(), words)
    said = capsys.readouterr()
    assert "Traceback" not in said.out + said.err
    return code, [json.loads(line) for line in said.out.splitlines()]


def test_bad_files_are_refused_with_a_code(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name, (make, _) in BAD.items():
        (tmp_path / name).write_bytes(make())
    code, lines = command(["measure", *[str(tmp_path / n) for n in BAD], "--json", "-q"], capsys)
    assert code == 1
    for (name, (_, wanted)), line in zip(BAD.items(), lines, strict=True):
        error = line["error"]
        assert isinstance(error, dict) and error["code"] in wanted.split("|"), (name, error)
        assert error["message"]


GOOD: dict[str, Callable[[], bytes]] = {
    "palette.gif": lambda: saved(noise().convert("P"), "GIF"),
    "bits.png": lambda: saved(noise("L").convert("1"), "PNG"),
    "la.png": lambda: saved(noise("LA"), "PNG"),
    "cmyk.jpg": lambda: saved(noise("CMYK"), "JPEG"),
    "deep.png": lambda: saved(Image.fromarray(np.arange(1600, dtype=np.uint16).reshape(40, 40)), "PNG"),
    "badicc.png": lambda: saved(noise(), "PNG", icc_profile=b"no profile"),
    "odd.webp": lambda: saved(noise(size=17), "WEBP"),
    "page.png": lambda: saved(noise(), "PNG") + b"<script>1</script>",
}


def test_unusual_files_are_taken(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name, make in GOOD.items():
        (tmp_path / name).write_bytes(make())
    code, lines = command(["measure", str(tmp_path), "--json", "-q"], capsys)
    assert [line["status"] for line in lines] == ["done"] * len(GOOD), lines
    assert code == 0


def test_masks_of_another_size_and_empty_ones(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    noise().save(tmp_path / "a.png")
    Image.new("L", (40, 41), 255).save(tmp_path / "other.png")
    Image.new("L", (40, 40), 0).save(tmp_path / "empty.png")
    for name, wanted in (("other.png", "mask_size"), ("empty.png", "mask_empty")):
        code, lines = command(
            ["erase", str(tmp_path / "a.png"), "--mask", str(tmp_path / name), "--json", "-q"], capsys
        )
        error = lines[0]["error"]
        assert code == 1 and isinstance(error, dict) and error["code"] == wanted
    assert not (tmp_path / "a.erase.png").exists()


@pytest.mark.parametrize(
    "box", ["nan,0,5,5", "0,0,Infinity,5", "1e400,0,1,1", "5,5,1,1", "3,3,3,9", "1,2", "1,2,3,4,5", ""]
)
def test_bad_boxes(tmp_path: Path, capsys: pytest.CaptureFixture[str], box: str) -> None:
    noise().save(tmp_path / "a.png")
    code, lines = command(["erase", str(tmp_path / "a.png"), "--boxes", box, "--json", "-q"], capsys)
    assert code == 2 and lines == []


def test_points_and_boxes_outside(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    noise().save(tmp_path / "a.png")
    for option, value in (("--boxes", "100,100,120,120"), ("--points", "400,3")):
        code, lines = command(["erase", str(tmp_path / "a.png"), option, value, "--json", "-q"], capsys)
        error = lines[0]["error"]
        assert code == 1 and isinstance(error, dict) and str(error["code"]).endswith("_outside")
