"""Cached values are made once, kept while fresh, and bounded."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from dashboard.parts.cache import AT_ONCE, Shelf, cached
from dashboard.settings import Settings
from dashboard.wiring import assemble
from data.store import Store
from data.topics import Topic, touch
from tests.conftest import NOW


def test_a_value_is_made_once_however_many_ask() -> None:
    """Twenty threads, one maker; the others get what it made."""
    shelf, made, gate = Shelf(), [], threading.Event()

    def make() -> object:
        gate.wait(5)
        made.append(object())
        return made[-1]

    found: list[object] = []
    threads = [threading.Thread(target=lambda: found.append(shelf.get(("k",), make))) for _ in range(20)]
    for thread in threads:
        thread.start()
    gate.set()
    for thread in threads:
        thread.join(5)
    assert len(made) == 1 and found == made * 20


def test_few_values_are_made_at_once_and_what_they_need_takes_no_turn() -> None:
    """Twenty values, each made of a common one and one of its own: never more than a few at once."""
    shelf, lock, running, most = Shelf(), threading.Lock(), [0], [0]

    def make(number: int) -> int:
        with lock:
            running[0] += 1
            most[0] = max(most[0], running[0])
        common = shelf.get(("common",), lambda: 1)
        own = shelf.get(("own", number), lambda: number)
        with lock:
            running[0] -= 1
        return common + own

    found: list[int] = []
    threads = [
        threading.Thread(target=lambda n=n: found.append(shelf.get((n,), lambda: make(n))))  # type: ignore[misc]
        for n in range(20)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(5)
    assert sorted(found) == list(range(1, 21)) and most[0] <= AT_ONCE


def test_a_failed_maker_leaves_the_place_to_the_next() -> None:
    """Its own caller sees the error, the key is free again."""
    shelf = Shelf()
    with pytest.raises(ZeroDivisionError):
        shelf.get(("k",), lambda: 1 // 0)
    assert shelf.get(("k",), lambda: None) is None
    assert shelf.get(("k",), lambda: 1 // 0) is None


def test_the_least_used_value_goes_first() -> None:
    """A shelf holds no more than it may."""
    shelf = Shelf(most=2)
    for key in ("a", "b", "a", "c"):
        shelf.get((key,), lambda key=key: key)  # type: ignore[misc]
    assert shelf.get(("a",), lambda: "anew") == "a"
    assert shelf.get(("b",), lambda: "anew") == "anew"


def test_a_value_is_kept_until_its_own_topic_changes(store: Store, tmp_path: Path) -> None:
    """A visit does not empty what is made of places alone."""
    wiring = assemble(Settings(database=store.url.render_as_string(), var=tmp_path))
    made: list[int] = []

    def read() -> int:
        return cached(wiring, "test", (), lambda _: made.append(1) or len(made), topics=(Topic.PLACES,))

    assert (read(), read()) == (1, 1)
    for topic, expected in ((Topic.VISITS, 1), (Topic.ACCOUNTS, 1), (Topic.PLACES, 2)):
        with store.begin(actor="x", now=NOW) as session:
            touch(session, topic)
        assert read() == expected
    wiring.close()
