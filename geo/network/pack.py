"""Packed networks: a network as bytes to be kept, and the hash of everything it was made of."""

from __future__ import annotations

import hashlib
import io
import zipfile
from dataclasses import fields
from glob import escape
from pathlib import Path

import numpy as np

from geo.errors import RoadError
from geo.network.graph import RoadNetwork
from geo.network.profiles import PROFILES, TAGS

VERSION = 1
"""Raised whenever reading or building changes, so that old networks are not taken for new ones."""


def content_hash(path: Path, *how: str | None) -> str:
    """Hash a road file with its companions, how it is read, the profiles' rules, and the version.

    Parameters
    ----------
    path : Path
        Road file; of a shapefile every part counts, for the classes of road are in its table.
    *how : str or None
        What was stated about it: datum, layer, encoding. Read otherwise, it is other data.

    Returns
    -------
    str
        SHA-256 in hexadecimal digits.

    Raises
    ------
    RoadError
        ``not_found``.
    """
    if not path.is_file():
        raise RoadError("not_found", name=path.name)
    stated = "|".join(part or "" for part in how)
    digest = hashlib.sha256(f"{VERSION}|{PROFILES!r}|{TAGS}|{stated}".encode())
    parts = [path]
    if path.suffix.lower() == ".shp":
        parts = sorted(p for p in path.parent.glob(f"{escape(path.stem)}.*") if p.is_file())
    for part in parts:
        digest.update(f"|{part.suffix.lower()}|{part.stat().st_size}|".encode())
        with part.open("rb") as stream:
            while block := stream.read(1 << 20):
                digest.update(block)
    return digest.hexdigest()


def pack_network(network: RoadNetwork) -> bytes:
    """Write a network as the bytes of a .npz file, without pickles."""
    arrays = {field.name: np.asarray(getattr(network, field.name)) for field in fields(network)}
    stream = io.BytesIO()
    np.savez(stream, allow_pickle=False, **arrays)
    return stream.getvalue()


def unpack_network(packed: bytes) -> RoadNetwork | None:
    """Read a network written by `pack_network`; None if the bytes are none (it is then built anew)."""
    try:
        with np.load(io.BytesIO(packed), allow_pickle=False) as stored:
            values = {field.name: stored[field.name] for field in fields(RoadNetwork)}
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
        return None
    plain = {"name": str(values["name"]), "profile": str(values["profile"]), "epsg": int(values["epsg"])}
    return RoadNetwork(**{**values, **plain})
