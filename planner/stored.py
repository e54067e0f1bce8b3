"""STEP: a stored plan read back whole: what the solver was given, its plan, and the rest of its document."""

from __future__ import annotations

import datetime as dt
import gzip
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy.orm import Session

from planner.errors import PlannerError
from planner.exchange import parse_plan, parse_problem
from planner.itinerary import find_revision
from planner.plan import Plan
from planner.problem import Problem, Shift


@dataclass(frozen=True)
class Stored:
    """A stored plan with what the solver was given and the rest of its document."""

    code: str
    problem: Problem
    plan: Plan
    body: Mapping[str, Any]
    first_day: dt.date

    def date_of(self, shift: Shift) -> dt.date:
        """Return the date of a shift."""
        return self.first_day + dt.timedelta(days=shift.day)


def load_plan(session: Session, code: str) -> Stored:
    """Return a stored plan.

    Raises
    ------
    PlannerError
        `unknown_plan`; `broken_plan` when the document no longer has its digest.
    """
    record = find_revision(session, code)
    document = gzip.decompress(record.document)
    if hashlib.sha256(document).hexdigest() != record.document_digest:
        raise PlannerError(code="broken_plan", fields={"violations": ["digest"]})
    body = json.loads(document)
    problem = replace(parse_problem(json.dumps(body["problem"])), first_visit_prize=body["first_visit_prize"])
    return Stored(code, problem, parse_plan(json.dumps(body["plan"])), body, record.period_from)
