"""Print objective and speed on generated districts: nearest neighbour, first plan, improvement.

Run from the repository: python -m tests.benchmarks.bench_solve --sizes 200 500 --limit-s 10
"""

from __future__ import annotations

import argparse
import time

from planner.options import SolveOptions
from planner.plan import measure_objective
from planner.problem import Problem
from planner.solve import solve
from planner.verify import verify
from tests.benchmarks.districts import make_district


def go_nearest(problem: Problem) -> dict[str, tuple[str, ...]]:
    """Return what a spreadsheet does: shift by shift, always the nearest visit that still fits."""
    left = {visit.id: visit for visit in problem.visits}
    days: dict[str, list[int]] = {}
    plan = {}
    for shift in sorted(problem.shifts, key=lambda shift: (shift.day, shift.start_s, shift.id)):
        depot = problem.depot_by_id[shift.depot].location
        here, clock, route = depot, shift.start_s, []
        while True:
            fitting = []
            for visit in left.values():
                site = problem.site_by_id[visit.site]
                window = next((window for window in visit.windows if window.slot == shift.slot), None)
                if window is None or any(
                    abs(day - shift.day) < site.min_gap_days for day in days.get(site.id, ())
                ):
                    continue
                step = int(problem.travel_s[here, site.location])
                start = max(clock + step, window.open_s)
                back = int(problem.travel_s[site.location, depot])
                if start <= window.close_s and start + visit.service_s + back <= shift.end_s:
                    fitting.append((step, visit.id, start + visit.service_s, site))
            if not fitting:
                break
            _, visit_id, clock, site = min(fitting, key=lambda item: item[:2])
            here = site.location
            route.append(visit_id)
            days.setdefault(site.id, []).append(shift.day)
            del left[visit_id]
        plan[shift.id] = tuple(route)
    return plan


def main() -> None:
    """Print one row a size and engine."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--sizes", type=int, nargs="+", default=[200, 500])
    parser.add_argument("--limit-s", type=float, default=10.0)
    parser.add_argument("--engines", nargs="+", default=["ortools", "improve", "auto"])
    parser.add_argument("--seeds", type=int, nargs="+", default=[1])
    given = parser.parse_args()
    print(
        f"{'sites':>6}{'visits':>8}{'shifts':>8}  {'engine':<9}{'seed':>5}"
        f"{'J':>10}{'/NN':>7}{'mand.':>7}{'it/s':>9}{'CPU s':>7}"
    )
    for size in given.sizes:
        problem = make_district(size)
        nearest = measure_objective(problem, go_nearest(problem)).total
        head = f"{size:>6}{len(problem.visits):>8}{len(problem.shifts):>8}  "
        print(f"{head}{'nearest':<9}{'':>5}{nearest:>10}{1:>7.3f}")
        for engine in given.engines:
            for seed in given.seeds:
                begun, used = time.perf_counter(), time.process_time()
                options = SolveOptions(seed=seed, limit_s=given.limit_s, engine=engine, bound=False)
                plan = solve(problem, options=options)
                wall, cpu = time.perf_counter() - begun, time.process_time() - used
                measures = verify(problem, plan).measures
                deadlines = f"{measures['mandatory_served']}/{measures['mandatory']}"
                done = plan.limit.get("iterations_done", 0)
                assert isinstance(done, int)
                total = plan.objective.total
                print(
                    f"{head}{engine:<9}{seed:>5}{total:>10}{total / nearest:>7.3f}{deadlines:>7}"
                    f"{done / wall:>9.0f}{cpu:>7.1f}"
                )


if __name__ == "__main__":
    main()
