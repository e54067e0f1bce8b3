"""STEP: the ways of a repaired plan's shifts: the old ones where the stops are the same, else new ones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from shapely.geometry import LineString
from shapely.geometry.base import BaseGeometry
from sqlalchemy import select
from sqlalchemy.orm import Session

from data.schema import Institution, PlanShift, PlanStop
from geo.errors import TravelError
from geo.network.routeserver import ServerTravel
from planner.itinerary import find_revision
from planner.legs import Legs
from planner.newcomer import stored_legs
from planner.repair import Repaired
from planner.stored import Stored

Point = tuple[float, float]


def redraw_tracks(session: Session, stored: Stored, repaired: Repaired) -> dict[str, BaseGeometry | None]:
    """Return the track of each shift of a repaired plan, None by straight line.

    A repair never waits for a route server: where it gives no way, changed shifts are drawn straight.

    Raises
    ------
    RoadError
        As `planner.legs.read_legs`.
    """
    if stored.body.get("roads") is None:
        return {route.shift: None for route in repaired.plan.routes}
    old_id = find_revision(session, stored.code).id
    old = {
        shift.code: shift for shift in session.scalars(select(PlanShift).where(PlanShift.plan_id == old_id))
    }
    before = {route.shift: tuple(stop.visit for stop in route.stops) for route in stored.plan.routes}
    points = _read_points(session, old_id)
    kept: dict[str, BaseGeometry | None] = {}
    changed: dict[str, list[Point]] = {}
    for route in repaired.plan.routes:
        visits = tuple(stop.visit for stop in route.stops)
        if before.get(route.shift) == visits and route.shift in old:
            kept[route.shift] = old[route.shift].track
        else:
            sites = [repaired.problem.visit_by_id[visit].site for visit in visits]
            changed[route.shift] = [_point_of(session, points, site) for site in sites]
    return {**kept, **_draw(stored_legs(session, stored), changed)}


def _draw(legs: Legs, routes: Mapping[str, Sequence[Point]]) -> dict[str, LineString | None]:
    """Draw ways; those that a route server does not tell are drawn straight: their times are known."""
    drawn: dict[str, LineString | None] = dict.fromkeys(routes)
    try:
        for shift, stops in routes.items():
            drawn[shift] = legs.track(stops)
    except TravelError:
        if not isinstance(legs.model, ServerTravel):
            raise
    return drawn


def _read_points(session: Session, plan_id: int) -> Mapping[str, Point]:
    rows = select(PlanStop.institution_id, PlanStop.lon, PlanStop.lat).where(PlanStop.plan_id == plan_id)
    return {f"I{key}": (lon, lat) for key, lon, lat in session.execute(rows)}


def _point_of(session: Session, points: Mapping[str, Point], site: str) -> Point:
    if site in points:
        return points[site]
    record = session.get_one(Institution, int(site.removeprefix("I")))
    return float(record.lon or 0.0), float(record.lat or 0.0)
