"""What changed is counted by topic, in the transaction of the change, however it is written."""

from __future__ import annotations

import pytest
from sqlalchemy import delete, insert, text, update

from data.schema import Base, Institution, School, User
from data.store import Store
from data.terms import Role, Stage
from data.topics import TOPIC_OF, Topic, counters, touch
from tests.conftest import NOW

SCHOOL = {
    "name": "一小",
    "stage": Stage.PRIMARY,
    "address": "",
    "lon": 121.0,
    "lat": 40.0,
    "source_crs": "wgs84",
}


def counted(store: Store) -> dict[Topic, int]:
    """Return the counters."""
    with store.reading() as session:
        return dict(zip(Topic, counters(session, tuple(Topic)), strict=True))


def changed(store: Store, before: dict[Topic, int]) -> set[Topic]:
    """Return the topics counted since."""
    return {topic for topic, value in counted(store).items() if value != before[topic]}


def test_every_table_has_a_topic_or_is_said_to_have_none() -> None:
    """A new table cannot be forgotten: a page would show what was."""
    assert set(TOPIC_OF) == set(Base.metadata.tables)


@pytest.mark.parametrize("how", ["record", "statement", "bulk", "text", "touch", "update", "delete"])
def test_a_change_raises_its_topic(store: Store, how: str) -> None:
    """Records, bulk statements and raw SQL alike; nothing else is raised."""
    with store.begin(actor="x", now=NOW) as session:
        session.add(School(**SCHOOL))
    before = counted(store)
    with store.begin(actor="x", now=NOW) as session:
        if how == "record":
            session.add(School(**{**SCHOOL, "name": "二小"}))
        elif how == "statement":
            session.execute(insert(School).values(**{**SCHOOL, "name": "三小"}))
        elif how == "bulk":
            session.execute(insert(School.__table__), [{**SCHOOL, "name": f"{n}小"} for n in range(3)])
        elif how == "update":
            session.execute(update(School).values(address="y"))
        elif how == "delete":
            session.execute(delete(School))
        elif how == "text":
            session.execute(text("UPDATE school SET address = 'y'"))
        else:
            touch(session, Topic.PLACES)
    assert changed(store, before) == (set(Topic) if how == "text" else {Topic.PLACES})


def test_what_is_taken_back_or_only_read_raises_nothing(store: Store) -> None:
    """A rolled back change, a read, a record that was looked at."""
    before = counted(store)
    with pytest.raises(ValueError, match="stop"), store.begin(actor="x", now=NOW) as session:
        session.add(School(**SCHOOL))
        session.flush()
        raise ValueError("stop")
    with store.begin(actor="x", now=NOW) as session:
        session.query(Institution).all()
    assert changed(store, before) == set()


def test_accounts_are_a_topic_of_their_own(store: Store) -> None:
    """A new user empties no map."""
    before = counted(store)
    with store.begin(actor="x", now=NOW) as session:
        session.add(
            User(
                username="a",
                display_name="a",
                role=Role.CLERK,
                password_hash="-",
                must_change_password=False,
                active=True,
            )
        )
    assert changed(store, before) == {Topic.ACCOUNTS}
