"""STEP: the official grid layer: import, versions, and which grid area each institution lies in."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import geopandas as gpd
import pandas as pd
import shapely
from shapely.geometry.base import BaseGeometry
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from data import frames
from data.bulk import insert_rows
from data.schema import GridArea, Institution
from geo.errors import GridError
from geo.formats.read import read_layer
from geo.formats.shapefiles import cut_name
from geo.grid.assign import assign_grids, check_grids
from geo.grid.codes import read_date, read_text

_COLUMNS = {
    "grid_code": ("网格编码", "网格代码", "网格编号", "grid_code", "code", "编码"),
    "name": ("网格名称", "grid_name", "name", "名称"),
    "subdistrict": ("街道", "街道名称", "乡镇街道", "subdistrict"),
    "community": ("社区", "社区名称", "community"),
    "worker": ("网格员", "网格员姓名", "grid_worker", "worker"),
    "code_scheme": ("编码规则", "编码标准", "code_scheme", "scheme"),
    "valid_from": ("启用日期", "初始日期", "起始日期", "生效日期", "valid_from"),
    "expires_on": ("停用日期", "终止日期", "失效日期", "valid_to", "expires_on"),
}
_DATES = ("valid_from", "expires_on")
_SHORTEST_CODE, _LONGEST_CODE = 12, 20
_LENGTHS = {"name": 100, "subdistrict": 60, "community": 60, "worker": 60, "code_scheme": 40}
_SAME_DEG = 1e-9  # a tenth of a millimetre
_MOST_ENDED = 0.1  # share of the areas in force that a file ends without being asked
_MOST_NAMED = 5
_KEPT = (*_LENGTHS, "expires_on")


@dataclass
class GridImport:
    """What a grid import did.

    `unusual_codes` counts codes shorter than the official 12 characters; `encoding` is how a shapefile's
    texts were read and who told it; `flattened` says that heights were left out, `cut` names the texts that
    end inside a character by row and column.
    """

    added: int = 0
    updated: int = 0
    unchanged: int = 0
    retired: int = 0
    unusual_codes: int = 0
    encoding: tuple[str, str] | None = None
    flattened: bool = False
    cut: list[tuple[int, str]] = field(default_factory=list)


def import_grids(
    session: Session,
    path: Path,
    *,
    source_crs: str,
    today: dt.date,
    scheme: str | None = None,
    encoding: str | None = None,
    layer: str | None = None,
    retire: bool = False,
    part: bool = False,
) -> GridImport:
    """Import a layer of grid areas; a changed border gets a new version, a missing code ends today.

    The same border keeps its version: changed words are written into it, an earlier start date corrects its
    own (never to before the version before it ended). A later start date begins a new version of the same
    border on that day. What the file has no column for stays as it was. Placed institutions are assigned
    anew.

    Parameters
    ----------
    scheme
        What the codes follow, where the file does not say.
    encoding, layer
        As `geo.formats.read.read_layer`.
    retire
        Somebody confirmed that the areas missing in the file are to end, though they are many.
    part
        The file holds a part of the district only, such as one street office's: nothing ends by it.

    Raises
    ------
    GridError
        `retires_many` when more than one area and more than a tenth of those in force are not in the file,
        `broken_layer` with every fault (overlap, invalid ring, blank or repeated code, code or text too long,
        date that cannot be read or lies in the future; with `part` also overlaps with areas of other
        files), `no_code_column`, `inexact_codes` when the file keeps
        long codes as rounded numbers.
    FormatError
        When the file cannot be read.
    """
    read = read_layer(path, source_crs=source_crs, encoding=encoding, layer=layer)
    frame = name_columns(read)
    faults = _layer_faults(frame)
    faults += _text_faults(frame, today)
    if part and not faults:
        faults = _layer_faults(_beside_others(session, frame))
    if faults:
        raise GridError("broken_layer", file=path.name, count=len(faults), faults=faults)
    told = [name for name in frame.attrs["told"] if name in _KEPT]
    if scheme is not None:
        told = sorted({*told, "code_scheme"})
        frame["code_scheme"] = frame["code_scheme"].where(frame["code_scheme"] != "", scheme)
    result = _replace_grids(
        session, frame, told, source_crs=source_crs, today=today, retire=retire, part=part
    )
    result.encoding, result.flattened = read.attrs["encoding"], read.attrs["flattened"]
    result.cut = read.attrs["cut"] or []
    result.unusual_codes = int((frame["grid_code"].str.len() < _SHORTEST_CODE).sum())
    return result


def read_grids(
    path: Path, *, source_crs: str, encoding: str | None = None, layer: str | None = None
) -> gpd.GeoDataFrame:
    """Read a layer of grid areas to look at its topology: overlaps may be in it, broken rows may not.

    Raises
    ------
    GridError
        `broken_layer` with every blank or repeated code and every shape that is no valid polygon, and as
        `name_columns`.
    FormatError
        When the file cannot be read.
    """
    frame = name_columns(read_layer(path, source_crs=source_crs, encoding=encoding, layer=layer))
    faults = [fault for fault in _layer_faults(frame) if fault["code"] != "grid_overlap"]
    if faults:
        raise GridError("broken_layer", file=path.name, count=len(faults), faults=faults)
    return frame


def name_columns(layer: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Give a grid layer our column names; absent texts are empty and absent dates None.

    ``attrs["told"]`` lists the columns the layer has.

    Raises
    ------
    GridError
        `no_code_column`, `inexact_codes`.
    """
    values: dict[str, pd.Series] = {}
    told: list[str] = []
    written = {str(c).strip().lower(): c for c in layer.columns if c != layer.geometry.name}
    for ours, theirs in _COLUMNS.items():
        spellings = (*theirs, *map(cut_name, theirs))
        found = next((written[name] for name in spellings if name in written), None)
        if found is None and ours == "grid_code":
            raise GridError("no_code_column", wanted=list(theirs), found=[str(c) for c in layer.columns])
        if found is None:
            empty = None if ours in _DATES else ""
            values[ours] = pd.Series([empty] * len(layer), index=layer.index, dtype=object)
        else:
            told.append(ours)
            values[ours] = layer[found].map(read_date if ours in _DATES else read_text).astype(object)
    frame = gpd.GeoDataFrame(values, geometry=layer.geometry, crs=layer.crs)
    frame.attrs["told"] = told
    return frame


def assign_institutions(session: Session, records: Sequence[Institution]) -> None:
    """Put each placed institution into the one grid area in force that its point belongs to."""
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


def _layer_faults(frame: gpd.GeoDataFrame) -> list[dict[str, Any]]:
    return [
        {
            "code": f"grid_{f.code}",
            "fields": {
                "rows": [row + 1 for row in f.rows],
                "grids": [grid for grid in f.grids if grid],
                "area_m2": f.area_m2,
                "detail": f.detail,
            },
        }
        for f in check_grids(frame)
    ]


def _text_faults(frame: gpd.GeoDataFrame, today: dt.date) -> list[dict[str, Any]]:
    faults = []
    for number, row in enumerate(frame.itertuples(), start=1):
        codes = [code for code in ["code_too_long"] if len(row.grid_code) > _LONGEST_CODE]
        codes += ["text_too_long" for name, most in _LENGTHS.items() if len(getattr(row, name)) > most]
        codes += ["bad_date" for name in _DATES if isinstance(getattr(row, name), str)]
        if isinstance(row.valid_from, dt.date) and row.valid_from > today:
            codes.append("not_yet_valid")
        faults += [
            {"code": f"grid_{code}", "fields": {"rows": [number], "grids": [row.grid_code]}} for code in codes
        ]
    return faults


def _beside_others(session: Session, frame: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Return a part of the district with the areas in force that it does not hold, told by their codes."""
    others = frames.grids_frame(session)
    others = others[~others["grid_code"].isin(frame["grid_code"])]
    columns = ["grid_code", "geometry"]
    return gpd.GeoDataFrame(
        pd.concat([frame[columns], others[columns]], ignore_index=True), geometry="geometry", crs=frame.crs
    )


def _replace_grids(
    session: Session,
    frame: gpd.GeoDataFrame,
    told: Sequence[str],
    *,
    source_crs: str,
    today: dt.date,
    retire: bool,
    part: bool,
) -> GridImport:
    result = GridImport()
    new: list[dict[str, Any]] = []
    current, ended = _read_versions(session)
    if not retire and not part:
        _ask_before_many_end(sorted(current), set(frame["grid_code"]))
    for row in frame.itertuples():
        known = current.pop(row.grid_code, None)
        values = {name: getattr(row, name) for name in told}
        same = known is not None and _is_same_border(known.geometry, row.geometry)
        start = _find_start(row.valid_from, known, ended.get(row.grid_code), same=same, today=today)
        west, south, east, north = row.geometry.bounds
        box = {"minx": west, "miny": south, "maxx": east, "maxy": north}
        first = {"code": row.grid_code, "valid_from": start, "source_crs": source_crs, **box}
        if known is None:
            new.append({**first, "geometry": row.geometry, **values})
            continue
        if same and (start is None or known.valid_from is None or start <= known.valid_from):
            # The words of the version in force, and a start set right: the change log keeps what they were.
            changed = _write_changes(known, values if start is None else {**values, "valid_from": start})
            result.updated += changed
            result.unchanged += not changed
            continue
        known.valid_to = start
        result.updated += 1
        version = GridArea(**first, geometry=row.geometry)
        _write_changes(version, {name: getattr(known, name) for name in _KEPT} | values)
        session.add(version)
    insert_rows(session, GridArea, new)
    result.added = len(new)
    for gone in () if part else current.values():
        gone.valid_to = today
        result.retired += 1
    session.flush()
    # No institution may keep the code of a grid area that is no longer in force.
    assign_institutions(session, session.scalars(select(Institution).order_by(Institution.id)).all())
    session.flush()
    return result


def _ask_before_many_end(current: Sequence[str], incoming: Collection[str]) -> None:
    """Refuse to end many areas unasked: the file may hold a part of the district only."""
    gone = [code for code in current if code not in incoming]
    if len(gone) > 1 and len(gone) > _MOST_ENDED * len(current):
        raise GridError(
            "retires_many",
            retired=len(gone),
            current=len(current),
            incoming=len(incoming),
            first=gone[:_MOST_NAMED],
        )


def _read_versions(session: Session) -> tuple[dict[str, GridArea], dict[str, dt.date]]:
    """Return the version in force of each code, and the day the last one before it ended."""
    current = {g.code: g for g in session.scalars(select(GridArea).where(GridArea.valid_to.is_(None)))}
    closed = select(GridArea.code, func.max(GridArea.valid_to)).where(GridArea.valid_to.is_not(None))
    return current, {code: day for code, day in session.execute(closed.group_by(GridArea.code)) if day}


def _find_start(
    told: dt.date | None, known: GridArea | None, ended: dt.date | None, *, same: bool, today: dt.date
) -> dt.date | None:
    """Return the day a version begins, so that no two of one code are in force at once; None to leave it."""
    if same and told is None:
        return None
    if known is not None and not same:
        # Another border was in force until now: a date from before it began cannot be this border's own.
        later = told is not None and (known.valid_from is None or told > known.valid_from)
        return told if later else today
    return max(told or today, ended or dt.date.min)


def _is_same_border(one: BaseGeometry, other: BaseGeometry) -> bool:
    """Tell whether two shapes are one border, wherever its rings begin and whichever way they run."""
    if one.equals_exact(other, _SAME_DEG):
        return True
    first, second = (shapely.multipolygons([*shapely.get_parts(shape)]).normalize() for shape in (one, other))
    return bool(first.equals_exact(second, _SAME_DEG))


def _write_changes(record: GridArea, values: Mapping[str, Any]) -> bool:
    """Write what differs; an empty text and none are the same."""
    changed = {name: v for name, v in values.items() if (getattr(record, name) or None) != (v or None)}
    for name, value in changed.items():
        setattr(record, name, value)
    return bool(changed)
