"""Strings from files and users made fit for a terminal: no control characters, no text direction tricks."""

from __future__ import annotations

import sys
import unicodedata
from typing import TextIO

_UNSAFE = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
"""Unicode categories that can move the cursor, reverse the text or break the encoding."""
_JOINERS = frozenset("\u200c\u200d\u00ad")
"""Format characters that ordinary words and emoji contain."""


def plain(text: str) -> str:
    """`text` on one line with control, direction and surrogate characters written as escapes."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(_escaped(c) if unicodedata.category(c) in _UNSAFE and c not in _JOINERS else c for c in text)


def say(text: str = "", *, stream: TextIO | None = None) -> None:
    """Write one line, whatever the stream's encoding; the text is taken to be `plain` already."""
    target = sys.stdout if stream is None else stream
    encoding = target.encoding or "utf-8"
    target.write(text.encode(encoding, "backslashreplace").decode(encoding) + "\n")
    target.flush()


def note(text: str = "") -> None:
    """Write one line to stderr."""
    say(text, stream=sys.stderr)


def _escaped(character: str) -> str:
    number = ord(character)
    return f"\\x{number:02x}" if number < 256 else f"\\u{number:04x}" if number < 65536 else f"\\U{number:08x}"
