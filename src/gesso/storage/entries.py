"""Result fields ↔ one JSON entry and blobs. Pictures and masks leave the JSON as references to blobs."""

from __future__ import annotations

import hashlib
import json
import zlib
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gesso.contracts.mask import Mask
from gesso.contracts.picture import Change, Origin, Picture
from gesso.storage.blobs import BlobStore, is_sha256

FORMAT = 1
"""Rises when the layout changes; entries of another format read as absent."""
PLANE_LEVEL = 1
"""zlib level for masks, which are mostly constant; pictures stand raw, because compressing costs more than writing."""


def encode_entry(values: Mapping[str, Any], blobs: BlobStore) -> bytes:
    """Store all pictures and masks of `values` and return the entry that refers to them; raises `StorageError`.

    The entry is one line with the SHA-256 of the rest, then the rest as JSON.
    """
    body = json.dumps({"format": FORMAT, "values": _out(values, blobs)}, separators=(",", ":")).encode()
    return hashlib.sha256(body).hexdigest().encode() + b"\n" + body


def decode_entry(data: bytes, blobs: BlobStore) -> dict[str, Any] | None:
    """The values of an entry, or None when it or any of its blobs is damaged, absent or of another format."""
    body = _checked(data)
    try:
        values = None if body is None else _in(body["values"], blobs)
    except (KeyError, TypeError, ValueError, AssertionError, zlib.error):
        return None
    return values if isinstance(values, dict) else None


def blobs_of(data: bytes) -> frozenset[str]:
    """The hashes of the blobs that an entry refers to; none when it is damaged."""
    found: set[str] = set()

    def look(value: Any) -> None:
        if isinstance(value, dict):
            blob = value.get("$blob")
            found.update({blob} if isinstance(blob, str) and is_sha256(blob) else ())
            for item in value.values():
                look(item)
        elif isinstance(value, list):
            for item in value:
                look(item)

    look(_checked(data))
    return frozenset(found)


def _checked(data: bytes) -> dict[str, Any] | None:
    digest, _, body = data.partition(b"\n")
    if hashlib.sha256(body).hexdigest().encode() != digest:
        return None
    try:
        content = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return content if isinstance(content, dict) and content.get("format") == FORMAT else None


def _out(value: Any, blobs: BlobStore) -> Any:
    if isinstance(value, Picture):
        return _picture_out(value, blobs)
    if isinstance(value, Mask):
        return {
            "$kind": "mask",
            "coverage": _plane_out(value.coverage, blobs),
            "confidence": _plane_out(value.confidence, blobs),
            "shape": list(value.coverage.shape),
            "made_by": value.made_by,
            "lineage": list(value.lineage),
        }
    if isinstance(value, Mapping):
        assert not any(str(key).startswith("$kind") for key in value), "$kind is taken"
        return {str(key): _out(item, blobs) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_out(item, blobs) for item in value]
    return value


def _in(value: Any, blobs: BlobStore) -> Any:
    if isinstance(value, dict):
        kind = value.get("$kind")
        if kind == "picture":
            return _picture_in(value, blobs)
        if kind == "mask":
            shape = value["shape"]
            coverage = _plane_in(value["coverage"], shape, blobs)
            confidence = _plane_in(value["confidence"], shape, blobs)
            return Mask(coverage, confidence, value["made_by"], tuple(value["lineage"]))
        return {key: _in(item, blobs) for key, item in value.items()}
    if isinstance(value, list):
        return [_in(item, blobs) for item in value]
    return value


def _picture_out(picture: Picture, blobs: BlobStore) -> dict[str, Any]:
    origin = picture.origin
    return {
        "$kind": "picture",
        "$blob": blobs.put([np.ascontiguousarray(picture.pixels).data.cast("B")]),
        "shape": list(picture.pixels.shape),
        "bits": picture.bit_depth,
        "changes": [[change.code, change.detail] for change in picture.changes],
        "origin": [origin.name, origin.format, origin.sha256, origin.bytes],
    }


def _picture_in(value: Mapping[str, Any], blobs: BlobStore) -> Picture:
    data = blobs.get(value["$blob"])
    if data is None:
        raise ValueError("blob is absent")
    kind: Any = np.uint8 if value["bits"] == 8 else np.dtype("<u2")
    pixels = np.frombuffer(data, kind).reshape(value["shape"])
    changes = tuple(Change(code, detail) for code, detail in value["changes"])
    return Picture(pixels, changes, Origin(*value["origin"]))


def _plane_out(plane: NDArray[np.float32], blobs: BlobStore) -> dict[str, Any]:
    """A plane of one value, as most confidences are, needs no blob."""
    low = float(plane.min())
    if low == float(plane.max()):
        return {"all": low}
    return {"$blob": blobs.put([zlib.compress(np.ascontiguousarray(plane).data.cast("B"), PLANE_LEVEL)])}


def _plane_in(value: Mapping[str, Any], shape: list[int], blobs: BlobStore) -> NDArray[np.float32]:
    if "all" in value:
        return np.full(shape, value["all"], np.float32)
    data = blobs.get(value["$blob"])
    if data is None:
        raise ValueError("blob is absent")
    return np.frombuffer(zlib.decompress(data), np.float32).reshape(shape)
