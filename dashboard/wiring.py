"""Composition root: the one place that reads the clock and puts store, settings and travel model together."""

from __future__ import annotations

import datetime as dt
import time
from dataclasses import dataclass, field
from zoneinfo import ZoneInfo

from dashboard.access.refused import Refused
from dashboard.access.seen import Seen
from dashboard.keys import read_key
from dashboard.settings import Settings
from data.store import Store
from geo.geocode import Geocoder
from geo.travel import TravelModel, straight_line

LOCAL_ZONE = ZoneInfo("Asia/Shanghai")


@dataclass(frozen=True)
class Wiring:
    """Everything a door needs, made once per process."""

    settings: Settings
    store: Store
    travel: TravelModel
    presence: Seen = field(default_factory=Seen)
    refused: Refused = field(default_factory=Refused)

    def now(self) -> dt.datetime:
        """Return the aware UTC instant; a fixed `today` keeps the clock's time of day."""
        clock = dt.datetime.now(LOCAL_ZONE)
        if self.settings.today is not None:
            clock = dt.datetime.combine(self.settings.today, clock.time(), tzinfo=LOCAL_ZONE)
        return clock.astimezone(dt.UTC)

    def today(self) -> dt.date:
        """Return the local date (Asia/Shanghai)."""
        return self.settings.today or dt.datetime.now(LOCAL_ZONE).date()

    def close(self) -> None:
        """Close the database."""
        self.store.close()


def assemble(settings: Settings) -> Wiring:
    """Put the parts together for `settings`.

    Raises
    ------
    StoreError
        `bad_url`.
    """
    store = Store(settings.database, seal=lambda: read_key(settings.audit_key))
    return Wiring(settings=settings, store=store, travel=straight_line("ebike"))


def online_geocoder(settings: Settings) -> Geocoder:
    """Return the online geocoder of the settings.

    Raises
    ------
    GeocodeError
        ``online_not_allowed``, ``online_bad_options``.
    """
    from geo.online.client import OnlineGeocoder, OnlineOptions

    online = settings.online
    options = OnlineOptions(
        provider=online.provider or "amap",
        key=online.key,
        allowed=online.allowed,
        city=online.city,
        url=online.url,
        cache=settings.var / "geocoded.db",
    )
    return OnlineGeocoder(options, clock=time.time, sleep=time.sleep)


# Streamlit runs its script in threads of the server's process and replaces `__main__`: the parts are shared
# through this module.
_installed: list[Wiring] = []


def install(wiring: Wiring) -> None:
    """Make `wiring` the one that pages of this process use."""
    _installed[:] = [wiring]


def current() -> Wiring:
    """Return the installed wiring; without one, assemble it from the environment."""
    if not _installed:
        install(assemble(Settings.from_environment()))
    return _installed[0]
