"""Improvement of a plan by ruin and recreate under simulated annealing."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from planner import kernel
from planner.facts import gather_facts, measure_leg, start_search
from planner.options import SearchOptions
from planner.problem import Depot, Problem, Shift, Site, Visit, Window

CHUNKS = 400
"""Temperatures of one search limited by iterations."""

CHUNK_S = 0.05
"""Wall seconds aimed at between two looks at the clock."""

_NO_LIMIT = 2**62


@dataclass(frozen=True)
class Progress:
    """Where a search is: iterations done, best objective so far, share of the limit used (0 to 1)."""

    iterations: int
    objective: int
    share: float


@dataclass(frozen=True)
class Outcome:
    """What a search found: visit ids in driving order by shift id, its objective and what ended it."""

    sequences: Mapping[str, tuple[str, ...]]
    objective: int
    iterations: int
    ended_by: str


class Improver:
    """One search over one problem: build once, start from a plan, then run chunks of iterations.

    Parameters
    ----------
    problem : Problem
        What to plan.
    sequences : Mapping
        Feasible start: visit ids in driving order by shift id; may be empty.
    seed : int
        Seed of every random choice.
    options : SearchOptions
        Tuning.

    Raises
    ------
    ValueError
        When the start breaks a limit of a shift or a window.
    """

    def __init__(
        self,
        problem: Problem,
        sequences: Mapping[str, Sequence[str]],
        *,
        seed: int,
        options: SearchOptions,
        facts: kernel.Facts | None = None,
    ) -> None:
        self._problem = problem
        self._options = options
        self._facts = facts or gather_facts(problem, options=options)
        self._search = start_search(problem, self._facts, sequences, seed=seed)
        if not kernel.start(self._facts, self._search):
            raise ValueError("the start breaks a limit of a shift or a window")
        self._leg_s = measure_leg(self._facts)
        self.iterations = 0

    @property
    def objective(self) -> int:
        """Objective of the best plan so far."""
        return int(self._search.numbers[kernel.BEST])

    def run(self, iterations: int, share: float) -> None:
        """Run `iterations` at the temperature due when `share` (0 to 1) of the limit is used."""
        if self.iterations == 0:
            kernel.fill(self._facts, self._search, kernel.PLAIN)
            kernel.fill(self._facts, self._search, kernel.FULL)
        if not len(self._facts.choice):
            self.iterations += iterations
            return
        first, last = self._options.start_temperature, self._options.end_temperature
        temperature = self._leg_s * first * (last / first) ** min(share, 1.0)
        kernel.anneal(self._facts, self._search, iterations, temperature)
        self.iterations += iterations

    def finish(self) -> dict[str, tuple[str, ...]]:
        """Return the best plan after inserting every visit that still pays, by shift id."""
        best = self._read_best()
        while True:
            # The current plan may have drifted from the best one: fill the best one.
            self._search = start_search(self._problem, self._facts, best, seed=1)
            kernel.start(self._facts, self._search)
            if not kernel.fill(self._facts, self._search, kernel.PLAIN):
                return best
            best = self._read_best()

    def _read_best(self) -> dict[str, tuple[str, ...]]:
        found = {}
        for index, shift in enumerate(self._problem.shifts):
            count, *numbers = self._search.best[index]
            if count:
                found[shift.id] = tuple(self._problem.visits[number].id for number in numbers[:count])
        return found


def improve(
    problem: Problem,
    sequences: Mapping[str, Sequence[str]],
    *,
    seed: int,
    iterations: int | None = None,
    limit_s: float | None = None,
    options: SearchOptions | None = None,
    progress: Callable[[Progress], None] | None = None,
    cancel: Callable[[], bool] | None = None,
    clock: Callable[[], float] = time.monotonic,
    facts: kernel.Facts | None = None,
) -> Outcome:
    """Return the best plan found from `sequences` by ruin and recreate.

    Repeatable for a seed and `iterations` when `limit_s` is None. `progress` is called and `cancel`
    asked after every chunk of iterations; the start is returned filled when there is nothing to do.
    """
    begun = clock()
    improver = Improver(problem, sequences, seed=seed, options=options or SearchOptions(), facts=facts)
    total = _NO_LIMIT if iterations is None else iterations
    chunk = 50 if limit_s is not None else max(1, min(5000, math.ceil(total / CHUNKS)))
    ended_by, share, last = "iterations", 0.0, begun
    while improver.iterations < total:
        improver.run(min(chunk, total - improver.iterations), share)
        share = improver.iterations / total
        if limit_s is not None:
            now = clock()
            chunk = _size_chunk(chunk, now - last)
            last = now
            share = max(share, (now - begun) / limit_s)
        if progress is not None:
            progress(Progress(improver.iterations, improver.objective, min(share, 1.0)))
        if cancel is not None and cancel():
            ended_by = "cancel"
            break
        if limit_s is not None and now - begun >= limit_s:
            ended_by = "limit_s"
            break
    found = improver.finish()
    return Outcome(found, improver.objective, improver.iterations, ended_by)


def fill_plan(
    problem: Problem, sequences: Mapping[str, Sequence[str]], *, options: SearchOptions
) -> dict[str, tuple[str, ...]]:
    """Return a plan, by shift id, after inserting every visit that pays greedily, dearest first."""
    return Improver(problem, sequences, seed=0, options=options).finish()


def warm_up() -> None:
    """Compile the kernel, or load what an earlier run compiled, so that no limit pays for it."""
    problem = Problem(
        travel_s=np.array([[0, 1], [1, 0]]),
        depots=(Depot("D", 0),),
        shifts=(Shift("S", "T", "s", 0, 0, 9, "D"),),
        sites=(Site("I", 1),),
        visits=(Visit("V", "I", 1, 9, windows=(Window("s", 0, 9),)),),
    )
    improve(problem, {}, seed=0, iterations=1)


def _size_chunk(chunk: int, took_s: float) -> int:
    """Return the iterations of the next chunk so that it takes about `CHUNK_S`."""
    if took_s <= 0:
        return chunk * 2
    return max(1, min(chunk * 4, int(chunk * CHUNK_S / took_s)))
