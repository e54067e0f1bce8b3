"""The roster: CP-SAT decides who works each slot, then each slot's people are drawn into teams.

Deciding both at once finds nothing in useful time (measured: 60 people, 159 shifts), so fairness belongs to
the first stage and the rotation of pairs to the second. One worker, a seed and deterministic time: the same
facts and options give the same roster.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import combinations, pairwise
from typing import Any

from planner.crew import Officer, Roster, Shortfall, SlotNeed, check_facts, collide, draw_teams
from planner.errors import RosterFailedError
from planner.options import RosterOptions

BALANCED = ("evening", "weekend", "holiday", "total")
"""What is spread evenly between the officers, beside earlier shifts."""


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
        Everybody who may work.
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
    model = _Model(officers, needs, options)
    working = model.solve()
    chance = random.Random(options.seed)  # noqa: S311 - a seeded, repeatable draw, no secret
    pairs: Counter[frozenset[str]] = Counter(met or {})
    led: Counter[str] = Counter()
    crews, shortfalls = [], []
    order = sorted(
        range(len(needs)), key=lambda index: (needs[index].date, needs[index].start_s, needs[index].slot)
    )
    drawn = {}
    for index in order:
        members, count = working[index]
        need = needs[index]
        drawn[index] = (
            draw_teams(need, members, count=count, met=pairs, led=led, options=options, chance=chance)
            if count
            else []
        )
    for index, need in enumerate(needs):
        crews += drawn[index]
        if len(drawn[index]) < need.teams:
            shortfalls.append(_tell_shortfall(index, officers, needs, working, options))
    return Roster(tuple(crews), tuple(shortfalls), _measure_spread(officers, needs, working), options.seed)


class _Model:
    """Who works each slot, as a CP-SAT model."""

    def __init__(
        self, officers: Sequence[Officer], needs: Sequence[SlotNeed], options: RosterOptions
    ) -> None:
        from ortools.sat.python import cp_model  # Slow to import, so only where it is used.

        self.cp_model = cp_model
        self.officers, self.needs, self.options = officers, needs, options
        self.model: Any = cp_model.CpModel()
        self.works: dict[tuple[int, int], Any] = {
            (person, index): self.model.new_bool_var(f"x{person}_{index}")
            for person, officer in enumerate(officers)
            for index, need in enumerate(needs)
            if need.date not in officer.unavailable
        }
        self.teams = [self._count_teams(index) for index in range(len(needs))]
        for person in range(len(officers)):
            self._limit_person(person)

    def _count_teams(self, index: int) -> list[Any]:
        """Return one variable a wanted team, true from the first on for as many as can be crewed."""
        options, model = self.options, self.model
        wanted = self.needs[index].teams
        present = [person for person in range(len(self.officers)) if (person, index) in self.works]
        levels = [model.new_bool_var(f"t{index}_{level}") for level in range(wanted)]
        for lower, upper in pairwise(levels):
            model.add_implication(upper, lower)
        everyone = sum(self.works[person, index] for person in present)
        certified = sum(self.works[person, index] for person in present if self.officers[person].certified)
        model.add(everyone >= options.min_crew * sum(levels))
        model.add(everyone <= options.crew_size * sum(levels))
        model.add(certified >= options.min_certified * sum(levels))
        if options.leader_required:
            leading = sum(self.works[person, index] for person in present if self.officers[person].leader)
            model.add(leading >= sum(levels))
        return levels

    def _limit_person(self, person: int) -> None:
        own = [index for index in range(len(self.needs)) if (person, index) in self.works]
        for one, other in combinations(own, 2):
            if collide(self.needs[one], self.needs[other], min_rest_h=self.options.min_rest_h):
                self.model.add_at_most_one(self.works[person, one], self.works[person, other])
        by_week: dict[tuple[int, int], list[Any]] = {}
        by_date: dict[object, list[Any]] = {}
        for index in own:
            day = self.needs[index].date
            by_week.setdefault(day.isocalendar()[:2], []).append(self.works[person, index])
            by_date.setdefault(day, []).append(self.works[person, index])
        for terms in by_week.values():
            self.model.add(sum(terms) <= self.options.max_week)
        for terms in by_date.values():
            self.model.add(sum(terms) <= self.options.max_day)

    def solve(self) -> list[tuple[list[Officer], int]]:
        """Return for each need the people who work and the number of teams: crew first, then fairness."""
        # A slot's first team counts most, so that a shortage is spread over the slots.
        crewed = sum(
            (100 + 100 // (level + 1)) * variable
            for levels in self.teams
            for level, variable in enumerate(levels)
        )
        solver = self._run(-crewed, share=0.3)
        self.model.add(
            crewed
            >= sum(
                (100 + 100 // (level + 1)) * solver.value(variable)
                for levels in self.teams
                for level, variable in enumerate(levels)
            )
        )
        self.model.clear_hints()
        for variable in [*self.works.values(), *(item for levels in self.teams for item in levels)]:
            self.model.add_hint(variable, solver.value(variable))
        solver = self._run(self._price_unfairness(), share=0.7)
        return [
            (
                [
                    officer
                    for person, officer in enumerate(self.officers)
                    if (person, index) in self.works and solver.value(self.works[person, index])
                ],
                sum(solver.value(variable) for variable in self.teams[index]),
            )
            for index in range(len(self.needs))
        ]

    def _price_unfairness(self) -> Any:
        """Return the cost of spread between officers alike and of empty seats."""
        terms: list[Any] = []
        for alike in (True, False):
            group = [person for person, officer in enumerate(self.officers) if officer.certified is alike]
            for kind in BALANCED:
                terms += self._price_spread(group, kind)
        seats = sum(self.works.values())
        places = sum(self.options.crew_size * variable for levels in self.teams for variable in levels)
        return sum(terms) + 60 * (places - seats)

    def _price_spread(self, group: Sequence[int], kind: str) -> list[Any]:
        concerned = [index for index, need in enumerate(self.needs) if kind in (need.kind, "total")]
        counts = []
        for person in group:
            own = [self.works[person, index] for index in concerned if (person, index) in self.works]
            if own and 2 * len(own) >= len(concerned):
                counts.append((_count_before(self.officers[person], kind), own))
        if len(counts) < 2:
            return []
        top = max(before + len(own) for before, own in counts)
        most = self.model.new_int_var(0, top, f"most_{kind}_{group[0]}")
        least = self.model.new_int_var(0, top, f"least_{kind}_{group[0]}")
        for before, own in counts:
            self.model.add(most >= before + sum(own))
            self.model.add(least <= before + sum(own))
        return [20 * most, -20 * least]

    def _run(self, cost: Any, *, share: float) -> Any:
        self.model.minimize(cost)
        solver = self.cp_model.CpSolver()
        solver.parameters.num_workers = 1
        solver.parameters.random_seed = self.options.seed
        solver.parameters.max_deterministic_time = self.options.effort * share
        status = solver.solve(self.model)
        if status not in (self.cp_model.OPTIMAL, self.cp_model.FEASIBLE):
            raise RosterFailedError(
                fields={"status": solver.status_name(status), "effort": self.options.effort}
            )
        return solver


def _count_before(officer: Officer, kind: str) -> int:
    return sum(officer.worked.values()) if kind == "total" else officer.worked.get(kind, 0)


def _measure_spread(
    officers: Sequence[Officer], needs: Sequence[SlotNeed], working: Sequence[tuple[Sequence[Officer], int]]
) -> dict[str, int]:
    """Return most minus least shifts by kind, as `Roster.spread` defines it."""
    spread = {}
    for kind in BALANCED:
        concerned = [index for index, need in enumerate(needs) if kind in (need.kind, "total")]
        counts = [
            _count_before(officer, kind) + sum(officer in working[index][0] for index in concerned)
            for officer in officers
            if officer.certified
            and 2 * sum(needs[index].date not in officer.unavailable for index in concerned) >= len(concerned)
        ]
        spread[kind] = max(counts) - min(counts) if counts and concerned else 0
    return spread


def _tell_shortfall(
    index: int,
    officers: Sequence[Officer],
    needs: Sequence[SlotNeed],
    working: Sequence[tuple[Sequence[Officer], int]],
    options: RosterOptions,
) -> Shortfall:
    """Return why a slot has fewer teams than wanted, counted on the finished roster."""
    need, wanted = needs[index], needs[index].teams
    duties: dict[str, list[SlotNeed]] = {officer.id: [] for officer in officers}
    for other, (members, _) in zip(needs, working, strict=True):
        for officer in members:
            if other.slot != need.slot:
                duties[officer.id].append(other)
    present = [officer for officer in officers if need.date not in officer.unavailable]
    week = need.date.isocalendar()[:2]
    tired = {
        officer.id
        for officer in present
        if sum(duty.date.isocalendar()[:2] == week for duty in duties[officer.id]) >= options.max_week
    }
    busy = {
        officer.id
        for officer in present
        if sum(duty.date == need.date for duty in duties[officer.id]) >= options.max_day
        or any(collide(need, duty, min_rest_h=options.min_rest_h) for duty in duties[officer.id])
    }

    def enough(barred: set[str], least: int, *, certified: bool) -> bool:
        able = [item for item in present if item.id not in barred and (item.certified or not certified)]
        return len(able) >= least

    certificates, people = (
        options.min_certified * (working[index][1] + 1),
        options.min_crew * (working[index][1] + 1),
    )
    code = "not_found"
    for name, barred in (
        ("", set()),
        ("weekly_limit", tired),
        ("rest_or_overlap", busy),
        ("weekly_limit_and_rest", tired | busy),
    ):
        if not enough(barred, certificates, certified=True):
            code = name or "no_certified_officers"
            break
        if not enough(barred, people, certified=False):
            code = name or "not_enough_officers"
            break
    detail = {
        "needed_certified": certificates,
        "present": len(present),
        "present_certified": sum(officer.certified for officer in present),
        "at_weekly_limit": len(tired),
        "busy_or_resting": len(busy),
    }
    if code == "not_found" and options.leader_required:
        # Where certificates fill every seat, only a certified leader finds one.
        any_seat = options.crew_size > options.min_certified
        able = [item for item in present if item.leader and (any_seat or item.certified)]
        free = [item for item in able if item.id not in tired | busy]
        if len(free) <= working[index][1]:
            code = "no_leader"
    return Shortfall(need.slot, wanted, working[index][1], code, detail)
