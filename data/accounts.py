"""People at the desk: users, passwords, server-side sessions, the one permission table and row scope."""

from __future__ import annotations

import datetime as dt
import hashlib
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerifyMismatchError
from sqlalchemy import Select, false, select
from sqlalchemy.orm import Session

from data import audit
from data.errors import AccountError
from data.schema import Institution, LoginSession, User
from data.terms import Role

Selection = TypeVar("Selection", bound=Select[*tuple[Any, ...]])

MIN_PASSWORD_LENGTH = 10
MAX_FAILED_LOGINS = 5
LOCK_MINUTES = 15
SESSION_HOURS = 12
IDLE_MINUTES = 30

_HASHER = PasswordHasher()
# Verifying against a hash even for unknown names keeps the answer's time the same.
_DECOY = "$argon2id$v=19$m=65536,t=3,p=4$c29tZXNhbHRzb21lc2FsdA$Jr0pQ0kW8gB0o2kcJwYk6s0l3b8m1QkG8x5e9k7m3nE"


class Permission(StrEnum):
    """What a door asks for before it opens."""

    READ_REGISTER = "read_register"
    WRITE_REGISTER = "write_register"
    CORRECT_LOCATION = "correct_location"
    READ_ROSTER = "read_roster"
    WRITE_ROSTER = "write_roster"
    PUBLISH = "publish"
    READ_OWN_ROUTE = "read_own_route"
    READ_COVERAGE = "read_coverage"
    PROPOSE_SCORECARD = "propose_scorecard"
    APPROVE_SCORECARD = "approve_scorecard"
    DECIDE_COLOCATION = "decide_colocation"
    MANAGE_USERS = "manage_users"


_P = Permission
PERMISSIONS: dict[Role, frozenset[Permission]] = {
    Role.TEAM_LEAD: frozenset(
        {
            _P.READ_REGISTER,
            _P.CORRECT_LOCATION,
            _P.READ_ROSTER,
            _P.WRITE_ROSTER,
            _P.PUBLISH,
            _P.READ_OWN_ROUTE,
            _P.READ_COVERAGE,
            _P.PROPOSE_SCORECARD,
            _P.DECIDE_COLOCATION,
        }
    ),
    Role.OFFICER: frozenset({_P.READ_REGISTER, _P.READ_OWN_ROUTE, _P.READ_COVERAGE}),
    # Grid workers observe and report leads in their own grid; future routes are none of their business.
    Role.GRID_WORKER: frozenset({_P.READ_REGISTER, _P.READ_OWN_ROUTE, _P.READ_COVERAGE}),
    # Whoever approves weights may also propose some, but never approves their own (planner.scorecard).
    Role.LEADER: frozenset(
        {
            _P.READ_REGISTER,
            _P.READ_ROSTER,
            _P.READ_COVERAGE,
            _P.PROPOSE_SCORECARD,
            _P.APPROVE_SCORECARD,
        }
    ),
    Role.CLERK: frozenset(
        {
            _P.READ_REGISTER,
            _P.WRITE_REGISTER,
            _P.CORRECT_LOCATION,
            _P.READ_ROSTER,
            _P.READ_COVERAGE,
            _P.DECIDE_COLOCATION,
        }
    ),
    # The administrator never sees business data (三员分立).
    Role.ADMINISTRATOR: frozenset({_P.MANAGE_USERS}),
}


@dataclass(frozen=True)
class Identity:
    """Who is asking: enough to decide what they may do and which rows they see."""

    user_id: int
    username: str
    display_name: str
    role: Role
    officer_id: int | None
    scope_subdistrict: str | None
    scope_grid_code: str | None
    must_change_password: bool


def may(identity: Identity, permission: Permission) -> bool:
    """Return whether the role of `identity` holds `permission`."""
    return permission in PERMISSIONS[identity.role]


def require(identity: Identity, permission: Permission) -> None:
    """Refuse when `identity` lacks `permission`.

    Raises
    ------
    AccountError
        `forbidden`.
    """
    if not may(identity, permission):
        raise AccountError("forbidden", role=identity.role.value, permission=permission.value)


def scoped(statement: Selection, identity: Identity) -> Selection:
    """Narrow a selection of `Institution` rows to what `identity` may see.

    A grid worker without a grid or subdistrict on file sees nothing, never everything.
    """
    if not may(identity, Permission.READ_REGISTER):
        return statement.where(false())
    if identity.scope_grid_code:
        return statement.where(Institution.grid_code == identity.scope_grid_code)
    if identity.scope_subdistrict:
        return statement.where(Institution.subdistrict == identity.scope_subdistrict)
    if identity.role is Role.GRID_WORKER:
        return statement.where(false())
    return statement


def hash_password(password: str) -> str:
    """Return the argon2id hash of `password`.

    Raises
    ------
    AccountError
        `password_too_short` under 10 characters, `password_too_simple` of one sort only.
    """
    if len(password) < MIN_PASSWORD_LENGTH:
        raise AccountError("password_too_short", minimum=MIN_PASSWORD_LENGTH)
    sorts = {"letter" if c.isalpha() else "digit" if c.isdigit() else "sign" for c in password}
    if len(sorts) < 2:
        raise AccountError("password_too_simple")
    return _HASHER.hash(password)


def create_user(
    session: Session,
    *,
    username: str,
    display_name: str,
    role: Role,
    password: str,
    officer_id: int | None = None,
    scope_subdistrict: str | None = None,
    scope_grid_code: str | None = None,
    must_change_password: bool = True,
) -> User:
    """Add a user.

    Raises
    ------
    AccountError
        `bad_username`, `username_taken`, or a password refusal.
    """
    if not username or not username.replace("-", "").replace("_", "").replace(".", "").isalnum():
        raise AccountError("bad_username", username=username)
    if session.scalar(select(User.id).where(User.username == username)) is not None:
        raise AccountError("username_taken", username=username)
    user = User(
        username=username,
        display_name=display_name,
        role=role,
        password_hash=hash_password(password),
        officer_id=officer_id,
        scope_subdistrict=scope_subdistrict,
        scope_grid_code=scope_grid_code,
        must_change_password=must_change_password,
        active=True,
        failed_logins=0,
    )
    session.add(user)
    session.flush()
    return user


def set_password(session: Session, *, username: str, password: str, must_change: bool) -> None:
    """Replace a password, unlock the user and end all their sessions.

    Raises
    ------
    AccountError
        `unknown_user`, or a password refusal.
    """
    user = session.scalar(select(User).where(User.username == username))
    if user is None:
        raise AccountError("unknown_user", username=username)
    user.password_hash = hash_password(password)
    user.must_change_password = must_change
    user.failed_logins, user.locked_until = 0, None
    for login in session.scalars(select(LoginSession).where(LoginSession.user_id == user.id)):
        session.delete(login)
    session.flush()


@dataclass(frozen=True)
class LoginResult:
    """The user when the log-in holds, else the refusal's code; both are committed facts."""

    user: User | None
    code: str
    minutes: int = 0


def authenticate(session: Session, *, username: str, password: str, now: dt.datetime) -> LoginResult:
    """Check a password and count failures.

    The result is a value, not an exception, so that the failure count is committed.
    Codes: `ok`, `bad_credentials`, `locked` (with minutes left), `inactive`.
    """
    user = session.scalar(select(User).where(User.username == username).with_for_update())
    if user is not None and user.locked_until is not None and user.locked_until > now:
        left = user.locked_until - now
        return LoginResult(None, "locked", minutes=int(left.total_seconds() // 60) + 1)
    try:
        _HASHER.verify(user.password_hash if user else _DECOY, password)
        holds = user is not None
    except (VerifyMismatchError, InvalidHashError):
        holds = False
    if user is None or not holds:
        if user is not None:
            user.failed_logins += 1
            if user.failed_logins >= MAX_FAILED_LOGINS:
                user.locked_until = now + dt.timedelta(minutes=LOCK_MINUTES)
                user.failed_logins = 0
                audit.append(session, action="lock", entity="user", entity_key=username)
        return LoginResult(None, "bad_credentials")
    if not user.active:
        return LoginResult(None, "inactive")
    user.failed_logins, user.locked_until = 0, None
    audit.append(session, action="login", entity="user", entity_key=username)
    return LoginResult(user, "ok")


def token_hash(token: str) -> str:
    """Return the hash under which a session token is stored."""
    return hashlib.sha256(token.encode()).hexdigest()


def open_session(session: Session, user: User, *, token: str, now: dt.datetime) -> None:
    """Store a log-in session for `user` under a random `token` made by the door."""
    session.add(
        LoginSession(
            token_hash=token_hash(token),
            user_id=user.id,
            created_at=now,
            seen_at=now,
            expires_at=now + dt.timedelta(hours=SESSION_HOURS),
        )
    )
    session.flush()


def identify(session: Session, token: str, *, now: dt.datetime) -> Identity | None:
    """Return who holds `token`, or None when it is unknown, idle too long, expired or the user inactive."""
    login = session.get(LoginSession, token_hash(token))
    if login is None or login.expires_at <= now or login.seen_at + dt.timedelta(minutes=IDLE_MINUTES) <= now:
        return None
    user = session.get(User, login.user_id)
    return identity_of(user) if user is not None and user.active else None


def touch(session: Session, token: str, *, now: dt.datetime) -> None:
    """Note that a session was used, so that it does not go idle."""
    login = session.get(LoginSession, token_hash(token))
    if login is not None:
        login.seen_at = now


def close_session(session: Session, token: str) -> None:
    """Forget a session."""
    login = session.get(LoginSession, token_hash(token))
    if login is not None:
        session.delete(login)


def identity_of(user: User) -> Identity:
    """Return the identity of a user record."""
    return Identity(
        user_id=user.id,
        username=user.username,
        display_name=user.display_name,
        role=user.role,
        officer_id=user.officer_id,
        scope_subdistrict=user.scope_subdistrict,
        scope_grid_code=user.scope_grid_code,
        must_change_password=user.must_change_password,
    )


def identity_named(session: Session, username: str) -> Identity:
    """Return the identity of an active user by name.

    Raises
    ------
    AccountError
        `unknown_user`.
    """
    user = session.scalar(select(User).where(User.username == username, User.active))
    if user is None:
        raise AccountError("unknown_user", username=username)
    return identity_of(user)


def list_users(session: Session) -> list[User]:
    """Return all users by name."""
    return list(session.scalars(select(User).order_by(User.username)))
