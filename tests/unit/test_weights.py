"""New weights: the optimum itself, its hold on the old points, and what the report may say."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import minimize

from planner.errors import EvidenceError
from planner.weights import FREE_FIT_FINDINGS, INTERCEPT_PENALTY, PER_POINT, shrink_weights

TRUE = {"a": 4.0, "b": -2.0, "c": 0.0}
PRIOR = {"a": 1.0, "b": 1.0, "c": 1.0}


def history(size: int, *, seed: int = 1, base: float = 0.15) -> pd.DataFrame:
    """Return visits whose outcomes follow the true points."""
    rng = np.random.default_rng(seed)
    x = rng.random((size, 3)) < 0.4
    logit = math.log(base / (1 - base)) + PER_POINT * (x @ np.array(list(TRUE.values())))
    found = rng.random(size) < 1 / (1 + np.exp(-logit))
    return pd.DataFrame(x.astype(float), columns=list(TRUE)).assign(found=found.astype(int))


def test_the_points_are_the_optimum_that_another_optimiser_finds() -> None:
    """Newton's steps against scipy's quasi-Newton on the same objective."""
    table, penalty = history(800), 20.0
    new, report = shrink_weights(table, PRIOR, penalty)
    x, y = table[list(PRIOR)].to_numpy(), table["found"].to_numpy()
    start = PER_POINT * np.ones(3)
    anchor = math.log(report.rate / (1 - report.rate))

    def loss(theta: np.ndarray) -> float:
        logit = theta[0] + x @ theta[1:]
        hold = INTERCEPT_PENALTY * (theta[0] - anchor) ** 2 + penalty * ((theta[1:] - start) ** 2).sum()
        return float((np.logaddexp(0, logit) - y * logit).sum() + hold / 2)

    best = minimize(loss, np.zeros(4), method="BFGS", options={"gtol": 1e-8}).x
    assert [new[name] * PER_POINT for name in PRIOR] == pytest.approx(best[1:], abs=1e-5)


def test_more_visits_pull_further_from_the_prior_towards_the_truth() -> None:
    """Points move from 1 towards 4, -2 and 0 as visits come in; few visits hardly move them."""
    few, _ = shrink_weights(history(60), PRIOR)
    many, report = shrink_weights(history(20_000), PRIOR)
    assert all(abs(few[name] - PRIOR[name]) < 1.5 for name in PRIOR)
    assert [many[name] for name in TRUE] == pytest.approx(list(TRUE.values()), abs=0.5)
    assert (report.table["se"] < 0.5).all()


def test_no_free_fit_under_two_hundred_findings() -> None:
    """Below, the column is empty; from there on it stands beside the old and the new points."""
    small = history(600)
    assert small["found"].sum() < FREE_FIT_FINDINGS
    _, report = shrink_weights(small, PRIOR)
    assert not report.free_fit and report.table["free"].isna().all()
    _, report = shrink_weights(history(3_000), PRIOR)
    assert report.free_fit and report.table["free"].notna().all()
    assert list(report.table["old"]) == [1.0, 1.0, 1.0]
    counted = history(3_000)
    assert report.table.loc[0, "visits"] == counted["a"].sum()
    assert report.table.loc[0, "findings"] == counted.loc[counted["a"] == 1, "found"].sum()


@pytest.mark.parametrize("outcome", [0, 1])
def test_one_sided_outcomes_stay_finite(outcome: int) -> None:
    """Nothing found, or everything: the points stay near the prior and are numbers."""
    new, _ = shrink_weights(history(300).assign(found=outcome), PRIOR)
    assert all(math.isfinite(value) and abs(value - 1) < 5 for value in new.values())


def test_what_was_never_seen_keeps_its_points() -> None:
    """A factor without a column, or unknown throughout, is not moved."""
    new, report = shrink_weights(history(500).assign(d=np.nan), {**PRIOR, "d": 6.0, "e": -2.0})
    assert (new["d"], new["e"]) == pytest.approx((6.0, -2.0), abs=1e-9)
    assert list(report.table.set_index("factor").loc[["d", "e"], "visits"]) == [0, 0]


@pytest.mark.parametrize(
    ("table", "penalty", "code"),
    [
        (pd.DataFrame({"a": [1.0]}), 20.0, "missing_columns"),
        (pd.DataFrame({"a": [1.0], "found": [2]}), 20.0, "bad_outcomes"),
        (pd.DataFrame({"a": [math.inf], "found": [1]}), 20.0, "bad_factors"),
        (pd.DataFrame({"a": [1.0], "found": [1]}), 0.0, "bad_penalty"),
    ],
)
def test_faulty_histories_are_refused(table: pd.DataFrame, penalty: float, code: str) -> None:
    """A code, not a fit of nonsense."""
    with pytest.raises(EvidenceError) as refused:
        shrink_weights(table, {"a": 1.0}, penalty)
    assert refused.value.code == code
