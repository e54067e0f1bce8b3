"""Commands of measuring: solve a public benchmark file, generate a district."""

from __future__ import annotations

import time
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup

from dashboard.commands.door import Json, open_door, progress_bar, write_file
from dashboard.commands.plans import Iterations, Limit, Seed, Workers

if TYPE_CHECKING:
    from planner.instances import Instance
    from planner.plan import Plan

DEFAULT_LIMIT_S = 60.0


class FileGroup(TyperGroup):
    """A group whose first word may be a file: ``bench FILE …`` is ``bench solve FILE …``."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Put the command ``solve`` before anything that names no command and asks for no help."""
        if args and args[0] not in self.commands and "--help" not in args[:1]:
            args = ["solve", *args]
        return super().parse_args(ctx, args)


bench = typer.Typer(
    name="bench",
    cls=FileGroup,
    help="Measure the planner: `bench FILE --format toptw|solomon|vrplib --limit-s 60` (the same as "
    "`bench solve FILE …`), or `bench generate --institutions N --seed S -o problem.json`.",
    no_args_is_help=True,
)


class Form(StrEnum):
    """Formats of public benchmark files."""

    TOPTW = "toptw"
    SOLOMON = "solomon"
    VRPLIB = "vrplib"


@bench.command("solve")
def bench_command(
    file: Annotated[Path, typer.Argument(help="A public benchmark file.")],
    form: Annotated[Form, typer.Option("--format", help="How the file is written.")],
    output: Annotated[Path | None, typer.Option("-o", "--output", help="Write the plan here.")] = None,
    seed: Seed = 1,
    iterations: Iterations = None,
    limit_s: Limit = None,
    workers: Workers = 1,
    engine: Annotated[str, typer.Option("--engine", help="auto, improve or ortools.")] = "improve",
    teams: Annotated[int | None, typer.Option("--teams", help="Vehicles instead of the file's.")] = None,
    as_json: Json = False,
) -> None:
    """Solve a benchmark file and print its published objective beside the best known one."""
    with open_door(as_json=as_json, database=None) as door:
        from planner.exchange import format_plan
        from planner.instances import read_instance
        from planner.options import SolveOptions
        from planner.solve import solve

        instance = read_instance(file, form=form.value, teams=teams)
        if output is not None:
            write_file(output, "")  # Refuse before the search, not after it.
        if iterations is None and limit_s is None:
            limit_s = DEFAULT_LIMIT_S
        options = SolveOptions(
            seed=seed, iterations=iterations, limit_s=limit_s, workers=workers, engine=engine, bound=False
        )
        begun = time.perf_counter()
        with progress_bar(shown=not as_json) as report:
            plan = solve(instance.problem, options=options, progress=lambda s: report(s.share, "solving"))
        seconds = time.perf_counter() - begun
        if output is not None:
            write_file(output, format_plan(plan))
        result = _describe(file, instance, plan, seconds=seconds)
        door.answer(result, *_tell(result))


def _describe(file: Path, instance: Instance, plan: Plan, *, seconds: float) -> dict[str, Any]:
    """Return the figures of a solved benchmark file."""
    from planner.instances import find_best_known, measure, measure_gap

    measured = measure(instance, plan)
    known = find_best_known(file, instance)
    complete = measured.missing == 0
    return {
        "file": file.name,
        "kind": instance.kind,
        "objective": round(measured.objective, 4) if complete else None,
        "best_known": known[0] if known else None,
        "best_known_from": known[1] if known else None,
        "gap_percent": round(measure_gap(instance, measured.objective, known[0]), 4)
        if known and complete
        else None,
        "distance": round(measured.distance, 4),
        "served": sum(len(route.stops) for route in plan.routes),
        "customers": len(instance.problem.visits),
        "missing": measured.missing,
        "routes": measured.routes,
        "teams": len(instance.problem.shifts),
        "iterations": plan.limit.get("iterations_done", plan.limit.get("iterations")),
        "seconds": round(seconds, 2),
        "seed": plan.seed,
    }


def _tell(result: dict[str, Any]) -> list[str]:
    """Return the figures as lines for people."""
    shown = {key: "—" if value is None else value for key, value in result.items()}
    lines = [
        "{file} ({kind}): 目标值 / objective {objective}".format(**shown),
        "  已知最优 / best known {best_known} ({best_known_from}), 差距 / gap {gap_percent} %".format(
            **shown
        ),
        "  服务 / served {served}/{customers}, 路线 / routes {routes}/{teams}, "
        "里程 / distance {distance}".format(**shown),
        "  迭代 / iterations {iterations}, 秒 / seconds {seconds}, 种子 / seed {seed}".format(**shown),
    ]
    if result["missing"]:
        lines.insert(
            1, "  未服务的必到客户 / customers left out that must be served: {missing}".format(**shown)
        )
    return lines


@bench.command("generate")
def generate_command(
    institutions: Annotated[int, typer.Option("--institutions", help="Sites that owe visits.")],
    output: Annotated[Path, typer.Option("-o", "--output", help="Write the problem here.")],
    seed: Seed = 1,
    teams: Annotated[
        int | None, typer.Option("--teams", help="Teams; one to 125 institutions by default.")
    ] = None,
    days: Annotated[int, typer.Option("--days", help="Days of the horizon.")] = 28,
    as_json: Json = False,
) -> None:
    """Write a made-up district as a gridpatrol-problem/1 file; the same seed gives the same bytes."""
    with open_door(as_json=as_json, database=None) as door:
        from planner.generator import format_document, generate_document

        document = generate_document(institutions, seed=seed, teams=teams, days=days)
        text = format_document(document)
        write_file(output, text)
        counts = {part: _count(document[part]) for part in ("sites", "visits", "shifts")}
        door.answer(
            {"file": str(output), "bytes": len(text.encode()), "seed": seed, **counts},
            f"{output}: 机构 / sites {counts['sites']}, 家次 / visits {counts['visits']}, "
            f"班次 / shifts {counts['shifts']}",
        )


def _count(part: object) -> int:
    return len(part) if isinstance(part, list) else 0
