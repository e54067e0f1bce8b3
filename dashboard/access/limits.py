"""Bounded work: how many expensive answers are made at once, for one person and in all; the size of forms."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import TypeVar, cast

import anyio
from anyio import CapacityLimiter, to_thread
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

T = TypeVar("T")
GIVEN_UP_POLL_S = 0.25


class BusyError(Exception):
    """Too much is asked for at once; nothing was done."""

    code = "busy_server"
    fields: dict[str, object] = {}  # noqa: RUF012 - the shape of an error, never filled


class GoneError(Exception):
    """Nobody waits for the answer any more."""


class Lane:
    """Threads for one sort of work, apart from all others.

    Parameters
    ----------
    at_once
        Pieces of work that run at the same time.
    per_person
        Pieces one person may have running or waiting; further ones are refused.
    waiting
        Pieces of everybody together that may run or wait.
    """

    def __init__(self, *, at_once: int, per_person: int, waiting: int) -> None:
        self._at_once = at_once
        self._per_person = per_person
        self._waiting = waiting
        self._limiter: CapacityLimiter | None = None
        self._held: Counter[object] = Counter()

    @asynccontextmanager
    async def place(self, who: object) -> AsyncIterator[CapacityLimiter]:
        """Hold a place for somebody.

        Raises
        ------
        BusyError
            When they or everybody together hold too many.
        """
        if self._held[who] >= self._per_person or self._held.total() >= self._waiting:
            raise BusyError
        if self._limiter is None:
            self._limiter = CapacityLimiter(self._at_once)
        self._held[who] += 1
        try:
            yield self._limiter
        finally:
            self._held[who] -= 1
            if not self._held[who]:
                del self._held[who]

    async def run(self, who: object, work: Callable[[], T], *, request: Request | None = None) -> T:
        """Return what `work` gives, done in a thread of this lane.

        Work that has not begun when the client of `request` goes away is not done.

        Raises
        ------
        BusyError
            As `place`.
        GoneError
            When the client went away while waiting.
        """
        async with self.place(who) as limiter:
            await _acquire(limiter, request)
            try:
                return await to_thread.run_sync(work, limiter=CapacityLimiter(1))
            finally:
                limiter.release_on_behalf_of(asyncio.current_task())


async def _acquire(limiter: CapacityLimiter, request: Request | None) -> None:
    """Wait for a thread; look now and then whether anybody still waits for the answer."""
    borrower = asyncio.current_task()
    while True:
        with anyio.move_on_after(GIVEN_UP_POLL_S):
            await limiter.acquire_on_behalf_of(borrower)
        if borrower in limiter.statistics().borrowers:
            if request is not None and await request.is_disconnected():
                limiter.release_on_behalf_of(borrower)
                raise GoneError
            return
        if request is not None and await request.is_disconnected():
            raise GoneError


class Shared:
    """Work whose answer is the same for everybody: who asks while it is done waits for that one."""

    def __init__(self) -> None:
        self._doing: asyncio.Task[object] | None = None

    async def run(self, work: Callable[[], T]) -> T:
        """Return what `work` gives, done in one thread however many ask."""
        doing = self._doing
        if doing is None or doing.done() or doing.get_loop() is not asyncio.get_running_loop():
            # A thread of its own: the other threads are for people.
            doing = asyncio.create_task(to_thread.run_sync(work, limiter=CapacityLimiter(1)))
            self._doing = doing
        # Who goes away takes the answer from nobody.
        return cast(T, await asyncio.shield(doing))


class BodyLimit:
    """ASGI middleware that refuses request bodies above a size; no form of ours comes near it."""

    def __init__(self, app: ASGIApp, *, most_bytes: int, refuse: Callable[[Scope], ASGIApp]) -> None:
        self.app = app
        self.most_bytes = most_bytes
        self.refuse = refuse

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] != "http" or scope["method"] in ("GET", "HEAD", "OPTIONS"):
            await self.app(scope, receive, send)
            return
        pieces: list[Message] = []
        size = 0
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                # Nobody is left to answer.
                return
            size += len(message.get("body", b""))
            if size > self.most_bytes:
                await self.refuse(scope)(scope, receive, send)
                return
            pieces.append(message)
            if not message.get("more_body", False):
                break
        waiting = iter(pieces)

        async def again() -> Message:
            return next(waiting, None) or await receive()

        await self.app(scope, again, send)
