"""What admission changed, collected while it happens. Light: the decoder child imports this, not pydantic."""

from __future__ import annotations


class Notes:
    """An ordered list of (code, sentence), each code once; codes are listed in docs/03-pictures.md."""

    def __init__(self) -> None:
        self._found: dict[str, str] = {}

    def add(self, code: str, detail: str) -> None:
        """Remember that `code` happened; the first sentence for a code stays."""
        self._found.setdefault(code, detail)

    @property
    def items(self) -> tuple[tuple[str, str], ...]:
        """All notes in order."""
        return tuple(self._found.items())
