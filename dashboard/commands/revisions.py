"""Commands on a finished plan: explain, diff, recommend, repair; of the register or as files."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from dashboard.commands.door import ACTOR, Database, Door, Json, open_door

if TYPE_CHECKING:
    from planner.compare import Comparison, Cost, Move
    from planner.plan import Plan, Unserved
    from planner.problem import Problem
    from planner.repair import Change, Repaired

ProblemFile = Annotated[
    Path | None,
    typer.Option("--problem", help="The problem file, when PLAN is a file and not a stored code."),
]
PlanArgument = Annotated[str, typer.Argument(help="A stored plan's code, or a plan file with --problem.")]


def _open_plan(door: Door, plan: str, problem: Path | None) -> tuple[Problem, Plan]:
    """Return problem and plan of a stored code, or of two files.

    Raises
    ------
    PlannerError
        `no_plan_file` when PLAN is a file without its problem, `unknown_plan`.
    """
    from planner.errors import PlannerError
    from planner.exchange import read_plan, read_problem
    from planner.stored import load_plan

    if problem is not None:
        return read_problem(problem), read_plan(Path(plan))
    if plan.endswith(".json"):
        raise PlannerError(code="no_plan_file", fields={"plan": plan})
    with door.store().reading() as session:
        stored = load_plan(session, plan)
    return stored.problem, stored.plan


def _known_visit(problem: Problem, visit: str) -> str:
    from planner.errors import PlannerError

    if visit not in problem.visit_by_id:
        raise PlannerError(code="unknown_visit", fields={"visit": visit})
    return visit


def help_line(help_: Mapping[str, Any], language: str = "zh") -> str:
    """Return what one relaxed rule would do, as a sentence."""
    from dashboard.i18n import as_language, sentence_for

    fields = {**help_, "minutes": round(int(help_["cost_s"]) / 60)}
    fields["by_minutes"] = -(-int(help_.get("by_s", 0)) // 60)
    return sentence_for(f"help.{help_['rule']}", fields, as_language(language))


def _cost_line(cost: Cost) -> str:
    return (
        f"必查 / mandatory {cost.mandatory:,}  首查 / first visits {cost.first_visits:,}  "
        f"收益 / prizes {cost.prizes:,}  路程 / travel {cost.travel_s:,} s  合计 / total {cost.total:,}"
    )


def explain_command(
    plan: PlanArgument,
    visit: Annotated[str | None, typer.Option("--visit", help="Only this visit.")] = None,
    problem: ProblemFile = None,
    as_json: Json = False,
    database: Database = None,
) -> None:
    """Say why visits stay out, what one relaxed rule would do, and what the plan costs rule by rule."""
    with open_door(as_json=as_json, database=database) as door:
        from planner.compare import break_down
        from planner.explain import explain
        from planner.plan import list_sequences

        asked, found = _open_plan(door, plan, problem)
        sequences = list_sequences(found)
        wanted = None if visit is None else [_known_visit(asked, visit)]
        reasons = explain(asked, sequences, wanted)
        cost = break_down(asked, sequences)
        lines = [_cost_line(cost)] if visit is None else []
        lines += [line for left in reasons.values() for line in _reason_lines(left)]
        if visit is not None and not reasons:
            lines.append(_served_line(found, visit))
        body = {
            "cost": {**asdict(cost), "total": cost.total},
            "unserved": [asdict(left) for left in reasons.values()],
        }
        door.answer(body, *lines)


def _served_line(plan: Plan, visit: str) -> str:
    shift, stop = next((r.shift, s) for r in plan.routes for s in r.stops if s.visit == visit)
    return f"{visit}: {shift} {_clock(stop.start_s)}  已排入 / served"


def _reason_lines(left: Unserved) -> list[str]:
    from dashboard.i18n import sentence_for

    texts = [sentence_for(f"unserved.{left.code}", left.detail, language) for language in ("zh", "en")]
    helps = left.detail.get("helps", [])
    assert isinstance(helps, list)
    return [f"{left.visit}: {'  /  '.join(texts)}"] + [
        f"    → {help_line(help_)}  /  {help_line(help_, 'en')}" for help_ in helps[:3]
    ]


def _clock(second: int) -> str:
    return f"{second // 3600:02d}:{second // 60 % 60:02d}"


def diff_command(
    before: Annotated[str, typer.Argument(help="The earlier plan: a stored code, or a file.")],
    after: Annotated[str, typer.Argument(help="The later plan: a stored code, or a file.")],
    problem: ProblemFile = None,
    as_json: Json = False,
    database: Database = None,
) -> None:
    """Say what a plan does otherwise than another: moved, retimed, added, dropped, and cost by rule."""
    with open_door(as_json=as_json, database=database) as door:
        from planner.compare import compare_plans

        asked, old = _open_plan(door, before, problem)
        later, new = _open_plan(door, after, problem)
        found = compare_plans(asked, old, new, problem_after=later)
        door.answer(_comparison_body(found), *_comparison_lines(found))


def _comparison_body(found: Comparison) -> dict[str, Any]:
    body = asdict(found)
    body["before"]["total"], body["after"]["total"] = found.before.total, found.after.total
    return body


def _comparison_lines(found: Comparison) -> list[str]:
    lines = [
        f"移动 {len(found.moved)}, 改时 {len(found.retimed)}, 增加 {len(found.added)}, "
        f"减少 {len(found.dropped)} / moved, retimed, added, dropped"
    ]
    for words, moves in (
        ("移动 / moved", found.moved),
        ("增加 / added", found.added),
        ("减少 / dropped", found.dropped),
    ):
        lines += [f"  {words}: {_move_line(move)}" for move in moves]
    return [*lines, f"前 / before: {_cost_line(found.before)}", f"后 / after:  {_cost_line(found.after)}"]


def _move_line(move: Move) -> str:
    def told(shift: str | None, start_s: int | None) -> str:
        return "—" if shift is None or start_s is None else f"{shift} {_clock(start_s)}"

    return (
        f"{move.visit}: {told(move.from_shift, move.from_start_s)} → {told(move.to_shift, move.to_start_s)}"
    )


def recommend_command(
    plan: PlanArgument,
    visit: Annotated[str, typer.Option("--visit", help="The visit to place.")],
    problem: ProblemFile = None,
    as_json: Json = False,
    database: Database = None,
) -> None:
    """Name the best three teams and slots for one more visit, with what each costs."""
    with open_door(as_json=as_json, database=database) as door:
        from planner.explain import explain
        from planner.plan import list_sequences
        from planner.recommend import recommend

        asked, found = _open_plan(door, plan, problem)
        sequences = list_sequences(found)
        offers = recommend(asked, sequences, _known_visit(asked, visit))
        lines = [
            f"{number}. {offer.shift}  {_clock(offer.start_s)}  第 {offer.position + 1} 站, "
            f"多 {offer.cost_s // 60} 分钟 / stop {offer.position + 1}, {offer.cost_s // 60} min more, "
            f"J {-offer.saves:+,}"
            for number, offer in enumerate(offers, start=1)
        ]
        reasons: dict[str, Unserved] = {}
        if not offers:
            others = {s: tuple(v for v in visits if v != visit) for s, visits in sequences.items()}
            reasons = explain(asked, others, [visit])
            lines = [line for left in reasons.values() for line in _reason_lines(left)]
        door.answer(
            {"offers": [asdict(offer) for offer in offers], "reasons": [asdict(r) for r in reasons.values()]},
            *lines,
        )


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
        if problem is not None:
            asked, found = _open_plan(door, plan, problem)
            change = _read_change(
                asked, absent=absent, date=date, add=add, drop=drop, at=from_time, pin=pin, lock=lock
            )
            _repair_files(door, asked, found, change, output=output, problem_output=problem_output)
            return
        from dashboard.commands.plans import read_date
        from planner.revise import Event, revise

        if plan.endswith(".json"):
            _open_plan(door, plan, None)
        event = Event(
            absent=absent,
            date=None if date is None else read_date("--date", date),
            add=tuple(add or ()),
            drop=tuple(drop or ()),
            at=None if from_time is None else _read_moment(from_time),
            pins=tuple(pin or ()),
            locks=tuple(lock or ()),
        )
        now = door.wiring.now()
        with door.store().begin(actor=ACTOR, now=now) as session:
            revised = revise(session, plan, event, actor=ACTOR, now=now)
        comparison = revised.repaired.comparison
        lines = [f"{revised.code}: {plan} 的修订草案 / revision of {plan}"]
        lines += [
            f"  {shift}: {who} → {stand_in or '—'}  替班 / stands in"
            for shift, (who, stand_in) in revised.stand_ins.items()
        ]
        body = {
            "plan": revised.code,
            "stand_ins": {shift: list(pair) for shift, pair in revised.stand_ins.items()},
            "freed": list(revised.repaired.freed),
            **_comparison_body(comparison),
        }
        door.answer(body, *lines, *_comparison_lines(comparison))


def _repair_files(
    door: Door,
    problem: Problem,
    plan: Plan,
    change: Change,
    *,
    output: Path | None,
    problem_output: Path | None,
) -> None:
    from planner.exchange import format_plan, write_plan, write_problem
    from planner.repair import repair

    repaired: Repaired = repair(problem, plan, change)
    if problem_output is not None:
        write_problem(repaired.problem, problem_output)
    if output is None:
        typer.echo(format_plan(repaired.plan))
        return
    write_plan(repaired.plan, output)
    body = {"file": str(output), "freed": list(repaired.freed), **_comparison_body(repaired.comparison)}
    door.answer(body, *_comparison_lines(repaired.comparison))


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
