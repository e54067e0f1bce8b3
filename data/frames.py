"""The only bridge between records and GeoDataFrames (EPSG:4326, index = record id)."""

from __future__ import annotations

from typing import Any

import geopandas as gpd
import pandas as pd
from sqlalchemy import Executable, Select, select
from sqlalchemy.orm import Session

from data.accounts import Identity, scoped
from data.schema import GazetteerEntry, GridArea, Institution, School
from data.terms import Term

_INSTITUTION_COLUMNS = (
    "name",
    "kind",
    "care_type",
    "status",
    "address",
    "lon",
    "lat",
    "match_level",
    "error_radius_m",
    "match_code",
    "doubtful",
    "grid_code",
    "subdistrict",
)


def institutions_frame(session: Session, identity: Identity | None = None) -> gpd.GeoDataFrame:
    """Return institutions as points; unplaced ones have an empty geometry (None).

    Parameters
    ----------
    identity
        Who asks; None is a step's own reading without row scope.
    """
    columns = [getattr(Institution, name) for name in _INSTITUTION_COLUMNS]
    statement: Select[*tuple[Any, ...]] = select(Institution.id, *columns).order_by(Institution.id)
    if identity is not None:
        statement = scoped(statement, identity)
    frame = _read(session, statement, ("id", *_INSTITUTION_COLUMNS))
    return _with_points(frame)


def schools_frame(session: Session) -> gpd.GeoDataFrame:
    """Return schools as points with name and stage."""
    statement = select(School.id, School.name, School.stage, School.address, School.lon, School.lat)
    frame = _read(session, statement.order_by(School.id), ("id", "name", "stage", "address", "lon", "lat"))
    return _with_points(frame)


def gazetteer_frame(session: Session) -> gpd.GeoDataFrame:
    """Return known addresses as points with name, address and `confirmed`: a person set the point."""
    entry = GazetteerEntry
    statement = select(
        entry.id, entry.name, entry.address, entry.lon, entry.lat, entry.confirmed_at.is_not(None)
    ).order_by(entry.id)
    return _with_points(_read(session, statement, ("id", "name", "address", "lon", "lat", "confirmed")))


def grids_frame(session: Session) -> gpd.GeoDataFrame:
    """Return the grid areas in force as polygons with grid_code, name, subdistrict, community."""
    statement = (
        select(
            GridArea.id,
            GridArea.code,
            GridArea.name,
            GridArea.subdistrict,
            GridArea.community,
            GridArea.geometry,
        )
        .where(GridArea.valid_to.is_(None))
        .order_by(GridArea.code)
    )
    names = ("id", "grid_code", "name", "subdistrict", "community", "geometry")
    frame = _read(session, statement, names)
    return gpd.GeoDataFrame(frame, geometry="geometry", crs=4326)


def _read(session: Session, statement: Executable, names: tuple[str, ...]) -> pd.DataFrame:
    rows = [tuple(_plain(value) for value in row) for row in session.execute(statement)]
    return pd.DataFrame(rows, columns=list(names)).set_index("id")


def _with_points(frame: pd.DataFrame) -> gpd.GeoDataFrame:
    lon = pd.to_numeric(frame["lon"])
    lat = pd.to_numeric(frame["lat"])
    points = gpd.GeoSeries(gpd.points_from_xy(lon, lat), index=frame.index, crs=4326)
    points[lon.isna() | lat.isna()] = None
    return gpd.GeoDataFrame(frame.drop(columns=["lon", "lat"]), geometry=points, crs=4326)


def _plain(value: object) -> object:
    return value.value if isinstance(value, Term) else value
