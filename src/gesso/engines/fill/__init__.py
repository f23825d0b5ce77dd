"""Fill engines without weights: `MembraneFill` for smooth grounds, `PatchFill` for texture. Compiled by numba, on CPU."""

from gesso.engines.fill.engine import MembraneFill, PatchFill
from gesso.engines.fill.warm import warm_up

__all__ = ["MembraneFill", "PatchFill", "warm_up"]
