"""Many records written at once: what the unit of work would have written, logged in lots."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from data import audit, chain, topics
from data.bulk import insert_rows, update_rows
from data.schema import AuditEvent, GazetteerEntry, Officer
from data.store import Store
from data.topics import Topic
from tests.conftest import NOW

COUNT = 2 * audit.LOT + 1


def places(*, lat: float) -> list[dict[str, object]]:
    """Return rows of known addresses."""
    return [
        {"name": f"院{n}", "address": f"甲路{n}号", "lon": 121.0, "lat": lat, "source_crs": "wgs84"}
        for n in range(COUNT)
    ]


def test_every_value_of_every_record_is_in_the_log(store: Store) -> None:
    """A few links tell of hundreds of records, before and after, and the chain holds."""
    with store.begin(actor="clerk", now=NOW) as session:
        insert_rows(session, GazetteerEntry, places(lat=31.0))
    with store.reading() as session:
        seen = topics.counters(session, (Topic.PLACES,))
        stored = session.execute(select(GazetteerEntry.id, GazetteerEntry.lat)).all()
    with store.begin(actor="clerk", now=NOW) as session:
        before = [{"id": number, "lat": lat} for number, lat in stored]
        update_rows(session, GazetteerEntry, before=before, after=[{**row, "lat": 31.5} for row in before])
    with store.reading() as session:
        assert set(session.scalars(select(GazetteerEntry.lat))) == {31.5}
        assert topics.counters(session, (Topic.PLACES,)) > seen
        links = session.scalars(select(AuditEvent).order_by(AuditEvent.sequence)).all()
        assert [(link.action, link.entity_key) for link in links] == [
            (action, f"{count} records") for action in ("insert", "update") for count in (200, 200, 1)
        ]
        told = links[0].after
        assert told is not None
        assert told["columns"] == ["address", "lat", "lon", "name", "source_crs"]
        addresses = [row[0] for link in links[:3] for row in (link.after or {})["rows"]]
        assert addresses == [f"甲路{n}号" for n in range(COUNT)]
        assert (links[-1].before, links[-1].after) == (
            {"columns": ["id", "lat"], "rows": [[COUNT, 31.0]]},
            {"columns": ["id", "lat"], "rows": [[COUNT, 31.5]]},
        )
        assert chain.verify(session) is None


def test_numbers_are_masked_in_lots_too(store: Store) -> None:
    """What a single link would not show, a lot does not show."""
    with store.begin(actor="clerk", now=NOW) as session:
        people = [
            {"code": "01", "name": "甲", "department": "教育局", "certificate_no": "L-7788", "leads": False}
        ]
        insert_rows(session, Officer, people)
    with store.reading() as session:
        (link,) = session.scalars(select(AuditEvent)).all()
        assert "L-7788" not in str(link.after)
        assert "masked:" in str(link.after)


def test_nothing_is_logged_for_nothing(store: Store) -> None:
    """No rows, no link; an undone transaction leaves neither rows nor links."""
    with store.begin(actor="clerk", now=NOW) as session:
        insert_rows(session, GazetteerEntry, [])
    with pytest.raises(KeyError), store.begin(actor="clerk", now=NOW) as session:
        insert_rows(session, GazetteerEntry, places(lat=31.0))
        raise KeyError
    with store.reading() as session:
        assert audit.read_head(session) == (0, audit.GENESIS)
        assert session.scalars(select(GazetteerEntry)).all() == []
