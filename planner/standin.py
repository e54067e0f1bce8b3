"""Who goes when an officer is absent: the rest of the crew, somebody free, or nobody."""

from __future__ import annotations

import copy
import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from planner.errors import PlannerError
from planner.plan import Plan
from planner.problem import Problem, Shift
from planner.rosterfile import check_staffing
from planner.stored import Stored
from planner.verify import verify


def settle_absence(
    stored: Stored, absent: str, date: dt.date | None, body: dict[str, Any]
) -> tuple[frozenset[str], dict[str, tuple[str, str]], Problem]:
    """Return the shifts lost, who stands in for whom by shift, and the problem with its crews then.

    A crew that is still whole goes on; else somebody free who may go joins it; else the shift is lost. The
    document's crews in `body` are changed in place.

    Raises
    ------
    PlannerError
        `absent_unknown`.
    """
    concerned = [
        shift
        for shift in stored.problem.shifts
        if absent in (shift.team, *shift.members) and (date is None or stored.date_of(shift) == date)
    ]
    if not concerned:
        raise PlannerError(code="absent_unknown", fields={"who": absent, "date": str(date)})
    if any(shift.team == absent for shift in concerned) or "roster" not in body:
        return frozenset(shift.id for shift in concerned), {}, stored.problem
    dates = sorted({stored.date_of(shift).isoformat() for shift in concerned})
    for officer in body["roster"]["officers"]:
        if officer["id"] == absent:
            officer["unavailable"] = sorted({*officer["unavailable"], *dates})
    lost, stand_ins, problem = set(), {}, stored.problem
    for shift in concerned:
        found = _restaff(problem, stored.plan, body, shift, absent)
        if found is None:
            lost.add(shift.id)
            continue
        problem, stand_in = found
        stand_ins[shift.id] = (absent, stand_in)
    if lost:
        # Their crews stay on paper as they were, so the one absent was not on leave when they were drawn.
        kept = {stored.date_of(stored.problem.shift_by_id[shift]).isoformat() for shift in lost}
        for officer in body["roster"]["officers"]:
            if officer["id"] == absent:
                officer["unavailable"] = [day for day in officer["unavailable"] if day not in kept]
    return frozenset(lost), stand_ins, problem


def _restaff(
    problem: Problem, plan: Plan, body: dict[str, Any], shift: Shift, absent: str
) -> tuple[Problem, str] | None:
    """Return the problem with a crew that may go without `absent`, and who joined ("" for nobody)."""
    officers = sorted(
        (
            officer
            for officer in body["roster"]["officers"]
            if not officer["official"] and officer["id"] != absent
        ),
        key=lambda item: (-item["certified"], sum(item["worked"].values()), item["id"]),
    )
    for joining in ["", *(officer["id"] for officer in officers if officer["id"] not in shift.members)]:
        members = tuple(sorted(m for m in (*shift.members, joining) if m and m != absent))
        trial = {name: copy.deepcopy(body[name]) for name in ("roster", "crews")}
        if not members or not _put_crew(trial, shift, members, officers):
            continue
        if not check_staffing(_without(trial["roster"], absent, shift), trial["crews"]).holds:
            continue
        shifts = tuple(replace(s, members=members) if s.id == shift.id else s for s in problem.shifts)
        changed = replace(problem, shifts=shifts)
        if verify(changed, plan).holds:
            body["roster"], body["crews"] = trial["roster"], trial["crews"]
            return changed, joining
    return None


def _without(roster: Mapping[str, Any], absent: str, shift: Shift) -> dict[str, Any]:
    """Return the roster judged for one shift: the absence itself does not count against the others yet."""
    officers = [
        {**officer, "unavailable": []} if officer["id"] == absent else officer
        for officer in roster["officers"]
    ]
    return {**roster, "officers": officers}


def _put_crew(
    body: dict[str, Any], shift: Shift, members: Sequence[str], officers: Sequence[Mapping[str, Any]]
) -> bool:
    """Write a crew into the document; False when nobody in it may lead."""
    lead = {officer["id"]: officer["leader"] or officer["certified"] for officer in officers}
    old = body["crews"][shift.id]["leader"]
    leader = old if old in members else next((m for m in members if lead.get(m)), None)
    if leader is None:
        return False
    body["crews"][shift.id] = {**body["crews"][shift.id], "members": list(members), "leader": leader}
    for crew in body["roster"]["crews"]:
        if f"{crew['slot']}-T{crew['number']}" == shift.id:
            crew["members"], crew["leader"] = list(members), leader
    return True
