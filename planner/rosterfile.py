"""A roster's part of a plan's document: what the independent checker needs to judge the crews again."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import asdict, fields
from typing import Any

from planner.crew import Crew, Officer, PastShift, Roster, Shortfall, SlotNeed
from planner.options import RosterOptions
from planner.staffing import Staffing
from planner.verify import Report, Violation
from planner.verify_roster import verify_roster


def describe_staffing(staffing: Staffing) -> dict[str, Any]:
    """Return officers (codes and dates only), needs, rules, crews and shortfalls as plain values."""
    roster = staffing.roster
    return {
        "officers": [_describe_officer(officer) for officer in staffing.officers],
        "needs": [
            {
                "slot": need.slot,
                "date": need.date.isoformat(),
                "kind": need.kind,
                "start_s": need.start_s,
                "end_s": need.end_s,
                "teams": need.teams,
                "joint": list(need.joint),
            }
            for need in staffing.needs
        ],
        "options": asdict(staffing.options),
        "crews": [
            {
                "slot": crew.slot,
                "number": crew.number,
                "members": list(crew.members),
                "leader": crew.leader,
                "official": crew.official,
            }
            for crew in roster.crews
        ],
        "shortfalls": [
            {"slot": s.slot, "wanted": s.wanted, "crewed": s.crewed, "code": s.code, "detail": dict(s.detail)}
            for s in roster.shortfalls
        ],
    }


def _describe_officer(officer: Officer) -> dict[str, Any]:
    return {
        "id": officer.id,
        "certified": officer.certified,
        "leader": officer.leader,
        "departments": list(officer.departments),
        "unavailable": sorted(day.isoformat() for day in officer.unavailable),
        "worked": dict(officer.worked),
        "excused": dict(officer.excused),
        "recent": [[shift.date.isoformat(), shift.start_s, shift.end_s] for shift in officer.recent],
        "official": officer.official,
    }


def check_staffing(part: Mapping[str, Any], crews: Mapping[str, Mapping[str, Any]]) -> Report:
    """Check the crews of a document's roster by every rule it was made under.

    Parameters
    ----------
    part
        What `describe_staffing` returned, read back from JSON.
    crews
        The document's crews by shift, which the stored rows are compared with; both must agree.
    """
    roster = Roster(
        tuple(
            Crew(item["slot"], item["number"], tuple(item["members"]), item["leader"], item["official"])
            for item in part["crews"]
        ),
        tuple(Shortfall(**item) for item in part["shortfalls"]),
        {},
        0,
    )
    report = verify_roster(
        [_read_officer(item) for item in part["officers"]],
        [_read_need(item) for item in part["needs"]],
        roster,
        options=_read_rules(part["options"]),
    )
    told = {f"{c.slot}-T{c.number}": (list(c.members), c.leader) for c in roster.crews}
    if told != {shift: (crew["members"], crew["leader"]) for shift, crew in crews.items()}:
        differing = Violation("crews_differ", {"crews": len(told), "shifts": len(crews)})
        report = Report((*report.violations, differing), report.warnings, report.measures)
    return report


def _read_rules(item: Mapping[str, Any]) -> RosterOptions:
    # A rule that came later had no say when the document was made; one that is gone has none now.
    known = {entry.name for entry in fields(RosterOptions)}
    return RosterOptions(**{name: value for name, value in item.items() if name in known})


def _read_officer(item: Mapping[str, Any]) -> Officer:
    return Officer(
        id=item["id"],
        certified=item["certified"],
        leader=item["leader"],
        departments=tuple(item["departments"]),
        unavailable=frozenset(dt.date.fromisoformat(day) for day in item["unavailable"]),
        worked=item["worked"],
        excused=item["excused"],
        recent=_read_recent(item["recent"]),
        official=item["official"],
    )


def _read_recent(rows: Sequence[Sequence[Any]]) -> tuple[PastShift, ...]:
    return tuple(PastShift(dt.date.fromisoformat(day), start_s, end_s) for day, start_s, end_s in rows)


def _read_need(item: Mapping[str, Any]) -> SlotNeed:
    return SlotNeed(
        item["slot"],
        dt.date.fromisoformat(item["date"]),
        item["kind"],
        item["start_s"],
        item["end_s"],
        item["teams"],
        tuple(item["joint"]),
    )
