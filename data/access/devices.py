"""STEP: browsers an account has logged in with; a stranger's wrong tries do not hold these up."""

from __future__ import annotations

import datetime as dt
import hashlib

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from data.schema import KnownDevice

KEPT = dt.timedelta(days=180)
MOST = 10
"""Devices remembered of one account."""


def device_hash(token: str, user_id: int) -> str:
    """Return the hash under which a device is kept for one account: it vouches for no other."""
    return hashlib.sha256(f"{user_id}:{token}".encode(errors="replace")).hexdigest()


def find(session: Session, token: str | None, user_id: int, *, now: dt.datetime) -> str | None:
    """Return the hash of a device that this account knows, else None."""
    if not token:
        return None
    known = session.get(KnownDevice, device_hash(token, user_id))
    return known.token_hash if known is not None and now - known.seen_at < KEPT else None


def remember(session: Session, token: str, user_id: int, *, now: dt.datetime) -> None:
    """Note that an account has logged in with a device; the ones used longest ago are forgotten."""
    key = device_hash(token, user_id)
    known = session.get(KnownDevice, key)
    if known is None:
        session.add(KnownDevice(token_hash=key, user_id=user_id, seen_at=now))
    else:
        known.seen_at = now
    session.flush()
    kept = select(KnownDevice.token_hash).where(KnownDevice.user_id == user_id)
    newest = list(session.scalars(kept.order_by(KnownDevice.seen_at.desc()).limit(MOST)))
    session.execute(
        delete(KnownDevice).where(KnownDevice.user_id == user_id, KnownDevice.token_hash.not_in(newest))
    )


def forget_all(session: Session, user_id: int) -> None:
    """Forget the devices of an account whose password somebody else has set."""
    session.execute(delete(KnownDevice).where(KnownDevice.user_id == user_id))
