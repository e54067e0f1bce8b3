"""What is costly to build and only read or copied: built once for all workers of a run."""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest


def once(factory: pytest.TempPathFactory, name: str, build: Callable[[Path], None]) -> Path:
    """Return a folder that `build` has filled; the first worker to ask builds, the others wait for it.

    Nobody may write to it: `copied` gives a folder of one's own.
    """
    base = factory.getbasetemp()
    root = base.parent if os.environ.get("PYTEST_XDIST_WORKER") else base
    folder, unfinished = root / f"shared-{name}", root / f"unfinished-{name}"
    with (root / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not folder.exists():
            # What a failed build has left is no district.
            shutil.rmtree(unfinished, ignore_errors=True)
            unfinished.mkdir()
            build(unfinished)
            unfinished.rename(folder)
    return folder


def copied(shared: Path, folder: Path) -> Path:
    """Copy a shared folder's files into `folder` and return that."""
    return Path(shutil.copytree(shared, folder, dirs_exist_ok=True))
