"""Cached reads: kept until a topic they read changes, made once however many ask, bounded in number."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar, cast

from sqlalchemy.orm import Session

from dashboard.wiring import Wiring
from data.topics import Topic, counters

T = TypeVar("T")
EVERYTHING = tuple(Topic)
AT_ONCE = 3
"""Values made at the same time in all: more would only take the interpreter from pages that wait for none."""

_MOST_KEPT = 96
_MISSING = object()


class _Turns:
    """Lets a few threads at a time make values; what is made for another value needs no turn of its own."""

    def __init__(self, at_once: int) -> None:
        self._free = threading.BoundedSemaphore(at_once)
        self._local = threading.local()

    @contextmanager
    def take(self) -> Iterator[None]:
        """Hold a turn, waiting for one unless this thread has it already."""
        if getattr(self._local, "held", False):
            yield
            return
        with self._free:
            self._local.held = True
            try:
                yield
            finally:
                self._local.held = False


_TURNS = _Turns(AT_ONCE)


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
            kept, others, _ = self._look(key, begin=False)
            if kept is not _MISSING:
                return cast(T, kept)
            if others is not None:
                others.wait()
                continue
            # The turn comes before the key: nobody who makes a value waits for a turn.
            with _TURNS.take():
                kept, others, mine = self._look(key, begin=True)
                if kept is _MISSING and others is None:
                    return self._make(key, make, cast(threading.Event, mine))

    def _look(
        self, key: tuple[object, ...], *, begin: bool
    ) -> tuple[object, threading.Event | None, threading.Event | None]:
        """Return the value, who is making it, and, to `begin` making it, the sign to give at the end."""
        with self._lock:
            kept = self._kept.get(key, _MISSING)
            if kept is not _MISSING:
                self._kept.move_to_end(key)
                return kept, None, None
            others = self._making.get(key)
            mine = threading.Event() if begin and others is None else None
            if mine is not None:
                self._making[key] = mine
            return _MISSING, others, mine

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
