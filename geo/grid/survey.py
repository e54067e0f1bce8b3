"""STEP: the state of the official grid layer: its topology, areas past their stated end, places outside."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import geopandas as gpd
from sqlalchemy import select
from sqlalchemy.orm import Session

from data import frames
from data.schema import GridArea, Institution
from geo.grid.topology import find_issues


@dataclass(frozen=True)
class LapsedGrid:
    """A grid area in force though the official file gave it an earlier end."""

    code: str
    name: str
    expires_on: dt.date


@dataclass(frozen=True)
class OutsidePlace:
    """A located institution that lies in no grid area in force."""

    id: int
    name: str
    address: str
    doubtful: bool


@dataclass(frozen=True, eq=False)
class GridSurvey:
    """What is known about the grid layer.

    Parameters
    ----------
    grids : GeoDataFrame
        Grid areas in force, see `data.frames.grids_frame`.
    issues : GeoDataFrame
        Topology issues, see `geo.grid.topology.find_issues`; numbered from 0, empty without grid areas.
    codes : tuple of str
        All codes ever in force, ascending.
    lapsed : tuple of LapsedGrid
        Areas past their stated end, oldest end first.
    outside : tuple of OutsidePlace
        Institutions outside every grid area, by id.
    """

    grids: gpd.GeoDataFrame
    issues: gpd.GeoDataFrame
    codes: tuple[str, ...]
    lapsed: tuple[LapsedGrid, ...]
    outside: tuple[OutsidePlace, ...]


def survey_grids(session: Session, *, today: dt.date) -> GridSurvey:
    """Look the grid layer over as of `today`; a register without grid areas gives an empty survey."""
    grids = frames.grids_frame(session)
    expired = (
        select(GridArea.code, GridArea.name, GridArea.expires_on)
        .where(GridArea.valid_to.is_(None), GridArea.expires_on < today)
        .order_by(GridArea.expires_on, GridArea.code)
    )
    outside = (
        select(Institution.id, Institution.name, Institution.address, Institution.doubtful)
        .where(Institution.lon.is_not(None), Institution.grid_code.is_(None))
        .order_by(Institution.id)
    )
    return GridSurvey(
        grids,
        grids if grids.empty else find_issues(grids).reset_index(drop=True),
        tuple(session.scalars(select(GridArea.code).distinct().order_by(GridArea.code))),
        tuple(LapsedGrid(code, name, end) for code, name, end in session.execute(expired) if end is not None),
        tuple(OutsidePlace(*row) for row in session.execute(outside)),
    )
