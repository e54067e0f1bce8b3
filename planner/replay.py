"""STEP: replay a past period with the facts known then: would problems have been found earlier, who bears it.

Only visits whose date was a choice change places: rechecks and answers to tips had theirs.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from data.schema import Finding, Institution, PlanStop, VisitRecord
from data.terms import VisitReason
from planner.backtest import Backtest, Window, backtest, list_windows
from planner.burden import burden, calibration, team_findings
from planner.casebook import LOCAL_ZONE, Casebook, read_casebook
from planner.errors import EvidenceError
from planner.rates import ipw_rate
from planner.risk import Scorecard, factor_counts, priority, score_institutions
from planner.scorecard import read_scorecard
from planner.unpredictability import Guessing, gap_cv, guess_rate, slot_entropy
from planner.weights import PENALTY, WeightReport, shrink_weights

WINDOW_DAYS = 60
HELD_OUT_WEEKS = 8
# Picks that follow no suspicion: only these say how often a place of some score has a problem.
EVEN_REASONS = (VisitReason.DUE.value, VisitReason.RANDOM.value)
# A place never seen has waited half a year.
NEVER_DAYS = 182
FIXED_REASONS = (VisitReason.RECHECK.value, VisitReason.TIP.value)
_COLUMNS = ("institution", "date", "known_on", "team", "slot", "reason", "found", "kind", "area", "grid")


@dataclass(frozen=True)
class Evidence:
    """What past visits say about the card and about fairness; every figure is for the period named.

    `card` is the backtest in order of the card's chance, `queue` in order of the planner's priority. `fifths`
    and `weighted_rate` (by chance of selection) rest on visits that were due or drawn at random.
    """

    first: dt.date
    last: dt.date
    version: int
    visits: int
    findings: int
    fixed: int
    undated: int
    card: Backtest
    queue: Backtest
    areas_first_half: pd.DataFrame
    fifths: pd.DataFrame
    weighted_rate: float
    guesses: tuple[Guessing, ...]
    entropy: pd.DataFrame
    gap_cv: float
    by_area: pd.DataFrame
    by_kind: pd.DataFrame
    teams: pd.DataFrame
    reasons: dict[str, int]


def replay_period(
    session: Session,
    *,
    first: dt.date | None = None,
    last: dt.date,
    card: Scorecard | None = None,
    seed: int = 1,
    n_boot: int = 1000,
) -> Evidence:
    """Replay the register's visits from `first` to `last` in windows of 60 days.

    Parameters
    ----------
    first
        By default 60 days after the first visit on file, so that there is something to know.
    card
        The card that is judged; the one in force on the day after `last` by default.

    Raises
    ------
    EvidenceError
        `no_visits` when no visit of the period saw its place, `bad_windows` when `first` is after `last`.
    """
    begin = first or _first_day(session, last)
    if begin > last:
        raise EvidenceError(code="bad_windows", fields={"first": str(begin), "last": str(last)})
    card = card or read_scorecard(session, as_of=last + dt.timedelta(days=1))
    past = read_visits(session, until=last)
    windows = list_windows(begin, last, days=WINDOW_DAYS)
    period = past[(past["date"] >= pd.Timestamp(windows[0][0]))]
    free = period[~period["reason"].isin(FIXED_REASONS)]
    if free.empty:
        raise EvidenceError(code="no_visits", fields={"first": str(begin), "last": str(last)})
    book = read_casebook(session, replay=True)
    scores, queue = _score_rows(free, windows, book, card)
    even = free["reason"].isin(EVEN_REASONS).to_numpy()
    by_card = backtest(free, scores, windows, "team", n_boot, seed=seed)
    weights = _places(session, book, card, windows[0][0])
    held = past["date"] > pd.Timestamp(last - dt.timedelta(weeks=HELD_OUT_WEEKS))
    return Evidence(
        first=windows[0][0],
        last=last,
        version=card.version,
        visits=len(period),
        findings=int(period["found"].sum()),
        fixed=len(period) - len(free),
        undated=int(period["undated"].sum()),
        card=by_card,
        queue=backtest(free, queue, windows, "team", n_boot, seed=seed),
        areas_first_half=_first_half_by_area(by_card.rows),
        fifths=calibration(scores[even].tolist(), free["found"][even].tolist()),
        weighted_rate=ipw_rate(free["found"][even], free["p_select"][even]),
        guesses=guess_rate(past[held], past[~held]),
        entropy=slot_entropy(period, "kind"),
        gap_cv=float(gap_cv(period).median()),
        by_area=burden(weights, period, "area", n_boot=n_boot, seed=seed),
        by_kind=burden(weights, period, "kind", n_boot=n_boot, seed=seed),
        teams=team_findings(period),
        reasons={str(k): int(v) for k, v in period["reason"].value_counts().items()},
    )


def shrink_on_register(
    session: Session, *, last: dt.date, penalty: float = PENALTY
) -> tuple[dict[str, float], WeightReport]:
    """Fit new points on all visits up to `last`, each with the facts known before it; see `shrink_weights`.

    Raises
    ------
    EvidenceError
        `no_visits`.
    """
    card = read_scorecard(session, as_of=last + dt.timedelta(days=1))
    past = read_visits(session, until=last)
    if past.empty:
        raise EvidenceError(code="no_visits", fields={"last": str(last)})
    book = read_casebook(session, replay=True)
    rows = []
    for day, part in past.groupby(past["date"].dt.date):
        facts = {item.institution_id: item for item in book.facts_on(day)}
        rows += [
            {"found": found, **factor_counts(facts[place], as_of=day)}
            for place, found in zip(part["institution"], part["found"], strict=True)
        ]
    return shrink_weights(pd.DataFrame(rows).fillna(0.0), card.weights, penalty)


def read_visits(session: Session, *, until: dt.date) -> pd.DataFrame:
    """Return the visits that saw their place up to `until`, in order of date and record.

    Columns: institution, date, known_on (date it, and its finding, entered the register), team, slot, reason,
    found (0 or 1), kind, area (subdistrict), grid, `group` (the kind), sequence, `undated` (nobody knows when
    it entered) and p_select (the chance it was drawn with, 1 where it was not drawn).
    """
    visit = VisitRecord
    statement = (
        select(visit.id, visit.institution_id, visit.date, visit.recorded_at, visit.team, visit.slot_kind)
        .add_columns(visit.reason, visit.outcome, PlanStop.p_select)
        .add_columns(Institution.kind, Institution.subdistrict, Institution.grid_code)
        .join(Institution, Institution.id == VisitRecord.institution_id)
        .outerjoin(PlanStop, PlanStop.id == VisitRecord.plan_stop_id)
        .where(VisitRecord.date <= until)
        .order_by(VisitRecord.date, VisitRecord.id)
    )
    findings = select(Finding.visit_id, Finding.recorded_at).where(Finding.visit_id.is_not(None))
    found = dict(session.execute(findings).tuples().all())
    rows = []
    for key, place, date, at, team, slot, reason, outcome, chance, *where in session.execute(statement):
        if outcome.pays:
            known = max([date, *(i.astimezone(LOCAL_ZONE).date() for i in (at, found.get(key)) if i)])
            head = (place, date, known, team, slot.value, reason.value, int(key in found))
            kind, area, grid = where
            rows.append((*head, kind.value, area or "", grid, key, at is None, chance or 1.0))
    table = pd.DataFrame(rows, columns=[*_COLUMNS, "sequence", "undated", "p_select"])
    table["date"], table["known_on"] = pd.to_datetime(table["date"]), pd.to_datetime(table["known_on"])
    table["group"] = table["kind"]
    return table


def _first_day(session: Session, last: dt.date) -> dt.date:
    earliest: dt.date | None = session.scalar(select(func.min(VisitRecord.date)))
    if earliest is None:
        return last
    return min(earliest + dt.timedelta(days=WINDOW_DAYS), last)


def _score_rows(
    free: pd.DataFrame, windows: Sequence[Window], book: Casebook, card: Scorecard
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the card's chance and the planner's priority of each visit's place at its window's start."""
    chance, queue = np.zeros(len(free)), np.zeros(len(free))
    dates, places = free["date"].to_numpy(), free["institution"].to_numpy()
    for first, last in windows:
        facts = book.facts_on(first)
        scores = score_institutions(facts, as_of=first, card=card)
        seen = {f.institution_id: max((v.date for v in f.visits), default=None) for f in facts}
        inside = (dates >= np.datetime64(first)) & (dates <= np.datetime64(last))
        for at in np.flatnonzero(inside):
            key = int(places[at])
            chance[at] = scores[key].probability
            latest = seen[key]
            waited = NEVER_DAYS if latest is None else (first - latest).days
            queue[at] = priority(scores[key].rate, waited)
    return chance, queue


def _places(session: Session, book: Casebook, card: Scorecard, day: dt.date) -> pd.DataFrame:
    """Return kind, area and what risk lets a place expect, as of the period's first day."""
    scores = score_institutions(book.facts_on(day), as_of=day, card=card)
    columns = (Institution.id, Institution.kind, Institution.subdistrict)
    rows = [
        (key, kind.value, area or "", float(np.sqrt(scores[key].rate)))
        for key, kind, area in session.execute(select(*columns).order_by(Institution.id)).tuples()
    ]
    return pd.DataFrame(rows, columns=["institution", "kind", "area", "weight"]).set_index("institution")


def _first_half_by_area(rows: pd.DataFrame) -> pd.DataFrame:
    """Return the share of each area's visits that the new order puts into the first half."""
    areas = rows.groupby("area", observed=True).agg(visits=("found", "size"), share=("first_half", "mean"))
    return areas.reset_index()
