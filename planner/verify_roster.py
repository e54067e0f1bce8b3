"""Independent checker of every hard rule of a roster: reads only the facts and the roster."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime, time, timedelta

from planner.crew import Crew, Officer, PastShift, Roster, SlotNeed
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
        known = [self.officers[member] for member in crew.members if member in self.officers]
        for member in crew.members:
            if member not in self.officers:
                self.note("unknown_officer", officer=member, slot=crew.slot)
        for officer in known:
            if need.date in officer.unavailable:
                self.note("unavailable", officer=officer.id, slot=crew.slot, date=need.date.isoformat())
            self.duties.setdefault(officer.id, []).append(need)
        self.check_size(crew, need, known)
        self.check_leader(crew, known)
        for department in need.joint:
            if not any(department in item.departments for item in known if not item.official):
                self.note("department_missing", slot=crew.slot, crew=crew.number, department=department)

    def check_size(self, crew: Crew, need: SlotNeed, known: Sequence[Officer]) -> None:
        # Officials are guests of a team: they fill no seat and bring no certificate that counts.
        officials = [officer.id for officer in known if officer.official]
        size, certified = len(crew.members) - len(officials), 0
        for officer in known:
            certified += officer.certified and not officer.official
        about = {"slot": crew.slot, "crew": crew.number}
        most = self.options.crew_size + len(need.joint)
        if size < self.options.min_crew:
            self.note("crew_too_small", **about, members=size, least=self.options.min_crew)
        if size > most:
            self.note("crew_too_large", **about, members=size, most=most)
        if certified < self.options.min_certified:
            self.note("too_few_certified", **about, certified=certified, least=self.options.min_certified)
        if officials != ([] if crew.official is None else [crew.official]):
            self.note("officials", **about, officials=officials, named=crew.official)

    def check_leader(self, crew: Crew, known: Sequence[Officer]) -> None:
        about = {"slot": crew.slot, "crew": crew.number, "leader": crew.leader}
        if crew.leader not in crew.members:
            self.note("leader_not_member", **about)
            return
        named = [officer for officer in known if officer.id == crew.leader]
        if any(officer.official for officer in named):
            self.note("leader_is_official", **about)
        elif self.options.leader_required and not any(officer.leader for officer in named):
            self.note("leader_not_able", **about)

    def check_person(self, officer: str, duties: Sequence[SlotNeed]) -> None:
        recent = self.officers[officer].recent
        weeks: dict[str, int] = {}
        days: dict[str, int] = {}
        for duty in duties:
            weeks[_week(duty.date)] = weeks.get(_week(duty.date), 0) + 1
            days[duty.date.isoformat()] = days.get(duty.date.isoformat(), 0) + 1
        for name, count in weeks.items():
            total = count + sum(_week(shift.date) == name for shift in recent)
            if total > self.options.max_week:
                self.note(
                    "weekly_limit", officer=officer, week=name, shifts=total, most=self.options.max_week
                )
        for name, count in days.items():
            if count > self.options.max_day:
                self.note("daily_limit", officer=officer, date=name, shifts=count, most=self.options.max_day)
        for number, one in enumerate(duties):
            for other in duties[number + 1 :]:
                if one.slot == other.slot:
                    self.note("twice_in_slot", officer=officer, slot=one.slot)
                else:
                    self.check_pair(officer, one, other, [one.slot, other.slot])
            for shift in recent:
                self.check_pair(officer, shift, one, [shift.date.isoformat(), one.slot])
        self.check_weekends(officer, recent, duties)

    def check_weekends(self, officer: str, recent: Sequence[PastShift], duties: Sequence[SlotNeed]) -> None:
        """Note every run of weeks without a free weekend, unless it was so before the period."""
        weeks = self.options.free_weekend_weeks
        past = {_monday(shift.date) for shift in recent if shift.date.isoweekday() in (6, 7)}
        own = {_monday(duty.date) for duty in duties if duty.date.isoweekday() in (6, 7)} - past
        for first in sorted(past | own):
            run = {first + timedelta(days=7 * week) for week in range(weeks)}
            if run <= past | own and run & own:
                self.note("free_weekend", officer=officer, first=first.isoformat(), weeks=weeks)

    def check_pair(
        self, officer: str, one: SlotNeed | PastShift, other: SlotNeed | PastShift, slots: list[str]
    ) -> None:
        (start_one, end_one), (start_other, end_other) = _span(one), _span(other)
        if start_one < end_other and start_other < end_one:
            self.note("overlap", officer=officer, slots=slots)
        elif one.date != other.date:
            rest = max(start_one - end_other, start_other - end_one)
            if rest < timedelta(hours=self.options.min_rest_h):
                hours = round(rest.total_seconds() / 3600, 2)
                self.note("rest", officer=officer, slots=slots, rest_h=hours, least_h=self.options.min_rest_h)

    def check_counts(self, roster: Roster) -> None:
        self.check_rounds(roster)
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

    def check_rounds(self, roster: Roster) -> None:
        rounds, wanted = sum(crew.official is not None for crew in roster.crews), self.options.accompanied
        told = [item.crewed for item in roster.shortfalls if item.code == "no_official"]
        if rounds > wanted:
            self.note("too_many_rounds", rounds=rounds, wanted=wanted)
        elif told != ([rounds] if rounds < wanted else []):
            self.note("rounds_not_told", rounds=rounds, wanted=wanted)


def _monday(day: date) -> date:
    return day - timedelta(days=day.isoweekday() - 1)


def _week(day: date) -> str:
    year, week, _ = day.isocalendar()
    return f"{year}-W{week:02d}"


def _span(need: SlotNeed | PastShift) -> tuple[datetime, datetime]:
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
    loads = [len(duties.get(officer.id, ())) for officer in officers if not officer.official]
    return {
        "officers": len(loads),
        "rounds": sum(crew.official is not None for crew in roster.crews),
        "slots": len(needs),
        "teams_wanted": sum(need.teams for need in needs),
        "teams_crewed": len(roster.crews),
        "seats": sum(loads),
        "most_shifts": max(loads, default=0),
        "least_shifts": min(loads, default=0),
        "pairs": len(pairs),
        "pairs_repeated": sum(count > 1 for count in pairs.values()),
    }
