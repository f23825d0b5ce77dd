"""What the user asked for, one file each. `OPERATIONS` is the one list; importing a file registers nothing."""

from __future__ import annotations

from gesso.contracts.operation import AnyOperation
from gesso.operations.cutout import CUTOUT
from gesso.operations.erase import ERASE
from gesso.operations.gate import GATE
from gesso.operations.measure import MEASURE
from gesso.operations.remove_text import REMOVE_TEXT
from gesso.operations.replace_background import REPLACE_BACKGROUND
from gesso.operations.resize import RESIZE
from gesso.operations.shadow import SHADOW
from gesso.operations.upscale import UPSCALE

OPERATIONS: tuple[AnyOperation, ...] = (
    REMOVE_TEXT,
    ERASE,
    CUTOUT,
    REPLACE_BACKGROUND,
    SHADOW,
    UPSCALE,
    RESIZE,
    MEASURE,
    GATE,
)
