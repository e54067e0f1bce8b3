"""Measures of targeting and its evidence: `python -m tests.benchmarks.bench_backtest [PART ...] [--runs N]`.

A program, not a test. Parts: `district` (a simulated district under our score and priority), `weights` (what
fitted weights gain by number of visits), `intervals` (how often they hold the truth), `speed`, and `plans`
(minutes: sixteen weeks of real plans of the demo district, of which the last eight are guessed).
"""

from __future__ import annotations

import argparse
import datetime as dt
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.sparse import csr_matrix

from data.terms import Kind, SiteStatus
from geo.hotspot import eb_rate
from planner.backtest import backtest
from planner.dossier import high_neighbourhoods
from planner.risk import CAP_WEEKS, Facts, PastTip, PastVisit, priority, score_institutions
from planner.weights import shrink_weights

START = dt.date(2020, 1, 6)
PLACES, GRIDS, A_WEEK, WEEKS, BURN_IN = 300, 60, 25, 130, 52
DETECTION, CONTROL, SIM_CAP_WEEKS = 0.8, 0.10, 16


@dataclass
class District:
    """A made-up district: problems arise at unequal rates and stay until found."""

    rate: np.ndarray
    grid: np.ndarray
    rng: np.random.Generator
    since: np.ndarray = field(default_factory=lambda: np.full(PLACES, -1))
    last: np.ndarray = field(default_factory=lambda: np.zeros(PLACES))
    past: list[list[PastVisit]] = field(default_factory=lambda: [[] for _ in range(PLACES)])

    @classmethod
    def draw(cls, seed: int) -> District:
        """Draw rates, 0.012 a week on average: gammas of shape 2 among places and 0.7 among grids.

        So round robin, and the rate a week, come out as in the simulation of the analysis.
        """
        rng = np.random.default_rng(seed)
        grid = np.arange(PLACES) % GRIDS
        rate = np.clip(rng.gamma(2, 0.006, PLACES) * rng.gamma(0.7, 1 / 0.7, GRIDS)[grid], 1e-5, 0.3)
        made = cls(rate, grid, rng)
        made.last = -rng.integers(1, 13, PLACES).astype(float)
        return made


def round_robin(district: District, week: int) -> np.ndarray:
    """Choose those that waited longest."""
    wait = week - district.last + district.rng.random(PLACES) * 0.01
    return np.argsort(-wait)[:A_WEEK]


def our_rule(district: District, week: int) -> np.ndarray:
    """Choose by our score and priority, a tenth at random."""
    day = START + dt.timedelta(weeks=week)
    same = district.grid[:, None] == district.grid[None, :]
    high = high_neighbourhoods(district.past, csr_matrix((same & ~np.eye(PLACES, dtype=bool)) * 1.0))
    facts = [
        Facts(at, Kind.NON_SUBJECT, SiteStatus.OPEN, visits=tuple(seen), neighbourhood_high=high[at])
        for at, seen in enumerate(district.past)
    ]
    scores = score_institutions(facts, as_of=day)
    return _choose(district, week, np.array([scores[at].rate for at in range(PLACES)]))


def rate_a_week(district: District, week: int) -> np.ndarray:
    """Choose by the shrunken rate a week of the analysis's own simulation, with the same priority."""
    found = np.array([sum(visit.found for visit in seen) for seen in district.past], dtype=float)
    weeks = np.full(PLACES, float(max(week, 1)))
    pooled = max(found.sum(), 1.0) / weeks.sum()
    return _choose(district, week, eb_rate(found, weeks, prior_rate=pooled, prior_visits=40))


def _choose(district: District, week: int, rate: np.ndarray) -> np.ndarray:
    wait = 7 * (week - district.last)
    worth = np.array([priority(rate[at], wait[at], cap_weeks=SIM_CAP_WEEKS) for at in range(PLACES)])
    order = np.argsort(-worth, kind="stable")
    due = int((wait >= 7 * SIM_CAP_WEEKS).sum())
    drawn = min(int(district.rng.binomial(A_WEEK, CONTROL)), max(A_WEEK - due, 0))
    chosen = order[: A_WEEK - drawn]
    rest = np.setdiff1d(np.arange(PLACES), chosen)
    return np.concatenate([chosen, district.rng.choice(rest, drawn, replace=False)])


def live(rule: Callable[[District, int], np.ndarray], seed: int) -> dict[str, float]:
    """Return what a rule did in one district after burn-in."""
    district = District.draw(seed)
    open_days: list[float] = []
    longest, visits, by_grid = 0.0, 0, np.zeros(GRIDS)
    for week in range(BURN_IN + WEEKS):
        district.since[(district.since < 0) & (district.rng.random(PLACES) < district.rate)] = week
        chosen = rule(district, week)
        if week >= BURN_IN:
            longest = max(longest, float((week - district.last[chosen]).max()))
            visits += len(chosen)
            np.add.at(by_grid, district.grid[chosen], 1)
        for at in chosen:
            found = bool(district.since[at] >= 0 and district.rng.random() < DETECTION)
            day = START + dt.timedelta(weeks=week)
            team = f"T{district.rng.integers(6)}"
            district.past[at].append(PastVisit(visits, day - dt.timedelta(days=1), team, found))
            district.last[at] = week
            if found:
                if week >= BURN_IN:
                    open_days.append(7.0 * (week - district.since[at] + 1))
                district.since[at] = -1
    end = BURN_IN + WEEKS
    still = [7.0 * (end - since + 1) for since in district.since if since >= 0]
    found_by = np.array([sum(v.found for v in seen) for seen in district.past])
    weeks = np.full(PLACES, float(end))
    estimate = eb_rate(found_by, weeks, prior_rate=found_by.sum() / weeks.sum(), prior_visits=40)
    return {
        "days open": float(np.mean(open_days + still)),
        "found a visit": len(open_days) / visits,
        "longest gap": max(longest, float((end - district.last).max())),
        "corr": float(np.corrcoef(estimate, district.rate)[0, 1]),
        "top tenth of grids": float(np.sort(by_grid)[::-1][: GRIDS // 10].sum() / by_grid.sum()),
    }


def measure_district(runs: int) -> None:
    """Print goal 7: open <= 0.90 of round robin, gap <= cap + 1, top tenth <= 20 %, corr >= .80."""
    ours, weekly, robin = (
        [live(rule, seed) for seed in range(runs)] for rule in (our_rule, rate_a_week, round_robin)
    )
    means = {"round robin": robin, "rate a week": weekly, "ours": ours}
    table = pd.DataFrame({name: pd.DataFrame(rows).mean() for name, rows in means.items()})
    table["ours, worst run"] = [
        pd.DataFrame(ours)[name].agg("min" if name in ("corr", "found a visit") else "max")
        for name in table.index
    ]
    print(f"\nsimulated district, {runs} runs, cap {SIM_CAP_WEEKS} weeks, {CONTROL:.0%} at random")
    print(table.round(3).to_string())
    ratio = table.loc["days open", "ours"] / table.loc["days open", "round robin"]
    print(f"days open, ours / round robin: {ratio:.3f}")


def measure_weights(runs: int) -> None:
    """Print the days gained on random order by free, shrunk and unit weights, by number of visits."""
    truth = np.array([3, 2, 2, 2, 1, 1, 1, 1, 1, 0, 0], dtype=float) * 1.5
    names = [f"x{n}" for n in range(len(truth))]
    unit = dict.fromkeys(names, 1.0)
    rows = []
    for visits in (50, 100, 200, 400, 800, 1600, 3200):
        gains: dict[str, list[float]] = {"unit": [], "shrunk": [], "free": []}
        for seed in range(runs):
            rng = np.random.default_rng(seed)
            past, ahead = (_inspections(rng, size, truth, names) for size in (visits, 1600))
            fits = {
                "unit": unit,
                "shrunk": shrink_weights(past, unit)[0],
                "free": shrink_weights(past, unit, 1e-6)[0],
            }
            for name, weights in fits.items():
                score = ahead[names].to_numpy() @ np.array([weights[n] for n in names])
                gains[name].append(backtest(ahead, score, n_boot=2).vs_random)
        rows.append({"visits": visits, **{name: float(np.mean(v)) for name, v in gains.items()}})
    print(f"\ndays gained on random order in 60 days, {runs} draws, eleven factors, 15 % found")
    print(pd.DataFrame(rows).round(2).to_string(index=False))


def _inspections(rng: np.random.Generator, size: int, points: np.ndarray, names: list[str]) -> pd.DataFrame:
    x = rng.random((size, len(points))) < np.linspace(0.08, 0.4, len(points))
    logit = -2.6 + np.log(2) / 4 * (x @ points)
    found = rng.random(size) < 1 / (1 + np.exp(-logit))
    table = pd.DataFrame(x.astype(float), columns=names).assign(found=found.astype(int))
    days = np.sort(rng.integers(60, size=size))
    return table.assign(institution=range(size), date=[START + dt.timedelta(days=int(n)) for n in days])


def measure_intervals(runs: int) -> None:
    """Print how often the 95 % interval of a score that knows nothing holds 0, and its half-width."""
    rows = []
    for findings in (20, 60, 258):
        held, width = 0, []
        for seed in range(runs * 5):
            rng = np.random.default_rng(seed)
            found = np.zeros(findings * 7, dtype=int)
            found[rng.choice(len(found), findings, replace=False)] = 1
            days = [START + dt.timedelta(days=int(n)) for n in rng.integers(60, size=len(found))]
            table = pd.DataFrame({"institution": range(len(found)), "date": days, "found": found})
            result = backtest(table, rng.random(len(found)), seed=seed, n_boot=400)
            held += result.interval[0] <= 0 <= result.interval[1]
            width.append((result.interval[1] - result.interval[0]) / 2)
        rows.append(
            {
                "findings": findings,
                "holds 0": held / (runs * 5),
                "half-width": float(np.mean(width)),
                "49 / sqrt": 49 / findings**0.5,
            }
        )
    print("\nintervals of a score that knows nothing")
    print(pd.DataFrame(rows).round(3).to_string(index=False))


def measure_speed() -> None:
    """Print seconds for 10,000 institutions scored with explanations; goal: under 2 s."""
    rng = np.random.default_rng(1)
    day = START + dt.timedelta(days=900)
    kinds = list(Kind)
    facts = [
        Facts(
            at,
            kinds[at % len(kinds)],
            SiteStatus.OPEN,
            visits=tuple(
                PastVisit(n, day - dt.timedelta(days=30 * n + 1), f"T{n % 3}", bool(rng.random() < 0.05))
                for n in range(5)
            ),
            tips=(PastTip(1, day - dt.timedelta(days=20), False),) if at % 20 == 0 else (),
            licences_at_address=1 + at % 4,
            school_distance_m=float(at % 900),
            neighbourhood_high=at % 4 == 0,
        )
        for at in range(10_000)
    ]
    begin = time.perf_counter()
    scores = score_institutions(facts, as_of=day)
    lines = sum(len(score.contributions) for score in scores.values())
    print(f"\n10,000 institutions scored, {lines:,} lines: {time.perf_counter() - begin:.2f} s")


def measure_plans() -> None:
    """Print goal 8 on the demo: eight plans of two weeks, each carried out; the last four are guessed."""
    from dashboard.district import load_district
    from data.demo import make_demo
    from data.schema import PlanStop, VisitRecord
    from data.store import Store
    from data.terms import Outcome, VisitMode, VisitReason
    from planner.draft import make_plan
    from planner.itinerary import read_plan
    from planner.options import PlanOptions
    from planner.replay import read_visits
    from planner.unpredictability import guess_rate, slot_entropy

    first = dt.date(2026, 8, 24)
    with tempfile.TemporaryDirectory() as name:
        store = Store(f"sqlite:///{Path(name) / 'bench.db'}")
        store.upgrade()
        now = dt.datetime(2026, 8, 24, 1, tzinfo=dt.UTC)
        with store.begin(actor="bench", now=now) as session:
            load_district(session, make_demo("district", seed=1, today=first), now=now, password_hash="-")
        for number in range(8):
            begin = first + dt.timedelta(days=14 * number)
            options = PlanOptions(
                first=begin,
                last=begin + dt.timedelta(days=13),
                round_from=first + dt.timedelta(days=56 * (number // 4)),
                teams=6,
                seed=number + 1,
                iterations=4_000,
            )
            plan = make_plan(store, options=options, actor="bench", now=now, today=begin).code
            with store.begin(actor="bench", now=now) as session:
                for shift in read_plan(session, plan).shifts:
                    for stop in shift.stops:
                        session.add(
                            VisitRecord(
                                institution_id=stop.institution_id,
                                date=shift.date,
                                slot_kind=shift.slot_kind,
                                slot_class=stop.slot_class,
                                mode=VisitMode.OPEN_VISIT,
                                reason=VisitReason.DUE,
                                outcome=Outcome.SEEN_OPEN,
                                team=shift.team,
                            )
                        )
            print(f"  {plan}: {_control(store, plan)}", flush=True)
        with store.reading() as session:
            seen = read_visits(session, until=first + dt.timedelta(days=111))
            stops = session.query(PlanStop).count()
        store.close()
    seen = seen[seen["date"] >= pd.Timestamp(first)]
    half = seen["date"] >= pd.Timestamp(first + dt.timedelta(days=56))
    print(f"\nplans of sixteen weeks, {stops} stops; goal: ratio <= 1.3, entropy >= .85")
    for guess in guess_rate(seen[half], seen[~half]):
        counts = f"{guess.hits}/{guess.guesses}, chance {guess.chance_hits:.1f}"
        print(f"  {guess.adversary:7} {counts}, {guess.ratio:.2f}")
    print(slot_entropy(seen[half], "kind").round(3).to_string(index=False))


def _control(store: object, plan: str) -> str:
    from planner.itinerary import read_plan

    with store.reading() as session:  # type: ignore[attr-defined]
        summary = read_plan(session, plan).head.summary
    control = summary.get("control", {})
    share = f"control {control.get('realised')} of {control.get('share')}"
    return f"{summary['served']}/{summary['visits']} visits, {share}"


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the parts named."""
    parser = argparse.ArgumentParser(description=__doc__)
    parts = ["district", "weights", "intervals", "speed", "plans"]
    parser.add_argument("parts", nargs="*", metavar="PART", help=", ".join(parts))
    parser.add_argument("--runs", type=int, default=10)
    options = parser.parse_args(arguments)
    options.parts = options.parts or parts[:-1]
    if unknown := set(options.parts) - set(parts):
        parser.error(f"unknown parts: {', '.join(sorted(unknown))}")
    print(f"cap of the planner: {CAP_WEEKS:g} weeks")
    if "district" in options.parts:
        measure_district(options.runs)
    if "weights" in options.parts:
        measure_weights(options.runs)
    if "intervals" in options.parts:
        measure_intervals(options.runs)
    if "speed" in options.parts:
        measure_speed()
    if "plans" in options.parts:
        measure_plans()


if __name__ == "__main__":
    main()
