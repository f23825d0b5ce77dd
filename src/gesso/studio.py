"""The library door: `Studio().remove_text("a.jpg")`. Methods are derived from the operations' declarations."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from inspect import Parameter, Signature
from pathlib import Path
from typing import Any

from gesso import wiring
from gesso.contracts.context import Context
from gesso.contracts.errors import BadInput, StorageError
from gesso.contracts.fields import fields_of
from gesso.contracts.files import publish
from gesso.contracts.mask import Mask
from gesso.contracts.operation import AnyOperation
from gesso.contracts.picture import Picture
from gesso.contracts.ports import Bench, Codec, Source
from gesso.contracts.provenance import Provenance
from gesso.contracts.verdict import Attempt, Notice, Verdict
from gesso.recipes.outcome import ItemStatus, Outcome
from gesso.recipes.plan import make_plan
from gesso.recipes.run import run_plan
from gesso.recipes.shelf import find_recipe
from gesso.recipes.single import single
from gesso.recipes.suggest import did_you_mean

OnStep = Callable[[float, str], None]


@dataclass(frozen=True)
class Edit:
    """What a call gives back. Result fields of the operation beyond these are attributes, too (`edit.regions`)."""

    outcome: Outcome
    codec: Codec

    @property
    def image(self) -> Picture:
        """The picture; `numpy.asarray(edit.image)` and `edit.pil()` give it to other libraries. Raises if there is none."""
        image = self.outcome.image
        if image is None:
            raise AttributeError("this operation gives no picture")
        return image

    @property
    def mask(self) -> Mask | None:
        """The soft mask of what was changed, if the operation makes one."""
        return self.outcome.mask

    @property
    def provenance(self) -> Provenance:
        """The full record; `save` embeds it in the file."""
        return self.outcome.provenance

    @property
    def status(self) -> ItemStatus:
        """passed, repaired or rolled_back; `reason` says why."""
        return self.outcome.status

    @property
    def reason(self) -> str:
        """Why something was repaired, rolled back or left alone; empty otherwise."""
        return self.outcome.reason

    @property
    def verdicts(self) -> tuple[Verdict, ...]:
        """What the gates found."""
        return self.outcome.verdicts

    @property
    def attempts(self) -> tuple[Attempt, ...]:
        """What was tried, why, and what it cost."""
        return self.outcome.attempts

    @property
    def notices(self) -> tuple[Notice, ...]:
        """What else one should know."""
        return self.outcome.notices

    def __getattr__(self, name: str) -> Any:
        """Another result field of the operation."""
        outcome = self.__dict__.get("outcome")
        if outcome is not None and name in outcome.fields:
            return outcome.fields[name]
        raise AttributeError(f"no result field {name!r}")

    def pil(self) -> Any:
        """The picture as a PIL image of its own (8 bit; a 16-bit picture is rounded to the nearest 8-bit value)."""
        from PIL import Image

        pixels = self.image.pixels
        if self.image.bit_depth == 16:
            pixels = ((pixels.astype("uint32") + 128) // 257).astype("uint8")
        return Image.fromarray(pixels.copy())

    def encoded(self, format: str = "png", *, quality: int | None = None) -> bytes:
        """The picture as a file's bytes, with the record in its metadata."""
        return self.codec.encode(self.image, format, provenance=self.provenance, quality=quality)

    def save(self, path: str | Path, *, force: bool = False, quality: int | None = None) -> Path:
        """Write the picture atomically, in the format of the suffix; missing folders are made.

        Raises `StorageError` (output_exists, unless `force`; storage_error) and `BadInput` (format_not_writable, …).
        """
        target = Path(path)
        suffix = target.suffix.removeprefix(".").lower()
        if suffix not in self.codec.formats():
            known = ", ".join(self.codec.formats())
            raise BadInput(
                f"cannot write {suffix or 'a file without suffix'}", code="format_not_writable", hint=f"use {known}"
            )
        data = self.encoded(suffix, quality=quality)
        partial = target.parent / f".{target.name}.{secrets.token_hex(6)}.partial"
        try:
            publish(target, partial, [data], replace=force)
        except FileExistsError as error:
            raise StorageError(f"{target.name} exists already", code="output_exists", hint="pass force=True") from error
        except (OSError, ValueError) as error:
            said = getattr(error, "strerror", None) or str(error)
            raise StorageError(f"{target.name} cannot be written: {said}", code="storage_error") from error
        return target


class Studio:
    """All operations as methods, in this process. Thread-safe; engines are loaded on first use and shared.

    Pictures are given as path, bytes, PIL image, numpy array or `Picture`, and are never mutated. Errors are typed
    (`gesso.contracts.errors`): `BadImage`, `BadParams` (all faults at once), `Unavailable`, `OutOfMemory`, ….
    """

    def __init__(self, bench: Bench | None = None) -> None:
        self._given = bench

    @cached_property
    def bench(self) -> Bench:
        """What everything runs with; built on first use from the environment's settings."""
        return self._given or wiring.build_bench()

    @property
    def operations(self) -> Mapping[str, AnyOperation]:
        """The declarations, by id."""
        return (
            {operation.id: operation for operation in wiring.operations()}
            if self._given is None
            else self._given.operations
        )

    def run(self, recipe: str | Path, image: Source = None, *, on_step: OnStep | None = None, **values: Any) -> Edit:
        """Run a recipe (a shipped name or a file) on `image`; other inputs and the recipe's values as keywords."""
        found = find_recipe(recipe, self.bench.recipe_folders)
        first = next(iter(found.inputs), "image")  # a recipe without inputs refuses the picture by name
        given = {} if image is None else {first: image}
        inputs = given | {name: values.pop(name) for name in tuple(values) if name in found.inputs}
        plan = make_plan(found, self.bench, values)
        return Edit(run_plan(plan, inputs, self.bench, _context(on_step)), self.bench.codec)

    def __getattr__(self, name: str) -> Callable[..., Edit]:
        """The method of an operation: `remove_text` for ``remove-text``."""
        if name.startswith("_"):
            raise AttributeError(name)
        operations = self.operations
        operation = next((o for o in operations.values() if o.method == name), None)
        if operation is None:
            raise AttributeError(
                f"no operation {name!r}; {did_you_mean(name, [o.method for o in operations.values()])}"
            )
        return self._method(operation)

    def __dir__(self) -> list[str]:
        return [*super().__dir__(), *(o.method for o in self.operations.values())]

    def _method(self, operation: AnyOperation) -> Callable[..., Edit]:
        names = [spec.name for spec in fields_of(operation.params)]

        def call(*args: Any, on_step: OnStep | None = None, **values: Any) -> Edit:
            if len(args) > 1:
                raise TypeError(f"{operation.method}() takes the picture; everything else by keyword")
            given = dict(zip(names, args, strict=False)) | values
            return Edit(single(operation.id, given, self.bench, _context(on_step)), self.bench.codec)

        call.__name__ = call.__qualname__ = operation.method
        call.__doc__ = f"{operation.title}. {operation.summary}"
        call.__signature__ = signature(operation)  # type: ignore[attr-defined]
        return call


def signature(operation: AnyOperation) -> Signature:
    """The Python signature of an operation's method: first the picture, then keywords with their defaults."""
    parameters = []
    for index, (name, info) in enumerate(operation.params.model_fields.items()):
        kind = Parameter.POSITIONAL_OR_KEYWORD if index == 0 else Parameter.KEYWORD_ONLY
        default = (
            Parameter.empty if info.is_required() else info.get_default(call_default_factory=True, validated_data={})
        )
        parameters.append(Parameter(name, kind, default=default, annotation=info.annotation))
    parameters.append(Parameter("on_step", Parameter.KEYWORD_ONLY, default=None, annotation=OnStep | None))
    return Signature(parameters, return_annotation=Edit)


def _context(on_step: OnStep | None) -> Context:
    return Context() if on_step is None else Context(on_step)
