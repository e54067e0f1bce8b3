"""People at the desk: users, the one permission table and row scope."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any, TypeVar

from sqlalchemy import Select, false, select
from sqlalchemy.orm import Session

from data.errors import AccountError
from data.schema import Institution, User
from data.terms import Role

MOST_NAME = 60
Selection = TypeVar("Selection", bound=Select[*tuple[Any, ...]])


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
    """Who is asking: enough to decide what they may do and which rows they see.

    `login` is the hash of the log-in session's token, None for who came by no session.
    """

    user_id: int
    username: str
    display_name: str
    role: Role
    officer_id: int | None
    scope_subdistrict: str | None
    scope_grid_code: str | None
    must_change_password: bool
    login: str | None = None


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


def create_user(
    session: Session,
    *,
    username: str,
    display_name: str,
    role: Role,
    password_hash: str,
    officer_id: int | None = None,
    scope_subdistrict: str | None = None,
    scope_grid_code: str | None = None,
    must_change_password: bool = True,
) -> User:
    """Add a user.

    Parameters
    ----------
    password_hash
        Made by `data.access.passwords` before the transaction began.
    must_change_password
        Whether the first log-in leads to a new password; a password that somebody else knows must go.

    Raises
    ------
    AccountError
        `bad_username`, `username_taken`.
    """
    plain = username.replace("-", "").replace("_", "").replace(".", "")
    if not plain.isalnum() or len(username) > MOST_NAME:
        raise AccountError("bad_username", username=username)
    if session.scalar(select(User.id).where(User.username == username)) is not None:
        raise AccountError("username_taken", username=username)
    user = User(
        username=username,
        display_name=display_name,
        role=role,
        password_hash=password_hash,
        officer_id=officer_id,
        scope_subdistrict=scope_subdistrict,
        scope_grid_code=scope_grid_code,
        must_change_password=must_change_password,
        active=True,
    )
    session.add(user)
    session.flush()
    return user


def find_user(session: Session, username: str) -> User:
    """Return a user by name.

    Raises
    ------
    AccountError
        `unknown_user`.
    """
    user = session.scalar(select(User).where(User.username == username))
    if user is None:
        raise AccountError("unknown_user", username=username)
    return user


def change_role(
    session: Session,
    *,
    username: str,
    role: Role,
    scope_subdistrict: str | None = None,
    scope_grid_code: str | None = None,
) -> None:
    """Give a user another role and scope.

    Raises
    ------
    AccountError
        `unknown_user`.
    """
    user = find_user(session, username)
    user.role, user.scope_subdistrict, user.scope_grid_code = role, scope_subdistrict, scope_grid_code
    session.flush()


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
