"""STEP: publish a draft as an immutable revision, and check a stored plan again."""

from __future__ import annotations

import dataclasses
import datetime as dt
import gzip
import hashlib
import json
import zlib
from collections.abc import Mapping
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from data import audit
from data.schema import AuditEvent, Officer, PlanRevision, PlanShift, PlanShiftMember, PlanStop
from data.terms import PlanStatus
from planner.draw import holds_sample
from planner.errors import PlannerError
from planner.exchange import parse_plan, parse_problem
from planner.itinerary import find_revision
from planner.objections import newest_publication, object_to_inputs, object_to_parent
from planner.plan import Plan
from planner.problem import Problem
from planner.rosterfile import check_staffing
from planner.verify import Report, Violation, verify


def check(session: Session, code: str) -> Report:
    """Check a stored plan again from its document, independently of the solver.

    Also broken rules: a document that no longer has the digest it was stored under (`digest`), or that of
    the change log, which nobody can rewrite (`digest_log`), rows of
    shifts, crews and stops that differ from the document (`rows_differ`), a control sample that is not the
    lowest lots of its pool (`control_sample`). The crews are checked by the rules
    they were made under; documents of before that are checked without.

    Raises
    ------
    PlannerError
        `unknown_plan`.
    """
    record = find_revision(session, code)
    try:
        document = gzip.decompress(record.document)
    except (OSError, EOFError, zlib.error):
        document = b""
    if hashlib.sha256(document).hexdigest() != record.document_digest:
        # Nothing that a changed document says is worth checking.
        return Report((Violation("digest", {"stated": record.document_digest}),), (), {})
    if not _is_logged(session, code, record.document_digest):
        return Report((Violation("digest_log", {"stated": record.document_digest}),), (), {})
    body = json.loads(document)
    problem = dataclasses.replace(
        parse_problem(json.dumps(body["problem"])), first_visit_prize=body["first_visit_prize"]
    )
    plan = parse_plan(json.dumps(body["plan"]))
    report = verify(problem, plan)
    if "roster" in body:
        crews = check_staffing(body["roster"], body["crews"])
        report = Report(
            (*report.violations, *crews.violations), (*report.warnings, *crews.warnings), report.measures
        )
    if "control" in body:
        control = body["control"]
        if not holds_sample(control["pool"], control["drawn"], seed=record.seed):
            broken = Violation("control_sample", {"drawn": len(control["drawn"])})
            report = Report((*report.violations, broken), report.warnings, report.measures)
    visits = body.get("visits")
    stored = _stored(session, record.id, with_reason=visits is not None)
    differing = _differing_shifts(stored, _stated(problem, plan, body["crews"], visits or {}))
    if differing:
        broken = Violation("rows_differ", {"shifts": differing})
        report = Report((*report.violations, broken), report.warnings, report.measures)
    return report


def _is_logged(session: Session, code: str, digest: str) -> bool:
    """Return whether the last event of the change log that names the plan's document names this one."""
    events = session.scalars(
        select(AuditEvent.after)
        .where(AuditEvent.entity == "plan_revision", AuditEvent.entity_key == code)
        .order_by(AuditEvent.sequence)
    )
    named = [after["document_digest"] for after in events if after and "document_digest" in after]
    return not named or named[-1] == digest


def _stored(session: Session, plan_id: int, *, with_reason: bool) -> dict[str, list[tuple[object, ...]]]:
    """Return the shifts as people read them: head, crew and stops, by code."""
    shifts = session.scalars(select(PlanShift).where(PlanShift.plan_id == plan_id)).all()
    code = {shift.id: shift.code for shift in shifts}
    rows: dict[str, list[tuple[object, ...]]] = {
        s.code: [(f"{s.date}-{s.slot_kind.value}", s.team, s.start_s, s.end_s)] for s in shifts
    }
    crew = select(PlanShiftMember.shift_id, Officer.code, PlanShiftMember.leads).join(
        Officer, Officer.id == PlanShiftMember.officer_id
    )
    # Sorted here, because a database has its own order of letters.
    members = session.execute(crew.where(PlanShiftMember.shift_id.in_(code))).tuples()
    for shift_id, officer, leads in sorted(members, key=lambda row: row[1]):
        rows[code[shift_id]].append((officer, leads))
    stops = select(PlanStop).where(PlanStop.shift_id.in_(code))
    for stop in session.scalars(stops.order_by(PlanStop.shift_id, PlanStop.sequence)):
        place = f"I{stop.institution_id}"
        why = (stop.reason.value, stop.p_select, stop.form.value) if with_reason else ()
        times = (stop.arrive_s, stop.start_s, stop.leave_s)
        rows[code[stop.shift_id]].append(
            (stop.sequence, stop.visit_code, place, *times, stop.mandatory, *why)
        )
    return rows


def _stated(
    problem: Problem,
    plan: Plan,
    crews: Mapping[str, Mapping[str, Any]],
    reasons: Mapping[str, Mapping[str, Any]],
) -> dict[str, list[tuple[object, ...]]]:
    """Return the same of the document."""
    rows: dict[str, list[tuple[object, ...]]] = {}
    for route in (route for route in plan.routes if route.stops):
        shift, crew = problem.shift_by_id[route.shift], crews[route.shift]
        visits = [problem.visit_by_id[stop.visit] for stop in route.stops]
        rows[shift.id] = [
            (shift.slot, shift.team, shift.start_s, shift.end_s),
            *((member, member == crew["leader"]) for member in sorted(crew["members"])),
            *(
                (
                    *(number, visit.id, visit.site, stop.arrive_s, stop.start_s, stop.leave_s),
                    visit.mandatory,
                    *(
                        reasons.get(visit.id, {}).get(key)
                        for key in ("reason", "p_select", "form")
                        if reasons
                    ),
                )
                for number, (stop, visit) in enumerate(zip(route.stops, visits, strict=True), start=1)
            ),
        ]
    return rows


def _differing_shifts(
    stored: Mapping[str, list[tuple[object, ...]]], stated: Mapping[str, list[tuple[object, ...]]]
) -> list[str]:
    return sorted(code for code in stored.keys() | stated.keys() if stored.get(code) != stated.get(code))


def publish(
    session: Session,
    code: str,
    *,
    actor: str,
    now: dt.datetime,
    today: dt.date,
    confirm_provisional: bool = False,
    confirm_parent: bool = False,
    confirm_inputs: bool = False,
) -> None:
    """Publish a draft; older published plans wholly inside its period are superseded.

    Writers stand in a line from here on: of two who publish at once the second sees what the first did.

    Parameters
    ----------
    confirm_provisional
        Needed when the period reaches into a year whose holidays are not published yet.
    confirm_parent
        Needed when it takes the place of a plan that its makers have not seen.
    confirm_inputs
        Needed when places, people or dates have changed since it was made.

    Raises
    ------
    PlannerError
        `unknown_plan`, `not_a_draft`, `period_over`, `broken_plan`; without their
        confirmations `provisional`, `parent_superseded` or `published_meanwhile`, `inputs_changed`.
    """
    audit.hold(session)
    record = find_revision(session, code)
    session.refresh(record)
    if record.status is not PlanStatus.DRAFT:
        raise PlannerError(code="not_a_draft", fields={"plan": code, "status": record.status.value})
    if record.period_to < today:
        over: dict[str, object] = {"plan": code, "last": str(record.period_to), "today": str(today)}
        raise PlannerError(code="period_over", fields=over)
    if record.provisional and not confirm_provisional:
        fields: dict[str, object] = {"plan": code, "last": str(record.period_to)}
        raise PlannerError(code="provisional", fields=fields)
    report = check(session, code)
    if not report.holds:
        raise PlannerError(code="broken_plan", fields={"violations": [v.code for v in report.violations]})
    parent = None if confirm_parent else object_to_parent(session, record, today=today)
    inputs = None if confirm_inputs else object_to_inputs(session, record, today=today)
    for objection in (parent, inputs):
        if objection is not None:
            raise objection
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
    # One row of the same days gives way before the next takes its place: the database allows one.
    session.flush()
    record.publication = newest_publication(session) + 1
    record.status, record.published_at, record.published_by = PlanStatus.PUBLISHED, now, actor
    audit.append(
        session,
        action="publish",
        entity="plan_revision",
        entity_key=code,
        after={"document_digest": record.document_digest, "superseded": superseded},
    )
    session.flush()
