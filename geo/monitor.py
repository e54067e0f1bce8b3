"""STEP: coverage by grid area, institutions' debts, and problems near schools for a period."""

from __future__ import annotations

import datetime as dt
from collections import Counter

import geopandas as gpd
import numpy as np
import pandas as pd
from sqlalchemy import select
from sqlalchemy.orm import Session

from data import frames
from data.accounts import Identity
from data.schema import Finding, VisitRecord
from geo.coverage import coverage
from geo.crs import frame_metric_crs, project_xy
from geo.hotspot import HotspotOptions, near_school_rates
from geo.nearby import walk_nearest
from geo.network.layer import load_roads
from geo.proximity import near

SCHOOL_STAGES = ("primary", "secondary")


def coverage_by_grid(
    session: Session, debts: pd.DataFrame, *, identity: Identity, kind: str | None = None
) -> gpd.GeoDataFrame:
    """Return the share of visits paid in each grid area, within what `identity` may see.

    Parameters
    ----------
    debts : DataFrame
        The ledger of the round: columns institution_id, owed, paid (see planner.ledger.owed).
    kind : str, optional
        Count institutions of this kind only.

    Returns
    -------
    GeoDataFrame
        Polygons of the grid areas with grid_code, name, subdistrict, institutions, owed, paid, share
        (NaN without any debt) and state (`no_data`, `nothing_owed`, `none`, `partial`, `full`).
    """
    places = frames.institutions_frame(session, identity)
    if kind is not None:
        places = places[places["kind"] == kind]
    sums = debts.groupby("institution_id")[["owed", "paid"]].sum()
    joined = places.join(sums).fillna({"owed": 0, "paid": 0})
    joined["owed"], joined["paid"] = joined["owed"].astype(int), joined["paid"].astype(int)
    joined["grid_code"] = joined["grid_code"].where(joined["grid_code"].notna(), None)
    grids = frames.grids_frame(session)
    by_grid = coverage(joined, by="grid_code", groups=list(grids["grid_code"]))
    merged = grids.set_index("grid_code").join(by_grid, how="left")
    return gpd.GeoDataFrame(merged.reset_index(), geometry="geometry", crs=4326)


def near_school_hotspots(
    session: Session,
    *,
    date_from: dt.date,
    date_to: dt.date,
    seed: int = 1,
    options: HotspotOptions | None = None,
) -> tuple[pd.DataFrame, gpd.GeoDataFrame]:
    """Compare findings per visit round each school with the rate expected of the kinds there.

    Returns
    -------
    DataFrame, GeoDataFrame
        One row a school and radius (see geo.hotspot.near_school_rates) with `school_id` and `school_name`;
        and the schools.
    """
    schools = frames.schools_frame(session)
    schools = schools[schools["stage"].isin(SCHOOL_STAGES)]
    places = frames.institutions_frame(session)
    places = places[places.geometry.notna()]
    if schools.empty or places.empty:
        return pd.DataFrame(columns=["school_id", "school_name", "radius_m", "label"]), schools
    visits, findings = _counts(session, date_from, date_to)
    crs = frame_metric_crs(places)
    rates = near_school_rates(
        project_xy(places.geometry.x, places.geometry.y, crs),
        np.array([visits[key] for key in places.index]),
        np.array([findings[key] for key in places.index]),
        project_xy(schools.geometry.x, schools.geometry.y, crs),
        seed=seed,
        categories=list(places["kind"]),
        options=options,
    )
    rates["school_id"] = [schools.index[i] for i in rates["school"]]
    rates["school_name"] = [schools["name"].iloc[i] for i in rates["school"]]
    return rates, schools


def school_distances(session: Session, *, identity: Identity | None = None) -> pd.DataFrame:
    """Return how far each placed institution is from the nearest school, straight and on foot.

    Parameters
    ----------
    identity : Identity, optional
        Who asks; None is a step's own reading without row scope.

    Returns
    -------
    DataFrame
        Index institution id; name, kind, grid_code, error_radius_m, ``school_name`` and ``school_m``
        (straight line), ``ring`` and ``ring_sure`` (see geo.proximity.near), ``walk_school_name`` and
        ``walk_m`` (on the roads, NaN beyond 3 km, off the roads, or without road data).

    Raises
    ------
    RoadError
        ``roads_gone``.
    """
    schools = frames.schools_frame(session)
    schools = schools[schools["stage"].isin(SCHOOL_STAGES)]
    places = frames.institutions_frame(session, identity)
    places = places[places.geometry.notna()]
    rings = near(places, schools, error_column="error_radius_m")
    network = load_roads(session, "walk")
    if network is None or places.empty or schools.empty:
        walks = pd.DataFrame({"walk_nearest": None, "walk_m": np.nan}, index=places.index)
    else:
        walks = walk_nearest(network, places, schools)
    names = schools["name"]
    table = places[["name", "kind", "grid_code", "error_radius_m"]].assign(
        school_name=rings["nearest"].map(names),
        school_m=rings["nearest_m"],
        ring=rings["ring"],
        ring_sure=rings["ring_sure"],
        walk_school_name=walks["walk_nearest"].map(names),
        walk_m=walks["walk_m"],
    )
    return pd.DataFrame(table)


def _counts(session: Session, first: dt.date, last: dt.date) -> tuple[Counter[int], Counter[int]]:
    """Return visits that saw the place, and those with a finding, by institution."""
    visits: Counter[int] = Counter()
    findings: Counter[int] = Counter()
    found = set(session.scalars(select(Finding.visit_id).where(Finding.visit_id.is_not(None))))
    statement = select(VisitRecord.id, VisitRecord.institution_id, VisitRecord.outcome)
    for visit_id, institution_id, outcome in session.execute(
        statement.where(VisitRecord.date >= first, VisitRecord.date <= last)
    ):
        if outcome.pays:
            visits[institution_id] += 1
            findings[institution_id] += visit_id in found
    return visits, findings
