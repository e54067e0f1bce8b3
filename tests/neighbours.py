"""What the small district lacks: a shared room with a hostile name, a mall, and a grid layer with faults."""

from __future__ import annotations

import datetime as dt

from shapely.affinity import scale
from sqlalchemy.orm import Session

from data.schema import GridArea, Institution
from tests import small_district as small

ROOM, MALL = "东大街5号305室", "西大街8号云锦广场"
PHONE, PERSON = "024-12345678", "钱守仁"


def share_addresses(session: Session) -> None:
    """Put institutions 1 and 2 into one room under one phone and person, 4 and 5 into rooms of a mall."""
    at = session.get_one(Institution, 1)
    for key in (1, 2):
        record = session.get_one(Institution, key)
        record.address, record.contact_phone, record.contact_name = ROOM, PHONE, PERSON
        record.lon, record.lat = at.lon, at.lat
    for key, room in ((4, "201室"), (5, "302室")):
        record = session.get_one(Institution, key)
        record.address, record.lon, record.lat = MALL + room, small.WEST + 0.015, small.SOUTH + 0.005
    session.flush()


def break_grids(session: Session) -> None:
    """Cut a hole into a grid area, give another an end that is past and an earlier version."""
    holed, other = session.get_one(GridArea, 2), session.get_one(GridArea, 3)
    holed.geometry = holed.geometry.difference(scale(holed.geometry, 0.2, 0.2))
    other.expires_on = small.TODAY - dt.timedelta(days=30)
    session.add(
        GridArea(
            code=other.code,
            name=small.HOSTILE,
            subdistrict=other.subdistrict,
            valid_from=dt.date(2024, 1, 1),
            valid_to=dt.date(2025, 7, 1),
            geometry=other.geometry,
            minx=other.minx,
            miny=other.miny,
            maxx=other.maxx,
            maxy=other.maxy,
        )
    )
    session.get_one(Institution, 9).grid_code = None
    session.flush()
