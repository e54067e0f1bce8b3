"""Independent checker of every hard rule of a roster: reads only the facts and the roster."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, time, timedelta

from planner.crew import Crew, Officer, Roster, SlotNeed
from planner.options import RosterOptions
from planner.verify import Report, Violation


class _Checker:
    """Walks through a roster and notes every broken rule."""

    def __init__(
        self, officers: Sequence[Officer], needs: Sequence[SlotNeed], options: RosterOptions
    ) -> None:
        self.officers = {officer.id: officer for officer in officers}
        self.needs = {need.slot: need for need in needs}
        self.options = options
        self.broken: list[Violation] = []
        self.duties: dict[str, list[SlotNeed]] = {}

    def note(self, code: str, **fields: object) -> None:
        self.broken.append(Violation(code, fields))

    def check_crew(self, crew: Crew) -> None:
        need = self.needs.get(crew.slot)
        if need is None:
            self.note("unknown_slot", slot=crew.slot)
            return
        certified, able = 0, False
        for member in crew.members:
            officer = self.officers.get(member)
            if officer is None:
                self.note("unknown_officer", officer=member, slot=crew.slot)
                continue
            certified += officer.certified
            able = able or officer.leader
            if need.date in officer.unavailable:
                self.note("unavailable", officer=member, slot=crew.slot, date=need.date.isoformat())
            self.duties.setdefault(member, []).append(need)
        about = {"slot": crew.slot, "crew": crew.number}
        if len(crew.members) < self.options.min_crew:
            self.note("crew_too_small", **about, members=len(crew.members), least=self.options.min_crew)
        if len(crew.members) > self.options.crew_size:
            self.note("crew_too_large", **about, members=len(crew.members), most=self.options.crew_size)
        if certified < self.options.min_certified:
            self.note("too_few_certified", **about, certified=certified, least=self.options.min_certified)
        if crew.leader not in crew.members:
            self.note("leader_not_member", **about, leader=crew.leader)
        elif self.options.leader_required and not (able and self.officers[crew.leader].leader):
            self.note("leader_not_able", **about, leader=crew.leader)

    def check_person(self, officer: str, duties: Sequence[SlotNeed]) -> None:
        weeks: dict[str, int] = {}
        days: dict[str, int] = {}
        for duty in duties:
            year, week, _ = duty.date.isocalendar()
            weeks[f"{year}-W{week:02d}"] = weeks.get(f"{year}-W{week:02d}", 0) + 1
            days[duty.date.isoformat()] = days.get(duty.date.isoformat(), 0) + 1
        for name, count in weeks.items():
            if count > self.options.max_week:
                self.note(
                    "weekly_limit", officer=officer, week=name, shifts=count, most=self.options.max_week
                )
        for name, count in days.items():
            if count > self.options.max_day:
                self.note("daily_limit", officer=officer, date=name, shifts=count, most=self.options.max_day)
        for number, one in enumerate(duties):
            for other in duties[number + 1 :]:
                self.check_pair(officer, one, other)

    def check_pair(self, officer: str, one: SlotNeed, other: SlotNeed) -> None:
        slots = [one.slot, other.slot]
        if one.slot == other.slot:
            self.note("twice_in_slot", officer=officer, slot=one.slot)
            return
        (start_one, end_one), (start_other, end_other) = _span(one), _span(other)
        if start_one < end_other and start_other < end_one:
            self.note("overlap", officer=officer, slots=slots)
        elif one.date != other.date:
            rest = max(start_one - end_other, start_other - end_one)
            if rest < timedelta(hours=self.options.min_rest_h):
                hours = round(rest.total_seconds() / 3600, 2)
                self.note("rest", officer=officer, slots=slots, rest_h=hours, least_h=self.options.min_rest_h)

    def check_counts(self, roster: Roster) -> None:
        short = {shortfall.slot: shortfall for shortfall in roster.shortfalls}
        for slot, need in self.needs.items():
            numbers = [crew.number for crew in roster.crews if crew.slot == slot]
            if sorted(numbers) != list(range(1, len(numbers) + 1)):
                self.note("crew_numbers", slot=slot, numbers=sorted(numbers))
            if len(numbers) > need.teams:
                self.note("too_many_crews", slot=slot, crews=len(numbers), wanted=need.teams)
            told = short.get(slot)
            if (told is not None) != (len(numbers) < need.teams) or (told and told.crewed != len(numbers)):
                self.note("shortfall", slot=slot, crews=len(numbers), wanted=need.teams)


def _span(need: SlotNeed) -> tuple[datetime, datetime]:
    midnight = datetime.combine(need.date, time())
    return midnight + timedelta(seconds=need.start_s), midnight + timedelta(seconds=need.end_s)


def verify_roster(
    officers: Sequence[Officer], needs: Sequence[SlotNeed], roster: Roster, *, options: RosterOptions
) -> Report:
    """Check every hard rule of `roster` and measure it; a shortfall is a warning."""
    checker = _Checker(officers, needs, options)
    for crew in roster.crews:
        checker.check_crew(crew)
    for officer, duties in checker.duties.items():
        checker.check_person(officer, duties)
    checker.check_counts(roster)
    warnings = tuple(
        Violation(
            "shortfall",
            {"slot": item.slot, "wanted": item.wanted, "crewed": item.crewed, "reason": item.code},
        )
        for item in roster.shortfalls
    )
    return Report(tuple(checker.broken), warnings, _measure(officers, needs, roster, checker.duties))


def _measure(
    officers: Sequence[Officer],
    needs: Sequence[SlotNeed],
    roster: Roster,
    duties: Mapping[str, Sequence[SlotNeed]],
) -> dict[str, int | float]:
    pairs: dict[tuple[str, str], int] = {}
    for crew in roster.crews:
        for one in crew.members:
            for other in crew.members:
                if one < other:
                    pairs[one, other] = pairs.get((one, other), 0) + 1
    loads = [len(duties.get(officer.id, ())) for officer in officers]
    return {
        "officers": len(officers),
        "slots": len(needs),
        "teams_wanted": sum(need.teams for need in needs),
        "teams_crewed": len(roster.crews),
        "seats": sum(loads),
        "most_shifts": max(loads, default=0),
        "least_shifts": min(loads, default=0),
        "pairs": len(pairs),
        "pairs_repeated": sum(count > 1 for count in pairs.values()),
    }
