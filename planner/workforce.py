"""The first stage of the roster: who works each slot, as a CP-SAT model.

Fairness is the sum over officers and kinds of the squared distance of their counts from the mean. Its
tangents at whole numbers make the linear relaxation exact for the balance itself, so the gap is proved early;
a difference of largest and smallest count would leave the relaxation nothing to prove.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import combinations, pairwise
from typing import Any

from planner.crew import Officer, SlotNeed, collide, is_weekend, monday_of, worked_weekends
from planner.errors import RosterFailedError
from planner.fairness import BALANCED, concerned_by, count_before
from planner.options import RosterOptions

EMPTY_SEAT = 1_000
EXTRA_SEAT = 50
"""Cost of an empty seat, and of a joint team's member beyond the crew size; an uneven shift costs 1 up."""


@dataclass(frozen=True)
class Working:
    """Who works one slot: the members, how many teams they make, and the teams where they are decided."""

    members: tuple[Officer, ...]
    teams: int
    split: tuple[tuple[Officer, ...], ...] | None = None


class Workforce:
    """The model; officials are none of its officers."""

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
            if is_free(officer, need, options=options)
        }
        self.places: dict[tuple[int, int, int], Any] = {}
        self.teams = [self._count_teams(index) for index in range(len(needs))]
        clashes = [
            (one, other)
            for one, other in combinations(range(len(needs)), 2)
            if collide(needs[one], needs[other], min_rest_h=options.min_rest_h)
        ]
        for person in range(len(officers)):
            self._limit_person(person, clashes)
            self._free_weekends(person)

    def _present(self, index: int) -> list[int]:
        return [person for person in range(len(self.officers)) if (person, index) in self.works]

    def _count_teams(self, index: int) -> list[Any]:
        """Return one variable a wanted team, true from the first on for as many as can be crewed."""
        need, model = self.needs[index], self.model
        levels = [model.new_bool_var(f"t{index}_{level}") for level in range(need.teams)]
        for lower, upper in pairwise(levels):
            model.add_implication(upper, lower)
        seats = {person: self.works[person, index] for person in self._present(index)}
        if not need.joint:
            self._staff(seats, sum(levels), ())
            return levels
        # A department in every team cannot be told from the slot's people alone: each team has its own seats.
        for level, variable in enumerate(levels):
            own = {person: model.new_bool_var(f"z{person}_{index}_{level}") for person in seats}
            self._staff(own, variable, need.joint)
            self.places.update({(person, index, level): seat for person, seat in own.items()})
        for person, works in seats.items():
            model.add(works == sum(self.places[person, index, level] for level in range(len(levels))))
        return levels

    def _staff(self, seats: dict[int, Any], teams: Any, joint: Sequence[str]) -> None:
        """Let the people in `seats` be a whole crew for each of `teams`."""
        options, officers, model = self.options, self.officers, self.model
        everyone = sum(seats.values())
        model.add(everyone >= options.min_crew * teams)
        model.add(everyone <= (options.crew_size + len(joint)) * teams)
        certified = sum(seat for person, seat in seats.items() if officers[person].certified)
        model.add(certified >= options.min_certified * teams)
        if options.leader_required:
            model.add(sum(seat for person, seat in seats.items() if officers[person].leader) >= teams)
        for department in joint:
            sent = sum(seat for person, seat in seats.items() if department in officers[person].departments)
            model.add(sent >= teams)

    def _limit_person(self, person: int, clashes: Sequence[tuple[int, int]]) -> None:
        works, options = self.works, self.options
        for one, other in clashes:
            if (person, one) in works and (person, other) in works:
                self.model.add_at_most_one(works[person, one], works[person, other])
        by_week: dict[date, list[Any]] = defaultdict(list)
        by_date: dict[date, list[Any]] = defaultdict(list)
        for index, need in enumerate(self.needs):
            if (person, index) in works:
                by_week[monday_of(need.date)].append(works[person, index])
                by_date[need.date].append(works[person, index])
        for week, terms in by_week.items():
            earlier = sum(monday_of(shift.date) == week for shift in self.officers[person].recent)
            if len(terms) + earlier > options.max_week:
                self.model.add(sum(terms) <= max(0, options.max_week - earlier))
        for terms in by_date.values():
            if len(terms) > options.max_day:
                self.model.add(sum(terms) <= options.max_day)

    def _free_weekends(self, person: int) -> None:
        """Leave one weekend free in every window of weeks whose last one lies in the period."""
        weeks, past = self.options.free_weekend_weeks, worked_weekends(self.officers[person].recent)
        by_week: dict[date, list[Any]] = defaultdict(list)
        for index, need in enumerate(self.needs):
            if is_weekend(need.date) and (person, index) in self.works:
                by_week[monday_of(need.date)].append(self.works[person, index])
        at_work: dict[date, Any] = {}
        for week, terms in by_week.items():
            if week not in past:
                at_work[week] = self.model.new_bool_var(f"w{person}_{week}")
                for term in terms:
                    self.model.add_implication(term, at_work[week])
        for end in at_work:
            window = [end - timedelta(weeks=back) for back in range(weeks)]
            if window and all(week in at_work or week in past for week in window):
                own = [at_work[week] for week in window if week in at_work]
                self.model.add(sum(own) <= len(own) - 1)

    def solve(self) -> tuple[list[Working], float]:
        """Return who works each need and the gap proved for fairness: crews first, then fairness.

        Raises
        ------
        RosterFailedError
            When the solver ends without any answer.
        """
        crewed = self._worth_of_teams()
        self.model.minimize(-crewed)
        solver = self._run(share=0.3)
        first = [self._working(solver, index) for index in range(len(self.needs))]
        self.model.add(crewed >= round(-solver.objective_value))
        # No hint: following one through the relaxation takes seconds, a fresh dive finds better at once.
        self.model.minimize(self._price_unfairness())
        try:
            solver = self._run(share=0.7)
        except RosterFailedError:
            # Whole crews without balance are still a roster; nothing is proved about it.
            return first, 1.0
        best, bound = solver.objective_value, solver.best_objective_bound
        gap = max(0.0, best - bound) / max(1.0, abs(best))
        return [self._working(solver, index) for index in range(len(self.needs))], gap

    def _worth_of_teams(self) -> Any:
        # A slot's first team counts most, so that a shortage is spread over the slots.
        return sum(
            (100 + 100 // (level + 1)) * variable
            for levels in self.teams
            for level, variable in enumerate(levels)
        )

    def _working(self, solver: Any, index: int) -> Working:
        members = [person for person in self._present(index) if solver.value(self.works[person, index])]
        count = sum(solver.value(variable) for variable in self.teams[index])
        split = None
        if self.needs[index].joint:
            split = tuple(
                tuple(self.officers[p] for p in members if solver.value(self.places[p, index, level]))
                for level in range(count)
            )
        return Working(tuple(self.officers[person] for person in members), count, split)

    def _price_unfairness(self) -> Any:
        """Return the cost of uneven counts and of empty or extra seats."""
        terms: list[Any] = []
        for kind in BALANCED:
            terms += self._price_kind(kind)
        for index, levels in enumerate(self.teams):
            seats = sum(self.works[person, index] for person in self._present(index))
            wanted = sum(self.options.crew_size * variable for variable in levels)
            if levels and self.needs[index].joint:
                terms += self._price_seats(index, wanted - seats)
            elif levels:
                terms.append(EMPTY_SEAT * (wanted - seats))
        return sum(terms)

    def _price_seats(self, index: int, missing: Any) -> list[Any]:
        teams, joint = self.needs[index].teams, len(self.needs[index].joint)
        empty = self.model.new_int_var(0, self.options.crew_size * teams, f"empty{index}")
        extra = self.model.new_int_var(0, joint * teams, f"extra{index}")
        self.model.add(empty - extra == missing)
        return [EMPTY_SEAT * empty, EXTRA_SEAT * extra]

    def _price_kind(self, kind: str) -> list[Any]:
        """Return for each officer the squared distance from the mean count, by its tangents."""
        concerned = concerned_by(self.needs, kind)
        before = count_before(self.officers, self.needs, kind, options=self.options)
        means = self._mean_counts(before, sum(self.needs[index].teams for index in concerned))
        terms = []
        for person, start in enumerate(before):
            mean = means[self.officers[person].certified]
            own = [self.works[person, index] for index in concerned if (person, index) in self.works]
            if not own:
                continue
            dates = {self.needs[index].date for index in concerned if (person, index) in self.works}
            weeks = {monday_of(day) for day in dates}
            most = min(len(own), self.options.max_day * len(dates), self.options.max_week * len(weeks))
            count = self.model.new_int_var(0, most, f"n_{kind}_{person}")
            self.model.add(count == sum(own))
            away = max((start - mean) ** 2, (start + most - mean) ** 2)
            cost = self.model.new_int_var(0, away, f"c_{kind}_{person}")
            for shifts in range(most):
                distance = start + shifts - mean
                self.model.add(cost >= distance**2 + (2 * distance + 1) * (count - shifts))
            terms.append(cost)
        return terms

    def _mean_counts(self, before: Sequence[int], teams: int) -> dict[bool, int]:
        """Return the count to come near to, for certified officers and for the others."""
        seats = teams * self.options.crew_size
        if self.options.crew_size > self.options.min_certified:
            return dict.fromkeys((True, False), round((sum(before) + seats) / max(1, len(before))))
        # Certificates fill every seat: the others have only what joint slots ask of them.
        sides: dict[bool, list[int]] = {True: [], False: []}
        for officer, count in zip(self.officers, before, strict=True):
            sides[officer.certified].append(count)
        return {
            certified: round((sum(counts) + seats * certified) / max(1, len(counts)))
            for certified, counts in sides.items()
        }

    def _run(self, *, share: float) -> Any:
        solver = self.cp_model.CpSolver()
        solver.parameters.num_workers = 1
        solver.parameters.random_seed = self.options.seed
        solver.parameters.max_deterministic_time = self.options.effort * share
        # The balance lives in the relaxation: with all of it linear, tight weeks solve at once.
        solver.parameters.linearization_level = 2
        status = solver.solve(self.model)
        if status not in (self.cp_model.OPTIMAL, self.cp_model.FEASIBLE):
            raise RosterFailedError(
                fields={"status": solver.status_name(status), "effort": self.options.effort}
            )
        return solver


def is_free(officer: Officer, need: SlotNeed, *, options: RosterOptions) -> bool:
    """Return whether neither leave nor rest after an earlier shift keeps an officer from a slot."""
    return need.date not in officer.unavailable and not any(
        collide(shift, need, min_rest_h=options.min_rest_h) for shift in officer.recent
    )
