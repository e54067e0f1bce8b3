"""Road data in the register: what is in force, what a plan was made on, and routes that follow it."""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from http.server import ThreadingHTTPServer
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pytest
from shapely.geometry import LineString, box
from sqlalchemy import func, select

from dashboard.wording import travel_line
from data.schema import GridArea, Institution, PlanShift, RoadGraph, RoadLayer
from data.store import Store
from geo.crs import from_wgs84
from geo.errors import DatumError, RoadError, TravelError
from geo.network.layer import current_roads, drop_roads, find_travel, import_roads, load_roads, name_server
from geo.network.routeserver import ServerTravel
from geo.network.travel import RoadTravel
from geo.travel import StraightLine, straight_line
from planner.draft import make_plan
from planner.itinerary import read_plan
from planner.legs import INSIDE_S, STOP_OVERHEAD_S, read_legs
from planner.newcomer import stored_legs
from planner.options import PlanOptions
from planner.publish import check, publish
from planner.revise import Event, revise
from planner.stored import load_plan
from tests.conftest import NOW, TODAY
from tests.register import LAT, LON, add_district, add_institution
from tests.unit.test_routeserver import StandIn

STEP = 0.004
DAY = PlanOptions(first=TODAY, last=TODAY + dt.timedelta(days=6), teams=2, iterations=300, seed=4)


def write_roads(path: Path, *, gap: bool = False, west: float = LON - 2 * STEP) -> Path:
    """Write a checkered road layer, on request with a canal that only one bridge crosses."""
    lines = []
    for row in range(9):
        for column in range(8):
            ends = [
                (west + column * STEP, LAT + (row - 3) * STEP),
                (west + (column + 1) * STEP, LAT + (row - 3) * STEP),
            ]
            if not (gap and column == 2 and row != 8):
                lines.append(LineString(ends))
    for column in range(9):
        for row in range(8):
            x = west + column * STEP
            lines.append(LineString([(x, LAT + (row - 3) * STEP), (x, LAT + (row - 2) * STEP)]))
    frame = gpd.GeoDataFrame({"highway": ["residential"] * len(lines)}, geometry=lines, crs=4326)
    frame.to_file(path, driver="GPKG")
    return path


def bring(store: Store, path: Path, **options: object) -> str:
    with store.begin(actor="clerk", now=NOW) as session:
        return import_roads(session, path, source_crs="wgs84", now=NOW, **options).sha256  # type: ignore[arg-type]


def test_a_road_file_is_in_force_until_another_and_the_old_one_is_kept(store: Store, tmp_path: Path) -> None:
    first = bring(store, write_roads(tmp_path / "a.gpkg"), attribution="© somebody")
    second = bring(store, write_roads(tmp_path / "b.gpkg", gap=True), name="新路网")
    with store.reading() as session:
        record = current_roads(session)
        assert record is not None and (record.name, record.sha256) == ("新路网", second)
        assert session.scalar(select(func.count()).select_from(RoadGraph)) == 6
        model, sha256 = find_travel(session, "ebike", fixed_s=0)
        old, _ = find_travel(session, "ebike", fixed_s=0, sha256=first)
        assert isinstance(model, RoadTravel) and isinstance(old, RoadTravel) and sha256 == second
        ends = ([LON - 0.1 * STEP, LON + 1.1 * STEP], [LAT, LAT])
        # The canal makes a way round of what was a straight street.
        assert model.matrix_s(*ends)[0, 1] > 3 * old.matrix_s(*ends)[0, 1]
    with store.begin(actor="clerk", now=NOW) as session:
        drop_roads(session)
    with store.reading() as session:
        straight, sha256 = find_travel(session, "walk", fixed_s=5.0)
        assert isinstance(straight, StraightLine) and sha256 is None and load_roads(session, "walk") is None
        with pytest.raises(RoadError):
            find_travel(session, "walk", fixed_s=0, sha256="0" * 64)


def test_roads_of_another_district_are_a_question(store: Store, tmp_path: Path) -> None:
    area = box(LON - STEP, LAT - STEP, LON + STEP, LAT + STEP)
    with store.begin(actor="clerk", now=NOW) as session:
        west, south, east, north = area.bounds
        session.add(
            GridArea(code="990101001001001", geometry=area, minx=west, miny=south, maxx=east, maxy=north)
        )
    path = write_roads(tmp_path / "far.gpkg", west=LON + 3)
    with pytest.raises(DatumError):
        bring(store, path)
    with store.reading() as session:
        assert session.scalar(select(func.count()).select_from(RoadLayer)) == 0
    assert bring(store, path, confirmed=True)


@pytest.mark.parametrize("truth", ["gcj02", "bd09"])
def test_roads_that_another_datum_brings_to_the_doors_are_a_question(
    store: Store, tmp_path: Path, truth: str
) -> None:
    roads = gpd.read_file(write_roads(tmp_path / "right.gpkg"))
    random = np.random.default_rng(2)
    spots = roads.geometry.iloc[random.integers(0, len(roads), 60)].interpolate(
        random.uniform(size=60), normalized=True
    )
    with store.begin(actor="clerk", now=NOW) as session:
        for number, spot in enumerate(spots):
            add_institution(session, number, at=tuple(np.array([spot.x, spot.y]) + random.normal(0, 2e-4, 2)))
    shifted = roads.geometry.transform(lambda xy: np.column_stack(from_wgs84(xy[:, 0], xy[:, 1], truth)))
    roads.set_geometry(shifted).to_file(tmp_path / "shifted.gpkg")
    with pytest.raises(DatumError) as caught:
        bring(store, tmp_path / "shifted.gpkg")
    fields = caught.value.fields
    assert (caught.value.code, fields["truth"], fields["evidence"]) == ("datum_slip", truth, "nearness")
    confirmed = bring(store, tmp_path / "shifted.gpkg", confirmed=True)
    with store.begin(actor="clerk", now=NOW) as session:
        path = tmp_path / "shifted.gpkg"
        read_right = import_roads(session, path, source_crs=truth, now=NOW).sha256
    # A plan made on the misread roads is never repaired on the right ones without a word.
    assert read_right != confirmed
    assert bring(store, tmp_path / "right.gpkg")


def test_a_route_server_can_stand_in_and_nonsense_is_refused(store: Store) -> None:
    with store.begin(actor="clerk", now=NOW) as session:
        name_server(session, kind="osrm", url="http://10.0.0.5:5000", now=NOW)
        model, _ = find_travel(session, "car", fixed_s=0)
        assert isinstance(model, ServerTravel) and "10.0.0.5" not in model.description
    for kind, url, error in (("graphhopper", "http://x", RoadError), ("osrm", "ftp://x", TravelError)):
        with pytest.raises(error), store.begin(actor="clerk", now=NOW) as session:
            name_server(session, kind=kind, url=url, now=NOW)
    with store.reading() as session:
        assert session.scalar(select(func.count()).select_from(RoadLayer)) == 1


def district(store: Store) -> None:
    with store.begin(actor="clerk", now=NOW) as session:
        add_district(session)
        for number in range(8):
            add_institution(
                session,
                number,
                at=(LON - STEP + 0.0005 * number, LAT - STEP + 0.0011 * number),
                # The last three share a building.
                address=f"东大街{number}号" if number < 5 else f"东大街5号{number}01室",
            )


def test_a_plan_on_roads_keeps_the_way_of_each_shift_and_is_repaired_on_the_same_roads(
    store: Store, tmp_path: Path
) -> None:
    sha256 = bring(store, write_roads(tmp_path / "a.gpkg"), name="示范路网")
    district(store)
    code = make_plan(store, options=DAY, actor="lead", now=NOW, today=TODAY).code
    with store.reading() as session:
        view = read_plan(session, code)
        assert view.head.summary["legs"] == {"kind": "roads", "name": "示范路网", "circuity": 1.5, "apart": 0}
        for shift in view.shifts:
            assert shift.track is not None
            # Every vertex of the way lies on a road of the lattice, but for the steps to the doors.
            xy = np.array(shift.track.coords)
            on_lattice = np.minimum(
                np.abs((xy[:, 0] - LON) / STEP - np.rint((xy[:, 0] - LON) / STEP)),
                np.abs((xy[:, 1] - LAT) / STEP - np.rint((xy[:, 1] - LAT) / STEP)),
            )
            assert (on_lattice < 0.02).mean() > 0.5
        assert check(session, code).holds
    bring(store, write_roads(tmp_path / "b.gpkg", gap=True))
    with store.begin(actor="lead", now=NOW) as session:
        publish(session, code, actor="lead", now=NOW, today=TODAY, confirm_provisional=True)
        victim = view.shifts[0].stops[0]
    dropped = revise(store, code, Event(drop=(f"I{victim.institution_id}",)), actor="lead", now=NOW)
    with store.reading() as session:
        after = read_plan(session, dropped.code)
        kept = {s.code: s.track for s in view.shifts}
        same = [s for s in after.shifts if s.code != view.shifts[0].code]
        assert all(s.track is not None and s.track.equals(kept[s.code]) for s in same)
        document = session.scalars(select(PlanShift.track)).all()
        assert len(document) >= len(view.shifts) and sha256


def test_licences_of_one_building_are_one_call_and_a_walk_along_the_corridor(store: Store) -> None:
    district(store)
    with store.reading() as session:
        legs = read_legs(session, "ebike", (LON, LAT))
        assert legs.facts()["kind"] == "straight_line"
        seconds = legs.matrix_s([(LON, LAT), (LON, LAT + 1e-4), (LON + 0.01, LAT)], ["a", "a", None])
        assert seconds[1, 2] == seconds[2, 1] == INSIDE_S and seconds[1, 3] > 120
        shared = session.scalars(select(Institution.id).where(Institution.address.like("%5号%"))).all()
    code = make_plan(store, options=DAY, actor="lead", now=NOW, today=TODAY).code
    with store.reading() as session:
        for shift in read_plan(session, code).shifts:
            calls = [stop.call for stop in shift.stops]
            assert calls == sorted(calls) and set(calls) == set(range(1, max(calls) + 1))
            together = [stop.call for stop in shift.stops if stop.institution_id in shared]
            assert len(set(together)) <= 1 or together == sorted(together)


def test_the_same_file_is_built_once_and_a_changed_table_is_other_data(store: Store, tmp_path: Path) -> None:
    path = write_roads(tmp_path / "a.gpkg")
    shape = tmp_path / "b.shp"
    gpd.read_file(path).to_file(shape)
    first, other = bring(store, path), bring(store, shape)
    assert bring(store, path, name="再次导入") == first != other
    with store.reading() as session:
        record = current_roads(session)
        assert record is not None and (record.sha256, record.name) == (first, "再次导入")
        assert session.scalar(select(func.count()).select_from(RoadLayer)) == 2
    table = shape.with_suffix(".dbf")
    table.write_bytes(table.read_bytes().replace(b"residential", b"tertiary   "))
    assert bring(store, shape) not in (first, other)


@contextmanager
def serving() -> Iterator[str]:
    """Run the stand-in of an OSRM server and yield its address."""
    server: Any = ThreadingHTTPServer(("127.0.0.1", 0), StandIn)
    server.asked, server.planned, server.sizes = [], [], []
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def test_a_place_new_to_a_plan_is_reckoned_straight_where_the_route_server_is_silent(store: Store) -> None:
    district(store)
    with serving() as url:
        with store.begin(actor="clerk", now=NOW) as session:
            name_server(session, kind="osrm", url=url, now=NOW)
        on_foot = replace(DAY, travel="walk")
        code = make_plan(store, options=on_foot, actor="lead", now=NOW, today=TODAY).code
        with store.begin(actor="clerk", now=NOW) as session:
            first = f"I{add_institution(session, 50, at=(LON + 0.002, LAT), address='新街50号')}"
        answered = revise(store, code, Event(add=(first,)), actor="lead", now=NOW)
        assert answered.straight == ()
    added = revise(store, code, Event(add=(first,)), actor="lead", now=NOW)
    assert added.straight == (first,)
    with store.reading() as session:
        before, after = load_plan(session, code), load_plan(session, added.code)
        view = read_plan(session, added.code)
        point = (LON + 0.002, LAT)
        legs = stored_legs(session, before)
        straight = straight_line("walk", fixed_s=STOP_OVERHEAD_S)
        assert check(session, added.code).holds
    old, longer = before.problem.travel_s, after.problem.travel_s
    count = len(old)
    assert (longer[:count, :count] == old).all()
    depot = np.array([legs.depot, point]).T
    assert longer[0, count] == straight.matrix_s(*depot)[0, 1]
    assert after.body["change"] == {"add": [first], "straight": [first]}
    assert view.head.summary["legs"]["unanswered"] == 1
    assert "新增 1 家的路程，按直线乘 1.5" in travel_line(view.head.summary, "zh")
    assert "1 new places, by straight line x 1.5" in travel_line(view.head.summary, "en")
    changed = [shift for shift in view.shifts if any(f"I{s.institution_id}" == first for s in shift.stops)]
    assert changed and all(shift.track is None for shift in changed)


def test_a_silent_route_server_does_not_stop_a_repair(store: Store) -> None:
    district(store)
    with serving() as url:
        with store.begin(actor="clerk", now=NOW) as session:
            name_server(session, kind="osrm", url=url, now=NOW)
        on_foot = replace(DAY, travel="walk")
        code = make_plan(store, options=on_foot, actor="lead", now=NOW, today=TODAY).code
    with store.reading() as session:
        view = read_plan(session, code)
        assert all(shift.track is not None for shift in view.shifts)
        site = f"I{view.shifts[0].stops[0].institution_id}"
    dropped = revise(store, code, Event(drop=(site,)), actor="lead", now=NOW)
    with store.reading() as session:
        after = {shift.code: shift for shift in read_plan(session, dropped.code).shifts}
    changed = view.shifts[0].code
    assert changed not in after or after[changed].track is None
    assert any(shift.track is not None for shift in after.values())
