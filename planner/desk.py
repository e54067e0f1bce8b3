"""The desk: what the solver is given for a period, read from the register, with crews already named."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import select
from sqlalchemy.orm import Session

from data import frames
from data.calendar import load_calendar
from data.schema import District
from data.staff import is_certified, list_officers
from geo.travel import TravelModel, straight_line
from planner.crew import Crew, Officer, Roster, SlotNeed
from planner.demand import FIRST_VISIT_PRIZE, NotWanted, Want, list_wants
from planner.errors import BrokenPlanError, Fault, OptionsError, PlannerError
from planner.ledger import read_accounts, read_duties, read_facts
from planner.options import RosterOptions
from planner.problem import Depot, Problem, Shift, Site, Visit
from planner.risk import score_institutions
from planner.roster import make_roster
from planner.slots import Slot, SlotRules, list_slots, read_rules
from planner.verify_roster import verify_roster
from planner.workload import size_slots

MIN_GAP_DAYS = 2
# Parking and stairs at every stop.
STOP_OVERHEAD_S = 120.0
MAX_DAYS = 62
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
    roster: Roster
    officer_ids: Mapping[str, int]
    travel: str


def build_desk(
    session: Session,
    *,
    options: PlanOptions,
    rules: SlotRules | None = None,
    extra: Mapping[str, int] | None = None,
) -> Desk:
    """Read the register and return the problem with crews already named.

    Parameters
    ----------
    extra
        Teams to add to the workload's estimate, by slot.

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
    travel_s, described = _travel(session, options, places)
    visits = [want.visit for want in wants]
    roster, officer_ids = _crew_slots(session, slots, visits, travel_s, options=options, extra=extra or {})
    crews = {f"{crew.slot}-T{crew.number}": crew for crew in roster.crews}
    by_id = {slot.id: slot for slot in slots}
    ids = [int(key) for key in places.index]
    return Desk(
        _problem(wants, crews, by_id, ids, travel_s, first_day=options.first),
        {want.visit.id: want for want in wants},
        tuple(left),
        _places(places),
        by_id,
        crews,
        roster,
        officer_ids,
        described,
    )


def _travel(session: Session, options: PlanOptions, places: Any) -> tuple[NDArray[np.int32], str]:
    """Return seconds between the depot (first) and all places, and how they were reckoned."""
    depot = _depot(session, options, places)
    model: TravelModel = straight_line(options.travel, fixed_s=STOP_OVERHEAD_S)
    lon = np.concatenate([[depot[0]], places.geometry.x.to_numpy()])
    lat = np.concatenate([[depot[1]], places.geometry.y.to_numpy()])
    return np.asarray(model.matrix_s(lon, lat), dtype=np.int32), model.description


def _crew_slots(
    session: Session,
    slots: Sequence[Slot],
    visits: Sequence[Visit],
    travel_s: NDArray[np.int32],
    *,
    options: PlanOptions,
    extra: Mapping[str, int],
) -> tuple[Roster, dict[str, int]]:
    """Size every slot, make the roster and check it; also return the officers' record ids by code."""
    officers, officer_ids = _officers(session, options)
    rules = RosterOptions(seed=options.seed % 2**31)
    certified = sum(officer.certified for officer in officers)
    teams = size_slots(
        visits,
        slots,
        teams=options.teams,
        travel_s=_expected_leg(travel_s),
        depot_s=float(travel_s[0, 1:].mean() + travel_s[1:, 0].mean()),
        crews_a_week=certified * rules.max_week // rules.min_certified,
    )
    needs = [
        SlotNeed(
            slot.id,
            slot.date,
            slot.balance,
            slot.start_s,
            slot.end_s,
            min(teams[slot.id] + extra.get(slot.id, 0), options.teams),
        )
        for slot in slots
    ]
    roster = make_roster(officers, needs, options=rules)
    checked = verify_roster(officers, needs, roster, options=rules)
    if not checked.holds:
        raise BrokenPlanError(fields={"violations": [v.code for v in checked.violations]})
    return roster, officer_ids


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
