"""Near-school rates: is more found round this school than the district's own rate would give."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import csr_matrix
from scipy.spatial import cKDTree

from geo.crs import Floats
from geo.errors import StatisticsError


@dataclass(frozen=True, slots=True)
class HotspotOptions:
    """Options of `near_school_rates`.

    Parameters
    ----------
    radii_m : tuple of float
        Radii round each school in metres.
    prior_visits : float
        Pseudo-visits at the district's rate that steady a small rate.
    permutations : int
        Shuffles behind the p value.
    alpha : float
        Family-wise error accepted.
    too_few, enough : int
        Findings in the district below which nothing is tested, and from which a hotspot may be named.

    Raises
    ------
    StatisticsError
        ``bad_options``, with every option that is wrong.
    """

    radii_m: tuple[float, ...] = (200.0, 500.0, 1000.0)
    prior_visits: float = 20.0
    permutations: int = 999
    alpha: float = 0.05
    too_few: int = 15
    enough: int = 60

    def __post_init__(self) -> None:
        """Refuse impossible options."""
        checks = {
            "radii_m": bool(self.radii_m) and min(self.radii_m) > 0,
            "prior_visits": self.prior_visits >= 0,
            "permutations": self.permutations >= 99,
            "alpha": 0 < self.alpha < 1,
            "enough": 0 < self.too_few <= self.enough,
        }
        wrong = {name: getattr(self, name) for name, good in checks.items() if not good}
        if wrong:
            raise StatisticsError("bad_options", **wrong)


def eb_rate(
    found: ArrayLike, visits: ArrayLike, *, prior_rate: ArrayLike, prior_visits: float = 20.0
) -> Floats:
    """Shrink rates towards a prior: ``(found + prior_rate * prior_visits) / (visits + prior_visits)``.

    Parameters
    ----------
    found, visits : array_like
        Visits with a finding, and all visits.
    prior_rate : array_like
        Mean of the Beta prior.
    prior_visits : float
        Weight of the Beta prior.

    Returns
    -------
    ndarray
        Posterior mean; NaN where there is no visit (no data is not a low rate).
    """
    y, n = np.asarray(found, dtype=np.float64), np.asarray(visits, dtype=np.float64)
    weight = n + prior_visits
    rate = np.full(n.shape, np.nan)
    mean = np.asarray(prior_rate, dtype=np.float64)
    np.divide(y + mean * prior_visits, weight, out=rate, where=(n > 0) & (weight > 0))
    return rate


def near_school_rates(
    xy: ArrayLike,
    visits: ArrayLike,
    findings: ArrayLike,
    school_xy: ArrayLike,
    *,
    seed: int,
    categories: Sequence[str] | None = None,
    options: HotspotOptions | None = None,
) -> pd.DataFrame:
    """Compare the finding rate round each school with the district's, per radius.

    Parameters
    ----------
    xy, school_xy : array_like, shape (n, 2) and (m, 2)
        Institutions and schools in metres of one CRS.
    visits, findings : array_like, shape (n,)
        Visits of each institution, and visits with a finding among them.
    seed : int
        Seed of the shuffles.
    categories : sequence of str, optional
        Kind of each institution; rates are expected, and shuffled, within a kind.
    options : HotspotOptions, optional
        Radii, prior, number of shuffles, thresholds.

    Returns
    -------
    DataFrame
        One row per school and radius: ``school`` (position), ``radius_m``, ``institutions``, ``visits``,
        ``findings``, ``rate``, ``base_rate`` (expected from the kinds present; NaN when unvisited),
        ``shrunken_rate``, ``excess`` (standardised), ``p_value`` (family-wise, NaN when not tested) and
        ``label``: ``no_data``, ``too_few``, ``candidate``, ``hot`` or ``ordinary``.

    Raises
    ------
    StatisticsError
        ``length_mismatch``, ``bad_counts`` or ``bad_options``.

    Notes
    -----
    Excess = (found - expected) / sqrt(expected + 1). Visits and findings are shuffled together between the
    institutions of a kind (a repeat offender stays one institution); the p value compares with the largest
    excess over all schools and radii (Westfall and Young 1993, single step), so that a map without any effect
    shows a hotspot in alpha of the cases.
    """
    chosen = options or HotspotOptions()
    places, schools = _points(xy), _points(school_xy)
    n, y = _counts(visits, findings, len(places))
    kinds = _kinds(categories, len(places))
    tested = int(y.sum()) >= chosen.too_few
    inside = [_inside(places, schools, radius) for radius in chosen.radii_m]
    expected = _expected(n, y, kinds)
    excess = np.concatenate([_excess(rings, y, expected) for rings in inside])
    p_value = np.full(len(excess), np.nan)
    if tested and len(excess):
        highest = _highest(inside, n, y, kinds, seed=seed, permutations=chosen.permutations)
        p_value = (1.0 + (highest[:, None] >= excess[None, :] - 1e-12).sum(axis=0)) / (len(highest) + 1.0)
    parts = [
        _rates(rings, n, y, expected, radius, chosen)
        for rings, radius in zip(inside, chosen.radii_m, strict=True)
    ]
    table = pd.concat(parts, ignore_index=True)
    table["excess"] = np.where(table["visits"] > 0, excess, np.nan)
    table["p_value"] = np.where(table["visits"] > 0, p_value, np.nan)
    found = "hot" if y.sum() >= chosen.enough else "candidate"
    conditions = [
        (table["visits"] == 0).to_numpy(),
        np.full(len(table), not tested),
        (table["p_value"] <= chosen.alpha).to_numpy(),
    ]
    table["label"] = np.select(conditions, ["no_data", "too_few", found], default="ordinary")
    return table.sort_values(["school", "radius_m"], kind="stable", ignore_index=True)


def _points(xy: ArrayLike) -> Floats:
    points = np.asarray(xy, dtype=np.float64).reshape(-1, 2)
    if not np.isfinite(points).all():
        raise StatisticsError("bad_counts", column="xy")
    return points


def _counts(visits: ArrayLike, findings: ArrayLike, size: int) -> tuple[Floats, Floats]:
    n, y = np.asarray(visits, dtype=np.float64), np.asarray(findings, dtype=np.float64)
    if n.shape != (size,) or y.shape != (size,):
        raise StatisticsError("length_mismatch", places=size, visits=n.shape, findings=y.shape)
    bad = ~((y >= 0) & (y <= n) & np.isfinite(n))
    if bad.any():
        raise StatisticsError("bad_counts", count=int(bad.sum()), first=int(np.flatnonzero(bad)[0]))
    return n, y


def _kinds(categories: Sequence[str] | None, size: int) -> NDArray[np.int64]:
    if categories is None:
        return np.zeros(size, dtype=np.int64)
    if len(categories) != size:
        raise StatisticsError("length_mismatch", places=size, categories=len(categories))
    return np.unique(np.asarray(categories, dtype=str), return_inverse=True)[1].astype(np.int64)


def _inside(places: Floats, schools: Floats, radius_m: float) -> csr_matrix:
    """Give the 0/1 matrix (schools, places) of places within a radius."""
    hits = cKDTree(places).query_ball_point(schools, radius_m) if len(places) and len(schools) else []
    rows = np.repeat(np.arange(len(hits)), [len(hit) for hit in hits])
    columns = np.concatenate(
        [np.asarray(hit, dtype=np.int64) for hit in hits] or [np.array([], dtype=np.int64)]
    )
    return csr_matrix((np.ones(len(columns)), (rows, columns)), shape=(len(schools), len(places)))


def _expected(n: Floats, y: Floats, kinds: NDArray[np.int64]) -> Floats:
    """Give the findings each institution would have at the rate of its kind."""
    visits, found = np.bincount(kinds, n), np.bincount(kinds, y)
    rate = np.divide(found, visits, out=np.zeros_like(found), where=visits > 0)
    return n * rate[kinds]


def _excess(inside: csr_matrix, y: Floats, expected: Floats) -> Floats:
    found, due = inside @ y, inside @ expected
    return np.asarray((found - due) / np.sqrt(due + 1.0), dtype=np.float64)


def _highest(
    inside: list[csr_matrix],
    n: Floats,
    y: Floats,
    kinds: NDArray[np.int64],
    *,
    seed: int,
    permutations: int,
) -> Floats:
    """Give the largest excess of each shuffle."""
    random = np.random.default_rng(seed)
    members = [np.flatnonzero(kinds == kind) for kind in np.unique(kinds)]
    expected = _expected(n, y, kinds)
    shuffles = np.tile(np.arange(len(n)), (permutations, 1))
    for group in members:
        shuffles[:, group] = random.permuted(shuffles[:, group], axis=1)
    found, due = y[shuffles].T, expected[shuffles].T
    tops = [np.max((w @ found - w @ due) / np.sqrt(w @ due + 1.0), axis=0) for w in inside]
    return np.asarray(np.max(tops, axis=0), dtype=np.float64)


def _rates(
    inside: csr_matrix, n: Floats, y: Floats, expected: Floats, radius_m: float, options: HotspotOptions
) -> pd.DataFrame:
    visits, found, due = inside @ n, inside @ y, inside @ expected
    rate, base = np.full(len(visits), np.nan), np.full(len(visits), np.nan)
    np.divide(found, visits, out=rate, where=visits > 0)
    np.divide(due, visits, out=base, where=visits > 0)
    shrunken = eb_rate(found, visits, prior_rate=base, prior_visits=options.prior_visits)
    return pd.DataFrame(
        {
            "school": np.arange(inside.shape[0]),
            "radius_m": float(radius_m),
            "institutions": np.asarray(inside.sum(axis=1)).ravel().astype(np.int64),
            "visits": visits.astype(np.int64),
            "findings": found.astype(np.int64),
            "rate": rate,
            "base_rate": base,
            "shrunken_rate": shrunken,
        }
    )
