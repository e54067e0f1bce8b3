"""STEP: the road data of the register: import a file, name a route server, give the travel model in force."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import geopandas as gpd
import numpy as np
from sqlalchemy import select
from sqlalchemy.orm import Session

from data import frames
from data.schema import GazetteerEntry, Institution, RoadGraph, RoadLayer
from geo.crs import Floats, SourceCrs
from geo.datum import judge_inside, judge_nearness
from geo.errors import RoadError
from geo.network.dialects import Dialect, Osrm, Valhalla
from geo.network.file import read_roads
from geo.network.graph import RoadNetwork, build_network
from geo.network.pack import content_hash, pack_network, unpack_network
from geo.network.profiles import PROFILES
from geo.network.routeserver import Server, ServerTravel
from geo.network.travel import Roadbed, RoadTravel
from geo.travel import TravelModel, straight_line

_MOST_DOORS = 2_000  # enough to be sure of any datum
_DIALECTS: Mapping[str, type[Dialect]] = {"osrm": Osrm, "valhalla": Valhalla}


@dataclass(frozen=True)
class RoadImport:
    """What a road import did: pieces, their length, and by profile the arcs kept and the share cut off.

    `unknown` counts the pieces of no known class by the class as written, which no way uses; None where the
    file was built before and not read anew.
    """

    name: str
    sha256: str
    pieces: int
    length_km: float
    arcs: Mapping[str, int]
    detached: Mapping[str, float]
    unknown: Mapping[str, int] | None


def import_roads(
    session: Session,
    path: Path,
    *,
    source_crs: str,
    now: dt.datetime,
    name: str | None = None,
    attribution: str = "",
    encoding: str | None = None,
    layer: str | None = None,
    confirmed: bool = False,
) -> RoadImport:
    """Import a road file, build its networks for walking, e-bikes and cars, and put it in force.

    The layer before it is kept, so that plans made on it can be repaired on it. The same file, read the
    same way, is built once: importing it again puts it in force.

    Parameters
    ----------
    name, attribution
        What the road data is called and whom to credit on maps; the file's name by default.
    encoding, layer
        As `geo.network.file.read_roads`.
    confirmed
        Somebody checked the datum: import though the roads seem to lie elsewhere.

    Raises
    ------
    RoadError, FormatError, CrsError, TravelError
        As `geo.network.file.read_roads` and `geo.network.graph.build_network`.
    DatumError
        ``layer_elsewhere`` when no road lies in the district, ``datum_slip`` when another datum would bring
        them to the doors of known addresses.
    """
    sha256 = content_hash(path, source_crs, layer, encoding)
    known = session.scalar(select(RoadLayer).where(RoadLayer.sha256 == sha256).limit(1))
    if known is not None:
        return _use_again(session, known, name=name, attribution=attribution, now=now)
    roads = read_roads(path, source_crs=source_crs, encoding=encoding, layer=layer)
    if not confirmed:
        _check_datum(session, roads, source_crs)
    called = name or path.stem
    networks = {profile: build_network(roads, profile, name=called) for profile in PROFILES}
    metres = roads.to_crs(networks["walk"].crs).length.sum()
    record = RoadLayer(
        name=called,
        kind="file",
        sha256=sha256,
        source_crs=source_crs,
        attribution=attribution,
        pieces=len(roads),
        length_km=round(float(metres) / 1000.0, 1),
        imported_at=now,
        current=True,
    )
    _put_in_force(session, record)
    for profile, network in networks.items():
        session.add(RoadGraph(layer_id=record.id, profile=profile, content=pack_network(network)))
    session.flush()
    return _describe(record, networks, unknown=roads.attrs["unknown"])


def _use_again(
    session: Session, record: RoadLayer, *, name: str | None, attribution: str, now: dt.datetime
) -> RoadImport:
    """Put a file that was built before in force again: its hash says that nothing about it is other."""
    networks = {profile: _unpack(session, record, profile) for profile in PROFILES}
    record.name, record.imported_at = name or record.name, now
    record.attribution = attribution or record.attribution
    drop_roads(session)
    record.current = True
    session.flush()
    return _describe(record, networks, unknown=None)


def _describe(
    record: RoadLayer, networks: Mapping[str, RoadNetwork], *, unknown: Mapping[str, int] | None
) -> RoadImport:
    return RoadImport(
        record.name,
        record.sha256,
        record.pieces,
        record.length_km,
        {profile: network.arcs for profile, network in networks.items()},
        {profile: _detached_share(network) for profile, network in networks.items()},
        unknown,
    )


def name_server(session: Session, *, kind: str, url: str, now: dt.datetime) -> RoadLayer:
    """Put a route server of the office network in force instead of a road file.

    Raises
    ------
    RoadError
        ``unknown_server_kind``.
    TravelError
        ``bad_options`` for an address that is none.
    """
    if kind not in _DIALECTS:
        raise RoadError("unknown_server_kind", kind=kind, known=sorted(_DIALECTS))
    server = Server(url)
    digest = hashlib.sha256(f"{kind} {server.url}".encode()).hexdigest()
    record = RoadLayer(
        name=kind, kind=kind, url=url, sha256=digest, source_crs="wgs84", pieces=0, length_km=0.0,
        imported_at=now, current=True,
    )  # fmt: skip
    _put_in_force(session, record)
    return record


def drop_roads(session: Session) -> None:
    """Put no roads in force: travel is by straight line again."""
    for record in session.scalars(select(RoadLayer).where(RoadLayer.current)):
        record.current = False
    session.flush()


def current_roads(session: Session) -> RoadLayer | None:
    """Return the road data in force, None without any."""
    return session.scalar(select(RoadLayer).where(RoadLayer.current).order_by(RoadLayer.id.desc()).limit(1))


def load_roads(session: Session, profile: str, *, sha256: str | None = None) -> RoadNetwork | None:
    """Return the network of the road file in force, or of the one with a hash; None without a file.

    Raises
    ------
    RoadError
        ``roads_gone`` when the graph of that file is not in the register, or damaged.
    """
    record = current_roads(session) if sha256 is None else _find(session, sha256)
    if record is None or record.kind != "file":
        return None
    return _unpack(session, record, profile)


def find_travel(
    session: Session, profile: str, *, fixed_s: float, sha256: str | None = None
) -> tuple[TravelModel, str | None]:
    """Return the travel model in force, with the hash of its road data (None by straight line).

    Parameters
    ----------
    profile
        walk, ebike or car.
    fixed_s
        Seconds every trip costs besides.
    sha256
        Of the road data a plan was made on, also when other data has come into force since.

    Raises
    ------
    RoadError
        ``roads_gone``.
    TravelError
        As the models.
    """
    record = current_roads(session) if sha256 is None else _find(session, sha256)
    if record is None:
        return straight_line(profile, fixed_s=fixed_s), None
    if record.kind == "file":
        return RoadTravel(Roadbed(_unpack(session, record, profile)), fixed_s=fixed_s), record.sha256
    server = Server(record.url or "")
    return ServerTravel(server, _DIALECTS[record.kind](), profile, fixed_s=fixed_s), record.sha256


def _find(session: Session, sha256: str) -> RoadLayer:
    statement = select(RoadLayer).where(RoadLayer.sha256 == sha256).order_by(RoadLayer.id.desc()).limit(1)
    record = session.scalar(statement)
    if record is None:
        raise RoadError("roads_gone", sha256=sha256[:12])
    return record


def _put_in_force(session: Session, record: RoadLayer) -> None:
    drop_roads(session)
    session.add(record)
    session.flush()


def _check_datum(session: Session, roads: gpd.GeoDataFrame, source_crs: str) -> None:
    """Refuse roads of which none lies in the district, or which lie beside the doors in another datum."""
    read_as = SourceCrs(source_crs.lower()) if source_crs.lower() in list(SourceCrs) else None
    grids, found = frames.grids_frame(session), None
    if not grids.empty:
        middles = roads.geometry.representative_point()
        inside = judge_inside(middles.x.to_numpy(), middles.y.to_numpy(), grids.union_all(), read_as=read_as)
        # Roads go on beyond the district: only none inside proves something.
        found = inside if inside is not None and inside.code == "layer_elsewhere" else None
    doors = _read_doors(session)
    if found is None and len(doors):
        found = judge_nearness(doors[:, 0], doors[:, 1], roads, read_as=read_as)
    if found is not None:
        raise found.question(source_crs)


def _read_doors(session: Session) -> Floats:
    """Return known addresses (longitude, latitude), evenly picked where there are very many."""
    rows = [
        tuple(row)
        for record in (Institution, GazetteerEntry)
        for row in session.execute(
            select(record.lon, record.lat).where(record.lon.is_not(None)).order_by(record.id)
        )
    ]
    doors = np.array(rows, dtype=np.float64).reshape(-1, 2)
    return doors[:: len(doors) // _MOST_DOORS + 1]


def _unpack(session: Session, record: RoadLayer, profile: str) -> RoadNetwork:
    content = session.scalar(
        select(RoadGraph.content).where(RoadGraph.layer_id == record.id, RoadGraph.profile == profile)
    )
    network = None if content is None else unpack_network(content)
    if network is None:
        raise RoadError("roads_gone", sha256=record.sha256[:12])
    return network


def _detached_share(network: RoadNetwork) -> float:
    """Return the share of pieces that are not connected with the largest part."""
    apart = len(network.detached_start) - 1
    return round(apart / max(1, apart + len(network.u)), 4)
