"""Commands on a finished plan: explain, diff, recommend; of the register or as files."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from dashboard.commands.door import Database, Door, Json, open_door

if TYPE_CHECKING:
    from planner.compare import Comparison, Cost, Move
    from planner.plan import Plan, Unserved
    from planner.problem import Problem

ProblemFile = Annotated[
    Path | None,
    typer.Option("--problem", help="The problem file, when PLAN is a file and not a stored code."),
]
PlanArgument = Annotated[str, typer.Argument(help="A stored plan's code, or a plan file with --problem.")]


def open_plan(door: Door, plan: str, problem: Path | None) -> tuple[Problem, Plan]:
    """Return problem and plan of a stored code, or of two files.

    Raises
    ------
    PlannerError
        `no_plan_file` when PLAN is a file without its problem, `plan_does_not_fit`, `unknown_plan`.
    """
    from planner.errors import PlannerError
    from planner.exchange import read_plan, read_problem
    from planner.stored import load_plan
    from planner.verify import verify

    if problem is not None:
        asked, found = read_problem(problem), read_plan(Path(plan))
        report = verify(asked, found)
        if not report.holds:
            codes = sorted({violation.code for violation in report.violations})
            raise PlannerError(code="plan_does_not_fit", fields={"violations": codes})
        return asked, found
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

        asked, found = open_plan(door, plan, problem)
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
    from dashboard.wording import help_lines

    texts = [sentence_for(f"unserved.{left.code}", left.detail, language) for language in ("zh", "en")]
    helps = left.detail.get("helps", [])
    assert isinstance(helps, list)
    pairs = zip(help_lines(helps, "zh"), help_lines(helps, "en"), strict=True)
    return [f"{left.visit}: {'  /  '.join(texts)}"] + [f"    → {zh}  /  {en}" for zh, en in pairs]


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

        asked, old = open_plan(door, before, problem)
        later, new = open_plan(door, after, problem)
        found = compare_plans(asked, old, new, problem_after=later)
        door.answer(comparison_body(found), *comparison_lines(found))


def comparison_body(found: Comparison) -> dict[str, Any]:
    """Return a comparison as plain values."""
    body = asdict(found)
    body["before"]["total"], body["after"]["total"] = found.before.total, found.after.total
    return body


def comparison_lines(found: Comparison) -> list[str]:
    """Return a comparison as lines for people."""
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

        asked, found = open_plan(door, plan, problem)
        sequences = list_sequences(found)
        offers = recommend(asked, sequences, _known_visit(asked, visit))
        lines = [
            f"{number}. {offer.shift}  {_clock(offer.start_s)}  第 {offer.position + 1} 站, "
            f"多 {round(offer.cost_s / 60)} 分钟 / stop {offer.position + 1}, "
            f"{round(offer.cost_s / 60)} min more, J {-offer.saves:+,}"
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
