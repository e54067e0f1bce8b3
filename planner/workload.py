"""The workload: how many teams each slot needs so that what is owed can be seen.

A small integer programme: visits of one sort may be spread over their allowed slots, each team brings the
slot's length times a fill share. It only sizes the roster; which visit goes where is the solver's business.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence

import numpy as np
from scipy import sparse
from scipy.optimize import Bounds, LinearConstraint, milp

from planner.errors import PlannerError
from planner.problem import Visit
from planner.slots import Slot

FILL = 0.85
UNSEEN_COST = 1000.0
UNMET_COST = 60.0


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

    Places nobody would see cost most, then visits left out, then hours of work.

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
    by_site: dict[str, list[Visit]] = defaultdict(list)
    for visit in visits:
        by_site[visit.site].append(visit)
    sorts = Counter(_sort_of(owed) for owed in by_site.values())
    number = {slot.id: index for index, slot in enumerate(slots)}
    groups = [(s, service_s, ids) for s, sort in enumerate(sorts) for service_s, ids in sort]
    flows = [
        (g, number[slot_id], service_s + travel_s)
        for g, (_, service_s, slot_ids) in enumerate(groups)
        for slot_id in slot_ids
        if slot_id in number
    ]
    if not flows:
        return {slot.id: 0 for slot in slots}
    places = np.array(list(sorts.values()), dtype=float)
    counts = np.array([places[s] for s, _, _ in groups])
    # Columns: teams of each slot | flow of each group into each slot | visits left out | places unseen.
    n_slots, n_flows = len(slots), len(flows)
    first_left, first_unseen = n_slots + n_flows, n_slots + n_flows + len(groups)
    width = first_unseen + len(places)
    capacity, balance = sparse.lil_matrix((n_slots, width)), sparse.lil_matrix((len(groups), width))
    seen = sparse.lil_matrix((len(places), width))
    for index, slot in enumerate(slots):
        capacity[index, index] = -max(slot.end_s - slot.start_s - depot_s, 0.0) * fill
    for f, (group, slot_index, each_s) in enumerate(flows):
        capacity[slot_index, n_slots + f] = each_s
        balance[group, n_slots + f] = 1.0
        seen[groups[group][0], n_slots + f] = 1.0
    for group in range(len(groups)):
        balance[group, first_left + group] = 1.0
    for sort in range(len(places)):
        seen[sort, first_unseen + sort] = 1.0
    weeks = sorted({slot.date.isocalendar()[:2] for slot in slots})
    staffing = sparse.lil_matrix((len(weeks), width))
    for index, slot in enumerate(slots):
        staffing[weeks.index(slot.date.isocalendar()[:2]), index] = 1.0
    hours = np.array([(slot.end_s - slot.start_s) / 3600 for slot in slots])
    # A tiny rise over the period breaks ties towards early slots, so that debts are paid early.
    cost = np.concatenate(
        [
            hours * (1 + 1e-3 * np.arange(n_slots) / n_slots),
            np.zeros(n_flows),
            np.full(len(groups), UNMET_COST),
            np.full(len(places), UNSEEN_COST),
        ]
    )
    upper = np.full(width, np.inf)
    upper[:n_slots] = teams
    answer = milp(
        cost,
        constraints=[
            LinearConstraint(capacity.tocsr(), -np.inf, 0.0),
            LinearConstraint(balance.tocsr(), counts, counts),
            LinearConstraint(seen.tocsr(), places, np.inf),
            LinearConstraint(staffing.tocsr(), -np.inf, float(crews_a_week)),
        ],
        integrality=np.concatenate([np.ones(n_slots), np.zeros(width - n_slots)]),
        bounds=Bounds(0, upper),
        options={"mip_rel_gap": 0.02, "node_limit": 2000},
    )
    if answer.x is None:
        raise PlannerError(code="workload_failed", fields={"status": int(answer.status)})
    return {slot.id: round(answer.x[index]) for index, slot in enumerate(slots)}


def _sort_of(owed: Sequence[Visit]) -> tuple[tuple[int, tuple[str, ...]], ...]:
    """Return what makes places alike for the programme: the visits owed, by length and allowed slots."""
    return tuple(sorted((v.service_s, tuple(sorted(w.slot for w in v.windows))) for v in owed))
