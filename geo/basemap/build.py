"""The base map: layers of a district cut into one PMTiles file that needs no tile server and no network."""

from __future__ import annotations

import gzip
import re
import sqlite3
import tempfile
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pyogrio

from geo.basemap.pmtiles import write_archive
from geo.crs import check_frame
from geo.errors import BasemapError

_DRIVER = "MBTiles"  # GDAL cuts the tiles; the archive itself is ours, since GDAL writes one layer per file
_DEEPEST = 18
_LAYER_NAME = re.compile(r"[a-z][a-z0-9_]*")


def build_basemap(
    layers: Mapping[str, gpd.GeoDataFrame],
    path: Path | str,
    *,
    min_zoom: int = 10,
    max_zoom: int = 15,
    attribution: str = "",
) -> Path:
    """Cut named layers into vector tiles in one PMTiles file.

    Parameters
    ----------
    layers : mapping of str to GeoDataFrame
        WGS-84 frames by layer name (roads, blocks, water), drawn in this order; empty frames are left out.
    path : Path or str
        The .pmtiles file; an existing one is replaced when the new one is complete.
    min_zoom, max_zoom : int
        Zoom levels cut; a viewer enlarges the deepest one.
    attribution : str
        Source and licence of the data, kept in the file.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    BasemapError
        ``wrong_type``, ``bad_zoom``, ``bad_layer_name``, ``no_driver``, ``no_features`` or ``write_failed``.
    FrameError
        As `geo.crs.check_frame`.

    Notes
    -----
    A vector tile is a list of layers, so the tiles of the layers are joined by appending their bytes
    (protocol buffers keep repeated fields when messages are concatenated).
    """
    file = Path(path)
    _check_options(file, layers, min_zoom, max_zoom)
    full = {name: frame for name, frame in layers.items() if len(frame) and not frame.geometry.isna().all()}
    if not full:
        raise BasemapError("no_features", layers=sorted(layers))
    tiles: dict[tuple[int, int, int], bytes] = {}
    with tempfile.TemporaryDirectory(prefix="basemap-") as folder:
        for name, frame in full.items():
            for key, blob in _cut(name, frame, Path(folder), min_zoom, max_zoom).items():
                tiles[key] = tiles.get(key, b"") + blob
    boxes = np.array([frame.total_bounds for frame in full.values()])
    bounds = (*boxes[:, :2].min(axis=0).tolist(), *boxes[:, 2:].max(axis=0).tolist())
    about = {
        "name": file.stem,
        "attribution": attribution,
        "type": "baselayer",
        "vector_layers": [_describe(name, frame, min_zoom, max_zoom) for name, frame in full.items()],
    }
    part = file.with_name(f".{file.name}.part")
    try:
        write_archive(part, tiles, bounds=bounds, metadata=about)
        part.replace(file)
    finally:
        part.unlink(missing_ok=True)
    return file


def _check_options(file: Path, layers: Mapping[str, gpd.GeoDataFrame], min_zoom: int, max_zoom: int) -> None:
    if file.suffix.lower() != ".pmtiles":
        raise BasemapError("wrong_type", suffix=file.suffix)
    if not 0 <= min_zoom <= max_zoom <= _DEEPEST:
        raise BasemapError("bad_zoom", min_zoom=min_zoom, max_zoom=max_zoom, deepest=_DEEPEST)
    wrong = [name for name in layers if not _LAYER_NAME.fullmatch(name)]
    if wrong:
        raise BasemapError("bad_layer_name", names=wrong)
    if "w" not in pyogrio.list_drivers().get(_DRIVER, ""):
        raise BasemapError("no_driver", driver=_DRIVER)
    for frame in layers.values():
        check_frame(frame)


def _cut(
    name: str, frame: gpd.GeoDataFrame, folder: Path, min_zoom: int, max_zoom: int
) -> dict[tuple[int, int, int], bytes]:
    """Cut one layer and give its uncompressed tiles by (zoom, column, row from the north)."""
    target = folder / f"{name}.mbtiles"
    present = frame[~(frame.geometry.isna() | frame.geometry.is_empty)]
    try:
        pyogrio.write_dataframe(
            present, target, layer=name, driver=_DRIVER, MINZOOM=str(min_zoom), MAXZOOM=str(max_zoom)
        )
    except (pyogrio.errors.DataSourceError, pyogrio.errors.DataLayerError, RuntimeError) as error:
        raise BasemapError("write_failed", layer=name, reason=type(error).__name__) from error
    query = "SELECT zoom_level, tile_column, tile_row, tile_data FROM tiles"
    with closing(sqlite3.connect(target)) as store:
        # MBTiles counts rows from the south.
        return {(z, x, (1 << z) - 1 - y): gzip.decompress(blob) for z, x, y, blob in store.execute(query)}


def _describe(name: str, frame: gpd.GeoDataFrame, min_zoom: int, max_zoom: int) -> dict[str, Any]:
    fields = {
        str(column): "Number" if np.issubdtype(kind, np.number) else "String"
        for column, kind in frame.drop(columns=frame.geometry.name).dtypes.items()
        if isinstance(kind, np.dtype)
    }
    others = {str(c): "String" for c in frame.columns if c != frame.geometry.name and str(c) not in fields}
    return {"id": name, "fields": {**fields, **others}, "minzoom": min_zoom, "maxzoom": max_zoom}
