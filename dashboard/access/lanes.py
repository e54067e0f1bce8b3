"""The lanes of this server: log-in, phone page and expensive answers never wait for one another."""

from __future__ import annotations

from dataclasses import dataclass, field

from dashboard.access.limits import Lane


@dataclass(frozen=True)
class Lanes:
    """Lanes with their sizes.

    `doorstep` looks whether a log-in must wait, which is quick, so that only those that need not are in
    `login`, which holds password hashing (19 MiB and 20 ms each); an office may sit behind one address.
    `phone` holds the page people stand on the street with, `layers` map layers and exports.
    """

    doorstep: Lane = field(default_factory=lambda: Lane(at_once=2, per_person=100, waiting=400))
    login: Lane = field(default_factory=lambda: Lane(at_once=2, per_person=40, waiting=100))
    phone: Lane = field(default_factory=lambda: Lane(at_once=2, per_person=3, waiting=120))
    layers: Lane = field(default_factory=lambda: Lane(at_once=2, per_person=8, waiting=64))
