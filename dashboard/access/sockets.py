"""Open websockets: closed when their log-in session ends, each bound to its framework session."""

from __future__ import annotations

import asyncio
from collections import Counter, OrderedDict
from collections.abc import Callable, Mapping
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

from data.accounts import Identity

REVOKED = 1008
FULL = 1013
MOST_PER_PERSON = 12
MOST = 400
_REMEMBERED = 10_000
_PROTOCOLS = b"sec-websocket-protocol"


class Sockets:
    """The websockets that are open, and which framework session belongs to whom."""

    def __init__(self) -> None:
        self._open: dict[object, tuple[Identity, asyncio.Event]] = {}
        self._owners: OrderedDict[str, Identity] = OrderedDict()

    def logins(self) -> set[str]:
        """Return the log-in sessions that have a socket open."""
        return {identity.login for identity, _ in self._open.values() if identity.login is not None}

    def is_full(self, identity: Identity) -> bool:
        """Return whether one more would be too many, for this person or in all."""
        held = Counter(other.user_id for other, _ in self._open.values())
        return held[identity.user_id] >= MOST_PER_PERSON or held.total() >= MOST

    def close_ended(self, holding: Mapping[str, Identity]) -> int:
        """Close the sockets of sessions that ended or whose person got another role; return how many.

        Parameters
        ----------
        holding
            Who holds each session that may still be used.
        """
        ended = [
            closing
            for identity, closing in self._open.values()
            if identity.login is None or holding.get(identity.login) != identity
        ]
        for closing in ended:
            closing.set()
        return len(ended)

    async def serve(
        self, app: ASGIApp, identity: Identity, scope: Scope, receive: Receive, send: Send
    ) -> None:
        """Serve one websocket until it ends by itself or its session does."""
        key, closing = object(), asyncio.Event()
        self._open[key] = identity, closing
        ending = asyncio.ensure_future(closing.wait())
        told = _Told(self._remember, identity)

        async def received() -> Message:
            if not closing.is_set():
                waiting = asyncio.ensure_future(receive())
                await asyncio.wait({waiting, ending}, return_when=asyncio.FIRST_COMPLETED)
                if waiting.done():
                    return waiting.result()
                waiting.cancel()
                await send({"type": "websocket.close", "code": REVOKED})
            return {"type": "websocket.disconnect", "code": REVOKED}

        async def sent(message: Message) -> None:
            if closing.is_set():
                return
            told.look(message)
            await send(message)

        try:
            await app(self._own_session(scope, identity), received, sent)
        finally:
            ending.cancel()
            del self._open[key]

    def _remember(self, framework_session: str, identity: Identity) -> None:
        self._owners[framework_session] = identity
        self._owners.move_to_end(framework_session)
        while len(self._owners) > _REMEMBERED:
            self._owners.popitem(last=False)

    def _own_session(self, scope: Scope, identity: Identity) -> Scope:
        """Leave out the framework session a browser wants to go on with, unless it was this very log-in's."""
        headers = []
        for name, value in scope["headers"]:
            if name == _PROTOCOLS:
                entries = value.decode("latin-1").split(",")
                wanted = entries[2].strip() if len(entries) > 2 else ""
                if wanted and self._owners.get(wanted) != identity:
                    value = ",".join(entries[:2]).encode("latin-1")
            headers.append((name, value))
        protocols = scope.get("subprotocols")
        return {**scope, "headers": headers, **({} if protocols is None else {"subprotocols": protocols[:2]})}


class _Told:
    """Hears the framework tell a browser its session, which it does in the first messages."""

    def __init__(self, remember: Callable[[str, Identity], None], identity: Identity) -> None:
        self._remember = remember
        self._identity = identity
        self._known = False

    def look(self, message: Mapping[str, Any]) -> None:
        if self._known or message["type"] != "websocket.send" or not message.get("bytes"):
            return
        forward = ForwardMsg()
        forward.ParseFromString(message["bytes"])
        if forward.WhichOneof("type") == "new_session":
            self._remember(forward.new_session.initialize.session_id, self._identity)
            self._known = True
