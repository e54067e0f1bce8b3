"""Named refusals of the planning desk: a code and fields, never a sentence."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Fault:
    """One thing wrong with an input.

    Parameters
    ----------
    where : str
        Path into the input, such as ``shifts[3].end_s``; empty for the whole.
    code : str
        Stable word for the kind of fault, such as ``unknown_depot``.
    fields : dict
        Values a message needs.
    """

    where: str
    code: str
    fields: dict[str, object] = field(default_factory=dict)

    def __str__(self) -> str:
        """Return the fault as ``where: code {fields}`` for logs and terminals."""
        return f"{self.where or '$'}: {self.code}" + (f" {self.fields}" if self.fields else "")


class PlannerError(Exception):
    """Base of every refusal of the planner floor."""

    code: str = "planner"

    def __init__(self, *, code: str | None = None, fields: dict[str, object] | None = None) -> None:
        self.code = code or type(self).code
        self.fields: dict[str, object] = dict(fields or {})
        super().__init__(f"{self.code} {self.fields}" if self.fields else self.code)


class FaultyInputError(PlannerError):
    """An input with one or more faults, all collected before refusing."""

    code = "faulty_input"

    def __init__(self, faults: Sequence[Fault]) -> None:
        self.faults: tuple[Fault, ...] = tuple(faults)
        super().__init__(fields={"faults": [str(fault) for fault in self.faults]})


class ProblemError(FaultyInputError):
    """The planning problem breaks its invariants or its file is malformed."""

    code = "problem"


class PlanError(FaultyInputError):
    """The plan file is malformed."""

    code = "plan"


class OptionsError(FaultyInputError):
    """An option is outside its range."""

    code = "options"


class RosterInputError(FaultyInputError):
    """The officers, needs or past crews handed to the roster contradict themselves."""

    code = "roster_input"


class RosterFailedError(PlannerError):
    """The roster search ended without any roster within its limit."""

    code = "roster_failed"


class BrokenPlanError(PlannerError):
    """The independent checker found a broken rule in a plan the solver made."""

    code = "broken_plan"


class RepairError(FaultyInputError):
    """What is said to have changed does not fit the plan."""

    code = "repair"


class EvidenceError(PlannerError):
    """A table of past visits cannot be measured: columns, lengths, counts or chances are wrong."""

    code = "evidence"


class ScorecardError(FaultyInputError):
    """Proposed weights name an unknown factor, leave one out or are no usable numbers."""

    code = "scorecard"
