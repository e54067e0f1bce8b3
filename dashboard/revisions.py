"""Cached reads on stored plans: what they cost, where one more visit fits, what two do otherwise."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from dashboard.parts.cache import cached
from dashboard.wiring import Wiring
from data.schema import Institution, Officer
from data.terms import SLOT_CLASS, SlotClass, SlotKind
from planner.compare import Comparison, Cost, break_down, compare_plans
from planner.errors import PlannerError
from planner.lottery import Committed, list_draws
from planner.objections import list_objections
from planner.plan import Unserved, list_sequences
from planner.problem import Visit
from planner.recommend import Recommendation, recommend
from planner.rounds import Round, load_rounds
from planner.stored import Stored, load_plan


@dataclass(frozen=True)
class Placed:
    """A served visit: its shift and the second its service starts."""

    visit: str
    shift: str
    start_s: int


@dataclass(frozen=True)
class Waiting:
    """A visit left out, with the key time points it may be made at and what would bring it in."""

    visit: str
    slot_classes: tuple[SlotClass, ...]
    mandatory: bool
    helps: tuple[Mapping[str, Any], ...]


@dataclass(frozen=True)
class Parts:
    """A stored plan's parts by code: who works when, what is served, what waits, where it came from.

    `dates` are those at work by officer and team; `shifts` the used ones in order of time; `parent` and
    `change` are set for a revision.
    """

    cost: Cost
    dates: Mapping[str, tuple[dt.date, ...]]
    officers: tuple[str, ...]
    teams: tuple[str, ...]
    slots: tuple[str, ...]
    shifts: tuple[str, ...]
    served: tuple[Placed, ...]
    waiting: tuple[Waiting, ...]
    parent: str | None
    change: Mapping[str, Any]


@dataclass(frozen=True)
class CrewChange:
    """A used shift whose `state` is another `crew`, or `closed` or `opened` where one plan alone uses it."""

    shift: str
    state: str
    left: tuple[str, ...]
    joined: tuple[str, ...]


@dataclass(frozen=True)
class Difference:
    """What one stored plan does otherwise than another; `duties` are the mandatory visits of either."""

    comparison: Comparison
    crews: tuple[CrewChange, ...]
    duties: frozenset[str]


def names(wiring: Wiring) -> Mapping[str, str]:
    """Return names by code, institutions as `I12`, officers by their own; no two are the same."""

    def read(session: Session) -> Mapping[str, str]:
        columns = select(Institution.id, Institution.name, Institution.address)
        places = {f"I{key}": (name, address) for key, name, address in session.execute(columns).tuples()}
        people = {
            code: (name, code) for code, name in session.execute(select(Officer.code, Officer.name)).tuples()
        }
        return _tell_apart(places) | _tell_apart(people)

    return cached(wiring, "names", (), read)


def places(wiring: Wiring) -> tuple[str, ...]:
    """Return the codes of all located institutions, those that a plan does not know included."""

    def read(session: Session) -> tuple[str, ...]:
        located = select(Institution.id).where(Institution.lon.is_not(None)).order_by(Institution.id)
        return tuple(f"I{key}" for key in session.scalars(located))

    return cached(wiring, "places", (), read)


def _tell_apart(found: Mapping[str, tuple[str, str]]) -> dict[str, str]:
    """Return each name; those that several bear with what sets them apart."""
    bearers = Counter(name for name, _ in found.values())
    full = {key: name if bearers[name] == 1 else f"{name}（{mark}）" for key, (name, mark) in found.items()}
    bearers = Counter(full.values())
    return {key: name if bearers[name] == 1 else f"{name} {key}" for key, name in full.items()}


def departments(wiring: Wiring) -> tuple[str, ...]:
    """Return the departments that officers come from."""

    def read(session: Session) -> tuple[str, ...]:
        statement = select(Officer.department).distinct().order_by(Officer.department)
        return tuple(session.scalars(statement.where(Officer.official.is_not(True))))

    return cached(wiring, "departments", (), read)


def rounds_holding(wiring: Wiring, *, first: dt.date, last: dt.date) -> tuple[Round, ...]:
    """Return the named rounds that hold a whole period, the shortest first."""

    def read(session: Session) -> tuple[Round, ...]:
        known = [item for year in (first.year - 1, first.year) for item in load_rounds(session, year)]
        holding = [item for item in known if item.first <= first and last <= item.last]
        return tuple(sorted(holding, key=lambda item: item.last - item.first))

    return cached(wiring, "rounds_holding", (first, last), read)


def draws(wiring: Wiring) -> tuple[Committed, ...]:
    """Return all commitments to draws, newest first."""
    return cached(wiring, "draws", (), list_draws)


def parts(wiring: Wiring, code: str) -> Parts:
    """Return the parts of a stored plan.

    Raises
    ------
    PlannerError
        `unknown_plan`, `broken_plan`.
    """
    return cached(wiring, "parts", (code,), lambda session: _take_apart(load_plan(session, code)))


def _take_apart(stored: Stored) -> Parts:
    problem, routes = stored.problem, [route for route in stored.plan.routes if route.stops]
    used = [problem.shift_by_id[route.shift] for route in routes]
    dates: dict[str, set[dt.date]] = {}
    for shift in used:
        for who in (shift.team, *shift.members):
            dates.setdefault(who, set()).add(stored.date_of(shift))
    shifts = sorted(used, key=lambda shift: (shift.day, shift.start_s, _number(shift.team)))
    teams = sorted({shift.team for shift in used}, key=_number)
    waiting = [_wait(problem.visit_by_id[left.visit], left) for left in stored.plan.unserved]
    return Parts(
        cost=break_down(problem, list_sequences(stored.plan)),
        dates={who: tuple(sorted(days)) for who, days in dates.items()},
        officers=tuple(sorted(dates.keys() - set(teams))),
        teams=tuple(teams),
        slots=tuple(dict.fromkeys(shift.slot for shift in shifts)),
        shifts=tuple(shift.id for shift in shifts),
        served=tuple(Placed(stop.visit, r.shift, stop.start_s) for r in routes for stop in r.stops),
        waiting=tuple(sorted(waiting, key=lambda item: not item.mandatory)),
        parent=stored.body.get("parent"),
        change=stored.body.get("change", {}),
    )


def _number(team: str) -> tuple[int, str]:
    digits = team.removeprefix("T")
    return (int(digits) if digits.isdecimal() else 0), team


def _wait(visit: Visit, left: Unserved) -> Waiting:
    kinds = [SlotKind(window.slot[11:]) for window in visit.windows]  # type: ignore[call-arg]
    helps = left.detail.get("helps", ())
    assert isinstance(helps, (list, tuple))
    classes = tuple(dict.fromkeys(SLOT_CLASS[kind] for kind in kinds))
    return Waiting(visit.id, classes, visit.mandatory, tuple(helps))


def objections(wiring: Wiring, code: str) -> tuple[PlannerError, ...]:
    """Return what publishing a draft would ask to be confirmed.

    Raises
    ------
    PlannerError
        `unknown_plan`.
    """
    today = wiring.today()
    return cached(wiring, "objections", (code, today), lambda s: list_objections(s, code, today=today))


def offers(wiring: Wiring, code: str, visit: str) -> tuple[Recommendation, ...]:
    """Return the best three shifts for one more visit of a stored plan.

    Raises
    ------
    PlannerError
        `unknown_plan`, `broken_plan`.
    """

    def read(session: Session) -> tuple[Recommendation, ...]:
        stored = load_plan(session, code)
        return recommend(stored.problem, list_sequences(stored.plan), visit)

    return cached(wiring, "offers", (code, visit), read)


def difference(wiring: Wiring, before: str, after: str) -> Difference:
    """Return what stored plan `after` does otherwise than `before`.

    Raises
    ------
    PlannerError
        `unknown_plan`, `broken_plan`.
    """

    def read(session: Session) -> Difference:
        old, new = load_plan(session, before), load_plan(session, after)
        return Difference(
            compare_plans(old.problem, old.plan, new.plan, problem_after=new.problem),
            _compare_crews(old, new),
            frozenset(visit.id for item in (old, new) for visit in item.problem.visits if visit.mandatory),
        )

    return cached(wiring, "difference", (before, after), read)


def _compare_crews(old: Stored, new: Stored) -> tuple[CrewChange, ...]:
    was, now = _crews(old), _crews(new)
    found = []
    for shift in sorted(was.keys() | now.keys()):
        left = tuple(m for m in was.get(shift, ()) if m not in now.get(shift, ()))
        joined = tuple(m for m in now.get(shift, ()) if m not in was.get(shift, ()))
        if shift not in now:
            found.append(CrewChange(shift, "closed", left, ()))
        elif shift not in was:
            found.append(CrewChange(shift, "opened", (), joined))
        elif left or joined:
            found.append(CrewChange(shift, "crew", left, joined))
    return tuple(found)


def _crews(stored: Stored) -> dict[str, tuple[str, ...]]:
    """Return the crews of the used shifts."""
    crews = stored.body.get("crews", {})
    return {
        route.shift: tuple(crews.get(route.shift, {}).get("members", ()))
        for route in stored.plan.routes
        if route.stops
    }
