"""Commands of planning: plan, check, publish, show, and the exchange format's solve."""

from __future__ import annotations

import datetime as dt
import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from dashboard.commands.door import (
    ACTOR,
    Database,
    Door,
    Json,
    demand_writable,
    open_door,
    progress_bar,
    write_file,
)

if TYPE_CHECKING:
    from planner.verify import Report

BROKEN = 1
Seed = Annotated[int, typer.Option("--seed", help="Seed of every random choice.")]
Iterations = Annotated[
    int | None, typer.Option("--iterations", help="Stop after so many iterations: repeatable.")
]
Limit = Annotated[float | None, typer.Option("--limit-s", help="Stop after so many wall seconds.")]
Workers = Annotated[int, typer.Option("--workers", help="Searches side by side; the best one wins.")]


def plan_command(
    first: Annotated[str, typer.Option("--from", help="First day, YYYY-MM-DD.")],
    last: Annotated[str, typer.Option("--to", help="Last day, YYYY-MM-DD.")],
    round_from: Annotated[
        str | None, typer.Option("--round-from", help="First day of the coverage round.")
    ] = None,
    teams: Annotated[int, typer.Option("--teams", help="Most teams at work in one slot.")] = 6,
    depot: Annotated[str | None, typer.Option("--depot", help="LON,LAT where shifts start (WGS-84).")] = None,
    travel: Annotated[str, typer.Option("--travel", help="walk, ebike or car.")] = "ebike",
    joint_departments: Annotated[
        str, typer.Option("--joint-departments", help="Departments of joint teams, between commas.")
    ] = "",
    joint_slots: Annotated[int, typer.Option("--joint-slots-a-week", help="Joint slots in each week.")] = 0,
    accompanied: Annotated[
        int, typer.Option("--accompanied", help="Rounds of the period that an official accompanies.")
    ] = 0,
    coverage_round: Annotated[
        str | None, typer.Option("--round", help="Named coverage round, such as autumn_term (see rounds).")
    ] = None,
    draw: Annotated[
        str | None, typer.Option("--draw", help="Draw whose seed, shares and round to use (see draw commit).")
    ] = None,
    share: Annotated[
        float, typer.Option("--share", help="Part of the visits decided by lot, 0 to 0.5.")
    ] = 0.1,
    thinning: Annotated[
        float, typer.Option("--thinning", help="Part of each visit's slots that is hidden, 0 to 0.6.")
    ] = 0.2,
    inspection: Annotated[
        bool, typer.Option("--inspection", help="Visits are inspections: the yearly cap counts them.")
    ] = False,
    campaign: Annotated[
        str | None, typer.Option("--campaign", help="Approved special plan, exempt from the yearly cap.")
    ] = None,
    seed: Seed = 1,
    iterations: Iterations = None,
    limit_s: Limit = None,
    workers: Workers = 1,
    as_json: Json = False,
    database: Database = None,
) -> None:
    """Plan a period: roster and routes, checked and stored as a draft."""
    with open_door(as_json=as_json, database=database) as door:
        from planner.draft import make_plan
        from planner.options import DEFAULT_ITERATIONS, PlanOptions

        if iterations is None and limit_s is None:
            iterations = DEFAULT_ITERATIONS
        options = PlanOptions(
            first=read_date("--from", first),
            last=read_date("--to", last),
            round_from=None if round_from is None else read_date("--round-from", round_from),
            teams=teams,
            seed=seed,
            iterations=iterations,
            limit_s=limit_s,
            workers=workers,
            travel=travel,
            depot=None if depot is None else _read_point(depot),
            joint_departments=tuple(filter(None, re.split(r"[,，、\s]+", joint_departments))),
            joint_slots_a_week=joint_slots,
            accompanied=accompanied,
            round=coverage_round,
            draw=draw,
            control_share=share,
            thinning=thinning,
            inspection=inspection,
            campaign=campaign,
        )
        with progress_bar(shown=not as_json) as report:
            result = make_plan(
                door.store(),
                options=options,
                actor=ACTOR,
                now=door.wiring.now(),
                today=door.wiring.today(),
                progress=report,
            )
        door.answer(result.summary, *summary_lines(result.summary))


def read_date(option: str, text: str) -> dt.date:
    """Return an ISO date.

    Raises
    ------
    PlannerError
        `bad_date`.
    """
    from planner.errors import PlannerError

    try:
        return dt.date.fromisoformat(text)
    except ValueError as error:
        raise PlannerError(code="bad_date", fields={"option": option, "value": text}) from error


def _read_point(text: str) -> tuple[float, float]:
    from planner.errors import PlannerError

    try:
        lon, lat = (float(part) for part in text.split(","))
    except ValueError as error:
        raise PlannerError(code="bad_point", fields={"value": text}) from error
    if not (-180 <= lon <= 180 and -90 <= lat <= 90):
        raise PlannerError(code="bad_point", fields={"value": text})
    return lon, lat


def summary_lines(summary: dict[str, Any]) -> list[str]:
    """Return a plan's figures as lines for people."""
    from dashboard.i18n import sentence_for
    from dashboard.wording import reach_line

    lines = [
        f"{summary['plan']}: 机构 {summary['institutions_seen']}/{summary['institutions']} 家, "
        f"{summary['served']}/{summary['visits']} 家次, 班次 {summary['shifts']}, "
        f"必查 {summary['mandatory_served']}/{summary['mandatory']}, "
        f"路程 {summary['travel_s'] // 60} 分钟 / places, visits, shifts, mandatory, travel",
        f"  {summary['travel']}",
    ]
    lines += [f"  {line}" for language in ("zh", "en") if (line := reach_line(summary, language))]
    if control := summary.get("control"):
        lines.append(
            f"  随机抽查 / random {control['served']} 家次, {control['realised']:.1%} "
            f"(设定 / set {control['share']:.0%}); "
            f"抽签 / draw {summary.get('draw') or '未事先承诺 / not committed'}"
        )
    lines += [
        f"  未排入 {count}: {sentence_for(f'unserved.{code}', {}, 'zh')}"
        for code, count in summary["unserved"].items()
    ]
    if summary.get("provisional"):
        lines.append("  放假安排未公布, 草案为暂定 / holidays not announced: provisional draft")
    return lines


def check_command(
    plan: Annotated[str, typer.Argument(help="A stored plan's code, or a problem file.")],
    plan_file: Annotated[Path | None, typer.Argument(help="The plan file of a problem file.")] = None,
    as_json: Json = False,
    database: Database = None,
) -> None:
    """Check a stored plan, or PROBLEM.json PLAN.json, independently; exit 1 and name what is broken."""
    with open_door(as_json=as_json, database=database) as door:
        if plan_file is not None:
            from planner.exchange import read_plan, read_problem
            from planner.verify import verify

            report = verify(read_problem(Path(plan)), read_plan(plan_file))
            as_json = True
            door.as_json = True
        else:
            from planner.publish import check

            with door.store().reading() as session:
                report = check(session, plan)
        answer_report(door, report)


def answer_report(door: Door, report: Report) -> None:
    """Print what a check found; leave with exit code 1 when a rule is broken."""
    body = {
        "holds": report.holds,
        "violations": [{"code": v.code, **v.fields} for v in report.violations],
        "warnings": [{"code": v.code, **v.fields} for v in report.warnings],
        "measures": dict(report.measures),
    }
    lines = ["全部硬性规则成立 / every hard rule holds"] if report.holds else []
    lines += [f"违反 / broken: {v.code} {dict(v.fields)}" for v in report.violations]
    lines += [f"注意 / warning: {v.code} {dict(v.fields)}" for v in report.warnings]
    door.answer(body, *lines)
    if not report.holds:
        raise typer.Exit(BROKEN)


def publish_command(
    plan: str,
    confirm_provisional: Annotated[
        bool,
        typer.Option("--confirm-provisional", help="Publish although the year's holidays are not announced."),
    ] = False,
    confirm_parent: Annotated[
        bool,
        typer.Option("--confirm-parent", help="Publish although it undoes a plan published meanwhile."),
    ] = False,
    confirm_inputs: Annotated[
        bool,
        typer.Option("--confirm-inputs", help="Publish although places, people or dates have changed."),
    ] = False,
    as_json: Json = False,
    database: Database = None,
) -> None:
    """Publish a draft as an immutable revision."""
    with open_door(as_json=as_json, database=database) as door:
        from planner.publish import publish

        at = door.wiring.now()
        with door.store().begin(actor=ACTOR, now=at) as session:
            publish(
                session,
                plan,
                actor=ACTOR,
                now=at,
                today=door.wiring.today(),
                confirm_provisional=confirm_provisional,
                confirm_parent=confirm_parent,
                confirm_inputs=confirm_inputs,
            )
        door.answer({"plan": plan, "status": "published"}, f"{plan} 已发布 / published")


def show_command(plan: str, as_json: Json = False, database: Database = None) -> None:
    """Show a plan: shifts, crews, stops and what was left out."""
    with open_door(as_json=as_json, database=database) as door:
        from dataclasses import asdict

        from dashboard.exports import clock
        from dashboard.i18n import sentence_for
        from dashboard.lots import is_secret
        from planner.itinerary import read_plan

        with door.store().reading() as session:
            view = read_plan(session, plan)
            secret = is_secret(session, view.head.draw)
        lines = summary_lines({"plan": view.head.code, **view.head.summary})
        for shift in view.shifts:
            crew = "、".join(m.name for m in shift.members)
            lines.append(f"{shift.date} {shift.slot_kind.zh} {shift.team} [{crew}]")
            lines += [f"    {s.sequence}. {clock(s.arrive_s)} {s.name}  {s.address}" for s in shift.stops]
        lines += [
            f"未排入: {u.name}  {sentence_for(f'unserved.{u.code}', u.detail, 'zh')}" for u in view.unserved
        ]
        body = asdict(view)
        if secret:
            body["head"]["seed"] = None
        door.answer(body, *lines)


def solve_command(
    problem: Path,
    output: Annotated[Path | None, typer.Option("-o", "--output", help="Write the plan here.")] = None,
    seed: Seed = 1,
    iterations: Iterations = None,
    limit_s: Limit = None,
    workers: Workers = 1,
    engine: Annotated[str, typer.Option("--engine", help="auto, improve or ortools.")] = "auto",
    as_json: Json = False,
) -> None:
    """Solve a gridpatrol-problem/1 file; the plan goes to standard output without -o."""
    with open_door(as_json=as_json, database=None) as door:
        from planner.exchange import format_plan, read_problem
        from planner.options import SolveOptions
        from planner.solve import solve

        demand_writable(output)
        if iterations is None and limit_s is None:
            limit_s = 60.0
        options = SolveOptions(
            seed=seed, iterations=iterations, limit_s=limit_s, workers=workers, engine=engine
        )
        with progress_bar(shown=not as_json and output is not None) as report:
            plan = solve(
                read_problem(problem), options=options, progress=lambda s: report(s.share, "solving")
            )
        if output is None:
            typer.echo(format_plan(plan))
            return
        write_file(output, format_plan(plan))
        figures = json.loads(format_plan(plan))["objective"]
        door.answer({"file": str(output), **figures}, f"{output}: J = {plan.objective.total}")
