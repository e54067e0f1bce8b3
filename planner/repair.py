"""The smallest change of a plan after an absence, an urgent visit or a dropped one.

What is done, pinned or locked stays. Visits set free are placed again; another visit leaves its shift only
where that saves more than `stay_s` of the objective, so people keep the routes they know.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from planner.compare import Comparison, compare_plans
from planner.errors import BrokenPlanError, Fault, RepairError
from planner.explain import explain
from planner.facts import gather_facts
from planner.improve import improve
from planner.options import SearchOptions
from planner.plan import Plan, build_plan, list_sequences, time_stops
from planner.points import MATRIX_LIMIT
from planner.problem import Problem, Shift, Visit
from planner.recommend import top_up
from planner.verify import verify

Sequences = dict[str, tuple[str, ...]]

STAY_S = 50_000
"""Between the worth of any ordinary visit and that of a first or a mandatory one."""

ITERATIONS = 20_000
MOST_VISITS = 5_000
"""Above this the freed visits are only inserted: nothing else is moved."""


@dataclass(frozen=True, kw_only=True)
class Change:
    """What happened to a plan.

    Parameters
    ----------
    absent : frozenset of str
        Shifts that cannot go, or not go on.
    drop : frozenset of str
        Visits no longer wanted.
    urgent : frozenset of str
        Visits that must be served from now on.
    add : tuple of Visit
        New visits to known sites.
    now : tuple of int, or None
        Day and second: what began before is done.
    pins : frozenset of str
        Served visits that stay on their shift.
    locks : frozenset of str
        Shifts that stay as they are.
    """

    absent: frozenset[str] = frozenset()
    drop: frozenset[str] = frozenset()
    urgent: frozenset[str] = frozenset()
    add: tuple[Visit, ...] = ()
    now: tuple[int, int] | None = None
    pins: frozenset[str] = frozenset()
    locks: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Repaired:
    """The problem as it now is, its plan, and what changed; `freed` lost their place by the change itself."""

    problem: Problem
    plan: Plan
    comparison: Comparison
    freed: tuple[str, ...]


def repair(
    problem: Problem,
    plan: Plan,
    change: Change,
    *,
    seed: int = 1,
    iterations: int = ITERATIONS,
    stay_s: int = STAY_S,
) -> Repaired:
    """Return the plan after `change`; the same inputs and seed give the same answer.

    Raises
    ------
    RepairError
        With every fault of the change: unknown shifts or visits, a visit dropped that is done already, a pin
        on an absent shift.
    BrokenPlanError
        When the plan handed in, or the answer, breaks a hard rule.
    """
    _demand_kept(problem, plan)
    before = list_sequences(plan)
    faults = _check_change(problem, plan, change)
    if faults:
        raise RepairError(faults)
    done = _list_done(problem, plan, change)
    changed = _change_problem(problem, before, done, change)
    kept = _keep(changed, before, done, change)
    served = {visit: shift for shift, visits in kept.items() for visit in visits}
    freed = tuple(
        visit
        for visits in before.values()
        for visit in visits
        if visit not in served and visit not in change.drop
    )
    if len(changed.visits) > MOST_VISITS or len(changed.travel_s) > MATRIX_LIMIT:
        sequences = top_up(changed, kept, [*freed, *change.urgent, *(visit.id for visit in change.add)])
    else:
        options = SearchOptions(start_temperature=1.0)
        facts = gather_facts(changed, options=options, homes=served, stay_s=stay_s)
        outcome = improve(changed, kept, seed=seed, iterations=iterations, options=options, facts=facts)
        sequences = _keep_order(changed, kept, dict(outcome.sequences))
    after = build_plan(
        changed,
        sequences,
        reasons=explain(changed, sequences),
        engine={"name": "repair"},
        seed=seed,
        limit={"iterations": iterations},
    )
    _demand_kept(changed, after)
    return Repaired(changed, after, compare_plans(problem, plan, after, problem_after=changed), freed)


def _demand_kept(problem: Problem, plan: Plan) -> None:
    report = verify(problem, plan)
    if not report.holds:
        broken = [{"code": violation.code, **violation.fields} for violation in report.violations]
        raise BrokenPlanError(fields={"violations": broken})


def _check_change(problem: Problem, plan: Plan, change: Change) -> list[Fault]:
    shift_of = {stop.visit: route.shift for route in plan.routes for stop in route.stops}
    done = {visit for visits in _list_done(problem, plan, change).values() for visit in visits}
    faults = [
        Fault(name, "unknown_shift", {"shift": shift})
        for name, shifts in (("absent", change.absent), ("locks", change.locks))
        for shift in sorted(shifts - problem.shift_by_id.keys())
    ]
    faults += [
        Fault(name, "unknown_visit", {"visit": visit})
        for name, visits in (("drop", change.drop), ("urgent", change.urgent), ("pins", change.pins))
        for visit in sorted(visits - problem.visit_by_id.keys())
    ]
    faults += [Fault("drop", "already_done", {"visit": visit}) for visit in sorted(change.drop & done)]
    faults += [
        Fault("drop", "contradicts", {"name": visit})
        for visit in sorted(change.drop & (change.urgent | change.pins))
    ]
    faults += [
        Fault("locks", "contradicts", {"name": shift}) for shift in sorted(change.locks & change.absent)
    ]
    for visit in sorted(change.pins & problem.visit_by_id.keys()):
        if visit not in shift_of:
            faults.append(Fault("pins", "not_served", {"visit": visit}))
        elif shift_of[visit] in change.absent and visit not in done:
            faults.append(Fault("pins", "pinned_to_absent", {"visit": visit, "shift": shift_of[visit]}))
    for index, new in enumerate(change.add):
        if new.id in problem.visit_by_id:
            faults.append(Fault(f"add[{index}].id", "duplicate_id", {"id": new.id}))
        if new.site not in problem.site_by_id:
            faults.append(Fault(f"add[{index}].site", "unknown_site", {"site": new.site}))
    return faults


def _list_done(problem: Problem, plan: Plan, change: Change) -> dict[str, tuple[str, ...]]:
    """Return the visits of each route that are done or under way: the team had left for them by `now`."""
    if change.now is None:
        return {}
    day, second = change.now
    done: dict[str, tuple[str, ...]] = {}
    for route in plan.routes:
        shift = problem.shift_by_id[route.shift]
        left = [shift.start_s, *(stop.leave_s for stop in route.stops)]
        begun = [
            stop.visit
            for stop, leaving in zip(route.stops, left, strict=False)
            if shift.day < day or (shift.day == day and leaving < second)
        ]
        ids = [stop.visit for stop in route.stops]
        # Without the triangle inequality the way home from here may be too long: they go on to the next.
        while begun and not _in_time(problem, shift, begun):
            begun = ids[: len(begun) + 1]
        if begun:
            done[shift.id] = tuple(begun)
    return done


def _change_problem(
    problem: Problem, before: Mapping[str, Sequence[str]], done: Mapping[str, tuple[str, ...]], change: Change
) -> Problem:
    """Return the problem after the change: done stops fixed, past, absent and locked shifts closed."""

    def settle(shift: Shift) -> Shift:
        fixed = done.get(shift.id, shift.fixed)
        if shift.id in change.locks and shift.id not in change.absent:
            fixed = tuple(visit for visit in before.get(shift.id, ()) if visit not in change.drop)
        past = change.now is not None and (shift.day, shift.end_s) <= change.now
        shut = shift.closed or shift.id in change.absent or shift.id in change.locks or past
        if shift.id in change.absent and shift.id not in done:
            fixed = ()
        under_way = change.now is not None and shift.day == change.now[0] and not shut
        ready_s = max(shift.ready_s, change.now[1]) if under_way and change.now is not None else shift.ready_s
        return replace(shift, fixed=tuple(fixed), closed=shut, ready_s=ready_s)

    shift_of = {visit: shift for shift, visits in before.items() for visit in visits}
    finished = {visit for visits in done.values() for visit in visits}

    def demand(visit: Visit) -> Visit:
        pin = shift_of[visit.id] if visit.id in change.pins else visit.pin
        if pin in change.absent and visit.id not in finished:
            pin = None
        return replace(visit, mandatory=visit.mandatory or visit.id in change.urgent, pin=pin)

    return replace(
        problem,
        shifts=tuple(settle(shift) for shift in problem.shifts),
        visits=(*(demand(visit) for visit in problem.visits if visit.id not in change.drop), *change.add),
    )


def _keep(
    problem: Problem, before: Mapping[str, Sequence[str]], done: Mapping[str, tuple[str, ...]], change: Change
) -> Sequences:
    """Return the routes without what the change took away; a route that then is late keeps its fixed part."""
    kept: Sequences = {}
    for shift_id, visits in before.items():
        shift = problem.shift_by_id[shift_id]
        staying = tuple(visit for visit in visits if visit not in change.drop)
        if shift_id in change.absent:
            staying = done.get(shift_id, ())
        # Without the triangle inequality a shorter route may be late.
        if not _in_time(problem, shift, staying):
            staying = shift.fixed
        if staying:
            kept[shift_id] = staying
    return kept


def _in_time(problem: Problem, shift: Shift, visit_ids: Sequence[str]) -> bool:
    visits = [problem.visit_by_id[visit] for visit in visit_ids]
    stops = time_stops(problem, shift, visits)
    closes = [next(w.close_s for w in visit.windows if w.slot == shift.slot) for visit in visits]
    if any(stop.start_s > close for stop, close in zip(stops, closes, strict=True)):
        return False
    if not stops:
        return True
    last = problem.site_by_id[visits[-1].site].location
    return stops[-1].leave_s + problem.leg_s(last, problem.depot_by_id[shift.depot].location) <= shift.end_s


def _keep_order(problem: Problem, kept: Mapping[str, Sequence[str]], found: Sequences) -> Sequences:
    """Return the routes with the known order wherever a route only lost stops, or changed nothing else."""
    ordered: Sequences = {}
    for shift_id, visits in found.items():
        own = set(visits)
        known = tuple(visit for visit in kept.get(shift_id, ()) if visit in own)
        same = own <= set(known) and _in_time(problem, problem.shift_by_id[shift_id], known)
        ordered[shift_id] = known if same else visits
    return ordered
