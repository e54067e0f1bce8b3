"""Websockets end with their session, and nobody goes on with somebody else's page."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

from starlette.types import Message, Receive, Scope, Send
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

from dashboard.access.sockets import MOST_PER_PERSON, REVOKED, Sockets
from data.accounts import Identity
from data.terms import Role
from tests.loops import run

LEAD = Identity(1, "lead", "组长", Role.TEAM_LEAD, None, None, None, False, login="l" * 64)
WORKER = Identity(2, "worker", "网格员", Role.GRID_WORKER, None, None, "99", False, login="w" * 64)


class Page:
    """The framework in small: tells its session, then echoes until the browser is gone."""

    def __init__(self, session_id: str) -> None:
        self.session_id = session_id
        self.wanted: list[str] = []
        self.ended: list[int] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        headers = dict(scope["headers"])
        self.wanted.append(headers.get(b"sec-websocket-protocol", b"").decode())
        await receive()
        await send({"type": "websocket.accept"})
        forward = ForwardMsg()
        forward.new_session.initialize.session_id = self.session_id
        await send({"type": "websocket.send", "bytes": forward.SerializeToString()})
        while True:
            message = await receive()
            if message["type"] == "websocket.disconnect":
                self.ended.append(message["code"])
                await send({"type": "websocket.send", "bytes": b"too late"})
                return
            await send({"type": "websocket.send", "bytes": message["bytes"]})


class Browser:
    """One websocket from a browser's side."""

    def __init__(self, sockets: Sockets, page: Page, identity: Identity, wanted: str = "") -> None:
        self.heard: list[Message] = []
        self.waiting: asyncio.Queue[Message] = asyncio.Queue()
        self.waiting.put_nowait({"type": "websocket.connect"})
        protocols = ", ".join(["streamlit", "xsrf", *([wanted] if wanted else [])])
        scope: dict[str, Any] = {"headers": [(b"sec-websocket-protocol", protocols.encode())]}
        self.task = asyncio.ensure_future(sockets.serve(page, identity, scope, self.waiting.get, self.hear))

    async def hear(self, message: Message) -> None:
        """Keep what the server sends."""
        self.heard.append(message)

    async def rest(self) -> None:
        """Let everything run that can."""
        for _ in range(20):
            await asyncio.sleep(0)


def test_a_socket_carries_messages_both_ways_until_the_browser_leaves() -> None:
    """The gate in between changes nothing."""

    async def scene() -> None:
        sockets, page = Sockets(), Page("s1")
        browser = Browser(sockets, page, LEAD)
        for body in (b"one", b"two"):
            browser.waiting.put_nowait({"type": "websocket.receive", "bytes": body})
        await browser.rest()
        assert [m.get("bytes") for m in browser.heard[2:]] == [b"one", b"two"]
        assert sockets.logins() == {LEAD.login}
        browser.waiting.put_nowait({"type": "websocket.disconnect", "code": 1001})
        await browser.task
        assert sockets.logins() == set() and page.ended == [1001]

    run(scene())


def test_revocation_closes_the_sockets_of_that_session_alone() -> None:
    """Log-out, a stop, another role or scope: closed with the code the page understands."""

    async def scene() -> None:
        for holding in (
            {},
            {LEAD.login: replace(LEAD, role=Role.OFFICER)},
            {LEAD.login: replace(LEAD, scope_subdistrict="一街道")},
            {LEAD.login: replace(LEAD, must_change_password=True)},
        ):
            sockets, page = Sockets(), Page("s1")
            lead, worker = Browser(sockets, page, LEAD), Browser(sockets, page, WORKER)
            await lead.rest()
            both = {LEAD.login: LEAD, WORKER.login: WORKER}
            assert sockets.close_ended({str(k): v for k, v in both.items()}) == 0
            still = {str(k): v for k, v in {**holding, WORKER.login: WORKER}.items()}
            assert sockets.close_ended(still) == 1
            await lead.task
            assert lead.heard[-1] == {"type": "websocket.close", "code": REVOKED}
            assert page.ended == [REVOKED] and not worker.task.done()
            worker.task.cancel()

    run(scene())


def test_a_framework_session_belongs_to_the_log_in_that_began_it() -> None:
    """The same log-in goes on with its page; anybody else, or one in another role, begins anew."""

    async def scene() -> None:
        sockets, page = Sockets(), Page("s1")
        first = Browser(sockets, page, LEAD)
        await first.rest()
        for identity in (LEAD, WORKER, replace(LEAD, login="n" * 64), replace(LEAD, role=Role.OFFICER)):
            again = Browser(sockets, page, identity, wanted="s1")
            await again.rest()
            again.task.cancel()
        unknown = Browser(sockets, page, LEAD, wanted="never-told")
        await unknown.rest()
        unknown.task.cancel()
        first.task.cancel()
        kept = ["s1" in protocols for protocols in page.wanted]
        assert kept == [False, True, False, False, False, False]
        assert not any("never-told" in protocols for protocols in page.wanted)

    run(scene())


def test_sockets_are_bounded_for_a_person() -> None:
    """One person's tabs do not take everybody's room."""

    async def scene() -> None:
        sockets, page = Sockets(), Page("s1")
        held = [Browser(sockets, page, LEAD) for _ in range(MOST_PER_PERSON)]
        await held[-1].rest()
        assert sockets.is_full(LEAD) and not sockets.is_full(WORKER)
        for browser in held:
            browser.task.cancel()

    run(scene())
