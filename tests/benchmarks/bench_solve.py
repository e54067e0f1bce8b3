"""Print objective and speed on generated districts: nearest neighbour, first plan, improvement.

Run from the repository: python -m tests.benchmarks.bench_solve --sizes 200 500 --limit-s 10
"""

from __future__ import annotations

import argparse
import time

from planner.generator import make_district
from planner.options import SolveOptions
from planner.plan import measure_objective
from planner.solve import solve
from planner.verify import verify
from tests.benchmarks.baselines import go_nearest


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
