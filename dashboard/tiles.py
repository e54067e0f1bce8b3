"""The tile service of the office network, if one is named: its addresses, its datum, whom it credits."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

_FIELDS = ("{z}", "{x}", "{y}")
# Tianditu's _c matrix sets and WMTS in degrees are EPSG:4490: Leaflet would lay them wrong without a word.
_DEGREES = re.compile(
    r"(?:vec|img|cva|cia|ter|cta)_c\b|TILEMATRIXSET=(?:c|EPSG:4490|EPSG:4326)\b", re.IGNORECASE
)
DATUMS = ("wgs84", "cgcs2000", "gcj02")


@dataclass(frozen=True)
class Tiles:
    """Raster tiles drawn beneath everything, instead of the base map file.

    Parameters
    ----------
    urls
        Templates with {z}, {x} and {y}, drawn in this order (a map and its labels are often two).
    datum
        ``wgs84``, ``cgcs2000`` (the same at patrol scale) or ``gcj02``; everything on the map is laid in it.
    attribution
        Shown on every map.
    """

    urls: tuple[str, ...] = ()
    datum: str = "wgs84"
    attribution: str = ""

    @property
    def crs(self) -> str:
        """Leaflet's name of the projection: that of GCJ-02 shifts all it draws, its tiles fit as they are."""
        return "GCJ02" if self.datum == "gcj02" else "EPSG3857"

    @property
    def hosts(self) -> tuple[str, ...]:
        """Origins the browser may fetch pictures from; a {s} stands for any sub-domain."""
        parts = [urlsplit(url.replace("{s}", "*")) for url in self.urls if "//" in url]
        return tuple(sorted({f"{part.scheme}://{part.netloc}" for part in parts}))


def read_tiles(urls: str, datum: str, attribution: str) -> tuple[Tiles, Sequence[str]]:
    """Read the setting of a tile service.

    Parameters
    ----------
    urls
        Templates, separated by blanks; empty for none.
    datum, attribution
        As in `Tiles`.

    Returns
    -------
    tuple of Tiles and list of str
        The service, and what is wrong: ``bad_tiles_url``, ``tiles_in_degrees``, ``bad_tiles_datum``,
        ``no_tiles_attribution``.
    """
    listed = tuple(urls.split())
    faults = []
    for url in listed:
        if not all(field in url for field in _FIELDS) or not re.match(r"(?:https?://|/)", url):
            faults.append("bad_tiles_url")
        elif _DEGREES.search(url):
            faults.append("tiles_in_degrees")
    if listed and datum not in DATUMS:
        faults.append("bad_tiles_datum")
    if listed and not attribution.strip():
        faults.append("no_tiles_attribution")
    return Tiles(listed, datum if listed else "wgs84", attribution.strip()), faults
