"""The lanes of this server: log-in, phone page and expensive answers never wait for one another."""

from __future__ import annotations

from dataclasses import dataclass, field

from dashboard.access.limits import Lane


@dataclass(frozen=True)
class Lanes:
    """Lanes with their sizes.

    `login` holds password hashing (19 MiB and 20 ms each), `phone` the page people stand on the street with,
    `layers` map layers and exports.
    """

    login: Lane = field(default_factory=lambda: Lane(at_once=2, per_person=8, waiting=100))
    phone: Lane = field(default_factory=lambda: Lane(at_once=2, per_person=3, waiting=120))
    layers: Lane = field(default_factory=lambda: Lane(at_once=2, per_person=8, waiting=64))
