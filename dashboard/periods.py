"""Periods people ask for in a link or a form: long enough for a year's comparison, never for all time."""

from __future__ import annotations

import datetime as dt

from data.errors import DataError

FIRST_DAY = dt.date(2015, 1, 1)
MOST_DAYS = 400
AHEAD_DAYS = 400
"""How far beyond today a period may reach."""


class QueryError(DataError):
    """A query parameter cannot be read or asks for too much."""


def last_day(today: dt.date) -> dt.date:
    """Return the last day a period may hold."""
    return today + dt.timedelta(days=AHEAD_DAYS)


def bounded(first: dt.date, last: dt.date, *, today: dt.date) -> tuple[dt.date, dt.date]:
    """Return a period that may be asked for.

    Raises
    ------
    QueryError
        `bad_date` when it is reversed, `period_too_long` when it is longer than `MOST_DAYS` or lies outside
        what is held.
    """
    if first > last:
        raise QueryError("bad_date")
    if (last - first).days > MOST_DAYS or first < FIRST_DAY or last > last_day(today):
        raise QueryError("period_too_long", most=MOST_DAYS, first=FIRST_DAY, last=last_day(today))
    return first, last
