"""The yearly cap: how many more inspections (检查) an enterprise may get in a calendar year.

Only inspections count (domain notes, section 11): not patrols from public space, courtesy visits or rechecks,
not what a tip or an approved special plan asked for, and not an attempt at which nobody was met. An
enterprise is a credit code; institutions that share one share its cap, one without a code stands alone.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from sqlalchemy import select
from sqlalchemy.orm import Session

from data.schema import PlanShift, PlanStop, VisitRecord
from data.terms import Outcome, VisitForm, VisitReason
from planner.attendance import plans_in_force
from planner.demand import Want
from planner.ledger import Account
from planner.problem import Cap
from planner.slots import CapRule

EXEMPT = (VisitReason.TIP, VisitReason.RECHECK, VisitReason.CAMPAIGN)
# Somebody of the enterprise was met; a locked door was no inspection.
MET = (Outcome.SEEN_OPEN, Outcome.REFUSED)


@dataclass(frozen=True)
class Capped:
    """Visits with their caps, the caps, and the ids of visits whose cap is used up already."""

    wants: list[Want]
    caps: tuple[Cap, ...]
    shut: frozenset[str]


def read_inspections(session: Session, *, first: dt.date, last: dt.date) -> Counter[tuple[int, int]]:
    """Return how many inspections count by (institution id, year), for the years of a period.

    Those on record, and those planned on dates outside the period that have no record yet, in the plan that
    is in force there.
    """
    begin, end = dt.date(first.year, 1, 1), dt.date(last.year, 12, 31)
    done: Counter[tuple[int, int]] = Counter()
    recorded: set[int] = set()
    on_day: set[tuple[int, dt.date]] = set()
    visits = select(VisitRecord).where(VisitRecord.date.between(begin, end))
    for visit in session.scalars(visits):
        on_day.add((visit.institution_id, visit.date))
        if visit.plan_stop_id is not None:
            recorded.add(visit.plan_stop_id)
        counts = visit.form is VisitForm.INSPECTION and visit.reason not in EXEMPT
        if counts and visit.outcome in MET:
            done[visit.institution_id, visit.date.year] += 1
    force = plans_in_force(session, begin, end)
    stops = (
        select(PlanStop.id, PlanStop.institution_id, PlanShift.plan_id, PlanShift.date)
        .join(PlanShift, PlanShift.id == PlanStop.shift_id)
        .where(PlanShift.plan_id.in_(set(force.values())), PlanStop.form == VisitForm.INSPECTION)
        .where(PlanStop.reason.not_in(EXEMPT))
    )
    for stop_id, institution_id, plan_id, date in session.execute(stops):
        if first <= date <= last or force.get(date) != plan_id:
            continue
        if stop_id not in recorded and (institution_id, date) not in on_day:
            done[institution_id, date.year] += 1
    return done


def enterprise_of(account: Account) -> str:
    """Return the enterprise an institution belongs to: its credit code, else the institution itself."""
    return account.uscc or f"I{account.institution_id}"


def cap_wants(
    wants: Sequence[Want],
    accounts: Sequence[Account],
    done: Mapping[tuple[int, int], int],
    *,
    rule: CapRule,
) -> Capped:
    """Give every visit that counts the cap of its enterprise.

    In a period over two years a visit keeps only the days of years with room, and the cap is the smallest
    room of those years: never more than any one allows.
    """
    if rule.inspections_a_year is None:
        return Capped(list(wants), (), frozenset())
    owner = {item.institution_id: enterprise_of(item) for item in accounts}
    free = {item.institution_id for item in accounts if item.kind in rule.exempt_kinds}
    used: Counter[tuple[str, int]] = Counter()
    for (institution_id, year), count in done.items():
        if institution_id in owner:
            used[owner[institution_id], year] += count
    rooms: dict[str, int] = {}
    capped: list[Want] = []
    shut: set[str] = set()
    for want in wants:
        if not want.counted or want.institution_id in free:
            capped.append(want)
            continue
        enterprise = owner[want.institution_id]
        years = {int(window.slot[:4]) for window in want.visit.windows}
        room = {year: max(rule.inspections_a_year - used[enterprise, year], 0) for year in years}
        open_years = {year for year, count in room.items() if count} or years
        windows = tuple(w for w in want.visit.windows if int(w.slot[:4]) in open_years)
        least = min(room[year] for year in open_years)
        # A visit that only a year without room could take must not close the other year.
        key = enterprise if least else f"{enterprise}/{min(years)}"
        rooms[key] = min(rooms.get(key, least), least)
        if not least:
            shut.add(want.visit.id)
        capped.append(replace(want, visit=replace(want.visit, windows=windows, cap=key)))
    return Capped(capped, tuple(Cap(key, most) for key, most in sorted(rooms.items())), frozenset(shut))
