"""The own password: who changes it proves the old one, and every other session of theirs ends."""

from __future__ import annotations

import secrets

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from dashboard import wiring as wired
from dashboard.access.login import DEVICE_COOKIE, Outcome, cookie_rule, give_cookies
from dashboard.headers import language_of
from dashboard.i18n import sentence, sentence_for
from dashboard.markup import page
from dashboard.wiring import Wiring
from data import audit
from data.access import credentials, devices, passwords, sessions, tries
from data.accounts import Identity
from data.errors import AccountError


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
        minimum=passwords.MIN_LENGTH,
    )


async def change_password(request: Request) -> Response:
    """Replace the own password; all sessions end and a new one opens."""
    language, wiring = language_of(request.scope), wired.current()
    identity: Identity = request.state.identity
    form = await request.form()
    old, new, again = (str(form.get(name, "")) for name in ("old", "new", "again"))
    if new != again:
        return _password_page(request, sentence_for("password_mismatch", {}, language))
    device = request.cookies.get(cookie_rule(request).name(request.scope, DEVICE_COOKIE))
    try:
        outcome = await request.state.lanes.login.run(
            identity.user_id, lambda: _replace(wiring, identity, old, new, device)
        )
    except AccountError as error:
        return _password_page(request, sentence(error, language))
    if not outcome.token:
        told = sentence_for(f"errors.authenticate_{outcome.code}", {"seconds": outcome.wait_s}, language)
        return _password_page(request, told)
    answer = RedirectResponse("/", status_code=303)
    give_cookies(answer, request, outcome)
    return answer


def _replace(wiring: Wiring, identity: Identity, old: str, new: str, device: str | None) -> Outcome:
    """Put `new` in place of `old`; wrong guesses of the old one are counted against this session.

    Raises
    ------
    AccountError
        `session_ended`, and the refusals of a password.
    """
    now, keys = wiring.now(), (f"device:{identity.login}",)
    with wiring.store.reading() as session:
        known = credentials.find(session, identity.username)
        wait_s = tries.wait_s(session, keys, now=now)
    if known is None:
        raise AccountError("session_ended")
    if wait_s:
        return Outcome("wait", wait_s)
    if not passwords.holds(known.password_hash, old):
        with wiring.store.begin(actor=identity.username, now=now) as session:
            audit.append(session, action="password_refused", entity="user", entity_key=identity.username)
            tries.count_failure(session, keys, now=now)
        return Outcome("bad_credentials")
    passwords.check_new(new, names=known.names)
    if passwords.is_remembered(new, known.remembered):
        raise AccountError("password_used_before", most=passwords.REMEMBERED)
    hashed, token = passwords.hash_password(new), secrets.token_urlsafe(32)
    device = device or secrets.token_urlsafe(32)
    with wiring.store.begin(actor=identity.username, now=now) as session:
        if credentials.unchanged(session, known) is None:
            raise AccountError("session_ended")
        user = credentials.set_password(
            session, username=known.username, password_hash=hashed, must_change=False
        )
        sessions.open_session(session, user, token=token, now=now)
        devices.remember(session, device, user.id, now=now)
    return Outcome("ok", token=token, device=device)


def routes() -> list[Route]:
    """Return the routes of the password's page."""
    return [
        Route("/password", show_password, methods=["GET"]),
        Route("/password", change_password, methods=["POST"]),
    ]
