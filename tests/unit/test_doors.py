"""Every way in is in the table of doors, and opens to nobody else than the table says."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import typer
from starlette.routing import Mount, Route, WebSocketRoute
from starlette.types import Message, Receive, Scope, Send
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.web.server.starlette.starlette_app import create_streamlit_routes

from dashboard import auth, cli, server
from dashboard import wiring as wired
from dashboard.access.doors import DOORS, Anybody, find_door
from dashboard.access.hosts import CookieRule, own_hosts
from dashboard.access.lanes import Lanes
from dashboard.access.sockets import Sockets
from dashboard.settings import Settings
from data.accounts import PERMISSIONS, Permission
from data.terms import Role
from tests import small_district as small
from tests.loops import run

ROOT = Path(__file__).resolve().parents[2]
USERS: dict[Role | None, str] = {
    Role.TEAM_LEAD: "lead",
    Role.GRID_WORKER: "worker",
    Role.LEADER: "boss",
    Role.ADMINISTRATOR: "admin",
}
# What the framework or a folder answers, and nobody needs: no door, so it does not exist.
SHUT = (
    "/_stcore/metrics",
    "/_stcore/agent/openapi.json",
    "/_stcore/upload_file/x/y",
    "/_stcore/script-health-check",
    "/_stcore/bidi-components/x",
    "/component/other.thing/index.html",
    "/media/abc.xlsx",
    "/auth/login",
    "/oauth2callback",
    "/.env",
    "/roster/../api/grids.geojson",
    "/api/",
    "/overview/x",
)


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    folder = tmp_path_factory.mktemp("doors")
    url = small.build(folder / "small.db")
    made = server.create_app(Settings(database=url, var=folder, today=small.TODAY, worker=False))
    yield made
    wired.current().close()


class Reached:
    """The inside: notes that somebody came through."""

    def __init__(self) -> None:
        self.times = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        self.times += 1
        if scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1000})
        else:
            await send({"type": "http.response.start", "status": 299, "headers": []})
            await send({"type": "http.response.body", "body": b""})


def ask(path: str, method: str, token: str | None = None, host: str = "localhost") -> tuple[bool, int]:
    """Return whether a request comes through the gate, and the answer's status or the socket's code."""
    inside, told = Reached(), list[Message]()
    gate = auth.Gate(
        inside, hosts=own_hosts("127.0.0.1", ()), cookies=CookieRule(), sockets=Sockets(), lanes=Lanes()
    )
    headers = [(b"host", host.encode()), (b"origin", f"http://{host}".encode())]
    if token is not None:
        headers.append((b"cookie", f"{auth.SESSION_COOKIE}={token}".encode()))
    socket = method == "WEBSOCKET"
    scope: Scope = {"type": "websocket" if socket else "http", "path": path, "headers": headers}
    scope |= {
        "scheme": "ws" if socket else "http",
        "query_string": b"",
        **({} if socket else {"method": method}),
    }

    async def receive() -> Message:
        return {"type": "websocket.connect"} if socket else {"type": "http.request", "body": b""}

    async def send(message: Message) -> None:
        told.append(message)

    run(gate(scope, receive, send))
    return bool(inside.times), told[0].get("status", told[0].get("code"))


def routes_of(app: Any) -> Iterator[tuple[str, str]]:
    """Yield every path and method the application would answer, the framework's own included."""
    # The framework makes one runtime a process: its routes are listed with a stand-in, nothing is served.
    runtime: Any = SimpleNamespace(
        media_file_mgr=SimpleNamespace(_storage=None),
        uploaded_file_mgr=None,
        stats_mgr=None,
        component_registry=None,
        bidi_component_registry=None,
    )

    def walk(routes: Any, prefix: str) -> Iterator[tuple[str, str]]:
        for route in routes:
            path = prefix + re.sub(r"\{(\w+):path\}", r"x", getattr(route, "path", ""))
            if isinstance(route, Mount) and route.routes:
                yield from walk(route.routes, path)
            elif isinstance(route, Mount):
                yield f"{path}/x.js", "GET"
            elif isinstance(route, WebSocketRoute):
                yield path, "WEBSOCKET"
            elif isinstance(route, Route):
                yield from ((path, method) for method in route.methods or ())

    yield from walk([*app._user_routes, *create_streamlit_routes(runtime)], "")


def test_every_route_has_a_door_or_does_not_exist(app: Any) -> None:
    """A route that is not in the table answers 404 to everybody, the owner's role included."""
    token = opened("lead")
    found = {(re.sub(r"\{\w+\}", "x", path) or "/", method) for path, method in routes_of(app)}
    own = {path for path, _ in found if path.startswith(("/api/", "/m/", "/login", "/logout", "/password"))}
    assert all(any(find_door(path, m) for m in ("GET", "POST")) for path in own)
    shut = {(path, method) for path, method in found if find_door(path, method) is None}
    assert any(path.startswith("/_stcore/") for path, _ in shut)
    for path, method in sorted(shut | set(itertools.product(SHUT, ["GET", "POST", "PUT", "DELETE"]))):
        assert ask(path, method, token) == (False, 404), (path, method)


def opened(username: str) -> str:
    """Return the token of a new session of a user."""
    token = f"token-of-{username}"
    from data import accounts
    from data.access import sessions

    parts = wired.current()
    with parts.store.begin(actor=username, now=parts.now()) as session:
        sessions.close_session(session, token)
        session.flush()
        user = next(user for user in accounts.list_users(session) if user.username == username)
        sessions.open_session(session, user, token=token, now=parts.now())
    return token


@pytest.mark.parametrize("role", [None, *USERS], ids=str)
def test_each_door_opens_to_whom_it_is_for(app: Any, role: Role | None) -> None:
    """Each path and method is asked for by each role and by nobody."""
    token = None if role is None else opened(USERS[role])
    for door, method in ((d, m) for d in DOORS for m in d.methods):
        path = door.path.replace("{code}", "P1").replace("*", "x.js")
        reached, status = ask(path, method, token)
        if door.who is Anybody.STRANGERS:
            assert reached, path
        elif role is None:
            assert not reached and status in (401, 303, 1008), path
        elif isinstance(door.who, Permission):
            assert reached is (door.who in PERMISSIONS[role]), path
            assert reached or status == 403, path
        else:
            assert reached, path


@pytest.mark.parametrize("method", ["GET", "POST", "WEBSOCKET"])
def test_a_foreign_host_gets_nothing(app: Any, method: str) -> None:
    """A name of somebody else that points here is refused, logged in or not."""
    path = {"GET": "/m/today", "POST": "/login", "WEBSOCKET": "/_stcore/stream"}[method]
    assert ask(path, method, opened("lead"), host="evil.example") == (
        False,
        1008 if method == "WEBSOCKET" else 421,
    )


def test_who_must_change_the_password_finds_two_doors_open(app: Any) -> None:
    """Until a password of their own is set, people may change it or leave."""
    token = opened("boss")
    parts = wired.current()
    from data.access import credentials, sessions
    from data.schema import User

    with parts.store.begin(actor="test", now=parts.now()) as session:
        credentials.set_password(session, username="boss", password_hash="-", must_change=True)
        user = session.query(User).filter_by(username="boss").one()
        sessions.open_session(session, user, token=token, now=parts.now())
    open_to_them = {d.path for d in DOORS for m in d.methods if ask(d.path.replace("*", "x"), m, token)[0]}
    assert open_to_them == {"/password", "/logout", *(d.path for d in DOORS if d.who is Anybody.STRANGERS)}
    assert not open_to_them & {"/", "/roster", "/m/today", "/_stcore/stream", "/api/grids.geojson"}


def test_the_reference_lists_every_door() -> None:
    """The page of doors says path, who and what of each."""
    text = (ROOT / "docs/reference/doors.md").read_text(encoding="utf-8")
    for door in DOORS:
        line = f"| `{door.path}` | {', '.join(door.methods)} | {door.who.value} | {door.what} |"
        assert line in text, line


def test_the_reference_lists_every_message_and_command() -> None:
    """What a browser can send over the live connection, and what an operator can type."""
    text = (ROOT / "docs/reference/doors.md").read_text(encoding="utf-8")
    messages = {field.name for field in BackMsg.DESCRIPTOR.oneofs_by_name["type"].fields}
    assert {name for name in messages if f"`{name}`" not in text} == set()

    def walk(command: Any, before: str) -> Iterator[str]:
        below = getattr(command, "commands", None)
        if not below:
            yield before
        for name, one in (below or {}).items():
            yield from walk(one, f"{before} {name}")

    commands = set(walk(typer.main.get_command(cli.app), "gridpatrol"))
    assert {command for command in commands if f"| `{command}` |" not in text} == set()
