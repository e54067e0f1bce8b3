"""Patrol areas on file: balanced by what the round owes, replaced as a whole, never official."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pytest
from sqlalchemy import select

from data.schema import AuditEvent, GridArea, Institution, PatrolArea
from data.store import Store
from data.terms import Kind, RoundName
from geo.errors import GridError
from planner.errors import PlannerError
from planner.patrolareas import Division, NewDivision, areas_frame, list_areas, make_areas, travel_shares_s
from planner.rounds import Round, set_round
from planner.slots import read_rules
from tests.conftest import NOW, TODAY
from tests.register import LAT, LON, add_grid, add_institution

CELL = 0.01


def fill(store: Store, *, columns: int = 4, rows: int = 2, each: int = 2) -> None:
    """Add grid areas with `each` care centres and one kindergarten outside all of them."""
    with store.begin(actor="clerk", now=NOW) as session:
        number = 0
        for i in range(columns):
            for j in range(rows):
                code = f"9901010010{i}{j}"
                west, south = LON + CELL * i, LAT + CELL * j
                add_grid(session, code, (west, south, west + CELL, south + CELL))
                for at in range(each):
                    number += 1
                    where = (west + 0.003 + 0.002 * at, south + 0.005)
                    add_institution(session, number, at=where, grid=code)
        add_institution(session, 900, kind=Kind.KINDERGARTEN, at=(LON - 0.01, LAT))


def make(store: Store, *, count: int = 2, seed: int = 1, today: dt.date = TODAY) -> NewDivision:
    """Make areas in a transaction of their own."""
    with store.begin(actor="clerk", now=NOW) as session:
        return make_areas(session, count=count, seed=seed, today=today, now=NOW)


def on_file(store: Store) -> Division:
    """Read the division."""
    with store.reading() as session:
        return list_areas(session)


def test_areas_hold_every_grid_area_once_and_share_the_work(store: Store) -> None:
    fill(store)
    made = make(store)
    division = on_file(store)
    assert division == made.division and made.left_out == 1 and made.round.name is RoundName.AUTUMN_TERM
    codes = [code for area in division.areas for code in area.grid_codes]
    assert len(codes) == len(set(codes)) == 8 and division.missing == division.gone == ()
    assert [area.institutions for area in division.areas] == [8, 8]
    assert division.imbalance < 0.05
    # 16 care centres owe noon and evening in a term: 15 minutes each and a share of travel.
    service = read_rules().kinds[Kind.CARE].service_s / 60
    total = sum(area.workload_min for area in division.areas)
    assert 32 * (service + 2) < total < 32 * (service + 12)


def test_the_same_seed_gives_the_same_areas_and_new_ones_replace_the_old(store: Store) -> None:
    fill(store)
    first = make(store, seed=7).division
    assert make(store, seed=7).division == first
    assert len(make(store, count=3).division.areas) == 3
    with store.reading() as session:
        assert len(session.scalars(select(PatrolArea)).all()) == 3
        events = session.scalars(select(AuditEvent.action).where(AuditEvent.entity == "patrol_area")).all()
    assert events.count("insert") == 7 and events.count("delete") == 4


def test_shapes_are_whole_and_marked_as_not_official(store: Store) -> None:
    fill(store)
    make(store, count=2)
    with store.reading() as session:
        frame = areas_frame(session, list_areas(session))
        grids = session.scalars(select(GridArea)).all()
    assert list(frame.index) == [1, 2] and not frame["official"].any()
    assert set(frame["kind"]) == {"patrol_area"} and frame["grids"].sum() == 8
    assert set(frame.geom_type) == {"Polygon"}
    covered = frame.union_all().area
    assert covered == pytest.approx(sum(grid.geometry.area for grid in grids), rel=1e-3)


def test_a_changed_layer_is_told(store: Store) -> None:
    fill(store)
    make(store)
    with store.begin(actor="clerk", now=NOW) as session:
        gone = session.scalars(select(GridArea).order_by(GridArea.id)).first()
        assert gone is not None
        gone.valid_to = TODAY
        add_grid(session, "990101001099", (LON - 0.02, LAT, LON - 0.01, LAT + CELL))
    division = on_file(store)
    assert division.missing == ("990101001099",) and division.gone == ("990101001000",)


def test_of_the_rounds_that_hold_a_day_the_longest_counts(store: Store) -> None:
    fill(store)
    with store.begin(actor="clerk", now=NOW) as session:
        set_round(session, Round(RoundName.NATIONAL_DAY, 2026, TODAY, TODAY, source="测试"))
    assert make(store).round.name is RoundName.AUTUMN_TERM


def test_what_cannot_be_divided_is_refused_and_changes_nothing(store: Store) -> None:
    with pytest.raises(GridError) as caught:
        make(store)
    assert caught.value.code == "no_grids"
    fill(store, each=0)
    with store.begin(actor="clerk", now=NOW) as session:
        session.delete(session.scalars(select(Institution)).one())
    with pytest.raises(PlannerError) as refused:
        make(store)
    assert refused.value.code == "nothing_owed"
    with store.begin(actor="clerk", now=NOW) as session:
        add_institution(session, 1, at=(LON + 0.001, LAT + 0.001), grid="990101001000")
    with pytest.raises(GridError) as many:
        make(store, count=9)
    assert many.value.code == "bad_area_count"
    assert on_file(store) == Division((), 0.0, None, (), ())


def test_a_day_in_no_round_is_refused(store: Store) -> None:
    fill(store)
    with store.begin(actor="clerk", now=NOW) as session:
        for name in (RoundName.AUTUMN_START, RoundName.AUTUMN_TERM):
            set_round(session, Round(name, 2026, dt.date(2026, 9, 1), dt.date(2026, 9, 2), source="测试"))
    with pytest.raises(PlannerError) as caught:
        make(store)
    assert caught.value.code == "no_round_today"


def test_travel_grows_with_the_distance_to_the_third_nearest_place() -> None:
    dense = np.column_stack([np.arange(10) * 50.0, np.zeros(10)])
    shares = travel_shares_s(dense)
    assert shares[5] == pytest.approx(120 + 100 * 1.5 / 4.17) and (travel_shares_s(10 * dense) > shares).all()
    assert travel_shares_s(dense[:1]) == pytest.approx([120.0])
    assert travel_shares_s(dense[:2]) == pytest.approx([120 + 50 * 1.5 / 4.17] * 2)
