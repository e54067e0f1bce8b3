"""Three streets with known doors and two grid areas, for tests of locating and of correcting."""

from __future__ import annotations

from sqlalchemy.orm import Session

from data.schema import GazetteerEntry
from tests.register import add_grid

WEST, SOUTH, STEP = 121.19, 40.30, 0.001
ROADS = ("红旗路", "兴业路", "柏灵寺路")
GRIDS = {"W": (121.185, 40.295, 121.2, 40.312), "E": (121.2, 40.295, 121.22, 40.312)}


def door(road: int, number: int) -> tuple[float, float]:
    """Return where a door is: even numbers, 100 m from one to the next."""
    return WEST + STEP * number / 2, SOUTH + 0.003 * road


def add_streets(session: Session) -> None:
    """Add two grid areas and twenty doors on each of three streets."""
    for code, box in GRIDS.items():
        add_grid(session, code, box)
    for road, name in enumerate(ROADS):
        for number in range(2, 41, 2):
            lon, lat = door(road, number)
            session.add(
                GazetteerEntry(name="", address=f"{name}{number}号", lon=lon, lat=lat, source_crs="wgs84")
            )
    session.flush()
