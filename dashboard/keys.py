"""Key files: made on first use, readable by their owner only."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from data.errors import StoreError

OWNER_ONLY = 0o600


def _make(path: Path) -> None:
    """Make a key file that is whole from its first instant on: two processes may start together."""
    aside = path.with_name(f"{path.name}.{secrets.token_hex(8)}")
    try:
        handle = os.open(aside, os.O_CREAT | os.O_EXCL | os.O_WRONLY, OWNER_ONLY)
        with os.fdopen(handle, "w") as file:
            file.write(secrets.token_hex(32))
            file.flush()
            os.fsync(file.fileno())
        os.link(aside, path)
    finally:
        aside.unlink(missing_ok=True)


def read_key(path: Path) -> bytes:
    """Return the key of seals, made on first use and readable by its owner only.

    Raises
    ------
    StoreError
        `no_audit_key` when it can be neither read nor made, or is too short.
    """
    try:
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            _make(path)
        key = path.read_bytes().strip()
    except FileExistsError:
        # Another process was faster.
        key = path.read_bytes().strip()
    except OSError as error:
        raise StoreError("no_audit_key", file=path.name) from error
    if len(key) < 32:
        raise StoreError("no_audit_key", file=path.name)
    return key
