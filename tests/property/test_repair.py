"""Whatever changes, a repair keeps every rule and everything that is done, pinned or locked."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from planner.compare import break_down, compare_plans
from planner.options import SolveOptions
from planner.plan import list_sequences
from planner.problem import Problem
from planner.recommend import recommend
from planner.repair import Change, repair
from planner.solve import solve
from planner.verify import verify
from tests.property.strategies import problems


def draw_change(data: st.DataObject, problem: Problem, routes: dict[str, tuple[str, ...]]) -> Change:
    def some(items: list[str]) -> frozenset[str]:
        return frozenset(data.draw(st.sets(st.sampled_from(items), max_size=2))) if items else frozenset()

    shifts = [shift.id for shift in problem.shifts]
    served = [visit for visits in routes.values() for visit in visits]
    absent = some(shifts)
    pins = some([v for shift, visits in routes.items() if shift not in absent for v in visits])
    now = data.draw(st.none() | st.tuples(st.integers(0, 3), st.integers(0, 200)))
    drop = some(served) - pins if now is None else frozenset()
    urgent = some([visit.id for visit in problem.visits if visit.id not in served])
    return Change(
        absent=absent,
        drop=drop,
        urgent=urgent - drop,
        now=now,
        pins=pins,
        locks=some(sorted(set(shifts) - absent)),
    )


@settings(max_examples=120, deadline=None)
@given(problem=problems(), seed=st.integers(0, 3), data=st.data())
def test_repair_keeps_the_rest(problem: Problem, seed: int, data: st.DataObject) -> None:
    plan = solve(problem, options=SolveOptions(seed=seed, iterations=40, engine="improve", bound=False))
    routes = list_sequences(plan)
    change = draw_change(data, problem, routes)
    repaired = repair(problem, plan, change, seed=seed, iterations=60)
    after = list_sequences(repaired.plan)
    assert verify(repaired.problem, repaired.plan).violations == ()
    for shift in repaired.problem.shifts:
        route = after.get(shift.id, ())
        assert route[: len(shift.fixed)] == shift.fixed
        if shift.id in change.locks:
            assert route == tuple(visit for visit in routes.get(shift.id, ()) if visit not in change.drop)
        if shift.id in change.absent:
            assert set(route) <= set(routes.get(shift.id, ())) and route == shift.fixed
    place = {visit: shift for shift, visits in routes.items() for visit in visits}
    where = {visit: shift for shift, visits in after.items() for visit in visits}
    for visit in change.pins:
        assert where.get(visit) == place[visit]
    assert change.drop.isdisjoint(where)
    if change.now is not None:
        check_done(problem, routes, after, change.now, {s.visit: s for r in plan.routes for s in r.stops})
    assert all(left.code != "improvable" for left in repaired.plan.unserved)


@settings(max_examples=60, deadline=None)
@given(problem=problems(), seed=st.integers(0, 3), now=st.tuples(st.integers(0, 3), st.integers(0, 200)))
def test_nothing_is_planned_into_the_past(problem: Problem, seed: int, now: tuple[int, int]) -> None:
    """What was not under way by now is left for later than now."""
    plan = solve(problem, options=SolveOptions(seed=seed, iterations=20, engine="improve", bound=False))
    repaired = repair(problem, plan, Change(now=now), iterations=40)
    places = {site.id: site.location for site in problem.sites}
    for route in repaired.plan.routes:
        shift = repaired.problem.shift_by_id[route.shift]
        assert shift.day >= now[0] or len(shift.fixed) == len(route.stops)
        here = repaired.problem.depot_by_id[shift.depot].location
        for number, stop in enumerate(route.stops):
            there = places[repaired.problem.visit_by_id[stop.visit].site]
            left = stop.arrive_s - repaired.problem.leg_s(here, there)
            assert number < len(shift.fixed) or shift.day > now[0] or left >= now[1]
            here = there


def check_done(
    problem: Problem,
    routes: dict[str, tuple[str, ...]],
    after: dict[str, tuple[str, ...]],
    now: tuple[int, int],
    stops: dict[str, object],
) -> None:
    """Every stop left for before now comes at the same place of the same route."""
    for shift_id, visits in routes.items():
        shift = problem.shift_by_id[shift_id]
        leaving = shift.start_s
        for number, visit in enumerate(visits):
            if (shift.day, leaving) < now and (shift.day < now[0] or leaving < now[1]):
                assert after[shift_id][number] == visit
            leaving = stops[visit].leave_s  # type: ignore[attr-defined]


@settings(max_examples=40, deadline=None)
@given(problem=problems(), seed=st.integers(0, 3))
def test_nothing_changes_without_a_change(problem: Problem, seed: int) -> None:
    plan = solve(problem, options=SolveOptions(seed=seed, iterations=60, engine="improve", bound=False))
    repaired = repair(problem, plan, Change(), iterations=60, stay_s=10**7)
    assert repaired.comparison.moved == () == repaired.comparison.dropped and repaired.freed == ()
    assert repaired.comparison.after.total <= repaired.comparison.before.total


@settings(max_examples=80, deadline=None)
@given(problem=problems(), seed=st.integers(0, 3), data=st.data())
def test_recommendations_fit_and_cost_what_they_say(problem: Problem, seed: int, data: st.DataObject) -> None:
    plan = solve(problem, options=SolveOptions(seed=seed, iterations=20, engine="improve", bound=False))
    if not problem.visits:
        return
    visit = data.draw(st.sampled_from([item.id for item in problem.visits]))
    routes = {shift: tuple(v for v in visits if v != visit) for shift, visits in list_sequences(plan).items()}
    before = break_down(problem, routes).total
    for offer in recommend(problem, routes, visit):
        route = list(routes.get(offer.shift, ()))
        route.insert(offer.position, visit)
        tried = {**routes, offer.shift: tuple(route)}
        assert break_down(problem, tried).total == before - offer.saves


@settings(max_examples=40, deadline=None)
@given(problem=problems(), seed=st.integers(0, 3))
def test_a_comparison_names_every_difference(problem: Problem, seed: int) -> None:
    one, other = (
        solve(problem, options=SolveOptions(seed=s, iterations=2, engine="improve", bound=False))
        for s in (seed, seed + 7)
    )
    found = compare_plans(problem, one, other)
    stops = [{s.visit: (r.shift, s.start_s) for r in plan.routes for s in r.stops} for plan in (one, other)]
    changed = {v for v in stops[0].keys() | stops[1].keys() if stops[0].get(v) != stops[1].get(v)}
    named = [
        move.visit for moves in (found.moved, found.retimed, found.added, found.dropped) for move in moves
    ]
    assert sorted(named) == sorted(changed)
    assert found.before.total == one.objective.total and found.after.total == other.objective.total
