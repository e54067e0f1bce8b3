"""In a real browser: an ended session closes its page, names stay words, nothing inline runs."""

from __future__ import annotations

import time
from typing import Any

import pytest
from sqlalchemy import select

from data.access import credentials
from data.accounts import create_user
from data.schema import GridArea, Institution, User
from data.store import Store
from data.terms import Role
from tests import small_district as small
from tests.browser.conftest import Server, Watched

pytestmark = pytest.mark.browser
CLOSED_WITHIN_S = 8.0  # 5 s for the socket, and the way to the log-in page
HOSTILE = "{{7*7}}{% x %}<img src=x onerror=window.hit=1></script><script>window.hit=1</script>`${1}`"


def register(server: Server) -> Store:
    """Return the running server's register."""
    return Store(f"sqlite:///{server.folder / 'gridpatrol.db'}")


def test_stopping_an_account_closes_its_open_page(stranger: Watched, server: Server) -> None:
    """The page goes to the log-in form by itself, and its socket is gone."""
    store = register(server)
    with store.begin(actor="test", now=small.NOW) as session:
        create_user(
            session,
            username="leaver",
            display_name="离岗组长",
            role=Role.TEAM_LEAD,
            password_hash=small.hashed(),
            must_change_password=False,
        )
    stranger.log_in("leaver", then="/roster")
    stranger.drawn()
    with store.begin(actor="test", now=small.NOW) as session:
        credentials.set_active(session, username="leaver", active=False)
    begun = time.monotonic()
    stranger.page.wait_for_url(lambda url: "/login" in url, timeout=CLOSED_WITHIN_S * 1000)
    assert time.monotonic() - begun < CLOSED_WITHIN_S
    assert "next=%2Froster" in stranger.page.url
    store.close()


def test_names_that_are_programs_are_words_on_a_map(watched: Watched, server: Server) -> None:
    """A subdistrict and an institution with template marks and markup: the map draws, nothing runs."""
    store = register(server)
    with store.begin(actor="test", now=small.NOW) as session:
        grid, place = session.get_one(GridArea, 1), session.get_one(Institution, 1)
        before = (grid.subdistrict, place.name)
        grid.subdistrict, place.name = HOSTILE[:60], HOSTILE
    try:
        watched.open("/")
        frame = watched.map_frame()
        assert frame.evaluate("() => gridmap.state.failed") == 0
        assert HOSTILE[:20] in (frame.text_content("body") or "")
        for place_of in (watched.page, frame):
            assert place_of.evaluate("() => window.hit") is None
    finally:
        with store.begin(actor="test", now=small.NOW) as session:
            grid, place = session.get_one(GridArea, 1), session.get_one(Institution, 1)
            grid.subdistrict, place.name = before
        store.close()


def test_no_inline_script_runs_on_a_page(browser: Any, lead: Watched) -> None:
    """The framework's pages too allow files of ours alone; the policy itself is tested, so unwatched."""
    context = browser.new_context(locale="zh-CN", storage_state=lead.page.context.storage_state())
    page = context.new_page()
    page.goto(f"{lead.url}/")
    page.wait_for_selector(".gp-title")
    page.evaluate(
        "() => { const s = document.createElement('script'); s.textContent = 'window.hit = 1';"
        " document.body.append(s); }"
    )
    assert page.evaluate("() => window.hit") is None
    context.close()


def test_the_server_log_names_nobody(server: Server) -> None:
    """After all that the pages did: no user's display name, telephone or address of the register."""
    store = register(server)
    with store.reading() as session:
        names = set(session.scalars(select(User.display_name)))
        names |= {
            name for row in session.execute(select(Institution.name, Institution.address)) for name in row
        }
    log = (server.folder / "server.log").read_text(errors="replace")
    assert [name for name in names if len(name) > 3 and name in log] == []
    store.close()
