"""The demo end to end: a fictional district, its register, base map, history and a published plan."""

from __future__ import annotations

import datetime as dt
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import func, inspect, select, table
from sqlalchemy.orm import Session

from data.access.passwords import hash_password
from data.demo import (
    DEMO_PASSWORD,
    DemoDistrict,
    find_preset,
    load_demo,
    load_history,
    load_users,
    make_demo,
)
from data.demo.people import USERS
from data.errors import RegisterError
from data.schema import (
    AuditEvent,
    District,
    Finding,
    GazetteerEntry,
    GridArea,
    Institution,
    Officer,
    PlanRevision,
    RoadLayer,
    School,
    Tip,
    User,
    VisitRecord,
)
from data.store import Store
from data.terms import ColocationVerdict, PlanStatus
from geo.basemap.build import build_basemap
from geo.basemap.pmtiles import read_metadata
from geo.colocated import decide, list_cases
from geo.colocation import ColocationLevel
from geo.crs import from_wgs84
from geo.errors import GeoError
from geo.grid.layer import import_grids
from geo.locate import locate
from geo.network.layer import import_roads
from planner.draft import make_plan
from planner.inforce import governing_plans
from planner.options import PlanOptions
from planner.patrolareas import make_areas
from planner.publish import publish

ACTOR = "demo"
PLAN_DAYS = 14
ATTRIBUTION = "虚构示范区 · fictional"

# What people put into a demo when they make it their own; who only tries it out adds none of these.
ADDED = (User, Institution, School, GridArea, Officer)
# What a register of somebody's own holds one of, at least.
OWN = (User, District, Institution, School, GazetteerEntry, GridArea, Officer, RoadLayer)

Progress = Callable[[float, str], None]


@dataclass(frozen=True)
class Login:
    """A log-in of the demo; the password is no secret, since every demo has the same."""

    username: str
    role: str
    password: str


@dataclass(frozen=True)
class DemoSummary:
    """What a demo holds: its log-ins, the code of its published plan, and figures to show."""

    logins: tuple[Login, ...]
    plan: str
    figures: dict[str, Any] = field(default_factory=dict)


def build_demo(
    store: Store,
    *,
    preset: str,
    seed: int,
    today: dt.date,
    now: dt.datetime,
    var_dir: Path,
    progress: Progress | None = None,
) -> DemoSummary:
    """Build the fictional district into an empty register and publish its next two weeks.

    A register that already holds a demo is left as it is; only where no plan is in force today one is made.

    Parameters
    ----------
    preset
        ``small`` or ``district``.
    today, now
        Local date and aware instant of the fiction; the plan starts today.
    var_dir
        Folder of run-time files; receives ``basemap.pmtiles``.
    progress
        Called with a share from 0 to 1 and a stage: ``demo``, ``basemap``, ``register``, those of the plan.

    Raises
    ------
    RegisterError
        `unknown_preset`, and as `demand_own_register`.
    """
    sizes = find_preset(preset)
    report = progress or (lambda share, stage: None)
    made = demand_own_register(store, var_dir)
    store.upgrade()
    if not made:
        report(0.0, "demo")
        demo = make_demo(sizes.name, seed=seed, today=today)
        report(0.05, "basemap")
        # Before the register: a district on file means that everything but the plan is there.
        draw_basemap(demo, var_dir)
        report(0.15, "register")
        password_hash = hash_password(DEMO_PASSWORD)
        with store.begin(actor=ACTOR, now=now) as session:
            load_district(session, demo, now=now, password_hash=password_hash)
    with store.reading() as session:
        in_force = today in governing_plans(session, today, today)
    if not in_force:
        _publish_plan(store, teams=sizes.teams, seed=seed, today=today, now=now, report=report)
    return summarise_demo(store)


def demand_own_register(store: Store, var_dir: Path) -> bool:
    """Refuse a register or folder that is somebody's own; return whether the demo is there already.

    Raises
    ------
    RegisterError
        `not_empty` with what was found, `var_in_use`, `basemap_exists`.
    """
    found = _found(store)
    made = bool(found.pop("fictional"))
    if made:
        found = _added(store)
    if any(found.values()):
        told = ", ".join(f"{name} {count}" for name, count in found.items() if count)
        raise RegisterError("not_empty", found=told)
    if made:
        return True
    # Kept heads, or the usual database, of another register: the folder is somebody's own.
    for file in (var_dir / "gridpatrol.db", var_dir / "audit-heads.log"):
        if file.exists() and str(file.resolve()) != str(Path(store.url.database or "").resolve()):
            raise RegisterError("var_in_use", file=str(file))
    basemap = var_dir / "basemap.pmtiles"
    if basemap.exists() and not _is_ours(basemap):
        raise RegisterError("basemap_exists", file=str(basemap))
    return False


def _is_ours(basemap: Path) -> bool:
    """Return whether a base map is the demo's; a folder, or what cannot be read, is somebody's own."""
    try:
        return basemap.is_file() and read_metadata(basemap).get("attribution") == ATTRIBUTION
    except GeoError:
        return False


def _found(store: Store) -> dict[str, int]:
    """Return how many records of each sort a register holds, whatever its schema is."""
    found = {"fictional": 0}
    with store.engine.connect() as connection:
        tables = set(inspect(connection).get_table_names())
        if "district" in tables:
            fictional = select(func.count()).where(District.fictional).select_from(District)
            found["fictional"] = connection.scalar(fictional) or 0
        for name in sorted(tables & {record.__tablename__ for record in OWN}):
            found[name] = connection.scalar(select(func.count()).select_from(table(name))) or 0
    return found


def _added(store: Store) -> dict[str, int]:
    """Return how many accounts and places somebody else than the demo has put into its register."""
    tables = [record.__tablename__ for record in ADDED]
    counted = select(AuditEvent.entity, func.count()).where(
        AuditEvent.action == "insert", AuditEvent.actor != ACTOR, AuditEvent.entity.in_(tables)
    )
    with store.engine.connect() as connection:
        return dict(connection.execute(counted.group_by(AuditEvent.entity)).tuples().all())


def draw_basemap(demo: DemoDistrict, var_dir: Path) -> Path:
    """Write the district's base map as ``basemap.pmtiles`` and return its path."""
    var_dir.mkdir(parents=True, exist_ok=True)
    layers = {
        "blocks": demo.blocks,
        "water": demo.water,
        "roads": demo.roads,
        "rail": demo.rail,
        "grids": demo.grids,
        "district": demo.boundary,
    }
    return build_basemap(layers, var_dir / "basemap.pmtiles", attribution=ATTRIBUTION)


def load_district(session: Session, demo: DemoDistrict, *, now: dt.datetime, password_hash: str) -> None:
    """Load tables and grid areas, place the institutions, then add history and log-ins."""
    with tempfile.TemporaryDirectory(prefix="demo-") as name:
        folder = Path(name)
        load_demo(session, demo, folder=folder, now=now, misread=_as_gcj02)
        layer = folder / "grids.geojson"
        demo.grids.to_file(layer, driver="GeoJSON", COORDINATE_PRECISION=9)
        import_grids(session, layer, source_crs="wgs84", today=demo.today)
        roads = folder / "roads.gpkg"
        demo.network.to_file(roads, driver="GPKG")
        import_roads(session, roads, source_crs="wgs84", now=now, name="云河区路网", attribution=ATTRIBUTION)
    locate(session)
    load_history(session, demo)
    load_users(session, password_hash=password_hash)
    settle_address(session, now=now)
    make_areas(session, count=demo.preset.teams, seed=1, today=demo.today, now=now)


def _as_gcj02(lon: float, lat: float) -> tuple[float, float]:
    east, north = from_wgs84(lon, lat, "gcj02")
    return float(east), float(north)


def settle_address(session: Session, *, now: dt.datetime) -> None:
    """Let the demo's clerk decide one shared address, the last of those that share a room."""
    rooms = [case for case in list_cases(session) if case.group.level is ColocationLevel.ROOM]
    if rooms:
        group = rooms[-1].group
        verdict, note = ColocationVerdict.SAME_OPERATOR, "现场核对：几块牌子同一举办者，共用教室。"
        decide(
            session,
            level=group.level.value,
            key=group.key,
            verdict=verdict,
            note=note,
            actor="neiqin",
            now=now,
        )


def _publish_plan(
    store: Store, *, teams: int, seed: int, today: dt.date, now: dt.datetime, report: Progress
) -> None:
    last = today + dt.timedelta(days=PLAN_DAYS - 1)
    options = PlanOptions(first=today, last=last, teams=teams, seed=seed)
    result = make_plan(
        store,
        options=options,
        actor=ACTOR,
        now=now,
        today=today,
        progress=lambda share, stage: report(0.3 + 0.65 * share, stage),
    )
    with store.begin(actor=ACTOR, now=now) as session:
        publish(session, result.code, actor=ACTOR, now=now, today=today, confirm_provisional=True)
    report(1.0, "done")


def summarise_demo(store: Store) -> DemoSummary:
    """Return what the demo in `store` holds."""
    with store.reading() as session:
        newest = select(PlanRevision).where(PlanRevision.status == PlanStatus.PUBLISHED)
        plan = session.scalar(newest.order_by(PlanRevision.id.desc()).limit(1))
        tables = {"grids": GridArea, "visits": VisitRecord, "findings": Finding, "tips": Tip}
        figures: dict[str, Any] = {
            "institutions": _count(session, Institution),
            "placed": _count(session, Institution, Institution.lon.is_not(None)),
            **{name: _count(session, record) for name, record in tables.items()},
            "plan": dict(plan.summary) if plan is not None else {},
        }
    logins = tuple(Login(user.username, user.role.value, DEMO_PASSWORD) for user in USERS)
    return DemoSummary(logins, plan.code if plan is not None else "", figures)


def _count(session: Session, record: Any, *conditions: Any) -> int:
    return session.scalar(select(func.count()).select_from(record).where(*conditions)) or 0
