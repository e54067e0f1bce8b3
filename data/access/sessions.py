"""STEP: server-side log-in sessions: opened, used, found again in every write, ended."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Collection, Mapping
from dataclasses import replace

from sqlalchemy import Select, delete, or_, select
from sqlalchemy.orm import Session

from data.accounts import Identity, identity_of
from data.errors import AccountError
from data.schema import LoginSession, User

SESSION_HOURS = 12
IDLE_MINUTES = 30
MOST = 8
"""Sessions of one account; a further log-in ends the one used longest ago."""

_IDLE = dt.timedelta(minutes=IDLE_MINUTES)
_SKEW = dt.timedelta(minutes=1)


def token_hash(token: str) -> str:
    """Return the hash under which a session token is stored."""
    return hashlib.sha256(token.encode(errors="replace")).hexdigest()


def open_session(session: Session, user: User, *, token: str, now: dt.datetime) -> str:
    """Store a log-in session under a random `token` made by the door and return its hash.

    Sessions that have run out are cleared away, and the account's oldest beyond `MOST` end.
    """
    key = token_hash(token)
    session.execute(
        delete(LoginSession).where(or_(LoginSession.expires_at <= now, LoginSession.seen_at <= now - _IDLE))
    )
    session.add(
        LoginSession(
            token_hash=key,
            user_id=user.id,
            created_at=now,
            seen_at=now,
            expires_at=now + dt.timedelta(hours=SESSION_HOURS),
        )
    )
    session.flush()
    own = select(LoginSession.token_hash).where(
        LoginSession.user_id == user.id, LoginSession.token_hash != key
    )
    newest = list(session.scalars(own.order_by(LoginSession.seen_at.desc()).limit(MOST - 1)))
    session.execute(
        delete(LoginSession).where(
            LoginSession.user_id == user.id, LoginSession.token_hash.not_in([key, *newest])
        )
    )
    return key


def _live(keys: Collection[str]) -> Select[LoginSession, User]:
    return (
        select(LoginSession, User)
        .join(User, User.id == LoginSession.user_id)
        .where(LoginSession.token_hash.in_(list(keys)), User.active)
    )


def _is_live(login: LoginSession, seen_at: dt.datetime | None, now: dt.datetime) -> bool:
    """Tell whether a session may be used; one from beyond a clock that was set back may not."""
    seen = max(login.seen_at, seen_at) if seen_at is not None else login.seen_at
    return login.created_at - _SKEW <= now < login.expires_at and now < seen + _IDLE


def identify_all(
    session: Session, keys: Collection[str], *, now: dt.datetime, seen: Mapping[str, dt.datetime]
) -> dict[str, Identity]:
    """Return who holds each session that may still be used.

    Parameters
    ----------
    keys
        Hashes of session tokens.
    seen
        When sessions were used since the database was told of it.
    """
    return {
        login.token_hash: replace(identity_of(user), login=login.token_hash)
        for login, user in session.execute(_live(keys))
        if _is_live(login, seen.get(login.token_hash), now)
    }


def identify(
    session: Session, token: str, *, now: dt.datetime, seen: Mapping[str, dt.datetime] | None = None
) -> Identity | None:
    """Return who holds `token`, or None when it is unknown, idle too long, expired or the user inactive."""
    key = token_hash(token)
    return identify_all(session, [key], now=now, seen=seen or {}).get(key)


def confirm(
    session: Session, identity: Identity, *, now: dt.datetime, seen: Mapping[str, dt.datetime]
) -> Identity:
    """Return who acts, read again inside the transaction that writes; nobody ends the session meanwhile.

    Raises
    ------
    AccountError
        `session_ended` when the session is gone, the user was stopped or must choose a password first.
    """
    login = identity.login or ""
    found = session.execute(_live([login]).with_for_update(read=True)).first()
    if found is None or found[1].must_change_password or not _is_live(found[0], seen.get(login), now):
        raise AccountError("session_ended")
    return replace(identity_of(found[1]), login=login)


def touch_all(session: Session, seen: Mapping[str, dt.datetime]) -> None:
    """Note when sessions were last used, so that they do not go idle."""
    for login in session.scalars(select(LoginSession).where(LoginSession.token_hash.in_(list(seen)))):
        login.seen_at = max(login.seen_at, seen[login.token_hash])


def close_session(session: Session, token: str) -> str | None:
    """Forget a session and return the name of whose it was, None when there was none."""
    login = session.get(LoginSession, token_hash(token))
    if login is None:
        return None
    user = session.get_one(User, login.user_id)
    session.delete(login)
    return user.username


def close_all(session: Session, user_id: int) -> None:
    """End every session of an account."""
    session.execute(delete(LoginSession).where(LoginSession.user_id == user_id))
