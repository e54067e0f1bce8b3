"""Accounts: sessions, the permission table and row scope."""

from __future__ import annotations

import datetime as dt

import pytest
from sqlalchemy import func, select

from data import accounts
from data.access import credentials, passwords, sessions
from data.accounts import Identity, Permission
from data.errors import AccountError
from data.schema import Institution, LoginSession, User
from data.store import Store
from data.terms import Authority, Kind, Role, SiteStatus
from tests.conftest import NOW

PASSWORD = "xuncha-2026-kl"


def add_user(store: Store, role: Role = Role.TEAM_LEAD) -> None:
    """Add one user called `user`."""
    with store.begin(actor="test", now=NOW) as session:
        accounts.create_user(
            session,
            username="user",
            display_name="用户",
            role=role,
            password_hash=passwords.hash_password(PASSWORD),
            must_change_password=False,
        )


def open_sessions(store: Store, *tokens: str, now: dt.datetime = NOW) -> None:
    """Open log-in sessions for `user`."""
    for number, token in enumerate(tokens):
        at = now + dt.timedelta(seconds=number)
        with store.begin(actor="user", now=at) as session:
            user = session.scalar(select(User).where(User.username == "user"))
            assert user is not None
            sessions.open_session(session, user, token=token, now=at)


def holder(store: Store, token: str, now: dt.datetime = NOW) -> Identity | None:
    """Return who holds a token."""
    with store.reading() as session:
        return sessions.identify(session, token, now=now)


def test_session_ends_by_idleness_expiry_and_new_password(store: Store) -> None:
    """A session is known while used, and forgotten in each of the ways."""
    add_user(store)
    open_sessions(store, "t")
    assert holder(store, "t") is not None and holder(store, "other") is None
    idle = NOW + dt.timedelta(minutes=sessions.IDLE_MINUTES)
    assert holder(store, "t", idle) is None
    with store.reading() as session:
        seen = {sessions.token_hash("t"): idle - dt.timedelta(minutes=1)}
        assert sessions.identify(session, "t", now=idle, seen=seen) is not None
        late = NOW + dt.timedelta(hours=sessions.SESSION_HOURS)
        assert sessions.identify(session, "t", now=late, seen={sessions.token_hash("t"): late}) is None
    with store.begin(actor="admin", now=NOW) as session:
        credentials.set_password(session, username="user", password_hash="-", must_change=True)
    assert holder(store, "t") is None


def test_a_clock_set_back_revives_no_session(store: Store) -> None:
    """A session from the future is none; one opened after the clock was set back works."""
    add_user(store)
    open_sessions(store, "t")
    back = NOW - dt.timedelta(hours=2)
    assert holder(store, "t", back) is None
    open_sessions(store, "u", now=back)
    assert holder(store, "u", back) is not None


def test_sessions_of_an_account_are_bounded_and_dead_ones_cleared(store: Store) -> None:
    """The oldest ends; what ran out is gone from the table."""
    add_user(store)
    open_sessions(store, *(f"t{n}" for n in range(sessions.MOST + 1)))
    later = NOW + dt.timedelta(minutes=1)
    assert holder(store, "t0", later) is None and holder(store, "t1", later) is not None
    open_sessions(store, "next", now=NOW + dt.timedelta(hours=13))
    with store.reading() as session:
        assert session.scalar(select(func.count()).select_from(LoginSession)) == 1


@pytest.mark.parametrize("change", ["log_out", "stop", "password", "role"])
def test_a_write_asks_again_who_acts(store: Store, change: str) -> None:
    """What counts is who they are when the change is written, not when the page was drawn."""
    add_user(store)
    open_sessions(store, "t")
    drawn = holder(store, "t")
    assert drawn is not None and accounts.may(drawn, Permission.PUBLISH)
    with store.begin(actor="user", now=NOW) as session:
        assert sessions.confirm(session, drawn, now=NOW, seen={}) == drawn
    with store.begin(actor="admin", now=NOW) as session:
        if change == "log_out":
            sessions.close_session(session, "t")
        elif change == "stop":
            credentials.set_active(session, username="user", active=False)
        elif change == "password":
            credentials.set_password(session, username="user", password_hash="-", must_change=True)
        else:
            accounts.change_role(session, username="user", role=Role.OFFICER)
    with store.begin(actor="user", now=NOW) as session:
        if change == "role":
            assert not accounts.may(sessions.confirm(session, drawn, now=NOW, seen={}), Permission.PUBLISH)
            return
        with pytest.raises(AccountError) as refusal:
            sessions.confirm(session, drawn, now=NOW, seen={})
        assert refusal.value.code == "session_ended"


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
    for name, code in (
        ("user", "username_taken"),
        ("", "bad_username"),
        ("a b", "bad_username"),
        ("a\0b", "bad_username"),
        ("a" * 61, "bad_username"),
    ):
        with store.begin(actor="test", now=NOW) as session, pytest.raises(AccountError) as refusal:
            accounts.create_user(session, username=name, display_name="", role=Role.CLERK, password_hash="-")
        assert refusal.value.code == code
