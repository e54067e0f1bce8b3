"""A small register made of direct records: six grid areas, two schools, twelve institutions, one plan."""

from __future__ import annotations

import datetime as dt
import gzip
import hashlib
import json
import secrets
from functools import cache
from pathlib import Path

import numpy as np
from shapely.geometry import box
from sqlalchemy.orm import Session

from dashboard.wiring import Wiring
from data import accounts
from data.access import sessions
from data.access.passwords import hash_password
from data.accounts import Identity
from data.schema import (
    District,
    Finding,
    GridArea,
    Institution,
    Officer,
    PlanRevision,
    PlanShift,
    PlanShiftMember,
    PlanStop,
    PlanUnserved,
    School,
    Tip,
    VisitRecord,
)
from data.store import Store
from data.terms import (
    Authority,
    FindingCode,
    FindingStatus,
    Kind,
    Outcome,
    PlanStatus,
    Role,
    SiteStatus,
    SlotClass,
    SlotKind,
    Stage,
    TipStatus,
    VisitMode,
    VisitReason,
)
from planner.exchange import format_plan, format_problem
from planner.explain import explain
from planner.plan import build_plan
from planner.problem import Depot, Problem, Shift, Site, Visit, Window

TODAY = dt.date(2026, 9, 17)
NOW = dt.datetime(2026, 9, 17, 1, 0, tzinfo=dt.UTC)
WEST, SOUTH, CELL = 121.20, 40.30, 0.01
PASSWORD = "patrol-2026-fixture"
HOSTILE = "<img src=x onerror=window.hacked=1>`${window.hacked=1}`"
PLAN = "P20260917-001"
EVENING = "2026-09-17-evening"
KINDS = (Kind.SUBJECT, Kind.NON_SUBJECT, Kind.CARE, Kind.SELF_STUDY, Kind.EDU_CONSULT, Kind.KINDERGARTEN)


def build(path: Path, *, with_plan: bool = True) -> str:
    """Write the register to an SQLite file and return its address."""
    url = f"sqlite:///{path}"
    store = Store(url)
    store.upgrade()
    with store.begin(actor="fixture", now=NOW) as session:
        _places(session)
        officers = _people(session)
        session.flush()
        _history(session)
        if with_plan:
            _plan(session, officers)
    store.close()
    return url


def _places(session: Session) -> None:
    session.add(
        District(
            code="990102",
            name="试验区",
            depot_name="区教育局",
            depot_lon=121.215,
            depot_lat=40.31,
            fictional=True,
        )
    )
    for number in range(6):
        west, south = WEST + CELL * (number % 3), SOUTH + CELL * (number // 3)
        session.add(
            GridArea(
                code=f"99010200100{number}",
                name=f"第{number + 1}网格",
                subdistrict="东街道" if number % 3 else "西街道",
                community="中心社区",
                geometry=box(west, south, west + CELL, south + CELL),
                minx=west,
                miny=south,
                maxx=west + CELL,
                maxy=south + CELL,
            )
        )
    for number, stage in enumerate((Stage.PRIMARY, Stage.SECONDARY)):
        session.add(
            School(
                name=f"第{number + 1}学校",
                stage=stage,
                lon=WEST + 0.008 + 0.012 * number,
                lat=40.308,
                source_crs="wgs84",
            )
        )
    session.flush()
    for number in range(12):
        # The last grid area stays empty, the last institution has no place.
        cell = number % 5
        placed = number < 11
        session.add(
            Institution(
                id=number + 1,
                identity_key=f"key-{number}",
                name=HOSTILE if number == 0 else f"机构{number + 1:02d}",
                kind=KINDS[number % 6],
                authority=Authority.EDUCATION,
                address=f"东大街{number + 1}号三楼",
                status=SiteStatus.OPEN,
                lon=WEST + CELL * (cell % 3) + 0.002 + 0.0005 * number if placed else None,
                lat=SOUTH + CELL * (cell // 3) + 0.003 + 0.0004 * number if placed else None,
                match_level="door" if placed else None,
                error_radius_m=20.0 if number != 3 else 300.0,
                doubtful=number == 3,
                grid_id=cell + 1 if placed else None,
                grid_code=f"99010200100{cell}" if placed else None,
                subdistrict=("东街道" if cell % 3 else "西街道") if placed else None,
                changed_at=NOW,
            )
        )
    session.flush()


def _people(session: Session) -> list[int]:
    officers = [
        Officer(
            code=f"E{number:02d}",
            name=f"检查员{number}",
            department="教育局",
            certificate_no=f"Z{number:04d}",
            certificate_until=dt.date(2030, 1, 1),
            leads=number <= 2,
        )
        for number in range(1, 7)
    ]
    session.add_all(officers)
    session.flush()
    people: tuple[tuple[str, Role, int | None, str | None], ...] = (
        ("lead", Role.TEAM_LEAD, officers[0].id, None),
        ("worker", Role.GRID_WORKER, None, "990102001001"),
        ("admin", Role.ADMINISTRATOR, None, None),
        ("boss", Role.LEADER, None, None),
    )
    for username, role, officer_id, grid in people:
        accounts.create_user(
            session,
            username=username,
            display_name=f"测试{role.zh}",
            role=role,
            password_hash=hashed(),
            officer_id=officer_id,
            scope_grid_code=grid,
            must_change_password=False,
        )
    return [officer.id for officer in officers]


@cache
def hashed() -> str:
    """Return the hash of `PASSWORD`."""
    return hash_password(PASSWORD)


def logged_in(wiring: Wiring, username: str) -> Identity:
    """Open a log-in session for a user and return who they are with it."""
    token = secrets.token_hex(8)
    with wiring.store.begin(actor=username, now=wiring.now()) as session:
        user = next(user for user in accounts.list_users(session) if user.username == username)
        sessions.open_session(session, user, token=token, now=wiring.now())
    with wiring.store.reading() as session:
        identity = sessions.identify(session, token, now=wiring.now())
    assert identity is not None
    return identity


def _history(session: Session) -> None:
    for number in range(1, 9):
        visit = VisitRecord(
            institution_id=number,
            date=TODAY - dt.timedelta(days=5 * number),
            slot_kind=SlotKind.EVENING,
            slot_class=SlotClass.EVENING,
            mode=VisitMode.OPEN_VISIT,
            reason=VisitReason.DUE,
            outcome=Outcome.SEEN_OPEN if number % 4 else Outcome.NOT_OPEN,
            team="T1",
        )
        session.add(visit)
        session.flush()
        if number in (1, 2):
            session.add(
                Finding(
                    institution_id=number,
                    visit_id=visit.id,
                    code=FindingCode.TIM_01,
                    found_on=visit.date,
                    status=FindingStatus.OPEN,
                    recheck_due=TODAY + dt.timedelta(days=1 if number == 1 else -3),
                )
            )
    session.add(
        Tip(
            institution_id=5,
            received_on=TODAY - dt.timedelta(days=2),
            due_on=TODAY + dt.timedelta(days=5),
            status=TipStatus.RECEIVED,
        )
    )


def _document() -> bytes:
    """Return what the solver was given and its plan: two teams on one evening, one place left out."""
    window = Window(EVENING, 17 * 3600, 21 * 3600)
    legs = np.full((8, 8), 600)
    legs[0, :] = legs[:, 0] = 1800
    np.fill_diagonal(legs, 0)
    teams = {"T1": ("E01", "E02"), "T2": ("E03", "E04")}
    places = (1, 2, 3, 4, 5, 6, 9)
    problem = Problem(
        travel_s=legs,
        depots=(Depot("D", 0),),
        shifts=tuple(
            # A fourth stop would not fit: one place must stay out.
            Shift(f"{EVENING}-{team}", team, EVENING, 0, 61_200, 75_600, "D", max_stops=3, members=members)
            for team, members in teams.items()
        ),
        sites=tuple(Site(f"I{place}", row) for row, place in enumerate(places, start=1)),
        visits=tuple(
            Visit(f"I{place}-evening", f"I{place}", 1200, 9000, mandatory=place in (1, 4), windows=(window,))
            for place in places
        ),
    )
    routes = {
        f"{EVENING}-{team}": [f"I{3 * index + n}-evening" for n in (1, 2, 3)]
        for index, team in enumerate(teams)
    }
    plan = build_plan(problem, routes, reasons=explain(problem, routes))
    body = {
        "options": {"seed": 1},
        "problem": json.loads(format_problem(problem)),
        "first_visit_prize": 0,
        "plan": json.loads(format_plan(plan)),
        "crews": {
            f"{EVENING}-{team}": {"members": list(members), "leader": members[0]}
            for team, members in teams.items()
        },
        "visits": {
            visit.id: {"reason": "due", "p_select": 1.0, "form": "patrol", "hidden": []}
            for visit in problem.visits
        },
    }
    return json.dumps(body).encode()


def _plan(session: Session, officers: list[int]) -> None:
    document = _document()
    summary = {"visits": 9, "served": 6, "mandatory": 2, "mandatory_served": 2, "institutions": 11}
    summary |= {"institutions_seen": 6, "coverage": 0.5455, "travel_s": 9600, "unserved": {"no_room": 1}}
    summary |= {"bound": 9600, "shifts": 2, "teams": 2}
    summary |= {"reached": {"prize": 85.7, "sites": 54.5}, "ceiling": {"prize": 85.8, "sites": 54.6}}
    plan = PlanRevision(
        code=PLAN,
        period_from=TODAY,
        period_to=TODAY + dt.timedelta(days=6),
        round_from=TODAY - dt.timedelta(days=60),
        status=PlanStatus.PUBLISHED,
        options={},
        seed=1,
        input_digest="0" * 64,
        document_digest=hashlib.sha256(document).hexdigest(),
        document=gzip.compress(document),
        summary=summary,
        created_at=NOW,
        created_by="lead",
        published_at=NOW,
        published_by="lead",
    )
    session.add(plan)
    session.flush()
    for team in (1, 2):
        shift = PlanShift(
            plan_id=plan.id,
            code=f"{EVENING}-T{team}",
            team=f"T{team}",
            date=TODAY,
            slot_kind=SlotKind.EVENING,
            start_s=17 * 3600,
            end_s=21 * 3600,
            travel_s=4800,
        )
        session.add(shift)
        session.flush()
        for seat in (0, 1):
            session.add(
                PlanShiftMember(
                    shift_id=shift.id, officer_id=officers[2 * (team - 1) + seat], leads=seat == 0
                )
            )
        for sequence in (1, 2, 3):
            begin = 17 * 3600 + 1800 * sequence
            place = session.get_one(Institution, 3 * (team - 1) + sequence)
            session.add(
                PlanStop(
                    plan_id=plan.id,
                    shift_id=shift.id,
                    institution_id=place.id,
                    visit_code=f"I{place.id}-evening",
                    name=place.name,
                    address=place.address,
                    lon=place.lon or 0.0,
                    lat=place.lat or 0.0,
                    error_radius_m=place.error_radius_m,
                    sequence=sequence,
                    arrive_s=begin,
                    start_s=begin,
                    leave_s=begin + 1200,
                    slot_class=SlotClass.EVENING,
                    mandatory=sequence == 1,
                    points=3.0,
                    reasons=[
                        {"reason": "due", "slot_class": "evening", "last_seen": None},
                        {
                            "factor": "school_500m",
                            "points": 1,
                            "date": None,
                            "record_id": None,
                            "value": 320.0,
                        },
                    ],
                )
            )
    session.add(
        PlanUnserved(
            plan_id=plan.id,
            institution_id=9,
            visit_code="I9-evening",
            slot_class=SlotClass.EVENING,
            mandatory=False,
            code="no_room",
            detail={
                "helps": [
                    {"rule": "capacity", "cost_s": 0, "shift": f"{EVENING}-T1"},
                    {"rule": "team", "cost_s": 3600, "slot": EVENING, "day": 0},
                ]
            },
        )
    )
