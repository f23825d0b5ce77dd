"""Write the typed signatures of the library door to standard output, derived from the operations.

`make stubs` puts them into ``src/gesso/studio.pyi``; a test fails when they are stale.
"""

from __future__ import annotations

import inspect
import sys
import types
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from gesso import studio, wiring
from gesso.contracts.geometry import Box, Point
from gesso.contracts.mask import Mask
from gesso.contracts.operation import AnyOperation
from gesso.contracts.picture import Picture

HEAD = """# Derived from the operations by `make stubs`; do not edit.
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from gesso.contracts.geometry import Box, Point
from gesso.contracts.mask import Mask
from gesso.contracts.operation import AnyOperation
from gesso.contracts.picture import Picture
from gesso.contracts.ports import Bench, Codec, Source
from gesso.contracts.provenance import Provenance
from gesso.contracts.verdict import Attempt, Notice, Verdict
from gesso.recipes.outcome import ItemStatus, Outcome

OnStep = Callable[[float, str], None]
"""
PLAIN = {bool: "bool", int: "int", float: "float", str: "str"}


def annotation(kind: Any) -> str:
    """How the caller may write a parameter of this type."""
    origin = get_origin(kind)
    if origin is Annotated:
        return annotation(get_args(kind)[0])
    if origin in (Union, types.UnionType):
        parts = list(dict.fromkeys(annotation(part) for part in get_args(kind)))
        return " | ".join(sorted(parts, key=lambda part: part == "None"))
    if origin is Literal:
        return f"Literal[{', '.join(repr(choice) for choice in get_args(kind))}]"
    if origin is tuple:
        return f"Sequence[{annotation(get_args(kind)[0])}]"
    if kind is type(None):
        return "None"
    if kind in (Picture, Mask):
        return "Source"
    if kind in (Box, Point):
        return f"{kind.__name__} | Sequence[int] | str"
    if inspect.isclass(kind) and issubclass(kind, BaseModel):
        return "Mapping[str, Any]"
    return PLAIN.get(kind, "Any")


def parameter(name: str, info: FieldInfo) -> str:
    """One parameter of a method."""
    written = f"{name}: {annotation(info.annotation)}"
    if info.is_required():
        return written
    default = info.get_default(call_default_factory=True, validated_data={})
    simple = default is None or isinstance(default, bool | int | float | str) or default == ()
    return f"{written} = {default!r}" if simple else f"{written} = ..."


def method(operation: AnyOperation) -> str:
    """The stub of one operation's method."""
    fields = [parameter(name, info) for name, info in operation.params.model_fields.items()]
    fields = [fields[0], "*", *fields[1:], "on_step: OnStep | None = None"]
    return f'    def {operation.method}(self, {", ".join(fields)}) -> Edit:\n        """{operation.summary}"""\n'


def members(cls: type, skip: tuple[str, ...] = ()) -> str:
    """Stubs of a class's own public methods and properties, from its source."""
    lines = []
    for name, member in vars(cls).items():
        if name.startswith("_") or name in skip:
            continue
        function = getattr(member, "fget", None) or getattr(member, "func", None) or member
        if callable(function):
            if function is not member:
                lines.append("    @property")
            lines.append(f"    def {name}{_signature(function)}: ...")
    return "\n".join(lines)


def _signature(function: Any) -> str:
    """The signature as written: annotations are strings already."""
    signature = inspect.signature(function)
    marks: dict[Any, str] = {inspect.Parameter.VAR_POSITIONAL: "*", inspect.Parameter.VAR_KEYWORD: "**"}
    parts, starred = [], False
    for parameter in signature.parameters.values():
        stars = marks.get(parameter.kind, "")
        if parameter.kind is parameter.KEYWORD_ONLY and not starred:
            parts.append("*")
            starred = True
        typed = "" if parameter.annotation is parameter.empty else f": {parameter.annotation}"
        default = "" if parameter.default is parameter.empty else f" = {parameter.default!r}"
        parts.append(f"{stars}{parameter.name}{typed}{default}")
    return f"({', '.join(parts)}) -> {signature.return_annotation}"


def main() -> int:
    """Print the stub."""
    out = [HEAD, "class Edit:", "    outcome: Outcome", "    codec: Codec"]
    out += ["    def __init__(self, outcome: Outcome, codec: Codec) -> None: ...", members(studio.Edit)]
    out += ["    def __getattr__(self, name: str) -> Any: ...", "", "class Studio:"]
    out += ["    def __init__(self, bench: Bench | None = None) -> None: ...", members(studio.Studio)]
    out += [method(operation) for operation in wiring.operations()]
    sys.stdout.write("\n".join(out) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
