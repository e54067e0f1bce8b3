"""What every table import shares: rejected rows with their reasons, results, checks of points and lengths."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from data.register.headings import Variants
from data.register.sheets import Note, Row, Table
from data.schema import Base

Coordinates = NDArray[np.float64]
ToWgs84 = Callable[[Coordinates, Coordinates], tuple[Coordinates, Coordinates]]
Extent = tuple[float, float, float, float]

LON_TITLES = ("经度", "lon", "lng", "longitude", "x")
LAT_TITLES = ("纬度", "lat", "latitude", "y")


@dataclass(frozen=True)
class Reject:
    """A row that was not imported: where, what and the code of the reason."""

    row: int
    column: str
    value: str
    code: str
    fields: dict[str, object] = field(default_factory=dict)
    sheet: str = ""


@dataclass
class ImportResult:
    """What an import did; `unchanged` rows were already there as they are.

    `unconfirmed` counts the updated ones whose new address ended a place confirmed by hand.
    """

    added: int = 0
    updated: int = 0
    unchanged: int = 0
    unconfirmed: int = 0
    rejected: list[Reject] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)
    table: Table | None = None

    @classmethod
    def of(cls, table: Table) -> ImportResult:
        """Return an empty result of a table, with the notes on what of it was not read."""
        return cls(notes=list(table.notes), table=table)

    @property
    def rejected_rows(self) -> int:
        """How many rows were rejected; a row may have several reasons."""
        return len({(reject.sheet, reject.row) for reject in self.rejected})

    def count(self, verdict: str) -> None:
        """Count one row as `added`, `updated` or `unchanged`."""
        setattr(self, verdict, getattr(self, verdict) + 1)


def reject(
    row: Row,
    name: str,
    code: str,
    fields: Mapping[str, object] | None = None,
    *,
    title: str,
    value: str | None = None,
) -> Reject:
    """Return the reject of a row by one of its fields.

    Parameters
    ----------
    title
        What the column is called where the file has none.
    value
        What is shown; the field's text when not given.
    """
    shown = row.get(name) if value is None else value
    return Reject(row.number, row.header.titles.get(name, title), shown, code, dict(fields or {}), row.sheet)


def row_name(row: Row, seen_from: Row) -> int | str:
    """Return what a row is called beside another one: its number, with the sheet when that is another."""
    return row.number if row.sheet == seen_from.sheet else f"{row.sheet}!{row.number}"


def cell_faults(row: Row, variants: Variants) -> list[Reject]:
    """Return a reject for every cell of a row that has no usable value, and for cells too many or too few."""
    found = [reject(row, name, f"cell_{kind}", title=variants[name][0]) for name, kind in row.odd.items()]
    if row.ragged is not None:
        fields: dict[str, object] = {"wanted": row.header.width, "found": len(row.written)}
        found.append(Reject(row.number, "", "，".join(row.written)[:80], row.ragged, fields, row.sheet))
    return found


def long_texts(row: Row, record: type[Base], names: Sequence[str]) -> list[Reject]:
    """Return a reject for every text of a row that its column in the database would cut or refuse."""
    rejects = []
    for name in names:
        limit = getattr(record.__table__.c[name].type, "length", None)
        text = row.get(name)
        if limit is not None and len(text) > limit:
            fields: dict[str, object] = {"limit": limit, "length": len(text)}
            rejects.append(reject(row, name, "too_long", fields, title=name, value=text[:40]))
    return rejects


def read_point(
    row: Row,
    rejects: list[Reject],
    *,
    extent: Extent | None,
    to_wgs84: ToWgs84 | None,
) -> tuple[float, float] | None:
    """Return a row's point as WGS-84 longitude and latitude, None without one; append why it is refused."""
    if to_wgs84 is None or not (row.get("lon") or row.get("lat")):
        return None
    value = f"{row.get('lon')},{row.get('lat')}"

    def refuse(code: str) -> None:
        rejects.append(reject(row, "lon", code, title=LON_TITLES[0], value=value))

    try:
        lon, lat = float(row.get("lon")), float(row.get("lat"))
        finite = bool(np.isfinite([lon, lat]).all())
    except ValueError:
        finite = False
    if not finite:
        refuse("bad_coordinates")
        return None
    # Metres of a projected CRS are none of our business here: only the point itself must lie on Earth.
    lons, lats = to_wgs84(np.array([lon]), np.array([lat]))
    east, north = float(lons[0]), float(lats[0])
    if not (-180 <= east <= 180 and -90 <= north <= 90):
        swapped = abs(lon) <= 90 < abs(lat) <= 180
        refuse("swapped_coordinates" if swapped else "bad_coordinates")
        return None
    lon, lat = east, north
    if extent is not None and not (extent[0] <= lon <= extent[2] and extent[1] <= lat <= extent[3]):
        refuse("outside_district")
        return None
    return lon, lat
