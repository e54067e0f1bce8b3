"""The server's own rounds: sockets of ended sessions are closed, and use and refusals are written down."""

from __future__ import annotations

import asyncio
import time

from sqlalchemy.exc import SQLAlchemyError
from starlette.concurrency import run_in_threadpool

from dashboard.access.presence import holding, tell
from dashboard.access.sockets import Sockets
from dashboard.logs import get_logger
from dashboard.wiring import Wiring
from data.errors import DataError

EVERY_S = 2.0
TELL_EVERY_S = 60.0
_LOG = get_logger("watch")


async def keep_watch(wiring: Wiring, sockets: Sockets) -> None:
    """Go round until cancelled; a register that does not answer is asked again on the next round."""
    told = time.monotonic()
    while True:
        await asyncio.sleep(EVERY_S)
        try:
            await end_sockets(wiring, sockets)
            if time.monotonic() - told >= TELL_EVERY_S:
                told = time.monotonic()
                await run_in_threadpool(tell, wiring)
        except (DataError, SQLAlchemyError) as error:
            _LOG.warning("register", error=type(error).__name__)


async def end_watch(wiring: Wiring) -> None:
    """Write down what is still in memory when the server stops."""
    try:
        await run_in_threadpool(tell, wiring)
    except (DataError, SQLAlchemyError) as error:
        _LOG.warning("not_told", error=type(error).__name__)


async def end_sockets(wiring: Wiring, sockets: Sockets) -> int:
    """Close the sockets whose session has ended, or whose person got another role; return how many."""
    logins = sockets.logins()
    if not logins:
        return 0
    return sockets.close_ended(await run_in_threadpool(holding, wiring, logins))
