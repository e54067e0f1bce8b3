"""The desk: what the solver is given for a period, read from the register, with crews already named."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from sqlalchemy import select
from sqlalchemy.orm import Session

from data import frames
from data.calendar import load_calendar
from data.schema import District
from geo.colocation import stop_keys
from planner.caps import cap_wants, read_inspections
from planner.casebook import read_facts
from planner.control import Control, draw_control, hide_slots, show_where_needed
from planner.crew import Crew, Roster
from planner.demand import FIRST_VISIT_PRIZE, NotWanted, Terms, Want, list_offers, list_wants
from planner.errors import PlannerError
from planner.ledger import Account, read_accounts, read_duties
from planner.legs import Legs, read_legs
from planner.options import PlanOptions
from planner.problem import Cap, Depot, Problem, Shift, Site
from planner.recusal import read_barred
from planner.risk import Scorecard, score_institutions
from planner.scorecard import read_scorecard
from planner.slots import Slot, SlotRules, list_slots, read_rules
from planner.staffing import Staffing, read_office, staff_slots
from planner.workload import size_slots

MIN_GAP_DAYS = 2


@dataclass(frozen=True)
class Place:
    """An institution as it was when the plan was made."""

    name: str
    address: str
    lon: float
    lat: float
    error_radius_m: float | None


@dataclass(frozen=True)
class Desk:
    """Everything the solver was given, and the register's side of it."""

    problem: Problem
    wants: Mapping[str, Want]
    left: tuple[NotWanted, ...]
    places: Mapping[int, Place]
    slots: Mapping[str, Slot]
    crews: Mapping[str, Crew]
    staffing: Staffing
    travel: str
    legs: Legs
    control: Control = field(default_factory=Control)
    card: Scorecard = field(default_factory=Scorecard)

    @property
    def roster(self) -> Roster:
        """Who works where."""
        return self.staffing.roster


@dataclass(frozen=True)
class _Demand:
    """What a period asks for, before anybody is rostered."""

    wants: list[Want]
    left: tuple[NotWanted, ...]
    caps: tuple[Cap, ...]
    shut: frozenset[str]
    control: Control
    card: Scorecard


def build_desk(
    session: Session,
    *,
    options: PlanOptions,
    rules: SlotRules | None = None,
    extra: Mapping[str, int] | None = None,
    whole: Collection[str] = (),
    committed: Collection[str] | None = None,
    count: int | None = None,
) -> Desk:
    """Read the register and return the problem with crews already named.

    Parameters
    ----------
    extra
        Teams to add to the workload's estimate, by slot.
    whole
        Sites whose visits keep all their slots.
    committed
        Ids of the sites a commitment names for the draw; None without a commitment.
    count
        How many visits to draw, where the share of all is known not to be the share of what is served.

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
    demand = _demand(session, accounts, slots, options=options, rules=rules, committed=committed, count=count)
    wants = hide_slots(demand.wants, share=options.thinning, seed=options.seed, whole=whole)
    places = frames.institutions_frame(session)
    places = places[places.geometry.notna()]
    if places.empty:
        raise PlannerError(code="nothing_placed")
    legs = read_legs(session, options.travel, find_depot(session, options.depot))
    points = list(zip(places.geometry.x, places.geometry.y, strict=True))
    travel_s = legs.matrix_s(points, stop_keys([str(text) for text in places["address"]], points))
    office = read_office(session, options=options)
    teams = size_slots(
        [want.visit for want in wants if want.visit.id not in demand.shut],
        slots,
        teams=options.teams,
        travel_s=_expected_leg(travel_s),
        depot_s=float(travel_s[0, 1:].mean() + travel_s[1:, 0].mean()),
        crews_a_week=office.crews_a_week,
    )
    wanted = {slot: min(count + (extra or {}).get(slot, 0), options.teams) for slot, count in teams.items()}
    staffing = staff_slots(office, slots, wanted, options=options)
    crews = {f"{crew.slot}-T{crew.number}": crew for crew in staffing.roster.crews}
    barred = read_barred(session, as_of=options.first, last=options.last)
    wants = show_where_needed(
        wants,
        [(crew.slot, crew.members) for crew in crews.values()],
        barred={(f"I{key}", officer) for key, officers in barred.items() for officer in officers},
    )
    by_id = {slot.id: slot for slot in slots}
    ids = [int(key) for key in places.index]
    problem = _problem(
        wants, crews, by_id, ids, travel_s, barred=barred, first_day=options.first, caps=demand.caps
    )
    return Desk(
        problem,
        {want.visit.id: want for want in wants},
        demand.left,
        _places(places),
        by_id,
        crews,
        staffing,
        legs.model.description,
        legs,
        demand.control,
        demand.card,
    )


def _demand(
    session: Session,
    accounts: Sequence[Account],
    slots: Sequence[Slot],
    *,
    options: PlanOptions,
    rules: SlotRules,
    committed: Collection[str] | None,
    count: int | None,
) -> _Demand:
    """Return what is owed and due, with the yearly caps and the control share."""
    card = read_scorecard(session, as_of=options.first)
    facts = read_facts(session, as_of=options.first)
    scores = score_institutions(facts, as_of=options.first, card=card)
    duties = read_duties(session, until=options.last)
    terms = Terms(options.first, options.inspection, options.campaign)
    owed, left = list_wants(accounts, duties, scores, slots, rules=rules, terms=terms)
    offers = list_offers(accounts, duties, scores, slots, rules=rules, terms=terms, seed=options.seed)
    done = read_inspections(session, first=options.first, last=options.last)
    capped = cap_wants([*owed, *offers], accounts, done, rule=rules.cap)
    wants, control = draw_control(
        capped.wants[: len(owed)],
        capped.wants[len(owed) :],
        share=options.control_share,
        seed=options.seed,
        shut=capped.shut,
        committed=committed,
        count=count,
    )
    named = {want.visit.cap for want in wants}
    caps = tuple(cap for cap in capped.caps if cap.id in named)
    return _Demand(wants, tuple(left), caps, capped.shut, control, card)


def with_crews(desk: Desk, crews: Sequence[Crew]) -> Desk:
    """Return the desk with other people in the same teams; the problem's shifts name them too."""
    by_shift = {f"{crew.slot}-T{crew.number}": crew for crew in crews}
    shifts = tuple(replace(shift, members=by_shift[shift.id].members) for shift in desk.problem.shifts)
    roster = replace(desk.roster, crews=tuple(crews))
    return replace(
        desk,
        problem=replace(desk.problem, shifts=shifts),
        crews=by_shift,
        staffing=replace(desk.staffing, roster=roster),
    )


def _places(frame: Any) -> dict[int, Place]:
    return {
        int(row.Index): Place(
            str(row.label),
            str(row.address),
            float(row.geometry.x),
            float(row.geometry.y),
            None if math.isnan(row.error_radius_m) else float(row.error_radius_m),
        )
        for row in frame.rename(columns={"name": "label"}).astype({"error_radius_m": float}).itertuples()
    }


def _expected_leg(travel_s: np.ndarray[Any, Any]) -> float:
    """Return the mean travel to the third nearest place: what a stop costs once routes are dense."""
    if len(travel_s) < 5:
        return float(travel_s.mean())
    return float(np.partition(travel_s[1:, 1:], 3, axis=1)[:, 3].mean())


def find_depot(session: Session, depot: Sequence[float] | None) -> tuple[float, float]:
    """Return lon, lat where shifts start: as asked, the district's, or the middle of all places."""
    if depot is not None:
        return float(depot[0]), float(depot[1])
    district = session.scalar(select(District).limit(1))
    if district is not None and district.depot_lon is not None and district.depot_lat is not None:
        return district.depot_lon, district.depot_lat
    places = frames.institutions_frame(session)
    places = places[places.geometry.notna()]
    return float(places.geometry.x.median()), float(places.geometry.y.median())


def _problem(
    wants: Sequence[Want],
    crews: Mapping[str, Crew],
    slots: Mapping[str, Slot],
    ids: Sequence[int],
    travel_s: np.ndarray[Any, Any],
    *,
    barred: Mapping[int, Mapping[str, str]],
    first_day: dt.date,
    caps: Sequence[Cap],
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
            members=crew.members,
        )
        for shift_id, crew in crews.items()
    ]
    sites = {
        want.visit.site: Site(
            want.visit.site,
            location[want.institution_id],
            MIN_GAP_DAYS,
            barred=tuple(barred.get(want.institution_id, ())),
            seen=want.seen,
        )
        for want in wants
    }
    return Problem(
        travel_s=travel_s,
        depots=(Depot("D", 0),),
        shifts=tuple(shifts),
        sites=tuple(sites.values()),
        visits=tuple(want.visit for want in wants),
        first_visit_prize=FIRST_VISIT_PRIZE,
        rotate=True,
        caps=tuple(caps),
    )
