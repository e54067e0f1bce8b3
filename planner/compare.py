"""What a plan costs, rule by rule, and what changed between two plans of one problem."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from planner.plan import Plan, list_sequences, measure_objective
from planner.problem import MANDATORY_PENALTY, Problem


@dataclass(frozen=True)
class Cost:
    """The objective by rule: mandatory visits left out, places not seen, prizes left, travel seconds."""

    mandatory: int
    first_visits: int
    prizes: int
    travel_s: int

    @property
    def total(self) -> int:
        """Sum of all rules: J, with first visits where the problem prices them."""
        return self.mandatory + self.first_visits + self.prizes + self.travel_s


@dataclass(frozen=True)
class Move:
    """One visit served otherwise than before: shifts and starts of service, None where it was not served."""

    visit: str
    from_shift: str | None
    to_shift: str | None
    from_start_s: int | None
    to_start_s: int | None


@dataclass(frozen=True)
class Comparison:
    """What plan B does otherwise than plan A.

    `moved` changed their shift, `retimed` only their time, `added` are served only by B, `dropped` only by A;
    `before` and `after` are the costs by rule.
    """

    moved: tuple[Move, ...]
    retimed: tuple[Move, ...]
    added: tuple[Move, ...]
    dropped: tuple[Move, ...]
    before: Cost
    after: Cost


def break_down(problem: Problem, sequences: Mapping[str, Sequence[str]]) -> Cost:
    """Return the objective of visit ids in driving order by shift id, rule by rule."""
    served = {visit for visits in sequences.values() for visit in visits}
    left = [visit for visit in problem.visits if visit.id not in served]
    seen = {problem.visit_by_id[visit].site for visit in served}
    unseen = [
        site for site in problem.visits_by_site if site not in seen and not problem.site_by_id[site].seen
    ]
    return Cost(
        mandatory=MANDATORY_PENALTY * sum(visit.mandatory for visit in left),
        first_visits=problem.first_visit_prize * len(unseen),
        prizes=sum(visit.prize for visit in left),
        travel_s=measure_objective(problem, sequences).travel_s,
    )


def compare_plans(
    problem: Problem, before: Plan, after: Plan, *, problem_after: Problem | None = None
) -> Comparison:
    """Return what `after` does otherwise than `before`, in the order of the problem's visits.

    `problem_after` is given when the problem itself changed between the two.
    """
    later = problem_after or problem
    old, new = _find_stops(before), _find_stops(after)
    groups: dict[str, list[Move]] = {"moved": [], "retimed": [], "added": [], "dropped": []}
    for visit in dict.fromkeys([item.id for item in (*problem.visits, *later.visits)]):
        was, now = old.get(visit), new.get(visit)
        if was == now:
            continue
        move = Move(
            visit,
            was[0] if was else None,
            now[0] if now else None,
            was[1] if was else None,
            now[1] if now else None,
        )
        if was is None:
            groups["added"].append(move)
        elif now is None:
            groups["dropped"].append(move)
        else:
            groups["moved" if was[0] != now[0] else "retimed"].append(move)
    return Comparison(
        **{name: tuple(moves) for name, moves in groups.items()},
        before=break_down(problem, list_sequences(before)),
        after=break_down(later, list_sequences(after)),
    )


def _find_stops(plan: Plan) -> dict[str, tuple[str, int]]:
    return {stop.visit: (route.shift, stop.start_s) for route in plan.routes for stop in route.stops}
