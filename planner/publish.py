"""STEP: publish a draft as an immutable revision, and check a stored plan again."""

from __future__ import annotations

import dataclasses
import datetime as dt
import gzip
import hashlib
import json

from sqlalchemy import select
from sqlalchemy.orm import Session

from data import audit
from data.schema import PlanRevision
from data.terms import PlanStatus
from planner.errors import PlannerError
from planner.exchange import parse_plan, parse_problem
from planner.itinerary import find_revision
from planner.verify import Report, Violation, verify


def check(session: Session, code: str) -> Report:
    """Check a stored plan again from its document, independently of the solver.

    A document that no longer has the digest it was stored under is itself a broken rule.

    Raises
    ------
    PlannerError
        `unknown_plan`.
    """
    record = find_revision(session, code)
    document = gzip.decompress(record.document)
    body = json.loads(document)
    problem = dataclasses.replace(
        parse_problem(json.dumps(body["problem"])), first_visit_prize=body["first_visit_prize"]
    )
    report = verify(problem, parse_plan(json.dumps(body["plan"])))
    if hashlib.sha256(document).hexdigest() != record.document_digest:
        broken = Violation("digest", {"stated": record.document_digest})
        report = Report((broken, *report.violations), report.warnings, report.measures)
    return report


def publish(
    session: Session, code: str, *, actor: str, now: dt.datetime, confirm_provisional: bool = False
) -> None:
    """Publish a draft; older published plans wholly inside its period are superseded.

    Parameters
    ----------
    confirm_provisional
        Needed when the period reaches into a year whose holidays are not published yet.

    Raises
    ------
    PlannerError
        `unknown_plan`, `not_a_draft`, `provisional` without the confirmation, `broken_plan`.
    """
    record = find_revision(session, code)
    if record.status is not PlanStatus.DRAFT:
        raise PlannerError(code="not_a_draft", fields={"plan": code, "status": record.status.value})
    if record.provisional and not confirm_provisional:
        fields: dict[str, object] = {"plan": code, "last": str(record.period_to)}
        raise PlannerError(code="provisional", fields=fields)
    report = check(session, code)
    if not report.holds:
        raise PlannerError(code="broken_plan", fields={"violations": [v.code for v in report.violations]})
    older = session.scalars(
        select(PlanRevision).where(
            PlanRevision.status == PlanStatus.PUBLISHED,
            PlanRevision.period_from >= record.period_from,
            PlanRevision.period_to <= record.period_to,
        )
    )
    superseded = []
    for plan in older:
        plan.status = PlanStatus.SUPERSEDED
        superseded.append(plan.code)
    record.status, record.published_at, record.published_by = PlanStatus.PUBLISHED, now, actor
    audit.append(
        session,
        action="publish",
        entity="plan_revision",
        entity_key=code,
        after={"document_digest": record.document_digest, "superseded": superseded},
    )
    session.flush()
