"""STEP: the error radii of a gazetteer, measured once and kept until it changes."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import geopandas as gpd
from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from data.schema import KeptCalibration
from geo.gazetteer.calibration import Calibration, Growth, Reach, calibrate
from geo.gazetteer.index import Gazetteer
from geo.gazetteer.kriging import Course

# Raised whenever radii are measured in another way.
_METHOD = "1"
_GROWTHS = ("along", "gap", "crossing", "meeting")
_REACHES = ("road", "estate", "town")


def digest_of(known: gpd.GeoDataFrame, aliases: Mapping[str, str], areas: gpd.GeoDataFrame) -> str:
    """Return what tells one gazetteer from another: its rows in order, learned names and named areas."""
    told = hashlib.sha256(_METHOD.encode())
    for frame in (known[["name", "address", "geometry"]], areas[["name", "geometry"]]):
        for column in frame.columns.drop("geometry"):
            told.update("\x1f".join(map(str, frame[column])).encode("utf-8", "surrogatepass"))
        for shape in frame.geometry.to_wkb():
            told.update(shape or b"")
        told.update(b"\x1e")
    told.update("\x1f".join(f"{a}={b}" for a, b in sorted(aliases.items())).encode("utf-8", "surrogatepass"))
    return told.hexdigest()


def calibrated(session: Session, gazetteer: Gazetteer, digest: str) -> Calibration:
    """Return the error radii of a gazetteer: those kept, else measured now and kept by a writer."""
    kept = session.scalar(select(KeptCalibration.body).where(KeptCalibration.digest == digest))
    if kept is not None:
        return _read(kept)
    found = calibrate(gazetteer)
    if session.info.get("actor") is not None:
        session.execute(delete(KeptCalibration))
        session.add(KeptCalibration(digest=digest, body=_written(found)))
    return found


def _written(calibration: Calibration) -> dict[str, Any]:
    def plain(value: Any) -> Any:
        if isinstance(value, dict):
            return {name: plain(inner) for name, inner in value.items()}
        if isinstance(value, (list, tuple)):
            return [plain(inner) for inner in value]
        return value.item() if hasattr(value, "item") else value

    told: dict[str, Any] = plain(asdict(calibration))
    return told


def _read(body: Mapping[str, Any]) -> Calibration:
    parts: dict[str, Any] = dict(body)
    parts["course"] = Course(**parts["course"])
    for name in _GROWTHS:
        parts[name] = Growth(**parts[name])
    for name in _REACHES:
        parts[name] = Reach(tuple(Growth(**growth) for growth in parts[name]["growths"]))
    return Calibration(**parts)
