"""Large problems: split by area, solved side by side, then cut anew across the old borders and improved.

Every round cuts the plan along other lines, so that what was a border lies inside a part; a part starts from
the plan as it is and gives back nothing worse.
"""

from __future__ import annotations

import math
import random
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from planner.areas import divide_shifts, divide_sites, group_shifts, place_points
from planner.cut import Part, count_spare, cut_problem, merge_sequences, own_sites
from planner.improve import Outcome, Progress, improve
from planner.options import SearchOptions, SolveOptions
from planner.plan import measure_objective
from planner.points import MATRIX_LIMIT
from planner.problem import Problem
from planner.recommend import top_up

SPLIT_ABOVE = 600
"""Visits above which a problem is split."""

PART_VISITS = 400
"""Visits aimed at in one part."""

ROUNDS = 4
FIRST_SHARE = 0.5
"""Part of the limit spent on the areas; the rounds across their borders share the rest."""

DUTY_ITERATIONS = 30_000
"""Iterations of the search for the duties alone, where the areas leave some out."""

COOLER = 0.2
"""Start temperature of a round over that of the first search."""

Sequences = dict[str, tuple[str, ...]]


@dataclass(frozen=True)
class _Round:
    """One cut of the whole: its parts, its share of the limit and the tuning of its searches."""

    number: int
    parts: Sequence[Part]
    share: float
    search: SearchOptions


def is_large(problem: Problem) -> bool:
    """Return whether a problem is better, or only, solved in parts."""
    return len(problem.visits) > SPLIT_ABOVE or len(problem.travel_s) > MATRIX_LIMIT


def improve_split(
    problem: Problem,
    sequences: Sequences,
    *,
    options: SolveOptions,
    limit_s: float | None = None,
    progress: Callable[[Progress], None] | None = None,
    cancel: Callable[[], bool] | None = None,
    clock: Callable[[], float] = time.monotonic,
) -> Outcome:
    """Return the best plan found from `sequences` by parts; repeatable when `limit_s` is None.

    `options.workers` parts are searched at a time; iterations are shared out by the visits of each part.
    """
    begun = clock()
    points = place_points(problem)
    groups = max(2, math.ceil(len(problem.visits) / PART_VISITS))
    whole = {shift.id: shift.fixed for shift in problem.shifts if shift.fixed} | dict(sequences)
    chance = random.Random(options.seed)  # noqa: S311 - repeatable cuts, no secret
    done, ended_by = 0, "iterations" if limit_s is None else "limit_s"
    # A plan handed in has its areas already: the rounds then share the whole limit.
    started = any(whole.values())
    first_share = 0.0 if started else FIRST_SHARE
    for number in range(1 if started else 0, ROUNDS + 1):
        if number == 0:
            parts = _divide(problem, points, groups)
            share, search = first_share, options.search
        else:
            angle = chance.uniform(0, math.pi)
            parts = _regroup(problem, points, whole, groups, angle=angle)
            share = (1 - first_share) / ROUNDS
            search = _cool(options.search)
        found, iterations = _search_parts(
            problem,
            whole,
            _Round(number, parts, share, search),
            options=options,
            until=None if limit_s is None else _end_round(clock(), begun + limit_s, number, first_share),
            cancel=cancel,
            clock=clock,
        )
        whole, done = merge_sequences(whole, found), done + iterations
        if number == 0:
            whole = _put_duties_first(problem, whole, options=options)
        reached = min(1.0, first_share + number * (1 - first_share) / ROUNDS)
        if progress is not None:
            progress(Progress(done, measure_objective(problem, whole).total, reached))
        if cancel is not None and cancel():
            ended_by = "cancel"
            break
        if limit_s is not None and clock() - begun >= limit_s:
            break
    # What one part left out may fit into a route of another.
    while (filled := top_up(problem, whole)) != whole:
        whole = filled
    return Outcome(whole, measure_objective(problem, whole).total, done, ended_by)


def _end_round(now: float, end: float, number: int, first_share: float) -> float:
    """Return when a round should end: the areas take their share, the rounds after share the rest evenly."""
    return now + (end - now) * (first_share if number == 0 else 1 / (ROUNDS + 1 - number))


def _put_duties_first(problem: Problem, whole: Sequences, *, options: SolveOptions) -> Sequences:
    """Return the plan of the mandatory and pinned visits alone where the areas left more of them out.

    Areas know nothing of skills, bars and deadlines. What comes after never gives a duty up again.
    """
    before = [visit_id for shift in problem.shifts for visit_id in shift.fixed]
    duties = {visit.id for visit in problem.visits if visit.mandatory or visit.pin} | set(before)
    served = {visit for visits in whole.values() for visit in visits}
    if duties <= served:
        return whole
    alone = replace(problem, visits=tuple(visit for visit in problem.visits if visit.id in duties))
    part = Part(tuple(shift.id for shift in problem.shifts), tuple(alone.visits_by_site))
    fixed = {shift.id: shift.fixed for shift in problem.shifts if shift.fixed}
    own = cut_problem(alone, part, fixed, spare=count_spare(alone, [part], fixed)[0])
    outcome = improve(own, fixed, seed=options.seed, iterations=DUTY_ITERATIONS, options=options.search)
    found = {visit for visits in outcome.sequences.values() for visit in visits}
    return dict(outcome.sequences) if len(duties & found) > len(duties & served) else whole


def _cool(search: SearchOptions) -> SearchOptions:
    start = max(search.start_temperature * COOLER, search.end_temperature)
    return replace(search, start_temperature=start)


def _divide(problem: Problem, points: NDArray[np.float64], groups: int) -> list[Part]:
    """Return the areas of an empty plan."""
    area_of = divide_sites(problem, points, groups)
    shifts = divide_shifts(problem, points, area_of, groups)
    sites: list[list[str]] = [[] for _ in range(groups)]
    part_of = {shift: area for area, own in enumerate(shifts) for shift in own}
    pinned = {visit.site: part_of[visit.pin] for visit in problem.visits if visit.pin is not None}
    for site, area in (area_of | pinned).items():
        sites[area].append(site)
    return [Part(tuple(own), tuple(places)) for own, places in zip(shifts, sites, strict=True)]


def _regroup(
    problem: Problem, points: NDArray[np.float64], whole: Sequences, groups: int, *, angle: float
) -> list[Part]:
    """Return parts of near routes; a site nobody sees goes to the part with the nearest middle."""
    shifts = [group for group in group_shifts(problem, points, whole, groups, angle=angle) if group]
    parts = own_sites(problem, shifts, whole)
    if not parts:
        return []
    middles = []
    for part in parts:
        places = [problem.site_by_id[site].location for site in part.sites] or [
            problem.depot_by_id[problem.shift_by_id[part.shifts[0]].depot].location
        ]
        middles.append(points[places].mean(axis=0))
    owned = {site for part in parts for site in part.sites}
    added: list[list[str]] = [[] for _ in parts]
    for site in problem.visits_by_site:
        if site not in owned:
            away = np.array(middles) - points[problem.site_by_id[site].location]
            added[int(np.hypot(away[:, 0], away[:, 1]).argmin())].append(site)
    return [Part(part.shifts, (*part.sites, *more)) for part, more in zip(parts, added, strict=True)]


def _search_parts(
    problem: Problem,
    whole: Sequences,
    cut: _Round,
    *,
    options: SolveOptions,
    until: float | None,
    cancel: Callable[[], bool] | None,
    clock: Callable[[], float],
) -> tuple[list[tuple[Part, Sequences]], int]:
    """Return each part's routes after its search, and the iterations done; `workers` parts at a time."""
    spare = count_spare(problem, cut.parts, whole)
    sizes = [sum(len(problem.visits_by_site.get(site, ())) for site in part.sites) for part in cut.parts]
    total = max(sum(sizes), 1)
    begun = clock()

    def search(index: int) -> tuple[Part, Sequences, int]:
        part, weight = cut.parts[index], sizes[index] / total
        if not weight:
            return part, {shift: whole[shift] for shift in part.shifts if whole.get(shift)}, 0
        started = clock()
        own = cut_problem(problem, part, whole, spare=spare[index])
        start = {shift: whole[shift] for shift in part.shifts if whole.get(shift)}
        iterations = None
        if options.iterations is not None:
            iterations = math.ceil(options.iterations * options.workers * cut.share * weight)
        left_s = None
        if until is not None:
            # Cutting takes its time too; a part always gets a moment to search.
            left_s = max((until - begun) * weight * options.workers - (clock() - started), 0.01)
        outcome = improve(
            own,
            start,
            seed=options.seed + 1000 * cut.number + index,
            iterations=iterations,
            limit_s=left_s,
            options=cut.search,
            cancel=cancel,
            clock=clock,
        )
        return part, dict(outcome.sequences), outcome.iterations

    with ThreadPoolExecutor(options.workers) as pool:
        found = list(pool.map(search, range(len(cut.parts))))
    return [(part, routes) for part, routes, _ in found], sum(count for _, _, count in found)
