"""Who is here: sessions found by their cookie, noted as used in memory, and asked again in every write."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from sqlalchemy.orm import Session

from dashboard.access.refused import Refused
from dashboard.wiring import Wiring
from data import audit
from data.access import sessions
from data.accounts import Identity, Permission, require

ACTOR = "server"


def identify(wiring: Wiring, token: str | None) -> Identity | None:
    """Return who holds a session token; nothing is written."""
    if not token:
        return None
    now = wiring.now()
    with wiring.store.reading() as session:
        identity = sessions.identify(session, token, now=now, seen=wiring.presence.seen())
    if identity is not None and identity.login is not None:
        wiring.presence.note(identity.login, now)
    return identity


def holding(wiring: Wiring, logins: Collection[str]) -> dict[str, Identity]:
    """Return who holds sessions that still may be used; asking is no use of them."""
    with wiring.store.reading() as session:
        return sessions.identify_all(session, logins, now=wiring.now(), seen=wiring.presence.seen())


def still(wiring: Wiring, identity: Identity) -> bool:
    """Return whether a session still holds, for the same person, role and scope; and note its use."""
    if identity.login is None:
        return False
    holds = holding(wiring, [identity.login]).get(identity.login) == identity
    if holds:
        wiring.presence.note(identity.login, wiring.now())
    return holds


def tell(wiring: Wiring) -> None:
    """Write to the database when sessions were used, and which log-ins were refused without a try."""
    told, refused = wiring.presence.seen(), wiring.refused.take()
    if not told and not refused:
        return
    try:
        with wiring.store.begin(actor=ACTOR, now=wiring.now()) as session:
            for (username, address), count in refused.items():
                audit.append(session, **Refused.link(username, address, count))
            sessions.touch_all(session, told)
    except BaseException:
        wiring.refused.put_back(refused)
        raise
    wiring.presence.drop(told)


@dataclass(frozen=True)
class Acting:
    """A write under way: its transaction, who writes as the register says now, and when."""

    session: Session
    identity: Identity
    now: dt.datetime

    @property
    def actor(self) -> str:
        """Name under which the change is logged."""
        return self.identity.username


@contextmanager
def acting(wiring: Wiring, identity: Identity, permission: Permission) -> Iterator[Acting]:
    """Open a write transaction for somebody whose session, role and scope are read again inside it.

    A page keeps the identity it was drawn for; what counts is who they are when the change is written.

    Raises
    ------
    AccountError
        `session_ended`, `forbidden`.
    """
    now = wiring.now()
    with wiring.store.begin(actor=identity.username, now=now) as session:
        fresh = sessions.confirm(session, identity, now=now, seen=wiring.presence.seen())
        require(fresh, permission)
        yield Acting(session, fresh, now)
