"""STEP: a repaired plan stored as a new draft that names its parent."""

from __future__ import annotations

import datetime as dt
import gzip
import hashlib
import json
from collections.abc import Mapping
from typing import Any

from shapely.geometry.base import BaseGeometry
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from data import audit
from data.schema import (
    Institution,
    Officer,
    PlanRevision,
    PlanShift,
    PlanShiftMember,
    PlanStop,
    PlanUnserved,
)
from data.terms import SLOT_CLASS, PlanStatus, SlotClass, SlotKind, VisitForm, VisitReason
from planner.bound import bound_objective
from planner.calls import with_calls
from planner.itinerary import find_revision
from planner.plan import measure_travel
from planner.repair import Repaired
from planner.revision import measure_ceiling
from planner.stored import Stored
from planner.verify import verify


def store_amendment(
    session: Session,
    stored: Stored,
    repaired: Repaired,
    body: dict[str, Any],
    *,
    summary: dict[str, Any],
    tracks: Mapping[str, BaseGeometry | None],
    actor: str,
    now: dt.datetime,
) -> str:
    """Store a repaired plan as a new draft, its rows taken from the old one where they are the same.

    Parameters
    ----------
    stored
        The plan it came from.
    repaired
        The repair's answer.
    body
        The new document.
    summary
        Its figures, from `measure_amendment`.
    tracks
        The way of each shift, from `planner.tracks.redraw_tracks`.
    """
    old = find_revision(session, stored.code)
    document = json.dumps(body, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()
    number = (session.scalar(select(func.max(PlanRevision.id))) or 0) + 1
    record = PlanRevision(
        code=f"P{old.period_from:%Y%m%d}-{number:03d}",
        period_from=old.period_from,
        period_to=old.period_to,
        round_from=old.round_from,
        round_name=old.round_name,
        draw_code=old.draw_code,
        status=PlanStatus.DRAFT,
        provisional=old.provisional,
        options=old.options,
        seed=old.seed,
        seen_publication=old.seen_publication,
        input_digest=old.input_digest,
        document_digest=hashlib.sha256(document).hexdigest(),
        document=gzip.compress(document, mtime=0),
        summary=summary,
        created_at=now,
        created_by=actor,
    )
    session.add(record)
    session.flush()
    _store_rows(session, old.id, record.id, repaired, body, tracks)
    audit.append(
        session,
        action="revise",
        entity="plan_revision",
        entity_key=record.code,
        after={"parent": stored.code, "change": body["change"], "document_digest": record.document_digest},
    )
    session.flush()
    return record.code


def measure_amendment(
    session: Session, stored: Stored, repaired: Repaired, *, straight: int = 0
) -> dict[str, Any]:
    """Return the old plan's figures with those that a repair changes counted anew.

    `straight` new places are reckoned by straight line, besides those of the plan itself.
    """
    old = find_revision(session, stored.code)
    measures = verify(repaired.problem, repaired.plan).measures
    kept = [item for item in old.summary["unserved"].items() if item[0] in ("no_slot", "not_placed")]
    counts = dict(kept)
    for left in repaired.plan.unserved:
        counts[left.code] = counts.get(left.code, 0) + 1
    seen = {repaired.problem.visit_by_id[s.visit].site for r in repaired.plan.routes for s in r.stops}
    asked = old.summary["institutions"]
    legs = dict(old.summary.get("legs") or {})
    if straight:
        legs["unanswered"] = legs.get("unanswered", 0) + straight
    return {
        **old.summary,
        **({"legs": legs} if legs else {}),
        "parent": old.code,
        "visits": len(repaired.problem.visits) + sum(count for _, count in kept),
        "served": int(measures["served"]),
        "mandatory": int(measures["mandatory"]),
        "mandatory_served": int(measures["mandatory_served"]),
        "institutions_seen": len(seen),
        "coverage": round(len(seen) / asked, 4) if asked else 1.0,
        "travel_s": int(measures["travel_s"]),
        "service_s": int(measures["service_s"]),
        "objective": int(measures["objective"]),
        "unserved": dict(sorted(counts.items())),
        "bound": bound_objective(repaired.problem),
        "shifts": int(measures["shifts_used"]),
        **measure_ceiling(repaired.problem, repaired.plan, places=asked),
    }


def _store_rows(
    session: Session,
    old_id: int,
    new_id: int,
    repaired: Repaired,
    body: Mapping[str, Any],
    tracks: Mapping[str, BaseGeometry | None],
) -> None:
    faces = _read_faces(session, old_id)
    officers = dict(session.execute(select(Officer.code, Officer.id)).tuples().all())
    for route in repaired.plan.routes:
        shift = repaired.problem.shift_by_id[route.shift]
        date, _, kind = shift.slot[:10], shift.slot[10], shift.slot[11:]
        row = PlanShift(
            plan_id=new_id,
            code=shift.id,
            team=shift.team,
            date=dt.date.fromisoformat(date),
            slot_kind=SlotKind(kind),  # type: ignore[call-arg]
            start_s=shift.start_s,
            end_s=shift.end_s,
            travel_s=measure_travel(
                repaired.problem, shift, [repaired.problem.visit_by_id[stop.visit] for stop in route.stops]
            ),
            track=tracks.get(shift.id),
        )
        session.add(row)
        session.flush()
        crew = body["crews"][shift.id]
        session.add_all(
            PlanShiftMember(shift_id=row.id, officer_id=officers[m], leads=m == crew["leader"])
            for m in crew["members"]
        )
        rows = []
        for sequence, stop in enumerate(route.stops, start=1):
            visit = repaired.problem.visit_by_id[stop.visit]
            rows.append(
                PlanStop(
                    **_face_of(session, faces, visit.site),
                    **_why(body, visit.id),
                    plan_id=new_id,
                    shift_id=row.id,
                    visit_code=visit.id,
                    sequence=sequence,
                    arrive_s=stop.arrive_s,
                    start_s=stop.start_s,
                    leave_s=stop.leave_s,
                    slot_class=SLOT_CLASS[row.slot_kind],
                    mandatory=visit.mandatory,
                    form=VisitForm(body["visits"][visit.id]["form"]),  # type: ignore[call-arg]
                )
            )
        session.add_all(with_calls(rows))
    _store_unserved(session, old_id, new_id, repaired, body)


def _why(body: Mapping[str, Any], visit_id: str) -> dict[str, Any]:
    why = body["visits"][visit_id]
    return {"reason": VisitReason(why["reason"]), "p_select": why["p_select"]}  # type: ignore[call-arg]


def _read_faces(session: Session, plan_id: int) -> dict[str, dict[str, Any]]:
    """Return name, place, points and reasons of every site as the old plan's stops show them."""
    names = ("institution_id", "name", "address", "lon", "lat", "error_radius_m", "points", "reasons")
    return {
        f"I{stop.institution_id}": {name: getattr(stop, name) for name in names}
        for stop in session.scalars(select(PlanStop).where(PlanStop.plan_id == plan_id).order_by(PlanStop.id))
    }


def _face_of(session: Session, faces: dict[str, dict[str, Any]], site: str) -> dict[str, Any]:
    """Return a site's face; one the old plan left out shows the register's."""
    if site not in faces:
        record = session.get_one(Institution, int(site.removeprefix("I")))
        faces[site] = {
            "institution_id": record.id,
            "name": record.name,
            "address": record.address,
            "lon": record.lon,
            "lat": record.lat,
            "error_radius_m": record.error_radius_m,
            "points": 0.0,
            "reasons": [],
        }
    return faces[site]


def _store_unserved(
    session: Session, old_id: int, new_id: int, repaired: Repaired, body: Mapping[str, Any]
) -> None:
    """Store what stays out, and again what the old plan could never place."""
    stops = select(PlanStop.visit_code, PlanStop.slot_class).where(PlanStop.plan_id == old_id)
    classes: dict[str, SlotClass | None] = dict(session.execute(stops).tuples().all())
    for row in session.scalars(select(PlanUnserved).where(PlanUnserved.plan_id == old_id)):
        classes[row.visit_code] = row.slot_class
        if row.visit_code not in body["visits"]:
            session.add(
                PlanUnserved(
                    plan_id=new_id,
                    institution_id=row.institution_id,
                    visit_code=row.visit_code,
                    slot_class=row.slot_class,
                    mandatory=row.mandatory,
                    reason=row.reason,
                    p_select=row.p_select,
                    code=row.code,
                    detail=row.detail,
                )
            )
    for left in repaired.plan.unserved:
        visit = repaired.problem.visit_by_id[left.visit]
        session.add(
            PlanUnserved(
                **_why(body, visit.id),
                plan_id=new_id,
                institution_id=int(visit.site.removeprefix("I")),
                visit_code=visit.id,
                slot_class=classes.get(visit.id),
                mandatory=visit.mandatory,
                code=left.code,
                detail=dict(left.detail),
            )
        )
