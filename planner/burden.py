"""Who bears the visits: by area and kind, against what their risk would lead one to expect."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from planner.errors import EvidenceError
from planner.rates import eb_rate, expected_by_team, wilson

Floats = NDArray[np.float64]
# Under so many visits a group's figures are not put beside another's.
ENOUGH_VISITS = 30


def burden(
    institutions: pd.DataFrame,
    visits: pd.DataFrame,
    by: str | Sequence[str],
    *,
    n_boot: int = 1000,
    seed: int = 1,
) -> pd.DataFrame:
    """Compare each group's visits with its share of risk, and its clean visits with the district's.

    Parameters
    ----------
    institutions
        Index = institution; the column(s) `by`, and `weight`: what the plan's rule lets a place expect, such
        as the square root of its chance; only relations between weights matter.
    visits
        Columns `institution` and `found`; visits of institutions not listed do not count.
    by
        Column(s) of `institutions`: area, kind, or both.
    n_boot
        Draws of institutions, within groups, behind the intervals.

    Returns
    -------
    DataFrame
        One row a group: `institutions`, `visits`, `expected` (visits by risk), `ratio` (visits / expected)
        with `ratio_low`, `ratio_high`; `findings`, `rate` with Wilson's `rate_low`, `rate_high`;
        `clean_ratio` (clean visits for each expected visit, over the same of the district: above 1 bears more
        of the visits that find nothing than its risk explains) with `clean_low`, `clean_high`; `enough` (30
        visits or more).

    Raises
    ------
    EvidenceError
        `missing_columns`, `bad_weights`.
    """
    keys = [by] if isinstance(by, str) else list(by)
    _check(institutions, [*keys, "weight"])
    _check(visits, ["institution", "found"])
    weight = institutions["weight"].to_numpy(dtype=np.float64)
    if not (np.isfinite(weight).all() and (weight > 0).all()):
        raise EvidenceError(code="bad_weights", fields={"count": int((~(weight > 0)).sum())})
    counts = visits.groupby("institution", observed=True)["found"].agg(["count", "sum"])
    counts = counts.reindex(institutions.index, fill_value=0)
    n, y = counts["count"].to_numpy(np.float64), counts["sum"].to_numpy(np.float64)
    expected = weight * (n.sum() / weight.sum()) if len(weight) else weight
    chance = np.random.default_rng(seed)
    clean_share = (n - y).sum() / n.sum() if n.sum() else float("nan")
    rows = []
    for key, at in institutions.groupby(keys, observed=True, dropna=False).indices.items():
        drawn = chance.multinomial(len(at), np.full(len(at), 1 / len(at)), n_boot)
        ratio = _ratio_interval(n[at], expected[at], drawn)
        clean = _ratio_interval(n[at] - y[at], expected[at] * clean_share, drawn)
        low, high = wilson(y[at].sum(), n[at].sum())
        visited, found = int(n[at].sum()), int(y[at].sum())
        rows.append(
            {
                **dict(zip(keys, key if isinstance(key, tuple) else (key,), strict=True)),
                "institutions": len(at),
                "visits": visited,
                "expected": float(expected[at].sum()),
                **dict(zip(("ratio", "ratio_low", "ratio_high"), ratio, strict=True)),
                "findings": found,
                "rate": found / visited if visited else float("nan"),
                "rate_low": float(low),
                "rate_high": float(high),
                **dict(zip(("clean_ratio", "clean_low", "clean_high"), clean, strict=True)),
                "enough": visited >= ENOUGH_VISITS,
            }
        )
    return pd.DataFrame(rows)


def team_findings(visits: pd.DataFrame, *, fewest: int = ENOUGH_VISITS) -> pd.DataFrame:
    """Return findings of each team against what all teams together would have found, for its own use.

    Not a league table: teams under `fewest` visits carry no figure, rows are in order of name.

    Parameters
    ----------
    visits
        Columns `team` and `found`.

    Returns
    -------
    DataFrame
        `team`, `visits`, `findings`, `expected` (at the rate of all), `ratio` (shrunk), NaN under `fewest`.
    """
    _check(visits, ["team", "found"])
    table = visits.assign(shrunk=expected_by_team(visits)).groupby("team", observed=True, as_index=False)
    teams = table.agg(visits=("found", "count"), findings=("found", "sum"), shrunk=("shrunk", "mean"))
    rate = float(visits["found"].mean()) if len(visits) else float("nan")
    few = teams["visits"] < fewest
    teams["expected"] = (teams["visits"] * rate).mask(few)
    teams["ratio"] = (teams["shrunk"] / rate if rate else teams["shrunk"] * np.nan).mask(few)
    teams["findings"] = teams["findings"].mask(few)
    return teams.drop(columns="shrunk")


def calibration(score: Sequence[float], found: Sequence[float], *, bins: int = 5) -> pd.DataFrame:
    """Return the observed rate in each fifth of the score, lowest first, with Wilson's interval.

    Visits of one score stay in one bin, so that bins may differ in size or be fewer.

    Returns
    -------
    DataFrame
        `low`, `high` (scores), `visits`, `findings`, `rate`, `rate_low`, `rate_high`, `shrunken` (to all).
    """
    if len(score) != len(found):
        raise EvidenceError(code="length_mismatch", fields={"score": len(score), "found": len(found)})
    table = pd.DataFrame({"score": np.asarray(score, float), "found": np.asarray(found, float)})
    rank = table["score"].rank(method="average", pct=True)
    table["bin"] = np.clip(np.ceil(rank * bins), 1, bins)
    result = table.groupby("bin").agg(
        low=("score", "min"), high=("score", "max"), visits=("found", "count"), findings=("found", "sum")
    )
    low, high = wilson(result["findings"], result["visits"])
    result["rate"] = result["findings"] / result["visits"]
    result["rate_low"], result["rate_high"] = low, high
    result["shrunken"] = eb_rate(result["findings"], result["visits"])
    return result.astype({"findings": np.int64}).reset_index(drop=True)


def _ratio_interval(counts: Floats, expected: Floats, drawn: NDArray[np.int64]) -> tuple[float, float, float]:
    """Return the ratio of sums with the 2.5 % and 97.5 % quantiles over institutions drawn again."""
    if not expected.sum():
        return float("nan"), float("nan"), float("nan")
    low, high = np.quantile((drawn @ counts) / (drawn @ expected), [0.025, 0.975])
    return float(counts.sum() / expected.sum()), float(low), float(high)


def _check(table: pd.DataFrame, names: Sequence[str]) -> None:
    missing = [name for name in names if name not in table.columns]
    if missing:
        raise EvidenceError(code="missing_columns", fields={"columns": missing})
