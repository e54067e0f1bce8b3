"""Solve a gridpatrol problem with PyVRP, in an interpreter that has it: JSON in, JSON out.

Run by bench_planner: python tests/benchmarks/pyvrp_model.py < request.json
request: {"problem": a gridpatrol-problem/1 document, "cpu_s": 10.0, "seed": 1, "rounds": 3};
answer: {"sequences": {shift: [visit, ...]}, "iterations": n, "cpu_s": x, "peak_mb": y}.

The model: clock of the horizon (day x 86,400 + second); one vehicle type a shift (alike shifts share one); a
client for each visit and run of its allowed slots that no forbidden one interrupts, the clients of a visit in
a group of which at most one is served (routing profiles that close the other slots were tried, weaker). A
prize for every client, plus 1,000,000 for a mandatory one. PyVRP knows no gap in days, so the visits of one
site get stretches of days that lie far enough apart, chosen for the most shifts; after each round they are
chosen again round the days served, and the search goes on from the plan it had. Smaller perturbations than
the default are better on these problems (3 % at N=200) and used for them; public files run with the defaults.
"""

from __future__ import annotations

import json
import math
import random
import resource
import sys
import time
from typing import Any

import numpy as np
from pyvrp import (
    Activity,
    ActivityType,
    Client,
    ClientGroup,
    Depot,
    Location,
    ProblemData,
    Route,
    Solution,
    SolveParams,
    VehicleType,
    solve,
)
from pyvrp.search import PerturbationParams

DAY_S = 86_400
MANDATORY = 1_000_000


class CpuLimit:
    """Stops a search after so many seconds of processor time."""

    def __init__(self, seconds: float) -> None:
        self.until = time.process_time() + seconds

    def __call__(self, best_cost: float) -> bool:
        """Return whether the time is used up."""
        return time.process_time() >= self.until


def read_travel(raw: Any) -> np.ndarray:
    """Return the matrix of integer seconds, from a matrix or points."""
    if not isinstance(raw, dict):
        return np.array(raw, dtype=np.int64)
    item = raw["euclidean"]
    xy = np.array(item["xy_m"], dtype=float)
    away = np.hypot(xy[:, None, 0] - xy[None, :, 0], xy[:, None, 1] - xy[None, :, 1])
    fixed, circuity = item.get("fixed_s", 0), item.get("circuity", 1.0)
    seconds = np.floor(fixed + circuity * away / item["speed_m_s"]).astype(np.int64)
    np.fill_diagonal(seconds, 0)
    return seconds


class Model:
    """A problem as PyVRP data, rebuilt whenever the days of the visits change."""

    def __init__(self, problem: dict[str, Any]) -> None:
        self.problem = problem
        self.travel = read_travel(problem["travel_s"])
        self.visits = {visit["id"]: visit for visit in problem["visits"]}
        self.sites = {site["id"]: site for site in problem["sites"]}
        self.depots = [depot["id"] for depot in problem["depots"]]
        self.types: dict[tuple[Any, ...], list[dict[str, Any]]] = {}
        for shift in problem["shifts"]:
            if shift.get("skills") or shift.get("fixed") or shift.get("closed"):
                raise ValueError("the PyVRP model knows no crews and no fixed routes")
            key = tuple(shift.get(name) for name in ("slot", "day", "start_s", "end_s", "depot", "capacity"))
            self.types.setdefault((*key, shift.get("max_stops")), []).append(shift)
        moments: dict[str, tuple[int, int]] = {}
        self.staff: dict[str, int] = {}
        for shift in problem["shifts"]:
            moments[shift["slot"]] = (shift["day"], shift["start_s"])
            self.staff[shift["slot"]] = self.staff.get(shift["slot"], 0) + 1
        self.slots = sorted(moments, key=moments.__getitem__)
        self.day = {slot: moments[slot][0] for slot in self.slots}
        self.siblings: dict[str, list[str]] = {}
        for visit in problem["visits"]:
            self.siblings.setdefault(visit["site"], []).append(visit["id"])
        self.alike = list(self.types.values())

    def spread(self, served: dict[str, int], chance: random.Random) -> dict[str, tuple[int, int]]:
        """Return first and last day of each visit, far enough apart at a site, round the days `served`."""
        last = max(self.day.values(), default=0)
        stretches = {}
        for site, ids in self.siblings.items():
            gap = self.sites[site].get("min_gap_days", 0)
            if len(ids) == 1 or gap == 0:
                stretches.update(dict.fromkeys(ids, (0, last)))
                continue
            order = sorted(ids, key=lambda visit: (served.get(visit, self._due(visit)), visit))
            stretches.update(self._spread_site(order, gap, served, chance, last=last))
        return stretches

    def _due(self, visit: str) -> int:
        return max((self.day.get(window["slot"], 0) for window in self.visits[visit]["windows"]), default=0)

    def _spread_site(
        self, order: list[str], gap: int, served: dict[str, int], chance: random.Random, *, last: int
    ) -> dict[str, tuple[int, int]]:
        """Return the stretches of one site by dynamic programming over the days; a visit may get none."""
        best: list[tuple[float, dict[str, tuple[int, int]]]] = [(0.0, {})] * (last + gap + 2)
        for visit in order:
            shifts = [0.0] * (last + 1)
            for window in self.visits[visit]["windows"]:
                if window["slot"] in self.day:
                    shifts[self.day[window["slot"]]] += self.staff[window["slot"]]
            shifts = [value * chance.uniform(0.8, 1.2) for value in shifts]
            # best[d] ends before day d; the next stretch may begin on day d + gap - 1.
            urgent = bool(self.visits[visit].get("mandatory"))
            after = [(worth - (1000.0 if urgent else 5.0), found) for worth, found in best]
            for start in range(last + 1):
                before = best[max(0, start - gap + 1)]
                total = 0.0
                for end in range(start, last + 1):
                    total += shifts[end]
                    if visit in served and not start <= served[visit] <= end:
                        continue
                    if total > 0:
                        worth = (
                            before[0]
                            + (2.0 if urgent else 1.0) * math.log1p(total)
                            + (100.0 if visit in served else 0.0)
                        )
                        if worth > after[end + 1][0]:
                            after[end + 1] = (worth, {**before[1], visit: (start, end)})
            for day in range(1, len(after)):
                if after[day - 1][0] > after[day][0]:
                    after[day] = after[day - 1]
            best = after
        return best[last + 1][1]

    def build(self, stretches: dict[str, tuple[int, int]]) -> ProblemData:
        """Return the data; `self.clients` then holds the visit of each client, `self.of` the way back."""
        clients: list[Client] = []
        groups: list[ClientGroup] = []
        self.clients: list[str] = []
        self.of: dict[tuple[str, str], int] = {}
        for visit in self.problem["visits"]:
            copies = self._list_copies(visit, stretches[visit["id"]]) if visit["id"] in stretches else []
            group = len(groups) if len(copies) > 1 else None
            for slots, opens, closes in copies:
                self.of.update({(visit["id"], slot): len(clients) for slot in slots})
                clients.append(
                    Client(
                        self.sites[visit["site"]]["location"],
                        delivery=self._loads(visit.get("demand", 0), 1),
                        service_duration=visit["service_s"],
                        tw_early=opens,
                        tw_late=closes,
                        prize=visit["prize"] + (MANDATORY if visit.get("mandatory") else 0),
                        required=False,
                        group=group,
                    )
                )
                self.clients.append(visit["id"])
            if group is not None:
                last = len(clients)
                groups.append(ClientGroup(list(range(last - len(copies), last)), required=False))
        return ProblemData(
            [Location(0, 0)] * len(self.travel),
            clients,
            [Depot(depot["location"]) for depot in self.problem["depots"]],
            [self._staff_type(shifts) for shifts in self.alike],
            [self.travel],
            [self.travel],
            groups,
        )

    def _loads(self, demand: int | None, stops: int | None) -> list[int]:
        """Return what of demand and number of stops the shifts limit."""
        limited = [self.alike[0][0].get(name) is not None for name in ("capacity", "max_stops")]
        return [value or 0 for value, used in zip((demand, stops), limited, strict=True) if used]

    def _staff_type(self, shifts: list[dict[str, Any]]) -> VehicleType:
        shift = shifts[0]
        depot = self.depots.index(shift["depot"])
        return VehicleType(
            len(shifts),
            capacity=self._loads(shift.get("capacity"), shift.get("max_stops")),
            start_depot=depot,
            end_depot=depot,
            tw_early=shift["day"] * DAY_S + shift["start_s"],
            tw_late=shift["day"] * DAY_S + shift["end_s"],
        )

    def _list_copies(self, visit: dict[str, Any], days: tuple[int, int]) -> list[tuple[list[str], int, int]]:
        """Return slots, opening and closing moment of each run of slots no forbidden one interrupts."""
        windows = {window["slot"]: window for window in visit["windows"]}
        copies: list[tuple[list[str], int, int]] = []
        running = False
        for slot in self.slots:
            day = self.day[slot]
            if slot not in windows or not days[0] <= day <= days[1]:
                running = False
                continue
            opens = day * DAY_S + windows[slot]["open_s"]
            closes = day * DAY_S + windows[slot]["close_s"]
            if running:
                copies[-1] = ([*copies[-1][0], slot], copies[-1][1], closes)
            else:
                copies.append(([slot], opens, closes))
            running = True
        return copies

    def read(self, solution: Solution) -> dict[str, list[str]]:
        """Return visit ids by shift id."""
        free = {number: list(shifts) for number, shifts in enumerate(self.alike)}
        return {
            free[route.vehicle_type()].pop(0)["id"]: [
                self.clients[stop.idx] for stop in route if stop.is_client()
            ]
            for route in solution.routes()
            if any(stop.is_client() for stop in route)
        }

    def warm(self, data: ProblemData, sequences: dict[str, list[str]]) -> Solution:
        """Return a plan as a start for `data`, without visits that have no place in it."""
        numbers = {
            shift["id"]: (number, shift["slot"])
            for number, shifts in enumerate(self.alike)
            for shift in shifts
        }
        routes = []
        for shift, visits in sequences.items():
            number, slot = numbers[shift]
            stops = [self.of[visit, slot] for visit in visits if (visit, slot) in self.of]
            if stops:
                activities = [Activity(ActivityType.CLIENT, stop) for stop in stops]
                routes.append(Route(data, activities, number))
        return Solution(data, routes)


def main() -> None:
    """Answer one request."""
    request = json.load(sys.stdin)
    model = Model(request["problem"])
    chance = random.Random(request["seed"])
    rounds = request["rounds"] if any(site.get("min_gap_days") for site in model.sites.values()) else 1
    sequences: dict[str, list[str]] = {}
    day_of = {shift["id"]: shift["day"] for shift in request["problem"]["shifts"]}
    iterations, begun = 0, time.process_time()
    for number in range(rounds):
        served = {visit: day_of[shift] for shift, visits in sequences.items() for visit in visits}
        data = model.build(model.spread(served, chance))
        start = model.warm(data, sequences) if sequences else None
        left = begun + request["cpu_s"] * (number + 1) / rounds - time.process_time()
        result = solve(
            data,
            stop=CpuLimit(left),
            seed=request["seed"],
            collect_stats=False,
            display=False,
            initial_solution=start,
            params=SolveParams(perturbation=PerturbationParams(1, 10)) if rounds > 1 else SolveParams(),
        )
        iterations += result.num_iterations
        if result.best.is_feasible():
            sequences = model.read(result.best)
    usage = resource.getrusage(resource.RUSAGE_SELF)
    answer = {
        "sequences": sequences,
        "iterations": iterations,
        "cpu_s": time.process_time() - begun,
        "peak_mb": usage.ru_maxrss / 1024,
    }
    json.dump(answer, sys.stdout)


if __name__ == "__main__":
    main()
