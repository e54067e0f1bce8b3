"""Answers of online geocoders, kept in one file so that no address is sent twice."""

from __future__ import annotations

import hashlib
import json
import sqlite3
from contextlib import closing
from dataclasses import asdict
from pathlib import Path

from geo.gazetteer.matches import Level
from geo.online.providers import Found

_TABLE = (
    "create table if not exists answers "
    "(provider text, digest text, answer text, at_s real, primary key (provider, digest))"
)


class Answers:
    """A SQLite file of answers by provider and the digest of what was asked; what the service
    matched is kept in plain.

    Parameters
    ----------
    path : Path
        The file; made when missing.
    keep_s : float
        Seconds after which an answer is asked for again.
    """

    def __init__(self, path: Path, *, keep_s: float) -> None:
        self._path, self._keep_s = path, keep_s
        path.parent.mkdir(parents=True, exist_ok=True)
        with closing(sqlite3.connect(path)) as file, file:
            file.execute(_TABLE)

    def get(self, provider: str, asked: str, *, now_s: float) -> Found | None:
        """Give the kept answer to what was asked, None when there is none or it is too old."""
        with closing(sqlite3.connect(self._path)) as file:
            row = file.execute(
                "select answer, at_s from answers where provider = ? and digest = ?",
                (provider, _digest(provider, asked)),
            ).fetchone()
        if row is None or not 0.0 <= now_s - row[1] < self._keep_s:
            return None
        kept = json.loads(row[0])
        return Found(**{**kept, "level": Level(kept["level"])})

    def put(self, provider: str, asked: str, found: Found, *, now_s: float) -> None:
        """Keep an answer in place of an older one; answers of every provider that are too old go."""
        with closing(sqlite3.connect(self._path)) as file, file:
            file.execute("delete from answers where at_s < ?", (now_s - self._keep_s,))
            file.execute(
                "insert or replace into answers values (?, ?, ?, ?)",
                (provider, _digest(provider, asked), json.dumps(asdict(found)), now_s),
            )


def _digest(provider: str, asked: str) -> str:
    return hashlib.sha256(f"{provider}\n{asked}".encode()).hexdigest()
