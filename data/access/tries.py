"""STEP: log-in tries counted by address, name and device; each further failure makes the next one wait."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from data.schema import LoginTry

FORGET = dt.timedelta(hours=1)
"""A counter without a failure for so long is forgotten."""
_SKEW = dt.timedelta(minutes=1)


@dataclass(frozen=True)
class Pace:
    """How failures slow the next try: `free` of them cost nothing, then 1, 2, 4 ... to `most_s` seconds."""

    free: int
    most_s: int

    def wait_s(self, failures: int) -> int:
        """Return the seconds to wait after so many failures."""
        beyond = failures - self.free
        return 0 if beyond <= 0 else min(self.most_s, 2 ** min(beyond - 1, 20))


# An office sits behind one address, and anybody may type anybody's name: neither may lock people out, so a
# name waits a minute at most, and a browser that this account has used before is not held up by either.
PACES: Mapping[str, Pace] = {
    "address": Pace(free=10, most_s=300),
    "name": Pace(free=5, most_s=60),
    "device": Pace(free=5, most_s=300),
}


def keys_of(*, name: str, address: str, device: str | None) -> tuple[str, ...]:
    """Return the counters a try is held against: its device's alone where the account knows it.

    Parameters
    ----------
    device
        Hash of the token of a device that this account knows, None for any other.
    """
    if device is not None:
        return (f"device:{device}",)
    # Names that do not exist are counted alike, and no name typed in error is kept in clear.
    named = hashlib.sha256(name.casefold().encode(errors="replace")).hexdigest()
    return (f"address:{address[:60]}", f"name:{named}")


def wait_s(session: Session, keys: Iterable[str], *, now: dt.datetime) -> int:
    """Return how many seconds the next try must wait, 0 for none."""
    longest = 0
    for row in session.scalars(select(LoginTry).where(LoginTry.key.in_(list(keys)))):
        past = _past(row, now)
        if past is not None:
            due = PACES[row.key.partition(":")[0]].wait_s(row.failures) - past.total_seconds()
            longest = max(longest, -int(-due // 1))
    return longest


def _past(row: LoginTry, now: dt.datetime) -> dt.timedelta | None:
    """Return how long ago a counter's last failure was, None for one that holds nobody up any more."""
    past = now - row.last_at
    # A clock set back must not lengthen a wait; one try of several at once may be older than the last noted.
    return max(past, dt.timedelta(0)) if -_SKEW <= past < FORGET else None


def count_failure(session: Session, keys: Iterable[str], *, now: dt.datetime) -> None:
    """Note a wrong password against every counter."""
    for key in sorted(keys):
        row = session.get(LoginTry, key, with_for_update=True)
        if row is None:
            session.add(LoginTry(key=key, failures=1, last_at=now))
            continue
        stale = _past(row, now) is None
        row.failures, row.last_at = (
            (1 if stale else row.failures + 1),
            (now if stale else max(now, row.last_at)),
        )
    session.flush()


def forget(session: Session, keys: Iterable[str], *, now: dt.datetime) -> None:
    """Forget the counters of a name and device that have logged in, and all that have run out.

    The address keeps its own: who knows one password may still be guessing another.
    """
    named = [key for key in keys if not key.startswith("address:")]
    session.execute(delete(LoginTry).where(LoginTry.key.in_(named) | (LoginTry.last_at < now - FORGET)))
