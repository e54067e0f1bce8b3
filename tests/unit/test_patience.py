"""Slow clients: a request that does not come to its end is given up, one that is worked on is not."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
import uvicorn
import websockets
from starlette.requests import Request
from starlette.responses import PlainTextResponse

from dashboard.access.limits import BodyLimit
from dashboard.access.patience import PatientProtocol
from tests import loops

HEAD = b"POST /login HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n"


class Hasty(PatientProtocol):
    """As the server's, in a test's time."""

    patience_s = 0.3


async def echo(scope: Any, receive: Any, send: Any) -> None:
    """Answer with the body, after longer than a client may take."""
    body = await Request(scope, receive).body()
    await asyncio.sleep(0.6)
    await PlainTextResponse(body)(scope, receive, send)


async def listen(scope: Any, receive: Any, send: Any) -> None:
    """Accept a websocket and send back what comes."""
    assert scope["type"] == "websocket"
    await receive()
    await send({"type": "websocket.accept"})
    while (message := await receive())["type"] == "websocket.receive":
        await send({"type": "websocket.send", "text": message["text"]})


@asynccontextmanager
async def serving(app: Any) -> AsyncIterator[int]:
    """Serve an application and yield its port."""
    config = uvicorn.Config(app, http=Hasty, lifespan="off", log_config=None, port=0)
    server = uvicorn.Server(config)
    config.load()
    server.lifespan = config.lifespan_class(config)
    await server.startup()
    yield server.servers[0].sockets[0].getsockname()[1]
    await server.shutdown()


async def talk(pieces: list[tuple[bytes, float]]) -> bytes:
    """Serve one client that sends pieces with pauses after them, and return what it is told."""
    faults: list[Any] = []

    def refuse(scope: Any) -> Callable[..., Any]:
        return PlainTextResponse("large", 413)

    async def app(scope: Any, receive: Any, send: Any) -> None:
        try:
            await BodyLimit(echo, most_bytes=64, refuse=refuse)(scope, receive, send)
        except Exception as error:
            faults.append(error)
            raise

    async with serving(app) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for piece, pause_s in pieces:
            writer.write(piece)
            await asyncio.sleep(pause_s)
        try:
            told = await asyncio.wait_for(reader.read(), 5)
        except ConnectionResetError:
            # Given up while the client went on sending: the system says so instead of an end.
            told = b""
        writer.close()
    assert faults == []
    return told


@pytest.mark.parametrize(
    "pieces",
    [
        [(b"", 0.0)],
        [(b"GET / HT", 0.0)],
        [(HEAD, 0.2), (b"X: y\r\n", 0.2), (b"X: y\r\n", 0.0)],
        [(HEAD + b"\r\n", 0.2), (b"a", 0.2), (b"b", 0.0)],
    ],
    ids=["silent", "half a line", "header by header", "body byte by byte"],
)
def test_a_request_that_does_not_end_is_given_up(pieces: list[tuple[bytes, float]]) -> None:
    """Nothing is answered, nothing fails, the connection is free again."""

    async def scene() -> None:
        assert await talk(pieces) == b""

    loops.run(scene())


def test_a_request_that_is_worked_on_takes_its_time() -> None:
    """Patience is for the client's part alone; the next request on the connection has it anew."""

    async def scene() -> None:
        whole = HEAD + b"\r\ntea!"
        told = await talk([(whole, 0.8), (HEAD + b"Connection: close\r\n\r\nte", 0.1), (b"a!", 0.0)])
        assert told.count(b"200 OK") == 2 and told.count(b"tea!") == 2

    loops.run(scene())


def test_a_websocket_stays_open() -> None:
    """Its request never ends in the server's eyes: it became something else."""

    async def scene() -> None:
        async with serving(listen) as port, websockets.connect(f"ws://127.0.0.1:{port}/") as socket:
            await asyncio.sleep(0.7)
            await socket.send("tea")
            assert await asyncio.wait_for(socket.recv(), 5) == "tea"

    loops.run(scene())
