"""Counts of the register for a date, within what the asking person may see."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from data.accounts import Identity, scoped
from data.schema import Finding, Institution, Tip, VisitRecord
from data.terms import FindingStatus, Kind


@dataclass(frozen=True)
class Headline:
    """The overview's numbers; places are 家, visits are 家次."""

    institutions: int
    by_kind: dict[Kind, int]
    placed: int
    unplaced: int
    doubtful: int
    outside: int
    open_findings: int
    overdue_rechecks: int
    open_tips: int
    visits_30d: int
    visits_previous_30d: int
    findings_30d: int


def headline(session: Session, identity: Identity, *, today: dt.date) -> Headline:
    """Return the overview's numbers as of `today`."""
    month, before = today - dt.timedelta(days=30), today - dt.timedelta(days=60)
    kinds = scoped(select(Institution.kind, func.count()).group_by(Institution.kind), identity)
    by_kind: dict[Kind, int] = {row[0]: row[1] for row in session.execute(kinds)}

    def places(*conditions: Any) -> int:
        return _count(session, select(func.count()).select_from(Institution).where(*conditions), identity)

    def rows(record: Any, *conditions: Any) -> int:
        joined = select(func.count()).select_from(record).join(Institution)
        return _count(session, joined.where(*conditions), identity)

    is_open = Finding.status != FindingStatus.CLOSED
    return Headline(
        institutions=sum(by_kind.values()),
        by_kind=by_kind,
        placed=places(Institution.lon.is_not(None)),
        unplaced=places(Institution.lon.is_(None)),
        doubtful=places(Institution.doubtful),
        outside=places(Institution.lon.is_not(None), Institution.grid_id.is_(None)),
        open_findings=rows(Finding, is_open),
        overdue_rechecks=rows(Finding, is_open, Finding.recheck_due < today),
        open_tips=rows(Tip, ~Tip.handled),
        visits_30d=rows(VisitRecord, VisitRecord.date > month, VisitRecord.date <= today),
        visits_previous_30d=rows(VisitRecord, VisitRecord.date > before, VisitRecord.date <= month),
        findings_30d=rows(Finding, Finding.found_on > month, Finding.found_on <= today),
    )


def _count(session: Session, statement: Select[int], identity: Identity) -> int:
    return int(session.scalar(scoped(statement, identity)) or 0)
