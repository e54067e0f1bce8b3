"""A small register for tests: records built directly, no files."""

from __future__ import annotations

import datetime as dt

import shapely
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from data.schema import (
    Finding,
    GridArea,
    Institution,
    Officer,
    PlanRevision,
    PlanShift,
    PlanShiftMember,
    PlanStop,
    School,
    Tip,
    VisitRecord,
)
from data.terms import (
    SLOT_CLASS,
    Authority,
    FindingCode,
    FindingStatus,
    Kind,
    Outcome,
    PlanStatus,
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
        identity_key=f"{number}@{name}@{address}@{at}",
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
    stop_id: int | None = None,
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
        plan_stop_id=stop_id,
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


def add_plan(
    session: Session,
    first: dt.date,
    last: dt.date,
    *,
    status: PlanStatus = PlanStatus.PUBLISHED,
    published_at: dt.datetime | None = NOW,
) -> int:
    """Add one plan without rows and return its id."""
    count = session.scalar(select(func.count()).select_from(PlanRevision)) or 0
    record = PlanRevision(
        code=f"P{first:%Y%m%d}-{count + 1:03d}",
        period_from=first,
        period_to=last,
        round_from=first,
        status=status,
        options={},
        seed=1,
        input_digest="",
        document_digest="",
        document=b"",
        summary={},
        created_at=NOW,
        created_by="lead",
        published_at=published_at,
        publication=None if published_at is None else count + 1,
    )
    session.add(record)
    session.flush()
    return record.id


def add_shift(
    session: Session,
    plan_id: int,
    date: dt.date,
    crew: tuple[str, ...],
    *,
    kind: SlotKind = SlotKind.EVENING,
    institution_id: int | None = None,
) -> int | None:
    """Add one shift of a plan with the officers of these codes; return the id of its stop, if it has one."""
    count = session.scalar(select(func.count()).select_from(PlanShift)) or 0
    shift = PlanShift(
        plan_id=plan_id,
        code=f"{date}-{kind.value}-{count}",
        team="T1",
        date=date,
        slot_kind=kind,
        start_s=61_200,
        end_s=75_600,
        travel_s=0,
    )
    session.add(shift)
    session.flush()
    ids = dict(session.execute(select(Officer.code, Officer.id)).tuples().all())
    session.add_all(PlanShiftMember(shift_id=shift.id, officer_id=ids[code]) for code in crew)
    session.flush()
    if institution_id is None:
        return None
    stop = PlanStop(
        plan_id=plan_id,
        shift_id=shift.id,
        institution_id=institution_id,
        visit_code=f"V{shift.id}",
        name="",
        address="",
        lon=LON,
        lat=LAT,
        sequence=1,
        arrive_s=61_200,
        start_s=61_200,
        leave_s=62_100,
        slot_class=SLOT_CLASS[kind],
        reasons=[],
    )
    session.add(stop)
    session.flush()
    return stop.id
