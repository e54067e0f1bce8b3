"""Shared addresses and the grid layer in a real browser: both pages draw, and deciding closes a case."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from data.store import Store
from planner.patrolareas import make_areas
from tests import neighbours
from tests import small_district as small
from tests.browser.conftest import Server, Watched, chromium, reading, serious_faults, start

pytestmark = pytest.mark.browser

PINS = "() => [...document.querySelectorAll('.gm-stop')].map((pin) => pin.textContent)"


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server whose district has a shared room, a mall, a grid with a hole and two patrol areas."""
    chromium()
    folder: Path = tmp_path_factory.mktemp("grids")
    made = start(folder)
    store = Store(f"sqlite:///{folder / 'gridpatrol.db'}")
    with store.begin(actor="test", now=small.NOW) as session:
        neighbours.share_addresses(session)
        make_areas(session, count=2, seed=1, today=small.TODAY, now=small.NOW)
        neighbours.break_grids(session)
    store.close()
    yield made
    made.stop()


@pytest.fixture(scope="module")
def lead(browser: Any, own: Server) -> Iterator[Watched]:
    """The page of the team lead that the tests of this module share."""
    yield from reading(browser, own)


def drawn(watched: Watched, path: str) -> Any:
    """Open a page and return its map once the layer is on it."""
    watched.open(path)
    frame = watched.map_frame()
    frame.wait_for_function("() => gridmap.state.loaded === 1 && gridmap.state.failed === 0")
    return frame


def test_the_map_of_an_issue_is_closer(watched: Watched) -> None:
    frame = drawn(watched, "/grids")
    assert "1" in frame.evaluate(PINS)
    whole = frame.evaluate("() => window.map.getZoom()")
    frame = drawn(watched, "/grids?issue=0")
    assert frame.evaluate("() => window.map.getZoom()") > whole + 1


def test_a_pin_tells_and_deciding_closes_a_case(watched: Watched) -> None:
    page = watched.page
    frame = drawn(watched, "/colocation")
    assert frame.evaluate(PINS) == ["1"]
    frame.locator(".gm-stop").click()
    card = frame.locator(".leaflet-popup .gm-card")
    card.wait_for()
    assert small.HOSTILE in card.inner_text() and neighbours.PHONE not in card.inner_text()
    assert small.HOSTILE in page.locator(".gp-rows").inner_text()
    _choose(page, "查看一处")
    page.get_by_text("同一举办者").click()
    page.get_by_role("textbox", name="情况说明").fill("两块牌子，同一拨人")
    page.get_by_role("button", name="保存认定").click()
    page.get_by_text("已记录：同一举办者。").wait_for()
    page.get_by_text("没有符合条件的同址机构").wait_for()
    watched.settle()
    watched.open("/colocation?state=settled")
    assert "两块牌子，同一拨人" in page.locator(".gp-rows").inner_text()
    for place in (watched.map_frame(), page.main_frame):
        assert place.evaluate("window.hacked === undefined")


@pytest.mark.parametrize(
    ("path", "tables"), [("/colocation?state=all", 0), ("/grids", 2), ("/grids?show=areas", 1)]
)
def test_the_pages_are_accessible_fit_and_their_tables_end_with_their_rows(
    watched: Watched, path: str, tables: int
) -> None:
    """At a phone's width and, made wider, at a desk's."""
    watched.page.set_viewport_size({"width": 390, "height": 900})
    frame = drawn(watched, path)
    watched.settle()
    assert watched.excess() <= 0
    if "areas" in path:
        assert frame.evaluate(PINS) == ["1", "2"]
        assert watched.page.get_by_text("不是官方网格").first.is_visible()
    for width in (390, 1440):
        watched.widen(width)
        assert serious_faults(watched.page, frame) == []
        ended = 0
        for table in watched.page.locator("[data-testid=stDataFrame]").all():
            # A table in a folded part has not drawn its rows.
            if rows := table.locator("table tbody tr").count():
                assert table.bounding_box()["height"] <= 35 * (rows + 1) + 4
                ended += 1
        assert ended == tables


def _choose(page: Any, name: str) -> None:
    """Choose the second entry of a list, the first case after the choice of all."""
    box = page.get_by_role("combobox", name=name)
    box.click()
    page.get_by_role("option").nth(1).click()
    page.get_by_role("heading", name="东大街5号").wait_for()
