"""Travel times from a self-hosted OSRM or Valhalla server, named by an office that runs one.

Only coordinates are sent. A pair the server cannot answer is an error, never a guess.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import httpx2
import numpy as np
from numpy.typing import ArrayLike

from geo.crs import Floats
from geo.errors import TravelError
from geo.network.dialects import Dialect, Question
from geo.travel import Seconds, check_places

_AGAIN = frozenset({429, 502, 503, 504})
_LISTED = 20
_ANSWER = 60  # letters of a server's own words


@dataclass(frozen=True, slots=True)
class Server:
    """Where a route server is and how patiently it is asked.

    Parameters
    ----------
    url : str
        Base address, http or https.
    timeout_s : float
        Longest wait for one answer.
    tries : int
        Attempts for one question; the pause doubles each time.
    pause_s : float
        Pause after the first failed attempt.
    most_places : int
        Places of one table question (OSRM's ``max-table-size``, 100 by default; Valhalla allows 50 x 50).
    sleep : callable
        What waits; tests hand in one that does not.

    Raises
    ------
    TravelError
        ``bad_options``, with every option that is wrong.
    """

    url: str
    timeout_s: float = 30.0
    tries: int = 3
    pause_s: float = 0.5
    most_places: int = 100
    sleep: Callable[[float], None] = field(default=time.sleep, repr=False)

    def __post_init__(self) -> None:
        """Refuse impossible options."""
        try:
            address = httpx2.URL(self.url)
            good_url = address.scheme in ("http", "https") and bool(address.host) and not address.userinfo
        except httpx2.InvalidURL:
            good_url = False
        wrong = {
            name: value
            for name, value, good in (
                ("url", self.url, good_url),
                ("timeout_s", self.timeout_s, 0 < self.timeout_s <= 600),
                ("tries", self.tries, 1 <= self.tries <= 10),
                ("pause_s", self.pause_s, 0 <= self.pause_s <= 60),
                ("most_places", self.most_places, 2 <= self.most_places <= 10_000),
            )
            if not good
        }
        if wrong:
            raise TravelError("bad_options", **wrong)


class ServerTravel:
    """Travel times and lines from a route server.

    Parameters
    ----------
    server : Server
        Where it is.
    dialect : Dialect
        `geo.network.dialects.Osrm` or `geo.network.dialects.Valhalla`.
    profile : str
        walk, ebike or car.
    fixed_s : float
        Seconds every trip costs besides.

    Raises
    ------
    TravelError
        ``unknown_profile`` or ``bad_options``.
    """

    def __init__(self, server: Server, dialect: Dialect, profile: str, *, fixed_s: float = 0.0) -> None:
        if profile not in dialect.profiles:
            raise TravelError("unknown_profile", profile=profile, known=sorted(dialect.profiles))
        if not 0 <= fixed_s < 86_400:
            raise TravelError("bad_options", fixed_s=fixed_s)
        self.server, self.dialect, self.profile, self.fixed_s = server, dialect, profile, fixed_s

    @property
    def description(self) -> str:
        """Say how the times were made; the server's address is not told."""
        return f"{self.dialect.name} server, {self.profile} + {self.fixed_s:g} s"

    def matrix_s(self, lon: ArrayLike, lat: ArrayLike) -> Seconds:
        """Give whole seconds between all pairs of places.

        Parameters
        ----------
        lon, lat : array_like, shape (n,)
            WGS-84 degrees.

        Returns
        -------
        ndarray of int32, shape (n, n)
            ``floor(fixed_s + seconds)``, 0 on the diagonal.

        Raises
        ------
        TravelError
            ``bad_places``, ``too_many_places``, ``server_unreachable``, ``server_refused``, or ``no_route``
            with the pairs the server has no way for.
        """
        places = np.column_stack(check_places(lon, lat))
        result = np.zeros((len(places), len(places)), dtype=np.int32)
        missing: list[tuple[int, int]] = []
        half = self.server.most_places // 2
        with self._client() as client:
            for row in range(0, len(places), half):
                for column in range(0, len(places), half):
                    rows, columns = places[row : row + half], places[column : column + half]
                    part = self._table(client, rows, columns)
                    missing += [(int(i) + row, int(j) + column) for i, j in np.argwhere(np.isnan(part))]
                    seconds = np.floor(self.fixed_s + np.nan_to_num(part))
                    result[row : row + half, column : column + half] = seconds
        missing = [(i, j) for i, j in missing if i != j]
        if missing:
            raise TravelError("no_route", count=len(missing), pairs=missing[:_LISTED])
        np.fill_diagonal(result, 0)
        return result

    def path(self, lon: ArrayLike, lat: ArrayLike) -> list[Floats]:
        """Give the line of each leg of a route.

        Parameters
        ----------
        lon, lat : array_like, shape (n,)
            WGS-84 degrees of the stops in order.

        Returns
        -------
        list of ndarray, shape (k, 2)
            n - 1 lines of longitude and latitude.

        Raises
        ------
        TravelError
            As `matrix_s`.
        """
        stops = np.column_stack(check_places(lon, lat))
        lines: list[Floats] = []
        with self._client() as client:
            for chunk in _chunks(stops, self.server.most_places):
                lines += self._legs(client, chunk)
        return lines

    def _client(self) -> httpx2.Client:
        # The office's own server is asked directly: no proxy of the environment, no redirect elsewhere.
        return httpx2.Client(
            base_url=self.server.url, timeout=self.server.timeout_s, trust_env=False, follow_redirects=False
        )

    def _table(self, client: httpx2.Client, rows: Floats, columns: Floats) -> Floats:
        question = self.dialect.ask_table(self.dialect.profiles[self.profile], rows, columns)
        try:
            part = self.dialect.read_table(self._ask(client, question))
        except (KeyError, TypeError, ValueError) as error:
            raise TravelError("server_refused", status=200, answer="no table") from error
        if part.shape != (len(rows), len(columns)):
            raise TravelError("server_refused", status=200, answer=f"table of {part.shape}")
        return part

    def _legs(self, client: httpx2.Client, stops: Floats) -> list[Floats]:
        question = self.dialect.ask_route(self.dialect.profiles[self.profile], stops)
        try:
            legs = self.dialect.read_legs(self._ask(client, question))
        except (KeyError, IndexError, TypeError, ValueError) as error:
            raise TravelError("server_refused", status=200, answer="no route") from error
        if len(legs) != len(stops) - 1:
            raise TravelError("server_refused", status=200, answer=f"{len(legs)} legs")
        return legs

    def _ask(self, client: httpx2.Client, question: Question) -> dict[str, Any]:
        """Ask until there is an answer; a refusal is told with the server's own code."""
        reason = ""
        for attempt in range(self.server.tries):
            if attempt:
                self.server.sleep(self.server.pause_s * 2 ** (attempt - 1))
            try:
                response = client.request(question.method, question.path, json=question.body)
            except httpx2.TransportError as error:
                reason = type(error).__name__
                continue
            if response.status_code not in _AGAIN:
                return self._answer(response)
            reason = str(response.status_code)
        raise TravelError("server_unreachable", tries=self.server.tries, reason=reason)

    def _answer(self, response: httpx2.Response) -> dict[str, Any]:
        try:
            answer = response.json()
        except ValueError:
            answer = None
        if not isinstance(answer, dict):
            raise TravelError("server_refused", status=response.status_code, answer="no JSON object")
        fault = self.dialect.fault(response.status_code, answer)
        if self.dialect.is_no_route(fault):
            raise TravelError("no_route", count=1, pairs=[], answer=fault)
        if fault:
            raise TravelError("server_refused", status=response.status_code, answer=fault[:_ANSWER])
        return answer


def _chunks(stops: Floats, most: int) -> Iterator[Floats]:
    """Cut a route into parts of at most `most` stops that share their ends."""
    for first in range(0, len(stops) - 1, most - 1):
        yield stops[first : first + most]
