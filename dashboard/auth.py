"""The gate: who is asking, before pages, routes and websocket; log-in, log-out, password."""

from __future__ import annotations

import datetime as dt
import secrets
import time
from urllib.parse import quote, urlsplit

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from dashboard import wiring as wired
from dashboard.headers import cookies_of, language_of, wants_page
from dashboard.i18n import sentence, sentence_for, translator
from dashboard.logs import get_logger
from dashboard.markup import page
from dashboard.wiring import Wiring
from data import accounts
from data.accounts import Identity, Permission
from data.errors import AccountError
from data.terms import Language, Role

SESSION_COOKIE = "gridpatrol_session"
TOUCH_EVERY_S = 60.0
OPEN_PATHS = ("/vendor/", "/assets/", "/healthz", "/login", "/favicon", "/m/manifest.webmanifest", "/m/sw.js")
# Where a person who must change the password may still go.
CHANGE_PATHS = ("/password", "/logout")

_touched: dict[str, float] = {}
_LOG = get_logger("auth")


def identify(wiring: Wiring, token: str | None) -> Identity | None:
    """Return who holds a session token, and note at most once a minute that it is in use."""
    if not token:
        return None
    with wiring.store.reading() as session:
        identity = accounts.identify(session, token, now=wiring.now())
    if identity is not None:
        _touch(wiring, token, identity)
    return identity


def _touch(wiring: Wiring, token: str, identity: Identity) -> None:
    key, tick = accounts.token_hash(token), time.monotonic()
    if tick - _touched.get(key, float("-inf")) < TOUCH_EVERY_S:
        return
    if len(_touched) > 1000:
        _touched.clear()
    _touched[key] = tick
    with wiring.store.begin(actor=identity.username, now=wiring.now()) as session:
        accounts.touch(session, token, now=wiring.now())


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
    accounts.require(identity, permission)
    return identity


class Gate:
    """ASGI middleware that lets nobody past without a session, except to the open paths."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
            return
        scope.setdefault("state", {})["language"] = language_of(scope)
        if scope["path"].startswith(OPEN_PATHS):
            await self.app(scope, receive, send)
            return
        token = cookies_of(scope).get(SESSION_COOKIE)
        identity = await run_in_threadpool(identify, wired.current(), token)
        refusal = _refusal(scope, identity)
        if refusal is None:
            scope["state"]["identity"] = identity
            await self.app(_trusted(scope), receive, send)
        elif scope["type"] == "websocket":
            await receive()
            await send({"type": "websocket.close", "code": 1008})
        else:
            await refusal(scope, receive, send)


def _trusted(scope: Scope) -> Scope:
    """Name an origin Streamlit always allows: the gate has compared the real one with the host.

    Streamlit's own comparison would ask an outside service for this machine's public address.
    """
    if scope["type"] != "websocket":
        return scope
    headers = [(k, b"http://localhost" if k == b"origin" else v) for k, v in scope["headers"]]
    return {**scope, "headers": headers}


def _refusal(scope: Scope, identity: Identity | None) -> Response | None:
    path: str = scope["path"]
    if scope["type"] == "websocket" and not websocket_origin_holds(scope):
        return refuse("foreign_form", {}, "zh", 403)
    if identity is not None and (not identity.must_change_password or path.startswith(CHANGE_PATHS)):
        return None
    code, where = (
        ("log_in_first", f"/login?next={quote(path)}") if identity is None else ("change_first", "/password")
    )
    if scope["type"] == "http" and wants_page(scope):
        return RedirectResponse(where, status_code=303)
    return refuse(code, {}, language_of(scope), 401 if identity is None else 403)


def refuse(code: str, fields: dict[str, object], language: Language, status: int) -> JSONResponse:
    """Return a refusal as JSON: the code and its sentence."""
    body = {"error": {"code": code, "message": sentence_for(code, fields, language)}}
    return JSONResponse(body, status_code=status, headers={"Cache-Control": "no-store"})


def local_path(text: str | None) -> str:
    """Return `text` when it is a path of this site, else the front page."""
    if not text or not text.startswith("/") or text.startswith(("//", "/\\")) or "\\" in text:
        return "/"
    return text if not urlsplit(text).netloc else "/"


def same_origin(request: Request) -> bool:
    """Return whether a form was sent from one of our own pages (browsers name the origin of a POST)."""
    origin = request.headers.get("origin") or request.headers.get("referer")
    return bool(origin) and urlsplit(str(origin)).netloc == request.headers.get("host", "")


async def show_login(request: Request) -> Response:
    """Show the log-in form."""
    return _login_page(request, next_path=local_path(request.query_params.get("next")))


def _login_page(request: Request, *, next_path: str, refusal: str = "", username: str = "") -> Response:
    return page(
        "login.html",
        language=language_of(request.scope),
        status=403 if refusal else 200,
        next_path=next_path,
        refusal=refusal,
        username=username,
    )


async def log_in(request: Request) -> Response:
    """Check a password and open a session."""
    language, wiring = language_of(request.scope), wired.current()
    form = await request.form()
    username, password = str(form.get("username", "")).strip(), str(form.get("password", ""))
    next_path = local_path(str(form.get("next", "/")))
    if not same_origin(request):
        refusal = sentence_for("foreign_form", {}, language)
        return _login_page(request, next_path=next_path, refusal=refusal)
    token, code, minutes = await run_in_threadpool(_open, wiring, username, password)
    if token is None:
        _LOG.info("login_refused", code=code)
        refusal = sentence_for(f"errors.authenticate_{code}", {"minutes": minutes}, language)
        return _login_page(request, next_path=next_path, refusal=refusal, username=username)
    answer = RedirectResponse(next_path, status_code=303)
    _give(answer, wiring, token)
    return answer


def _open(wiring: Wiring, username: str, password: str) -> tuple[str | None, str, int]:
    now, token = wiring.now(), secrets.token_urlsafe(32)
    with wiring.store.begin(actor=username[:60] or "anonymous", now=now) as session:
        result = accounts.authenticate(session, username=username, password=password, now=now)
        if result.user is None:
            return None, result.code, result.minutes
        accounts.open_session(session, result.user, token=token, now=now)
    return token, "ok", 0


def _give(answer: Response, wiring: Wiring, token: str) -> None:
    answer.set_cookie(
        SESSION_COOKIE,
        token,
        max_age=int(dt.timedelta(hours=accounts.SESSION_HOURS).total_seconds()),
        httponly=True,
        samesite="lax",
        secure=wiring.settings.secure_cookies,
    )


async def log_out(request: Request) -> Response:
    """Close the session and forget what the browser kept."""
    if not same_origin(request):
        return refuse("foreign_form", {}, language_of(request.scope), 403)
    wiring, token = wired.current(), request.cookies.get(SESSION_COOKIE, "")
    await run_in_threadpool(_close, wiring, token, request.state.identity)
    answer = RedirectResponse("/login", status_code=303)
    answer.delete_cookie(SESSION_COOKIE)
    answer.headers["Clear-Site-Data"] = '"cache", "storage"'
    return answer


def _close(wiring: Wiring, token: str, identity: Identity) -> None:
    with wiring.store.begin(actor=identity.username, now=wiring.now()) as session:
        accounts.close_session(session, token)


async def show_password(request: Request) -> Response:
    """Show the password form."""
    return _password_page(request)


def _password_page(request: Request, refusal: str = "") -> Response:
    identity: Identity = request.state.identity
    return page(
        "password.html",
        language=language_of(request.scope),
        status=403 if refusal else 200,
        refusal=refusal,
        forced=identity.must_change_password,
        minimum=accounts.MIN_PASSWORD_LENGTH,
    )


async def change_password(request: Request) -> Response:
    """Replace the own password; all sessions end and a new one opens."""
    language, wiring = language_of(request.scope), wired.current()
    identity: Identity = request.state.identity
    form = await request.form()
    old, new, again = (str(form.get(name, "")) for name in ("old", "new", "again"))
    if not same_origin(request):
        return _password_page(request, sentence_for("foreign_form", {}, language))
    if new != again:
        return _password_page(request, sentence_for("password_mismatch", {}, language))
    if new == old:
        return _password_page(request, sentence_for("password_same", {}, language))
    try:
        token, code, minutes = await run_in_threadpool(_replace, wiring, identity.username, old, new)
    except AccountError as error:
        return _password_page(request, sentence(error, language))
    if token is None:
        return _password_page(
            request, sentence_for(f"errors.authenticate_{code}", {"minutes": minutes}, language)
        )
    answer = RedirectResponse("/", status_code=303)
    _give(answer, wiring, token)
    return answer


def _replace(wiring: Wiring, username: str, old: str, new: str) -> tuple[str | None, str, int]:
    now = wiring.now()
    with wiring.store.begin(actor=username, now=now) as session:
        result = accounts.authenticate(session, username=username, password=old, now=now)
        if result.user is not None:
            accounts.set_password(session, username=username, password=new, must_change=False)
    return (None, result.code, result.minutes) if result.user is None else _open(wiring, username, new)


def websocket_origin_holds(scope: Scope) -> bool:
    """Return whether a websocket was opened by one of our own pages."""
    headers = Headers(scope=scope)
    return urlsplit(headers.get("origin", "")).netloc == headers.get("host", "")


def routes() -> list[Route]:
    """Return the routes of the gate's own pages."""
    return [
        Route("/login", show_login, methods=["GET"]),
        Route("/login", log_in, methods=["POST"]),
        Route("/logout", log_out, methods=["POST"]),
        Route("/password", show_password, methods=["GET"]),
        Route("/password", change_password, methods=["POST"]),
    ]


def greeting(identity: Identity, language: Language) -> str:
    """Return the name and role shown to the person."""
    t = translator(language)
    return t("{name}（{role}）", name=identity.display_name, role=identity.role.label(language))
