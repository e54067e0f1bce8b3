"""STEP: build the planning problem from the register, solve it and store the plan as a draft revision."""

from __future__ import annotations

import datetime as dt
import gzip
import hashlib
import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from itertools import pairwise
from typing import Any

import numpy as np
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from data import audit, frames
from data.calendar import load_calendar
from data.schema import District, PlanRevision, PlanShift, PlanShiftMember, PlanStop, PlanUnserved
from data.staff import is_certified, list_officers
from data.store import Store
from data.terms import PlanStatus, SlotClass
from geo.travel import TravelModel, straight_line
from planner.crew import Crew, Officer, Roster, SlotNeed
from planner.demand import FIRST_VISIT_PRIZE, NotWanted, Want, list_wants
from planner.errors import BrokenPlanError, Fault, OptionsError, PlannerError
from planner.exchange import format_plan, format_problem
from planner.improve import Progress
from planner.ledger import read_accounts, read_duties, read_facts
from planner.options import RosterOptions, SolveOptions
from planner.plan import Plan
from planner.problem import Depot, Problem, Shift, Site
from planner.risk import score_institutions
from planner.roster import make_roster
from planner.slots import Slot, SlotRules, list_slots, read_rules
from planner.solve import solve
from planner.verify import verify
from planner.verify_roster import verify_roster
from planner.workload import size_slots

MAX_DAYS = 62
MIN_GAP_DAYS = 2
DEFAULT_ITERATIONS = 60_000


@dataclass(frozen=True, kw_only=True)
class PlanOptions:
    """What a team lead asks for.

    Parameters
    ----------
    first, last : date
        Period, both inclusive.
    round_from : date or None
        First day of the coverage round; visits paid since then are not owed again. None: the period's first.
    teams : int
        Most teams at work in one slot.
    seed, iterations, limit_s, workers
        Of the solver; iterations give the same plan again, a wall limit does not.
    travel : str
        Travel profile (`walk`, `ebike`, `car`).
    depot : tuple of float or None
        Longitude and latitude where shifts start; the district's depot, else the middle of all places.

    Raises
    ------
    OptionsError
        With every fault.
    """

    first: dt.date
    last: dt.date
    round_from: dt.date | None = None
    teams: int = 6
    seed: int = 1
    iterations: int | None = DEFAULT_ITERATIONS
    limit_s: float | None = None
    workers: int = 1
    travel: str = "ebike"
    depot: tuple[float, float] | None = None

    def __post_init__(self) -> None:
        """Refuse impossible periods and teams."""
        faults = []
        if self.last < self.first:
            faults.append(
                Fault("last", "period_reversed", {"first": str(self.first), "last": str(self.last)})
            )
        elif (self.last - self.first).days >= MAX_DAYS:
            faults.append(Fault("last", "period_too_long", {"most_days": MAX_DAYS}))
        if self.round_from is not None and self.round_from > self.first:
            faults.append(Fault("round_from", "round_after_period", {"round_from": str(self.round_from)}))
        if not 1 <= self.teams <= 60:
            faults.append(Fault("teams", "out_of_range", {"least": 1, "most": 60, "value": self.teams}))
        if faults:
            raise OptionsError(faults)

    def as_json(self) -> dict[str, Any]:
        """Return the options as plain values."""
        return {
            name: value.isoformat() if isinstance(value, dt.date) else value
            for name, value in asdict(self).items()
        }


@dataclass(frozen=True)
class Desk:
    """Everything the solver was given, and the register's side of it."""

    problem: Problem
    wants: Mapping[str, Want]
    left: tuple[NotWanted, ...]
    slots: Mapping[str, Slot]
    crews: Mapping[str, Crew]
    roster: Roster
    officer_ids: Mapping[str, int]
    travel: str


@dataclass(frozen=True)
class PlanResult:
    """A stored draft: its code and the figures shown to people."""

    code: str
    summary: dict[str, Any] = field(default_factory=dict)


Report = Callable[[float, str], None]


def make_plan(
    store: Store,
    *,
    options: PlanOptions,
    actor: str,
    now: dt.datetime,
    today: dt.date,
    progress: Report | None = None,
    cancel: Callable[[], bool] | None = None,
) -> PlanResult:
    """Plan a period and store the result as a draft; nothing is stored when anything fails.

    The register is read in one transaction, the solver runs without any, the draft is written in another.

    Raises
    ------
    PlannerError
        `period_in_past`, `no_institutions`, `no_certified_officers`, `cancelled`, or the solver's refusal.
    """
    report = progress or (lambda share, stage: None)
    if options.first < today:
        raise PlannerError(code="period_in_past", fields={"first": str(options.first), "today": str(today)})
    report(0.02, "reading")
    with store.reading() as session:
        desk = build_desk(session, options=options)
    report(0.15, "solving")

    def on_progress(step: Progress) -> None:
        report(0.15 + 0.75 * min(step.share, 1.0), "solving")

    plan = solve(
        desk.problem,
        options=SolveOptions(
            seed=options.seed, iterations=options.iterations, limit_s=options.limit_s, workers=options.workers
        ),
        progress=on_progress,
        cancel=cancel,
    )
    if cancel is not None and cancel():
        raise PlannerError(code="cancelled")
    report(0.92, "checking")
    checked = verify(desk.problem, plan)
    if not checked.holds:
        raise BrokenPlanError(fields={"violations": [v.code for v in checked.violations]})
    report(0.95, "storing")
    with store.begin(actor=actor, now=now) as session:
        result = store_draft(session, desk, plan, options=options, actor=actor, now=now)
    report(1.0, "done")
    return result


def build_desk(session: Session, *, options: PlanOptions, rules: SlotRules | None = None) -> Desk:
    """Read the register and return the problem with crews already named.

    Raises
    ------
    PlannerError
        `no_institutions`, `nothing_placed`, `no_certified_officers`.
    """
    rules = rules or read_rules()
    slots = list_slots(load_calendar(session), first=options.first, last=options.last, rules=rules)
    accounts = read_accounts(session, round_from=options.round_from or options.first, before=options.first)
    if not accounts:
        raise PlannerError(code="no_institutions")
    scores = score_institutions(read_facts(session, as_of=options.first), as_of=options.first)
    duties = read_duties(session, until=options.last)
    wants, left = list_wants(accounts, duties, scores, slots, rules=rules, first_day=options.first)
    places = frames.institutions_frame(session)
    places = places[places.geometry.notna()]
    if places.empty:
        raise PlannerError(code="nothing_placed")
    ids = [int(key) for key in places.index]
    depot = _depot(session, options, places)
    model = straight_line(options.travel, fixed_s=120.0)
    lon = np.concatenate([[depot[0]], places.geometry.x.to_numpy()])
    lat = np.concatenate([[depot[1]], places.geometry.y.to_numpy()])
    travel_s = np.asarray(model.matrix_s(lon, lat), dtype=np.int32)
    officers, officer_ids = _officers(session, options)
    roster_options = RosterOptions(seed=options.seed % 2**31)
    certified = sum(officer.certified for officer in officers)
    teams = size_slots(
        [want.visit for want in wants],
        slots,
        teams=options.teams,
        travel_s=_expected_leg(travel_s),
        depot_s=float(travel_s[0, 1:].mean() + travel_s[1:, 0].mean()),
        crews_a_week=certified * roster_options.max_week // roster_options.min_certified,
    )
    needs = [
        SlotNeed(slot.id, slot.date, slot.balance, slot.start_s, slot.end_s, teams[slot.id]) for slot in slots
    ]
    roster = make_roster(officers, needs, options=roster_options)
    checked = verify_roster(officers, needs, roster, options=roster_options)
    if not checked.holds:
        raise BrokenPlanError(fields={"violations": [v.code for v in checked.violations]})
    crews = {f"{crew.slot}-T{crew.number}": crew for crew in roster.crews}
    by_id = {slot.id: slot for slot in slots}
    problem = _problem(wants, crews, by_id, ids, travel_s, first_day=options.first)
    return Desk(
        problem,
        {want.visit.id: want for want in wants},
        tuple(left),
        by_id,
        crews,
        roster,
        officer_ids,
        _describe(model),
    )


def _describe(model: TravelModel) -> str:
    return model.description


def _expected_leg(travel_s: np.ndarray[Any, Any]) -> float:
    """Return the mean travel to the third nearest place: what a stop costs once routes are dense."""
    if len(travel_s) < 5:
        return float(travel_s.mean())
    return float(np.partition(travel_s[1:, 1:], 3, axis=1)[:, 3].mean())


def _depot(session: Session, options: PlanOptions, places: Any) -> tuple[float, float]:
    if options.depot is not None:
        return options.depot
    district = session.scalar(select(District).limit(1))
    if district is not None and district.depot_lon is not None and district.depot_lat is not None:
        return district.depot_lon, district.depot_lat
    return float(places.geometry.x.median()), float(places.geometry.y.median())


def _officers(session: Session, options: PlanOptions) -> tuple[list[Officer], dict[str, int]]:
    """Return the officers who may work; a certificate must hold through the whole period."""
    records = list_officers(session)
    people = [
        Officer(
            id=record.code,
            certified=is_certified(record, options.last),
            leader=record.leads,
            departments=(record.department,),
            unavailable=frozenset(day.date for day in record.leave),
        )
        for record in records
    ]
    if sum(person.certified for person in people) < 2:
        raise PlannerError(
            code="no_certified_officers",
            fields={"officers": len(people), "certified": sum(p.certified for p in people)},
        )
    return people, {record.code: record.id for record in records}


def _problem(
    wants: Sequence[Want],
    crews: Mapping[str, Crew],
    slots: Mapping[str, Slot],
    ids: Sequence[int],
    travel_s: np.ndarray[Any, Any],
    *,
    first_day: dt.date,
) -> Problem:
    location = {institution_id: index + 1 for index, institution_id in enumerate(ids)}
    shifts = [
        Shift(
            id=shift_id,
            team=f"T{crew.number}",
            slot=crew.slot,
            day=(slots[crew.slot].date - first_day).days,
            start_s=slots[crew.slot].start_s,
            end_s=slots[crew.slot].end_s,
            depot="D",
        )
        for shift_id, crew in crews.items()
    ]
    sites = {
        want.visit.site: Site(want.visit.site, location[want.institution_id], MIN_GAP_DAYS) for want in wants
    }
    return Problem(
        travel_s=travel_s,
        depots=(Depot("D", 0),),
        shifts=tuple(shifts),
        sites=tuple(sites.values()),
        visits=tuple(want.visit for want in wants),
        first_visit_prize=FIRST_VISIT_PRIZE,
    )


def document_of(desk: Desk, plan: Plan, options: PlanOptions) -> bytes:
    """Return the plan's canonical document: the same inputs, options and seed give the same bytes."""
    body = {
        "format": "gridpatrol-revision/1",
        "options": options.as_json(),
        "travel": desk.travel,
        "problem": json.loads(format_problem(desk.problem)),
        "first_visit_prize": desk.problem.first_visit_prize,
        "plan": json.loads(format_plan(plan)),
        "crews": {
            shift_id: {"members": list(crew.members), "leader": crew.leader}
            for shift_id, crew in sorted(desk.crews.items())
        },
        "shortfalls": [
            {"slot": s.slot, "wanted": s.wanted, "crewed": s.crewed, "code": s.code}
            for s in desk.roster.shortfalls
        ],
    }
    return json.dumps(body, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


def store_draft(
    session: Session,
    desk: Desk,
    plan: Plan,
    *,
    options: PlanOptions,
    actor: str,
    now: dt.datetime,
) -> PlanResult:
    """Store a solved plan as a draft revision with its rows."""
    document = document_of(desk, plan, options)
    problem_text = format_problem(desk.problem)
    digest_input = json.dumps(options.as_json(), sort_keys=True) + problem_text
    summary = summarise(desk, plan)
    provisional = any(slot.provisional for slot in desk.slots.values())
    number = (session.scalar(select(func.max(PlanRevision.id))) or 0) + 1
    revision = PlanRevision(
        code=f"P{options.first:%Y%m%d}-{number:03d}",
        period_from=options.first,
        period_to=options.last,
        round_from=options.round_from or options.first,
        status=PlanStatus.DRAFT,
        provisional=provisional,
        options=options.as_json(),
        seed=options.seed,
        input_digest=hashlib.sha256(digest_input.encode()).hexdigest(),
        document_digest=hashlib.sha256(document).hexdigest(),
        document=gzip.compress(document, mtime=0),
        summary=summary,
        created_at=now,
        created_by=actor,
    )
    session.add(revision)
    session.flush()
    _store_rows(session, revision.id, desk, plan)
    audit.append(
        session,
        action="draft",
        entity="plan_revision",
        entity_key=revision.code,
        after={"document_digest": revision.document_digest, "seed": revision.seed},
    )
    session.flush()
    return PlanResult(revision.code, {"plan": revision.code, "provisional": provisional, **summary})


def _store_rows(session: Session, plan_id: int, desk: Desk, plan: Plan) -> None:
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
        )
        session.add(shift)
        session.flush()
        session.add_all(
            PlanShiftMember(
                shift_id=shift.id, officer_id=desk.officer_ids[member], leads=member == crew.leader
            )
            for member in crew.members
        )
        for sequence, stop in enumerate(route.stops, start=1):
            want = desk.wants[stop.visit]
            session.add(
                PlanStop(
                    plan_id=plan_id,
                    shift_id=shift.id,
                    institution_id=want.institution_id,
                    visit_code=stop.visit,
                    sequence=sequence,
                    arrive_s=stop.arrive_s,
                    start_s=stop.start_s,
                    leave_s=stop.leave_s,
                    slot_class=slot.slot_class,
                    mandatory=want.visit.mandatory,
                    points=want.score.points,
                    reasons=list(want.reasons),
                )
            )
    for missed in plan.unserved:
        want = desk.wants[missed.visit]
        session.add(
            PlanUnserved(
                plan_id=plan_id,
                institution_id=want.institution_id,
                visit_code=missed.visit,
                slot_class=want.slot_class,
                mandatory=want.visit.mandatory,
                code=missed.code,
                detail=dict(missed.detail),
            )
        )
    for item in desk.left:
        session.add(
            PlanUnserved(
                plan_id=plan_id,
                institution_id=item.institution_id,
                visit_code=f"I{item.institution_id}",
                slot_class=item.slot_class,
                mandatory=item.mandatory,
                code=item.code,
                detail=item.detail,
            )
        )


def _route_travel(problem: Problem, visit_ids: Sequence[str]) -> int:
    places = [0, *(problem.site_by_id[problem.visit_by_id[v].site].location for v in visit_ids), 0]
    return int(sum(problem.travel_s[a, b] for a, b in pairwise(places)))


def summarise(desk: Desk, plan: Plan) -> dict[str, Any]:
    """Return the plan's figures: visits and places are counted apart (家次 and 家)."""
    measures = verify(desk.problem, plan).measures
    seen = {desk.wants[s.visit].institution_id for r in plan.routes for s in r.stops}
    asked = {want.institution_id for want in desk.wants.values()} | {i.institution_id for i in desk.left}
    codes = Counter([u.code for u in plan.unserved] + [item.code for item in desk.left])
    slots_used = {desk.crews[r.shift].slot for r in plan.routes if r.stops}
    by_class = Counter(desk.slots[desk.crews[r.shift].slot].slot_class for r in plan.routes for _ in r.stops)
    return {
        "visits": len(desk.wants) + len(desk.left),
        "served": int(measures["served"]),
        "mandatory": int(measures["mandatory"]) + sum(item.mandatory for item in desk.left),
        "mandatory_served": int(measures["mandatory_served"]),
        "institutions": len(asked),
        "institutions_seen": len(seen),
        "coverage": round(len(seen) / len(asked), 4) if asked else 1.0,
        "travel_s": int(measures["travel_s"]),
        "service_s": int(measures["service_s"]),
        "objective": int(measures["objective"]),
        "unserved": dict(sorted(codes.items())),
        "bound": plan.bound,
        "shifts": sum(bool(r.stops) for r in plan.routes),
        "slots": len(slots_used),
        "teams": max((desk.crews[r.shift].number for r in plan.routes if r.stops), default=0),
        "by_class": {c.value: by_class[c] for c in SlotClass if by_class[c]},
        "spread": dict(desk.roster.spread),
        "shortfalls": len(desk.roster.shortfalls),
        "travel": desk.travel,
    }
