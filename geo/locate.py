"""STEP: geocode pending institutions and assign each to exactly one grid area."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import inf

import geopandas as gpd
import numpy as np
import pandas as pd
from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from data import frames
from data.schema import Institution, RoadAlias
from data.terms import LocationSource
from geo.address.numerals import normalise
from geo.address.parser import parse_address
from geo.calibrated import calibrated, digest_of
from geo.declared import contradictions
from geo.gazetteer.calibration import Calibration
from geo.gazetteer.index import build_gazetteer
from geo.gazetteer.matches import unplaced
from geo.geocode import GazetteerGeocoder, Level, Match
from geo.grid.layer import assign_institutions

# A point whose honest radius is wider than this, or that only a road gave, goes to the review list.
DOUBTFUL_RADIUS_M = 400.0
DECLARED_RADIUS_M = 50.0
# Beyond this margin round the grid areas a declared point cannot belong to the district (about 20 km).
EXTENT_MARGIN_DEG = 0.2


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


def district_extent(session: Session) -> tuple[float, float, float, float] | None:
    """Return (west, south, east, north) of the grid areas with a margin, None without any."""
    grids = frames.grids_frame(session)
    if grids.empty:
        return None
    west, south, east, north = (float(v) for v in grids.total_bounds)
    margin = EXTENT_MARGIN_DEG
    return west - margin, south - margin, east + margin, north + margin


def build_geocoder(session: Session, *, calibration: Calibration | None = None) -> GazetteerGeocoder | None:
    """Return the offline geocoder over the register's gazetteer, schools and learned names, None without.

    Parameters
    ----------
    calibration
        Error radii to use; those kept with the gazetteer when not given, measured anew when it has changed,
        which takes most of the time.
    """
    aliases = {alias.written: alias.meant for alias in session.scalars(select(RoadAlias))}
    entries = frames.gazetteer_frame(session)
    entries["address"] = [
        _on_meant_road(address, aliases) if confirmed else address
        for address, confirmed in zip(entries["address"], entries["confirmed"], strict=True)
    ]
    schools = frames.schools_frame(session)
    known = pd.concat([entries, schools[["name", "address", "geometry"]]], ignore_index=True)
    known = known[known["address"] != ""]
    if known.empty:
        return None
    frame = gpd.GeoDataFrame(known, geometry="geometry", crs=4326).reset_index(drop=True)
    areas = _named_areas(session)
    gazetteer = build_gazetteer(
        frame, name_column="name", address_column="address", aliases=aliases, areas=areas
    )
    radii = calibration or calibrated(session, gazetteer, digest_of(frame, aliases, areas))
    return GazetteerGeocoder(gazetteer, calibration=radii)


def _named_areas(session: Session) -> gpd.GeoDataFrame:
    """Return the subdistricts and communities that the grid areas in force name, as named polygons."""
    grids = frames.grids_frame(session)
    named = [
        grids[[column, "geometry"]].rename(columns={column: "name"})
        for column in ("subdistrict", "community")
    ]
    return gpd.GeoDataFrame(pd.concat(named, ignore_index=True), geometry="geometry", crs=4326)


def _on_meant_road(address: str, aliases: Mapping[str, str]) -> str:
    """Write a confirmed address with the road that was meant: as written, it would make a road of its own."""
    written = parse_address(address).road if aliases else None
    if written is None or written not in aliases:
        return address
    return normalise(address).replace(written, aliases[written], 1)


def locate(session: Session, *, again: bool = False) -> LocateResult:
    """Place institutions without a point, then assign every placed one to its grid area.

    Parameters
    ----------
    again
        Also place those that were placed before by an earlier gazetteer, and compare declared points anew.
    """
    statement = select(Institution).order_by(Institution.id)
    records = list(session.scalars(statement))
    pending = [r for r in records if r.confirmed_at is None and (r.lon is None or again)]
    declared = [r for r in pending if r.declared_lon is not None]
    undeclared = [r for r in pending if r.declared_lon is None]
    geocoder = build_geocoder(session) if pending else None
    _place_declared(declared, geocoder)
    if geocoder is None:
        # What an earlier gazetteer placed stays where it is.
        for record in (r for r in undeclared if r.lon is None):
            record.match_level, record.match_code = Level.NONE.value, "no_gazetteer"
    else:
        # An institution's own name is no evidence of where it is, so only the address is asked.
        matches = geocoder.locate([r.address for r in undeclared])
        for record, match in zip(undeclared, matches, strict=True):
            _store_match(record, match)
    assign_institutions(session, records)
    session.flush()
    return _summarise(records)


def is_doubtful(match: Match) -> bool:
    """Return whether a place is too vague to act upon without a person: a mere road, or a wide radius."""
    if match.lon is None:
        return False
    return match.level is Level.ROAD or (match.error_radius_m or 0.0) > DOUBTFUL_RADIUS_M


def list_uncertain(session: Session) -> dict[int, str]:
    """Return the addresses that no gazetteer placed well, by institution: unplaced, or doubtful."""
    statement = select(Institution.id, Institution.address).where(
        Institution.address != "",
        Institution.confirmed_at.is_(None),
        Institution.declared_lon.is_(None),
        or_(Institution.lon.is_(None), Institution.doubtful),
    )
    return dict(session.execute(statement.order_by(Institution.id)).tuples().all())


def place_answers(session: Session, answers: Mapping[int, Match]) -> LocateResult:
    """Take over an online service's answers where they are surer than what is there and in the district.

    Parameters
    ----------
    answers
        Match by institution, from `geo.online.client.OnlineGeocoder.locate`, asked outside this transaction.
    """
    extent = district_extent(session)
    for key, match in answers.items():
        record = session.get_one(Institution, key)
        if match.lon is None or match.lat is None or record.confirmed_at is not None:
            continue
        if extent is not None and not (
            extent[0] <= match.lon <= extent[2] and extent[1] <= match.lat <= extent[3]
        ):
            continue
        if record.lon is None or (match.error_radius_m or inf) < (record.error_radius_m or inf):
            _store_match(record, match)
            record.location_source = LocationSource.ONLINE
    records = session.scalars(select(Institution).order_by(Institution.id)).all()
    assign_institutions(session, records)
    session.flush()
    return _summarise(records)


def _place_declared(records: Sequence[Institution], geocoder: GazetteerGeocoder | None) -> None:
    """Take over declared points; one that is not where its address is goes to the review queue."""
    for record in records:
        record.lon, record.lat = record.declared_lon, record.declared_lat
        record.match_level, record.match_code, record.match_score = "declared", "placed", 1.0
        record.match_text, record.location_source = None, LocationSource.DECLARED
        record.error_radius_m, record.doubtful = DECLARED_RADIUS_M, False
    if geocoder is None or not records:
        return
    points = np.array([(record.lon, record.lat) for record in records], dtype=np.float64)
    found = contradictions(geocoder, [record.address for record in records], points[:, 0], points[:, 1])
    for record, other in zip(records, found, strict=True):
        if other is not None:
            record.doubtful, record.error_radius_m = True, float(round(other.apart_m))
            record.match_code = "declared_apart" if other.truth is None else f"declared_{other.truth.value}"
            record.match_text, record.match_score = other.match.matched_text, 0.0


def _store_match(record: Institution, match: Match) -> None:
    if match.level is Level.AREA:  # the middle of a subdistrict is no place to send a team to
        match = unplaced(f"only_{Level.AREA}", match.source)
    record.lon, record.lat = match.lon, match.lat
    record.location_source = None if match.lon is None else LocationSource.GAZETTEER
    record.match_level, record.match_code = match.level.value, match.code
    record.match_score, record.match_text = match.score, match.matched_text
    record.error_radius_m = None if match.error_radius_m is None else round(match.error_radius_m, 1)
    record.doubtful = is_doubtful(match)


def doubt_of(record: Institution) -> str:
    """Return why a placed record is doubtful: ``declared_...`` against its address, else ``doubtful``."""
    code = record.match_code or ""
    return code if code.startswith("declared_") else "doubtful"


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
        code = doubt_of(record)
    else:
        return None
    level = record.match_level or Level.NONE.value
    return Review(record.id, record.name, record.address, code, level, record.error_radius_m)
