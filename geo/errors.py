"""Named errors of the map floor: every one carries a code and the fields that explain it."""

from __future__ import annotations


class GeoError(Exception):
    """Base of every error raised in geo.

    Parameters
    ----------
    code : str
        Stable name of the fault; the sentence for a reader is chosen above this floor.
    **fields : object
        Values that explain the fault (column, row, number, path name).
    """

    def __init__(self, code: str, **fields: object) -> None:
        super().__init__(code)
        self.code = code
        self.fields: dict[str, object] = fields

    def __str__(self) -> str:
        """Give the code and its fields on one line, for logs and tests."""
        listed = ", ".join(f"{name}={value!r}" for name, value in sorted(self.fields.items()))
        return f"{self.code}({listed})"


class CrsError(GeoError):
    """A coordinate or a coordinate reference system that cannot be used."""


class FrameError(GeoError):
    """A frame without the columns, the CRS or the geometry a function needs."""


class GazetteerError(GeoError):
    """A gazetteer or a calibration that cannot be built."""


class GeocodeError(GeoError):
    """An outside geocoder that may not be asked, does not answer, or answers what cannot be used."""


class GridError(GeoError):
    """Grid areas that cannot be used for assignment."""


class FormatError(GeoError):
    """A layer file that cannot be read or written."""


class TravelError(GeoError):
    """A travel model with impossible options or inputs."""


class RoadError(GeoError):
    """A road file or a road network that cannot be used."""


class StatisticsError(GeoError):
    """Counts or options that no rate or test can be computed from."""


class BasemapError(GeoError):
    """A base map that cannot be built."""


class DatumError(GeoError):
    """A layer that does not lie where its stated datum says; a person must decide."""


class ColocationError(GeoError):
    """A decision about a shared address that cannot be recorded."""


class ReviewError(GeoError):
    """A decision about a location that cannot be made or taken back."""
