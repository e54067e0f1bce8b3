"""The review queue in a real browser: click, save, undo, drag; offline, and hostile names are words."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import select

from data.schema import GazetteerEntry, Institution, LocationDecision
from data.store import Store
from tests import small_district as small
from tests.browser.conftest import (
    PHONE,
    Server,
    Watched,
    build_basemap,
    reading,
    serious_faults,
    serve,
    watch,
)

pytestmark = pytest.mark.browser

PICTURE = "机构 ![x](http://example.org/a.png) <img src=x onerror=window.hacked=1>"
ROW = "[role=radiogroup] label"
# A tile that was given up shows one colour, or none.
PAINTED = """() => [...document.querySelectorAll('canvas.leaflet-tile')].some((tile) => {
  const dots = tile.getContext('2d').getImageData(0, 0, tile.width, tile.height).data, seen = new Set();
  for (let at = 0; at < dots.length; at += 40) seen.add(dots[at] * 65536 + dots[at + 1] * 256 + dots[at + 2]);
  return seen.size > 3;
})"""


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server whose register has known doors, one unplaced place and two doubtful ones."""
    folder = tmp_path_factory.mktemp("review")
    small.build(folder / "gridpatrol.db")
    store = Store(f"sqlite:///{folder / 'gridpatrol.db'}")
    with store.begin(actor="fixture", now=small.NOW) as session:
        for number in range(2, 22, 2):
            at = {"lon": small.WEST + 0.001 * number, "lat": small.SOUTH + 0.005}
            session.add(GazetteerEntry(name="", address=f"东大街{number}号", source_crs="wgs84", **at))
        for key in (1, 4):
            record = session.get_one(Institution, key)
            record.address, record.doubtful, record.match_level = "东大街中段", True, "road"
            record.match_score, record.error_radius_m = 0.28, 500.0
        session.get_one(Institution, 4).name = PICTURE
    store.close()
    build_basemap(folder / "basemap.pmtiles")
    made = serve(folder, today=small.TODAY)
    yield made
    made.stop()


@pytest.fixture(scope="module")
def lead(browser: Any, desk: Server) -> Iterator[Watched]:
    """The page of the team lead that the tests of this module share."""
    yield from reading(browser, desk)


@pytest.fixture
def page(watched: Watched) -> Watched:
    """That page at a desk; it fails on any foreign request, policy report or script error."""
    return watched


def stored(desk: Server, key: int) -> Institution:
    """Return an institution as it is in the register."""
    store = Store(f"sqlite:///{desk.folder / 'gridpatrol.db'}")
    with store.reading() as session:
        found = session.get_one(Institution, key)
    store.close()
    return found


def settled_map(page: Watched) -> Any:
    """Return the map's frame once its borders and schools are drawn and the script rests."""
    page.settle()
    frame = page.map_frame()
    frame.wait_for_function("() => gridmap.state.loaded === 2")
    return frame


def spot(page: Watched, frame: Any, lon: float, lat: float) -> tuple[float, float]:
    """Return where on the screen a point of the map is."""
    at = frame.evaluate("([lat, lon]) => map.latLngToContainerPoint([lat, lon])", [lat, lon])
    box = page.page.locator("iframe[title*=folium]").bounding_box()
    return box["x"] + at["x"], box["y"] + at["y"]


def proposed(page: Watched) -> Any:
    """Return the line that tells of the proposed point, once it is there."""
    line = page.page.locator(".gp-note", has_text="拟定位置")
    line.wait_for()
    return line


def test_a_click_places_what_had_no_place_and_undo_takes_it_back(page: Watched, desk: Server) -> None:
    page.open("/locations")
    frame = settled_map(page)
    assert page.page.locator(ROW).first.inner_text().startswith("机构12")
    page.keep("review-queue")
    page.page.mouse.click(*spot(page, frame, 121.2135, 40.3055))
    told = proposed(page).inner_text()
    assert "东街道 第2网格" in told and "距原位置" not in told
    page.settle()
    page.keep("review-proposed")
    page.page.get_by_role("button", name="保存此点").click()
    page.page.locator(".gp-note", has_text="机构12 · 手工定点 · lead").wait_for()
    assert page.page.locator(ROW, has_text="机构12").count() == 0
    record = stored(desk, 12)
    assert (record.lon, record.lat) == pytest.approx((121.2135, 40.3055), abs=2e-4)
    assert (record.grid_code, record.confirmed_by) == ("990102001001", "lead")
    page.keep("review-saved")
    settled_map(page)
    page.page.get_by_role("button", name="撤销").click()
    page.page.locator(ROW, has_text="机构12").wait_for()
    assert stored(desk, 12).lon is None


def test_a_dragged_pin_moves_the_place(page: Watched, desk: Server) -> None:
    page.open("/locations")
    settled_map(page)
    page.page.locator(ROW, has_text="onerror=window.hacked").last.click()
    page.page.get_by_role("heading", name=PICTURE).wait_for()
    frame = settled_map(page)
    assert frame.locator(".gm-candidate").all_inner_texts() == ["1"]
    frame.wait_for_function(PAINTED)
    before = stored(desk, 4)
    assert before.lon is not None and before.lat is not None
    x, y = spot(page, frame, before.lon, before.lat)
    goal = spot(page, frame, before.lon + 0.002, before.lat - 0.001)
    # The pin stands on its point; it is held by its head.
    page.page.mouse.move(x, y - 20)
    page.page.mouse.down()
    page.page.mouse.move(x + 10, y - 15, steps=3)
    page.page.mouse.move(goal[0], goal[1] - 20, steps=8)
    page.page.mouse.up()
    assert "距原位置 2" in proposed(page).inner_text()
    page.settle()
    page.keep("review-dragged")
    page.page.get_by_role("button", name="保存此点").click()
    page.page.locator(".gp-note", has_text="手工定点 · lead").wait_for()
    after = stored(desk, 4)
    assert (after.lon, after.lat) == pytest.approx((before.lon + 0.002, before.lat - 0.001), abs=2e-4)
    for place in page.page.frames:
        assert place.evaluate("window.hacked === undefined")
    assert page.page.locator("[src*='example.org'], [href*='example.org']").count() == 0
    page.page.get_by_role("button", name="撤销").click()
    page.page.get_by_text("还没有人工核定").wait_for()
    assert stored(desk, 4).lon == before.lon


@pytest.fixture
def hand(browser: Any, desk: Server, lead: Watched) -> Iterator[Watched]:
    """A phone held in the hand on that server, under the same watch."""
    context, made = watch(browser, desk.url, **PHONE, storage_state=lead.page.context.storage_state())
    yield made
    context.close()
    assert made.faults() == ([], [], [], [])


def test_a_pin_dragged_by_a_finger_moves_the_place(hand: Watched, desk: Server) -> None:
    hand.open("/locations")
    settled_map(hand)
    hand.page.locator(ROW, has_text="onerror=window.hacked").last.tap()
    hand.page.get_by_role("heading", name=PICTURE).wait_for()
    frame = settled_map(hand)
    frame.wait_for_function(PAINTED)
    hand.page.locator("iframe[title*=folium]").scroll_into_view_if_needed()
    hand.page.wait_for_timeout(500)
    before = stored(desk, 4)
    assert before.lon is not None and before.lat is not None
    x, y = spot(hand, frame, before.lon, before.lat)
    goal = spot(hand, frame, before.lon + 0.002, before.lat - 0.001)
    finger = hand.page.context.new_cdp_session(hand.page)
    path = [(x + (goal[0] - x) * step / 10, y - 20 + (goal[1] - y) * step / 10) for step in range(11)]
    for number, (left, top) in enumerate(path):
        kind = "touchMove" if number else "touchStart"
        finger.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": [{"x": left, "y": top}]})
        hand.page.wait_for_timeout(30)
    finger.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    assert "距原位置 2" in proposed(hand).inner_text()
    hand.settle()
    hand.keep("review-dragged-390")
    hand.page.get_by_role("button", name="保存此点").tap()
    hand.page.locator(".gp-note", has_text="手工定点 · lead").wait_for()
    after = stored(desk, 4)
    assert (after.lon, after.lat) == pytest.approx((before.lon + 0.002, before.lat - 0.001), abs=2e-4)
    hand.page.get_by_role("button", name="撤销").tap()
    hand.page.get_by_text("还没有人工核定").wait_for()
    assert stored(desk, 4).lon == before.lon


def test_the_page_is_accessible_fits_and_its_legend_names_every_mark(page: Watched) -> None:
    """On a phone, and made wider, on a tablet and at a desk."""
    page.page.set_viewport_size({"width": 390, "height": 844})
    page.open("/locations")
    frame = settled_map(page)
    for width in (390, 1024, 1440):
        page.widen(width)
        page.keep(f"review-{width}")
        assert page.excess() <= 0
        assert serious_faults(page.page, frame) == []
        assert "学校" in frame.locator(".gm-legend").inner_text()


def test_a_point_in_no_grid_and_one_far_away_are_told_apart(page: Watched, desk: Server) -> None:
    page.open("/locations")
    frame = settled_map(page)
    frame.evaluate("map.fire('click', {latlng: L.latLng(40.4, 121.3)})")
    assert "不在任何网格内" in proposed(page).inner_text()
    frame.evaluate("map.fire('click', {latlng: L.latLng(39.9, 116.4)})")
    page.page.get_by_text("不在本区范围内").wait_for()
    page.settle()
    assert page.page.get_by_role("button", name="保存此点").is_disabled()
    store = Store(f"sqlite:///{desk.folder / 'gridpatrol.db'}")
    with store.reading() as session:
        assert (
            session.scalars(select(LocationDecision).where(LocationDecision.undone_at.is_(None))).all() == []
        )
    store.close()
