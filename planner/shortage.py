"""Why a slot has fewer teams than wanted, counted on the finished roster."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

from planner.crew import (
    Officer,
    PastShift,
    Shortfall,
    SlotNeed,
    collide,
    is_weekend,
    monday_of,
    worked_weekends,
)
from planner.options import RosterOptions
from planner.workforce import Workforce, Working, is_free


def tell_shortfall(
    index: int,
    officers: Sequence[Officer],
    needs: Sequence[SlotNeed],
    working: Sequence[Working],
    options: RosterOptions,
) -> Shortfall:
    """Return the first limit that, with the rest of the roster as it is, leaves no further team.

    ``no_certified_officers``, ``not_enough_officers``, ``no_department`` (named in the detail) and
    ``no_leader`` hold for all who are not on leave; ``weekly_limit``, ``rest_or_overlap``, ``free_weekend``
    and ``several_limits`` for those whom that limit leaves; ``no_whole_crew`` when the people left suffice
    by each count but make no crew together; ``not_found`` when the search was too short.
    """
    need = needs[index]
    case = _Case(index, officers, needs, working, options)
    limits: tuple[tuple[str, set[str]], ...] = (
        ("", set()),
        ("weekly_limit", case.tired),
        ("rest_or_overlap", case.busy),
        ("free_weekend", case.kept),
        ("weekly_limit_and_rest", case.tired | case.busy),
        ("several_limits", case.tired | case.busy | case.kept),
    )
    detail: dict[str, int | str] = {
        "needed_certified": options.min_certified * case.teams,
        "present": len(case.present),
        "present_certified": sum(officer.certified for officer in case.present),
        "at_weekly_limit": len(case.tired),
        "busy_or_resting": len(case.busy),
        "free_weekend_due": len(case.kept),
    }
    code = "not_found"
    for name, barred in limits:
        lacking = case.lacks(barred)
        if lacking is not None:
            code = name if name and lacking != "no_department" else lacking
            if lacking == "no_department":
                detail["department"] = case.short_department(barred) or ""
            break
    if code == "not_found" and not case.makes_crews():
        code = "no_leader" if options.leader_required and not need.joint else "no_whole_crew"
    return Shortfall(need.slot, need.teams, working[index].teams, code, detail)


class _Case:
    """One slot short of a team: who is present, and whom a limit keeps away."""

    def __init__(
        self,
        index: int,
        officers: Sequence[Officer],
        needs: Sequence[SlotNeed],
        working: Sequence[Working],
        options: RosterOptions,
    ) -> None:
        self.need, self.options = needs[index], options
        self.teams = working[index].teams + 1
        duties: dict[str, list[SlotNeed | PastShift]] = {item.id: list(item.recent) for item in officers}
        for other, (place, item) in zip(needs, enumerate(working), strict=True):
            if place != index:
                for officer in item.members:
                    duties[officer.id].append(other)
        self.present = [item for item in officers if self.need.date not in item.unavailable]
        week = monday_of(self.need.date)
        self.tired = {
            item.id
            for item in self.present
            if sum(monday_of(duty.date) == week for duty in duties[item.id]) >= options.max_week
        }
        self.busy = {
            item.id
            for item in self.present
            if sum(duty.date == self.need.date for duty in duties[item.id]) >= options.max_day
            or any(collide(self.need, duty, min_rest_h=options.min_rest_h) for duty in duties[item.id])
        }
        self.kept = {item.id for item in self.present if self._needs_weekend(duties[item.id])}

    def _needs_weekend(self, duties: Sequence[SlotNeed | PastShift]) -> bool:
        weeks, own = self.options.free_weekend_weeks, monday_of(self.need.date)
        worked = worked_weekends(duties)
        if not weeks or not is_weekend(self.need.date) or own in worked:
            return False
        worked.add(own)
        ends = [own + timedelta(weeks=ahead) for ahead in range(weeks)]
        return any(all(end - timedelta(weeks=back) in worked for back in range(weeks)) for end in ends)

    def _left(self, barred: set[str]) -> list[Officer]:
        return [officer for officer in self.present if officer.id not in barred]

    def short_department(self, barred: set[str]) -> str | None:
        """Return the first department without a member for every team."""
        left = self._left(barred)
        for department in self.need.joint:
            if sum(department in officer.departments for officer in left) < self.teams:
                return department
        return None

    def lacks(self, barred: set[str]) -> str | None:
        """Return what those who are left lack by count for one team more."""
        left, options = self._left(barred), self.options
        if sum(officer.certified for officer in left) < options.min_certified * self.teams:
            return "no_certified_officers"
        if len(left) < options.min_crew * self.teams:
            return "not_enough_officers"
        if self.short_department(barred) is not None:
            return "no_department"
        return None

    def makes_crews(self) -> bool:
        """Return whether those left by every limit can be whole crews, tried by the model itself."""
        free = [
            replace(officer, recent=())
            for officer in self._left(self.tired | self.busy | self.kept)
            if is_free(officer, self.need, options=self.options)
        ]
        need = replace(self.need, teams=self.teams)
        working, _ = Workforce(free, [need], replace(self.options, effort=1.0)).solve()
        return working[0].teams == self.teams
