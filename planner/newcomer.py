"""STEP: a place the plan does not know yet, brought into its problem: an urgent tip about somewhere new."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import NamedTuple

import numpy as np
from sqlalchemy.orm import Session

from data.schema import Institution
from data.terms import SlotKind
from geo.colocation import stop_keys
from geo.travel import straight_line
from planner.desk import MIN_GAP_DAYS, find_depot
from planner.errors import PlannerError
from planner.legs import STOP_OVERHEAD_S, Legs, read_legs
from planner.problem import Problem, Site, Visit, Window
from planner.slots import Slot, SlotRules, read_rules
from planner.stored import Stored

NEVER_S = 10**6
"""Travel to and from locations no site of the plan uses."""


class Newcomer(NamedTuple):
    """The problem with one more site, the visit it owes, and whether its travel is by straight line."""

    problem: Problem
    visit: Visit
    straight: bool


def bring_in(session: Session, stored: Stored, place: str, problem: Problem) -> Newcomer:
    """Return the problem with one more location and site, and the mandatory visit it owes.

    Travel to and from the place is reckoned as the plan's own was. A repair never waits for a route server:
    where it gives no answer, it is by straight line, and so said; the travel the plan knows stays.

    Parameters
    ----------
    place
        ``I`` and the institution's id.
    problem
        The plan's problem, its crews already brought up to date.

    Raises
    ------
    PlannerError
        `site_not_in_plan` for what is no institution, `place_not_located`, `no_slot_for_place`.
    """
    key = place.removeprefix("I")
    record = session.get(Institution, int(key)) if key.isdecimal() else None
    if record is None:
        raise PlannerError(code="site_not_in_plan", fields={"place": place, "plan": stored.code})
    if record.lon is None or record.lat is None:
        raise PlannerError(code="place_not_located", fields={"place": record.name})
    rules = read_rules()
    windows = _list_windows(problem, record, rules)
    if not windows:
        raise PlannerError(code="no_slot_for_place", fields={"place": record.name, "plan": stored.code})
    matrix, straight = _extend_travel(session, stored, problem, (record.lon, record.lat), record.address)
    site = Site(place, len(matrix) - 1, MIN_GAP_DAYS)
    visit = Visit(f"{place}-urgent-1", place, rules.kinds[record.kind].service_s, 0, True, 0, windows)
    return Newcomer(replace(problem, travel_s=matrix, sites=(*problem.sites, site)), visit, straight)


def stored_legs(session: Session, stored: Stored) -> Legs:
    """Return the travel a stored plan was made with: its way of travel, depot and road data."""
    options = stored.body["options"]
    depot = find_depot(session, options["depot"])
    roads = stored.body.get("roads")
    if roads is None:
        return Legs(straight_line(options["travel"], fixed_s=STOP_OVERHEAD_S), None, depot)
    return read_legs(session, options["travel"], depot, roads=roads)


def _list_windows(problem: Problem, record: Institution, rules: SlotRules) -> tuple[Window, ...]:
    """Return when the place can be seen in the slots that have a shift."""
    windows = []
    for slot_id, shifts in problem.shifts_by_slot.items():
        kind = SlotKind(slot_id[11:])  # type: ignore[call-arg]
        slot = Slot(slot_id, dt.date.fromisoformat(slot_id[:10]), kind, shifts[0].start_s, shifts[0].end_s)
        span = rules.window(record.kind, slot)
        if span is not None:
            windows.append(Window(slot_id, *span))
    return tuple(windows)


def _extend_travel(
    session: Session, stored: Stored, problem: Problem, point: tuple[float, float], address: str
) -> tuple[np.ndarray[tuple[int, int], np.dtype[np.int32]], bool]:
    """Return the travel matrix with one more location, and whether that one is by straight line."""
    legs = stored_legs(session, stored)
    known, addresses = {0: legs.depot}, [address]
    for site in problem.sites:
        record = session.get(Institution, int(site.id.removeprefix("I")))
        if record is not None and record.lon is not None and record.lat is not None:
            known[site.location] = (record.lon, record.lat)
            addresses.append(record.address)
    others = [place for location, place in known.items() if location]
    # The depot comes first in the matrix, then the new place, then the others in their order.
    table, straight = legs.reckon_s([point, *others], stop_keys(addresses, [point, *others]))
    order = [1, 0, *range(2, len(table))]
    fresh = table[np.ix_(order, order)]
    count = len(problem.travel_s)
    matrix = np.full((count + 1, count + 1), NEVER_S, dtype=np.int32)
    everywhere = np.arange(count)
    matrix[:count, :count] = problem.block_s(everywhere, everywhere)
    matrix[count, list(known)], matrix[list(known), count] = fresh[0, 1:], fresh[1:, 0]
    matrix[count, count] = 0
    return matrix, straight
