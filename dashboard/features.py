"""Shapes with the way they look, as the map library's `shapes` call draws them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import shapely
from shapely.geometry.base import BaseGeometry

from dashboard.layers import DIGITS, Layer


def feature(shape: BaseGeometry, **properties: Any) -> Layer:
    """Return a WGS-84 shape with its title, lines, colour and, for points, label."""
    rounded = shapely.transform(shape, lambda xy: xy.round(DIGITS))
    return {"type": "Feature", "geometry": json.loads(shapely.to_geojson(rounded)), "properties": properties}


def collect(features: Sequence[Layer]) -> Layer:
    """Return features as one layer; later ones lie over earlier ones."""
    return {"type": "FeatureCollection", "features": list(features)}
