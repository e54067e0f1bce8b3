"""STEP: a plan as a stored revision: its canonical document, its rows and its figures."""

from __future__ import annotations

import datetime as dt
import gzip
import hashlib
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from shapely.geometry import LineString
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from data import audit
from data.schema import PlanRevision, PlanShift, PlanShiftMember, PlanStop, PlanUnserved
from data.terms import SLOT_CLASS, PlanStatus, RoundName, SlotClass, VisitReason
from planner.bound import bound_problem
from planner.calls import with_calls
from planner.demand import NotWanted, Want
from planner.desk import Desk
from planner.exchange import format_plan, format_problem
from planner.options import PlanOptions
from planner.plan import Plan, Stop
from planner.problem import Problem
from planner.rosterfile import describe_staffing
from planner.scorecard import describe_card
from planner.verify import verify

MOST_BOUNDED = 5_000
"""Visits above which no ceiling is computed: it is stored with the plan, inside its transaction."""


@dataclass(frozen=True)
class PlanResult:
    """A stored draft: its code and the figures shown to people."""

    code: str
    summary: dict[str, Any] = field(default_factory=dict)


def document_of(desk: Desk, plan: Plan, options: PlanOptions) -> bytes:
    """Return the plan's canonical document: the same inputs, options and seed give the same bytes."""
    body = {
        "format": "gridpatrol-revision/1",
        "options": options.as_json(),
        "travel": desk.travel,
        "roads": desk.legs.roads,
        "problem": json.loads(format_problem(desk.problem)),
        "first_visit_prize": desk.problem.first_visit_prize,
        "plan": json.loads(format_plan(plan)),
        "crews": {
            shift_id: {"members": list(crew.members), "leader": crew.leader}
            for shift_id, crew in sorted(desk.crews.items())
        },
        "roster": describe_staffing(desk.staffing),
        "visits": {key: _describe(want) for key, want in sorted(desk.wants.items())},
        "control": {"pool": list(desk.control.pool), "drawn": list(desk.control.drawn)},
        "scorecard": describe_card(desk.card),
    }
    return json.dumps(body, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


def _describe(want: Want) -> dict[str, Any]:
    """Return why a visit is wanted, with which chance, in which form, and what was hidden from it."""
    return {
        "reason": want.reason.value,
        "p_select": want.p_select,
        "form": want.form.value,
        "hidden": [window.slot for window in want.hidden],
    }


def store_draft(
    session: Session,
    desk: Desk,
    plan: Plan,
    *,
    options: PlanOptions,
    figures: dict[str, Any],
    tracks: Mapping[str, LineString],
    actor: str,
    now: dt.datetime,
    seen: int = 0,
) -> PlanResult:
    """Store a solved plan as a draft with its rows; `figures` and `tracks` by `summarise`, `draw_tracks`.

    `seen` is the newest publication when the register was read.
    """
    document = document_of(desk, plan, options)
    problem_text = format_problem(desk.problem)
    digest_input = json.dumps(options.as_json(), sort_keys=True) + problem_text
    summary = figures | {"draw": options.draw, "round": options.round}
    provisional = any(slot.provisional for slot in desk.slots.values())
    number = (session.scalar(select(func.max(PlanRevision.id))) or 0) + 1
    revision = PlanRevision(
        code=f"P{options.first:%Y%m%d}-{number:03d}",
        period_from=options.first,
        period_to=options.last,
        round_from=options.round_from or options.first,
        round_name=None if options.round is None else RoundName(options.round),  # type: ignore[call-arg]
        draw_code=options.draw,
        status=PlanStatus.DRAFT,
        provisional=provisional,
        options=options.as_json(),
        seed=options.seed,
        seen_publication=seen,
        input_digest=hashlib.sha256(digest_input.encode()).hexdigest(),
        document_digest=hashlib.sha256(document).hexdigest(),
        document=gzip.compress(document, mtime=0),
        summary=summary,
        created_at=now,
        created_by=actor,
    )
    session.add(revision)
    session.flush()
    _store_rows(session, revision.id, desk, plan, tracks)
    audit.append(
        session,
        action="draft",
        entity="plan_revision",
        entity_key=revision.code,
        # The seed of a draw is told when it is revealed.
        after={
            "document_digest": revision.document_digest,
            "seed": revision.seed if options.draw is None else None,
            "draw": options.draw,
        },
    )
    session.flush()
    return PlanResult(revision.code, {"plan": revision.code, "provisional": provisional, **summary})


def _store_rows(
    session: Session, plan_id: int, desk: Desk, plan: Plan, tracks: Mapping[str, LineString]
) -> None:
    for route in plan.routes:
        if not route.stops:
            continue
        crew, slot = desk.crews[route.shift], desk.slots[desk.crews[route.shift].slot]
        shift = PlanShift(
            plan_id=plan_id,
            code=route.shift,
            team=f"T{crew.number}",
            date=slot.date,
            slot_kind=slot.kind,
            start_s=slot.start_s,
            end_s=slot.end_s,
            travel_s=_route_travel(desk.problem, [stop.visit for stop in route.stops]),
            track=tracks.get(route.shift),
        )
        session.add(shift)
        session.flush()
        session.add_all(
            PlanShiftMember(
                shift_id=shift.id, officer_id=desk.staffing.officer_ids[member], leads=member == crew.leader
            )
            for member in crew.members
        )
        session.add_all(
            with_calls(
                [_stop_row(desk, shift, sequence, stop) for sequence, stop in enumerate(route.stops, start=1)]
            )
        )
    for missed in plan.unserved:
        want = desk.wants[missed.visit]
        item = NotWanted(
            want.institution_id,
            want.slot_class,
            want.visit.mandatory,
            missed.code,
            {**missed.detail, **({"hidden_slots": len(want.hidden)} if want.hidden else {})},
            want.reason,
            want.p_select,
        )
        session.add(_unserved_row(plan_id, missed.visit, item))
    session.add_all(_unserved_row(plan_id, f"I{item.institution_id}", item) for item in desk.left)


def _stop_row(desk: Desk, shift: PlanShift, sequence: int, stop: Stop) -> PlanStop:
    want = desk.wants[stop.visit]
    place = desk.places[want.institution_id]
    return PlanStop(
        plan_id=shift.plan_id,
        shift_id=shift.id,
        institution_id=want.institution_id,
        visit_code=stop.visit,
        name=place.name,
        address=place.address,
        lon=place.lon,
        lat=place.lat,
        error_radius_m=place.error_radius_m,
        sequence=sequence,
        arrive_s=stop.arrive_s,
        start_s=stop.start_s,
        leave_s=stop.leave_s,
        slot_class=SLOT_CLASS[shift.slot_kind],
        mandatory=want.visit.mandatory,
        points=want.score.points,
        reason=want.reason,
        p_select=want.p_select,
        form=want.form,
        reasons=list(want.reasons),
    )


def _unserved_row(plan_id: int, visit_code: str, item: NotWanted) -> PlanUnserved:
    return PlanUnserved(
        plan_id=plan_id,
        institution_id=item.institution_id,
        visit_code=visit_code,
        slot_class=item.slot_class,
        mandatory=item.mandatory,
        reason=item.reason,
        p_select=item.p_select,
        code=item.code,
        detail=item.detail,
    )


def _route_travel(problem: Problem, visit_ids: Sequence[str]) -> int:
    places = [0, *(problem.site_by_id[problem.visit_by_id[v].site].location for v in visit_ids), 0]
    return int(sum(problem.leg_s(a, b) for a, b in pairwise(places)))


def summarise(desk: Desk, plan: Plan) -> dict[str, Any]:
    """Return the plan's figures: visits and places are counted apart (家次 and 家)."""
    measures = verify(desk.problem, plan).measures
    seen = {desk.wants[s.visit].institution_id for r in plan.routes for s in r.stops}
    asked = {want.institution_id for want in desk.wants.values()} | {i.institution_id for i in desk.left}
    codes = Counter([u.code for u in plan.unserved] + [item.code for item in desk.left])
    slots_used = {desk.crews[r.shift].slot for r in plan.routes if r.stops}
    by_class = Counter(desk.slots[desk.crews[r.shift].slot].slot_class for r in plan.routes for _ in r.stops)
    by_reason = Counter(desk.wants[s.visit].reason for r in plan.routes for s in r.stops)
    served = int(measures["served"])
    return {
        "visits": len(desk.wants) + len(desk.left),
        "served": served,
        "mandatory": int(measures["mandatory"]) + sum(item.mandatory for item in desk.left),
        "mandatory_served": int(measures["mandatory_served"]),
        "institutions": len(asked),
        "institutions_seen": len(seen),
        "coverage": round(len(seen) / len(asked), 4) if asked else 1.0,
        "travel_s": int(measures["travel_s"]),
        "service_s": int(measures["service_s"]),
        "objective": int(measures["objective"]),
        "unserved": dict(sorted(codes.items())),
        "scorecard": desk.card.version,
        "by_reason": {reason.value: by_reason[reason] for reason in VisitReason if by_reason[reason]},
        "control": {
            "share": desk.control.share,
            "eligible": len(desk.control.pool),
            "drawn": len(desk.control.drawn),
            "served": by_reason[VisitReason.RANDOM],
            "realised": round(by_reason[VisitReason.RANDOM] / served, 4) if served else 0.0,
        },
        "hidden_slots": sum(len(want.hidden) for want in desk.wants.values()),
        "bound": plan.bound,
        **measure_ceiling(desk.problem, plan, places=len(asked)),
        "shifts": sum(bool(r.stops) for r in plan.routes),
        "slots": len(slots_used),
        "teams": max((desk.crews[r.shift].number for r in plan.routes if r.stops), default=0),
        "by_class": {c.value: by_class[c] for c in SlotClass if by_class[c]},
        "spread": dict(desk.roster.spread),
        "roster_gap": round(desk.roster.gap, 4),
        "rounds": sum(desk.crews[r.shift].official is not None for r in plan.routes if r.stops),
        "shortfalls": len(desk.roster.shortfalls),
        "travel": desk.travel,
        "legs": desk.legs.facts(),
    }


def measure_ceiling(problem: Problem, plan: Plan, *, places: int) -> dict[str, dict[str, float]]:
    """Return in percent what the plan reaches and what no plan of this problem can exceed.

    Parameters
    ----------
    problem, plan
        What was asked and the answer.
    places
        Places that owe a visit, those that can never be placed included.

    Returns
    -------
    dict
        `reached` and `ceiling`, each with `prize` (risk-weighted visits: their prizes) and `sites` (places
        seen); ceilings are rounded up, so that they hold as printed. Empty above `MOST_BOUNDED` visits.
    """
    if len(problem.visits) > MOST_BOUNDED:
        return {}
    bound = bound_problem(problem)
    served = {stop.visit for route in plan.routes for stop in route.stops}
    seen = {problem.visit_by_id[visit].site for visit in served}
    whole = sum(visit.prize for visit in problem.visits)
    prize = sum(problem.visit_by_id[visit].prize for visit in served)
    return {
        "reached": {"prize": _percent(prize, whole), "sites": _percent(len(seen), places)},
        "ceiling": {"prize": _percent_up(bound.prize, whole), "sites": _percent_up(bound.sites, places)},
    }


def _percent(part: int, whole: int) -> float:
    return round(100 * part / whole, 1) if whole else 100.0


def _percent_up(part: int, whole: int) -> float:
    # In whole numbers: a division first could lift an exact value over the next tenth.
    return -(-1000 * min(part, whole) // whole) / 10 if whole else 100.0
