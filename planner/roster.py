"""The roster: CP-SAT decides who works each slot, then each slot's people are drawn into teams.

Deciding both at once finds nothing in useful time (measured: 60 people, 159 shifts), so fairness belongs to
the first stage and the rotation of pairs to the second. One worker, a seed and deterministic time: the same
facts and options give the same roster.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Mapping, Sequence

from planner.crew import Officer, Roster, SlotNeed, check_facts
from planner.fairness import measure_spread
from planner.officials import accompany
from planner.options import RosterOptions
from planner.shortage import tell_shortfall
from planner.teams import draw_teams
from planner.workforce import Workforce


def make_roster(
    officers: Sequence[Officer],
    needs: Sequence[SlotNeed],
    *,
    options: RosterOptions,
    met: Mapping[frozenset[str], int] | None = None,
) -> Roster:
    """Return a roster that keeps every rule and crews as many of the wanted teams as it can.

    Parameters
    ----------
    officers : sequence of Officer
        Everybody who may work, and the officials who may accompany.
    needs : sequence of SlotNeed
        The slots and the teams wanted in each.
    options : RosterOptions
        Rules, seed and effort.
    met : Mapping or None
        How often two officers (a frozenset of their ids) worked together before.

    Raises
    ------
    RosterInputError
        When officers or needs contradict themselves, with every fault.
    RosterFailedError
        When the solver ends without any answer within its effort.
    """
    check_facts(officers, needs)
    workers = [officer for officer in officers if not officer.official]
    working, gap = Workforce(workers, needs, options).solve()
    chance = random.Random(options.seed)  # noqa: S311 - a seeded, repeatable draw, no secret
    pairs: Counter[frozenset[str]] = Counter(met or {})
    led: Counter[str] = Counter()
    drawn = {}
    for index in sorted(range(len(needs)), key=lambda i: (needs[i].date, needs[i].start_s, needs[i].slot)):
        drawn[index] = (
            draw_teams(needs[index], working[index], met=pairs, led=led, options=options, chance=chance)
            if working[index].teams
            else []
        )
    crews = [crew for index in range(len(needs)) for crew in drawn[index]]
    shortfalls = [
        tell_shortfall(index, workers, needs, working, options)
        for index, need in enumerate(needs)
        if len(drawn[index]) < need.teams
    ]
    crews, absent = accompany(officers, needs, crews, options=options, chance=chance)
    spread = measure_spread(workers, needs, [item.members for item in working], options=options)
    return Roster(tuple(crews), (*shortfalls, *absent), spread, options.seed, gap)
