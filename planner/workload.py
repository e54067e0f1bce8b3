"""The workload: how many teams each slot needs so that what is owed can be seen.

A small integer programme: visits of one sort may be spread over their allowed slots, each team brings the
slot's length times a fill share. It only sizes the roster; which visit goes where is the solver's business.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.optimize import Bounds, LinearConstraint, milp

from planner.errors import PlannerError
from planner.problem import Visit
from planner.slots import Slot

FILL = 0.85
UNSEEN_COST = 1000.0
UNMET_COST = 60.0
TOLERANCE = 1e-6


def size_slots(
    visits: Sequence[Visit],
    slots: Sequence[Slot],
    *,
    teams: int,
    travel_s: float,
    depot_s: float,
    crews_a_week: int,
    fill: float = FILL,
) -> dict[str, int]:
    """Return the number of teams wanted in each slot, 0 to `teams`.

    Mandatory visits missed cost most, then places nobody would see, visits left out, hours of work.

    Parameters
    ----------
    visits
        What is owed, with the slots allowed.
    slots
        The slots of the period.
    teams
        Most teams at work side by side.
    travel_s
        Seconds of travel to expect for each stop.
    depot_s
        Seconds from the depot to the first stop and home from the last.
    crews_a_week
        Most shifts of a team that the officers can staff in one ISO week.
    fill
        Share of a shift that can be filled with service and travel.

    Raises
    ------
    PlannerError
        `workload_failed` when the programme has no answer, which a valid input never gives.
    """
    programme = _lay_out(visits, slots, travel_s=travel_s)
    if not programme.flows:
        return {slot.id: 0 for slot in slots}
    constraints = [
        programme.capacity(slots, depot_s=depot_s, fill=fill),
        *programme.balance(),
        programme.staffing(slots, crews_a_week=crews_a_week),
    ]
    if any(programme.mandatory):
        # Duties come before everything (rule 2), so they are settled first and then held.
        missed = programme.missed()
        fewest = _minimise(programme, missed, constraints, teams=teams) @ missed
        constraints.append(LinearConstraint(missed[None, :], -np.inf, float(fewest) + TOLERANCE))
    answer = _minimise(programme, programme.cost(slots), constraints, teams=teams)
    return {slot.id: round(answer[index]) for index, slot in enumerate(slots)}


def _minimise(
    programme: _Programme,
    cost: NDArray[np.float64],
    constraints: Sequence[LinearConstraint],
    *,
    teams: int,
) -> NDArray[np.float64]:
    upper, integer = np.full(programme.width, np.inf), np.zeros(programme.width)
    upper[: programme.n_slots], integer[: programme.n_slots] = teams, 1
    answer = milp(
        cost,
        constraints=constraints,
        integrality=integer,
        bounds=Bounds(0, upper),
        options={"mip_rel_gap": 0.02, "node_limit": 2000},
    )
    if answer.x is None:
        raise PlannerError(code="workload_failed", fields={"status": int(answer.status)})
    found: NDArray[np.float64] = answer.x
    return found


@dataclass(frozen=True)
class _Programme:
    """The columns: teams of each slot | flow of each group into each slot | visits left out | places unseen.

    A group is the visits of one length and set of slots owed by one sort of places; `sort_of` names the sort
    of each group and `mandatory` whether its visits are, `places` counts the places of each sort, a flow is
    (group, slot, seconds each visit takes).
    """

    n_slots: int
    sort_of: list[int]
    mandatory: list[bool]
    places: NDArray[np.float64]
    flows: list[tuple[int, int, float]]

    @property
    def first_left(self) -> int:
        return self.n_slots + len(self.flows)

    @property
    def first_unseen(self) -> int:
        return self.first_left + len(self.sort_of)

    @property
    def width(self) -> int:
        return self.first_unseen + len(self.places)

    def cost(self, slots: Sequence[Slot]) -> NDArray[np.float64]:
        hours = np.array([(slot.end_s - slot.start_s) / 3600 for slot in slots])
        # A tiny rise over the period breaks ties towards early slots, so that debts are paid early.
        rising = hours * (1 + 1e-3 * np.arange(self.n_slots) / self.n_slots)
        left, unseen = np.full(len(self.sort_of), UNMET_COST), np.full(len(self.places), UNSEEN_COST)
        return np.concatenate([rising, np.zeros(len(self.flows)), left, unseen])

    def missed(self) -> NDArray[np.float64]:
        """1 for each column of a mandatory visit left out."""
        row = np.zeros(self.width)
        row[self.first_left : self.first_unseen] = self.mandatory
        return row

    def capacity(self, slots: Sequence[Slot], *, depot_s: float, fill: float) -> LinearConstraint:
        """What flows into a slot fits into the time its teams bring."""
        rows = sparse.lil_matrix((self.n_slots, self.width))
        for index, slot in enumerate(slots):
            rows[index, index] = -max(slot.end_s - slot.start_s - depot_s, 0.0) * fill
        for column, (_, slot_index, each_s) in enumerate(self.flows, start=self.n_slots):
            rows[slot_index, column] = each_s
        return LinearConstraint(rows.tocsr(), -np.inf, 0.0)

    def balance(self) -> tuple[LinearConstraint, LinearConstraint]:
        """Every visit flows somewhere or is left out; every place is seen once or counted as unseen."""
        visits = sparse.lil_matrix((len(self.sort_of), self.width))
        seen = sparse.lil_matrix((len(self.places), self.width))
        for column, (group, _, _) in enumerate(self.flows, start=self.n_slots):
            visits[group, column] = 1.0
            seen[self.sort_of[group], column] = 1.0
        for group in range(len(self.sort_of)):
            visits[group, self.first_left + group] = 1.0
        for sort in range(len(self.places)):
            seen[sort, self.first_unseen + sort] = 1.0
        counts = self.places[self.sort_of]
        return (
            LinearConstraint(visits.tocsr(), counts, counts),
            LinearConstraint(seen.tocsr(), self.places, np.inf),
        )

    def staffing(self, slots: Sequence[Slot], *, crews_a_week: int) -> LinearConstraint:
        """The shifts of an ISO week do not outrun the officers."""
        weeks = sorted({slot.date.isocalendar()[:2] for slot in slots})
        rows = sparse.lil_matrix((len(weeks), self.width))
        for index, slot in enumerate(slots):
            rows[weeks.index(slot.date.isocalendar()[:2]), index] = 1.0
        return LinearConstraint(rows.tocsr(), -np.inf, float(crews_a_week))


def _lay_out(visits: Sequence[Visit], slots: Sequence[Slot], *, travel_s: float) -> _Programme:
    by_site: dict[str, list[Visit]] = defaultdict(list)
    for visit in visits:
        by_site[visit.site].append(visit)
    sorts = Counter(_sort_of(owed) for owed in by_site.values())
    number = {slot.id: index for index, slot in enumerate(slots)}
    groups = [(s, *group) for s, sort in enumerate(sorts) for group in sort]
    flows = [
        (g, number[slot_id], service_s + travel_s)
        for g, (_, service_s, slot_ids, _) in enumerate(groups)
        for slot_id in slot_ids
        if slot_id in number
    ]
    places = np.array(list(sorts.values()), dtype=np.float64)
    return _Programme(len(slots), [g[0] for g in groups], [g[3] for g in groups], places, flows)


def _sort_of(owed: Sequence[Visit]) -> tuple[tuple[int, tuple[str, ...], bool], ...]:
    """Return what makes places alike for the programme: visits by length, allowed slots and duty."""
    return tuple(sorted((v.service_s, tuple(sorted(w.slot for w in v.windows)), v.mandatory) for v in owed))
