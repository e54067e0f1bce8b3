"""Cached networks: read a road file once, keep the network under the hash of what it was made of."""

from __future__ import annotations

import hashlib
import os
import tempfile
import zipfile
from dataclasses import fields
from glob import escape
from pathlib import Path

import numpy as np

from geo.crs import SourceCrs
from geo.errors import RoadError
from geo.network import RoadNetwork, build_network
from geo.profiles import TAGS, find_profile
from geo.roadfile import read_roads

VERSION = 1
"""Raised whenever reading or building changes, so that old files are not taken for new ones."""


def cached_network(
    path: Path | str,
    profile: str,
    *,
    folder: Path | str,
    source_crs: SourceCrs | str | int,
    encoding: str | None = None,
    layer: str | None = None,
) -> RoadNetwork:
    """Return the network of a road file, from the folder if it was built before.

    Parameters
    ----------
    path : Path or str
        Road file, as in `geo.roadfile.read_roads`.
    profile : str
        walk, ebike or car.
    folder : Path or str
        Folder of the kept networks; made if missing.
    source_crs, encoding, layer
        As in `geo.roadfile.read_roads`.

    Returns
    -------
    RoadNetwork
        The same whether it was kept or built.

    Raises
    ------
    RoadError, FormatError, CrsError, TravelError
        As `geo.roadfile.read_roads` and `geo.network.build_network`; nothing is kept then.
    """
    file, shelf = Path(path), Path(folder)
    stated = "|".join(str(part) for part in (source_crs, encoding, layer))
    kept = shelf / f"{content_key(file, profile, stated=stated)}.npz"
    network = load_network(kept) if kept.is_file() else None
    if network is None:
        roads = read_roads(file, source_crs=source_crs, encoding=encoding, layer=layer)
        network = build_network(roads, profile, name=file.name)
        shelf.mkdir(parents=True, exist_ok=True)
        save_network(network, kept)
    return network


def content_key(path: Path, profile: str, *, stated: str = "") -> str:
    """Hash a road file with its parts, the profile's rules, what was stated about the file, and the version.

    Raises
    ------
    RoadError
        ``not_found``.
    TravelError
        ``unknown_profile``.
    """
    if not path.is_file():
        raise RoadError("not_found", name=path.name)
    digest = hashlib.sha256(f"{VERSION}|{find_profile(profile)!r}|{TAGS}|{path.name}|{stated}".encode())
    parts = [path]
    if path.suffix.lower() == ".shp":
        parts = sorted(p for p in path.parent.glob(f"{escape(path.stem)}.*") if p.is_file())
    for part in parts:
        digest.update(f"|{part.suffix.lower()}|{part.stat().st_size}|".encode())
        with part.open("rb") as stream:
            while block := stream.read(1 << 20):
                digest.update(block)
    return digest.hexdigest()


def save_network(network: RoadNetwork, path: Path) -> None:
    """Write a network as .npz; a reader sees the whole file or none."""
    arrays = {field.name: np.asarray(getattr(network, field.name)) for field in fields(network)}
    handle, part = tempfile.mkstemp(dir=path.parent, suffix=".part")
    try:
        with os.fdopen(handle, "wb") as stream:
            np.savez(stream, allow_pickle=False, **arrays)
        Path(part).replace(path)
    finally:
        Path(part).unlink(missing_ok=True)


def load_network(path: Path) -> RoadNetwork | None:
    """Read a network written by `save_network`; None if the file is not one (it is then built anew)."""
    try:
        with path.open("rb") as stream, np.load(stream, allow_pickle=False) as stored:
            values = {field.name: stored[field.name] for field in fields(RoadNetwork)}
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
        return None
    plain = {"name": str(values["name"]), "profile": str(values["profile"]), "epsg": int(values["epsg"])}
    return RoadNetwork(**{**values, **plain})
