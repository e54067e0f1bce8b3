"""The pages in a real browser: offline maps, the walk of a team lead, hostile names, phone and offline."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests import small_district as small
from tests.browser.conftest import DESK, PHONE, Server, Watched, serious_faults, start, watch

pytestmark = pytest.mark.browser

PAGES = {
    "/": "概览",
    "/roster": "排班与路线",
    "/route": "我的路线",
    "/coverage": "网格覆盖",
    "/hotspots": "学校周边",
}


def test_the_watch_keeps_what_asks_for_elsewhere_and_it_goes_nowhere(browser: Any, server: Server) -> None:
    """The other tests rest on it: a name and a bare address are both kept, and neither leaves the machine."""
    context, watched = watch(browser, server.url)
    failures: list[str] = []
    context.on("requestfailed", lambda request: failures.append(request.failure))
    places = ["http://example.org/a.png", "http://192.0.2.1/b.png", "https://127.0.0.2/c.png"]
    asked = "place => fetch(place, {mode: 'no-cors'}).then(() => 'reached', () => 'not reached')"
    assert [watched.page.evaluate(asked, place) for place in places] == ["not reached"] * 3
    context.close()
    assert watched.foreign == places
    assert failures == ["net::ERR_NAME_NOT_RESOLVED"] * 3


@pytest.mark.parametrize("path", PAGES)
def test_every_page_draws_its_map_without_leaving_the_machine(watched: Watched, path: str) -> None:
    watched.open(path)
    assert watched.page.locator(".gp-title").inner_text() == PAGES[path]
    frame = watched.map_frame()
    frame.wait_for_function("() => gridmap.state.loaded >= 1")
    assert frame.evaluate("gridmap.state.failed") == 0
    assert frame.evaluate("document.querySelectorAll('.leaflet-tile-loaded, .leaflet-tile').length") > 0
    assert watched.page.get_attribute("html", "lang") == "zh-CN"


def test_points_are_drawn_and_panning_does_not_run_the_page_again(watched: Watched) -> None:
    sent: list[int] = []
    sockets: list[int] = []

    def listen(socket: Any) -> None:
        sockets.append(1)
        socket.on("framesent", lambda payload: sent.append(1))

    watched.page.on("websocket", listen)
    watched.open("/coverage")
    frame = watched.map_frame()
    frame.wait_for_function("() => gridmap.state.loaded === 2")
    counts = frame.evaluate(
        "() => { const n = {points: 0, areas: 0}; window.map.eachLayer((l) => {"
        " if (l.options.shape) n.points += 1; else if (l instanceof L.Polygon) n.areas += 1; }); return n; }"
    )
    assert counts == {"points": 11, "areas": 6}
    watched.page.wait_for_timeout(1500)
    before = len(sent)
    assert sockets and before
    for step in range(5):
        frame.evaluate(f"window.map.panBy([{20 + step}, 10], {{animate: false}})")
        watched.page.wait_for_timeout(150)
    assert len(sent) == before
    watched.page.remove_listener("websocket", listen)


def test_a_hostile_name_is_text_and_runs_nothing(watched: Watched) -> None:
    watched.open("/route")
    frame = watched.map_frame()
    frame.wait_for_function("() => gridmap.state.loaded === 1")
    frame.locator(".gm-stop", has_text="1").first.click()
    card = frame.locator(".leaflet-popup .gm-card strong")
    card.wait_for()
    assert card.inner_text() == small.HOSTILE
    for place in (frame, watched.page.main_frame):
        assert place.evaluate("window.hacked === undefined")


def test_the_walk_of_a_team_lead(browser: Any, tmp_path: Path) -> None:
    """Log in, generate in the background, look at the routes, publish, see coverage and the phone page.

    At its end the server stops, and the phone still opens the day it has seen. Pictures of each step are
    kept in GRIDPATROL_SCREENSHOTS (var/screenshots by default).
    """
    made = start(tmp_path)
    context, watched = watch(browser, made.url, viewport={"width": 1440, "height": 900})
    page = watched.page
    try:
        watched.log_in(then="/roster")
        watched.drawn()
        seen = _phone_with_the_day(browser, made, context.storage_state())
        watched.keep("roster-before")
        page.get_by_text("生成新方案").click()
        page.get_by_role("button", name="生成方案").click()
        page.get_by_text("正在生成方案").wait_for()
        watched.keep("roster-generating")
        publish = page.get_by_role("button", name="发布", exact=True)
        publish.wait_for(timeout=120_000)
        watched.settle()
        frame = watched.map_frame()
        frame.wait_for_function("() => document.querySelectorAll('.gm-stop').length > 0")
        assert "草案" in page.get_by_role("combobox", name="方案").input_value()
        drawn_lines = page.locator("img.gp-picture")
        drawn_lines.scroll_into_view_if_needed()
        assert drawn_lines.evaluate("image => image.complete && image.naturalWidth > 0")
        assert drawn_lines.bounding_box()["height"] > 40
        watched.keep("roster-draft")
        publish.click()
        page.get_by_text("已发布，不可修改").wait_for()
        watched.keep("roster-published")
        _change_and_publish(watched)
        watched.open("/coverage")
        watched.map_frame().wait_for_function("() => gridmap.state.loaded === 2")
        watched.keep("coverage")
        page.goto(f"{made.url}/m/today")
        drawn = page.request.get(f"{made.url}/api/my/routes.geojson").json()["features"]
        stops = [f for f in drawn if f["geometry"]["type"] == "Point" and not f["properties"].get("depot")]
        assert page.locator("li.stop").count() == len(stops)
        assert page.get_by_role("heading", name="今日巡查").count() == 1
        watched.keep("phone-today")
        stops_seen = seen.page.locator("li.stop").count()
        made.stop()
        seen.page.reload()
        assert seen.page.locator("li.stop").count() == stops_seen > 0
        seen.page.context.close()
    finally:
        context.close()
        made.stop()
    assert seen.foreign == []
    assert (watched.foreign, watched.reports, watched.errors) == ([], [], [])


def _phone_with_the_day(browser: Any, made: Server, cookies: Any) -> Watched:
    """Return a phone that has opened its day and kept it for when the server is out of reach."""
    _, phone = watch(browser, made.url, **PHONE, storage_state=cookies)
    phone.page.goto(f"{made.url}/m/today")
    phone.page.evaluate("navigator.serviceWorker.ready.then(() => 1)")
    phone.page.reload()
    return phone


def _choose_first(page: Any, name: str) -> None:
    """Choose the first entry of a list; one opened while its form still unfolds is shut again at once."""
    box = page.get_by_role("combobox", name=name)
    for _ in range(10):
        box.press("ArrowDown")
        page.wait_for_timeout(300)
        if page.get_by_role("option").count():
            box.press("Enter")
        if box.input_value():
            return
    pytest.fail(f"the list {name} does not open")


def _change_and_publish(watched: Watched) -> None:
    """Somebody is absent: ask for the change, see what it did, publish the new draft."""
    page = watched.page
    watched.settle()
    watched.map_frame()
    page.get_by_text("临时调整：").click()
    _choose_first(page, "谁不能出勤")
    page.get_by_role("combobox", name="哪一天", disabled=False).wait_for()
    watched.settle()
    page.get_by_role("button", name="计算调整").click()
    page.get_by_text("本次调整改了什么").wait_for(timeout=60_000)
    watched.settle()
    assert page.locator(".gp-rows").first.is_visible()
    watched.keep("roster-changed")
    page.set_viewport_size({"width": 390, "height": 844})
    page.wait_for_timeout(500)
    watched.keep("roster-changed-phone")
    assert watched.excess() <= 0
    page.set_viewport_size(DESK)
    page.get_by_role("button", name="发布", exact=True).click()
    page.get_by_text("已发布，不可修改").wait_for()


def test_the_language_switch_holds_on_the_next_page(stranger: Watched) -> None:
    stranger.log_in()
    stranger.page.get_by_role("link", name="English").click()
    stranger.page.get_by_role("heading", name="Overview").wait_for()
    stranger.open("/coverage")
    assert stranger.page.locator(".gp-title").inner_text() == "Grid coverage"
    assert stranger.page.get_attribute("html", "lang") == "en"


def test_logging_out_closes_the_door(stranger: Watched) -> None:
    stranger.log_in()
    stranger.drawn()
    stranger.page.get_by_role("button", name="退出登录").click()
    stranger.page.wait_for_url("**/login")
    stranger.page.goto(f"{stranger.url}/coverage")
    assert "/login" in stranger.page.url


@pytest.mark.parametrize("path", ["/coverage", "/roster"])
def test_narrow_pages_do_not_scroll_sideways(watched: Watched, path: str) -> None:
    watched.page.set_viewport_size({"width": 390, "height": 844})
    watched.open(path)
    watched.map_frame()
    assert watched.excess() <= 0
    watched.widen(1024)
    assert watched.excess() <= 0


def test_the_log_in_page_is_accessible(phone: Watched) -> None:
    phone.page.goto(f"{phone.url}/login")
    assert serious_faults(phone.page) == []


def test_the_phone_page_is_light_fits_the_thumb_and_is_accessible(phone: Watched) -> None:
    documents: dict[str, str] = {}
    sizes: dict[str, int] = {}
    session = phone.page.context.new_cdp_session(phone.page)
    session.send("Network.enable")
    session.on(
        "Network.requestWillBeSent",
        lambda event: documents.__setitem__(event["requestId"], event["documentURL"]),
    )
    session.on(
        "Network.loadingFinished",
        lambda event: sizes.__setitem__(event["requestId"], int(event["encodedDataLength"])),
    )
    session.send("Network.setCacheDisabled", {"cacheDisabled": True})
    phone.log_in(then="/m/today")
    phone.page.wait_for_load_state("networkidle")
    assert phone.page.locator("li.stop").count() > 0
    # Only what this page asked for counts, not the log-in.
    ours = [size for request, size in sizes.items() if documents.get(request, "").endswith("/m/today")]
    assert 0 < sum(ours) <= 200_000
    heights = phone.page.evaluate(
        "() => [...document.querySelectorAll('a, button, summary')].map((n) => n.offsetHeight)"
        ".filter(Boolean)"
    )
    assert min(heights) >= 44
    assert phone.page.evaluate("document.documentElement.scrollWidth") <= 390
    link = phone.page.locator("a.go").first.get_attribute("href")
    assert link is not None and link.startswith("https://uri.amap.com/marker?position=121.2")
    assert serious_faults(phone.page) == []
