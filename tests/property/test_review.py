"""Whatever people decide in whatever order, undoing everything leaves the register as it was."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import select
from sqlalchemy.orm import Session

from data import chain
from data.schema import GazetteerEntry, Institution, LocationDecision, RoadAlias
from data.schema.base import Base
from data.store import Store
from geo.errors import ReviewError
from geo.gazetteer.calibration import Calibration
from geo.locate import build_geocoder, locate
from geo.review import queue as review
from geo.review.lessons import values_of
from tests.conftest import NOW
from tests.register import add_institution
from tests.streets import add_streets, door

ADDRESSES = ("红星路12号", "红星路20号", "月亮湾大厦", "月亮湾大厦", "红旗路中段", "兴业路4号", "兴业路")
TABLES: tuple[type[Base], ...] = (Institution, GazetteerEntry, RoadAlias)
DOORS = st.tuples(st.integers(0, 2), st.sampled_from([2, 12, 20]))
STEPS = st.one_of(
    st.tuples(st.just("set"), st.integers(1, len(ADDRESSES)), DOORS),
    st.tuples(st.just("candidate"), st.integers(1, len(ADDRESSES))),
    st.tuples(st.just("accept"), st.sampled_from([0.0, 0.3])),
    st.tuples(st.just("undo"), st.integers(0, 5)),
)


@pytest.fixture(scope="module")
def located(migrated_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, Any]]:
    """A located register, to be copied, and the error radii of its gazetteer."""
    path = tmp_path_factory.mktemp("located") / "register.db"
    shutil.copy(migrated_file, path)
    store = Store(f"sqlite:///{path}")
    with store.begin(actor="fixture", now=NOW) as session:
        add_streets(session)
        for number, address in enumerate(ADDRESSES, start=1):
            add_institution(session, number, at=None, address=address)
        locate(session)
        known = build_geocoder(session)
        assert known is not None
    with store.engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    store.close()
    yield path, known.calibration


def state(session: Session) -> dict[str, list[str]]:
    """Return everything a decision may change."""
    return {
        t.__tablename__: sorted(str(values_of(record)) for record in session.scalars(select(t)))
        for t in TABLES
    }


def standing(session: Session) -> list[int]:
    """Return the decisions that stand, newest first."""
    chosen = select(LocationDecision.id).where(LocationDecision.undone_at.is_(None))
    return list(session.scalars(chosen.order_by(LocationDecision.id.desc())))


def do(session: Session, step: tuple[Any, ...], calibration: Calibration) -> None:
    """Do one step as people do; what is refused changes nothing."""
    known = build_geocoder(session, calibration=calibration)
    who: dict[str, Any] = {"actor": "clerk", "now": NOW}
    if step[0] == "set":
        review.set_point(session, step[1], *door(*step[2]), geocoder=known, **who)
    elif step[0] == "candidate":
        for match in review.find_candidates(session, step[1], limit=1, geocoder=known):
            assert match.lon is not None and match.lat is not None
            review.set_point(
                session, step[1], match.lon, match.lat, source="candidate", geocoder=known, **who
            )
    elif step[0] == "accept":
        review.accept_above(session, step[1], geocoder=known, **who)
    elif numbers := standing(session)[step[1] : step[1] + 1]:
        before = state(session)
        try:
            review.undo(session, numbers[0], **who)
        except ReviewError as refusal:
            assert refusal.code == "newer_decision"
            assert state(session) == before


@settings(max_examples=25, deadline=None)
@given(steps=st.lists(STEPS, min_size=1, max_size=7))
def test_undoing_everything_leaves_no_trace_but_the_log(
    located: tuple[Path, Calibration], steps: list[tuple[Any, ...]]
) -> None:
    """Locations, known addresses and learned names; the decisions and the audit chain stay."""
    source, calibration = located
    with tempfile.TemporaryDirectory() as folder:
        path = shutil.copy(source, Path(folder) / "register.db")
        store = Store(f"sqlite:///{path}")
        with store.begin(actor="clerk", now=NOW) as session:
            before = state(session)
            for step in steps:
                do(session, step, calibration)
            for number in standing(session):
                review.undo(session, number, actor="lead", now=NOW)
            session.expire_all()
            assert state(session) == before
        with store.reading() as session:
            assert state(session) == before
            assert chain.first_break(session) is None
        store.close()
