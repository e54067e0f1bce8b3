"""The PMTiles archive: one file of map tiles with a directory a browser can read in ranges.

Follows the public PMTiles specification, version 3.
"""

from __future__ import annotations

import gzip
import json
import struct
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from geo.errors import BasemapError

_HEADER_BYTES = 127
_ROOT_ROOM = 16_384 - _HEADER_BYTES  # header and root directory fit the first request of a reader
_LEAF_ENTRIES = 4_096
_GZIP, _MVT = 2, 1

Entry = tuple[int, int, int]  # tile id, offset, length


def tile_id(zoom: int, column: int, row: int) -> int:
    """Give a tile's place on the Hilbert curve, counted over all zooms below it (row 0 in the north)."""
    x, y, place = column, row, 0
    side = (1 << zoom) >> 1
    while side:
        right, low = int(bool(x & side)), int(bool(y & side))
        place += side * side * ((3 * right) ^ low)
        if not low:
            if right:
                x, y = side - 1 - (x & (side - 1)), side - 1 - (y & (side - 1))
            x, y = y, x
        side >>= 1
    return ((1 << (2 * zoom)) - 1) // 3 + place


def write_archive(
    path: Path,
    tiles: Mapping[tuple[int, int, int], bytes],
    *,
    bounds: tuple[float, float, float, float],
    metadata: Mapping[str, Any],
) -> None:
    """Write vector tiles into one PMTiles file.

    Parameters
    ----------
    path : Path
        File to write.
    tiles : mapping of (zoom, column, row) to bytes
        Uncompressed vector tiles, at least one.
    bounds : tuple of float
        West, south, east, north in degrees.
    metadata : mapping
        JSON metadata, with ``vector_layers``.
    """
    body = bytearray()
    entries: list[Entry] = []
    seen: dict[bytes, tuple[int, int]] = {}
    for place, key in sorted((tile_id(*key), key) for key in tiles):
        blob = gzip.compress(tiles[key], mtime=0)
        if blob not in seen:
            seen[blob] = (len(body), len(blob))
            body += blob
        entries.append((place, *seen[blob]))
    root, leaves = _directories(entries)
    about = gzip.compress(json.dumps(metadata, ensure_ascii=False).encode(), mtime=0)
    at = _HEADER_BYTES
    spans: list[int] = []
    for part in (root, about, leaves, body):
        spans += [at, len(part)]
        at += len(part)
    zooms = [zoom for zoom, _, _ in tiles]
    header = b"PMTiles\x03" + struct.pack("<11Q", *spans, len(entries), len(entries), len(seen))
    header += struct.pack("<6B", 1, _GZIP, _GZIP, _MVT, min(zooms), max(zooms))
    west, south, east, north = bounds
    corners = (west, south, east, north)
    header += struct.pack("<4i", *(round(value * 1e7) for value in corners))
    header += struct.pack("<B2i", min(zooms), round((west + east) * 5e6), round((south + north) * 5e6))
    path.write_bytes(header + root + about + leaves + bytes(body))


def read_metadata(path: Path) -> dict[str, Any]:
    """Read the JSON metadata of a PMTiles file.

    Parameters
    ----------
    path : Path
        The file.

    Returns
    -------
    dict
        Such as ``name``, ``attribution`` and ``vector_layers``.

    Raises
    ------
    BasemapError
        ``unreadable`` when the file is no PMTiles archive of version 3.
    """
    with path.open("rb") as stream:
        header = stream.read(_HEADER_BYTES)
        if len(header) < _HEADER_BYTES or header[:8] != b"PMTiles\x03":
            raise BasemapError("unreadable", name=path.name)
        _, _, at, length = struct.unpack("<4Q", header[8:40])
        stream.seek(at)
        packed = stream.read(length)
    try:
        plain = gzip.decompress(packed) if header[97] == _GZIP else packed
        found = json.loads(plain)
    except (OSError, EOFError, ValueError) as error:
        raise BasemapError("unreadable", name=path.name) from error
    return dict(found)


def _directories(entries: list[Entry]) -> tuple[bytes, bytes]:
    """Give the root directory and the leaf directories behind it (empty when the root holds every tile)."""
    root = _directory((entry, 1) for entry in entries)
    size = _LEAF_ENTRIES
    leaves = b""
    while len(root) > _ROOT_ROOM:
        blobs = [_directory((e, 1) for e in entries[at : at + size]) for at in range(0, len(entries), size)]
        leaves, pointers = b"".join(blobs), []
        offset = 0
        for number, blob in enumerate(blobs):
            pointers.append(((entries[number * size][0], offset, len(blob)), 0))
            offset += len(blob)
        root = _directory(pointers)
        size *= 2
    return root, leaves


def _directory(entries: Iterable[tuple[Entry, int]]) -> bytes:
    """Pack entries with their run lengths (0 marks a pointer to a leaf directory)."""
    listed = list(entries)
    out = bytearray(_varint(len(listed)))
    last = 0
    for (place, _, _), _ in listed:
        out += _varint(place - last)
        last = place
    for _, run in listed:
        out += _varint(run)
    for (_, _, length), _ in listed:
        out += _varint(length)
    end = -1
    for (_, offset, length), _ in listed:
        out += _varint(0 if offset == end else offset + 1)
        end = offset + length
    return gzip.compress(bytes(out), mtime=0)


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append((value & 0x7F) | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)
