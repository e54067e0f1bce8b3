"""Accompanied rounds: which official (带队领导) joins which team, spread over weeks, kinds and officials."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import replace
from typing import Any

from planner.crew import Crew, Officer, Shortfall, SlotNeed, monday_of
from planner.errors import RosterFailedError
from planner.options import RosterOptions
from planner.workforce import Workforce

ROUND_WORTH = 10_000
UNFAIR, SAME_WEEK, SAME_KIND = 100, 10, 10
"""A round outweighs all balance; a round more than another official has outweighs any week or kind."""

EFFORT = 1.0


def accompany(
    officers: Sequence[Officer],
    needs: Sequence[SlotNeed],
    crews: Sequence[Crew],
    *,
    options: RosterOptions,
    chance: random.Random,
) -> tuple[list[Crew], list[Shortfall]]:
    """Return the crews with officials in at most `options.accompanied` of them, and a shortfall if fewer.

    At most one team of a slot is accompanied; officials keep the same limits as everybody.

    Raises
    ------
    RosterFailedError
        When the solver ends without any answer.
    """
    if not options.accompanied:
        return list(crews), []
    officials = [officer for officer in officers if officer.official]
    teams: dict[str, list[int]] = defaultdict(list)
    for at, crew in enumerate(crews):
        teams[crew.slot].append(at)
    open_needs = [need for need in needs if teams[need.slot]]
    joined = list(crews)
    chosen = _choose(officials, open_needs, options) if officials and open_needs else []
    for official, need in chosen:
        at = chance.choice(teams[need.slot])
        members = tuple(sorted((*crews[at].members, official.id)))
        joined[at] = replace(crews[at], members=members, official=official.id)
    if len(chosen) == options.accompanied:
        return joined, []
    detail: dict[str, int | str] = {"officials": len(officials), "slots": len(open_needs)}
    return joined, [Shortfall("", options.accompanied, len(chosen), "no_official", detail)]


def reseat(
    crews: Sequence[Crew], at_work: Collection[Crew], *, may_join: Callable[[Crew, str], bool]
) -> list[Crew]:
    """Return the crews with officials moved from teams without a stop to teams at work in the same slot.

    `may_join` tells whether an official may join a team at work; an official nobody can take stays.
    """
    moved = {(crew.slot, crew.number): crew for crew in crews}
    for crew in crews:
        if crew.official is None or crew in at_work:
            continue
        for host in at_work:
            key = host.slot, host.number
            if host.slot == crew.slot and moved[key].official is None and may_join(host, crew.official):
                members = tuple(sorted((*host.members, crew.official)))
                moved[key] = replace(host, members=members, official=crew.official)
                left = tuple(member for member in crew.members if member != crew.official)
                moved[crew.slot, crew.number] = replace(crew, members=left, official=None)
                break
    return list(moved.values())


def _choose(
    officials: Sequence[Officer], needs: Sequence[SlotNeed], options: RosterOptions
) -> list[tuple[Officer, SlotNeed]]:
    # Each slot takes one official or none: the rules of persons are those of the roster's own model.
    alone = replace(options, crew_size=1, min_crew=1, min_certified=0, leader_required=False, effort=EFFORT)
    workforce = Workforce(officials, [replace(need, teams=1, joint=()) for need in needs], alone)
    model, works = workforce.model, workforce.works
    rounds = sum(works.values())
    model.add(rounds <= options.accompanied)
    most = options.accompanied
    by_week: dict[Any, list[Any]] = defaultdict(list)
    by_kind: dict[str, list[Any]] = defaultdict(list)
    by_official: dict[int, list[Any]] = defaultdict(list)
    for (person, index), variable in works.items():
        by_week[monday_of(needs[index].date)].append(variable)
        by_kind[needs[index].kind].append(variable)
        by_official[person].append(variable)
    cost = -ROUND_WORTH * rounds
    for price, groups in ((SAME_WEEK, by_week.values()), (SAME_KIND, by_kind.values())):
        cost += price * sum(_square(model, sum(terms), range(most + 1)) for terms in groups)
    earlier = [sum(item.worked.values()) + sum(item.excused.values()) for item in officials]
    least = min(earlier)
    for person, terms in by_official.items():
        start = earlier[person] - least
        cost += UNFAIR * _square(model, start + sum(terms), range(start, start + most + 1))
    model.minimize(cost)
    solver = workforce.cp_model.CpSolver()
    solver.parameters.num_workers = 1
    solver.parameters.random_seed = options.seed
    solver.parameters.max_deterministic_time = EFFORT
    status = solver.solve(model)
    if status not in (workforce.cp_model.OPTIMAL, workforce.cp_model.FEASIBLE):
        raise RosterFailedError(fields={"status": solver.status_name(status), "effort": EFFORT})
    return [(officials[p], needs[i]) for (p, i), variable in works.items() if solver.value(variable)]


def _square(model: Any, count: Any, values: Iterable[int]) -> Any:
    """Return a variable no less than the square of `count`, which takes one of `values`."""
    known = sorted(values)
    square = model.new_int_var(0, known[-1] ** 2, "")
    for value in known:
        model.add(square >= value**2 + (2 * value + 1) * (count - value))
    return square
