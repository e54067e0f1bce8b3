"""The state of the grid layer, and things counted in cells that are not official."""

from __future__ import annotations

import datetime as dt

import pytest

from data.store import Store
from data.terms import FindingStatus
from geo.errors import GridError
from geo.grid.cellcounts import count_cells
from geo.grid.survey import survey_grids
from tests.conftest import NOW, TODAY
from tests.register import LAT, LON, add_finding, add_grid, add_institution, add_visit


def fill(store: Store) -> None:
    """Add two grid areas 40 m apart, a place in one, one outside, one without a point."""
    with store.begin(actor="clerk", now=NOW) as session:
        add_grid(session, "990101001001", (LON, LAT, LON + 0.01, LAT + 0.01))
        add_grid(session, "990101001002", (LON + 0.009, LAT, LON + 0.02, LAT + 0.01))
        inside = add_institution(session, 1, at=(LON + 0.002, LAT + 0.002), grid="990101001001")
        far = add_institution(session, 2, at=(LON + 0.5, LAT))
        unplaced = add_institution(session, 3, at=None)
        for owner, date in ((inside, TODAY), (inside, dt.date(2026, 3, 2)), (far, TODAY), (unplaced, TODAY)):
            visit = add_visit(session, owner, date)
        add_finding(session, inside, TODAY, status=FindingStatus.OPEN, visit_id=visit)


def test_the_survey_tells_faults_ends_and_places_outside(store: Store) -> None:
    fill(store)
    with store.begin(actor="clerk", now=NOW) as session:
        from data.schema import GridArea

        session.get_one(GridArea, 2).expires_on = TODAY - dt.timedelta(days=1)
    with store.reading() as session:
        found = survey_grids(session, today=TODAY)
        before = survey_grids(session, today=TODAY - dt.timedelta(days=1))
    assert list(found.issues["kind"]) == ["overlap"] and list(found.issues.index) == [0]
    assert [one.code for one in found.lapsed] == ["990101001002"] and before.lapsed == ()
    assert [one.id for one in found.outside] == [2]
    assert found.codes == ("990101001001", "990101001002")


def test_a_register_without_grids_has_an_empty_survey(store: Store) -> None:
    with store.reading() as session:
        found = survey_grids(session, today=TODAY)
        assert found.grids.empty and found.issues.empty and found.codes == ()
        with pytest.raises(GridError) as caught:
            count_cells(session, kind="square", size=250, of="visits")
    assert caught.value.code == "no_grids"


@pytest.mark.parametrize(
    ("of", "inside", "outside", "unplaced"),
    [("institutions", 1, 1, 1), ("visits", 2, 1, 1), ("findings", 1, 0, 0)],
)
@pytest.mark.parametrize(("kind", "size"), [("square", 250), ("h3", 9)])
def test_everything_counted_is_in_a_cell_or_told(
    store: Store, of: str, inside: int, outside: int, unplaced: int, kind: str, size: float
) -> None:
    fill(store)
    with store.reading() as session:
        counted = count_cells(session, kind=kind, size=size, of=of)
    assert (counted.cells["count"].sum(), counted.outside, counted.unplaced) == (inside, outside, unplaced)
    assert not counted.cells["official"].any() and set(counted.cells["kind"]) == {kind}
    assert list(counted.cells.drop(columns="geometry").columns) == ["kind", "official", "area_m2", "count"]


def test_a_period_narrows_visits(store: Store) -> None:
    fill(store)
    with store.reading() as session:
        counted = count_cells(session, kind="square", size=250, of="visits", first=TODAY, last=TODAY)
        none = count_cells(session, kind="square", size=250, of="findings", last=dt.date(2026, 1, 1))
        with pytest.raises(GridError) as caught:
            count_cells(session, kind="square", size=250, of="tips")
    assert counted.cells["count"].sum() == 1 and none.cells["count"].sum() == 0
    assert caught.value.code == "unknown_count"
