"""Cached reads shared by pages and routes."""

from __future__ import annotations

import datetime as dt
import html
from dataclasses import dataclass
from typing import Any

import geopandas as gpd
import pandas as pd
from sqlalchemy import select
from sqlalchemy.orm import Session

from dashboard.maps import Bounds
from dashboard.parts.cache import cached
from dashboard.periods import bounded
from dashboard.wiring import Wiring
from data import frames, jobs, statistics
from data.accounts import Identity
from data.calendar import Day, load_calendar
from data.schema import District
from data.terms import JobStatus, PlanStatus
from data.topics import Topic
from geo import monitor
from geo.basemap.pmtiles import read_metadata
from geo.network.layer import current_roads
from planner import itinerary, ledger
from planner.inforce import next_shift_date
from planner.itinerary import PlanHead, PlanView, ShiftView
from planner.replay import Evidence, replay_period
from planner.rounds import Round, load_rounds, round_on
from planner.scorecard import CardDeck, read_deck
from planner.slots import list_slots, read_rules
from planner.workshare import WorkShare, read_workshares

_PLACES = (Topic.PLACES,)
_DEBTS = (Topic.PLACES, Topic.VISITS, Topic.CALENDAR)
_PLANS = (Topic.PLANS, Topic.PEOPLE, Topic.PLACES)


def _scope(identity: Identity) -> tuple[object, ...]:
    return (identity.role, identity.scope_subdistrict, identity.scope_grid_code)


@dataclass(frozen=True)
class JobView:
    """A queued job as the page shows it."""

    id: int
    status: JobStatus
    progress: float
    stage: str
    result: dict[str, Any]
    error_code: str | None
    error_fields: dict[str, Any]
    parameters: dict[str, Any]

    @property
    def under_way(self) -> bool:
        """Whether the job waits or runs."""
        return self.status in (JobStatus.QUEUED, JobStatus.RUNNING)


def district(wiring: Wiring) -> tuple[str, bool]:
    """Return the district's name and whether it is fictional."""

    def read(session: Session) -> tuple[str, bool]:
        row = session.execute(select(District.name, District.fictional).limit(1)).first()
        return (row[0], row[1]) if row else ("", False)

    return cached(wiring, "district", (), read, topics=_PLACES)


def basemap_credit(wiring: Wiring, own: str) -> str | None:
    """Return whom the base map credits, as safe markup: its file's word, else `own`; None without a file."""
    file = wiring.settings.basemap
    if not file.is_file():
        return None

    def read(session: Session) -> str:
        roads = current_roads(session)
        named = [
            str(read_metadata(file).get("attribution") or own),
            "" if roads is None else roads.attribution,
        ]
        return " · ".join(html.escape(credit) for credit in dict.fromkeys(named) if credit)

    return cached(wiring, "basemap_credit", (file.stat().st_mtime_ns, own), read, topics=_PLACES)


def depot(wiring: Wiring) -> tuple[str, float, float] | None:
    """Return the place where shifts start, with longitude and latitude, or None when it is not on file."""

    def read(session: Session) -> tuple[str, float, float] | None:
        row = session.execute(
            select(District.depot_name, District.depot_lon, District.depot_lat).limit(1)
        ).first()
        return (row[0] or "", row[1], row[2]) if row and row[1] is not None and row[2] is not None else None

    return cached(wiring, "depot", (), read, topics=_PLACES)


def headline(wiring: Wiring, identity: Identity, *, today: dt.date) -> statistics.Headline:
    """Return the overview's numbers."""
    parts = (*_scope(identity), today)
    return cached(wiring, "headline", parts, lambda s: statistics.headline(s, identity, today=today))


def institutions(wiring: Wiring, identity: Identity) -> gpd.GeoDataFrame:
    """Return the institutions that `identity` may see."""
    return cached(
        wiring,
        "institutions",
        _scope(identity),
        lambda s: frames.institutions_frame(s, identity),
        topics=_PLACES,
    )


def grids(wiring: Wiring) -> gpd.GeoDataFrame:
    """Return the grid areas in force."""
    return cached(wiring, "grids", (), frames.grids_frame, topics=_PLACES)


def schools(wiring: Wiring) -> gpd.GeoDataFrame:
    """Return the schools."""
    return cached(wiring, "schools", (), frames.schools_frame, topics=_PLACES)


def bounds(wiring: Wiring, identity: Identity) -> Bounds | None:
    """Return west, south, east, north of the grid areas, else of the institutions in scope, else None."""
    areas = grids(wiring)
    if identity.scope_grid_code:
        areas = areas[areas["grid_code"] == identity.scope_grid_code]
    elif identity.scope_subdistrict:
        areas = areas[areas["subdistrict"] == identity.scope_subdistrict]
    for frame in (areas, institutions(wiring, identity)):
        shapes = frame.geometry.dropna()
        if len(shapes):
            west, south, east, north = (float(value) for value in shapes.total_bounds)
            return west, south, east, north
    return None


def subdistrict_labels(wiring: Wiring) -> list[dict[str, Any]]:
    """Return each subdistrict's name with the middle of its grid areas."""
    areas = grids(wiring)
    named = areas[areas["subdistrict"].fillna("") != ""]
    if named.empty:
        return []
    boxes = named.geometry.bounds.assign(name=named["subdistrict"]).groupby("name")
    low, high = boxes[["minx", "miny"]].min(), boxes[["maxx", "maxy"]].max()
    lon, lat = (low["minx"] + high["maxx"]) / 2, (low["miny"] + high["maxy"]) / 2
    return [{"name": str(name), "lon": float(lon[name]), "lat": float(lat[name])} for name in lon.index]


def debts(wiring: Wiring, *, first: dt.date, last: dt.date) -> pd.DataFrame:
    """Return what each institution owes and paid by key time point in a round.

    Raises
    ------
    QueryError
        As `periods.bounded`.
    """
    bounded(first, last, today=wiring.today())

    def read(session: Session) -> pd.DataFrame:
        rules = read_rules()
        slots = list_slots(load_calendar(session), first=first, last=last, rules=rules)
        classes = {slot.slot_class for slot in slots}
        return ledger.owed(session, round_from=first, round_to=last, rules=rules, classes=classes)

    return cached(wiring, "debts", (first, last), read, topics=_DEBTS)


def coverage(
    wiring: Wiring, identity: Identity, *, first: dt.date, last: dt.date, kind: str | None = None
) -> gpd.GeoDataFrame:
    """Return the share of visits paid by grid area, within scope, of one kind when given."""
    owed = debts(wiring, first=first, last=last)

    def read(session: Session) -> gpd.GeoDataFrame:
        table = monitor.coverage_by_grid(session, owed, identity=identity, kind=kind)
        if identity.scope_grid_code:
            return table[table["grid_code"] == identity.scope_grid_code]
        if identity.scope_subdistrict:
            return table[table["subdistrict"] == identity.scope_subdistrict]
        return table

    return cached(wiring, "coverage", (*_scope(identity), first, last, kind), read, topics=_DEBTS)


def hotspots(wiring: Wiring, *, first: dt.date, last: dt.date) -> tuple[pd.DataFrame, gpd.GeoDataFrame]:
    """Return rates round schools with the schools themselves.

    Raises
    ------
    QueryError
        As `periods.bounded`.
    """
    bounded(first, last, today=wiring.today())
    return cached(
        wiring,
        "hotspots",
        (first, last),
        lambda s: monitor.near_school_hotspots(s, date_from=first, date_to=last),
    )


def school_distances(wiring: Wiring) -> pd.DataFrame:
    """Return how far each institution is from a school, straight and on foot."""
    return cached(wiring, "school_distances", (), monitor.school_distances, topics=_PLACES)


def evidence(wiring: Wiring, *, first: dt.date, last: dt.date) -> Evidence:
    """Return what the visits of a period say about the scorecard and about fairness.

    Raises
    ------
    EvidenceError
        `no_visits`.
    QueryError
        As `periods.bounded`.
    """
    bounded(first, last, today=wiring.today())
    return cached(wiring, "evidence", (first, last), lambda s: replay_period(s, first=first, last=last))


def scorecards(wiring: Wiring, *, as_of: dt.date) -> CardDeck:
    """Return the card in force, the one before it, and the proposals that wait."""
    return cached(wiring, "scorecards", (as_of,), lambda s: read_deck(s, as_of=as_of))


def days(wiring: Wiring, *, first: dt.date, last: dt.date) -> list[Day]:
    """Return what each date of a period is.

    Raises
    ------
    QueryError
        As `periods.bounded`.
    """
    bounded(first, last, today=wiring.today())
    return cached(
        wiring, "days", (first, last), lambda s: load_calendar(s).days(first, last), topics=(Topic.CALENDAR,)
    )


def round_of(wiring: Wiring, *, day: dt.date) -> Round | None:
    """Return the coverage round that a date belongs to."""

    def read(session: Session) -> Round | None:
        known = [item for year in (day.year - 1, day.year) for item in load_rounds(session, year)]
        return round_on(known, day)

    return cached(wiring, "round", (day,), read, topics=(Topic.CALENDAR,))


def plans(wiring: Wiring) -> list[PlanHead]:
    """Return all plan revisions, newest first."""
    return cached(wiring, "plans", (), itinerary.list_plans, topics=_PLANS)


def plan(wiring: Wiring, code: str) -> PlanView:
    """Return a whole plan.

    Raises
    ------
    PlannerError
        `unknown_plan`.
    """
    return cached(wiring, "plan", (code,), lambda s: itinerary.read_plan(s, code), topics=_PLANS)


def workshares(wiring: Wiring, code: str) -> tuple[WorkShare, ...]:
    """Return every officer's load with a plan."""
    return cached(wiring, "workshares", (code,), lambda s: read_workshares(s, code))


def shifts(wiring: Wiring, *, day: dt.date, officer_id: int | None = None) -> tuple[ShiftView, ...]:
    """Return the published shifts of a date, of one officer when given."""
    return cached(
        wiring,
        "shifts",
        (day, officer_id),
        lambda s: itinerary.shifts_on(s, day=day, officer_id=officer_id),
        topics=_PLANS,
    )


def next_shift(wiring: Wiring, *, after: dt.date, officer_id: int | None) -> dt.date | None:
    """Return the first later date with a published shift."""
    return cached(
        wiring,
        "next_shift",
        (after, officer_id),
        lambda s: next_shift_date(s, after=after, officer_id=officer_id),
        topics=_PLANS,
    )


def newest_published(wiring: Wiring) -> PlanHead | None:
    """Return the plan published last, or None."""
    published = [head for head in plans(wiring) if head.status is PlanStatus.PUBLISHED]
    return max(published, key=lambda head: head.publication or 0, default=None)


def latest_job(wiring: Wiring, *, kind: str) -> JobView | None:
    """Return the newest job of a kind; never cached, its progress is the point."""
    with wiring.store.reading() as session:
        job = jobs.latest(session, kind=kind)
        if job is None:
            return None
        return JobView(
            job.id,
            job.status,
            job.progress,
            job.stage,
            job.result or {},
            job.error_code,
            job.error_fields or {},
            job.parameters,
        )
