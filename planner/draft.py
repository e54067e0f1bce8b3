"""STEP: plan a period from the register and store the result as a draft."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Callable

from data.store import Store
from planner.desk import Desk, PlanOptions, build_desk
from planner.errors import BrokenPlanError, PlannerError
from planner.improve import Progress
from planner.options import SolveOptions
from planner.plan import Plan
from planner.problem import Problem, Visit
from planner.revision import PlanResult, store_draft
from planner.solve import solve
from planner.verify import verify

MOST_RETRIES = 3

Report = Callable[[float, str], None]


def make_plan(
    store: Store,
    *,
    options: PlanOptions,
    actor: str,
    now: dt.datetime,
    today: dt.date,
    progress: Report | None = None,
    cancel: Callable[[], bool] | None = None,
) -> PlanResult:
    """Plan a period and store the result as a draft; nothing is stored when anything fails.

    The register is read in one transaction, the solver runs without any, the draft is written in another.

    Raises
    ------
    PlannerError
        `period_in_past`, `no_institutions`, `no_certified_officers`, `cancelled`, or the solver's refusal.
    """
    report = progress or (lambda share, stage: None)
    if options.first < today:
        raise PlannerError(code="period_in_past", fields={"first": str(options.first), "today": str(today)})
    report(0.02, "reading")
    with store.reading() as session:
        desk = build_desk(session, options=options)
    plan = _solve(desk.problem, options, report, cancel)
    # The workload is an estimate: where places stay unseen for want of room, open another shift and retry.
    extra: dict[str, int] = {}
    latest = desk, plan
    for _ in range(MOST_RETRIES):
        more = _missing_teams(*latest, most=options.teams)
        if not more:
            break
        extra = {slot: extra.get(slot, 0) + more.get(slot, 0) for slot in extra.keys() | more.keys()}
        with store.reading() as session:
            wider = build_desk(session, options=options, extra=extra)
        latest = wider, _solve(wider.problem, options, report, cancel)
        if _unseen(*latest) < _unseen(desk, plan):
            desk, plan = latest
    report(0.92, "checking")
    checked = verify(desk.problem, plan)
    if not checked.holds:
        raise BrokenPlanError(fields={"violations": [v.code for v in checked.violations]})
    report(0.95, "storing")
    with store.begin(actor=actor, now=now) as session:
        result = store_draft(session, desk, plan, options=options, actor=actor, now=now)
    report(1.0, "done")
    return result


def _solve(problem: Problem, options: PlanOptions, report: Report, cancel: Callable[[], bool] | None) -> Plan:
    report(0.15, "solving")

    def on_progress(step: Progress) -> None:
        report(0.15 + 0.75 * min(step.share, 1.0), "solving")

    plan = solve(
        problem,
        options=SolveOptions(
            seed=options.seed, iterations=options.iterations, limit_s=options.limit_s, workers=options.workers
        ),
        progress=on_progress,
        cancel=cancel,
    )
    if cancel is not None and cancel():
        raise PlannerError(code="cancelled")
    return plan


def _unseen_visits(desk: Desk, plan: Plan) -> list[Visit]:
    """Return the visits, for want of room unserved, of places that the plan does not see at all."""
    seen = {desk.wants[stop.visit].visit.site for route in plan.routes for stop in route.stops}
    absent = [desk.wants[item.visit].visit for item in plan.unserved if item.code == "no_room"]
    return [visit for visit in absent if visit.site not in seen]


def _unseen(desk: Desk, plan: Plan) -> int:
    return len({visit.site for visit in _unseen_visits(desk, plan)})


def _missing_teams(desk: Desk, plan: Plan, *, most: int) -> dict[str, int]:
    """Return one more team for the emptiest slot of every sort of place that stays unseen."""
    at_work = Counter(crew.slot for crew in desk.crews.values())
    more: dict[str, int] = {}
    for windows in sorted({tuple(w.slot for w in visit.windows) for visit in _unseen_visits(desk, plan)}):
        free = [slot for slot in windows if at_work[slot] + more.get(slot, 0) < most]
        if free:
            slot = min(free, key=lambda slot: (at_work[slot] + more.get(slot, 0), slot))
            more[slot] = more.get(slot, 0) + 1
    return more
