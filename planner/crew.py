"""Officers, what slots need, and the roster that joins them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta

from planner.errors import Fault, RosterInputError

KINDS = ("day", "evening", "weekend", "holiday")
"""Classes of slots; all but the first are balanced between officers."""


@dataclass(frozen=True, order=True)
class PastShift:
    """A shift worked before the period; `start_s` and `end_s` are seconds of its date."""

    date: date
    start_s: int
    end_s: int


@dataclass(frozen=True)
class Officer:
    """A person who can be rostered.

    `certified` holds a valid officer certificate, `leader` may lead a team, `unavailable` are dates off.
    `worked` counts the shifts of the half-year before by kind (``day``, ``evening``, ``weekend``,
    ``holiday``) and `excused` those that leave or a late start spared this person. `recent` are the shifts
    shortly before the period: rest, weekly limit and free weekends hold over that seam too. An `official`
    (带队领导) only accompanies a team: never one of its two certified, never its leader.
    """

    id: str
    certified: bool = True
    leader: bool = False
    departments: tuple[str, ...] = ()
    unavailable: frozenset[date] = frozenset()
    worked: Mapping[str, int] = field(default_factory=dict)
    excused: Mapping[str, int] = field(default_factory=dict)
    recent: tuple[PastShift, ...] = ()
    official: bool = False


@dataclass(frozen=True)
class SlotNeed:
    """How many teams a slot wants; `start_s` and `end_s` are seconds of its date.

    Each team of a `joint` slot has a member of every department named there.
    """

    slot: str
    date: date
    kind: str
    start_s: int
    end_s: int
    teams: int
    joint: tuple[str, ...] = ()


@dataclass(frozen=True)
class Crew:
    """One team in one slot: members sorted by id, the leader among them; `number` counts from 1.

    `official` is the member who accompanies the team, None for an ordinary round.
    """

    slot: str
    number: int
    members: tuple[str, ...]
    leader: str
    official: str | None = None


@dataclass(frozen=True)
class Shortfall:
    """Fewer teams than wanted in a slot, the code of the reason and the numbers behind it.

    The code ``no_official`` is told without a slot and counts accompanied rounds instead of teams.
    """

    slot: str
    wanted: int
    crewed: int
    code: str
    detail: Mapping[str, int | str] = field(default_factory=dict)


@dataclass(frozen=True)
class Roster:
    """Who works where.

    `crews` follow the order of the needs, `shortfalls` name every slot with fewer teams than wanted,
    `spread` is the most minus the least shifts by kind and in total, earlier and excused ones included, of
    certified officers present for at least half of the slots concerned. `gap` is the share by which the
    fairness of the first stage could at most be better.
    """

    crews: tuple[Crew, ...]
    shortfalls: tuple[Shortfall, ...]
    spread: Mapping[str, int]
    seed: int
    gap: float = 0.0


def check_facts(officers: Sequence[Officer], needs: Sequence[SlotNeed]) -> None:
    """Refuse officers and needs that contradict themselves.

    Raises
    ------
    RosterInputError
        With every fault.
    """
    faults = []
    for name, ids in (("officers", [item.id for item in officers]), ("needs", [item.slot for item in needs])):
        counted: Counter[str] = Counter()
        for index, item_id in enumerate(ids):
            counted[item_id] += 1
            if not item_id or counted[item_id] > 1:
                code = "duplicate_id" if item_id else "missing_id"
                faults.append(Fault(f"{name}[{index}]", code, {"id": item_id}))
    for index, officer in enumerate(officers):
        for name, counts in (("worked", officer.worked), ("excused", officer.excused)):
            wrong = {kind: count for kind, count in counts.items() if kind not in KINDS or count < 0}
            if wrong:
                faults.append(Fault(f"officers[{index}].{name}", "unknown_or_negative", {name: wrong}))
    for index, need in enumerate(needs):
        if need.kind not in KINDS:
            faults.append(Fault(f"needs[{index}].kind", "unknown_kind", {"kind": need.kind}))
        if not 0 <= need.start_s < need.end_s:
            faults.append(Fault(f"needs[{index}].end_s", "not_after_start", {"start_s": need.start_s}))
        if need.teams < 0:
            faults.append(Fault(f"needs[{index}].teams", "negative", {"teams": need.teams}))
    if faults:
        raise RosterInputError(faults)


def collide(one: SlotNeed | PastShift, other: SlotNeed | PastShift, *, min_rest_h: float) -> bool:
    """Return whether nobody can work both: they overlap, or leave too little rest between two dates."""
    early, late = sorted((one, other), key=lambda item: (item.date, item.start_s))
    pause_s = (late.date - early.date).days * 86_400 + late.start_s - early.end_s
    return pause_s < (min_rest_h * 3600 if early.date != late.date else 0)


def monday_of(day: date) -> date:
    """Return the Monday of a date's ISO week."""
    return day - timedelta(days=day.weekday())


def is_weekend(day: date) -> bool:
    """Return whether a date is a Saturday or a Sunday, whatever the calendar makes of it."""
    return day.weekday() >= 5


def worked_weekends(shifts: Iterable[SlotNeed | PastShift]) -> set[date]:
    """Return the Mondays of the weeks with a shift on their Saturday or Sunday."""
    return {monday_of(shift.date) for shift in shifts if is_weekend(shift.date)}
