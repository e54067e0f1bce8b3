"""The planner's benchmark table: generated districts and public files, against PyVRP and a spreadsheet.

Run from the repository: python -m tests.benchmarks.bench_planner --classes districts --sizes 200 --seeds 1 2
Every solve runs in a fresh process on one core. The limits are processor seconds for both engines; the
table tells the seconds each really had (reasons and check included for the planner) and its peak memory.
PyVRP runs in an interpreter that has it (--pyvrp-python PATH, or this one); its columns stay empty otherwise.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import math
import multiprocessing
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from planner.exchange import format_problem
from planner.generator import make_district
from planner.improve import warm_up
from planner.instances import find_best_known, measure, measure_gap, read_instance
from planner.options import SolveOptions
from planner.plan import Plan, build_plan
from planner.problem import Problem
from planner.solve import solve
from planner.verify import verify
from tests.benchmarks.baselines import go_nearest

FOLDER = Path(__file__).resolve().parents[2].parent / "shared" / "reference" / "benchmarks"
MODEL = Path(__file__).with_name("pyvrp_model.py")
DISTRICT_S = {200: 10.0, 500: 60.0, 2000: 60.0}
PUBLIC = {
    "toptw": ("toptw", "*.txt", "toptw", 10.0),
    "solomon": ("solomon", "*.txt", "solomon", 60.0),
    "homberger": ("homberger_200", "*.txt", "solomon", 60.0),
    "pcvrptw": ("pcvrptw", "*.vrp", "vrplib", 60.0),
}


@dataclass(frozen=True)
class Run:
    """What one process found: its plan's figures, processor seconds of the search, peak memory."""

    figures: dict[str, Any]
    cpu_s: float
    peak_mb: float
    iterations: int


def run_apart(job: Callable[..., dict[str, Any]], *given: object) -> Run:
    """Run `job` in a fresh process and return its figures with processor time and peak memory."""
    context = multiprocessing.get_context("spawn")
    receiver, sender = context.Pipe(duplex=False)
    process = context.Process(target=_send, args=(sender, job, given))
    process.start()
    sender.close()
    figures = receiver.recv()
    process.join()
    return Run(figures, figures.pop("cpu_s"), figures.pop("peak_mb"), figures.pop("iterations"))


def _send(sender: Connection, job: Callable[..., dict[str, Any]], given: tuple[object, ...]) -> None:
    figures = job(*given)
    usage = resource.getrusage(resource.RUSAGE_SELF)
    figures.setdefault("peak_mb", usage.ru_maxrss / 1024)
    sender.send(figures)


def _solve_ours(problem: Problem, limit_s: float, seed: int) -> tuple[Plan, dict[str, Any]]:
    warm_up()
    before = time.process_time()
    options = SolveOptions(seed=seed, limit_s=limit_s, engine="improve", bound=False)
    plan = solve(problem, options=options, clock=time.process_time)
    return plan, {
        "cpu_s": time.process_time() - before,
        "iterations": plan.limit.get("iterations_done", 0),
        "violations": len(verify(problem, plan).violations),
    }


def _ask_pyvrp(problem: Problem, python: str, cpu_s: float, seed: int) -> tuple[Plan, dict[str, Any]]:
    """Return PyVRP's plan, without the visits that break a rule, and figures of its run."""
    request = {"problem": json.loads(format_problem(problem)), "cpu_s": cpu_s, "seed": seed, "rounds": 3}
    done = subprocess.run(
        [python, str(MODEL)], input=json.dumps(request), capture_output=True, text=True, check=True
    )
    answer = json.loads(done.stdout)
    sequences = {shift: list(visits) for shift, visits in answer["sequences"].items()}
    plan, dropped = build_plan(problem, sequences, reasons={}), 0
    while not (report := verify(problem, plan)).holds:
        first = report.violations[0].fields
        named = first.get("visit") or first.get("visits", [None])[-1]  # type: ignore[index]
        worst = named or sequences[str(first["shift"])][-1]
        sequences = {shift: [v for v in visits if v != worst] for shift, visits in sequences.items()}
        plan, dropped = build_plan(problem, sequences, reasons={}), dropped + 1
    figures = {name: answer[name] for name in ("cpu_s", "peak_mb", "iterations")}
    return plan, {**figures, "dropped": dropped}


def run_district(engine: str, size: int, seed: int, limit_s: float, python: str) -> dict[str, Any]:
    """Return J and mandatory visits served of one engine on one generated district."""
    problem = make_district(size, seed=seed)
    if engine == "nearest":
        before = time.process_time()
        plan, figures = build_plan(problem, go_nearest(problem), reasons={}), {"iterations": 1}
        figures["cpu_s"] = time.process_time() - before
        figures["violations"] = len(verify(problem, plan).violations)
    elif engine == "pyvrp":
        plan, figures = _ask_pyvrp(problem, python, limit_s, seed)
    else:
        plan, figures = _solve_ours(problem, limit_s, seed)
    measures = verify(problem, plan).measures
    return {
        **figures,
        "J": plan.objective.total,
        "visits": len(problem.visits),
        "mandatory": f"{measures['mandatory_served']}/{measures['mandatory']}",
    }


def run_public(engine: str, path: str, form: str, limit_s: float, seed: int, python: str) -> dict[str, Any]:
    """Return the published objective and its gap of one engine on one public file."""
    instance = read_instance(Path(path), form=form)
    if engine == "pyvrp":
        plan, figures = _ask_pyvrp(instance.problem, python, limit_s, seed)
    else:
        plan, figures = _solve_ours(instance.problem, limit_s, seed)
    measured = measure(instance, plan)
    known = find_best_known(Path(path), instance)
    gap = measure_gap(instance, measured.objective, known[0]) if known and not measured.missing else None
    best = known[0] if known else None
    return {
        **figures,
        "objective": measured.objective,
        "missing": measured.missing,
        "best": best,
        "gap": gap,
    }


def bench_districts(given: argparse.Namespace, say: Callable[[str], None]) -> None:
    """Print one row a size and seed, and the mean ratios of each size."""
    say("\n| N | seed | visits | limit s | J ours | J PyVRP | J nearest | ours/PyVRP | ours/nearest "
        "| mandatory ours, PyVRP, nearest | dropped PyVRP | CPU s | MB | it/s ours |")  # fmt: skip
    say("|---|---|---|---|---|---|---|---|---|---|---|---|---|---|")
    for size in given.sizes:
        limit_s = given.limit_s or DISTRICT_S.get(size, 60.0)
        ratios = []
        for seed in given.seeds:
            about = (size, seed, limit_s, given.pyvrp_python)
            ours, near = run_apart(run_district, "ours", *about), run_apart(run_district, "nearest", *about)
            pyvrp = run_apart(run_district, "pyvrp", *about) if given.pyvrp_python else None
            found = [run.figures for run in (ours, pyvrp, near) if run]
            other = pyvrp.figures["J"] if pyvrp else None
            ratio = ours.figures["J"] / other if other else float("nan")
            ratios.append((ratio, ours.figures["J"] / near.figures["J"]))
            say(
                f"| {size} | {seed} | {ours.figures['visits']} | {limit_s:g} | {ours.figures['J']} "
                f"| {other or '–'} | {near.figures['J']} | {_show(ratio)} | {ratios[-1][1]:.3f} "
                f"| {', '.join(item['mandatory'] for item in found)} "
                f"| {pyvrp.figures['dropped'] if pyvrp else '–'} "
                f"| {', '.join(f'{run.cpu_s:.1f}' for run in (ours, pyvrp) if run)} "
                f"| {', '.join(f'{run.peak_mb:.0f}' for run in (ours, pyvrp) if run)} "
                f"| {ours.iterations / max(ours.cpu_s, 1e-9):.0f} |"
            )
            assert ours.figures["violations"] == near.figures["violations"] == 0
        means = [sum(column) / len(ratios) for column in zip(*ratios, strict=True)]
        say(f"| {size} | mean | | | | | | {_show(means[0])} | {means[1]:.3f} | | | | | |")


def _show(ratio: float) -> str:
    return "–" if math.isnan(ratio) else f"{ratio:.3f}"


def bench_public(name: str, given: argparse.Namespace, say: Callable[[str], None]) -> None:
    """Print one row a file of a public class, and the mean gaps."""
    folder, pattern, form, seconds = PUBLIC[name]
    limit_s = given.limit_s or seconds
    paths = sorted((given.folder / folder).glob(pattern))
    if given.instances:
        paths = [path for path in paths if path.stem in given.instances]
    say(
        "\n| file | best known | ours | gap % | PyVRP | gap % | missing | CPU s | MB | it/s ours |"
        "\n|---|---|---|---|---|---|---|---|---|---|"
    )
    gaps: dict[str, list[float]] = {"ours": [], "pyvrp": []}
    for path in paths:
        about = (str(path), form, limit_s, given.seeds[0], given.pyvrp_python)
        runs = {"ours": run_apart(run_public, "ours", *about)}
        if given.pyvrp_python:
            runs["pyvrp"] = run_apart(run_public, "pyvrp", *about)
        cells = []
        for engine in ("ours", "pyvrp"):
            run = runs.get(engine)
            gap = run.figures["gap"] if run else None
            if gap is not None:
                gaps[engine].append(gap)
            objective = f"{run.figures['objective']:.2f}" if run else "–"
            cells.append(f"{objective} | {'–' if gap is None else f'{gap:.2f}'}")
        say(
            f"| {path.stem} | {runs['ours'].figures['best']} | {' | '.join(cells)} "
            f"| {', '.join(str(run.figures['missing']) for run in runs.values())} "
            f"| {', '.join(f'{run.cpu_s:.1f}' for run in runs.values())} "
            f"| {', '.join(f'{run.peak_mb:.0f}' for run in runs.values())} "
            f"| {runs['ours'].iterations / max(runs['ours'].cpu_s, 1e-9):.0f} |"
        )
    means = [f"{sum(gap) / len(gap):.2f}" if gap else "–" for gap in gaps.values()]
    say(f"| {name}: mean of {len(paths)} | | | {means[0]} | | {means[1]} | | | | |")


def main() -> None:
    """Print the tables asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument(
        "--classes", nargs="+", default=["districts", *PUBLIC], help="districts or " + ", ".join(PUBLIC)
    )
    parser.add_argument(
        "--sizes", type=int, nargs="+", default=[200, 500], help="institutions of the districts"
    )
    parser.add_argument(
        "--seeds", type=int, nargs="+", default=[1, 2, 3, 4, 5], help="public files use the first"
    )
    parser.add_argument(
        "--limit-s", type=float, help="seconds of every solve instead of 10, 60 or the class's"
    )
    parser.add_argument("--instances", nargs="+", help="names of public files, all by default")
    parser.add_argument(
        "--folder", type=Path, default=FOLDER, help="holds toptw, solomon, homberger_200, pcvrptw"
    )
    parser.add_argument("--pyvrp-python", help="an interpreter that has PyVRP")
    parser.add_argument("--markdown", type=Path, help="also write the tables to this file")
    given = parser.parse_args()
    if not given.pyvrp_python:
        given.pyvrp_python = sys.executable if importlib.util.find_spec("pyvrp") else ""
    said: list[str] = []

    def say(line: str) -> None:
        print(line, flush=True)
        said.append(line)
        if given.markdown:
            given.markdown.write_text("\n".join(said) + "\n", encoding="utf-8")

    for name in given.classes:
        if name == "districts":
            bench_districts(given, say)
        else:
            bench_public(name, given, say)


if __name__ == "__main__":
    main()
