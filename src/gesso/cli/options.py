"""From a declared parameter to an option of the command line, and from the option's text to a value to be validated."""

from __future__ import annotations

import re
import types
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import click
from pydantic import BaseModel

from gesso.cli.jsontext import read_json
from gesso.contracts.errors import Fault
from gesso.contracts.fields import FieldSpec
from gesso.contracts.model import FieldError

PATHS = ("picture", "mask")
"""Kinds of parameter that are given as the path of a file (or of a folder with one file per input)."""
_WHOLE = re.compile(r"[+-]?[0-9]{1,18}")
_METAVARS = {
    "picture": "PATH",
    "mask": "PATH",
    "box": "X0,Y0,X1,Y1",
    "point": "X,Y[,0]",
    "integer": "INTEGER",
    "number": "NUMBER",
    "text": "TEXT",
    "json": "JSON",
}


def option_of(spec: FieldSpec, model: type[BaseModel]) -> click.Option:
    """The option for one parameter. It takes text as it comes: all values are checked together, by the declaration."""
    if spec.kind == "boolean" and not spec.many:
        both = f"{spec.flag}/--no-{spec.flag.removeprefix('--')}"
        return click.Option([both, spec.name], default=None, help=_help(spec, model))
    metavar = f"[{'|'.join(spec.choices)}]" if spec.kind == "choice" else _METAVARS.get(spec.kind, "TEXT")
    if spec.kind == "json" and (forms := short_forms(model.model_fields[spec.name].annotation)):
        metavar = "|".join(forms)
    return click.Option(
        [spec.flag, spec.name],
        multiple=spec.many,
        default=None,
        metavar=metavar,
        help=_help(spec, model),
    )


def read_values(
    given: Mapping[str, Any], fields: tuple[FieldSpec, ...], model: type[BaseModel]
) -> tuple[dict[str, Any], tuple[Fault, ...]]:
    """The options that were given, as values for the declaration's own check, and the faults of those that cannot be read.

    Parameters of the kinds in `PATHS` are left out: they become pictures later.
    """
    values: dict[str, Any] = {}
    faults: list[Fault] = []
    for spec in fields:
        raw = given.get(spec.name)
        if raw is None or raw == () or spec.kind in PATHS:
            continue
        annotation = model.model_fields[spec.name].annotation
        try:
            read = [read_value(text, spec, annotation) for text in (raw if spec.many else (raw,))]
        except FieldError as error:
            faults.append(Fault(spec.name, error.code, str(error)))
            continue
        values[spec.name] = tuple(read) if spec.many else read[0]
    return values, tuple(faults)


def read_value(text: Any, spec: FieldSpec, annotation: Any) -> Any:
    """One value as the declaration's check wants it; raises `FieldError`."""
    if not isinstance(text, str):
        return text
    if spec.kind == "choice":
        return next((v for v in _literals(annotation) if str(v) == text), text)
    if spec.kind in ("box", "point"):
        return [int(part) if _WHOLE.fullmatch(part) else part for part in map(str.strip, text.split(","))]
    if spec.kind == "json":
        stripped = text.strip()
        short = _short(stripped, annotation)
        return read_json(stripped) if short is None else short
    return text


def short_forms(annotation: Any) -> tuple[str, ...]:
    """How the members of a tagged union may be written: "kind", "kind:VALUE", "kind:A,B" or "kind:ITEM;ITEM"."""
    forms = []
    for tag, model in _tagged(annotation).items():
        names = [n for n in model.model_fields if n != _tag_field(model)]
        if not names:
            forms.append(tag)
        elif len(names) == 1 and _is_many(model, names[0]):
            forms.append(f"{tag}:X,Y;X,Y")
        else:
            forms.append(f"{tag}:{','.join(names).upper()}")
    return tuple(forms)


def _short(text: str, annotation: Any) -> dict[str, Any] | None:
    """`text` read as a short form of a tagged union ("edge:3,4;9,9"), or None when it is meant as JSON."""
    members = _tagged(annotation)
    if not members or text[:1] in ("{", "[", '"'):
        return None
    tag, _, rest = text.partition(":")
    model = members.get(tag.strip())
    if model is None:
        raise FieldError("not_a_choice", f"not one of {', '.join(short_forms(annotation))}, nor JSON")
    own = _tag_field(model)
    names = [n for n in model.model_fields if n != own]
    out: dict[str, Any] = {own: tag.strip()}
    if len(names) == 1 and _is_many(model, names[0]):
        return {**out, names[0]: tuple(p.strip() for p in rest.split(";") if p.strip())}
    parts = [p.strip() for p in rest.split(",")] if rest.strip() else []
    if len(parts) > len(names):
        raise FieldError("too_many", f"{tag} takes {len(names)} value(s)")
    return {**out, **dict(zip(names, parts, strict=False))}


def _tagged(annotation: Any) -> dict[str, type[BaseModel]]:
    """The members of a union of models that are told apart by a literal field, by tag; empty for anything else."""
    models = [m for m in _members(annotation) if isinstance(m, type) and issubclass(m, BaseModel)]
    return {tag: m for m in models for tag in _literals(m.model_fields[_tag_field(m)].annotation)} if models else {}


def _tag_field(model: type[BaseModel]) -> str:
    """The field whose one literal value names the model ("kind")."""
    named = (n for n, f in model.model_fields.items() if get_origin(f.annotation) is Literal)
    return next(named, next(iter(model.model_fields)))


def _is_many(model: type[BaseModel], name: str) -> bool:
    return get_origin(model.model_fields[name].annotation) is tuple


def _members(annotation: Any) -> Iterator[Any]:
    """The leaves of an annotation, through Annotated, Optional, unions and tuples of any length."""
    origin = get_origin(annotation)
    if origin is Annotated:
        yield from _members(get_args(annotation)[0])
    elif origin in (Union, types.UnionType, tuple):
        for member in get_args(annotation):
            yield from _members(member)
    else:
        yield annotation


def _literals(annotation: Any) -> tuple[Any, ...]:
    return tuple(v for m in _members(annotation) if get_origin(m) is Literal for v in get_args(m))


def _help(spec: FieldSpec, model: type[BaseModel]) -> str:
    facts = []
    if spec.kind == "choice" and spec.ui.unit:
        facts.append(spec.ui.unit)
    elif spec.ui.unit:
        facts.append(f"in {spec.ui.unit}")
    facts += _bounds(spec.name, model)
    if spec.many:
        facts.append("may be repeated")
    if spec.required:
        facts.append("required")
    elif spec.default not in (None, (), ""):
        shown = str(spec.default).lower() if isinstance(spec.default, bool) else spec.default
        facts.append(f"default {shown}")
    tail = f"  [{'; '.join(facts)}]" if facts else ""
    return (spec.description or spec.name.replace("_", " ")) + tail


def _bounds(name: str, model: type[BaseModel]) -> list[str]:
    """The range that the declaration gives a number, as "0…4096", "≥ 0" or "≤ 9"."""
    found = {
        key: getattr(m, key)
        for m in _constraints(model.model_fields[name])
        for key in ("ge", "gt", "le", "lt")
        if getattr(m, key, None) is not None
    }
    low, high = found.get("ge", found.get("gt")), found.get("le", found.get("lt"))
    if low is not None and high is not None:
        return [f"{low}…{high}"] if abs(high) < 10**9 else [f"≥ {low}"]
    return [f"≥ {low}"] if low is not None else [f"≤ {high}"] if high is not None else []


def _constraints(info: Any) -> Iterator[Any]:
    """Bounds stand in the field's own metadata, or inside its annotation when that is optional or a tuple."""
    yield from info.metadata
    pending = [info.annotation]
    while pending:
        annotation = pending.pop()
        if get_origin(annotation) is Annotated:
            for extra in get_args(annotation)[1:]:
                yield from getattr(extra, "metadata", ())
                yield extra
        pending += [a for a in get_args(annotation) if get_origin(annotation) is not Literal]
