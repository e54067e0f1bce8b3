"""Layer files out: GeoJSON, styled GeoPackage, KML, GPX and csv, in WGS-84 or, when asked, in GCJ-02."""

from __future__ import annotations

import json
import re
import tempfile
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from data.register.celltext import guard, printable
from geo.crs import WGS84_EPSG, Floats, SourceCrs, check_frame, from_wgs84
from geo.errors import FormatError
from geo.formats.qgis import Style, store_style

_DRIVERS = {".geojson": "GeoJSON", ".gpkg": "GPKG", ".csv": "CSV", ".kml": "KML", ".gpx": "GPX"}
_DATUM_NAMES = {SourceCrs.WGS84: "WGS-84", SourceCrs.GCJ02: "GCJ-02"}
_COORDINATES = ("经度", "lon", "lng", "longitude", "x", "纬度", "lat", "latitude", "y")


def write_layer(
    frame: gpd.GeoDataFrame,
    path: Path | str,
    *,
    datum: SourceCrs | str = SourceCrs.WGS84,
    style: Style | None = None,
    name_column: str | None = None,
) -> Path:
    """Write a WGS-84 frame as .geojson, .gpkg, .kml, .gpx or .csv.

    Parameters
    ----------
    frame : GeoDataFrame
        Frame in WGS-84; a csv gets the columns lon and lat (empty where unplaced), or wkt for other shapes;
        KML and GPX leave out rows without a shape.
    path : Path or str
        File to write; an existing one is replaced when the new one is complete.
    datum : SourceCrs or str
        ``wgs84`` or ``gcj02``; what is not WGS-84 says so in a column ``datum`` of every row, in the names of
        csv columns (lon_gcj02) and, in a GeoPackage, by having no CRS.
    style : Style, optional
        Colours kept in a GeoPackage for QGIS.
    name_column : str, optional
        Column that names each row in KML and GPX; ``name`` where the frame has one.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    FrameError
        As `geo.crs.check_frame`.
    FormatError
        ``wrong_type``, ``wrong_datum``, ``gpx_no_polygons``.

    Notes
    -----
    Text cells of a csv that a spreadsheet would run as a formula get a leading apostrophe, which
    `geo.formats.read.read_layer` takes away again. Control characters are left out of every text.
    """
    check_frame(frame)
    file = Path(path)
    kind = file.suffix.lower()
    if kind not in _DRIVERS:
        raise FormatError("wrong_type", suffix=kind, accepted=sorted(_DRIVERS))
    shifted = _shift(frame, _known_datum(datum))
    part = file.with_name(f".{file.stem}.part{kind}")
    part.unlink(missing_ok=True)
    try:
        if kind == ".csv":
            # Only a line end with \r in it makes the writer quote a text with \r in it.
            table = _csv_table(shifted, SourceCrs(datum))
            table.to_csv(part, index=False, encoding="utf-8-sig", lineterminator="\r\n")
        elif kind in (".kml", ".gpx"):
            _write_named(shifted, part, kind, name_column, title=file.stem)
        else:
            _write_plain(shifted, part, file, kind, style)
        part.replace(file)
    finally:
        part.unlink(missing_ok=True)
    return file


def write_package(
    layers: Mapping[str, tuple[gpd.GeoDataFrame, Style | None]],
    path: Path | str,
    *,
    datum: SourceCrs | str = SourceCrs.WGS84,
) -> Path:
    """Write several WGS-84 layers with their styles into one GeoPackage.

    Parameters
    ----------
    layers : mapping of str to (GeoDataFrame, Style or None)
        Layers by name; empty ones are left out.
    path : Path or str
        The .gpkg file; an existing one is replaced when the new one is complete.
    datum : SourceCrs or str
        As in `write_layer`.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    FormatError
        ``wrong_type``, ``wrong_datum``, ``empty`` when no layer has rows.
    """
    file = Path(path)
    full = {name: pair for name, pair in layers.items() if len(pair[0])}
    if file.suffix.lower() != ".gpkg":
        raise FormatError("wrong_type", suffix=file.suffix, accepted=[".gpkg"])
    if not full:
        raise FormatError("empty", name=file.name)
    with tempfile.TemporaryDirectory(prefix="package-", dir=file.parent) as folder:
        whole = Path(folder) / file.name
        for name, (frame, style) in full.items():
            check_frame(frame)
            _append_package(_shift(frame, _known_datum(datum)), whole, name, style)
        whole.replace(file)
    return file


def write_routes(
    stops: gpd.GeoDataFrame, path: Path | str, *, datum: SourceCrs | str = SourceCrs.WGS84
) -> Path:
    """Write stops in driving order as GPX routes, one a ``route``.

    Parameters
    ----------
    stops : GeoDataFrame
        WGS-84 points with the columns ``route`` (name of the route), ``sequence`` and ``name``, and ``desc``.
    path : Path or str
        The .gpx file.
    datum : SourceCrs or str
        As in `write_layer`; the name of each route says what is not WGS-84.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    FormatError
        ``wrong_type``, ``wrong_datum``, ``empty``.
    """
    check_frame(stops, "route", "sequence", "name", "desc")
    file = Path(path)
    if file.suffix.lower() != ".gpx":
        raise FormatError("wrong_type", suffix=file.suffix, accepted=[".gpx"])
    if stops.empty:
        raise FormatError("empty", name=file.name)
    known = _known_datum(datum)
    ordered = _shift(stops, known).sort_values(["route", "sequence"], kind="stable")
    end = "" if known is SourceCrs.WGS84 else f" ({_DATUM_NAMES[known]})"
    table = gpd.GeoDataFrame(
        {
            "route_fid": pd.factorize(ordered["route"])[0],
            "route_point_id": ordered.groupby("route").cumcount().to_numpy(),
            "route_name": [printable(f"{name}{end}") for name in ordered["route"]],
            "name": [printable(str(name)) for name in ordered["name"]],
            "desc": [printable(str(text)) for text in ordered["desc"]],
        },
        geometry=ordered.geometry.to_numpy(),
        crs=WGS84_EPSG,
    )
    part = file.with_name(f".{file.stem}.part.gpx")
    part.unlink(missing_ok=True)
    try:
        table.to_file(part, driver="GPX", layer="route_points", engine="pyogrio")
        part.replace(file)
    finally:
        part.unlink(missing_ok=True)
    return file


def shift_features(body: Mapping[str, Any], *, datum: SourceCrs | str) -> dict[str, Any]:
    """Lay a WGS-84 feature collection in another datum, said on top and in every feature.

    Parameters
    ----------
    body : mapping
        GeoJSON feature collection.
    datum : SourceCrs or str
        As in `write_layer`; WGS-84 leaves all as it is.

    Returns
    -------
    dict
        The collection; coordinates are rounded to 1e-7 degrees.

    Raises
    ------
    FormatError
        ``wrong_datum``.
    """
    known = _known_datum(datum)
    if known is SourceCrs.WGS84:
        return dict(body)
    name = _DATUM_NAMES[known]
    shapes = np.array([shapely.geometry.shape(feature["geometry"]) for feature in body["features"]])
    moved = shapely.transform(shapes, lambda xy: _shift_xy(xy, known).round(7))
    features = [
        {
            **feature,
            "properties": {**feature["properties"], "datum": name},
            "geometry": shapely.geometry.mapping(shape),
        }
        for feature, shape in zip(body["features"], moved, strict=True)
    ]
    return {"type": body["type"], "datum": name, **body, "features": features}


def _known_datum(datum: SourceCrs | str) -> SourceCrs:
    if datum not in _DATUM_NAMES:
        raise FormatError("wrong_datum", datum=str(datum), accepted=[str(d) for d in _DATUM_NAMES])
    return SourceCrs(datum)


def _clean(frame: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Leave out of texts what no file can hold: GDAL would cut a text at the first such sign."""
    texts = {
        column: frame[column].map(lambda value: printable(value) if isinstance(value, str) else value)
        for column in frame.columns
        if column != frame.geometry.name and frame[column].map(lambda value: isinstance(value, str)).any()
    }
    return frame.assign(**texts) if texts else frame


def _shift(frame: gpd.GeoDataFrame, datum: SourceCrs) -> gpd.GeoDataFrame:
    frame = _clean(frame)
    if datum is SourceCrs.WGS84:
        return frame

    moved = shapely.transform(frame.geometry.to_numpy(), lambda xy: _shift_xy(xy, datum))
    table = frame.drop(columns=frame.geometry.name).assign(datum=_DATUM_NAMES[datum])
    # Named WGS-84 it would be mixed with layers half a kilometre away.
    return gpd.GeoDataFrame(table, geometry=moved, crs=None)


def _shift_xy(xy: Floats, datum: SourceCrs) -> Floats:
    return np.column_stack(from_wgs84(xy[:, 0], xy[:, 1], datum))


def _write_plain(frame: gpd.GeoDataFrame, part: Path, file: Path, kind: str, style: Style | None) -> None:
    name = re.sub(r"\W", "_", file.stem)  # GeoPackage takes no dots or blanks in a layer name
    if kind == ".geojson":
        # Rings run as RFC 7946 asks, and it knows no member `crs`.
        turned = frame.set_geometry(shapely.orient_polygons(frame.geometry.to_numpy(), exterior_cw=False))
        named = turned.set_crs(WGS84_EPSG, allow_override=True)
        precise = {"RFC7946": "YES", "COORDINATE_PRECISION": "9"}
        named.to_file(part, driver="GeoJSON", layer=name, engine="pyogrio", **precise)
        if frame.crs is None:
            body = json.loads(part.read_text(encoding="utf-8"))
            body = {"type": body["type"], "datum": str(frame["datum"].iloc[0]) if len(frame) else "", **body}
            body.pop("crs", None)
            part.write_text(json.dumps(body, ensure_ascii=False), encoding="utf-8")
        return
    _append_package(frame, part, name, style)


def _append_package(frame: gpd.GeoDataFrame, path: Path, layer: str, style: Style | None) -> None:
    with warnings.catch_warnings():
        # Without a CRS on purpose: see `_shift`.
        warnings.filterwarnings("ignore", message="'crs' was not provided", category=UserWarning)
        # Version 1.2 opens without a warning in the QGIS that offices have.
        more = {"append": True} if path.exists() else {"VERSION": "1.2"}
        frame.to_file(path, driver="GPKG", layer=layer, engine="pyogrio", **more)
    known = frame.geometry[frame.geometry.notna()]
    if style is not None and len(known):
        store_style(path, layer, style, geometry=str(known.geom_type.iloc[0]), name=layer)


def _write_named(
    frame: gpd.GeoDataFrame, part: Path, kind: str, name_column: str | None, *, title: str
) -> None:
    """Write KML placemarks, or GPX way points and tracks: a name, and the other columns as words."""
    shown = frame[frame.geometry.notna() & ~frame.geometry.is_empty]
    families = {str(family).removeprefix("Multi") for family in shown.geom_type}
    if kind == ".gpx" and not families <= {"Point", "LineString"}:
        raise FormatError("gpx_no_polygons", types=sorted(families))
    column = name_column or ("name" if "name" in shown.columns else None)
    others = [c for c in shown.columns if c not in (shown.geometry.name, column)]
    words = [
        "; ".join(f"{c}: {row[c]}" for c in others if row[c] is not None and row[c] == row[c])
        for _, row in shown.iterrows()
    ]
    titles = ["" if column is None else str(value) for value in (shown[column] if column else shown.index)]
    # The drivers take their own field names for these two.
    name, text = ("Name", "Description") if kind == ".kml" else ("name", "desc")
    table = gpd.GeoDataFrame(
        {name: [printable(t) for t in titles], text: [printable(w) for w in words]},
        geometry=shown.geometry.to_numpy(),
        crs=WGS84_EPSG,
    )
    if kind == ".kml":
        table.to_file(part, driver="KML", layer=title, engine="pyogrio")
        return
    points = families == {"Point"}
    table.to_file(
        part,
        driver="GPX",
        layer="waypoints" if points else "tracks",
        engine="pyogrio",
        **_gpx_kind(table, points),
    )


def _gpx_kind(table: gpd.GeoDataFrame, points: bool) -> dict[str, Any]:
    return {} if points else {"geometry_type": "MultiLineString", "promote_to_multi": True}


def _csv_table(frame: gpd.GeoDataFrame, datum: SourceCrs) -> pd.DataFrame:
    kept = [
        c for c in frame.columns if c != frame.geometry.name and str(c).strip().lower() not in _COORDINATES
    ]
    table = pd.DataFrame(frame[kept])
    table = table.map(lambda value: guard(value) if isinstance(value, str) else value)
    known = frame.geometry[frame.geometry.notna()]
    if (known.geom_type == "Point").all():
        end = "" if datum is SourceCrs.WGS84 else f"_{datum.value}"
        return table.assign(
            **{f"lon{end}": frame.geometry.x.round(8), f"lat{end}": frame.geometry.y.round(8)}
        )
    return table.assign(wkt=frame.geometry.to_wkt(rounding_precision=8))
