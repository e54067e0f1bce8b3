"""Log-in and log-out: hashing stays outside transactions, answers tell nobody who exists."""

from __future__ import annotations

import datetime as dt
import secrets
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from dashboard import wiring as wired
from dashboard.access.hosts import CookieRule, host_of, is_loopback, is_own_origin, name_of
from dashboard.access.lanes import Lanes
from dashboard.access.refused import Refused
from dashboard.auth import SESSION_COOKIE
from dashboard.headers import language_of
from dashboard.i18n import sentence_for
from dashboard.logs import get_logger
from dashboard.markup import page
from dashboard.wiring import Wiring
from data import audit
from data.access import credentials, devices, passwords, sessions, tries
from data.access.credentials import Credentials
from data.accounts import Identity
from data.demo.people import DEMO_PASSWORD

DEVICE_COOKIE = "gridpatrol_device"
DEVICE_DAYS = 180
NOBODY = "anonymous"
_LOG = get_logger("auth")


@dataclass(frozen=True)
class Try:
    """One attempt to log in: what was typed, and where it comes from.

    `old` is the token of the session this browser had, which ends; `near`: both ends are this machine.
    """

    username: str
    password: str = field(repr=False)
    address: str
    device: str | None = field(repr=False)
    old: str | None = field(repr=False)
    near: bool


@dataclass(frozen=True)
class Outcome:
    """Tokens of the session and device when the log-in holds, else the refusal's code."""

    code: str
    wait_s: int = 0
    token: str = field(default="", repr=False)
    device: str = field(default="", repr=False)


def local_path(text: str | None) -> str:
    """Return `text` when it is a path of this site, else the front page."""
    if not text or not text.startswith("/") or text.startswith(("//", "/\\")) or "\\" in text:
        return "/"
    if any(ord(sign) < 32 for sign in text):
        return "/"
    return text if not urlsplit(text).netloc else "/"


async def show_login(request: Request) -> Response:
    """Show the log-in form."""
    return _login_page(request, next_path=local_path(request.query_params.get("next")))


def _login_page(
    request: Request, *, next_path: str, refusal: str = "", username: str = "", status: int = 403
) -> Response:
    return page(
        "login.html",
        language=language_of(request.scope),
        status=status if refusal else 200,
        next_path=next_path,
        refusal=refusal,
        username=username,
    )


async def log_in(request: Request) -> Response:
    """Check a password and open a session."""
    language, rule = language_of(request.scope), cookie_rule(request)
    form = await request.form()
    username, password = str(form.get("username", "")).strip(), str(form.get("password", ""))
    next_path = local_path(str(form.get("next", "/")))
    code = "foreign_form" if not is_own_origin(request.scope) else ""
    code = code or ("needs_tls" if rule.needs_tls(request.scope) else "")
    if code:
        return _login_page(request, next_path=next_path, refusal=sentence_for(code, {}, language))
    address = request.client.host if request.client is not None else ""
    asked = Try(
        username,
        password,
        address,
        request.cookies.get(rule.name(request.scope, DEVICE_COOKIE)),
        request.cookies.get(rule.name(request.scope, SESSION_COOKIE)),
        is_loopback(address) and is_loopback(name_of(host_of(request.scope))),
    )
    wiring = wired.current()
    lanes: Lanes = request.state.lanes
    wait_s, device = await lanes.doorstep.run(address, lambda: _look(wiring, asked))
    outcome = Outcome("wait", wait_s)
    if not wait_s:
        # A browser the account knows waits for no stranger behind the same address.
        outcome = await lanes.login.run(device or address, lambda: _open(wiring, asked))
    if not outcome.token:
        told = sentence_for(f"errors.authenticate_{outcome.code}", {"seconds": outcome.wait_s}, language)
        status = 429 if outcome.code == "wait" else 403
        return _login_page(request, next_path=next_path, refusal=told, username=username, status=status)
    answer = RedirectResponse(next_path, status_code=303)
    give_cookies(answer, request, outcome)
    return answer


def cookie_rule(request: Request) -> CookieRule:
    """Return how cookies of a request leave."""
    rule: CookieRule = request.state.cookies
    return rule


@dataclass(frozen=True)
class _Looked:
    """What is known of a try before its password is looked at."""

    known: Credentials | None
    device: str | None
    keys: tuple[str, ...]
    wait_s: int


def _find(wiring: Wiring, asked: Try, now: dt.datetime) -> _Looked:
    with wiring.store.reading() as session:
        known = credentials.find(session, asked.username) if _is_name(asked.username) else None
        device = None if known is None else devices.find(session, asked.device, known.user_id, now=now)
        keys = tries.keys_of(name=asked.username, address=asked.address, device=device)
        wait_s = tries.wait_s(session, keys, now=now)
    if wait_s:
        wiring.refused.note(known.username if known else None, asked.address)
    return _Looked(known, device, keys, wait_s)


def _look(wiring: Wiring, asked: Try) -> tuple[int, str | None]:
    """Return how long a try must wait, and its device where the account knows it."""
    looked = _find(wiring, asked, wiring.now())
    return looked.wait_s, looked.device


def _open(wiring: Wiring, asked: Try) -> Outcome:
    now = wiring.now()
    # Again: others may have failed since the look from the doorstep.
    looked = _find(wiring, asked, now)
    known, keys = looked.known, looked.keys
    if looked.wait_s:
        return Outcome("wait", looked.wait_s)
    # Outside every transaction: it takes 20 ms, and as long for a name that does not exist.
    fits = passwords.holds(known.password_hash if known else None, asked.password)
    fits = fits and (asked.near or asked.password != DEMO_PASSWORD)
    if known is None or not fits:
        return _refuse_try(wiring, known, asked, keys, now=now)
    return _admit(wiring, known, asked, keys, now=now)


def _is_name(text: str) -> bool:
    return 0 < len(text) <= 60 and text.isprintable()


def _refuse_try(
    wiring: Wiring, known: Credentials | None, asked: Try, keys: tuple[str, ...], *, now: dt.datetime
) -> Outcome:
    with wiring.store.begin(actor=NOBODY, now=now) as session:
        # First, because it puts parallel writers in a line on PostgreSQL.
        audit.append(session, **Refused.link(known.username if known else None, asked.address, 1))
        tries.count_failure(session, keys, now=now)
    _LOG.info("login_refused")
    return Outcome("bad_credentials")


def _admit(
    wiring: Wiring, known: Credentials, asked: Try, keys: tuple[str, ...], *, now: dt.datetime
) -> Outcome:
    token, device = secrets.token_urlsafe(32), asked.device or secrets.token_urlsafe(32)
    outdated = passwords.is_outdated(known.password_hash)
    anew = passwords.hash_password(asked.password) if outdated else known.password_hash
    with wiring.store.begin(actor=known.username, now=now) as session:
        user = credentials.unchanged(session, known)
        if user is not None:
            audit.append(session, action="login", entity="user", entity_key=known.username)
            user.password_hash = anew
            if asked.old:
                sessions.close_session(session, asked.old)
            sessions.open_session(session, user, token=token, now=now)
            devices.remember(session, device, user.id, now=now)
            tries.forget(session, keys, now=now)
    if user is None:
        # Stopped, or the password was changed meanwhile: the answer is that of any wrong try.
        return _refuse_try(wiring, known, asked, keys, now=now)
    return Outcome("ok", token=token, device=device)


def give_cookies(answer: Response, request: Request, outcome: Outcome) -> None:
    """Let the browser keep the tokens of a session and of itself."""
    rule = cookie_rule(request)
    kept = {
        SESSION_COOKIE: (outcome.token, dt.timedelta(hours=sessions.SESSION_HOURS)),
        DEVICE_COOKIE: (outcome.device, dt.timedelta(days=DEVICE_DAYS)),
    }
    for name, (value, age) in kept.items():
        answer.set_cookie(
            rule.name(request.scope, name),
            value,
            max_age=int(age.total_seconds()),
            httponly=True,
            samesite="lax",
            secure=rule.is_secure(request.scope),
        )


async def log_out(request: Request) -> Response:
    """Close the session and forget what the browser kept."""
    wiring, rule = wired.current(), cookie_rule(request)
    name = rule.name(request.scope, SESSION_COOKIE)
    token, identity = request.cookies.get(name, ""), request.state.identity
    await request.state.lanes.login.run(identity.user_id, lambda: _close(wiring, token, identity))
    answer = RedirectResponse("/login", status_code=303)
    answer.delete_cookie(name, secure=rule.is_secure(request.scope), httponly=True, samesite="lax")
    answer.headers["Clear-Site-Data"] = '"cache", "storage"'
    return answer


def _close(wiring: Wiring, token: str, identity: Identity) -> None:
    with wiring.store.begin(actor=identity.username, now=wiring.now()) as session:
        sessions.close_session(session, token)
        audit.append(session, action="logout", entity="user", entity_key=identity.username)


def routes() -> list[Route]:
    """Return the routes of log-in and log-out."""
    return [
        Route("/login", show_login, methods=["GET"]),
        Route("/login", log_in, methods=["POST"]),
        Route("/logout", log_out, methods=["POST"]),
    ]
