"""STEP: the demo's files and records: tables through the ordinary imports, then history and users."""

from __future__ import annotations

import csv
import datetime as dt
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from openpyxl import Workbook
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from data.accounts import create_user
from data.demo.district import DemoDistrict
from data.demo.people import USERS, DemoUser
from data.demo.register import MASKED_PHONE
from data.errors import RegisterError
from data.register.entries import identity_key
from data.register.institutions import import_register
from data.register.officers import import_officers
from data.register.rejects import Coordinates, ImportResult
from data.register.surroundings import import_gazetteer, import_schools
from data.schema import District, Finding, Institution, Officer, SchoolBreak, Tip, VisitRecord
from data.terms import Role, VisitForm, VisitReason

Misread = Callable[[float, float], tuple[float, float]]

SOURCE_CRS = "wgs84"
FICTION = "虚构示范数据"
_REGISTER_TITLES = (
    "序号",
    "机构名称",
    "机构类别",
    "统一社会信用代码",
    "办学许可证号",
    "登记机关",
    "详细地址",
    "营业状态",
    "负责人",
    "联系电话",
    "经度",
    "纬度",
)
# The rest of the half year was patrols from public space.
_FORMS = {VisitReason.RECHECK: VisitForm.RECHECK, VisitReason.TIP: VisitForm.INSPECTION}
_OFFICER_TITLES = ("工号", "姓名", "单位", "执法证号", "证件有效期至", "职务", "请假日期")


@dataclass(frozen=True)
class DemoFiles:
    """The tables a bureau would hand over."""

    register: Path
    schools: Path
    gazetteer: Path
    officers: Path


def write_files(demo: DemoDistrict, folder: Path, *, misread: Misread | None = None) -> DemoFiles:
    """Write the demo's tables as people write them: title rows, a blank row, a total line.

    Parameters
    ----------
    folder
        An existing folder; files of the same names are replaced.
    misread
        What a map of another datum shows for WGS-84 degrees; a few places give such a point.
    """
    files = DemoFiles(
        folder / "register.xlsx", folder / "schools.csv", folder / "gazetteer.csv", folder / "officers.csv"
    )
    _write_register(demo, files.register, misread)
    schools = ((s.name, s.stage, s.address, s.lon, s.lat) for s in demo.schools)
    _write_csv(files.schools, ("学校名称", "学段", "地址", "经度", "纬度"), schools)
    doors = ((d.name, d.address, d.lon, d.lat) for d in demo.doors)
    _write_csv(files.gazetteer, ("名称", "地址", "经度", "纬度"), doors)
    officers = (
        (
            officer.code,
            officer.name,
            officer.department,
            officer.certificate_no,
            officer.certificate_until or "",
            officer.post,
            "；".join(day.isoformat() for day in officer.leave),
        )
        for officer in demo.officers
    )
    _write_csv(files.officers, _OFFICER_TITLES, officers)
    return files


def _write_register(demo: DemoDistrict, path: Path, misread: Misread | None) -> None:
    book = Workbook(write_only=True)
    sheet = book.create_sheet("台账")
    sheet.append([f"{demo.name}校外教育类机构台账（{FICTION}）"])
    sheet.append([f"制表日期：{demo.today.isoformat()}"])
    sheet.append([])
    sheet.append(_REGISTER_TITLES)
    for row in demo.register:
        phone = MASKED_PHONE if row.contact else ""
        values = (row.name, row.kind_word, row.uscc, row.permit_no, row.authority, row.address)
        point = (f"{row.lon:.6f}", f"{row.lat:.6f}") if row.pointed else ("", "")
        if row.misread and misread is not None:
            lon, lat = misread(row.lon, row.lat)
            point = (f"{lon:.6f}", f"{lat:.6f}")
        sheet.append([row.number, *values, row.status_word, row.contact, phone, *point])
    sheet.append(["合计", f"{len(demo.register)}家"])
    book.save(path)


def _write_csv(path: Path, titles: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    with path.open("w", encoding="utf-8-sig", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(titles)
        writer.writerows(rows)


def load_demo(
    session: Session, demo: DemoDistrict, *, folder: Path, now: dt.datetime, misread: Misread | None = None
) -> None:
    """Write the demo's tables into `folder` and import them as any bureau's; add district and school breaks.

    Parameters
    ----------
    misread
        As in `write_files`.

    Raises
    ------
    RegisterError
        `district_exists` when the register already has a district or institutions, `demo_rejected` when an
        import refused a row.
    """
    occupied = session.scalar(select(func.count()).select_from(Institution))
    if occupied or session.scalar(select(District.id).limit(1)) is not None:
        raise RegisterError("district_exists", institutions=occupied)
    depot, lon, lat = demo.depot
    session.add(
        District(
            code=demo.code, name=demo.name, depot_name=depot, depot_lon=lon, depot_lat=lat, fictional=True
        )
    )
    session.add_all(
        SchoolBreak(name=b.name, first_day=b.first_day, last_day=b.last_day, source=FICTION)
        for b in demo.breaks
    )
    files = write_files(demo, folder, misread=misread)
    results = {
        "schools": import_schools(session, files.schools, source_crs=SOURCE_CRS, to_wgs84=_already_wgs84),
        "gazetteer": import_gazetteer(
            session, files.gazetteer, source_crs=SOURCE_CRS, to_wgs84=_already_wgs84
        ),
        "officers": import_officers(session, files.officers),
        "register": import_register(
            session, files.register, now=now, source_crs=SOURCE_CRS, to_wgs84=_already_wgs84
        ),
    }
    _refuse_rejects(results)


def _already_wgs84(lon: Coordinates, lat: Coordinates) -> tuple[Coordinates, Coordinates]:
    return lon, lat


def _refuse_rejects(results: dict[str, ImportResult]) -> None:
    rejected = {
        name: [f"{reject.row}:{reject.code}" for reject in result.rejected]
        for name, result in results.items()
        if result.rejected
    }
    if rejected:
        raise RegisterError("demo_rejected", rejected=rejected)


def load_history(session: Session, demo: DemoDistrict) -> None:
    """Add the half year's visits, findings and tips to a register loaded by `load_demo`."""
    ids = _institution_ids(session, demo)
    visits = [
        VisitRecord(
            institution_id=ids[visit.place],
            date=visit.date,
            slot_kind=visit.slot_kind,
            slot_class=visit.slot_class,
            mode=visit.mode,
            form=_FORMS.get(visit.reason, VisitForm.PATROL),
            reason=visit.reason,
            outcome=visit.outcome,
            team=visit.team,
        )
        for visit in demo.history.visits
    ]
    session.add_all(visits)
    session.flush()
    session.add_all(
        Finding(
            institution_id=visits[finding.visit].institution_id,
            visit_id=visits[finding.visit].id,
            code=finding.code,
            found_on=visits[finding.visit].date,
            status=finding.status,
            recheck_due=finding.recheck_due,
            closed_on=finding.closed_on,
        )
        for finding in demo.history.findings
    )
    session.add_all(
        Tip(
            institution_id=ids[tip.place],
            received_on=tip.received_on,
            due_on=tip.due_on,
            status=tip.status,
            handled=tip.handled,
        )
        for tip in demo.history.tips
    )
    session.flush()


def _institution_ids(session: Session, demo: DemoDistrict) -> list[int]:
    """Return the record id of each row of the register: by code, without one by name and address."""
    records = session.execute(select(Institution.id, Institution.uscc, Institution.identity_key)).all()
    by_code = {code: record_id for record_id, code, _ in records if code}
    by_key = {key: record_id for record_id, _, key in records}
    return [
        by_code[row.uscc] if row.uscc else by_key[identity_key(row.name, row.address)]
        for row in demo.register
    ]


def load_users(session: Session, *, password_hash: str) -> tuple[DemoUser, ...]:
    """Create the demo's log-ins; the grid worker watches the grid area with most institutions.

    Parameters
    ----------
    password_hash
        Hash of `DEMO_PASSWORD`, made before the transaction.

    Raises
    ------
    AccountError
        `username_taken` when one of them exists.
    """
    officers = {code: record_id for record_id, code in session.execute(select(Officer.id, Officer.code))}
    busiest = session.scalar(
        select(Institution.grid_code)
        .where(Institution.grid_code.is_not(None))
        .group_by(Institution.grid_code)
        .order_by(func.count().desc(), Institution.grid_code)
        .limit(1)
    )
    for user in USERS:
        create_user(
            session,
            username=user.username,
            display_name=user.display_name,
            role=user.role,
            password_hash=password_hash,
            officer_id=officers[user.officer_code] if user.officer_code else None,
            scope_grid_code=busiest if user.role is Role.GRID_WORKER else None,
            must_change_password=False,
        )
    return USERS
