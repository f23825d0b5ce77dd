"""Saying in words what a gate lacks."""

from __future__ import annotations

from gesso.contracts.gate import Evidence, Gate
from gesso.quality.planes import same_shape


def missing_for(gate: Gate, evidence: Evidence, *, before: str = "before") -> str:
    """Why `gate` does not apply to `evidence`, in one clause; `before` is what the caller calls the picture before."""
    lacking = []
    if "before" in gate.requires and evidence.before is None:
        lacking.append(f"{before!r} is missing")
    if "mask" in gate.requires and evidence.mask is None:
        lacking.append("'mask' is missing")
    lacking += [f"no engine offers {need.__name__}" for need in gate.needs if evidence.tools.find(need) is None]
    if lacking:
        return " and ".join(lacking)
    after = evidence.after
    if (
        "mask" in gate.requires
        and evidence.mask is not None
        and (evidence.mask.width, evidence.mask.height) != after.size
    ):
        return f"the mask is {evidence.mask.width}×{evidence.mask.height}, the picture {after.width}×{after.height}"
    other = evidence.before
    if other is not None and not same_shape(after, other):
        return f"{before!r} shows another frame: {other.width}×{other.height} against {after.width}×{after.height}"
    if other is not None and other.size != after.size:
        return f"{before!r} is {other.width}×{other.height}, the picture {after.width}×{after.height}"
    return "it does not apply to this picture"
