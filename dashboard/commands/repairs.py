"""The command that repairs a plan with the smallest change; of the register or as files."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dashboard.commands.door import ACTOR, Database, Door, Json, demand_writable, open_door, write_file
from dashboard.commands.revisions import (
    PlanArgument,
    ProblemFile,
    comparison_body,
    comparison_lines,
    open_plan,
)

if TYPE_CHECKING:
    from planner.plan import Plan
    from planner.problem import Problem
    from planner.repair import Change, Repaired
    from planner.revise import Event


def repair_command(
    plan: PlanArgument,
    absent: Annotated[
        str | None, typer.Option("--absent", help="An officer's code, or a team (T3) or shift.")
    ] = None,
    date: Annotated[
        str | None, typer.Option("--date", help="Day of the absence: YYYY-MM-DD (a day number for files).")
    ] = None,
    add: Annotated[
        list[str] | None, typer.Option("--add", help="A visit, or I<institution>, now urgent.")
    ] = None,
    drop: Annotated[
        list[str] | None, typer.Option("--drop", help="A visit, or I<institution>, not wanted.")
    ] = None,
    from_time: Annotated[
        str | None,
        typer.Option("--from", help="What began before stays: YYYY-MM-DDTHH:MM (DAYTHH:MM for files)."),
    ] = None,
    pin: Annotated[list[str] | None, typer.Option("--pin", help="A visit that stays on its shift.")] = None,
    lock: Annotated[
        list[str] | None, typer.Option("--lock", help="A shift, team or slot that stays.")
    ] = None,
    problem: ProblemFile = None,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="Write the new plan file here.")
    ] = None,
    problem_output: Annotated[
        Path | None, typer.Option("--problem-output", help="Write the changed problem file here.")
    ] = None,
    as_json: Json = False,
    database: Database = None,
) -> None:
    """Repair a plan with the smallest change; a stored plan becomes a new draft."""
    with open_door(as_json=as_json, database=database) as door:
        _demand_outputs(problem, output, problem_output)
        if problem is not None:
            asked, found = open_plan(door, plan, problem)
            change = _read_change(
                asked, absent=absent, date=date, add=add, drop=drop, at=from_time, pin=pin, lock=lock
            )
            _repair_files(door, asked, found, change, output=output, problem_output=problem_output)
            return
        from dashboard.commands.plans import read_date
        from planner.revise import Event

        if plan.endswith(".json"):
            open_plan(door, plan, None)
        event = Event(
            absent=absent,
            date=None if date is None else read_date("--date", date),
            add=tuple(add or ()),
            drop=tuple(drop or ()),
            at=None if from_time is None else _read_moment(from_time),
            pins=tuple(pin or ()),
            locks=tuple(lock or ()),
        )
        _repair_stored(door, plan, event)


def _demand_outputs(problem: Path | None, output: Path | None, problem_output: Path | None) -> None:
    """Refuse outputs that cannot be written, or that a stored plan does not have."""
    from planner.errors import PlannerError

    if problem is None and (output or problem_output):
        raise PlannerError(code="output_of_files_only")
    demand_writable(output)
    demand_writable(problem_output)
    if output is not None and output == problem_output:
        raise PlannerError(code="output_failed", fields={"file": str(output), "reason": "named twice"})


def _repair_stored(door: Door, plan: str, event: Event) -> None:
    from dashboard.i18n import sentence_for
    from geo.travel import CIRCUITY
    from planner.revise import revise

    revised = revise(door.store(), plan, event, actor=ACTOR, now=door.wiring.now())
    lines = [f"{revised.code}: {plan} 的修订草案 / revision of {plan}"]
    lines += [
        f"  {shift}: {who} → {stand_in or '—'}  替班 / stands in"
        for shift, (who, stand_in) in revised.stand_ins.items()
    ]
    if revised.straight:
        told = {"places": list(revised.straight), "factor": CIRCUITY}
        lines.append("  " + " / ".join(sentence_for("note.no_answer", told, each) for each in ("zh", "en")))
    comparison = revised.repaired.comparison
    body = {
        "plan": revised.code,
        "straight": list(revised.straight),
        "stand_ins": {shift: list(pair) for shift, pair in revised.stand_ins.items()},
        "freed": list(revised.repaired.freed),
        **comparison_body(comparison),
    }
    door.answer(body, *lines, *comparison_lines(comparison))


def _repair_files(
    door: Door,
    problem: Problem,
    plan: Plan,
    change: Change,
    *,
    output: Path | None,
    problem_output: Path | None,
) -> None:
    from planner.exchange import format_plan, format_problem
    from planner.repair import repair

    repaired: Repaired = repair(problem, plan, change)
    if problem_output is not None:
        write_file(problem_output, format_problem(repaired.problem))
    if output is None:
        typer.echo(format_plan(repaired.plan))
        return
    write_file(output, format_plan(repaired.plan))
    body = {"file": str(output), "freed": list(repaired.freed), **comparison_body(repaired.comparison)}
    door.answer(body, *comparison_lines(repaired.comparison))


def _read_change(
    problem: Problem,
    *,
    absent: str | None,
    date: str | None,
    add: Iterable[str] | None,
    drop: Iterable[str] | None,
    at: str | None,
    pin: Iterable[str] | None,
    lock: Iterable[str] | None,
) -> Change:
    """Return what changed, for a problem file: days are numbers."""
    from planner.errors import PlannerError
    from planner.repair import Change

    if not (absent or add or drop or at or pin or lock):
        raise PlannerError(code="no_change")
    day = None if date is None else _read_day(date)
    lost = frozenset(
        shift.id
        for shift in problem.shifts
        if absent is not None
        and absent in (shift.id, shift.team, *shift.members)
        and (day is None or shift.day == day)
    )
    if absent is not None and not lost:
        raise PlannerError(code="absent_unknown", fields={"who": absent, "date": str(date)})
    names = tuple(lock or ())
    locks = {s.id for s in problem.shifts if {s.id, s.team, s.slot} & set(names)}
    known = {name for s in problem.shifts for name in (s.id, s.team, s.slot)}
    now = None
    if at is not None:
        left, _, clock = at.partition("T")
        now = _read_day(left), _read_clock(clock)
    return Change(
        absent=lost,
        drop=frozenset(drop or ()),
        urgent=frozenset(add or ()),
        now=now,
        pins=frozenset(pin or ()),
        locks=frozenset(locks | {name for name in names if name not in known}),
    )


def _read_day(text: str) -> int:
    from planner.errors import PlannerError

    if not text.isdecimal():
        raise PlannerError(code="bad_date", fields={"option": "--date", "value": text})
    return int(text)


def _read_clock(text: str) -> int:
    from planner.errors import PlannerError

    try:
        moment = dt.time.fromisoformat(text)
    except ValueError as error:
        raise PlannerError(code="bad_date", fields={"option": "--from", "value": text}) from error
    return moment.hour * 3600 + moment.minute * 60 + moment.second


def _read_moment(text: str) -> tuple[dt.date, int]:
    from dashboard.commands.plans import read_date

    day, _, clock = text.partition("T")
    return read_date("--from", day), _read_clock(clock or "00:00")
