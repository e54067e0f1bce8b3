"""The gate: which host was asked, which door, who is asking; before pages, routes and the websocket."""

from __future__ import annotations

from urllib.parse import quote

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from dashboard import wiring as wired
from dashboard.access.doors import Anybody, Door, find_door
from dashboard.access.faults import refusal, refuse
from dashboard.access.hosts import CookieRule, Hosts, host_of, is_own_origin
from dashboard.access.lanes import Lanes
from dashboard.access.presence import identify
from dashboard.access.sockets import FULL, REVOKED, Sockets
from dashboard.headers import cookies_of, language_of, wants_page
from dashboard.i18n import translator
from data.accounts import Identity, Permission, may, require
from data.terms import Language, Role

SESSION_COOKIE = "gridpatrol_session"


def sees_whole_district(identity: Identity) -> bool:
    """Return whether `identity` has no row scope; district statistics are for these only."""
    return identity.role is not Role.GRID_WORKER and not (
        identity.scope_grid_code or identity.scope_subdistrict
    )


def permitted(request: Request, permission: Permission) -> Identity:
    """Return who asks for a route, checked to hold `permission`.

    Raises
    ------
    AccountError
        `forbidden`.
    """
    identity: Identity = request.state.identity
    require(identity, permission)
    return identity


class Gate:
    """ASGI middleware that lets through what has a door, from our own hosts, to those it is for."""

    def __init__(
        self, app: ASGIApp, *, hosts: Hosts, cookies: CookieRule, sockets: Sockets, lanes: Lanes
    ) -> None:
        self.app = app
        self.hosts = hosts
        self.cookies = cookies
        self.sockets = sockets
        self.lanes = lanes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
            return
        state = scope.setdefault("state", {})
        state.update(language=language_of(scope), cookies=self.cookies, lanes=self.lanes)
        answer = self._without_asking(scope)
        door = find_door(scope["path"], scope.get("method", "WEBSOCKET"))
        if answer is None and door is not None and door.who is not Anybody.STRANGERS:
            token = cookies_of(scope).get(self.cookies.name(scope, SESSION_COOKIE))
            identity = await run_in_threadpool(identify, wired.current(), token) if token else None
            answer = _refusal(scope, door, identity)
            state["identity"] = identity
        if scope["type"] == "websocket":
            await self._serve_socket(scope, receive, send, refused=answer is not None)
        elif answer is not None:
            await answer(scope, receive, send)
        else:
            await self.app(scope, receive, send)

    def _without_asking(self, scope: Scope) -> Response | None:
        """Return why a request is refused whoever sends it: a foreign host, no such door, a foreign form."""
        if not self.hosts.holds(host_of(scope)):
            return refusal(scope, "foreign_host", {}, 421)
        method = scope.get("method", "WEBSOCKET")
        if find_door(scope["path"], method) is None:
            return refusal(scope, "no_such_door", {}, 404)
        if method in ("POST", "WEBSOCKET") and scope["path"] != "/login" and not is_own_origin(scope):
            return refusal(scope, "foreign_form", {}, 403)
        return None

    async def _serve_socket(self, scope: Scope, receive: Receive, send: Send, *, refused: bool) -> None:
        identity: Identity | None = scope["state"].get("identity")
        if refused or identity is None or self.sockets.is_full(identity):
            await receive()
            await send({"type": "websocket.close", "code": REVOKED if refused else FULL})
            return
        await self.sockets.serve(self.app, identity, _trusted(scope), receive, send)


def _trusted(scope: Scope) -> Scope:
    """Name an origin Streamlit always allows: the gate has compared the real one with the host.

    Streamlit's own comparison would ask an outside service for this machine's public address.
    """
    headers = [(k, b"http://localhost" if k == b"origin" else v) for k, v in scope["headers"]]
    return {**scope, "headers": headers}


def _refusal(scope: Scope, door: Door, identity: Identity | None) -> Response | None:
    if identity is not None and (not identity.must_change_password or door.who is Anybody.CHANGING):
        if isinstance(door.who, Permission) and not may(identity, door.who):
            return refusal(scope, "forbidden", {}, 403)
        return None
    code, where = (
        ("log_in_first", f"/login?next={quote(scope['path'])}")
        if identity is None
        else ("change_first", "/password")
    )
    if scope["type"] == "http" and wants_page(scope):
        return RedirectResponse(where, status_code=303)
    return refuse(code, {}, language_of(scope), 401 if identity is None else 403)


def greeting(identity: Identity, language: Language) -> str:
    """Return the name and role shown to the person."""
    t = translator(language)
    return t("{name}（{role}）", name=identity.display_name, role=identity.role.label(language))
