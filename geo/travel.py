"""Travel times between places: the protocol, and a straight-line model that needs no road file."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.spatial.distance import cdist

from geo.crs import Floats, metric_crs, project_xy
from geo.errors import TravelError

Seconds = NDArray[np.int32]

SPEED_M_S = {"walk": 1.25, "ebike": 4.17, "car": 6.0}  # 4.5, 15 and 21.6 km/h in a city
CIRCUITY = 1.5  # measured 1.4-1.7 at patrol distances; 1.2 would promise routes nobody can walk
_MOST_PLACES = 10_000  # 400 MB of int32


class TravelModel(Protocol):
    """Anything that gives travel times; the straight line and the road graph are two of them."""

    @property
    def description(self) -> str:
        """Say in a few words how the times were made, for the record of a plan."""
        ...

    def matrix_s(self, lon: ArrayLike, lat: ArrayLike) -> Seconds:
        """Give whole seconds between all pairs of WGS-84 places, shape (n, n), 0 on the diagonal."""
        ...

    def path(self, lon: ArrayLike, lat: ArrayLike) -> list[Floats]:
        """Give the line of each leg of a route over n places: n - 1 arrays of lon, lat, shape (k, 2)."""
        ...


@dataclass(frozen=True, slots=True)
class StraightLine:
    """Straight distance times a detour factor at one speed.

    Parameters
    ----------
    speed_m_s : float
        Metres per second, see `SPEED_M_S`.
    circuity : float
        Road length over straight length, at least 1.
    fixed_s : float
        Seconds every trip costs besides (unlocking, parking, finding the door).

    Raises
    ------
    TravelError
        ``bad_options``, with every option that is wrong.
    """

    speed_m_s: float
    circuity: float = CIRCUITY
    fixed_s: float = 0.0

    def __post_init__(self) -> None:
        """Refuse impossible options."""
        wrong = {
            name: value
            for name, value, good in (
                ("speed_m_s", self.speed_m_s, 0 < self.speed_m_s < 100),
                ("circuity", self.circuity, 1 <= self.circuity < 10),
                ("fixed_s", self.fixed_s, 0 <= self.fixed_s < 86_400),
            )
            if not good
        }
        if wrong:
            raise TravelError("bad_options", **wrong)

    @property
    def description(self) -> str:
        """Say how the times were made."""
        return f"straight line x {self.circuity:g} at {self.speed_m_s:g} m/s + {self.fixed_s:g} s"

    def matrix_s(self, lon: ArrayLike, lat: ArrayLike) -> Seconds:
        """Give whole seconds between all pairs of places.

        Parameters
        ----------
        lon, lat : array_like, shape (n,)
            WGS-84 degrees.

        Returns
        -------
        ndarray of int32, shape (n, n)
            ``floor(fixed_s + circuity * metres / speed_m_s)``, 0 on the diagonal, symmetric.

        Raises
        ------
        TravelError
            ``bad_places`` (missing coordinates or unequal lengths) or ``too_many_places``.
        """
        x, y = check_places(lon, lat)
        if len(x) == 0:
            return np.zeros((0, 0), dtype=np.int32)
        crs = metric_crs(float(x.min() + x.max()) / 2.0, lat=float(y.mean()))
        metres = cdist(xy := project_xy(x, y, crs), xy)
        seconds: Seconds = np.floor(self.fixed_s + metres * (self.circuity / self.speed_m_s)).astype(np.int32)
        np.fill_diagonal(seconds, 0)
        return seconds

    def path(self, lon: ArrayLike, lat: ArrayLike) -> list[Floats]:
        """Give a straight line for each leg.

        Parameters
        ----------
        lon, lat : array_like, shape (n,)
            WGS-84 degrees of the stops in order.

        Returns
        -------
        list of ndarray, shape (2, 2)
            n - 1 lines from stop to stop, longitude first.

        Raises
        ------
        TravelError
            As `matrix_s`.
        """
        stops = np.column_stack(check_places(lon, lat))
        return [stops[at : at + 2] for at in range(len(stops) - 1)]


def check_places(lon: ArrayLike, lat: ArrayLike) -> tuple[Floats, Floats]:
    """Return longitudes and latitudes as arrays.

    Raises
    ------
    TravelError
        ``bad_places`` (missing coordinates or unequal lengths) or ``too_many_places``.
    """
    x, y = np.atleast_1d(np.asarray(lon, dtype=float)), np.atleast_1d(np.asarray(lat, dtype=float))
    if x.shape != y.shape or x.ndim != 1 or not (np.isfinite(x).all() and np.isfinite(y).all()):
        raise TravelError("bad_places", lon=x.shape, lat=y.shape)
    if len(x) > _MOST_PLACES:
        raise TravelError("too_many_places", places=len(x), limit=_MOST_PLACES)
    return x, y


def straight_line(profile: str, *, circuity: float = CIRCUITY, fixed_s: float = 0.0) -> StraightLine:
    """Make the straight-line model of a named profile (walk, ebike or car).

    Raises
    ------
    TravelError
        ``unknown_profile`` or ``bad_options``.
    """
    if profile not in SPEED_M_S:
        raise TravelError("unknown_profile", profile=profile, known=sorted(SPEED_M_S))
    return StraightLine(SPEED_M_S[profile], circuity=circuity, fixed_s=fixed_s)
