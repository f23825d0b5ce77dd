from __future__ import annotations

import io

from hypothesis import given
from hypothesis import strategies as st

from gesso.cli.text import plain, say


@given(st.text())
def test_plain_is_one_harmless_line(text: str) -> None:
    shown = plain(text)
    assert len(shown.splitlines()) <= 1
    assert "\x1b" not in shown and "\u202e" not in shown and "\x00" not in shown
    shown.encode("utf-8")


def test_ordinary_text_stays() -> None:
    assert plain("Größe – 写真 👩‍🎨 é.png") == "Größe – 写真 👩‍🎨 é.png"
    assert plain("a\nb\udcff") == "a\\x0ab\\udcff"


def test_streams_of_any_encoding() -> None:
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding="ascii")
    say("a → b", stream=stream)
    assert raw.getvalue() == b"a \\u2192 b\n"
