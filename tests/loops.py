"""Coroutines of tests, run beside the browser tests' own loop."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any


def run(scene: Coroutine[Any, Any, None]) -> None:
    """Run a coroutine to its end in a thread of its own: the browser's driver keeps a loop in this one."""
    with ThreadPoolExecutor(1) as threads:
        threads.submit(asyncio.run, scene).result()
