"""Our map's colours for other programs, and plans as layers in them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import geopandas as gpd
import pandas as pd

from dashboard import theme
from dashboard.exports import plan_features, routes_frame, stops_frame
from data.terms import Kind, Stage
from geo.formats.qgis import Style
from geo.formats.write import shift_features, write_layer, write_package, write_routes
from planner.itinerary import PlanView

PLAN_LAYERS = ("geojson", "gpkg", "kml", "gpx")
_KIND_COLOURS = dict(zip(Kind, theme.TEAMS, strict=True))
_STAGE_COLOURS = dict(zip(Stage, (theme.PRIMARY, theme.GOOD, theme.ATTENTION, theme.MUTED), strict=True))
PLACE_STYLES = {
    "institutions": Style(
        color=theme.MUTED,
        column="kind",
        categories=[(kind.value, kind.zh, colour) for kind, colour in _KIND_COLOURS.items()],
        label="name",
    ),
    "schools": Style(
        color=theme.MUTED,
        column="stage",
        categories=[(stage.value, stage.zh, colour) for stage, colour in _STAGE_COLOURS.items()],
        label="name",
    ),
    "grids": Style(color=theme.MAP["grid"], label="grid_code"),
}


def patrol_style(numbers: Sequence[int]) -> Style:
    """Return the style of patrol areas: a team's colour each, its name as label."""
    coloured = [(str(n), str(n), theme.team_colour(n)[0]) for n in numbers]
    return Style(color=theme.MUTED, column="area", categories=coloured, label="name")


def write_plan_layers(view: PlanView, form: str, path: Path, *, datum: str) -> None:
    """Write a plan's stops and routes for another map: one of `PLAN_LAYERS`.

    Raises
    ------
    FormatError
        As `geo.formats.write.write_layer` and its neighbours.
    """
    stops, routes = stops_frame(view), routes_frame(view)
    if form == "gpx":
        write_routes(stops, path, datum=datum)
    elif form == "gpkg":
        teams = sorted({shift.team for shift in view.shifts})
        coloured = [(team, team, theme.team_colour(number + 1)[0]) for number, team in enumerate(teams)]
        lines = Style(color=theme.MUTED, column="team", categories=coloured)
        layers: dict[str, tuple[gpd.GeoDataFrame, Style | None]] = {
            "routes": (routes, lines),
            "stops": (stops, Style(color=theme.PRIMARY, label="name")),
        }
        write_package(layers, path, datum=datum)
    elif form == "kml":
        # As objects: beside lines without a sequence the numbers would turn into fractions.
        both = pd.concat([routes, stops.astype({"sequence": object, "mandatory": object})], ignore_index=True)
        write_layer(both, path, datum=datum, name_column="name")
    else:
        body = shift_features(plan_features(view), datum=datum)
        path.write_text(json.dumps(body, ensure_ascii=False), encoding="utf-8")
