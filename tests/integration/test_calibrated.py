"""Error radii kept with their gazetteer: measured once, the same afterwards, anew when it changes."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from data.schema import GazetteerEntry, KeptCalibration, RoadAlias
from data.store import Store
from geo import calibrated as room
from geo.gazetteer.calibration import Calibration
from geo.gazetteer.index import Gazetteer
from geo.locate import build_geocoder
from tests.conftest import NOW
from tests.streets import add_streets


@pytest.fixture
def measured(monkeypatch: pytest.MonkeyPatch) -> list[Calibration]:
    """Return the list of calibrations that were measured, in order."""
    found: list[Calibration] = []
    measure = room.calibrate

    def counted(gazetteer: Gazetteer) -> Calibration:
        found.append(measure(gazetteer))
        return found[-1]

    monkeypatch.setattr(room, "calibrate", counted)
    return found


def test_radii_are_measured_once_until_the_gazetteer_changes(
    store: Store, measured: list[Calibration]
) -> None:
    """A reader does not keep, a writer does; another address or learned name is another gazetteer."""
    with store.begin(actor="clerk", now=NOW) as session:
        add_streets(session)
    for reads in (1, 2):
        with store.reading() as session:
            geocoder = build_geocoder(session)
        assert geocoder is not None
        assert len(measured) == reads
    with store.begin(actor="clerk", now=NOW) as session:
        build_geocoder(session)
    with store.reading() as session:
        again = build_geocoder(session)
    assert again is not None
    assert len(measured) == 3
    assert again.calibration == measured[-1] == geocoder.calibration
    changes = (
        lambda session: session.add(RoadAlias(written="甲", meant="乙", learned_by="x", learned_at=NOW)),
        lambda session: setattr(session.scalars(select(GazetteerEntry)).first(), "lon", 121.4),
    )
    for change in changes:
        before = len(measured)
        with store.begin(actor="clerk", now=NOW) as session:
            change(session)
            session.flush()
            build_geocoder(session)
        assert len(measured) == before + 1
        with store.reading() as session:
            assert len(session.scalars(select(KeptCalibration)).all()) == 1
