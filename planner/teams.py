"""The second stage of the roster: the people of a slot drawn into teams, with few repeated pairs."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import combinations

from planner.crew import Crew, Officer, SlotNeed
from planner.options import RosterOptions
from planner.workforce import Working

DRAWS = 30
"""Random splits improved for each slot; the one with the fewest repeated pairs is kept."""

BROKEN = 1_000_000
"""Cost of each certificate, leader or department that a team lacks."""


def draw_teams(
    need: SlotNeed,
    working: Working,
    *,
    met: Counter[frozenset[str]],
    led: Counter[str],
    options: RosterOptions,
    chance: random.Random,
) -> list[Crew]:
    """Draw the people of one slot into teams at random, then swap for few repeated pairs.

    `met` counts how often two people worked together and `led` how often one led; both are brought up to
    date. The people must allow their number of teams: the first stage sees to it.
    """
    best: list[list[Officer]] = []
    best_cost = None
    for _ in range(DRAWS):
        teams = _deal(need, working, options, chance)
        cost = _improve_split(teams, met, need, options)
        if best_cost is None or cost < best_cost:
            best, best_cost = teams, cost
    crews = []
    for team in best:
        for pair in combinations(sorted(officer.id for officer in team), 2):
            met[frozenset(pair)] += 1
        able = [officer for officer in team if officer.leader] or [
            officer for officer in team if officer.certified or not any(item.certified for item in team)
        ]
        leader = min(able, key=lambda officer: (led[officer.id], officer.id)).id
        led[leader] += 1
        members_ids = tuple(sorted(officer.id for officer in team))
        crews.append(Crew(need.slot, 0, members_ids, leader))
    chance.shuffle(crews)
    return [Crew(crew.slot, number, crew.members, crew.leader) for number, crew in enumerate(crews, 1)]


def _deal(
    need: SlotNeed, working: Working, options: RosterOptions, chance: random.Random
) -> list[list[Officer]]:
    """Return a random split that keeps every rule."""
    if working.split is None:
        return _deal_evenly(working.members, working.teams, options, chance)
    teams = [list(team) for team in working.split]
    # The model's own split is the same every time; swaps that break nothing make it a draw.
    for _ in range(4 * len(working.members)):
        one, other = chance.randrange(len(teams)), chance.randrange(len(teams))
        i, j = chance.randrange(len(teams[one])), chance.randrange(len(teams[other]))
        if one != other:
            teams[one][i], teams[other][j] = teams[other][j], teams[one][i]
            if any(_price_team(teams[at], {}, need, options) >= BROKEN for at in (one, other)):
                teams[one][i], teams[other][j] = teams[other][j], teams[one][i]
    return teams


def _deal_evenly(
    members: Sequence[Officer], count: int, options: RosterOptions, chance: random.Random
) -> list[list[Officer]]:
    """Deal shuffled members: a leader a team, then the certificates each team needs, then evenly."""
    shuffled = list(members)
    chance.shuffle(shuffled)
    shuffled.sort(key=lambda officer: (not officer.leader, not officer.certified))
    led = [officer for officer in shuffled[:count] if officer.leader]
    teams = [[officer] for officer in led] + [[] for _ in range(count - len(led))]
    rest = shuffled[len(led) :]
    chance.shuffle(rest)
    for officer in sorted(rest, key=lambda officer: not officer.certified):
        lacking = [team for team in teams if _count_certified(team) < options.min_certified]
        room = [team for team in teams if len(team) < options.crew_size]
        min(lacking if officer.certified and lacking else room, key=len).append(officer)
    return teams


def _count_certified(team: Sequence[Officer]) -> int:
    return sum(officer.certified for officer in team)


def _price_team(
    team: Sequence[Officer], met: Mapping[frozenset[str], int], need: SlotNeed, options: RosterOptions
) -> int:
    """Return the cost of one team: repeated pairs, a missing leader, and far more for a broken rule."""
    cost = sum(
        2 * count * count + count
        for one, other in combinations(team, 2)
        if (count := met.get(frozenset((one.id, other.id)), 0))
    )
    if not any(officer.leader for officer in team):
        cost += BROKEN if options.leader_required else 50
    lacking = max(0, options.min_certified - _count_certified(team))
    lacking += sum(not any(name in officer.departments for officer in team) for name in need.joint)
    return cost + BROKEN * lacking


def _improve_split(
    teams: list[list[Officer]],
    met: Mapping[frozenset[str], int],
    need: SlotNeed,
    options: RosterOptions,
) -> int:
    """Swap members between teams while that lowers the cost; return the cost."""
    costs = [_price_team(team, met, need, options) for team in teams]
    improved = True
    while improved:
        improved = False
        for one, other in combinations(range(len(teams)), 2):
            for i in range(len(teams[one])):
                for j in range(len(teams[other])):
                    teams[one][i], teams[other][j] = teams[other][j], teams[one][i]
                    new = (
                        _price_team(teams[one], met, need, options),
                        _price_team(teams[other], met, need, options),
                    )
                    if sum(new) < costs[one] + costs[other]:
                        costs[one], costs[other] = new
                        improved = True
                    else:
                        teams[one][i], teams[other][j] = teams[other][j], teams[one][i]
    return sum(costs)
