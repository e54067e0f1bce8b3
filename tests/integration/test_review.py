"""The review queue: what people decide about locations, what it teaches, and taking it back exactly."""

from __future__ import annotations

import datetime as dt
import math
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from data import chain
from data.accounts import Identity
from data.register.institutions import import_register
from data.register.surroundings import import_gazetteer
from data.schema import AuditEvent, GazetteerEntry, GridArea, Institution, LocationDecision, RoadAlias
from data.schema.base import Base
from data.store import Store
from data.terms import LocationSource, Role, SiteStatus
from geo.crs import to_wgs84
from geo.errors import ReviewError
from geo.locate import locate
from geo.review import queue as review
from geo.review.decisions import count_decided, list_decisions
from geo.review.lessons import values_of
from geo.review.queue import Source, Why
from tests.conftest import NOW
from tests.register import add_grid, add_institution
from tests.streets import GRIDS, add_streets, door

LATER = NOW + dt.timedelta(hours=2)
MOON, STAR, TYPO, VAGUE, FAR, SURE = 1, 2, 3, 4, 5, 6
ADDRESSES = {
    MOON: "月亮湾大厦3楼",
    STAR: "月亮湾大厦5楼",
    TYPO: "红星路12号",
    VAGUE: "红旗路中段",
    FAR: "兴业路4号",
    SURE: "柏灵寺路8号201室",
}


@pytest.fixture
def desk(store: Store) -> Store:
    """A register with one place of each sort, located."""
    return fill(store)


def fill(store: Store) -> Store:
    """Add the streets and one place of each sort, and locate them."""
    with store.begin(actor="fixture", now=NOW) as session:
        add_streets(session)
        for number, address in ADDRESSES.items():
            assert add_institution(session, number, at=None, address=address) == number
        locate(session)
        far = session.get_one(Institution, FAR)
        far.lon, far.grid_id, far.grid_code, far.subdistrict = 121.4, None, None, None
    return store


def state(store: Store) -> dict[str, Any]:
    """Return everything a decision may change, but for the decisions."""
    with store.reading() as session:
        tables: tuple[type[Base], ...] = (Institution, GazetteerEntry, RoadAlias)
        return {
            table.__tablename__: sorted(map(str, map(values_of, session.scalars(select(table)))))
            for table in tables
        }


def put(store: Store, key: int, at: tuple[float, float], *, actor: str = "clerk", **options: Any) -> int:
    """Set a point and return the decision's number."""
    with store.begin(actor=actor, now=LATER) as session:
        return review.set_point(session, key, *at, actor=actor, now=LATER, **options).id


def take(store: Store, what: int | str) -> list[int]:
    """Undo and return the numbers of what was undone."""
    with store.begin(actor="lead", now=LATER) as session:
        return [item.id for item in review.undo(session, what, actor="lead", now=LATER)]


def place(store: Store, key: int) -> Institution:
    """Return an institution."""
    with store.reading() as session:
        return session.get_one(Institution, key)


def waiting(store: Store, identity: Identity | None = None) -> list[tuple[int, Why]]:
    """Return the queue."""
    with store.reading() as session:
        return [(row.institution_id, row.why) for row in review.list_queue(session, identity=identity)]


def refused(store: Store, key: int, at: tuple[float, float], **options: Any) -> str:
    """Return the code with which a point is refused; nothing is changed."""
    before = state(store)
    with pytest.raises(ReviewError) as refusal:
        put(store, key, at, **options)
    assert state(store) == before
    return refusal.value.code


def test_the_queue_lists_the_worst_first_and_nothing_sure(desk: Store) -> None:
    """Unplaced, outside, doubtful; deregistered ones are nobody's work."""
    assert waiting(desk) == [
        (MOON, Why.UNPLACED),
        (STAR, Why.UNPLACED),
        (TYPO, Why.UNPLACED),
        (FAR, Why.OUTSIDE),
        (VAGUE, Why.DOUBTFUL),
    ]
    with desk.begin(actor="t", now=NOW) as session:
        session.get_one(Institution, STAR).status = SiteStatus.DEREGISTERED
    assert STAR not in [key for key, _ in waiting(desk)]
    with desk.reading() as session:
        row = review.list_queue(session)[-1]
    assert (row.code, row.level, row.score, row.matched_text) == ("doubtful", "road", 0.28, "红旗路")
    assert row.error_radius_m is not None and row.error_radius_m > 400


def test_a_scope_narrows_the_queue_and_what_may_be_set(desk: Store) -> None:
    """Who sees one grid area only, reviews it only; the rest is as unknown as what is not there."""
    vague = place(desk, VAGUE).grid_code
    scoped = Identity(1, "c", "c", Role.CLERK, None, None, vague, False)
    assert waiting(desk, scoped) == [(VAGUE, Why.DOUBTFUL)]
    assert refused(desk, MOON, door(0, 2), identity=scoped) == "unknown_institution"
    number = put(desk, VAGUE, door(0, 12))
    elsewhere = Identity(1, "c", "c", Role.CLERK, None, None, "nowhere", False)
    with desk.begin(actor="c", now=LATER) as session, pytest.raises(ReviewError) as refusal:
        review.undo(session, number, actor="c", now=LATER, identity=elsewhere)
    assert refusal.value.code == "unknown_decision"
    with desk.reading() as session:
        assert list_decisions(session, identity=elsewhere) == []
        assert count_decided(session, since=NOW, identity=elsewhere) == 0


def test_a_point_set_by_hand_is_confirmed_with_who_and_when(desk: Store) -> None:
    """Point, area, level, source, radius; before and after are kept; the audit log names actor and time."""
    number = put(desk, MOON, (121.205, 40.301))
    record = place(desk, MOON)
    assert (record.lon, record.lat, record.grid_code, record.subdistrict) == (121.205, 40.301, "E", "一街道")
    assert (record.match_level, record.match_code, record.doubtful) == ("confirmed", "placed", False)
    assert (record.location_source, record.error_radius_m) == (LocationSource.HAND, review.CONFIRMED_RADIUS_M)
    assert (record.confirmed_by, record.confirmed_at) == ("clerk", LATER)
    assert MOON not in [key for key, _ in waiting(desk)]
    with desk.reading() as session:
        made = session.get_one(LocationDecision, number)
        assert (made.action, made.batch, made.decided_by, made.decided_at) == ("point", None, "clerk", LATER)
        assert made.before["location"]["lon"] is None and made.after["location"]["lon"] == 121.205
        entry = session.scalars(select(GazetteerEntry).where(GazetteerEntry.confirmed_at.is_not(None))).one()
        assert (entry.address, entry.lon, entry.confirmed_by) == (ADDRESSES[MOON], 121.205, "clerk")
        logged = session.scalars(select(AuditEvent).where(AuditEvent.at == LATER)).all()
        assert chain.first_break(session) is None
    assert {event.actor for event in logged} == {"clerk"}
    told = {(event.entity, event.action): event for event in logged}
    assert told.keys() == {
        ("institution", "update"),
        ("gazetteer_entry", "insert"),
        ("location_decision", "insert"),
    }
    change = told["institution", "update"]
    assert change.before is not None and change.after is not None
    assert (change.before["lon"], change.after["lon"]) == (None, 121.205)


def test_a_correction_is_known_to_the_next_locate(desk: Store) -> None:
    """Another institution of the building, and of the door, is placed where a person said."""
    put(desk, MOON, (121.205, 40.301))
    put(desk, SURE, (121.2101, 40.309))
    with desk.begin(actor="t", now=LATER) as session:
        other = add_institution(session, 7, at=None, address="柏灵寺路8号305室")
        locate(session, again=True)
    assert place(desk, STAR).lon == pytest.approx(121.205)
    assert (place(desk, other).lon, place(desk, other).match_level) == (pytest.approx(121.2101), "door")
    assert (place(desk, SURE).lon, place(desk, SURE).match_level) == (121.2101, "confirmed")


def test_a_wrong_road_name_is_learned_and_forgotten_again(desk: Store) -> None:
    """红星路 12 set at 红旗路 12 teaches the name; undoing forgets it."""
    before = state(desk)
    number = put(desk, TYPO, door(0, 12))
    with desk.begin(actor="t", now=LATER) as session:
        alias = session.scalars(select(RoadAlias)).one()
        assert (alias.written, alias.meant, alias.learned_by) == ("红星路", "红旗路", "clerk")
        other = add_institution(session, 7, at=None, address="红星路20号")
        locate(session)
        found = session.get_one(Institution, other)
        assert (found.lon, found.match_level) == (pytest.approx(door(0, 20)[0]), "door")
        session.delete(found)
    take(desk, number)
    # The two of 月亮湾 were asked again, with the same answer.
    assert state(desk) == before


def test_an_imported_entry_is_corrected_and_put_back(desk: Store) -> None:
    """The address on file is no second row; undoing gives it its former point and no confirmation."""
    before = state(desk)
    number = put(desk, FAR, (121.1951, 40.3041))
    with desk.reading() as session:
        entries = session.scalars(
            select(GazetteerEntry).where(GazetteerEntry.address == ADDRESSES[FAR])
        ).all()
    assert [(entry.lon, entry.confirmed_by) for entry in entries] == [(121.1951, "clerk")]
    assert place(desk, FAR).grid_code == "W"
    take(desk, number)
    assert state(desk) == before
    with desk.reading() as session:
        made = session.get_one(LocationDecision, number)
        assert (made.undone_by, made.undone_at) == ("lead", LATER)
        last = session.scalars(select(AuditEvent).order_by(AuditEvent.sequence.desc())).first()
    assert last is not None and (last.actor, last.at) == ("lead", LATER)


def test_a_door_set_far_off_its_street_moves_no_neighbour(desk: Store) -> None:
    """The door itself is where the person said; the guessed doors beside it stay on their street."""
    with desk.begin(actor="t", now=NOW) as session:
        neighbour = add_institution(session, 7, at=None, address="兴业路5号")
        same = add_institution(session, 8, at=None, address="兴业路4号3楼")
        locate(session)
    before = place(desk, neighbour)
    put(desk, FAR, (121.205, 40.315))
    with desk.begin(actor="t", now=LATER) as session:
        locate(session, again=True)
    assert place(desk, same).lat == pytest.approx(40.315)
    assert place(desk, neighbour).match_level == "interpolated"
    assert (place(desk, neighbour).lon, place(desk, neighbour).lat) == pytest.approx(
        (before.lon, before.lat), abs=1e-4
    )


def test_the_second_of_two_people_is_told_of_the_first(desk: Store) -> None:
    """Who saw the place as open does not overwrite what another has just confirmed; who means to, may."""
    put(desk, MOON, door(0, 2), actor="first")
    assert refused(desk, MOON, door(0, 4), actor="second", anew=False) == "already_confirmed"
    put(desk, MOON, door(0, 4), actor="second")
    assert place(desk, MOON).confirmed_by == "second"


def test_a_newer_decision_blocks_the_older_one(desk: Store) -> None:
    """About the same institution, or the same address: the newer one first."""
    before = state(desk)
    with desk.begin(actor="t", now=NOW) as session:
        session.get_one(Institution, STAR).address = ADDRESSES[MOON]
    changed = state(desk)
    first = put(desk, MOON, door(0, 2))
    second = put(desk, MOON, door(0, 4))
    third = put(desk, STAR, door(0, 6))
    for older, newer in ((first, third), (second, third)):
        with pytest.raises(ReviewError) as refusal:
            take(desk, older)
        assert (refusal.value.code, refusal.value.fields["newer"]) == ("newer_decision", newer)
    for number in (third, second, first):
        assert take(desk, number) == [number]
    assert state(desk) == changed != before
    with pytest.raises(ReviewError) as refusal:
        take(desk, first)
    assert refusal.value.code == "already_undone"
    with pytest.raises(ReviewError) as refusal:
        take(desk, 999)
    assert refusal.value.code == "unknown_decision"


def test_what_an_import_changed_since_is_not_put_back(desk: Store, tmp_path: Path) -> None:
    """A moved institution loses its confirmation, is placed anew, and an old decision cannot move it back."""
    number = put(desk, MOON, door(0, 2))
    path = tmp_path / "r.csv"
    path.write_text("机构名称,机构类别,地址\n新,托管,兴业路8号\n", encoding="utf-8")
    with desk.begin(actor="t", now=LATER) as session:
        record = session.get_one(Institution, MOON)
        record.name, record.uscc = "新", None
        record.identity_key = "新@兴业路8号"
        import_register(session, path, now=LATER)
        assert (record.address, record.lon, record.confirmed_at, record.location_source) == (
            "兴业路8号",
            None,
            None,
            None,
        )
        locate(session)
    assert place(desk, MOON).lon == pytest.approx(door(1, 8)[0])
    with pytest.raises(ReviewError) as refusal:
        take(desk, number)
    assert refusal.value.code == "changed_since"


def test_an_imported_gazetteer_leaves_what_a_person_confirmed(desk: Store, tmp_path: Path) -> None:
    """The same address in a later file does not move the confirmed point."""
    put(desk, FAR, (121.1951, 40.3041))
    path = tmp_path / "g.csv"
    path.write_text(
        "名称,地址,经度,纬度\n,兴业路4号,121.21,40.31\n,兴业路6号,121.21,40.31\n", encoding="utf-8"
    )
    with desk.begin(actor="t", now=LATER) as session:
        result = import_gazetteer(
            session, path, source_crs="wgs84", to_wgs84=lambda lon, lat: to_wgs84(lon, lat, "wgs84")
        )
        lons = {
            entry.address: entry.lon
            for entry in session.scalars(select(GazetteerEntry))
            if entry.address in ("兴业路4号", "兴业路6号")
        }
    assert (result.unchanged, result.updated) == (1, 1)
    assert lons == {"兴业路4号": 121.1951, "兴业路6号": 121.21}


@pytest.mark.parametrize(
    ("at", "code"),
    [
        ((math.nan, 40.3), "not_coordinates"),
        ((121.2, math.inf), "not_coordinates"),
        ((40.3, 121.2), "not_coordinates"),
        ((116.4, 39.9), "outside_extent"),
    ],
)
def test_a_point_that_cannot_be_is_refused(desk: Store, at: tuple[float, float], code: str) -> None:
    """No number, out of range, the two swapped, another city."""
    assert refused(desk, MOON, at) == code
    with desk.reading() as session, pytest.raises(ReviewError) as refusal:
        review.preview_point(session, MOON, *at)
    assert refusal.value.code == code


def test_candidates_are_offered_and_accepted_as_they_are(desk: Store) -> None:
    """A suggestion teaches its road; a mere road is taken with its own radius and teaches nothing."""
    with desk.reading() as session:
        (door_like,) = review.find_candidates(session, TYPO)
        (road,) = review.find_candidates(session, VAGUE)
        with pytest.raises(ReviewError):
            review.find_candidates(session, 99)
    assert door_like.code == "suggestion" and door_like.lon is not None and door_like.lat is not None
    assert road.lon is not None and road.lat is not None
    assert refused(desk, TYPO, door(2, 20), source="candidate") == "not_a_candidate"
    assert refused(desk, TYPO, door(2, 20), source="guess") == "unknown_source"
    put(desk, VAGUE, (road.lon, road.lat), source=Source.CANDIDATE)
    put(desk, TYPO, (door_like.lon, door_like.lat), source=Source.CANDIDATE)
    assert place(desk, TYPO).error_radius_m == door_like.error_radius_m
    assert (place(desk, VAGUE).error_radius_m, place(desk, VAGUE).doubtful) == (road.error_radius_m, False)
    with desk.reading() as session:
        assert [alias.written for alias in session.scalars(select(RoadAlias))] == ["红星路"]
        confirmed = select(GazetteerEntry.address).where(GazetteerEntry.confirmed_at.is_not(None))
        assert list(session.scalars(confirmed)) == [ADDRESSES[TYPO]]


def test_accepting_above_a_score_takes_doubtful_places_alone(desk: Store) -> None:
    """One batch; nothing unplaced, outside or only suggested; undone as one."""
    with desk.begin(actor="t", now=NOW) as session:
        second = add_institution(session, 7, at=None, address="兴业路")
        locate(session)
    before = state(desk)
    with desk.reading() as session:
        assert [row.institution_id for row, _ in review.list_acceptable(session, 0.0)] == [VAGUE, second]
        assert [row.institution_id for row, _ in review.list_acceptable(session, 0.3)] == [second]
        for score in (-0.1, 1.1, math.nan):
            with pytest.raises(ReviewError) as refusal:
                review.list_acceptable(session, score)
            assert refusal.value.code == "bad_score"
    with desk.begin(actor="clerk", now=LATER) as session:
        assert review.accept_above(session, 0.9, actor="clerk", now=LATER) == []
        made = review.accept_above(session, 0.2, actor="clerk", now=LATER)
        assert {item.batch for item in made} == {"B0001"}
        assert [item.entry_id for item in made] == [None, None]
    assert [key for key, _ in waiting(desk)] == [MOON, STAR, TYPO, FAR]
    with desk.reading() as session:
        (listed,) = list_decisions(session)
        assert (listed.batch, listed.count, listed.action) == ("B0001", 2, "accept")
        assert count_decided(session, since=LATER) == 2
        assert count_decided(session, since=LATER + dt.timedelta(seconds=1)) == 0
    assert len(take(desk, "B0001")) == 2
    assert state(desk) == before
    with desk.reading() as session:
        assert (list_decisions(session), count_decided(session, since=NOW)) == ([], 0)


def test_a_batch_loses_its_members_one_by_one(desk: Store) -> None:
    """One of a batch may be undone alone; the batch then undoes the rest."""
    with desk.begin(actor="t", now=NOW) as session:
        add_institution(session, 7, at=None, address="兴业路")
        locate(session)
    before = state(desk)
    with desk.begin(actor="clerk", now=LATER) as session:
        one, other = (item.id for item in review.accept_above(session, 0.0, actor="clerk", now=LATER))
    assert take(desk, one) == [one]
    assert take(desk, "B0001") == [other]
    assert state(desk) == before


def test_undoing_after_a_new_grid_layer_finds_the_area_of_today(desk: Store) -> None:
    """No institution gets the code of an area that is gone."""
    number = put(desk, VAGUE, door(0, 2))
    with desk.begin(actor="t", now=LATER) as session:
        for area in session.scalars(select(GridArea)):
            area.valid_to = LATER.date()
        session.flush()
        add_grid(session, "N", (GRIDS["W"][0], GRIDS["W"][1], GRIDS["E"][2], GRIDS["E"][3]))
    take(desk, number)
    assert place(desk, VAGUE).grid_code == "N"


def test_a_preview_tells_area_and_distance_and_changes_nothing(desk: Store) -> None:
    """Metres from the present point, None without one; None outside every area."""
    before = state(desk)
    with desk.reading() as session:
        vague = session.get_one(Institution, VAGUE)
        assert vague.lon is not None and vague.lat is not None
        moved = review.preview_point(session, VAGUE, vague.lon, vague.lat + 0.001)
        assert (moved.grid_name, moved.subdistrict) == (vague.grid_code, "一街道")
        assert moved.moved_m == pytest.approx(111.0, abs=0.5)
        assert review.preview_point(session, MOON, *door(0, 2)).moved_m is None
        assert review.preview_point(session, MOON, 121.3, 40.3).grid_code is None
    assert state(desk) == before


@pytest.mark.postgres
def test_decisions_are_kept_listed_and_undone_on_postgresql(postgres_store: Store) -> None:
    """The same on the other database: JSON values, groups of decisions, deleted entries."""
    desk = fill(postgres_store)
    before = state(desk)
    number = put(desk, TYPO, door(0, 12))
    with desk.begin(actor="clerk", now=LATER) as session:
        assert len(review.accept_above(session, 0.0, actor="clerk", now=LATER)) == 1
    with desk.reading() as session:
        listed = [(item.batch, item.count) for item in list_decisions(session)]
        assert count_decided(session, since=NOW) == 2
    assert listed == [("B0001", 1), (None, 1)]
    take(desk, "B0001")
    take(desk, number)
    assert state(desk) == before
