"""A small register for tests: records built directly, no files."""

from __future__ import annotations

import datetime as dt

import shapely
from sqlalchemy.orm import Session

from data.schema import Finding, GridArea, Institution, Officer, School, Tip, VisitRecord
from data.terms import (
    SLOT_CLASS,
    Authority,
    FindingCode,
    FindingStatus,
    Kind,
    Outcome,
    SiteStatus,
    SlotKind,
    Stage,
    TipStatus,
    VisitMode,
    VisitReason,
)
from tests.conftest import NOW

LON, LAT = 121.2, 40.3


def add_institution(
    session: Session,
    number: int,
    *,
    kind: Kind = Kind.CARE,
    status: SiteStatus = SiteStatus.OPEN,
    at: tuple[float, float] | None = (LON, LAT),
    address: str | None = None,
    grid: str | None = None,
    subdistrict: str | None = None,
    name: str | None = None,
) -> int:
    """Add one institution and return its id."""
    record = Institution(
        identity_key=str(number),
        name=name or f"机构{number}",
        kind=kind,
        authority=Authority.MARKET,
        address=address or f"一路{number}号",
        status=status,
        lon=None if at is None else at[0],
        lat=None if at is None else at[1],
        grid_code=grid,
        subdistrict=subdistrict,
        doubtful=False,
        changed_at=NOW,
    )
    session.add(record)
    session.flush()
    return record.id


def add_visit(
    session: Session,
    institution_id: int,
    date: dt.date,
    *,
    slot: SlotKind = SlotKind.NOON,
    outcome: Outcome = Outcome.SEEN_OPEN,
    team: str = "T1",
) -> int:
    """Add one visit and return its id."""
    record = VisitRecord(
        institution_id=institution_id,
        date=date,
        slot_kind=slot,
        slot_class=SLOT_CLASS[slot],
        mode=VisitMode.OPEN_VISIT,
        reason=VisitReason.DUE,
        outcome=outcome,
        team=team,
    )
    session.add(record)
    session.flush()
    return record.id


def add_finding(
    session: Session,
    institution_id: int,
    found_on: dt.date,
    *,
    recheck_due: dt.date | None = None,
    status: FindingStatus = FindingStatus.OPEN,
    visit_id: int | None = None,
) -> int:
    """Add one finding and return its id."""
    record = Finding(
        institution_id=institution_id,
        visit_id=visit_id,
        code=FindingCode.TCH_01,
        found_on=found_on,
        status=status,
        recheck_due=recheck_due,
    )
    session.add(record)
    session.flush()
    return record.id


def add_tip(
    session: Session,
    institution_id: int,
    received_on: dt.date,
    due_on: dt.date,
    *,
    status: TipStatus = TipStatus.RECEIVED,
    handled: bool = False,
) -> int:
    """Add one tip and return its id."""
    record = Tip(
        institution_id=institution_id, received_on=received_on, due_on=due_on, status=status, handled=handled
    )
    session.add(record)
    session.flush()
    return record.id


def add_officers(session: Session, count: int = 6, *, certified: bool = True) -> None:
    """Add officers O1, O2, ... of whom the first leads."""
    for number in range(1, count + 1):
        session.add(
            Officer(
                code=f"O{number}",
                name=f"人{number}",
                department="教育局",
                certificate_no=f"L{number}" if certified else None,
                leads=number == 1,
                leave=[],
            )
        )
    session.flush()


def add_school(session: Session, name: str = "一小", *, at: tuple[float, float] = (LON, LAT)) -> None:
    """Add one primary school."""
    session.add(School(name=name, stage=Stage.PRIMARY, address="", lon=at[0], lat=at[1], source_crs="wgs84"))
    session.flush()


def add_grid(session: Session, code: str, box: tuple[float, float, float, float]) -> int:
    """Add one grid area in force and return its id."""
    west, south, east, north = box
    record = GridArea(
        code=code,
        name=code,
        subdistrict="一街道",
        community="",
        geometry=shapely.box(*box),
        minx=west,
        miny=south,
        maxx=east,
        maxy=north,
    )
    session.add(record)
    session.flush()
    return record.id


def add_district(session: Session, count: int = 25) -> list[int]:
    """Add institutions of every kind on a lattice of about 500 m, and six officers; return their ids."""
    kinds = list(Kind)
    ids = [
        add_institution(
            session,
            number,
            kind=kinds[number % len(kinds)],
            at=(LON + 0.006 * (number % 5), LAT + 0.0045 * (number // 5)),
        )
        for number in range(count)
    ]
    add_officers(session)
    return ids
