"""Print the share of the known optimum collected on public TOPTW files (team orienteering, time windows).

Run from the repository: python -m tests.benchmarks.bench_toptw FOLDER --limit-s 10
FOLDER holds `best_known.csv` and `toptw/*.txt`; the team count of the header is used, at which the best
known plan collects every prize.
"""

from __future__ import annotations

import argparse
import csv
import time
from pathlib import Path

import numpy as np

from planner.options import SolveOptions
from planner.problem import Depot, Problem, Shift, Site, Visit, Window
from planner.solve import solve
from planner.verify import verify


def read_toptw(path: Path, *, decimals: int, prize_factor: int) -> Problem:
    """Return a TOPTW file as a problem: times in 10**-decimals units, distances cut to that."""
    lines = [line.split() for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
    teams, unit = int(lines[0][1]), 10**decimals
    rows = lines[2:]
    xy = np.array([[float(row[1]), float(row[2])] for row in rows])
    travel = np.floor(np.hypot(*(xy[:, None] - xy[None, :]).transpose(2, 0, 1)) * unit + 1e-9).astype(
        np.int64
    )
    end = int(float(rows[0][-1]) * unit)
    visits = tuple(
        Visit(
            f"V{row[0]}",
            f"I{row[0]}",
            int(float(row[3]) * unit),
            int(float(row[4])) * prize_factor,
            windows=(Window("a", int(float(row[-2]) * unit), int(float(row[-1]) * unit)),),
        )
        for row in rows[1:]
    )
    return Problem(
        travel_s=travel,
        depots=(Depot("D", 0),),
        shifts=tuple(Shift(f"S{number}", f"T{number}", "a", 0, 0, end, "D") for number in range(teams)),
        sites=tuple(Site(visit.site, number) for number, visit in enumerate(visits, 1)),
        visits=visits,
    )


def main() -> None:
    """Print one row a file."""
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--limit-s", type=float, default=10.0)
    parser.add_argument("--engine", default="improve")
    given = parser.parse_args()
    with (given.folder / "best_known.csv").open(encoding="utf-8") as file:
        known = [row for row in csv.DictReader(file) if row["class"] == "TOPTW"]
    gaps = []
    print(f"{'file':<8}{'optimum':>9}{'found':>8}{'gap %':>8}{'it/s':>9}")
    for row in known:
        decimals = 2 if "2 decimals" in row["convention"] else 1
        problem = read_toptw(
            given.folder / "toptw" / f"{row['instance']}.txt", decimals=decimals, prize_factor=10_000
        )
        begun = time.perf_counter()
        plan = solve(problem, options=SolveOptions(limit_s=given.limit_s, engine=given.engine, bound=False))
        wall = time.perf_counter() - begun
        found = verify(problem, plan).measures["prize_collected"] / 10_000
        gap = 100 * (1 - found / float(row["best_known"]))
        gaps.append(gap)
        done = plan.limit.get("iterations_done", 0)
        assert isinstance(done, int)
        print(
            f"{row['instance']:<8}{float(row['best_known']):>9.0f}{found:>8.0f}{gap:>8.2f}{done / wall:>9.0f}"
        )
    print(f"mean gap {np.mean(gaps):.2f} %")


if __name__ == "__main__":
    main()
