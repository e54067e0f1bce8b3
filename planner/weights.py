"""New weights from own visits, held to the old ones: a proposal for a person, never a change by itself."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from planner.errors import EvidenceError
from planner.risk import POINTS_PER_DOUBLING, PRIOR_RATE, PRIOR_VISITS

Floats = NDArray[np.float64]

PENALTY = 20.0
FREE_FIT_FINDINGS = 200
# Log-odds of one point.
PER_POINT = math.log(2.0) / POINTS_PER_DOUBLING
MOST_STEPS = 100
TOLERANCE = 1e-10
# Holds the intercept where nothing, or everything, was found.
INTERCEPT_PENALTY = 0.01
# A free fit of a factor that always, or never, comes with a finding has no end; this much ends it.
FREE_PENALTY = 1e-6


@dataclass(frozen=True)
class WeightReport:
    """Old and new points side by side, with what they rest on.

    `table`: one row a factor with `old`, `new`, `se` (points, one standard error of the new), `visits` and
    `findings` where the factor applied, and `free` (unshrunk points; NaN under 200 findings: such a fit loses
    to unit weights).
    """

    visits: int
    findings: int
    penalty: float
    rate: float
    free_fit: bool
    table: pd.DataFrame


def shrink_weights(
    history: pd.DataFrame, prior: Mapping[str, float], penalty: float = PENALTY
) -> tuple[dict[str, float], WeightReport]:
    """Fit points by logistic regression, held to the prior points.

    Parameters
    ----------
    history
        One row a past visit: `found` (0 or 1), and a column a factor with how often it applied on that day.
        A factor without a column, and a missing value, count as 0: unknown scores nothing.
    prior
        Points by factor.
    penalty
        Weight of the prior; the larger, the nearer the new points stay to the old.

    Returns
    -------
    dict, WeightReport
        New points by factor, and the comparison.

    Raises
    ------
    EvidenceError
        `missing_columns` without `found`, `bad_outcomes`, `bad_factors`, `bad_penalty`.

    Notes
    -----
    Maximum a posteriori of ``logit p = a + (ln 2 / 4) points . x`` with independent normal priors of
    precision `penalty` on the log-odds round the old weights, by Newton's method; the intercept is free but
    for a touch that keeps it finite, towards the rate shrunk as the card's.
    """
    if not (math.isfinite(penalty) and penalty > 0):
        raise EvidenceError(code="bad_penalty", fields={"penalty": penalty})
    names = list(prior)
    x, y = _matrix(history, names)
    start = np.array([prior[name] for name in names], dtype=np.float64) * PER_POINT
    beta, variance = _fit(x, y, start, penalty)
    free_fit = y.sum() >= FREE_FIT_FINDINGS
    free = _fit(x, y, start, FREE_PENALTY)[0] if free_fit else np.full(len(names), np.nan)
    applied = x != 0
    table = pd.DataFrame(
        {
            "factor": names,
            "old": [float(prior[name]) for name in names],
            "new": beta / PER_POINT,
            "se": np.sqrt(variance) / PER_POINT,
            "visits": applied.sum(axis=0),
            "findings": (applied * y[:, None]).sum(axis=0).astype(np.int64),
            "free": np.where(applied.any(axis=0), free / PER_POINT, np.nan),
        }
    )
    new = {name: float(value) for name, value in zip(names, beta / PER_POINT, strict=True)}
    return new, WeightReport(len(y), int(y.sum()), penalty, _rate(y), bool(free_fit), table)


def _matrix(history: pd.DataFrame, names: list[str]) -> tuple[Floats, Floats]:
    if "found" not in history.columns:
        raise EvidenceError(code="missing_columns", fields={"columns": ["found"]})
    y = history["found"].to_numpy(dtype=np.float64)
    if not np.isin(y, (0.0, 1.0)).all():
        raise EvidenceError(code="bad_outcomes", fields={"count": int((~np.isin(y, (0.0, 1.0))).sum())})
    x = np.zeros((len(history), len(names)))
    for at, name in enumerate(names):
        if name in history.columns:
            x[:, at] = history[name].astype(np.float64).fillna(0.0)
    if not np.isfinite(x).all():
        raise EvidenceError(code="bad_factors", fields={"count": int((~np.isfinite(x)).sum())})
    return x, y


def _rate(y: Floats) -> float:
    return float((y.sum() + PRIOR_RATE * PRIOR_VISITS) / (len(y) + PRIOR_VISITS))


def _fit(x: Floats, y: Floats, start: Floats, penalty: float) -> tuple[Floats, Floats]:
    """Return the log-odds of each factor and their posterior variances; the problem is strictly convex."""
    design = np.column_stack([np.ones(len(y)), x])
    rate = _rate(y)
    prior = np.concatenate([[math.log(rate / (1 - rate))], start])
    hold = np.concatenate([[INTERCEPT_PENALTY], np.full(len(start), penalty)])
    theta = prior.copy()
    loss = _loss(design, y, theta, prior, hold)
    for _ in range(MOST_STEPS):
        chance = _chance(design @ theta)
        slope = design.T @ (chance - y) + hold * (theta - prior)
        curve = (design.T * (chance * (1 - chance))) @ design + np.diag(hold)
        step = np.linalg.solve(curve, slope)
        size = 1.0
        # Newton may leap too far where a factor nearly separates; half a leap always helps in the end.
        while (after := _loss(design, y, theta - size * step, prior, hold)) > loss and size > TOLERANCE:
            size /= 2
        theta, loss = theta - size * step, min(after, loss)
        if np.abs(size * step).max() < TOLERANCE:
            break
    chance = _chance(design @ theta)
    curve = (design.T * (chance * (1 - chance))) @ design + np.diag(hold)
    return theta[1:], np.diag(np.linalg.inv(curve))[1:]


def _chance(logit: Floats) -> Floats:
    return np.asarray(1.0 / (1.0 + np.exp(-np.clip(logit, -40, 40))), dtype=np.float64)


def _loss(design: Floats, y: Floats, theta: Floats, prior: Floats, hold: Floats) -> float:
    logit = design @ theta
    return float((np.logaddexp(0, logit) - y * logit).sum() + (hold * (theta - prior) ** 2).sum() / 2)
