"""What the half year brought: findings in three planted clusters and few elsewhere, rechecks, tips."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from data.calendar import Calendar
from data.demo.presets import HISTORY_DAYS, Preset
from data.demo.register import DemoInstitution
from data.demo.rounds import SEEN_IN, DemoVisit, draw_outcome, slots_of, walk_rounds
from data.terms import (
    SLOT_CLASS,
    FindingCode,
    FindingStatus,
    Kind,
    Outcome,
    SlotClass,
    SlotKind,
    TipStatus,
    VisitMode,
    VisitReason,
)

ELSEWHERE_RATE = 0.012
_TIP_WORKDAYS = 5
_CODES: Mapping[Kind, tuple[FindingCode, ...]] = {
    Kind.NON_SUBJECT: (FindingCode.VAR_01, FindingCode.ADV_01, FindingCode.LIC_01, FindingCode.FIR_01),
    Kind.CARE: (FindingCode.TCH_01, FindingCode.TCH_03, FindingCode.FIR_01, FindingCode.LIC_01),
    Kind.SELF_STUDY: (FindingCode.VAR_01, FindingCode.FIR_01),
    Kind.EDU_CONSULT: (FindingCode.VAR_01, FindingCode.ADV_01),
    Kind.KINDERGARTEN: (FindingCode.KG_01, FindingCode.FIR_01),
    Kind.UNLICENSED: (FindingCode.LIC_01,),
}


@dataclass(frozen=True)
class DemoFinding:
    """A problem found on the visit at position `visit` of the history."""

    visit: int
    code: FindingCode
    status: FindingStatus
    recheck_due: dt.date
    closed_on: dt.date | None


@dataclass(frozen=True)
class DemoTip:
    """A lead from the public about the institution at position `place` of the register."""

    place: int
    received_on: dt.date
    due_on: dt.date
    status: TipStatus
    handled: bool


@dataclass(frozen=True)
class History:
    """Visits in order of time, findings on them, and tips."""

    visits: tuple[DemoVisit, ...]
    findings: tuple[DemoFinding, ...]
    tips: tuple[DemoTip, ...]


def tell_history(
    register: Sequence[DemoInstitution],
    preset: Preset,
    calendar: Calendar,
    *,
    today: dt.date,
    chance: np.random.Generator,
) -> History:
    """Return half a year of visits, findings and tips before `today`."""
    tips = _receive_tips(register, preset, calendar, today=today, chance=chance)
    start = today - dt.timedelta(days=HISTORY_DAYS + 1)
    first_tip = {tip.place: tip.received_on for tip in reversed(tips)}
    known = [first_tip[at] if row.kind is Kind.UNLICENSED else start for at, row in enumerate(register)]
    visits = walk_rounds(register, known, preset, calendar, today=today, chance=chance)
    visits += _follow_up(tips, register, calendar, preset, today=today, chance=chance)
    found = _choose_found(visits, register, preset, chance=chance)
    visits = [
        replace(visit, outcome=Outcome.SEEN_OPEN) if at in found else visit for at, visit in enumerate(visits)
    ]
    newest = sorted(found, key=lambda at: (visits[at].date, at))
    still_open = set(newest[-preset.open_findings :])
    findings: list[tuple[DemoVisit, DemoFinding]] = []
    rechecks: list[DemoVisit] = []
    oldest = newest[-preset.open_findings]
    for at in newest:
        visit, row = visits[at], register[visits[at].place]
        code = _code_of(row.kind, visit.slot_class, chance)
        due = calendar.add_workdays(visit.date, int(chance.integers(5, 11)))
        if at in still_open:
            finding = _open_finding(code, visit.date, oldest=at == oldest, today=today, chance=chance)
        else:
            team = f"T{int(chance.integers(preset.teams)) + 1}"
            recheck = _recheck(visit, row, due, calendar, today=today, team=team)
            rechecks.append(recheck)
            finding = DemoFinding(0, code, FindingStatus.CLOSED, due, recheck.date)
        findings.append((visit, finding))
    told = sorted(visits + rechecks, key=lambda v: (v.date, v.slot_kind.value, v.team, v.place))
    position = {id(visit): at for at, visit in enumerate(told)}
    return History(
        tuple(told),
        tuple(replace(finding, visit=position[id(visit)]) for visit, finding in findings),
        tuple(sorted(tips, key=lambda tip: (tip.received_on, tip.place))),
    )


def _choose_found(
    visits: Sequence[DemoVisit],
    register: Sequence[DemoInstitution],
    preset: Preset,
    *,
    chance: np.random.Generator,
) -> set[int]:
    """Return the visits with a finding: a fixed number in each cluster, about 1.2 % elsewhere."""
    by_cluster: dict[str | None, list[int]] = {}
    elsewhere = 0
    for at, visit in enumerate(visits):
        row = register[visit.place]
        elsewhere += row.cluster is None
        if visit.outcome.pays and not row.lost:
            by_cluster.setdefault(row.cluster, []).append(at)
    found: set[int] = set()
    for cluster, able in sorted(by_cluster.items(), key=lambda item: item[0] or ""):
        wanted = round(ELSEWHERE_RATE * elsewhere) if cluster is None else preset.cluster_findings
        found |= {int(at) for at in chance.choice(able, size=min(wanted, len(able)), replace=False)}
    return found


def _code_of(kind: Kind, slot_class: SlotClass, chance: np.random.Generator) -> FindingCode:
    if kind is Kind.SUBJECT:
        return FindingCode.TIM_01 if slot_class is SlotClass.EVENING else FindingCode.TIM_02
    codes = _CODES[kind]
    return codes[int(chance.integers(len(codes)))]


def _open_finding(
    code: FindingCode, found_on: dt.date, *, oldest: bool, today: dt.date, chance: np.random.Generator
) -> DemoFinding:
    """Return a finding that waits for its recheck: the oldest is overdue, the others due in two weeks."""
    due = today + dt.timedelta(days=int(chance.integers(4, 13)))
    if oldest:
        due = max(found_on + dt.timedelta(days=1), today - dt.timedelta(days=2))
    status = FindingStatus.SUBMITTED if chance.random() < 0.3 else FindingStatus.OPEN
    return DemoFinding(0, code, status, due, None)


def _recheck(
    visit: DemoVisit, row: DemoInstitution, due: dt.date, calendar: Calendar, *, today: dt.date, team: str
) -> DemoVisit:
    """Return the visit that closed a finding, near its due date."""
    date, kind = _next_slot(row, due, calendar, today=today, after=visit.date)
    return DemoVisit(
        visit.place, date, kind, VisitMode.OPEN_VISIT, VisitReason.RECHECK, Outcome.SEEN_OPEN, team
    )


def _next_slot(
    row: DemoInstitution, wanted: dt.date, calendar: Calendar, *, today: dt.date, after: dt.date
) -> tuple[dt.date, SlotKind]:
    """Return the date before `today` nearest to `wanted` with a slot that fits the kind."""
    days = calendar.days(after, today - dt.timedelta(days=1))
    slots = [(d.date, k) for d in days for k in slots_of(d) if SLOT_CLASS[k] in SEEN_IN[row.kind]]
    # The first visit had a fitting slot on `after`, or a tip came on a day that is followed by one.
    return min(slots, key=lambda slot: (slot[0] == after, abs((slot[0] - wanted).days), slot[0]))


def _receive_tips(
    register: Sequence[DemoInstitution],
    preset: Preset,
    calendar: Calendar,
    *,
    today: dt.date,
    chance: np.random.Generator,
) -> list[DemoTip]:
    """Return tips: one for each unlicensed place, more about the clusters, the last ones unhandled."""
    unlicensed = [at for at, row in enumerate(register) if row.kind is Kind.UNLICENSED]
    others = np.array(
        [at for at, row in enumerate(register) if row.kind is not Kind.UNLICENSED and not row.lost]
    )
    weight = np.array([5.0 if register[at].cluster else 1.0 for at in others])
    count = preset.tips - len(unlicensed)
    places = [int(at) for at in chance.choice(others, size=count, replace=False, p=weight / weight.sum())]
    tips = [
        _tip(
            at,
            today - dt.timedelta(days=int(chance.integers(20, HISTORY_DAYS))),
            TipStatus.VERIFIED,
            calendar,
        )
        for at in unlicensed
    ]
    for number, at in enumerate(places):
        if number < preset.open_tips:
            received = today - dt.timedelta(days=1 + number % 3)
            tips.append(replace(_tip(at, received, TipStatus.RECEIVED, calendar), handled=False))
        else:
            received = today - dt.timedelta(days=int(chance.integers(12, HISTORY_DAYS)))
            status = TipStatus.VERIFIED if chance.random() < 0.35 else TipStatus.UNFOUNDED
            tips.append(_tip(at, received, status, calendar))
    return sorted(tips, key=lambda tip: (tip.received_on, tip.place))


def _tip(place: int, received: dt.date, status: TipStatus, calendar: Calendar) -> DemoTip:
    return DemoTip(place, received, calendar.add_workdays(received, _TIP_WORKDAYS), status, True)


def _follow_up(
    tips: Sequence[DemoTip],
    register: Sequence[DemoInstitution],
    calendar: Calendar,
    preset: Preset,
    *,
    today: dt.date,
    chance: np.random.Generator,
) -> list[DemoVisit]:
    """Return the visits that answered the handled tips, about three days after each."""
    visits = []
    for tip in tips:
        if tip.handled:
            row = register[tip.place]
            wanted = tip.received_on + dt.timedelta(days=int(chance.integers(1, 5)))
            date, kind = _next_slot(row, wanted, calendar, today=today, after=tip.received_on)
            outcome = draw_outcome(row, kind, chance)
            team = f"T{int(chance.integers(preset.teams)) + 1}"
            mode = VisitMode.COVERT_VISIT if chance.random() < 0.5 else VisitMode.OPEN_VISIT
            visits.append(DemoVisit(tip.place, date, kind, mode, VisitReason.TIP, outcome, team))
    return visits
