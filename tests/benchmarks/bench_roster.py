"""The roster at district size: CPU seconds, proved gap, spread. Run: python -m tests.benchmarks.bench_roster.

60 inspectors, a tenth without certificate, four weeks, 159 shifts of teams, half a year of earlier shifts;
crews of two (318 seats) and of three (477).
"""

from __future__ import annotations

import random
import sys
import time
from datetime import date, timedelta

from planner.crew import Officer, PastShift, SlotNeed
from planner.options import RosterOptions
from planner.roster import make_roster
from planner.verify_roster import verify_roster

MONDAY = date(2026, 9, 7)
DAYS = 28
CREW_SIZES = (2, 3)
NOON, EVENING, MORNING, AFTERNOON = (39_600, 48_600), (61_200, 75_600), (30_600, 41_400), (50_400, 63_000)


def make_needs() -> list[SlotNeed]:
    """Return the slots of four weeks: 159 shifts of teams over noons, evenings, two holidays and weekends."""
    needs = []
    for number in range(DAYS):
        day = MONDAY + timedelta(number)
        if day.weekday() >= 5 or number in (16, 17):
            kind = "weekend" if day.weekday() >= 5 else "holiday"
            slots = [("m", kind, MORNING, 3), ("a", kind, AFTERNOON, 3)]
        else:
            slots = [
                ("n", "day", NOON, 2),
                ("e", "evening", EVENING, 4 if number % 7 < 3 and number != 1 and number < 23 else 3),
            ]
        needs += [SlotNeed(f"{day}-{name}", day, kind, *span, teams) for name, kind, span, teams in slots]
    return needs


def make_officers(seed: int) -> list[Officer]:
    """Return 60 inspectors with uneven half-years, leave of a few days and shifts of the week before."""
    chance = random.Random(seed)
    officers = []
    for number in range(60):
        off = chance.randrange(DAYS) if number % 3 == 0 else None
        presence = 0.5 if number >= 54 else 1.0
        worked = {"evening": 20, "weekend": 12, "holiday": 3, "day": 10}
        mine = {
            kind: round(count * presence) + chance.choice((-1, 0, 0, 1)) for kind, count in worked.items()
        }
        officers.append(
            Officer(
                f"O{number:02d}",
                certified=number % 10 != 9,
                leader=number % 4 == 0,
                unavailable=frozenset()
                if off is None
                else frozenset(MONDAY + timedelta(off + n) for n in range(5)),
                worked=mine,
                excused={kind: round(count * (1 - presence)) for kind, count in worked.items()},
                recent=tuple(
                    PastShift(MONDAY - timedelta(back), *EVENING)
                    for back in sorted(chance.sample(range(1, 22), 6))
                ),
            )
        )
    return officers


def main() -> None:
    """Print one row a seed."""
    needs = make_needs()
    effort = float(sys.argv[1]) if len(sys.argv) > 1 else RosterOptions().effort
    print(f"{sum(need.teams for need in needs)} shifts in {len(needs)} slots")
    print("crew  seed  cpu s  gap      crewed seats  evening weekend holiday total  broken")
    for crew_size, seed in ((size, seed) for size in CREW_SIZES for seed in (1, 2, 3)):
        officers = make_officers(seed)
        options = RosterOptions(seed=seed, crew_size=crew_size, effort=effort)
        began = time.process_time()
        roster = make_roster(officers, needs, options=options)
        spent = time.process_time() - began
        report = verify_roster(officers, needs, roster, options=options)
        spread = "".join(f"{roster.spread[kind]:8d}" for kind in ("evening", "weekend", "holiday", "total"))
        seats, crewed = report.measures["seats"], report.measures["teams_crewed"]
        figures = f"{crew_size:4d} {seed:5d} {spent:6.2f}  {roster.gap:7.4f} {crewed:7d} {seats:5d}"
        print(f"{figures} {spread}  {len(report.violations)}")


if __name__ == "__main__":
    main()
