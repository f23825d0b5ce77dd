"""What a run hands back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from gesso.contracts.mask import Mask
from gesso.contracts.picture import Picture
from gesso.contracts.provenance import Provenance, StepRecord
from gesso.contracts.verdict import Attempt, Notice, Verdict

ItemStatus = Literal["passed", "repaired", "rolled_back", "failed"]
"""passed: every step accepted at once · repaired: some step needed another try · rolled_back: some step gave its input
back · failed: the run raised (the runner never returns it; doors use it for their tables)."""


LEFT_OUT = "left_out"
"""The notice in the record of a step that did not run because its `when` is false."""


@dataclass(frozen=True)
class Outcome:
    """The outputs of a run by name, and the full record of how they came to be."""

    fields: Mapping[str, Any]
    provenance: Provenance
    status: ItemStatus

    @property
    def steps(self) -> tuple[StepRecord, ...]:
        """The records of all steps."""
        return self.provenance.steps

    @property
    def image(self) -> Picture | None:
        """The published picture: the output ``image``, if there is one."""
        image = self.fields.get("image")
        return image if isinstance(image, Picture) else None

    @property
    def mask(self) -> Mask | None:
        """The output ``mask``, if there is one."""
        mask = self.fields.get("mask")
        return mask if isinstance(mask, Mask) else None

    @property
    def verdicts(self) -> tuple[Verdict, ...]:
        """The final verdicts of all steps."""
        return tuple(verdict for step in self.steps for verdict in step.verdicts)

    @property
    def attempts(self) -> tuple[Attempt, ...]:
        """All tries of all steps."""
        return tuple(attempt for step in self.steps for attempt in step.attempts)

    @property
    def notices(self) -> tuple[Notice, ...]:
        """All notices of all steps."""
        return tuple(notice for step in self.steps for notice in step.notices)

    @property
    def reason(self) -> str:
        """Why steps were rolled back, repaired or changed nothing; with the step's name where there are several steps.

        Steps that a `when` left out are not mentioned: their records are marked with the notice `LEFT_OUT`.
        """
        if len(self.steps) == 1:
            return self.steps[0].reason
        told = (step for step in self.steps if step.reason and all(n.code != LEFT_OUT for n in step.notices))
        return "; ".join(f"{step.id}: {step.reason}" for step in told)


def status_of(steps: tuple[StepRecord, ...]) -> ItemStatus:
    """The worst of the steps' statuses, as a run's status."""
    found = {step.status for step in steps}
    if "rolled_back" in found:
        return "rolled_back"
    return "repaired" if "repaired" in found else "passed"
