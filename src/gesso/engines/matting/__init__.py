"""Alpha mattes: soft edges and hair out of a coarse mask."""

from __future__ import annotations


def warm_up() -> None:
    """Import and compile what matting needs; without it the first cut-out of an installation waits for the compiler."""
    from gesso.engines.matting import closed_form

    closed_form.warm_up()
