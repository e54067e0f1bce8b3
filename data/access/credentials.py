"""STEP: whose password fits, and putting another in its place."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from data import audit
from data.access import devices, sessions
from data.access.passwords import REMEMBERED
from data.accounts import find_user
from data.schema import EarlierPassword, User


@dataclass(frozen=True)
class Credentials:
    """What an account's password is checked against, read before the work of checking it."""

    user_id: int
    username: str
    display_name: str
    password_hash: str
    active: bool
    earlier: tuple[str, ...]

    @property
    def names(self) -> tuple[str, str]:
        """The names no password of the account may be made of."""
        return self.username, self.display_name

    @property
    def remembered(self) -> tuple[str, ...]:
        """Hashes of the passwords that may not come back, the present one first."""
        return (self.password_hash, *self.earlier)


def find(session: Session, username: str) -> Credentials | None:
    """Return the credentials of an account, None when there is none of the name."""
    user = session.scalar(select(User).where(User.username == username))
    if user is None:
        return None
    return Credentials(
        user.id, user.username, user.display_name, user.password_hash, user.active, _earlier(session, user.id)
    )


def _earlier(session: Session, user_id: int) -> tuple[str, ...]:
    kept = select(EarlierPassword.password_hash).where(EarlierPassword.user_id == user_id)
    return tuple(session.scalars(kept.order_by(EarlierPassword.id.desc())))


def unchanged(session: Session, known: Credentials) -> User | None:
    """Return the account of credentials that still hold in this transaction, else None."""
    user = session.get(User, known.user_id, with_for_update=True)
    holds = user is not None and user.active and user.password_hash == known.password_hash
    return user if holds else None


def set_password(session: Session, *, username: str, password_hash: str, must_change: bool) -> User:
    """Put a password in place of an account's own, remember that one and end all sessions.

    Parameters
    ----------
    password_hash
        Made by `data.access.passwords` before the transaction began.
    must_change
        Whether somebody else chose it: the account must then choose its own at the next log-in, and no
        device vouches for it any more.

    Raises
    ------
    AccountError
        `unknown_user`.
    """
    user = find_user(session, username)
    session.add(EarlierPassword(user_id=user.id, password_hash=user.password_hash))
    session.flush()
    kept = select(EarlierPassword.id).where(EarlierPassword.user_id == user.id)
    newest = list(session.scalars(kept.order_by(EarlierPassword.id.desc()).limit(REMEMBERED - 1)))
    session.execute(
        delete(EarlierPassword).where(EarlierPassword.user_id == user.id, EarlierPassword.id.not_in(newest))
    )
    user.password_hash, user.must_change_password = password_hash, must_change
    sessions.close_all(session, user.id)
    if must_change:
        devices.forget_all(session, user.id)
    audit.append(session, action="password", entity="user", entity_key=username)
    session.flush()
    return user


def set_active(session: Session, *, username: str, active: bool) -> None:
    """Stop an account, which ends its sessions, or let it in again.

    Raises
    ------
    AccountError
        `unknown_user`.
    """
    user = find_user(session, username)
    user.active = active
    if not active:
        sessions.close_all(session, user.id)
    session.flush()
