"""When log-in sessions were last used, kept in memory until the database is told."""

from __future__ import annotations

import datetime as dt
import threading


class Seen:
    """When sessions were last used; told to the database from time to time, so that no read writes."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._seen: dict[str, dt.datetime] = {}

    def note(self, login: str, now: dt.datetime) -> None:
        """Note that a session was used."""
        with self._lock:
            self._seen[login] = now

    def seen(self) -> dict[str, dt.datetime]:
        """Return when sessions were used since they were last told."""
        with self._lock:
            return dict(self._seen)

    def drop(self, told: dict[str, dt.datetime]) -> None:
        """Forget what the database has been told."""
        with self._lock:
            for login, at in told.items():
                if self._seen.get(login) == at:
                    del self._seen[login]
