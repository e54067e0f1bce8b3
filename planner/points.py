"""Travel between points in the plane, reckoned leg by leg: no matrix where there are too many places."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

TIME_LIMIT_S = 10**9
"""Largest clock reading, service time or travel time accepted, so that sums stay exact."""

MATRIX_LIMIT = 4_000
"""Most locations for which a whole travel matrix is built."""


@dataclass(frozen=True, eq=False)
class PointTravel:
    """Seconds between points: floor(fixed + circuity x distance / speed), 0 from a point to itself.

    Parameters
    ----------
    xy_m : ndarray of float, shape (n, 2)
        Points in metres.
    speed_m_s, circuity, fixed_s : float
        Metres a second, road length over straight line, seconds added to every leg.
    """

    xy_m: NDArray[np.float64]
    speed_m_s: float
    circuity: float = 1.0
    fixed_s: float = 0.0

    def __post_init__(self) -> None:
        """Freeze the points."""
        xy_m = np.array(self.xy_m, dtype=float).reshape(-1, 2)
        xy_m.setflags(write=False)
        object.__setattr__(self, "xy_m", xy_m)

    def __len__(self) -> int:
        """Return the number of points."""
        return len(self.xy_m)

    def __getitem__(self, leg: tuple[int, int]) -> int:
        """Return the seconds of one leg."""
        origin, destination = leg
        if origin == destination:
            return 0
        away = self.xy_m[origin] - self.xy_m[destination]
        metres = float(np.hypot(away[0], away[1]))
        return min(math.floor(self.fixed_s + self.circuity * metres / self.speed_m_s), 2 * TIME_LIMIT_S)

    def block_s(self, origins: NDArray[np.int64], destinations: NDArray[np.int64]) -> NDArray[np.int32]:
        """Return the seconds from each of `origins` to each of `destinations`."""
        away = self.xy_m[origins][:, None] - self.xy_m[destinations][None, :]
        metres = np.hypot(away[..., 0], away[..., 1])
        seconds = np.minimum(
            np.floor(self.fixed_s + self.circuity * metres / self.speed_m_s), 2.0 * TIME_LIMIT_S
        )
        seconds[origins[:, None] == destinations[None, :]] = 0.0
        return seconds.astype(np.int32)

    def longest_s(self) -> int:
        """Return a ceiling of every leg: the seconds across the box round all points."""
        if not len(self.xy_m):
            return 0
        metres = float(np.hypot(*np.ptp(self.xy_m, axis=0)))
        return math.ceil(min(self.fixed_s + self.circuity * metres / self.speed_m_s, 2.0 * TIME_LIMIT_S))
