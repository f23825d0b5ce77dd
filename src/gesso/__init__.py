"""Gesso: make and edit images in production. `from gesso import Studio`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gesso.contracts.version import VERSION as __version__

__all__ = ["Studio", "__version__"]

if TYPE_CHECKING:
    from gesso.studio import Studio


def __getattr__(name: str) -> object:
    """Import the library door on first use, so that `import gesso` costs nothing."""
    if name == "Studio":
        from gesso.studio import Studio

        return Studio
    raise AttributeError(f"module 'gesso' has no attribute {name!r}")
