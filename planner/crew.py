"""Officers, what slots need, and the roster that joins them; with the draw of teams."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from itertools import combinations

from planner.errors import Fault, RosterInputError
from planner.options import RosterOptions

KINDS = ("day", "evening", "weekend", "holiday")
"""Classes of slots; all but the first are balanced between officers."""

DRAWS = 30
"""Random splits improved for each slot; the one with the fewest repeated pairs is kept."""


@dataclass(frozen=True)
class Officer:
    """A person who can be rostered.

    `certified` holds a valid officer certificate, `leader` may lead a team, `unavailable` are dates off,
    `worked` counts earlier shifts by kind (``day``, ``evening``, ``weekend``, ``holiday``).
    """

    id: str
    certified: bool = True
    leader: bool = False
    departments: tuple[str, ...] = ()
    unavailable: frozenset[date] = frozenset()
    worked: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class SlotNeed:
    """How many teams a slot wants; `start_s` and `end_s` are seconds of its date."""

    slot: str
    date: date
    kind: str
    start_s: int
    end_s: int
    teams: int


@dataclass(frozen=True)
class Crew:
    """One team in one slot: members sorted by id, the leader among them; `number` counts from 1."""

    slot: str
    number: int
    members: tuple[str, ...]
    leader: str


@dataclass(frozen=True)
class Shortfall:
    """Fewer teams than wanted in a slot, the code of the reason and the numbers behind it."""

    slot: str
    wanted: int
    crewed: int
    code: str
    detail: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Roster:
    """Who works where.

    `crews` follow the order of the needs, `shortfalls` name every slot with fewer teams than wanted,
    `spread` is the most minus the least shifts by kind and in total, earlier ones included, of certified
    officers present for at least half of the slots concerned.
    """

    crews: tuple[Crew, ...]
    shortfalls: tuple[Shortfall, ...]
    spread: Mapping[str, int]
    seed: int


def check_facts(officers: Sequence[Officer], needs: Sequence[SlotNeed]) -> None:
    """Refuse officers and needs that contradict themselves.

    Raises
    ------
    RosterInputError
        With every fault.
    """
    faults = []
    for name, ids in (("officers", [item.id for item in officers]), ("needs", [item.slot for item in needs])):
        counted: Counter[str] = Counter()
        for index, item_id in enumerate(ids):
            counted[item_id] += 1
            if not item_id or counted[item_id] > 1:
                code = "duplicate_id" if item_id else "missing_id"
                faults.append(Fault(f"{name}[{index}]", code, {"id": item_id}))
    for index, officer in enumerate(officers):
        wrong = {kind: count for kind, count in officer.worked.items() if kind not in KINDS or count < 0}
        if wrong:
            faults.append(Fault(f"officers[{index}].worked", "unknown_or_negative", {"worked": wrong}))
    for index, need in enumerate(needs):
        if need.kind not in KINDS:
            faults.append(Fault(f"needs[{index}].kind", "unknown_kind", {"kind": need.kind}))
        if not 0 <= need.start_s < need.end_s:
            faults.append(Fault(f"needs[{index}].end_s", "not_after_start", {"start_s": need.start_s}))
        if need.teams < 0:
            faults.append(Fault(f"needs[{index}].teams", "negative", {"teams": need.teams}))
    if faults:
        raise RosterInputError(faults)


def collide(one: SlotNeed, other: SlotNeed, *, min_rest_h: float) -> bool:
    """Return whether nobody can work both: they overlap, or leave too little rest between two dates."""
    early, late = sorted((one, other), key=lambda need: (need.date, need.start_s))
    pause_s = (late.date - early.date).days * 86_400 + late.start_s - early.end_s
    return pause_s < (min_rest_h * 3600 if early.date != late.date else 0)


def draw_teams(
    need: SlotNeed,
    members: Sequence[Officer],
    *,
    count: int,
    met: Counter[frozenset[str]],
    led: Counter[str],
    options: RosterOptions,
    chance: random.Random,
) -> list[Crew]:
    """Split the people of one slot into `count` teams, drawn at random and then with few repeated pairs.

    `met` counts how often two people worked together and `led` how often one led; both are brought up to
    date. The members must allow `count` teams: enough people, certificates and, where required, leaders.
    """
    best: list[list[Officer]] = []
    best_cost = None
    for _ in range(DRAWS):
        teams = _deal(members, count, options, chance)
        cost = _improve_split(teams, met, options)
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


def _price_team(team: Sequence[Officer], met: Mapping[frozenset[str], int], options: RosterOptions) -> int:
    """Return the cost of one team: repeated pairs, a missing leader, and far more for a broken rule."""
    cost = sum(
        2 * count * count + count
        for one, other in combinations(team, 2)
        if (count := met.get(frozenset((one.id, other.id)), 0))
    )
    if not any(officer.leader for officer in team):
        cost += 1_000_000 if options.leader_required else 50
    lacking = max(0, options.min_certified - _count_certified(team))
    return cost + 1_000_000 * lacking


def _improve_split(
    teams: list[list[Officer]], met: Mapping[frozenset[str], int], options: RosterOptions
) -> int:
    """Swap members between teams while that lowers the cost; return the cost."""
    costs = [_price_team(team, met, options) for team in teams]
    improved = True
    while improved:
        improved = False
        for one, other in combinations(range(len(teams)), 2):
            for i in range(len(teams[one])):
                for j in range(len(teams[other])):
                    teams[one][i], teams[other][j] = teams[other][j], teams[one][i]
                    new = (_price_team(teams[one], met, options), _price_team(teams[other], met, options))
                    if sum(new) < costs[one] + costs[other]:
                        costs[one], costs[other] = new
                        improved = True
                    else:
                        teams[one][i], teams[other][j] = teams[other][j], teams[one][i]
    return sum(costs)
