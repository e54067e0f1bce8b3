"""Did the order find problems earlier: past visits put in another order on the same calendar.

Only the order changes: every team keeps its days and its number of visits, and every visit its outcome. The
measure follows the evaluation the city of Chicago published in 2015 for its food inspections.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from planner.errors import EvidenceError

Floats = NDArray[np.float64]
Window = tuple[dt.date, dt.date]
# Called with what was known before the window and with the window's visits without their outcomes.
ScoreFunction = Callable[[pd.DataFrame, pd.DataFrame], ArrayLike]

# 1.96 times the deviation of one finding's shift, 25 days in a window of 60 (measured).
HALF_WIDTH_DAYS = 49.0
HALF_WIDTH_WINDOW_DAYS = 60.0
ENOUGH_FINDINGS = 20
_NEEDED = ("institution", "date", "found")


@dataclass(frozen=True)
class Backtest:
    """Days by which findings come earlier, and how sure that is.

    `days_earlier` compares with the order that took place, `vs_random` with the mean of all orders; both are
    means over findings with 95 % intervals from institutions drawn again. `half_width_days` is what so few
    findings can resolve at all. `verdict`: `too_few`, `unclear` (the interval holds 0), `earlier` or `later`.
    """

    visits: int
    findings: int
    days_earlier: float
    interval: tuple[float, float]
    vs_random: float
    vs_random_interval: tuple[float, float]
    share_first_half: float
    share_first_half_actual: float
    half_width_days: float
    verdict: str
    windows: pd.DataFrame
    groups: pd.DataFrame
    rows: pd.DataFrame


def backtest(
    visits: pd.DataFrame,
    score_fn: ScoreFunction | ArrayLike,
    windows: Sequence[Window] | None = None,
    within: str | Sequence[str] | None = None,
    n_boot: int = 1000,
    *,
    seed: int = 1,
    enough_findings: int = ENOUGH_FINDINGS,
) -> Backtest:
    """Put the visits of each window in order of their scores, highest first, and see when findings come.

    Parameters
    ----------
    visits
        One row a visit: `institution`, `date`, `found` (0 or 1), and any other columns; `known_on`, when it
        is there, is the date a row entered the register, which may be later than `date`.
    score_fn
        Called for each window with the rows known before its first day and with the window's rows without
        `found`; returns one score a row. Or the scores themselves, one for each row of `visits`.
    windows
        First and last days, both inclusive; one window over everything by default.
    within
        Column(s): visits change places only inside a group, such as a team's own calendar.
    n_boot
        Draws of institutions (those with findings) behind the intervals.

    Returns
    -------
    Backtest
        Figures over all findings of all windows; `windows` one row a window; `groups` one row a group with
        its `days_earlier`; `rows` the visits in windows with `score`, `new_day` (days since 1970), `earlier`,
        `vs_random` and `first_half` (chance that the visit comes on a day of the first half).

    Raises
    ------
    EvidenceError
        `missing_columns`, `length_mismatch`, `bad_scores`, `bad_windows`, `no_visits`.

    Notes
    -----
    Visits of one score share the mean of their places: the expectation over all ways to break the tie.
    A day belongs to the first half when no more than half of the window's visits took place up to it.
    """
    table = _checked(visits, within)
    keys = [within] if isinstance(within, str) else list(within or ())
    parts = []
    for number, (first, last) in enumerate(windows or [(_day(table, "min"), _day(table, "max"))]):
        if first > last:
            raise EvidenceError(code="bad_windows", fields={"first": str(first), "last": str(last)})
        inside = table[(table["date"] >= pd.Timestamp(first)) & (table["date"] <= pd.Timestamp(last))]
        if inside.empty:
            continue
        known = table[(table["date"] < pd.Timestamp(first)) & (table["known_on"] < pd.Timestamp(first))]
        part = inside.assign(window=number, score=_scores(score_fn, known, inside))
        parts.append(_reorder(part, keys))
    if not parts:
        raise EvidenceError(code="no_visits")
    rows = pd.concat(parts)
    return _measure(rows, keys, windows, n_boot=n_boot, seed=seed, enough_findings=enough_findings)


def half_width_days(findings: int, *, window_days: float = HALF_WIDTH_WINDOW_DAYS) -> float:
    """Return the 95 % half-width that so many findings allow, in days; infinite without any.

    One finding's shift grows in proportion to the window: 25 days in 60.
    """
    if findings <= 0:
        return float("inf")
    return HALF_WIDTH_DAYS / HALF_WIDTH_WINDOW_DAYS * window_days / float(np.sqrt(findings))


def list_windows(first: dt.date, last: dt.date, *, days: int = 60) -> list[Window]:
    """Return windows of `days` days one after another up to `last`; a shorter rest in front is left out."""
    found: list[Window] = []
    end = last
    while (begin := end - dt.timedelta(days=days - 1)) >= first:
        found.append((begin, end))
        end = begin - dt.timedelta(days=1)
    return found[::-1] or [(first, last)]


def _checked(visits: pd.DataFrame, within: str | Sequence[str] | None) -> pd.DataFrame:
    keys = [within] if isinstance(within, str) else list(within or ())
    missing = [name for name in (*_NEEDED, *keys) if name not in visits.columns]
    if missing:
        raise EvidenceError(code="missing_columns", fields={"columns": missing})
    if visits.empty:
        raise EvidenceError(code="no_visits")
    dates = pd.to_datetime(visits["date"])
    known = pd.to_datetime(visits["known_on"]) if "known_on" in visits else dates
    return visits.assign(
        date=dates,
        known_on=known.fillna(dates),
        found=visits["found"].astype(np.float64),
        _row=np.arange(len(visits)),
    )


def _day(table: pd.DataFrame, which: str) -> dt.date:
    day: dt.date = getattr(table["date"], which)().date()
    return day


def _scores(score_fn: ScoreFunction | ArrayLike, known: pd.DataFrame, inside: pd.DataFrame) -> Floats:
    if callable(score_fn):
        hidden = inside.drop(columns=["found", "_row"])
        scores = np.asarray(score_fn(known.drop(columns="_row"), hidden), dtype=np.float64)
        if scores.shape != (len(inside),):
            raise EvidenceError(code="length_mismatch", fields={"visits": len(inside), "scores": scores.size})
    else:
        everything = np.asarray(score_fn, dtype=np.float64)
        if len(everything) <= int(inside["_row"].max()):
            raise EvidenceError(code="length_mismatch", fields={"scores": everything.size})
        scores = everything[inside["_row"].to_numpy()]
    if not np.isfinite(scores).all():
        raise EvidenceError(code="bad_scores", fields={"count": int((~np.isfinite(scores)).sum())})
    return scores


def _reorder(part: pd.DataFrame, keys: Sequence[str]) -> pd.DataFrame:
    """Give each visit of one window the date, and the chance of the first half, that its score earns."""
    day = part["date"].to_numpy().astype("datetime64[D]").astype(np.float64)
    order = np.sort(day)
    early = np.searchsorted(order, day, side="right") <= len(day) / 2
    new, half, mean = (np.empty(len(part)) for _ in range(3))
    groups = _group_codes(part, keys)
    score = part["score"].to_numpy()
    for code in np.unique(groups):
        at = np.flatnonzero(groups == code)
        places = at[np.argsort(day[at], kind="stable")]
        _, tie = np.unique(-score[at], return_inverse=True)
        ranked = np.argsort(tie, kind="stable")
        size = np.bincount(tie)
        new[at] = (np.bincount(tie[ranked], day[places]) / size)[tie]
        half[at] = (np.bincount(tie[ranked], early[places].astype(np.float64)) / size)[tie]
        mean[at] = day[at].mean()
    return part.assign(
        new_day=new, earlier=day - new, vs_random=mean - new, first_half=half, first_half_actual=early
    )


def _group_codes(part: pd.DataFrame, keys: Sequence[str]) -> NDArray[np.int64]:
    if not keys:
        return np.zeros(len(part), dtype=np.int64)
    codes = part.groupby(list(keys), dropna=False, observed=True).ngroup()
    return codes.to_numpy().astype(np.int64)


def _measure(
    rows: pd.DataFrame,
    keys: Sequence[str],
    windows: Sequence[Window] | None,
    *,
    n_boot: int,
    seed: int,
    enough_findings: int,
) -> Backtest:
    findings = int(rows["found"].sum())
    spans = windows or [(_day(rows, "min"), _day(rows, "max"))]
    days = float(np.mean([(last - first).days + 1 for first, last in spans]))
    means = _means(rows)
    low, high = _bootstrap(rows, n_boot=n_boot, seed=seed)
    verdict = "unclear"
    if findings < enough_findings:
        verdict = "too_few"
    elif low[0] > 0 or high[0] < 0:
        verdict = "earlier" if low[0] > 0 else "later"
    by_window = _by(rows, ["window"])
    at = by_window["window"].astype(int)
    by_window["first"], by_window["last"] = [spans[i][0] for i in at], [spans[i][1] for i in at]
    return Backtest(
        visits=len(rows),
        findings=findings,
        days_earlier=means[0],
        interval=(low[0], high[0]),
        vs_random=means[1],
        vs_random_interval=(low[1], high[1]),
        share_first_half=means[2],
        share_first_half_actual=means[3],
        half_width_days=half_width_days(findings, window_days=days),
        verdict=verdict,
        windows=by_window,
        groups=_by(rows, keys) if keys else rows.iloc[:0],
        rows=rows.drop(columns="_row"),
    )


_MEASURES = ("earlier", "vs_random", "first_half", "first_half_actual")


def _means(rows: pd.DataFrame) -> list[float]:
    hits = rows[rows["found"] > 0]
    weight = hits["found"].to_numpy()
    if not len(hits):
        return [float("nan")] * len(_MEASURES)
    return [float(np.average(hits[name].astype(np.float64), weights=weight)) for name in _MEASURES]


def _by(rows: pd.DataFrame, keys: Sequence[str]) -> pd.DataFrame:
    """Return visits, findings and means by group."""
    table = []
    for key, part in rows.groupby(list(keys), dropna=False, observed=True):
        names: tuple[Hashable, ...] = key if isinstance(key, tuple) else (key,)
        figures = dict(zip(("days_earlier", *_MEASURES[1:]), _means(part), strict=True))
        table.append(
            {
                **dict(zip(keys, names, strict=True)),
                "visits": len(part),
                "findings": int(part["found"].sum()),
                **figures,
            }
        )
    return pd.DataFrame(table)


def _bootstrap(rows: pd.DataFrame, *, n_boot: int, seed: int) -> tuple[list[float], list[float]]:
    """Return 2.5 % and 97.5 % quantiles of the first two measures over institutions drawn again."""
    hits = rows[rows["found"] > 0]
    if not len(hits):
        return [float("nan")] * 2, [float("nan")] * 2
    place, _ = pd.factorize(hits["institution"])
    weight = hits["found"].to_numpy()
    count = np.bincount(place, weight)
    sums = np.stack([np.bincount(place, weight * hits[name].to_numpy()) for name in _MEASURES[:2]])
    drawn = np.random.default_rng(seed).multinomial(len(count), np.full(len(count), 1 / len(count)), n_boot)
    means = (drawn @ sums.T) / (drawn @ count)[:, None]
    low, high = np.quantile(means, [0.025, 0.975], axis=0)
    return [float(v) for v in low], [float(v) for v in high]
