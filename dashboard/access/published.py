"""The published password of the demo: who still has it may be served on this machine alone."""

from __future__ import annotations

from sqlalchemy import select

from dashboard.access.hosts import is_loopback
from data.access.passwords import holds
from data.demo.people import DEMO_PASSWORD, USERS
from data.errors import AccountError
from data.schema import User
from data.store import Store


def published_accounts(store: Store) -> list[str]:
    """Return the active accounts of the demo's names that still have its published password."""
    names = [user.username for user in USERS]
    with store.reading() as session:
        found = select(User.username, User.password_hash).where(User.username.in_(names), User.active)
        hashes = session.execute(found.order_by(User.username)).tuples().all()
    return [name for name, password_hash in hashes if holds(password_hash, DEMO_PASSWORD)]


def demand_private(store: Store, *, host: str) -> None:
    """Refuse to listen where others can reach a register that opens with the published password.

    Raises
    ------
    AccountError
        `demo_accounts` with the accounts.
    """
    if is_loopback(host):
        return
    accounts = published_accounts(store)
    if accounts:
        raise AccountError("demo_accounts", accounts=", ".join(accounts))
