"""The versions of the grid areas: what was in force when, oldest first."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import geopandas as gpd
from sqlalchemy import select
from sqlalchemy.orm import Session

from data.schema import GridArea


@dataclass(frozen=True)
class GridVersion:
    """One version of a grid area: in force from a day, until a day (None while in force)."""

    code: str
    name: str
    valid_from: dt.date | None
    valid_to: dt.date | None
    area_m2: float


def list_versions(session: Session, *, code: str | None = None) -> list[GridVersion]:
    """Return all versions of the grid areas, or of one code, oldest first."""
    ended = GridArea.valid_to
    statement = select(GridArea).order_by(GridArea.code, ended.is_(None), ended, GridArea.id)
    if code is not None:
        statement = statement.where(GridArea.code == code)
    records = list(session.scalars(statement))
    if not records:
        return []
    shapes = gpd.GeoSeries([r.geometry for r in records], crs=4326)
    areas = shapes.to_crs(shapes.estimate_utm_crs()).area
    return [
        GridVersion(r.code, r.name, r.valid_from, r.valid_to, round(float(area), 1))
        for r, area in zip(records, areas, strict=True)
    ]
