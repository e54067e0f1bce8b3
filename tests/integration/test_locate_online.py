"""`locate --online`: nothing leaves unasked, doubtful addresses only, and surer answers only are taken."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import select

from data.schema import Institution
from data.store import Store
from data.terms import LocationSource
from geo.crs import from_wgs84
from tests.conftest import NOW
from tests.integration.test_cli import Desk
from tests.register import LAT, LON, add_grid, add_institution
from tests.unit.test_online import serving


def answer(lon: float, lat: float, level: str = "门牌号") -> dict[str, object]:
    """Return AMap's answer for a WGS-84 point; the service speaks GCJ-02."""
    x, y = from_wgs84([lon], [lat], "gcj02")
    place = {"location": f"{x[0]:.6f},{y[0]:.6f}", "level": level, "formatted_address": "东大街1号"}
    return {"status": "1", "infocode": "10000", "geocodes": [place]}


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    desk = Desk(tmp_path)
    desk.run("init")
    store = Store(desk.url)
    with store.begin(actor="clerk", now=NOW) as session:
        add_grid(session, "990101001001001", (LON - 0.02, LAT - 0.02, LON + 0.02, LAT + 0.02))
        add_institution(session, 1, at=None, address="东大街1号", name="甲")
        add_institution(session, 2, at=(LON, LAT), address="东大街2号")
    store.close()
    return desk


def first(desk: Desk) -> Institution:
    store = Store(desk.url)
    with store.reading() as session:
        record = session.scalars(select(Institution).where(Institution.name == "甲")).one()
        session.expunge(record)
    store.close()
    return record


def allow(desk: Desk, url: str) -> None:
    desk.environment |= {
        "GRIDPATROL_ONLINE_GEOCODER": "amap",
        "GRIDPATROL_ONLINE_KEY": "k" * 32,
        "GRIDPATROL_ONLINE_ALLOWED": "1",
        "GRIDPATROL_ONLINE_URL": url,
    }


def test_nothing_leaves_without_an_explicit_setting(desk: Desk) -> None:
    with serving(answer(LON, LAT)) as town:
        desk.environment |= {"GRIDPATROL_ONLINE_GEOCODER": "amap", "GRIDPATROL_ONLINE_KEY": "k" * 32}
        desk.environment["GRIDPATROL_ONLINE_URL"] = town.url
        before = desk.changes()
        refused = desk.run("locate", "--online", expect=2)
        assert refused["error"]["code"] == "online_not_allowed" and desk.changes() == before
        assert town.asked == []
        desk.run("locate")
        assert town.asked == []


def test_only_doubtful_addresses_are_asked_and_the_answer_is_converted(desk: Desk) -> None:
    with serving(answer(LON + 0.001, LAT + 0.001)) as town:
        allow(desk, town.url)
        result = desk.run("locate", "--online")
        assert (result["asked_online"], len(town.asked)) == (1, 1)
        assert "甲" not in str(town.asked)
    record = first(desk)
    assert record.lon == pytest.approx(LON + 0.001, abs=1e-5) and record.lat == pytest.approx(
        LAT + 0.001, abs=1e-5
    )
    assert record.location_source is LocationSource.ONLINE and record.grid_code == "990101001001001"


def test_an_answer_in_another_town_is_not_taken(desk: Desk) -> None:
    with serving(answer(LON + 2, LAT)) as town:
        allow(desk, town.url)
        assert desk.run("locate", "--online")["unplaced"] == 1
    assert first(desk).lon is None


def test_a_service_that_is_down_changes_nothing_it_was_asked_for(desk: Desk) -> None:
    with serving((401, {}, {"status": "0", "infocode": "10001"})) as town:
        allow(desk, town.url)
        assert desk.run("locate", "--online", expect=2)["error"]["code"].startswith("online_")
    assert first(desk).lon is None
