"""Cached reads: kept until a topic they read changes, made once however many ask, bounded in number."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Collection
from typing import Any, TypeVar, cast

from sqlalchemy.orm import Session

from dashboard.wiring import Wiring
from data.topics import Topic, counters

T = TypeVar("T")
EVERYTHING = tuple(Topic)
_MOST_KEPT = 96
_MISSING = object()


class Shelf:
    """A bounded store of computed values; the counters in each key make old ones fall out of use.

    Values are made in the thread that asks first; who asks for the same meanwhile waits for that one.
    """

    def __init__(self, most: int = _MOST_KEPT) -> None:
        self._most = most
        self._kept: OrderedDict[tuple[object, ...], Any] = OrderedDict()
        self._making: dict[tuple[object, ...], threading.Event] = {}
        self._lock = threading.Lock()

    def get(self, key: tuple[object, ...], make: Callable[[], T]) -> T:
        """Return the value under `key`, made on first use; where making it fails, the next one tries."""
        while True:
            with self._lock:
                kept = self._kept.get(key, _MISSING)
                if kept is not _MISSING:
                    self._kept.move_to_end(key)
                    return cast(T, kept)
                others = self._making.get(key)
                if others is None:
                    mine = self._making[key] = threading.Event()
            if others is None:
                return self._make(key, make, mine)
            others.wait()

    def _make(self, key: tuple[object, ...], make: Callable[[], T], done: threading.Event) -> T:
        try:
            value = make()
            with self._lock:
                self._kept[key] = value
                while len(self._kept) > self._most:
                    self._kept.popitem(last=False)
            return value
        finally:
            with self._lock:
                del self._making[key]
            done.set()


_SHELF = Shelf()


def counter(wiring: Wiring, topics: Collection[Topic] = EVERYTHING) -> tuple[int, ...]:
    """Return the counters of what has changed in the register."""
    with wiring.store.reading() as session:
        return counters(session, topics)


def kept(
    wiring: Wiring,
    name: str,
    parts: tuple[object, ...],
    make: Callable[[], T],
    *,
    topics: Collection[Topic] = EVERYTHING,
) -> T:
    """Return what `make` gives of other cached reads, kept under `name` and `parts` until a topic changes."""
    return _SHELF.get((str(wiring.store.url), name, counter(wiring, topics), *parts), make)


def cached(
    wiring: Wiring,
    name: str,
    parts: tuple[object, ...],
    read: Callable[[Session], T],
    *,
    topics: Collection[Topic] = EVERYTHING,
) -> T:
    """Return what `read` gives, kept under `name` and `parts` until one of the topics changes."""

    def make() -> T:
        # A session of its own: who waits for somebody else's work holds no connection meanwhile.
        with wiring.store.reading() as session:
            return read(session)

    return kept(wiring, name, parts, make, topics=topics)
