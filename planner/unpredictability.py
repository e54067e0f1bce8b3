"""Could a watcher learn when we come: three simple adversaries, spread over the slots, regularity of gaps.

A slot's weekday and name make a cell; `evening` below is a date with its slot. Correlated coverage leaks
(Xu et al. 2017), so what is published as a plan is measured against what had been seen before.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pandas as pd

from planner.errors import EvidenceError

Evening = tuple[pd.Timestamp, Hashable]
Cell = tuple[int, Hashable]
FEWEST_GUESSES = 30


@dataclass(frozen=True)
class Guessing:
    """How often an adversary was right, and how often chance would be.

    `ratio` is hits over those of chance, NaN without a guess; `enough` is False under 30 guesses.
    """

    adversary: str
    guesses: int
    hits: int
    chance_hits: float

    @property
    def ratio(self) -> float:
        """Return hits over chance hits."""
        return self.hits / self.chance_hits if self.chance_hits else float("nan")

    @property
    def enough(self) -> bool:
        """Return whether there were enough guesses to say anything."""
        return self.guesses >= FEWEST_GUESSES


def guess_rate(plan: pd.DataFrame, history: pd.DataFrame) -> tuple[Guessing, Guessing, Guessing]:
    """Let three simple adversaries predict each institution's next visit on held-out weeks.

    Parameters
    ----------
    plan
        Visits of the held-out weeks: `institution`, `date`, `slot`; with `group` (such as the kind) chance is
        reckoned among the slots of the group only, since weekdays and hours of a kind are no secret; with
        `grid`, `team` and `sequence` the third adversary can learn.
    history
        The same columns for the visits before.

    Returns
    -------
    tuple of Guessing
        `habit`: the weekday and slot it was most often seen at; `gap`: the last gap again, to the day;
        `follow`: on the evening when the grid area comes that most often came before its own on a route.
        Only the first visit of each institution in `plan` is predicted, and only where there is a past.
        Chance is uniform over the group's cells for `habit` and its dates for `gap`; for `follow` it is the
        share of the group that comes on the evening named, so that only the tie of the two areas counts.

    Raises
    ------
    EvidenceError
        `missing_columns`.
    """
    ahead, past = _visits(plan), _visits(history)
    first = ahead.drop_duplicates("institution")
    seen: dict[Hashable, list[tuple[Cell, pd.Timestamp]]] = defaultdict(list)
    for institution, cell, date in zip(past["institution"], past["cell"], past["date"], strict=True):
        seen[institution].append((cell, date))
    cells: dict[Hashable, set[Cell]] = {}
    for group, cell in zip([*ahead["group"], *past["group"]], [*ahead["cell"], *past["cell"]], strict=True):
        cells.setdefault(group, set()).add(cell)
    days = {key: set(part["date"]) for key, part in ahead.groupby("group", observed=True)}
    evenings = {key: Counter(part["evening"]) for key, part in first.groupby("group", observed=True)}
    tallies = {name: [0, 0, 0.0] for name in ("habit", "gap", "follow")}
    leaders, comes = _leaders(past), _first_evening(ahead)
    names = ("institution", "group", "grid", "date", "cell", "evening")
    for institution, group, grid, date, cell, evening in zip(*(first[n] for n in names), strict=True):
        before = seen.get(institution)
        if before is not None:
            usual = _most_common([was for was, _ in before])
            _tally(tallies["habit"], usual == cell, 1 / len(cells[group]))
            if len(before) >= 2:
                last, earlier = before[-1][1], before[-2][1]
                _tally(tallies["gap"], last + (last - earlier) == date, 1 / len(days[group]))
        if (leader := leaders.get(grid)) is not None and leader in comes:
            told = evenings[group]
            _tally(tallies["follow"], comes[leader] == evening, told[comes[leader]] / told.total())
    habit, gap, follow = (Guessing(name, int(t[0]), int(t[1]), t[2]) for name, t in tallies.items())
    return habit, gap, follow


def slot_entropy(visits: pd.DataFrame, by: str = "group") -> pd.DataFrame:
    """Return how evenly each group's visits spread over the weekday-slot cells it is visited in.

    Returns
    -------
    DataFrame
        One row a group: `visits`, `cells` (K) and `entropy` = H / log K, from 0 (always the same cell) to 1
        (uniform); NaN with a single cell, which leaves nothing to vary.

    Raises
    ------
    EvidenceError
        `missing_columns`.
    """
    table = _visits(visits, by)
    rows = []
    for key, part in table.groupby(by, observed=True, dropna=False):
        counts = np.array(list(Counter(part["cell"]).values()), dtype=np.float64)
        share = counts / counts.sum()
        entropy = float(-(share * np.log(share)).sum() / math.log(len(counts))) if len(counts) > 1 else np.nan
        rows.append((key, len(part), len(counts), min(max(entropy, 0.0), 1.0) if len(counts) > 1 else np.nan))
    return pd.DataFrame(rows, columns=[by, "visits", "cells", "entropy"])


def gap_cv(visits: pd.DataFrame) -> pd.Series:
    """Return the coefficient of variation of each institution's gaps; NaN under two gaps.

    0 is a clockwork, 1 as irregular as chance alone. Columns `institution` and `date`.
    """
    dates = pd.to_datetime(visits["date"]).dt.normalize()
    table = pd.DataFrame({"institution": visits["institution"], "date": dates}).sort_values("date")
    groups = table.groupby("institution", observed=True)
    table["gap"] = groups["date"].diff().dt.days
    gaps = table.groupby("institution", observed=True)["gap"]
    mean, count = gaps.mean(), gaps.count()
    return (gaps.std(ddof=0) / mean.where((count >= 2) & (mean > 0))).rename("gap_cv")


def order_tau(rounds: Sequence[Sequence[Hashable]]) -> list[float]:
    """Return Kendall's tau between the orders of successive rounds of one route.

    1 is the same order every time, 0 none in common; NaN with fewer than two places in both rounds.
    """
    return [_tau(one, two) for one, two in pairwise(rounds)]


def _tau(one: Sequence[Hashable], two: Sequence[Hashable]) -> float:
    second = {place: at for at, place in enumerate(two)}
    both = [(at, second[place]) for at, place in enumerate(one) if place in second]
    if len(both) < 2:
        return float("nan")
    # Loaded when asked for: it takes a second that every server, worker and job would wait.
    from scipy.stats import kendalltau

    return float(kendalltau([a for a, _ in both], [b for _, b in both]).statistic)


def _visits(visits: pd.DataFrame, *more: str) -> pd.DataFrame:
    missing = [name for name in ("institution", "date", "slot", *more) if name not in visits.columns]
    if missing == ["group"]:
        missing = []
    if missing:
        raise EvidenceError(code="missing_columns", fields={"columns": missing})
    table = visits.assign(date=pd.to_datetime(visits["date"]))
    for name, value in (("group", ""), ("grid", None), ("team", ""), ("sequence", 0)):
        if name not in table.columns:
            table[name] = value
    table["cell"] = list(zip(table["date"].dt.dayofweek, table["slot"], strict=True))
    table["evening"] = list(zip(table["date"], table["slot"], strict=True))
    return table.sort_values(["date", "slot", "sequence"], kind="stable", ignore_index=True)


def _most_common(cells: Sequence[Cell]) -> Cell:
    """Return the cell seen most often, the latest of those that tie."""
    counts = Counter(cells)
    most = max(counts.values())
    return next(cell for cell in reversed(cells) if counts[cell] == most)


def _leaders(past: pd.DataFrame) -> Mapping[Hashable, Hashable]:
    """Return, for each grid area, the other one that most often came just before it on a route."""
    pairs: Counter[tuple[Hashable, Hashable]] = Counter()
    routes: dict[Hashable, list[Hashable]] = defaultdict(list)
    there = past[past["grid"].notna()]
    for evening, team, grid in zip(there["evening"], there["team"], there["grid"], strict=True):
        routes[evening, team].append(grid)
    for route in routes.values():
        pairs.update((a, b) for a, b in pairwise(route) if a != b)
    leaders: dict[Hashable, Hashable] = {}
    for (a, b), _ in pairs.most_common():
        leaders.setdefault(b, a)
    return leaders


def _first_evening(ahead: pd.DataFrame) -> Mapping[Hashable, Evening]:
    first = ahead[ahead["grid"].notna()].drop_duplicates("grid")
    return dict(zip(first["grid"], first["evening"], strict=True))


def _tally(tally: list[float], hit: bool, chance: float) -> None:
    tally[0] += 1
    tally[1] += bool(hit)
    tally[2] += chance
