"""Rates of rare findings: intervals, inverse-probability weights, team-adjusted expectations, capture."""

from __future__ import annotations

from collections.abc import Hashable, Sequence

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from geo.hotspot import eb_rate as shrunken_rate
from planner.errors import EvidenceError

Floats = NDArray[np.float64]
Z95 = 1.959963984540054
PRIOR_VISITS = 20.0


def wilson(found: ArrayLike, visits: ArrayLike, *, z: float = Z95) -> tuple[Floats, Floats]:
    """Return the score interval of a proportion (Wilson 1927).

    Parameters
    ----------
    found, visits
        Visits with a finding, and all visits; NaN comes back where there is no visit.
    z
        Normal quantile; 95 % by default.

    Returns
    -------
    tuple of ndarray
        Lower and upper end.

    Raises
    ------
    EvidenceError
        `bad_counts` for counts that are negative or more found than visited.
    """
    y, n = _counts(found, visits)
    visited = np.where(n > 0, n, np.nan)
    rate = y / visited
    middle = rate + z * z / (2 * visited)
    half = z * np.sqrt(rate * (1 - rate) / visited + z * z / (4 * visited * visited))
    whole = 1 + z * z / visited
    # Rounding must not leave a trace where nothing, or everything, was found.
    low = np.where(y == 0, 0.0 * rate, (middle - half) / whole)
    return low, np.where(y == n, rate, (middle + half) / whole)


def eb_rate(
    found: ArrayLike,
    visits: ArrayLike,
    group: Sequence[Hashable] | None = None,
    prior_visits: float = PRIOR_VISITS,
) -> Floats:
    """Shrink each rate to the pooled rate of its group (the whole without groups).

    Returns
    -------
    ndarray
        ``(found + pooled * prior_visits) / (visits + prior_visits)``; NaN where there is no visit.

    Raises
    ------
    EvidenceError
        `bad_counts`, `length_mismatch`.
    """
    y, n = _counts(found, visits)
    of = _positions(group, len(y))
    # Counts of nothing come back as integers.
    total_n, total_y = (np.bincount(of, values).astype(np.float64) for values in (n, y))
    pooled = np.divide(total_y, total_n, out=np.zeros_like(total_y), where=total_n > 0)
    return shrunken_rate(y, n, prior_rate=pooled[of], prior_visits=prior_visits)


def ipw_rate(found: ArrayLike, p_select: ArrayLike) -> float:
    """Return the rate of all places from visits drawn with known chances: sum(y / p) / sum(1 / p) (Hájek).

    Visits that were certain carry p = 1 and stand for themselves only. NaN without any visit.

    Raises
    ------
    EvidenceError
        `bad_probability` for a chance outside (0, 1], `length_mismatch`.
    """
    y, p = np.asarray(found, dtype=np.float64), np.asarray(p_select, dtype=np.float64)
    if y.shape != p.shape:
        raise EvidenceError(code="length_mismatch", fields={"found": y.size, "p_select": p.size})
    bad = ~((p > 0) & (p <= 1))
    if bad.any():
        raise EvidenceError(code="bad_probability", fields={"count": int(bad.sum())})
    return float((y / p).sum() / (1 / p).sum()) if y.size else float("nan")


def expected_by_team(history: pd.DataFrame, *, prior_visits: float = PRIOR_VISITS) -> pd.Series:
    """Return, for each visit, the chance of a finding that its team alone would lead one to expect.

    Parameters
    ----------
    history
        Columns `team` and `found`; one row a visit.

    Returns
    -------
    Series
        On the index of `history`: the team's rate shrunk to that of all teams. Who goes explains more of a
        raw rate than where (measured on public inspection data), so places are compared with this.
    """
    if history.empty:
        return pd.Series(index=history.index, dtype=np.float64)
    teams = history.groupby("team", observed=True)["found"].agg(["sum", "count"])
    rate = eb_rate(teams["sum"], teams["count"], prior_visits=prior_visits)
    return history["team"].map(dict(zip(teams.index, rate, strict=True))).astype(np.float64)


def capture_at(found: ArrayLike, score: ArrayLike, share: float) -> float:
    """Return the share of all findings met in the best-scored `share` of visits; ties are shared out.

    Parameters
    ----------
    share
        Part of the visits, in [0, 1]; a part of a visit counts in part.

    Raises
    ------
    EvidenceError
        `length_mismatch`, `bad_share`.
    """
    y, s = np.asarray(found, dtype=np.float64), np.asarray(score, dtype=np.float64)
    if y.shape != s.shape:
        raise EvidenceError(code="length_mismatch", fields={"found": y.size, "score": s.size})
    if not 0 <= share <= 1:
        raise EvidenceError(code="bad_share", fields={"share": share})
    if not y.sum():
        return float("nan")
    _, tie = np.unique(-s, return_inverse=True)
    size, hits = np.bincount(tie), np.bincount(tie, y)
    before = np.concatenate([[0], np.cumsum(size)[:-1]])
    taken = np.clip(share * len(y) - before, 0, size)
    return float((hits * taken / size).sum() / y.sum())


def pai(hits: ArrayLike, size: ArrayLike, selected: ArrayLike) -> float:
    """Return the prediction accuracy index: share of hits over share of size in the selected cells.

    Size is what the forecast costs: area, or visits. NaN where nothing is selected or nothing was hit.
    """
    y, n, chosen = _cells(hits, size, selected)
    cost = n[chosen].sum() / n.sum() if n.sum() else 0.0
    return float(y[chosen].sum() / y.sum() / cost) if cost and y.sum() else float("nan")


def pei(hits: ArrayLike, size: ArrayLike, selected: ArrayLike) -> float:
    """Return the prediction efficiency index: PAI over that of an oracle with the same size to spend, 0 to 1.

    The oracle takes cells by hits per size, the last one in part, so nothing does better.
    """
    y, n, chosen = _cells(hits, size, selected)
    budget = n[chosen].sum()
    density = np.divide(y, n, out=np.full(n.shape, np.inf), where=n > 0)
    order = np.argsort(-np.where(y > 0, density, 0.0), kind="stable")
    before = np.concatenate([[0.0], np.cumsum(n[order])[:-1]])
    part = np.divide(
        np.clip(budget - before, 0, n[order]), n[order], out=np.ones_like(before), where=n[order] > 0
    )
    best = float((y[order] * part).sum())
    return float(y[chosen].sum() / best) if best and budget else float("nan")


def _counts(found: ArrayLike, visits: ArrayLike) -> tuple[Floats, Floats]:
    y, n = np.asarray(found, dtype=np.float64), np.asarray(visits, dtype=np.float64)
    if y.shape != n.shape:
        raise EvidenceError(code="length_mismatch", fields={"found": y.size, "visits": n.size})
    bad = ~((y >= 0) & (y <= n) & np.isfinite(n))
    if bad.any():
        raise EvidenceError(code="bad_counts", fields={"count": int(bad.sum())})
    return y, n


def _cells(hits: ArrayLike, size: ArrayLike, selected: ArrayLike) -> tuple[Floats, Floats, NDArray[np.bool_]]:
    y, n = np.asarray(hits, dtype=np.float64), np.asarray(size, dtype=np.float64)
    chosen = np.asarray(selected)
    if chosen.dtype != np.bool_:
        chosen = np.isin(np.arange(len(y)), chosen)
    if not y.shape == n.shape == chosen.shape:
        raise EvidenceError(code="length_mismatch", fields={"hits": y.size, "size": n.size})
    return y, n, chosen


def _positions(group: Sequence[Hashable] | None, size: int) -> NDArray[np.int64]:
    if group is None:
        return np.zeros(size, dtype=np.int64)
    if len(group) != size:
        raise EvidenceError(code="length_mismatch", fields={"found": size, "group": len(group)})
    codes, _ = pd.factorize(pd.Series(list(group), dtype=object), use_na_sentinel=False)
    return np.asarray(codes, dtype=np.int64)
