"""Draws (双随机) at the doors: a fresh commitment, and whether a seed may be told yet."""

from __future__ import annotations

import datetime as dt
import secrets
from dataclasses import replace

from sqlalchemy.orm import Session

from planner.lottery import SALT_BYTES, SEED_BITS, Committed, commit_draw, list_draws
from planner.options import PlanOptions


def commit_fresh(
    session: Session, options: PlanOptions, *, actor: str, now: dt.datetime, today: dt.date
) -> Committed:
    """Commit to a seed and salt that nobody knows yet, for the period, round and shares of `options`.

    Raises
    ------
    PlannerError
        As `planner.lottery.commit_draw`.
    """
    return commit_draw(
        session,
        options=replace(options, seed=secrets.randbits(SEED_BITS)),
        salt=secrets.token_hex(SALT_BYTES),
        actor=actor,
        now=now,
        today=today,
    )


def is_secret(session: Session, code: str | None) -> bool:
    """Return whether a plan's draw is not revealed yet, so that its seed must not be shown."""
    if code is None:
        return False
    return not any(draw.code == code and draw.revealed_at is not None for draw in list_draws(session))
