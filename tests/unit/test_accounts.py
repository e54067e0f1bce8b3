"""Accounts: passwords, lock-out, sessions, the permission table and row scope."""

from __future__ import annotations

import datetime as dt

import pytest
from sqlalchemy import select

from data import accounts
from data.accounts import Identity, Permission
from data.errors import AccountError
from data.schema import Institution
from data.store import Store
from data.terms import Authority, Kind, Role, SiteStatus
from tests.conftest import NOW

PASSWORD = "xuncha-2026-kl"


def add_user(store: Store, role: Role = Role.TEAM_LEAD) -> None:
    """Add one user called `user`."""
    with store.begin(actor="test", now=NOW) as session:
        accounts.create_user(session, username="user", display_name="用户", role=role, password=PASSWORD)


def attempt(store: Store, password: str, now: dt.datetime = NOW) -> accounts.LoginResult:
    """Try to log in."""
    with store.begin(actor="user", now=now) as session:
        return accounts.authenticate(session, username="user", password=password, now=now)


def test_five_failures_lock_and_the_lock_ends(store: Store) -> None:
    """The right password does not help while locked; afterwards it does."""
    add_user(store)
    for _ in range(accounts.MAX_FAILED_LOGINS):
        assert attempt(store, "wrong").code == "bad_credentials"
    locked = attempt(store, PASSWORD)
    assert (locked.code, locked.user) == ("locked", None)
    assert locked.minutes >= 1
    later = NOW + dt.timedelta(minutes=accounts.LOCK_MINUTES + 1)
    assert attempt(store, PASSWORD, later).code == "ok"


def test_unknown_user_gets_the_same_answer(store: Store) -> None:
    """The answer does not tell which names exist."""
    with store.begin(actor="x", now=NOW) as session:
        result = accounts.authenticate(session, username="nobody", password="x", now=NOW)
    assert result.code == "bad_credentials"


@pytest.mark.parametrize(
    ("password", "code"), [("short1", "password_too_short"), ("aaaaaaaaaaaa", "password_too_simple")]
)
def test_weak_passwords_are_refused(password: str, code: str) -> None:
    """Length and variety are checked where the hash is made."""
    with pytest.raises(AccountError) as refusal:
        accounts.hash_password(password)
    assert refusal.value.code == code


def test_session_ends_by_idleness_expiry_and_new_password(store: Store) -> None:
    """A session is known while used, and forgotten in each of the three ways."""
    add_user(store)
    result = attempt(store, PASSWORD)
    assert result.user is not None
    with store.begin(actor="user", now=NOW) as session:
        accounts.open_session(session, result.user, token="t", now=NOW)
    with store.reading() as session:
        assert accounts.identify(session, "t", now=NOW) is not None
        assert accounts.identify(session, "other", now=NOW) is None
        idle = NOW + dt.timedelta(minutes=accounts.IDLE_MINUTES)
        assert accounts.identify(session, "t", now=idle) is None
    with store.begin(actor="admin", now=NOW) as session:
        accounts.set_password(session, username="user", password=PASSWORD + "2", must_change=True)
    with store.reading() as session:
        assert accounts.identify(session, "t", now=NOW) is None


def test_every_role_has_its_line_in_the_permission_table() -> None:
    """The administrator sees no business data; only team leads publish; desk people correct locations."""
    assert set(accounts.PERMISSIONS) == set(Role)
    assert accounts.PERMISSIONS[Role.ADMINISTRATOR] == {Permission.MANAGE_USERS}
    assert [r for r in Role if Permission.PUBLISH in accounts.PERMISSIONS[r]] == [Role.TEAM_LEAD]
    correcting = {r for r in Role if Permission.CORRECT_LOCATION in accounts.PERMISSIONS[r]}
    assert correcting == {Role.TEAM_LEAD, Role.CLERK}


def identity(role: Role, *, subdistrict: str | None = None, grid: str | None = None) -> Identity:
    """Return an identity of a role with a scope."""
    return Identity(1, "u", "u", role, None, subdistrict, grid, False)


def test_row_scope(store: Store) -> None:
    """A grid worker sees the own grid, nobody else's, and nothing without a scope on file."""
    with store.begin(actor="test", now=NOW) as session:
        for number, grid in enumerate(("A", "A", "B")):
            session.add(
                Institution(
                    identity_key=str(number),
                    name=str(number),
                    kind=Kind.CARE,
                    authority=Authority.MARKET,
                    address="x",
                    status=SiteStatus.OPEN,
                    grid_code=grid,
                    subdistrict="一街道" if grid == "A" else "二街道",
                    changed_at=NOW,
                )
            )

    def seen(who: Identity) -> int:
        with store.reading() as session:
            return len(session.scalars(accounts.scoped(select(Institution), who)).all())

    assert seen(identity(Role.TEAM_LEAD)) == 3
    assert seen(identity(Role.GRID_WORKER)) == 0
    assert seen(identity(Role.GRID_WORKER, grid="B")) == 1
    assert seen(identity(Role.OFFICER, subdistrict="一街道")) == 2
    assert seen(identity(Role.ADMINISTRATOR)) == 0


def test_require_refuses_with_the_role(store: Store) -> None:
    """A refusal names what was missing."""
    accounts.require(identity(Role.TEAM_LEAD), Permission.PUBLISH)
    with pytest.raises(AccountError) as refusal:
        accounts.require(identity(Role.LEADER), Permission.PUBLISH)
    assert refusal.value.code == "forbidden"


def test_names_are_unique_and_plain(store: Store) -> None:
    """A taken or unusable name is refused."""
    add_user(store)
    for name, code in (("user", "username_taken"), ("", "bad_username"), ("a b", "bad_username")):
        with store.begin(actor="test", now=NOW) as session, pytest.raises(AccountError) as refusal:
            accounts.create_user(session, username=name, display_name="", role=Role.CLERK, password=PASSWORD)
        assert refusal.value.code == code
