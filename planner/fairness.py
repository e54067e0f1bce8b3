"""Fairness of a roster: what each officer counts with, and how far apart the counts may be.

An officer counts with the shifts worked in the half-year and in this period, and with those that leave or a
late start spared (excused): whoever was present half of the time is expected to have worked half.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from planner.crew import Officer, SlotNeed
from planner.options import RosterOptions

BALANCED = ("evening", "weekend", "holiday", "total")
"""What is spread evenly between the officers."""


def concerned_by(needs: Sequence[SlotNeed], kind: str) -> list[int]:
    """Return the indices of the needs that count for `kind`; all count for ``total``."""
    return [index for index, need in enumerate(needs) if kind in (need.kind, "total")]


def _earlier(counts: Mapping[str, int], kind: str) -> int:
    return sum(counts.values()) if kind == "total" else counts.get(kind, 0)


def count_before(
    officers: Sequence[Officer], needs: Sequence[SlotNeed], kind: str, *, options: RosterOptions
) -> list[int]:
    """Return what each officer counts with before the first shift of the period.

    That is `worked` and `excused` of the half-year, and for leave within the period the mean number of
    shifts times the share of the wanted teams that fall on the officer's dates off.
    """
    concerned = [needs[index] for index in concerned_by(needs, kind)]
    wanted = sum(need.teams for need in concerned)
    before = [_earlier(officer.worked, kind) + _earlier(officer.excused, kind) for officer in officers]
    if not wanted:
        return before
    # Where certificates fill every seat, the others never work and share no load.
    all_share = options.crew_size > options.min_certified
    presence = [
        sum(need.teams for need in concerned if need.date not in officer.unavailable) / wanted
        for officer in officers
    ]
    sharing = sum(
        share for share, officer in zip(presence, officers, strict=True) if all_share or officer.certified
    )
    mean = wanted * options.crew_size / sharing if sharing else 0.0
    return [count + round((1 - share) * mean) for count, share in zip(before, presence, strict=True)]


def measure_spread(
    officers: Sequence[Officer],
    needs: Sequence[SlotNeed],
    working: Sequence[Sequence[Officer]],
    *,
    options: RosterOptions,
) -> dict[str, int]:
    """Return most minus least shifts by kind, as `Roster.spread` defines it; `working` goes by need."""
    names = [{officer.id for officer in members} for members in working]
    spread = {}
    for kind in BALANCED:
        concerned = concerned_by(needs, kind)
        before = count_before(officers, needs, kind, options=options)
        counts = [
            start + sum(officer.id in names[index] for index in concerned)
            for officer, start in zip(officers, before, strict=True)
            if officer.certified
            and 2 * sum(needs[index].date not in officer.unavailable for index in concerned) >= len(concerned)
        ]
        spread[kind] = max(counts) - min(counts) if counts and concerned else 0
    return spread
