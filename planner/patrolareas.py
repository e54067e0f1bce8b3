"""STEP: patrol areas (巡查片区) of the teams: whole grid areas shared out by the minutes a round owes.

They are for the roster only: a patrol area is no official grid area and changes none.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import pandas as pd
from scipy.spatial import cKDTree
from sqlalchemy import select
from sqlalchemy.orm import Session

from data import frames
from data.calendar import load_calendar
from data.schema import PatrolArea
from geo.crs import Floats, frame_metric_crs, project_xy
from geo.errors import GridError
from geo.grid.patrolareas import divide, outline
from geo.travel import CIRCUITY, SPEED_M_S
from planner.errors import PlannerError
from planner.ledger import owed
from planner.legs import STOP_OVERHEAD_S
from planner.rounds import Round, load_rounds
from planner.slots import SlotRules, list_slots, read_rules

_NEAREST = 3  # once routes are dense a stop costs the way to about the third nearest place
_PROFILE = "ebike"


@dataclass(frozen=True)
class AreaView:
    """A patrol area as people see it.

    Parameters
    ----------
    number : int
        1, 2, ... from north to south.
    grid_codes : tuple of str
        Its official grid areas.
    institutions : int
        Institutions that lie in them now.
    workload_min : float
        Minutes of work of a round when the area was made.
    share : float
        Workload over the mean of all areas.
    """

    number: int
    grid_codes: tuple[str, ...]
    institutions: int
    workload_min: float
    share: float


@dataclass(frozen=True)
class Division:
    """The patrol areas on file.

    Parameters
    ----------
    areas : tuple of AreaView
        By number; empty when none were made.
    imbalance : float
        Largest workload over the mean, minus one.
    made_at : datetime or None
        When they were made.
    missing : tuple of str
        Grid areas in force that belong to no patrol area.
    gone : tuple of str
        Grid areas of patrol areas that are no longer in force.
    """

    areas: tuple[AreaView, ...]
    imbalance: float
    made_at: dt.datetime | None
    missing: tuple[str, ...]
    gone: tuple[str, ...]


@dataclass(frozen=True)
class NewDivision:
    """Patrol areas just made: the division, the round they are balanced for, and owing places left out."""

    division: Division
    round: Round
    left_out: int


def make_areas(
    session: Session,
    *,
    count: int,
    seed: int,
    today: dt.date,
    now: dt.datetime,
    rules: SlotRules | None = None,
) -> NewDivision:
    """Divide the grid areas in force into patrol areas and store them in place of those of before.

    Parameters
    ----------
    count : int
        Number of areas, usually that of the teams.
    seed : int
        Seed of the search; the same register, count and seed give the same areas.
    today, now
        Local date that names the round, and the aware instant.

    Returns
    -------
    NewDivision
        `left_out` counts the institutions that owe visits but lie in no grid area.

    Raises
    ------
    GridError
        `no_grids`, `bad_area_count`.
    PlannerError
        `no_round_today`, `nothing_owed`.

    Notes
    -----
    Workload of a grid area: for every visit its institutions owe in the round, the minutes on site of their
    kind plus a travel share, see `travel_shares_s`. Of the rounds that hold `today` the longest counts: areas
    outlast a single holiday.
    """
    grids = frames.grids_frame(session)
    if grids.empty:
        raise GridError("no_grids")
    current = _round_of(session, today)
    places = frames.institutions_frame(session)
    minutes = _owed_minutes(session, places, current, rules or read_rules())
    if minutes.sum() <= 0:
        raise PlannerError(code="nothing_owed", fields={"first": str(current.first)})
    in_force = places["grid_code"].isin(grids["grid_code"])
    by_code = minutes[in_force].groupby(places["grid_code"][in_force]).sum()
    work = pd.Series(
        by_code.reindex(grids["grid_code"], fill_value=0.0).to_numpy(), index=grids.index, dtype=float
    )
    found = divide(grids, work, count=count, seed=seed)
    for record in session.scalars(select(PatrolArea)):
        session.delete(record)
    session.flush()  # numbers are unique: the old areas must be gone before the new ones come
    for number, minutes_of in found.workload_min.items():
        codes = [str(code) for code in grids["grid_code"][found.area == number]]
        session.add(
            PatrolArea(number=number, grid_codes=codes, workload_min=round(float(minutes_of), 1), made_at=now)
        )
    session.flush()
    return NewDivision(list_areas(session), current, int((minutes[~in_force] > 0).sum()))


def list_areas(session: Session) -> Division:
    """Return the patrol areas on file, with the institutions they hold now."""
    records = session.scalars(select(PatrolArea).order_by(PatrolArea.number)).all()
    in_force = set(frames.grids_frame(session)["grid_code"])
    counts = frames.institutions_frame(session)["grid_code"].value_counts()
    mean = float(np.mean([record.workload_min for record in records])) if records else 0.0
    areas = tuple(
        AreaView(
            record.number,
            tuple(record.grid_codes),
            int(counts.reindex(record.grid_codes, fill_value=0).sum()),
            record.workload_min,
            record.workload_min / mean if mean else 0.0,
        )
        for record in records
    )
    held = {code for area in areas for code in area.grid_codes}
    return Division(
        areas,
        max((area.share for area in areas), default=1.0) - 1.0,
        records[0].made_at if records else None,
        tuple(sorted(in_force - held)) if areas else (),
        tuple(sorted(held - in_force)),
    )


def areas_frame(session: Session, division: Division) -> gpd.GeoDataFrame:
    """Return the shapes of patrol areas.

    Returns
    -------
    GeoDataFrame
        WGS-84, index ``area`` (its number), columns ``kind`` (patrol_area), ``official`` (always False),
        ``grids``, ``institutions``, ``workload_min``; grid areas no longer in force are not drawn.
    """
    grids = frames.grids_frame(session)
    number = {code: area.number for area in division.areas for code in area.grid_codes}
    shapes = outline(grids, grids["grid_code"].map(number))
    by_number = {area.number: area for area in division.areas}
    held = [by_number[int(at)] for at in shapes.index]
    shapes.insert(0, "kind", "patrol_area")
    shapes.insert(1, "official", False)
    shapes.insert(2, "grids", [len(area.grid_codes) for area in held])
    shapes.insert(3, "institutions", [area.institutions for area in held])
    shapes.insert(4, "workload_min", [area.workload_min for area in held])
    return shapes


def travel_shares_s(xy_m: Floats) -> Floats:
    """Return the seconds of travel that one visit of each place adds to a route.

    Parameters
    ----------
    xy_m : ndarray, shape (n, 2)
        Places in a metric CRS.

    Returns
    -------
    ndarray, shape (n,)
        Straight way to the third nearest other place times the detour factor at the speed of an electric
        bicycle, plus the time every stop costs; the stop alone where there is no other place.
    """
    near = min(_NEAREST, len(xy_m) - 1)
    if near < 1:
        return np.full(len(xy_m), STOP_OVERHEAD_S)
    metres = cKDTree(xy_m).query(xy_m, k=near + 1)[0][:, near]
    return np.asarray(STOP_OVERHEAD_S + metres * CIRCUITY / SPEED_M_S[_PROFILE], dtype=np.float64)


def _round_of(session: Session, today: dt.date) -> Round:
    known = [item for year in (today.year - 1, today.year) for item in load_rounds(session, year)]
    holding = [item for item in known if item.first <= today <= item.last]
    if not holding:
        raise PlannerError(code="no_round_today", fields={"date": str(today)})
    return max(holding, key=lambda item: (item.last - item.first, item.first))


def _owed_minutes(
    session: Session, places: gpd.GeoDataFrame, current: Round, rules: SlotRules
) -> pd.Series[float]:
    """Return the minutes of work each institution asks for in a round, paid or not, on the places' index."""
    slots = list_slots(load_calendar(session), first=current.first, last=current.last, rules=rules)
    classes = {slot.slot_class for slot in slots}
    ledger = owed(session, round_from=current.first, round_to=current.last, rules=rules, classes=classes)
    visits = ledger.groupby("institution_id")["owed"].sum().reindex(places.index, fill_value=0)
    service: Mapping[str, int] = {kind.value: rule.service_s for kind, rule in rules.kinds.items()}
    each_s = pd.Series(places["kind"].map(service), index=places.index, dtype=float)
    placed = places[places.geometry.notna()]
    if len(placed):
        xy = project_xy(placed.geometry.x, placed.geometry.y, frame_metric_crs(placed))
        each_s.loc[placed.index] += travel_shares_s(np.asarray(xy, dtype=np.float64))
    minutes: pd.Series[float] = visits * each_s / 60.0
    return minutes
