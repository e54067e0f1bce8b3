"""Solve a problem: OR-Tools first plan, ruin and recreate, true reasons, bound, independent check."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence

from planner.bound import bound_objective
from planner.errors import BrokenPlanError
from planner.explain import explain
from planner.improve import Outcome, Progress, fill_plan, improve, warm_up
from planner.options import SolveOptions
from planner.plan import Plan, build_plan
from planner.pool import improve_pool
from planner.problem import Problem
from planner.routing import route_first
from planner.split import improve_split, is_large
from planner.verify import verify

FIRST_SHARE = 0.2
"""Part of a wall limit the first plan may use when improvement follows."""


def solve(
    problem: Problem,
    *,
    options: SolveOptions,
    progress: Callable[[Progress], None] | None = None,
    cancel: Callable[[], bool] | None = None,
    clock: Callable[[], float] = time.monotonic,
) -> Plan:
    """Return a plan that keeps every hard rule.

    Without `limit_s` the same problem and options give the same plan. The limit covers the first plan and
    its improvement; compiling the kernel on a machine's first run, reasons and bound come on top.

    Parameters
    ----------
    problem : Problem
        What to plan.
    options : SolveOptions
        Engine, seed and limits.
    progress : callable or None
        Called with a `Progress` after every chunk of iterations of the first worker.
    cancel : callable or None
        Asked after every chunk; True ends the search with the best plan so far.
    clock : callable
        Seconds that only rise, for `limit_s`.

    Raises
    ------
    BrokenPlanError
        When the independent checker finds a broken rule; that is a fault of the solver.
    """
    warm_up()
    begun = clock()
    first: Mapping[str, Sequence[str]] = {}
    limit: dict[str, object] = {}
    # Areas give a large problem a better start than days do.
    if options.engine == "ortools" or (options.engine == "auto" and not is_large(problem)):
        first = route_first(
            problem, limit_s=_share_first(options), thorough=options.engine == "ortools", cancel=cancel
        )
    if options.engine == "ortools":
        sequences, limit = fill_plan(problem, first, options=options.search), {"ended_by": "solutions"}
    else:
        left_s = None if options.limit_s is None else max(options.limit_s - (clock() - begun), 1e-3)
        outcome = _improve(
            problem, first, options=options, limit_s=left_s, progress=progress, cancel=cancel, clock=clock
        )
        sequences = dict(outcome.sequences)
        limit = {"ended_by": outcome.ended_by}
        if options.limit_s is not None:
            limit["iterations_done"] = outcome.iterations
    return _finish(problem, sequences, options=options, limit=limit)


def _share_first(options: SolveOptions) -> float | None:
    """Return the wall seconds the first plan may use, None for no limit."""
    if options.limit_s is None:
        return None
    return options.limit_s if options.engine == "ortools" else options.limit_s * FIRST_SHARE


def _finish(
    problem: Problem,
    sequences: Mapping[str, Sequence[str]],
    *,
    options: SolveOptions,
    limit: Mapping[str, object],
) -> Plan:
    """Return the explained, bounded and checked plan."""
    bound = bound_objective(problem) if options.bound else None
    plan = build_plan(
        problem,
        sequences,
        reasons=explain(problem, sequences),
        bound=bound,
        engine={"name": options.engine, "workers": options.workers},
        seed=options.seed,
        limit={"iterations": options.iterations, "limit_s": options.limit_s, **limit},
    )
    report = verify(problem, plan)
    if not report.holds:
        broken = [{"code": violation.code, **violation.fields} for violation in report.violations]
        raise BrokenPlanError(fields={"violations": broken})
    return plan


def _improve(
    problem: Problem,
    first: Mapping[str, Sequence[str]],
    *,
    options: SolveOptions,
    limit_s: float | None,
    progress: Callable[[Progress], None] | None,
    cancel: Callable[[], bool] | None,
    clock: Callable[[], float],
) -> Outcome:
    """Return what the searches find: by parts, together, or alone."""
    if is_large(problem):
        return improve_split(
            problem,
            {shift: tuple(visits) for shift, visits in first.items()},
            options=options,
            limit_s=limit_s,
            progress=progress,
            cancel=cancel,
            clock=clock,
        )
    if options.workers > 1:
        return improve_pool(
            problem, first, options=options, limit_s=limit_s, progress=progress, cancel=cancel, clock=clock
        )
    return improve(
        problem,
        first,
        seed=options.seed,
        iterations=options.iterations,
        limit_s=limit_s,
        options=options.search,
        progress=progress,
        cancel=cancel,
        clock=clock,
    )
