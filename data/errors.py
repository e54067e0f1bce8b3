"""Errors of the register: each has a code and fields; the user's sentence is chosen in dashboard.i18n."""

from __future__ import annotations


class DataError(Exception):
    """Base of all errors of this package.

    Parameters
    ----------
    code
        Stable identifier, also the key of the sentence shown to users.
    **fields
        Values named in that sentence.
    """

    def __init__(self, code: str, **fields: object) -> None:
        super().__init__(f"{code}: {fields}" if fields else code)
        self.code = code
        self.fields = fields


class SheetError(DataError):
    """A table file cannot be read as a whole: type, size, header."""


class StoreError(DataError):
    """The database is missing, out of date or not reachable."""


class AccountError(DataError):
    """A log-in, password or permission is refused."""


class CalendarError(DataError):
    """A calendar table is broken or does not cover what was asked."""


class RegisterError(DataError):
    """A register record is missing or a change of it is not allowed."""


class JobError(DataError):
    """A queued job is missing or in the wrong state."""
