"""How long the server listens to a client that does not say what it wants: nobody holds it for ever."""

from __future__ import annotations

import asyncio
import sys
from typing import Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

PATIENCE_S = 30.0
"""A whole request comes within this time; forms are 64 KiB at most, so 2 KiB/s will do."""


class PatientProtocol(H11Protocol):
    """HTTP/1.1 that closes a connection whose request does not end; uvicorn itself waits for ever."""

    patience_s = PATIENCE_S
    _waiting: asyncio.TimerHandle | None = None

    def connection_made(self, transport: Any) -> None:
        """Begin to wait for the first request."""
        super().connection_made(transport)
        self._wait(True)

    def data_received(self, data: bytes) -> None:
        """Read on, and wait for the rest of what has begun."""
        super().data_received(data)
        # A websocket has taken the connection over in the middle of its request.
        ours = self.transport.get_protocol() is self
        self._wait(ours and self.conn.their_state in (h11.IDLE, h11.SEND_BODY))

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait no longer."""
        self._wait(False)
        super().connection_lost(exc)

    def _wait(self, more: bool) -> None:
        """Let the time run, from where it began, while there is more to come."""
        if more and self._waiting is None:
            self._waiting = self.loop.call_later(self.patience_s, self._give_up)
        elif not more and self._waiting is not None:
            self._waiting.cancel()
            self._waiting = None

    def _give_up(self) -> None:
        self._waiting = None
        self.transport.close()


def allow_connections() -> None:
    """Let this process hold as many connections as the system permits: the usual 1,024 are soon taken."""
    if sys.platform != "win32":
        import resource

        _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
