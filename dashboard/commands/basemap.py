"""Commands of the base map: build the one file that every map lies on, and say what it holds."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dashboard.commands.door import Database, Door, Json, demand_writable, open_door
from dashboard.commands.options import Crs, Encoding

if TYPE_CHECKING:
    import geopandas as gpd

basemap = typer.Typer(help="The base map: one PMTiles file, no tile server.", no_args_is_help=True)


@basemap.command("build")
def build_command(
    osm: Annotated[Path | None, typer.Option("--osm", help="OpenStreetMap extract (.osm.pbf).")] = None,
    roads: Annotated[Path | None, typer.Option("--roads", help="Layer of roads with a class.")] = None,
    water: Annotated[Path | None, typer.Option("--water", help="Layer of water areas.")] = None,
    blocks: Annotated[Path | None, typer.Option("--blocks", help="Layer of blocks or buildings.")] = None,
    rail: Annotated[Path | None, typer.Option("--rail", help="Layer of railways.")] = None,
    crs: Crs = None,
    encoding: Encoding = None,
    attribution: Annotated[str, typer.Option("--attribution", help="Whom to credit; shown on maps.")] = "",
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="The file; that of this installation by default.")
    ] = None,
    max_zoom: Annotated[int, typer.Option("--max-zoom", help="Deepest zoom level cut.")] = 15,
    as_json: Json = False,
    database: Database = None,
) -> None:
    """Cut roads, water and blocks, with the register's grid areas, into one PMTiles file."""
    with open_door(as_json=as_json, database=database) as door:
        from geo.basemap.build import build_basemap
        from geo.basemap.layers import join_layers, read_osm_layers

        target = output or door.wiring.settings.basemap
        target.parent.mkdir(parents=True, exist_ok=True)
        demand_writable(target)
        files = {"roads": roads, "water": water, "blocks": blocks, "rail": rail}
        layers = join_layers(
            {} if osm is None else read_osm_layers(osm),
            _read(files, crs, encoding),
            _register(door),
        )
        credit = attribution or ("© OpenStreetMap contributors" if osm is not None else "")
        build_basemap(layers, target, max_zoom=max_zoom, attribution=credit)
        figures = {name: len(frame) for name, frame in layers.items()}
        door.answer(
            {"file": str(target), "bytes": target.stat().st_size, "layers": figures, "attribution": credit},
            f"{target}: {target.stat().st_size / 1024:.0f} KB {figures}",
        )


@basemap.command("show")
def show_command(as_json: Json = False, database: Database = None) -> None:
    """Say what the base map of this installation holds and whom it credits."""
    with open_door(as_json=as_json, database=database) as door:
        from geo.basemap.pmtiles import read_metadata
        from geo.errors import BasemapError

        file = door.wiring.settings.basemap
        if not file.is_file():
            raise BasemapError("not_found", name=file.name)
        about = read_metadata(file)
        layers = [str(layer["id"]) for layer in about.get("vector_layers", [])]
        credit = str(about.get("attribution", ""))
        door.answer(
            {"file": str(file), "bytes": file.stat().st_size, "layers": layers, "attribution": credit},
            f"{file}: {layers} {credit}",
        )


def _read(
    files: dict[str, Path | None], crs: str | None, encoding: str | None
) -> dict[str, gpd.GeoDataFrame]:
    from data.errors import SheetError
    from geo.basemap.layers import style_layers
    from geo.formats.read import read_layer

    found = {}
    for name, file in files.items():
        if file is None:
            continue
        if crs is None:
            raise SheetError("crs_required", file=file.name)
        found[name] = read_layer(file, source_crs=crs, encoding=encoding)
    return style_layers(found)


def _register(door: Door) -> dict[str, gpd.GeoDataFrame]:
    """Return the grid areas in force and the district they make up."""
    import geopandas as gpd

    from data import frames

    with door.store(create=True).reading() as session:
        grids = frames.grids_frame(session)
    if grids.empty:
        return {}
    district = gpd.GeoDataFrame({"name": [""]}, geometry=[grids.union_all()], crs=4326)
    return {"grids": grids.reset_index(drop=True)[["name", "geometry"]], "district": district}
