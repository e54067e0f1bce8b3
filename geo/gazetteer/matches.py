"""What geocoding gives: levels, matches and their frame."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from enum import StrEnum

import geopandas as gpd
import numpy as np
import pandas as pd

from geo.crs import WGS84_EPSG


class Level(StrEnum):
    """How fine a geocode is, finest first."""

    ROOM = "room"
    DOOR = "door"
    OTHER_UNIT = "other_unit"
    POI = "poi"
    INTERPOLATED = "interpolated"
    ROAD = "road"
    AREA = "area"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Match:
    """Result of geocoding one address.

    Parameters
    ----------
    lon, lat : float or None
        WGS-84 degrees, None when unplaced.
    level : Level
        How the point was found.
    score : float
        Trust in the text match, 0 to 1.
    error_radius_m : float or None
        Radius that holds the true point for about nine of ten rows of this kind.
    matched_text : str
        What the gazetteer knew (road and number, or a name); empty when unplaced.
    source : str
        Name of the geocoder.
    code : str
        ``placed``; ``suggestion`` for a candidate a person has to choose; else ``no_address``, ``no_road``
        (the text names no road or place), ``unknown_road``, ``unknown_place`` or the code of an outside
        service's error.
    notes : tuple of str
        What a reviewer should know: ``road_alias``, ``road_lead``, ``road_fuzzy``, ``road_direction``,
        ``road_section``, ``road_sibling``, ``road_of_crossing``, ``crossing``, ``road_hearsay``,
        ``road_mention``, ``quarter``, ``beside``, ``number_cut``, ``number_range``, ``number_out_of_reach``,
        ``extrapolated``, ``other_district``, ``former_district``, ``estate``, ``estate_sibling``, ``offset``,
        ``road_namesake``, ``other_town``, ``town_rows``.
    """

    lon: float | None
    lat: float | None
    level: Level
    score: float
    error_radius_m: float | None
    matched_text: str
    source: str
    code: str = "placed"
    notes: tuple[str, ...] = ()


def unplaced(code: str, source: str) -> Match:
    """Give the match of an address that has no place, and why."""
    return Match(None, None, Level.NONE, 0.0, None, "", source, code)


def matches_frame(matches: Sequence[Match], index: Sequence[Hashable] | pd.Index) -> gpd.GeoDataFrame:
    """Put matches into a WGS-84 frame.

    Parameters
    ----------
    matches : sequence of Match
        Result of `Geocoder.locate`.
    index : sequence
        Index of the frame, one label per match.

    Returns
    -------
    GeoDataFrame
        Columns level, score, error_radius_m, matched_text, source, code, notes; the geometry of an unplaced
        row is None.
    """
    columns = ("level", "score", "error_radius_m", "matched_text", "source", "code", "notes")
    table = pd.DataFrame({name: [getattr(m, name) for m in matches] for name in columns}, index=list(index))
    table["level"] = [str(m.level) for m in matches]
    lon = np.array([np.nan if m.lon is None else m.lon for m in matches], dtype=np.float64)
    lat = np.array([np.nan if m.lat is None else m.lat for m in matches], dtype=np.float64)
    points = gpd.GeoSeries(gpd.points_from_xy(lon, lat), index=table.index, crs=WGS84_EPSG)
    return gpd.GeoDataFrame(table, geometry=points.where(np.isfinite(lon), None), crs=WGS84_EPSG)
