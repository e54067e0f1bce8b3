"""Distance to schools: straight, and on the roads where there are any."""

from __future__ import annotations

from pathlib import Path

import pytest

from dashboard.distances import place_rows, ring_rows
from data.store import Store
from geo.monitor import school_distances
from tests.conftest import NOW
from tests.integration.test_roadlayer import STEP, bring, write_roads
from tests.register import LAT, LON, add_institution, add_school


def fill(store: Store) -> None:
    with store.begin(actor="clerk", now=NOW) as session:
        add_school(session, at=(LON + 0.9 * STEP, LAT))
        add_institution(session, 1, at=(LON + 0.1 * STEP, LAT))
        add_institution(session, 2, at=None)
        add_institution(session, 3, at=(LON + 0.5 * STEP, LAT + 8 * STEP))


def test_without_roads_there_is_only_the_straight_line(store: Store) -> None:
    fill(store)
    with store.reading() as session:
        found = school_distances(session)
    assert list(found.index) == [1, 3]
    assert found["school_m"].iloc[0] == pytest.approx(0.8 * STEP * 85_000, rel=0.02)
    assert found["walk_m"].isna().all() and not found["ring_sure"].iloc[0]


def test_a_canal_makes_the_walk_longer_and_no_walk_is_shorter_than_the_line(
    store: Store, tmp_path: Path
) -> None:
    fill(store)
    bring(store, write_roads(tmp_path / "a.gpkg"))
    with store.reading() as session:
        plain = school_distances(session)
    bring(store, write_roads(tmp_path / "b.gpkg", gap=True))
    with store.reading() as session:
        round_about = school_distances(session)
    assert plain["walk_m"].iloc[0] == pytest.approx(plain["school_m"].iloc[0], rel=0.02)
    assert not round_about["walk_m"].iloc[0] < 3 * plain["walk_m"].iloc[0]
    for found in (plain, round_about):
        known = found[found["walk_m"].notna()]
        assert (known["walk_m"] >= known["school_m"] - 0.5).all()


def test_rows_tell_both_measures(store: Store, tmp_path: Path) -> None:
    fill(store)
    bring(store, write_roads(tmp_path / "a.gpkg"))
    with store.reading() as session:
        found = school_distances(session)
    rings = ring_rows(found, "zh")
    assert rings["直线（家）"].sum() == 2 and rings["步行（家）"].sum() >= 1
    assert "Institution" in place_rows(found, "en") and len(place_rows(found, "zh")) == 2
