"""The audit chain's heads kept outside the database, each sealed with a key and with the one before it."""

from __future__ import annotations

import datetime as dt
import hmac
import json
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from threading import Event, Thread
from typing import Any

from sqlalchemy.orm import Session

from dashboard.keys import OWNER_ONLY, read_key
from dashboard.logs import get_logger
from dashboard.wiring import Wiring
from data import audit, chain
from data.errors import DataError, StoreError

DAY_S = 86_400.0
_LOG = get_logger("audit")


@dataclass(frozen=True)
class Fault:
    """A kept head that does not hold: its line (from 1), its sequence, and the kind of fault.

    `kind` is `empty` (no head at all), `unreadable`, `seal` (the file was changed, or the key is another),
    `cut` (the chain ends before it) or `rewritten` (the link there is another).
    """

    line: int
    sequence: int
    kind: str


def keep_head(wiring: Wiring, *, key: bytes) -> dict[str, Any]:
    """Append the chain's head to the file of heads and return it.

    Raises
    ------
    StoreError
        `heads_not_kept` when the file cannot be written, and as `Store.reading`.
    """
    path = wiring.settings.audit_heads
    with wiring.store.reading() as session:
        sequence, chain_hash = audit.read_head(session)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(path, os.O_CREAT | os.O_APPEND | os.O_RDWR, OWNER_ONLY)
        with os.fdopen(handle, "a+", errors="replace") as file:
            # Two servers may keep a head in the same instant; each seals the line before its own.
            _hold(file.fileno())
            file.seek(0)
            kept = file.read()
            head = _seal(key, kept.splitlines()[-1:], sequence, chain_hash, wiring.now())
            # A power cut may have left half a line: this one must not become part of it.
            file.write(("" if not kept or kept.endswith("\n") else "\n") + json.dumps(head) + "\n")
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise StoreError("heads_not_kept", file=path.name) from error
    return head


def _hold(handle: int) -> None:
    """Keep other processes from writing until the file is closed, where the system can."""
    if sys.platform != "win32":
        import fcntl

        fcntl.flock(handle, fcntl.LOCK_EX)


def _seal(
    key: bytes, before: Sequence[str], sequence: int, chain_hash: str | None, at: dt.datetime
) -> dict[str, Any]:
    head = {"sequence": sequence, "hash": chain_hash, "at": at.isoformat()}
    return {**head, "seal": _mac(key, before[0] if before else "", head)}


def _mac(key: bytes, before: str, head: dict[str, Any]) -> str:
    return hmac.new(key, f"{before}\n{json.dumps(head, sort_keys=True)}".encode(), "sha256").hexdigest()


def check_heads(session: Session, lines: Sequence[str], *, key: bytes) -> Fault | None:
    """Return the first kept head that does not hold against the chain, or None."""
    newest, _ = audit.read_head(session)
    before = ""
    if not lines:
        return Fault(0, 0, "empty")
    for number, line in enumerate(lines, start=1):
        try:
            head = json.loads(line)
            seal, sequence, chain_hash = head.pop("seal"), int(head["sequence"]), head["hash"]
        except (ValueError, KeyError, TypeError, AttributeError):
            return Fault(number, 0, "unreadable")
        if not hmac.compare_digest(str(seal), _mac(key, before, head)):
            return Fault(number, sequence, "seal")
        if sequence > newest:
            return Fault(number, sequence, "cut")
        if chain.hash_at(session, sequence) != chain_hash:
            return Fault(number, sequence, "rewritten")
        before = line
    return None


class Anchor:
    """Keeps the head at once and every day, and looks at the last day's links and the kept heads first."""

    def __init__(self, wiring: Wiring) -> None:
        self._wiring = wiring
        self._stopping = Event()
        self.broken: int | None = None
        self._thread = Thread(target=self._keep, name="anchor", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End."""
        self._stopping.set()
        self._thread.join(5.0)

    def _keep(self) -> None:
        while not self._stopping.is_set():
            try:
                self.look()
            except DataError as error:
                # The office works on; the next day, or the next start, tries again.
                _LOG.error("head_not_kept", error=error.code)
            self._stopping.wait(DAY_S)

    def look(self) -> None:
        """Verify the links of the last day, hold the kept heads against the log, and keep the head.

        Raises
        ------
        StoreError
            As `keep_head`.
        """
        key, heads = read_key(self._wiring.settings.audit_key), self._wiring.settings.audit_heads
        lines = heads.read_text(errors="replace").splitlines() if heads.is_file() else []
        with self._wiring.store.reading() as session:
            since = chain.first_since(session, self._wiring.now() - dt.timedelta(days=1))
            broken: chain.Break | Fault | None = chain.verify(session, first=since)
            # Links that were all sealed anew hold among themselves; only what was kept elsewhere tells.
            broken = broken or (check_heads(session, lines, key=key) if lines else None)
        self.broken = None if broken is None else broken.sequence
        if broken is not None:
            _LOG.error("audit_broken", sequence=broken.sequence, kind=broken.kind)
        keep_head(self._wiring, key=key)


_installed: list[Anchor] = []


def start(wiring: Wiring) -> Anchor:
    """Keep the chain's head outside the database while the server runs."""
    anchor = Anchor(wiring)
    _installed[:] = [anchor]
    return anchor


def broken_link() -> int | None:
    """Return the broken link that the server found in the last day's, or None."""
    return next((anchor.broken for anchor in _installed), None)
