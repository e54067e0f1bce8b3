"""Refused log-ins that cost nothing to make: counted in memory, written to the audit log in bulk."""

from __future__ import annotations

import threading
from collections import Counter
from typing import Any

MOST_KEPT = 2000


class Refused:
    """Counts of refused tries by account and address since they were last written down."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts: Counter[tuple[str | None, str]] = Counter()

    def note(self, username: str | None, address: str) -> None:
        """Count a try for an account (None for a name that does not exist) from an address."""
        key = (username, address)
        with self._lock:
            if key not in self._counts and len(self._counts) >= MOST_KEPT:
                key = (None, "")
            self._counts[key] += 1

    def take(self) -> Counter[tuple[str | None, str]]:
        """Return the counts and begin anew."""
        with self._lock:
            counts, self._counts = self._counts, Counter()
        return counts

    def put_back(self, counts: Counter[tuple[str | None, str]]) -> None:
        """Count again what could not be written."""
        with self._lock:
            self._counts.update(counts)

    @staticmethod
    def link(username: str | None, address: str, tries: int) -> dict[str, Any]:
        """Return the link of refused tries; a name that does not exist may be a mistyped password."""
        return {
            "action": "login_refused",
            "entity": "user",
            "entity_key": username or "unknown",
            "after": {"address": address, "tries": tries},
        }
