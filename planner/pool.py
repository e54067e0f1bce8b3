"""Searches side by side that share what they found: epochs of annealing, restarted from a pool of the best.

All searches cool down together. After each epoch the best different plans found so far are the starts of the
next one, so a search that fell behind goes on from a better plan with its own chances.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial

from planner.facts import gather_facts
from planner.improve import Outcome, Progress, improve
from planner.options import SearchOptions, SolveOptions
from planner.problem import Problem

EPOCHS = 4


def improve_pool(
    problem: Problem,
    first: Mapping[str, Sequence[str]],
    *,
    options: SolveOptions,
    limit_s: float | None = None,
    progress: Callable[[Progress], None] | None = None,
    cancel: Callable[[], bool] | None = None,
    clock: Callable[[], float] = time.monotonic,
) -> Outcome:
    """Return the best plan that `options.workers` searches find together; repeatable when `limit_s` is None.

    The kernel runs without the interpreter lock, so threads use the cores and share the arrays.
    """
    facts = gather_facts(problem, options=options.search)
    pool: list[Outcome] = []
    done, begun, ended_by = 0, clock(), "iterations"

    def search(worker: int, *, epoch: int, left_s: float | None) -> Outcome:
        told = progress if worker == 0 else None
        return improve(
            problem,
            pool[worker % len(pool)].sequences if pool else first,
            seed=options.seed + worker + 1000 * epoch,
            iterations=_share_iterations(options.iterations, epoch),
            limit_s=left_s,
            options=_cool(options.search, epoch),
            progress=None if told is None else _in_epoch(told, epoch, done),
            cancel=cancel,
            clock=clock,
            facts=facts,
        )

    for epoch in range(EPOCHS):
        left_s = None if limit_s is None else max((limit_s - (clock() - begun)) / (EPOCHS - epoch), 1e-3)
        with ThreadPoolExecutor(options.workers) as threads:
            found = list(threads.map(partial(search, epoch=epoch, left_s=left_s), range(options.workers)))
        done += max(outcome.iterations for outcome in found)
        pool = _keep([*pool, *found], options.workers)
        ended_by = found[0].ended_by
        if ended_by == "cancel":
            break
    return replace(pool[0], iterations=done, ended_by=ended_by)


def _share_iterations(iterations: int | None, epoch: int) -> int | None:
    """Return the iterations of one epoch; all epochs together do exactly as many as asked for."""
    if iterations is None:
        return None
    return (epoch + 1) * iterations // EPOCHS - epoch * iterations // EPOCHS


def _cool(search: SearchOptions, epoch: int) -> SearchOptions:
    """Return the tuning with the part of the temperatures that belongs to an epoch."""
    fall = search.end_temperature / search.start_temperature
    start, end = (search.start_temperature * math.pow(fall, part / EPOCHS) for part in (epoch, epoch + 1))
    return replace(search, start_temperature=start, end_temperature=min(start, end))


def _keep(outcomes: Sequence[Outcome], most: int) -> list[Outcome]:
    """Return the best outcomes of different objectives, the first found of equals."""
    best: dict[int, Outcome] = {}
    for outcome in outcomes:
        best.setdefault(outcome.objective, outcome)
    return [best[objective] for objective in sorted(best)[:most]]


def _in_epoch(progress: Callable[[Progress], None], epoch: int, done: int) -> Callable[[Progress], None]:
    return lambda step: progress(
        Progress(done + step.iterations, step.objective, (epoch + step.share) / EPOCHS)
    )
