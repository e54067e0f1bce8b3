"""Seeded problems like a district's month: institutions round schools and along streets."""

from __future__ import annotations

import math
import random

import numpy as np

from planner.problem import Depot, Problem, Shift, Site, Visit, Window

EVENING = (17 * 3600, 21 * 3600)
MORNING = (8 * 3600 + 1800, 11 * 3600 + 1800)
AFTERNOON = (14 * 3600, 17 * 3600 + 1800)


def make_district(institutions: int, *, seed: int = 1, teams: int | None = None, days: int = 28) -> Problem:
    """Return a problem with `institutions` sites over `days` days (a Monday first).

    Weekday evenings and weekend half-days, a quarter of the sites evening-only, a fifth weekend-only,
    1 to 4 visits each with a gap, 6 % with one mandatory recheck before a deadline, 5 shifts a team and week.
    """
    chance = random.Random(seed)
    teams = teams or max(2, round(institutions / 125))
    slots = _list_slots(days)
    points = _scatter(chance, institutions, side_m=1000 * math.sqrt(institutions / 8))
    xy = np.array(points)
    away = np.hypot(xy[:, None, 0] - xy[None, :, 0], xy[:, None, 1] - xy[None, :, 1])
    travel = np.floor(60 + 1.3 * away / 4.17).astype(np.int64)
    np.fill_diagonal(travel, 0)
    sites, visits = [], []
    for number in range(institutions):
        gap = chance.choice((5, 7, 10))
        sites.append(Site(f"I{number:04d}", number + 1, gap))
        visits += _owe(chance, sites[-1], slots, days)
    return Problem(
        travel_s=travel,
        depots=(Depot("D1", 0),),
        shifts=_staff(chance, slots, teams, days),
        sites=tuple(sites),
        visits=tuple(visits),
    )


def _list_slots(days: int) -> list[tuple[str, int, str, int, int]]:
    slots = []
    for day in range(days):
        if day % 7 < 5:
            slots.append((f"d{day:02d}e", day, "evening", *EVENING))
        else:
            slots.append((f"d{day:02d}m", day, "weekend", *MORNING))
            slots.append((f"d{day:02d}a", day, "weekend", *AFTERNOON))
    slots.append(("d02n", 2, "noon", 11 * 3600, 13 * 3600 + 1800))
    return slots


def _scatter(chance: random.Random, count: int, *, side_m: float) -> list[tuple[float, float]]:
    """Return the depot, then points: 60 % round schools, 30 % along streets, the rest anywhere."""
    schools = [(chance.uniform(0, side_m), chance.uniform(0, side_m)) for _ in range(max(3, count // 15))]
    streets = [
        (chance.uniform(0, side_m), chance.uniform(0, side_m), chance.uniform(0, math.pi))
        for _ in range(max(2, count // 30))
    ]
    points = [(side_m / 2, side_m / 2)]
    for _ in range(count):
        kind = chance.random()
        if kind < 0.6:
            x, y = chance.choice(schools)
            points.append((chance.gauss(x, 250), chance.gauss(y, 250)))
        elif kind < 0.9:
            x, y, angle = chance.choice(streets)
            along = chance.uniform(-1000, 1000)
            points.append((x + along * math.cos(angle), y + along * math.sin(angle)))
        else:
            points.append((chance.uniform(0, side_m), chance.uniform(0, side_m)))
    return points


def _owe(
    chance: random.Random, site: Site, slots: list[tuple[str, int, str, int, int]], days: int
) -> list[Visit]:
    kind = chance.random()
    allowed = {"evening"} if kind < 0.25 else {"weekend"} if kind < 0.45 else {"evening", "weekend", "noon"}
    count = chance.choices((1, 2, 3, 4), weights=(60, 24, 10, 6))[0]
    risk = chance.uniform(1, 4)
    service = chance.choice((600, 900, 1200, 1500, 1800))
    visits = []
    for number in range(count):
        recheck = number == 0 and chance.random() < 0.06
        last = chance.randint(6, min(20, days - 1)) if recheck else days - 1
        windows = tuple(
            Window(slot, start, end - service)
            for slot, day, sort, start, end in slots
            if sort in allowed and day <= last
        )
        prize = int((900 if number else 1500) * risk)
        visits.append(Visit(f"{site.id}-{number + 1}", site.id, service, prize, recheck, 0, windows))
    return visits


def _staff(
    chance: random.Random, slots: list[tuple[str, int, str, int, int]], teams: int, days: int
) -> tuple[Shift, ...]:
    shifts = []
    for team in range(teams):
        for week in range(0, days, 7):
            own = [slot for slot in slots if week <= slot[1] < week + 7]
            for slot, day, _, start, end in sorted(
                chance.sample(own, min(5, len(own))), key=lambda item: (item[1], item[3])
            ):
                shifts.append(Shift(f"{slot}-T{team + 1}", f"T{team + 1}", slot, day, start, end, "D1"))
    return tuple(shifts)
