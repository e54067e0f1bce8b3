"""Passwords: what is refused, what is remembered, and how failures slow the next try."""

from __future__ import annotations

import datetime as dt

import pytest

from data.access import devices, passwords, tries
from data.errors import AccountError
from data.store import Store
from tests.conftest import NOW
from tests.unit.test_accounts import add_user


@pytest.mark.parametrize(
    ("password", "code"),
    [
        ("short1", "password_too_short"),
        ("a1" * 80, "password_too_long"),
        ("aaaaaaaaaaaa", "password_too_simple"),
        ("aaaaaaaaaaa1", "password_too_simple"),
        ("AaAaAaAaAa11", "password_too_simple"),
        ("aaaaabbbbb12345", "password_too_simple"),
        ("abcdefgh12345", "password_too_simple"),
        ("2026-11-28-2026", "password_too_simple"),
        ("110101199003071234", "password_too_simple"),
        ("zhangsan-01", "password_is_name"),
        ("10-Nasgnahz!", "password_is_name"),
        ("password123", "password_common"),
        ("Password123!", "password_common"),
        ("qwe123456789", "password_too_simple"),
        ("qwerty13579x", "password_common"),
        ("1qaz2wsx3edc", "password_common"),
        ("woaini1314520", "password_common"),
        ("admin@123456", "password_common"),
        ("yunhe-demo-2026", "password_common"),
        ("jiaoyuju2026", "password_common"),
        ("wangge-2026", "password_common"),
        ("ｐａｓｓｗｏｒｄ１２３", "password_common"),
        ("Ｐassword\u200b123!", "password_common"),
        ("\u200b\u200b\u200b\u200b\u200b\u200b\u200b\u200baaa1", "password_too_simple"),
        ("z.h.a.n.g.s.a.n", "password_is_name"),
        ("ｚｈａｎｇ-san.26", "password_is_name"),
        ("yunhe-demo-2027", "password_common"),
        ("xunchayuan2026", "password_common"),
    ],
)
def test_what_is_easily_guessed_is_refused(password: str, code: str) -> None:
    """Length, variety, the own name, and what everybody takes."""
    with pytest.raises(AccountError) as refusal:
        passwords.check_new(password, names=("zhangsan", "张三"))
    assert refusal.value.code == code


@pytest.mark.parametrize(
    "password", ["xuncha-2026-kl", "七里塔桥下2棵树-风", "x9K-tuo-lamp", "correct horse 7 staple"]
)
def test_what_is_not_is_taken(password: str) -> None:
    """Long phrases in any language pass; a name of two signs forbids nothing."""
    passwords.check_new(password, names=("kl", "张三"))


def test_a_hash_fits_its_password_alone() -> None:
    """No hash at all fits nothing, by the same work."""
    hashed = passwords.hash_password("xuncha-2026-kl")
    assert passwords.holds(hashed, "xuncha-2026-kl")
    assert not passwords.holds(hashed, "xuncha-2026-kk")
    assert not passwords.holds(None, "nobody's password")
    assert not passwords.holds("no hash", "x")
    assert passwords.is_remembered("xuncha-2026-kl", ["broken", hashed])


def test_failures_slow_the_next_try_and_are_forgotten() -> None:
    """Free ones cost nothing, then the wait doubles to its most."""
    pace = tries.Pace(free=5, most_s=60)
    assert [pace.wait_s(n) for n in (0, 5, 6, 7, 8, 11, 12, 500)] == [0, 0, 1, 2, 4, 32, 60, 60]


def test_names_and_addresses_are_counted_apart(store: Store) -> None:
    """A stranger's failures hold up the name and the stranger; a known device only counts its own."""
    stranger = tries.keys_of(name="lead", address="10.0.0.9", device=None)
    owner = tries.keys_of(name="lead", address="10.0.0.1", device="d" * 64)
    other = tries.keys_of(name="boss", address="10.0.0.1", device=None)
    with store.begin(actor="x", now=NOW) as session:
        for _ in range(8):
            tries.count_failure(session, stranger, now=NOW)
    with store.reading() as session:
        assert tries.wait_s(session, stranger, now=NOW) == 4
        assert tries.wait_s(session, owner, now=NOW) == tries.wait_s(session, other, now=NOW) == 0
        assert tries.wait_s(session, stranger, now=NOW + dt.timedelta(seconds=3)) == 1
        assert tries.wait_s(session, stranger, now=NOW + dt.timedelta(seconds=4)) == 0
        assert tries.wait_s(session, stranger, now=NOW - dt.timedelta(hours=1)) == 0
        assert tries.wait_s(session, stranger, now=NOW - dt.timedelta(seconds=1)) == 4
    # One of several at once may have begun before the one noted last: that is no clock set back.
    with store.begin(actor="x", now=NOW) as session:
        tries.count_failure(session, stranger, now=NOW - dt.timedelta(seconds=1))
    with store.reading() as session:
        assert tries.wait_s(session, stranger, now=NOW) == 8
    with store.begin(actor="x", now=NOW) as session:
        tries.forget(session, stranger, now=NOW)
        tries.count_failure(session, stranger, now=NOW)
    with store.reading() as session:
        assert tries.wait_s(session, stranger, now=NOW) == 0


def test_names_typed_are_not_kept_in_clear() -> None:
    """A password typed into the name's field stays nowhere."""
    assert "secret" not in "".join(tries.keys_of(name="secret-word", address="::1", device=None))


def test_a_device_vouches_for_one_account_and_not_for_ever(store: Store) -> None:
    """Its token is kept as a hash, and the eleventh device ends the first."""
    add_user(store)
    with store.begin(actor="x", now=NOW) as session:
        for number in range(devices.MOST + 1):
            devices.remember(session, f"t{number}", 1, now=NOW + dt.timedelta(seconds=number))
    with store.reading() as session:
        assert devices.find(session, "t1", 1, now=NOW) == devices.device_hash("t1", 1)
        assert devices.find(session, "t0", 1, now=NOW) is None
        assert devices.find(session, "t1", 2, now=NOW) is None
        assert devices.find(session, None, 1, now=NOW) is None
        assert devices.find(session, "t1", 1, now=NOW + devices.KEPT * 2) is None
    with store.begin(actor="x", now=NOW) as session:
        devices.forget_all(session, 1)
        assert devices.find(session, "t1", 1, now=NOW) is None
