"""What the user asked for, one file each. `OPERATIONS` is the one list; importing a file registers nothing."""

from __future__ import annotations

from gesso.contracts.operation import AnyOperation
from gesso.operations.remove_text import REMOVE_TEXT

OPERATIONS: tuple[AnyOperation, ...] = (REMOVE_TEXT,)
