"""STEP: institutions, findings or visits counted in analysis cells; the cells are not official grid areas."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from enum import StrEnum

import geopandas as gpd
from sqlalchemy import select
from sqlalchemy.orm import Session

from data import frames
from data.schema import Finding, VisitRecord
from geo.errors import GridError
from geo.grid.cells import CellKind, count_points, make_cells


class Counted(StrEnum):
    """What is counted: places, visits made, or problems found."""

    INSTITUTIONS = "institutions"
    FINDINGS = "findings"
    VISITS = "visits"


@dataclass(frozen=True, eq=False)
class CellCount:
    """Cells with their counts, and what lies in none of them.

    Parameters
    ----------
    cells : GeoDataFrame
        WGS-84, index ``cell``, columns ``kind``, ``official`` (always False), ``area_m2``, ``count``.
    outside : int
        Counted things with a point outside all cells.
    unplaced : int
        Counted things whose institution has no point.
    """

    cells: gpd.GeoDataFrame
    outside: int
    unplaced: int


def count_cells(
    session: Session,
    *,
    kind: CellKind | str,
    size: float,
    of: Counted | str,
    first: dt.date | None = None,
    last: dt.date | None = None,
) -> CellCount:
    """Cover the official grid areas with cells and count what lies in each.

    Parameters
    ----------
    kind, size
        As `geo.grid.cells.make_cells`.
    of : Counted or str
        What is counted, at the point of its institution.
    first, last : date, optional
        Period of visits and findings, both inclusive; institutions are those of today.

    Raises
    ------
    GridError
        ``unknown_count``, ``no_grids``, and as `geo.grid.cells.make_cells`.
    """
    if of not in list(Counted):
        raise GridError("unknown_count", of=str(of), known=[one.value for one in Counted])
    grids = frames.grids_frame(session)
    if grids.empty:
        raise GridError("no_grids")
    cells = make_cells(grids, kind=kind, size=size)
    places = frames.institutions_frame(session)
    owners = _owners(session, Counted(of), list(places.index), first, last)
    points = gpd.GeoDataFrame(geometry=places.geometry.loc[owners].to_numpy(), crs=4326)
    cells["count"] = count_points(cells, points)
    unplaced = int(points.geometry.isna().sum())
    return CellCount(cells, len(owners) - unplaced - int(cells["count"].sum()), unplaced)


def _owners(
    session: Session, of: Counted, ids: list[int], first: dt.date | None, last: dt.date | None
) -> list[int]:
    """Return the institution of each thing counted."""
    if of is Counted.INSTITUTIONS:
        return ids
    record, day = (Finding, Finding.found_on) if of is Counted.FINDINGS else (VisitRecord, VisitRecord.date)
    statement = select(record.institution_id)
    if first is not None:
        statement = statement.where(day >= first)
    if last is not None:
        statement = statement.where(day <= last)
    return list(session.scalars(statement.order_by(record.id)))
