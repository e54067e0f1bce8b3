"""STEP: the revision of a stored plan after an absence, an urgent visit or a dropped one.

A published plan is never edited: a revision is a new draft with the old one's code as its parent.
"""

from __future__ import annotations

import copy
import datetime as dt
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from sqlalchemy.orm import Session

from data.store import Store
from data.terms import VisitForm, VisitReason
from planner.amendment import measure_amendment, store_amendment
from planner.errors import PlannerError
from planner.exchange import format_plan, format_problem
from planner.newcomer import bring_in
from planner.problem import Problem, Visit, Window
from planner.repair import Change, Repaired, repair
from planner.standin import settle_absence
from planner.stored import Stored, load_plan
from planner.tracks import redraw_tracks


@dataclass(frozen=True, kw_only=True)
class Event:
    """What people report: who is absent when, which visits come or go, what stays, and what time it is.

    `absent` is an officer's code or a team (``T3``) with `date`; `at` is the local date and second from which
    on the plan may change; `add` and `drop` are visit codes or institutions (``I12``); `pins` visit codes;
    `locks` shifts, teams or slots.
    """

    absent: str | None = None
    date: dt.date | None = None
    add: tuple[str, ...] = ()
    drop: tuple[str, ...] = ()
    at: tuple[dt.date, int] | None = None
    pins: tuple[str, ...] = ()
    locks: tuple[str, ...] = ()


@dataclass(frozen=True)
class Revised:
    """The new draft's code, what the repair changed, and who stands in for whom by shift.

    `straight` lists the places whose travel is by straight line because the route server gave none.
    """

    code: str
    repaired: Repaired
    stand_ins: Mapping[str, tuple[str, str]]
    straight: tuple[str, ...]


@dataclass(frozen=True)
class _Worked:
    """A repair worked out but not stored: what it came from, its answer, and the new document."""

    stored: Stored
    repaired: Repaired
    stand_ins: Mapping[str, tuple[str, str]]
    straight: tuple[str, ...]
    body: dict[str, Any]


def revise(
    store: Store,
    code: str,
    event: Event,
    *,
    actor: str,
    now: dt.datetime,
    seed: int = 1,
    cancel: Callable[[], bool] | None = None,
) -> Revised:
    """Repair a stored plan and store the result as a new draft.

    The repair is worked out from a reading session; only storing it takes the write transaction.

    Raises
    ------
    PlannerError
        `unknown_plan`, `no_change`, `outside_plan`, `absent_unknown`, `unknown_visit`, `cancelled`, and the
        refusals of `bring_in`.
    RepairError
        When the event contradicts the plan.
    """
    with store.reading() as session:
        worked = _work_out(session, code, event, seed=seed)
        figures = measure_amendment(session, worked.stored, worked.repaired, straight=len(worked.straight))
        tracks = redraw_tracks(session, worked.stored, worked.repaired)
    if cancel is not None and cancel():
        raise PlannerError(code="cancelled")
    with store.begin(actor=actor, now=now) as session:
        new = store_amendment(
            session,
            worked.stored,
            worked.repaired,
            worked.body,
            summary=figures,
            tracks=tracks,
            actor=actor,
            now=now,
        )
    return Revised(new, worked.repaired, worked.stand_ins, worked.straight)


def _work_out(session: Session, code: str, event: Event, *, seed: int) -> _Worked:
    stored = load_plan(session, code)
    _demand_sense(stored, event)
    body = dict(stored.body) | {
        name: copy.deepcopy(stored.body[name])
        for name in ("roster", "crews", "visits")
        if name in stored.body
    }
    lost: frozenset[str] = frozenset()
    stand_ins: dict[str, tuple[str, str]] = {}
    problem = stored.problem
    if event.absent is not None:
        lost, stand_ins, problem = settle_absence(stored, event.absent, event.date, body)
    newcomers, straight = [], []
    for name in event.add:
        if name not in problem.visit_by_id and name not in problem.visits_by_site:
            came = bring_in(session, stored, name, problem)
            problem = came.problem
            newcomers.append(came.visit)
            straight += [name] if came.straight else []
    change = _change(stored, event, lost, newcomers)
    repaired = repair(problem, stored.plan, change, seed=seed)
    _write_reasons(body, change)
    body["parent"] = code
    body["change"] = _describe(event) | ({"straight": straight} if straight else {})
    body["problem"] = json.loads(format_problem(repaired.problem))
    body["plan"] = json.loads(format_plan(repaired.plan))
    return _Worked(stored, repaired, stand_ins, tuple(straight), body)


def _demand_sense(stored: Stored, event: Event) -> None:
    """Refuse an event that says nothing, or speaks of a time outside the plan."""
    if not (event.absent or event.add or event.drop or event.at or event.pins or event.locks):
        raise PlannerError(code="no_change")
    last_day = stored.first_day + dt.timedelta(days=max((s.day for s in stored.problem.shifts), default=0))
    if event.at is not None and not stored.first_day <= event.at[0] <= last_day:
        about: dict[str, object] = {"date": str(event.at[0]), "first": str(stored.first_day)}
        raise PlannerError(code="outside_plan", fields={**about, "last": str(last_day)})


def _write_reasons(body: dict[str, Any], change: Change) -> None:
    """Write into the document why the urgent visits are made."""
    for visit in change.add:
        # A tip is looked into from outside, whatever the plan's own visits are.
        why = {"reason": VisitReason.TIP.value, "p_select": 1.0, "hidden": []}
        body["visits"][visit.id] = {"form": VisitForm.PATROL.value, **why}
    for visit_id in change.urgent:
        body["visits"][visit_id] |= {"reason": VisitReason.TIP.value, "p_select": 1.0}


def _describe(event: Event) -> dict[str, Any]:
    plain = {name: value for name, value in asdict(event).items() if value}
    return json.loads(json.dumps(plain, default=str))  # type: ignore[no-any-return]


def _change(stored: Stored, event: Event, lost: frozenset[str], newcomers: Sequence[Visit]) -> Change:
    """Return the event in the solver's terms."""
    problem = stored.problem
    served = {stop.visit for route in stored.plan.routes for stop in route.stops}
    urgent, add = set(), list(newcomers)
    for name in event.add:
        if name in problem.visit_by_id:
            visits: Sequence[Visit] = [problem.visit_by_id[name]]
        else:
            visits = problem.visits_by_site.get(name, ())
        if not visits:
            continue
        open_visits = [visit for visit in visits if visit.id not in served]
        if open_visits:
            urgent.add(open_visits[0].id)
        else:
            add.append(_new_visit(problem, visits[0].site))
    drop = set()
    for name in event.drop:
        owed = [name] if name in problem.visit_by_id else [v.id for v in problem.visits_by_site.get(name, ())]
        if not owed:
            raise PlannerError(code="unknown_visit", fields={"visit": name})
        drop.update(owed)
    locks = {s.id for s in problem.shifts for name in event.locks if name in (s.id, s.team, s.slot)}
    unknown = [n for n in event.locks if not any(n in (s.id, s.team, s.slot) for s in problem.shifts)]
    now = None if event.at is None else ((event.at[0] - stored.first_day).days, event.at[1])
    return Change(
        absent=lost,
        drop=frozenset(drop),
        urgent=frozenset(urgent),
        add=tuple(add),
        now=now,
        pins=frozenset(event.pins),
        locks=frozenset(locks | set(unknown)),
    )


def _new_visit(problem: Problem, site: str) -> Visit:
    """Return one more, mandatory visit to a site, in any slot one of its visits allows."""
    visits = problem.visits_by_site[site]
    windows: dict[str, Window] = {window.slot: window for visit in visits for window in visit.windows}
    number = 1 + sum(visit.id.startswith(f"{site}-urgent-") for visit in visits)
    return replace(
        visits[0],
        id=f"{site}-urgent-{number}",
        mandatory=True,
        cap=None,
        pin=None,
        windows=tuple(windows[slot] for slot in sorted(windows)),
    )
