"""STEP: load official grid areas, geocode pending institutions, assign each to exactly one grid area."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import geopandas as gpd
import pandas as pd
from sqlalchemy import select
from sqlalchemy.orm import Session

from data import frames
from data.schema import GridArea, Institution
from geo.errors import GridError
from geo.formats import read_layer
from geo.gazetteer import build_gazetteer
from geo.geocode import GazetteerGeocoder, Geocoder, Level, Match
from geo.grid import assign_grids, check_grids

# A point whose honest radius is wider than this, or that only a road gave, goes to the review list.
DOUBTFUL_RADIUS_M = 400.0
DECLARED_RADIUS_M = 50.0
# Beyond this margin round the grid areas a declared point cannot belong to the district (about 20 km).
EXTENT_MARGIN_DEG = 0.2

# Beyond this a number of a file no longer tells neighbouring codes apart.
MOST_EXACT = 2**53

_CODES = ("网格编码", "网格代码", "网格编号", "grid_code", "code", "编码")
_NAMES = ("网格名称", "grid_name", "name", "名称")
_SUBDISTRICTS = ("街道", "街道名称", "乡镇街道", "subdistrict")
_COMMUNITIES = ("社区", "社区名称", "community")


@dataclass
class GridImport:
    """What a grid import did."""

    added: int = 0
    updated: int = 0
    unchanged: int = 0
    retired: int = 0


@dataclass(frozen=True)
class Review:
    """A place a person should look at: why (`doubtful`, `outside`, or the code of being unplaced)."""

    institution_id: int
    name: str
    address: str
    code: str
    level: str
    error_radius_m: float | None


@dataclass
class LocateResult:
    """Counts of a locate run over all institutions, and the list of those to review."""

    placed: int = 0
    doubtful: int = 0
    unplaced: int = 0
    outside: int = 0
    by_level: dict[str, int] = field(default_factory=dict)
    by_code: dict[str, int] = field(default_factory=dict)
    review: list[Review] = field(default_factory=list)


def import_grids(session: Session, path: Path, *, source_crs: str, today: dt.date) -> GridImport:
    """Import a layer of grid areas; a changed area gets a new version, a missing one ends today.

    Placed institutions are assigned anew.

    Raises
    ------
    GridError
        `broken_layer` with every fault (overlap, invalid ring, blank or repeated code), `no_code_column`,
        `inexact_codes` when the file keeps long codes as rounded numbers.
    FormatError
        When the file cannot be read.
    """
    layer = read_layer(path, source_crs=source_crs)
    frame = _named(layer)
    faults = check_grids(frame)
    if faults:
        shown = [
            {"code": f.code, "grids": list(f.grids), "rows": [r + 1 for r in f.rows], "area_m2": f.area_m2}
            for f in faults
        ]
        raise GridError("broken_layer", file=path.name, count=len(faults), faults=shown)
    return _replace_grids(session, frame, source_crs=source_crs, today=today)


def _named(layer: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    def pick(names: Sequence[str]) -> pd.Series | None:
        found = next((name for name in names if name in layer.columns), None)
        return None if found is None else layer[found].map(_text).astype(object)

    code = pick(_CODES)
    if code is None:
        raise GridError("no_code_column", wanted=list(_CODES), found=[str(c) for c in layer.columns])
    blank = pd.Series("", index=layer.index)
    columns = {
        "grid_code": code,
        "name": pick(_NAMES),
        "subdistrict": pick(_SUBDISTRICTS),
        "community": pick(_COMMUNITIES),
    }
    values = {name: blank if column is None else column for name, column in columns.items()}
    return gpd.GeoDataFrame(values, geometry=layer.geometry, crs=layer.crs)


def _text(value: Any) -> str:
    """Return a cell as text; a code that a file keeps as a number must not gain a decimal point."""
    if value is None or value != value:
        return ""
    if isinstance(value, float) and value.is_integer():
        if abs(value) > MOST_EXACT:
            raise GridError("inexact_codes", value=f"{value:.0f}")
        return str(int(value))
    return str(value).strip()


def _replace_grids(
    session: Session, frame: gpd.GeoDataFrame, *, source_crs: str, today: dt.date
) -> GridImport:
    result = GridImport()
    current = {g.code: g for g in session.scalars(select(GridArea).where(GridArea.valid_to.is_(None)))}
    for row in frame.itertuples():
        west, south, east, north = row.geometry.bounds
        values: dict[str, Any] = {
            "name": row.name,
            "subdistrict": row.subdistrict,
            "community": row.community,
        }
        known = current.pop(row.grid_code, None)
        if known is not None and known.geometry.equals_exact(row.geometry, 1e-9):
            changed = {k: v for k, v in values.items() if getattr(known, k) != v}
            for name, value in changed.items():
                setattr(known, name, value)
            if changed:
                result.updated += 1
            else:
                result.unchanged += 1
            continue
        if known is not None:
            known.valid_to = today
            result.updated += 1
        else:
            result.added += 1
        session.add(
            GridArea(
                code=row.grid_code,
                **values,
                valid_from=today,
                source_crs=source_crs,
                geometry=row.geometry,
                minx=west,
                miny=south,
                maxx=east,
                maxy=north,
            )
        )
    for gone in current.values():
        gone.valid_to = today
        result.retired += 1
    session.flush()
    # No institution may keep the code of a grid area that is no longer in force.
    _assign(session, session.scalars(select(Institution).order_by(Institution.id)).all())
    session.flush()
    return result


def district_extent(session: Session) -> tuple[float, float, float, float] | None:
    """Return (west, south, east, north) of the grid areas with a margin, None without any."""
    grids = frames.grids_frame(session)
    if grids.empty:
        return None
    west, south, east, north = (float(v) for v in grids.total_bounds)
    margin = EXTENT_MARGIN_DEG
    return west - margin, south - margin, east + margin, north + margin


def build_geocoder(session: Session) -> Geocoder | None:
    """Return the offline geocoder over the register's gazetteer and schools, None without entries."""
    entries = frames.gazetteer_frame(session)
    schools = frames.schools_frame(session)
    known = pd.concat([entries, schools[["name", "address", "geometry"]]], ignore_index=True)
    known = known[known["address"] != ""]
    if known.empty:
        return None
    frame = gpd.GeoDataFrame(known, geometry="geometry", crs=4326).reset_index(drop=True)
    return GazetteerGeocoder(build_gazetteer(frame, name_column="name", address_column="address"))


def locate(session: Session, *, again: bool = False) -> LocateResult:
    """Place institutions without a point, then assign every placed one to its grid area.

    Parameters
    ----------
    again
        Also place those that were placed before by an earlier gazetteer.
    """
    statement = select(Institution).order_by(Institution.id)
    records = list(session.scalars(statement))
    pending = [r for r in records if r.lon is None or (again and r.source_crs is None)]
    _place_declared([r for r in pending if r.declared_lon is not None])
    undeclared = [r for r in pending if r.declared_lon is None]
    geocoder = build_geocoder(session) if undeclared else None
    if geocoder is None:
        # What an earlier gazetteer placed stays where it is.
        for record in (r for r in undeclared if r.lon is None):
            record.match_level, record.match_code = Level.NONE.value, "no_gazetteer"
    else:
        # An institution's own name is no evidence of where it is, so only the address is asked.
        matches = geocoder.locate([r.address for r in undeclared])
        for record, match in zip(undeclared, matches, strict=True):
            _store_match(record, match)
    _assign(session, records)
    session.flush()
    return _summarise(records)


def _place_declared(records: Sequence[Institution]) -> None:
    for record in records:
        record.lon, record.lat = record.declared_lon, record.declared_lat
        record.match_level, record.match_code, record.match_score = "declared", "placed", 1.0
        record.error_radius_m, record.doubtful = DECLARED_RADIUS_M, False


def _store_match(record: Institution, match: Match) -> None:
    record.lon, record.lat = match.lon, match.lat
    record.match_level, record.match_code = match.level.value, match.code
    record.match_score, record.match_text = match.score, match.matched_text
    record.error_radius_m = None if match.error_radius_m is None else round(match.error_radius_m, 1)
    record.doubtful = match.lon is not None and (
        match.level is Level.ROAD or (match.error_radius_m or 0.0) > DOUBTFUL_RADIUS_M
    )


def _assign(session: Session, records: Sequence[Institution]) -> None:
    grids = frames.grids_frame(session)
    placed = [r for r in records if r.lon is not None]
    for record in records:
        if record.lon is None:
            record.grid_id = record.grid_code = record.subdistrict = None
    if not placed:
        return
    if grids.empty:
        codes = pd.Series([None] * len(placed))
    else:
        points = gpd.GeoDataFrame(
            geometry=gpd.points_from_xy([r.lon for r in placed], [r.lat for r in placed]), crs=4326
        )
        codes = assign_grids(points, grids)
    by_code = {row.grid_code: (row.Index, row.subdistrict) for row in grids.itertuples()}
    for record, code in zip(placed, codes, strict=True):
        grid_id, subdistrict = by_code.get(code, (None, None))
        record.grid_id = None if grid_id is None else int(grid_id)
        record.grid_code = code if grid_id is not None else None
        record.subdistrict = subdistrict or None


def _summarise(records: Sequence[Institution]) -> LocateResult:
    levels = Counter(r.match_level or Level.NONE.value for r in records)
    codes = Counter(r.match_code or "" for r in records if r.lon is None)
    return LocateResult(
        placed=sum(r.lon is not None for r in records),
        doubtful=sum(r.doubtful for r in records),
        unplaced=sum(r.lon is None for r in records),
        outside=sum(r.lon is not None and r.grid_id is None for r in records),
        by_level=dict(sorted(levels.items())),
        by_code=dict(sorted(codes.items())),
        review=[review for record in records if (review := _review(record)) is not None],
    )


def _review(record: Institution) -> Review | None:
    if record.lon is None:
        code = record.match_code or "unplaced"
    elif record.grid_id is None:
        code = "outside"
    elif record.doubtful:
        code = "doubtful"
    else:
        return None
    level = record.match_level or Level.NONE.value
    return Review(record.id, record.name, record.address, code, level, record.error_radius_m)
