"""Packed layers: KMZ files and zipped shapefiles, unpacked only when they are small, flat and honest."""

from __future__ import annotations

import zipfile
import zlib
from pathlib import Path, PurePosixPath

from geo.errors import FormatError

MOST_UNPACKED = 300 * 1024 * 1024
_MOST_RATIO = 200.0  # text packs to a fiftieth at most; a bomb packs to a thousandth
_MOST_FILES = 200
_CHUNK = 1 << 20


def unpack(path: Path, folder: Path, *, suffixes: tuple[str, ...], most_bytes: int = MOST_UNPACKED) -> Path:
    """Unpack an archive into a folder and return the one layer file in it.

    Parameters
    ----------
    path : Path
        A .kmz or .zip file.
    folder : Path
        Empty folder to unpack into; entries are written flat, by their last name.
    suffixes : tuple of str
        Endings of what may be the layer file (``.kml``; ``.shp``).
    most_bytes : int
        Most bytes unpacked.

    Returns
    -------
    Path
        The layer file; of several .kml files the one at the top (doc.kml).

    Raises
    ------
    FormatError
        ``unreadable``, ``zip_bomb`` (too large, too dense, too many files), ``encrypted``,
        ``no_layer_inside``, ``several_layers``.

    Notes
    -----
    Sizes are counted while unpacking: the directory of a hostile archive lies.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            entries = [entry for entry in archive.infolist() if not entry.is_dir()]
            _check(path, entries, most_bytes)
            spent = 0
            for entry in entries:
                spent = _extract(archive, entry, folder, path, spent=spent, most_bytes=most_bytes)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, OSError) as error:
        raise FormatError("unreadable", name=path.name, reason=type(error).__name__) from error
    inside = [file for file in sorted(folder.iterdir()) if file.suffix.lower() in suffixes]
    if not inside:
        raise FormatError("no_layer_inside", name=path.name, wanted=list(suffixes))
    main = [file for file in inside if file.stem.lower() == "doc"]
    if len(inside) > 1 and len(main) != 1:
        raise FormatError("several_layers", name=path.name, layers=[file.name for file in inside])
    return main[0] if main else inside[0]


def _check(path: Path, entries: list[zipfile.ZipInfo], most_bytes: int) -> None:
    if any(entry.flag_bits & 1 for entry in entries):
        raise FormatError("encrypted", name=path.name)
    unpacked = sum(entry.file_size for entry in entries)
    packed = max(1, sum(entry.compress_size for entry in entries))
    if len(entries) > _MOST_FILES or unpacked > most_bytes or unpacked / packed > _MOST_RATIO:
        raise FormatError("zip_bomb", name=path.name, files=len(entries), bytes=unpacked, limit=most_bytes)
    names = [PurePosixPath(entry.filename.replace("\\", "/")).name.lower() for entry in entries]
    if len(set(names)) < len(names):
        raise FormatError("several_layers", name=path.name, layers=sorted(names))


def _extract(
    archive: zipfile.ZipFile,
    entry: zipfile.ZipInfo,
    folder: Path,
    path: Path,
    *,
    spent: int,
    most_bytes: int,
) -> int:
    """Write one entry by its last name only, and give the bytes unpacked so far."""
    target = folder / PurePosixPath(entry.filename.replace("\\", "/")).name
    with archive.open(entry) as source, target.open("wb") as out:
        while chunk := source.read(_CHUNK):
            spent += len(chunk)
            if spent > most_bytes:
                raise FormatError("zip_bomb", name=path.name, files=1, bytes=spent, limit=most_bytes)
            out.write(chunk)
    return spent
