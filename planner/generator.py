"""Seeded districts for measuring: institutions round schools and along streets, a month of slots."""

from __future__ import annotations

import json
import math
import random
from typing import NamedTuple

from planner.errors import Fault, OptionsError
from planner.exchange import PROBLEM_FORMAT, parse_problem
from planner.problem import Problem

EVENING = (17 * 3600, 21 * 3600)
MORNING = (8 * 3600 + 1800, 11 * 3600 + 1800)
AFTERNOON = (14 * 3600, 17 * 3600 + 1800)
NOON = (11 * 3600, 13 * 3600 + 1800)

SPEED_M_S, CIRCUITY, FIXED_S = 4.17, 1.3, 60
"""An electric bicycle: 15 km/h, roads 1.3 times the straight line, a minute to park."""

DENSITY_KM2 = 8
"""Institutions a square kilometre."""

INSTITUTIONS_PER_TEAM = 125
INSTITUTIONS_PER_DEPOT = 1_500
MOST_INSTITUTIONS = 200_000


class Slot(NamedTuple):
    """One slot of the horizon: id, day, sort and its seconds of the day."""

    id: str
    day: int
    sort: str
    start_s: int
    end_s: int


def make_district(institutions: int, *, seed: int = 1, teams: int | None = None, days: int = 28) -> Problem:
    """Return a generated district as a problem; see `generate_document`.

    Raises
    ------
    OptionsError
        With every number out of range.
    """
    return parse_problem(format_document(generate_document(institutions, seed=seed, teams=teams, days=days)))


def format_document(document: dict[str, object]) -> str:
    """Return the canonical JSON text: the same document gives the same bytes."""
    return json.dumps(document, sort_keys=True, ensure_ascii=False, separators=(",", ":")) + "\n"


def generate_document(
    institutions: int, *, seed: int, teams: int | None = None, days: int = 28
) -> dict[str, object]:
    """Return a ``gridpatrol-problem/1`` document of a made-up district; the same arguments give the same one.

    Weekday evenings, weekend half-days and one noon (37 slots in 28 days, the first a Monday); 60 % of the
    institutions round schools, 30 % along streets; 25 % evening-only, 20 % weekend-only; 1 to 4 visits each
    with a gap in days; 6 % with one mandatory recheck before a deadline; 5 shifts a team and week. The
    travel is written as points; large districts have a depot to about 1,500 institutions.

    Parameters
    ----------
    institutions : int
        Sites that owe visits, 1 or more.
    seed : int
        Seed of every random choice, 0 or more.
    teams : int or None
        Teams; None for one to 125 institutions, two at least.
    days : int
        Days of the horizon, 7 or more.

    Raises
    ------
    OptionsError
        With every number out of range.
    """
    _check(institutions=institutions, seed=seed, teams=teams, days=days)
    chance = random.Random(seed)  # noqa: S311 - made-up places, no secret.
    teams = teams or max(2, round(institutions / INSTITUTIONS_PER_TEAM))
    slots = _list_slots(days)
    side_m = 1000 * math.sqrt(institutions / DENSITY_KM2)
    points = _scatter(chance, institutions, side_m=side_m)
    stations = _place_stations(institutions, side_m=side_m)
    sites: list[dict[str, object]] = []
    visits: list[dict[str, object]] = []
    for number in range(institutions):
        name = f"I{number:04d}"
        sites.append({"id": name, "location": number + 1, "min_gap_days": chance.choice((5, 7, 10))})
        visits += _owe(chance, name, slots, days)
    depots: list[dict[str, object]] = [{"id": "D1", "location": 0}]
    depots += [
        {"id": f"D{number}", "location": institutions + number - 1} for number in range(2, len(stations) + 1)
    ]
    points = [stations[0], *points, *stations[1:]]
    return {
        "format": PROBLEM_FORMAT,
        "travel_s": {
            "euclidean": {
                "xy_m": [[round(x, 2), round(y, 2)] for x, y in points],
                "speed_m_s": SPEED_M_S,
                "circuity": CIRCUITY,
                "fixed_s": FIXED_S,
            }
        },
        "depots": depots,
        "shifts": _staff(chance, slots, teams, days, depots=len(depots)),
        "sites": sites,
        "visits": visits,
    }


def _check(*, institutions: int, seed: int, teams: int | None, days: int) -> None:
    """Raise every number out of range."""
    ranges = (
        ("institutions", institutions, 1, MOST_INSTITUTIONS),
        ("seed", seed, 0, 2**63 - 1),
        ("teams", 1 if teams is None else teams, 1, 10_000),
        ("days", days, 7, 366),
    )
    faults = [
        Fault(name, "not_between", {"entry": name, "value": value, "least": least, "most": most})
        for name, value, least, most in ranges
        if not least <= value <= most
    ]
    if faults:
        raise OptionsError(faults)


def _list_slots(days: int) -> list[Slot]:
    slots = []
    for day in range(days):
        if day % 7 < 5:
            slots.append(Slot(f"d{day:02d}e", day, "evening", *EVENING))
        else:
            slots.append(Slot(f"d{day:02d}m", day, "weekend", *MORNING))
            slots.append(Slot(f"d{day:02d}a", day, "weekend", *AFTERNOON))
    slots.append(Slot("d02n", 2, "noon", *NOON))
    return slots


def _scatter(chance: random.Random, count: int, *, side_m: float) -> list[tuple[float, float]]:
    """Return points: 60 % round schools, 30 % along streets, the rest anywhere."""
    schools = [(chance.uniform(0, side_m), chance.uniform(0, side_m)) for _ in range(max(3, count // 15))]
    streets = [
        (chance.uniform(0, side_m), chance.uniform(0, side_m), chance.uniform(0, math.pi))
        for _ in range(max(2, count // 30))
    ]
    points = []
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


def _place_stations(institutions: int, *, side_m: float) -> list[tuple[float, float]]:
    """Return where shifts start: the middle, or a lattice of about one to 1,500 institutions."""
    side = max(1, round(math.sqrt(institutions / INSTITUTIONS_PER_DEPOT)))
    step = side_m / side
    return [((column + 0.5) * step, (row + 0.5) * step) for row in range(side) for column in range(side)]


def _owe(chance: random.Random, site: str, slots: list[Slot], days: int) -> list[dict[str, object]]:
    """Return the visits of one site: what it allows, how often, how urgent."""
    kind = chance.random()
    allowed = {"evening"} if kind < 0.25 else {"weekend"} if kind < 0.45 else {"evening", "weekend", "noon"}
    count = chance.choices((1, 2, 3, 4), weights=(60, 24, 10, 6))[0]
    risk = chance.uniform(1, 4)
    service_s = chance.choice((600, 900, 1200, 1500, 1800))
    visits: list[dict[str, object]] = []
    for number in range(count):
        recheck = number == 0 and chance.random() < 0.06
        last = chance.randint(6, min(20, days - 1)) if recheck else days - 1
        visits.append(
            {
                "id": f"{site}-{number + 1}",
                "site": site,
                "service_s": service_s,
                "prize": int((900 if number else 1500) * risk),
                "mandatory": recheck,
                "windows": [
                    {"slot": slot.id, "open_s": slot.start_s, "close_s": slot.end_s - service_s}
                    for slot in slots
                    if slot.sort in allowed and slot.day <= last
                ],
            }
        )
    return visits


def _staff(
    chance: random.Random, slots: list[Slot], teams: int, days: int, *, depots: int
) -> list[dict[str, object]]:
    """Return five shifts a team and week, drawn from the slots; teams take turns at the depots."""
    shifts: list[dict[str, object]] = []
    for team in range(1, teams + 1):
        for week in range(0, days, 7):
            own = [slot for slot in slots if week <= slot.day < week + 7]
            drawn = chance.sample(own, min(5, len(own)))
            shifts += [
                {
                    "id": f"{slot.id}-T{team}",
                    "team": f"T{team}",
                    "slot": slot.id,
                    "day": slot.day,
                    "start_s": slot.start_s,
                    "end_s": slot.end_s,
                    "depot": f"D{(team - 1) % depots + 1}",
                }
                for slot in sorted(drawn, key=lambda slot: (slot.day, slot.start_s))
            ]
    return shifts
