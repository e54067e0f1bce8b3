"""What has changed: a counter a topic, raised in the transaction of the change; caches are keyed by them."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from enum import StrEnum
from typing import Any

from sqlalchemy import TextClause, event, select, update
from sqlalchemy.orm import ORMExecuteState, Session
from sqlalchemy.sql.dml import UpdateBase

from data.schema import Base, TopicCounter


class Topic(StrEnum):
    """A part of the register that views read by itself."""

    PLACES = "places"  # institutions, schools, known addresses, grid areas, roads, decisions about them
    PEOPLE = "people"  # officers, leave, recusals
    PLANS = "plans"  # plan revisions and draws
    VISITS = "visits"  # visits, findings, tips
    CALENDAR = "calendar"  # days, breaks, rounds
    CARDS = "cards"  # scorecards
    ACCOUNTS = "accounts"  # users; log-ins change no view


_T = Topic
TOPIC_OF: Mapping[str, Topic | None] = {
    "district": _T.PLACES,
    "institution": _T.PLACES,
    "school": _T.PLACES,
    "gazetteer_entry": _T.PLACES,
    "grid_area": _T.PLACES,
    "road_layer": _T.PLACES,
    "road_graph": _T.PLACES,
    "road_alias": _T.PLACES,
    "kept_calibration": _T.PLACES,
    "location_decision": _T.PLACES,
    "colocation_decision": _T.PLACES,
    "patrol_area": _T.PLACES,
    "officer": _T.PEOPLE,
    "officer_leave": _T.PEOPLE,
    "recusal": _T.PEOPLE,
    "plan_revision": _T.PLANS,
    "plan_shift": _T.PLANS,
    "plan_shift_member": _T.PLANS,
    "plan_stop": _T.PLANS,
    "plan_unserved": _T.PLANS,
    "draw": _T.PLANS,
    "visit_record": _T.VISITS,
    "finding": _T.VISITS,
    "tip": _T.VISITS,
    "calendar_day": _T.CALENDAR,
    "school_break": _T.CALENDAR,
    "coverage_round": _T.CALENDAR,
    "scorecard": _T.CARDS,
    "user": _T.ACCOUNTS,
    # Read afresh each time, or by nobody.
    "audit_event": None,
    "audit_head": None,
    "earlier_password": None,
    "job": None,
    "known_device": None,
    "login_session": None,
    "login_try": None,
    "topic_counter": None,
}
"""The topic of every table; a test checks that none is forgotten."""

_TOUCHED = "topics"
_WRITES = re.compile(r"\s*(INSERT|UPDATE|DELETE|REPLACE|TRUNCATE|WITH)\b", re.IGNORECASE)


def touch(session: Session, *topics: Topic) -> None:
    """Say that a write transaction changes topics, for statements that no session sees."""
    session.info.setdefault(_TOUCHED, set()).update(topics)


def counters(session: Session, topics: Collection[Topic]) -> tuple[int, ...]:
    """Return the counters of topics, in the order of `Topic`."""
    found = dict(session.execute(select(TopicCounter.topic, TopicCounter.value)).tuples().all())
    return tuple(found.get(topic.value, 0) for topic in Topic if topic in topics)


def listen(session_class: type[Session]) -> None:
    """Make every change that `session_class` writes raise the counters of its topics."""
    event.listen(session_class, "before_flush", _note_records)
    event.listen(session_class, "do_orm_execute", _note_statement)
    event.listen(session_class, "before_commit", _raise)


def _note(session: Session, table: str) -> None:
    topic = TOPIC_OF.get(table)
    if topic is not None:
        touch(session, topic)


def _note_records(session: Session, *_: object) -> None:
    changed = [record for record in session.dirty if session.is_modified(record)]
    for record in (*session.new, *changed, *session.deleted):
        if isinstance(record, Base):
            _note(session, record.__tablename__)


def _note_statement(state: ORMExecuteState) -> None:
    statement: Any = state.statement
    if isinstance(statement, UpdateBase):
        _note(state.session, getattr(statement.table, "name", ""))
    elif isinstance(statement, TextClause) and _WRITES.match(statement.text):
        touch(state.session, *Topic)


def _raise(session: Session) -> None:
    session.flush()
    # In one order, so that two writers never wait for each other crosswise.
    for topic in sorted(session.info.pop(_TOUCHED, ())):
        session.execute(
            update(TopicCounter)
            .where(TopicCounter.topic == topic.value)
            .values(value=TopicCounter.value + 1)
            .execution_options(synchronize_session=False)
        )
