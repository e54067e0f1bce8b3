"""Online geocoding: AMap, Tianditu, Baidu and Nominatim, asked only after an explicit setting.

Addresses leave the office only when the options say so; names of institutions are never sent. A key stands in
the request alone: not in an error, a log line or the file of answers.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any

import httpx2

from geo.address.numerals import normalise
from geo.crs import to_wgs84
from geo.errors import GeocodeError
from geo.gazetteer.matches import Level, Match, unplaced
from geo.online.answers import Answers
from geo.online.providers import PROVIDERS, Fault, Found, Provider

_AGAIN = frozenset({408, 425, 429, 500, 502, 503, 504})
_LARGEST_ANSWER = 1_000_000


class _KeepUrlsOut(logging.Filter):
    """Drop the client's own log lines: they hold the whole address asked for, the key in it."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Let warnings and errors through, which hold no address."""
        return record.levelno >= logging.WARNING


_CLIENT_LOGS = (
    "httpx2",
    "httpcore2.http11",
    "httpcore2.http2",
    "httpcore2.connection",
    "httpcore2.proxy",
    "httpcore2.socks",
)
for _name in _CLIENT_LOGS:
    logging.getLogger(_name).addFilter(_KeepUrlsOut())


@dataclass(frozen=True, slots=True)
class OnlineOptions:
    """Whether and how an online service is asked.

    Parameters
    ----------
    provider : str
        ``amap``, ``tianditu``, ``baidu`` or ``nominatim``.
    key : str
        Key of the service; Nominatim needs none.
    allowed : bool
        Whether addresses may be sent out at all; off unless set.
    city : str
        City the addresses lie in, empty when they say so themselves.
    url : str
        Address to ask instead of the service's own (a proxy, one's own Nominatim).
    contact : str
        What Nominatim's rules ask for: an application name with a way to reach its operator.
    per_second : float
        Most requests per second; never more than the service allows everybody, unless `url` is given.
    tries : int
        Attempts for one address.
    wait_s, longest_wait_s : float
        Pause after the first failed attempt, doubled each time, and the longest pause.
    timeout_s : float
        Longest wait for one answer.
    cache : Path or None
        File of answers.
    keep_days : float
        Days an answer is kept.

    Raises
    ------
    GeocodeError
        ``online_bad_options`` with every option that is wrong.
    """

    provider: str
    key: str = field(default="", repr=False)
    allowed: bool = False
    city: str = ""
    url: str = ""
    contact: str = "gridpatrol"
    per_second: float = 3.0
    tries: int = 4
    wait_s: float = 0.5
    longest_wait_s: float = 60.0
    timeout_s: float = 10.0
    cache: Path | None = None
    keep_days: float = 30.0

    def __post_init__(self) -> None:
        """Refuse impossible options."""
        checks = {
            "provider": self.provider in PROVIDERS,
            "url": not self.url or _is_address(self.url),
            "per_second": 0 < self.per_second <= 1000,
            "tries": 1 <= self.tries <= 10,
            "wait_s": 0 <= self.wait_s <= 60,
            "longest_wait_s": 0 < self.longest_wait_s <= 3600,
            "timeout_s": 0 < self.timeout_s <= 120,
            "keep_days": 0 < self.keep_days <= 3650,
        }
        wrong = [name for name, good in checks.items() if not good]
        if wrong:
            raise GeocodeError("online_bad_options", faults=wrong)


def _is_address(url: str) -> bool:
    try:
        address = httpx2.URL(url)
    except httpx2.InvalidURL:
        return False
    return address.scheme in ("http", "https") and bool(address.host) and not address.userinfo


class OnlineGeocoder:
    """One online service behind the protocol `geo.geocode.Geocoder`.

    Parameters
    ----------
    options : OnlineOptions
        Service, key and permission.
    clock : callable
        Seconds since 1970, for the rate limit and the age of answers.
    sleep : callable
        What waits.

    Raises
    ------
    GeocodeError
        ``online_not_allowed`` when the options do not allow it or a key is missing.
    """

    def __init__(
        self, options: OnlineOptions, *, clock: Callable[[], float], sleep: Callable[[float], None]
    ) -> None:
        self._provider: Provider = PROVIDERS[options.provider]
        if options.allowed is not True or (self._provider.needs_key and not options.key.strip()):
            raise GeocodeError("online_not_allowed", provider=options.provider)
        self._options, self._clock, self._sleep = options, clock, sleep
        limit = options.per_second if options.url else min(options.per_second, self._provider.most_per_second)
        self._apart_s, self._next_s = 1.0 / limit, float("-inf")
        self._answers = (
            None if options.cache is None else Answers(options.cache, keep_s=options.keep_days * 86_400)
        )

    def locate(self, addresses: Sequence[str], *, names: Sequence[str] | None = None) -> list[Match]:
        """Place addresses; each distinct one is sent once.

        Parameters
        ----------
        addresses : sequence of str
            Addresses as written; they are sent in normal form.
        names : sequence of str, optional
            Not used: names of institutions are never sent.

        Returns
        -------
        list of Match
            One per address, in order, in WGS-84.

        Raises
        ------
        GeocodeError
            ``length_mismatch``; ``online_bad_key``, ``online_quota``, ``online_unreachable``,
            ``online_refused`` or ``online_unreadable``. What was answered before is in the file of answers.
        """
        if names is not None and len(names) != len(addresses):
            raise GeocodeError("length_mismatch", addresses=len(addresses), names=len(names))
        asked = {text: normalise(text) for text in addresses}
        found: dict[str, Match] = {"": unplaced("no_address", self._provider.name)}
        with httpx2.Client(timeout=self._options.timeout_s, follow_redirects=False) as client:
            for text in dict.fromkeys(asked.values()):
                if text not in found:
                    found[text] = self._match(self._find(client, text))
        return [found[asked[text]] for text in addresses]

    def _match(self, found: Found) -> Match:
        if found.level is Level.NONE:
            return unplaced("not_found_online", self._provider.name)
        lon, lat = to_wgs84([found.lon], [found.lat], self._provider.datum)
        point = (float(lon[0]), float(lat[0]))
        return Match(*point, found.level, found.score, found.radius_m, found.text, self._provider.name)

    def _find(self, client: httpx2.Client, text: str) -> Found:
        name, asked = self._provider.name, f"{self._options.city}\n{text}"
        kept = self._answers.get(name, asked, now_s=self._clock()) if self._answers else None
        if kept is not None:
            return kept
        found = self._ask(client, text)
        if self._answers is not None:
            self._answers.put(name, asked, found, now_s=self._clock())
        return found

    def _ask(self, client: httpx2.Client, text: str) -> Found:
        options = self._options
        pause_s, last = options.wait_s, GeocodeError("online_unreachable", **self._fields("0"))
        for attempt in range(options.tries):
            if attempt:
                self._sleep(min(pause_s, options.longest_wait_s))
            self._keep_apart()
            asked_s = None
            try:
                response = client.get(
                    options.url or self._provider.url,
                    params=self._provider.ask(text, options.city, options.key.strip()),
                    headers={"User-Agent": options.contact, "Accept": "application/json"},
                )
            except httpx2.HTTPError:
                # The error of the client may hold the address with the key; only what happened is told.
                last = GeocodeError("online_unreachable", **self._fields("-"), tries=attempt + 1)
            else:
                answer = self._read(response)
                if isinstance(answer, Found):
                    return answer
                last = answer
                asked_s = self._retry_after_s(response)
            doubled = options.wait_s * 2.0**attempt
            pause_s = doubled if asked_s is None else asked_s
            if pause_s > options.longest_wait_s and asked_s is not None:
                break
        raise last

    def _read(self, response: httpx2.Response) -> Found | GeocodeError:
        """Read an answer; an error that another try may cure is returned, any other raised."""
        status = str(response.status_code)
        if response.status_code in _AGAIN:
            busy = response.status_code == 429
            code = "online_quota" if busy else "online_unreachable"
            return GeocodeError(code, **self._fields(status), tries=self._options.tries)
        if response.status_code in (401, 403):
            raise GeocodeError(Fault.BAD_KEY.value, **self._fields(status))
        if response.status_code != 200:
            raise GeocodeError(Fault.REFUSED.value, **self._fields(status))
        told = self._decoded(response)
        if isinstance(told, Found):
            return told
        fault, own = told
        if fault is Fault.BUSY:
            return GeocodeError("online_quota", **self._fields(own))
        raise GeocodeError(fault.value, **self._fields(own))

    def _decoded(self, response: httpx2.Response) -> Found | tuple[Fault, str]:
        if len(response.content) > _LARGEST_ANSWER:
            return Fault.UNREADABLE, str(response.status_code)
        try:
            return self._provider.read(response.json())
        except (ValueError, KeyError, TypeError, AttributeError, IndexError):
            # Whatever shape the answer has, its text is not repeated: a service may echo the key.
            return Fault.UNREADABLE, str(response.status_code)

    def _retry_after_s(self, response: httpx2.Response) -> float | None:
        """Read the pause a service asks for (RFC 9110, section 10.2.3): seconds or a date."""
        told = response.headers.get("Retry-After", "").strip()
        if told.isascii() and told.isdigit():
            return float(told)
        try:
            return max(0.0, parsedate_to_datetime(told).timestamp() - self._clock())
        except (ValueError, TypeError):
            return None

    def _keep_apart(self) -> None:
        now = self._clock()
        if now < self._next_s:
            self._sleep(self._next_s - now)
        self._next_s = max(now, self._next_s) + self._apart_s

    def _fields(self, status: str) -> dict[str, Any]:
        return {"provider": self._provider.name, "status": status}
