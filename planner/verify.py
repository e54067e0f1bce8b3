"""Independent checker of every hard rule: reads only a problem and a plan, no code of the engines."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from planner.plan import Plan, Route
from planner.problem import Problem, Shift, Visit


@dataclass(frozen=True)
class Violation:
    """A broken rule (or a warning): its code and the values a message needs."""

    code: str
    fields: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True)
class Report:
    """What the checker found.

    `violations` are broken hard rules, `warnings` things to know, `measures` figures of the plan that
    the checker counted itself.
    """

    violations: tuple[Violation, ...]
    warnings: tuple[Violation, ...]
    measures: Mapping[str, int | float]

    @property
    def holds(self) -> bool:
        """Whether every hard rule holds."""
        return not self.violations


class _Checker:
    """Walks through a plan and notes every broken rule."""

    def __init__(self, problem: Problem, plan: Plan) -> None:
        self.problem = problem
        self.plan = plan
        self.broken: list[Violation] = []
        self.visits = {visit.id: visit for visit in problem.visits}
        self.shifts = {shift.id: shift for shift in problem.shifts}
        self.places = {site.id: site.location for site in problem.sites}
        self.depots = {depot.id: depot.location for depot in problem.depots}
        self.barred = {site.id: set(site.barred) for site in problem.sites}
        self.served: dict[str, Shift] = {}
        self.travel_s = 0
        self.wait_s = 0
        self.service_s = 0

    def note(self, code: str, **fields: object) -> None:
        self.broken.append(Violation(code, fields))

    def check_route(self, route: Route) -> None:
        shift = self.shifts.get(route.shift)
        if shift is None:
            self.note("unknown_shift", shift=route.shift)
            return
        here = self.depots[shift.depot]
        clock, load, known = shift.start_s, 0, 0
        for stop in route.stops:
            visit = self.visits.get(stop.visit)
            if visit is None:
                self.note("unknown_visit", visit=stop.visit, shift=shift.id)
                continue
            known += 1
            load += visit.demand
            there = self.places[visit.site]
            if known == len(shift.fixed) + 1:
                clock = max(clock, shift.ready_s)
            step = self.problem.leg_s(here, there)
            self.check_crew(shift, visit)
            self.check_times(shift, visit, stop.arrive_s, stop.start_s, stop.leave_s, due_s=clock + step)
            self.travel_s += step
            self.wait_s += stop.start_s - stop.arrive_s
            self.service_s += visit.service_s
            here, clock = there, stop.leave_s
            if visit.id in self.served:
                self.note("visited_twice", visit=visit.id, shifts=[self.served[visit.id].id, shift.id])
            self.served[visit.id] = shift
        if known:
            home = self.problem.leg_s(here, self.depots[shift.depot])
            self.travel_s += home
            if clock + home > shift.end_s:
                self.note("shift_end", shift=shift.id, back_s=clock + home, end_s=shift.end_s)
        self.check_locks(shift, tuple(stop.visit for stop in route.stops))
        if shift.capacity is not None and load > shift.capacity:
            self.note("capacity", shift=shift.id, load=load, capacity=shift.capacity)
        if shift.max_stops is not None and known > shift.max_stops:
            self.note("max_stops", shift=shift.id, stops=known, max_stops=shift.max_stops)

    def check_crew(self, shift: Shift, visit: Visit) -> None:
        about: dict[str, object] = {"visit": visit.id, "shift": shift.id}
        if visit.pin not in (None, shift.id):
            self.note("pin", **about, pin=visit.pin)
        # What a fixed route begins with was decided by people, or is done already.
        if visit.id in shift.fixed:
            return
        lacking = [skill for skill in visit.skills if skill not in shift.skills]
        if lacking:
            self.note("skills", **about, lacking=lacking)
        if met := sorted(self.barred[visit.site].intersection(shift.members)):
            self.note("recusal", **about, members=met)

    def check_locks(self, shift: Shift, stops: tuple[str, ...]) -> None:
        if stops[: len(shift.fixed)] != shift.fixed:
            self.note("fixed", shift=shift.id, fixed=list(shift.fixed))
        elif shift.closed and len(stops) > len(shift.fixed):
            self.note("closed", shift=shift.id, added=list(stops[len(shift.fixed) :]))

    def check_rotation(self) -> None:
        if not self.problem.rotate:
            return
        met: dict[tuple[str, str], list[str]] = {}
        for visit in self.problem.visits:
            for member in self.served[visit.id].members if visit.id in self.served else ():
                met.setdefault((visit.site, member), []).append(visit.id)
        for (site, member), visits in met.items():
            if len(visits) > 1:
                self.note("met", site=site, member=member, visits=visits)

    def check_caps(self) -> None:
        counted: dict[str, list[str]] = {}
        for visit in self.problem.visits:
            if visit.cap is not None and visit.id in self.served:
                counted.setdefault(visit.cap, []).append(visit.id)
        for cap in self.problem.caps:
            if len(counted.get(cap.id, ())) > cap.most:
                self.note("cap", cap=cap.id, most=cap.most, visits=counted[cap.id])

    def check_times(
        self, shift: Shift, visit: Visit, arrive_s: int, start_s: int, leave_s: int, *, due_s: int
    ) -> None:
        about: dict[str, object] = {"visit": visit.id, "shift": shift.id}
        if arrive_s < due_s:
            code = "shift_start" if arrive_s < shift.start_s else "travel_time"
            self.note(code, **about, arrive_s=arrive_s, due_s=due_s)
        elif arrive_s > due_s:
            self.note("late_arrival_unexplained", **about, arrive_s=arrive_s, due_s=due_s)
        if start_s < arrive_s:
            self.note("start_before_arrival", **about, arrive_s=arrive_s, start_s=start_s)
        if leave_s != start_s + visit.service_s:
            self.note("service_time", **about, start_s=start_s, leave_s=leave_s, service_s=visit.service_s)
        allowed = [window for window in visit.windows if window.slot == shift.slot]
        if not allowed:
            self.note("slot", **about, slot=shift.slot)
        for window in allowed:
            if not window.open_s <= start_s <= window.close_s:
                self.note("window", **about, start_s=start_s, open_s=window.open_s, close_s=window.close_s)

    def check_gaps(self) -> None:
        by_site: dict[str, list[str]] = {}
        for visit in self.problem.visits:
            if visit.id in self.served:
                by_site.setdefault(visit.site, []).append(visit.id)
        for site in self.problem.sites:
            ids = by_site.get(site.id, [])
            for number, one in enumerate(ids):
                for other in ids[number + 1 :]:
                    days = abs(self.served[one].day - self.served[other].day)
                    if days < site.min_gap_days:
                        fields = {"site": site.id, "visits": [one, other], "days": days}
                        self.note("gap_days", **fields, min_gap_days=site.min_gap_days)

    def check_lists(self) -> None:
        used: set[str] = set()
        for route in self.plan.routes:
            if route.shift in used:
                self.note("two_routes", shift=route.shift)
            used.add(route.shift)
        for shift in self.problem.shifts:
            if shift.fixed and shift.id not in used:
                self.note("fixed", shift=shift.id, fixed=list(shift.fixed))
        listed: set[str] = set()
        for left in self.plan.unserved:
            if left.visit not in self.visits:
                self.note("unserved_unknown", visit=left.visit)
            elif left.visit in self.served:
                self.note("unserved_but_served", visit=left.visit, shift=self.served[left.visit].id)
            if left.visit in listed:
                self.note("unserved_twice", visit=left.visit)
            listed.add(left.visit)
        for visit in self.problem.visits:
            if visit.id not in self.served and visit.id not in listed:
                self.note("unserved_missing", visit=visit.id)

    def count_uncollected(self) -> int:
        total = 0
        for visit in self.problem.visits:
            if visit.id not in self.served:
                total += visit.prize + (1_000_000 if visit.mandatory else 0)
        before = {site.id for site in self.problem.sites if site.seen}
        owing = {visit.site for visit in self.problem.visits} - before
        seen = {self.visits[visit_id].site for visit_id in self.served}
        return total + self.problem.first_visit_prize * len(owing - seen)

    def check_objective(self, uncollected: int) -> None:
        objective = self.plan.objective
        for name, stated, counted in (
            ("uncollected_prize", objective.uncollected_prize, uncollected),
            ("travel_s", objective.travel_s, self.travel_s),
        ):
            if stated != counted:
                self.note("objective", name=name, stated=stated, counted=counted)
        if self.plan.bound is not None and self.plan.bound > uncollected + self.travel_s:
            self.note("bound", stated=self.plan.bound, counted=uncollected + self.travel_s)

    def list_warnings(self) -> tuple[Violation, ...]:
        reasons = {left.visit: left.code for left in self.plan.unserved}
        warnings = [
            Violation(
                "mandatory_unserved", {"visit": visit.id, "site": visit.site, "reason": reasons.get(visit.id)}
            )
            for visit in self.problem.visits
            if visit.mandatory and visit.id not in self.served
        ]
        warnings += [
            Violation("pin_unserved", {"visit": visit.id, "shift": visit.pin})
            for visit in self.problem.visits
            if visit.pin is not None and visit.id not in self.served
        ]
        staffed = {shift.slot for shift in self.problem.shifts}
        named = {window.slot for visit in self.problem.visits for window in visit.windows}
        if named - staffed:
            warnings.append(Violation("slots_without_shift", {"slots": sorted(named - staffed)}))
        return tuple(warnings)

    def measure(self, uncollected: int) -> dict[str, int | float]:
        visits = self.problem.visits
        sites = {visit.site for visit in visits}
        seen = {self.visits[visit_id].site for visit_id in self.served}
        prize = sum(visit.prize for visit in visits)
        collected = sum(self.visits[visit_id].prize for visit_id in self.served)
        total = uncollected + self.travel_s
        measures: dict[str, int | float] = {
            "visits": len(visits),
            "served": len(self.served),
            "unserved": len(visits) - len(self.served),
            "mandatory": sum(visit.mandatory for visit in visits),
            "mandatory_served": sum(self.visits[visit_id].mandatory for visit_id in self.served),
            "sites": len(sites),
            "sites_covered": len(seen),
            "site_coverage": round(len(seen) / len(sites), 6) if sites else 1.0,
            "prize": prize,
            "prize_collected": collected,
            "prize_share": round(collected / prize, 6) if prize else 1.0,
            "shifts": len(self.problem.shifts),
            "shifts_used": sum(bool(route.stops) for route in self.plan.routes),
            "service_s": self.service_s,
            "wait_s": self.wait_s,
            "travel_s": self.travel_s,
            "uncollected_prize": uncollected,
            "objective": total,
        }
        if self.plan.bound is not None:
            measures["bound"] = self.plan.bound
            measures["gap"] = round((total - self.plan.bound) / total, 6) if total else 0.0
        return measures


def verify(problem: Problem, plan: Plan) -> Report:
    """Check every hard rule of `plan` against `problem` and measure the plan.

    Unknown shifts and visits are broken rules, not errors; figures then cover the known part.
    """
    checker = _Checker(problem, plan)
    for route in plan.routes:
        checker.check_route(route)
    checker.check_gaps()
    checker.check_caps()
    checker.check_rotation()
    checker.check_lists()
    uncollected = checker.count_uncollected()
    checker.check_objective(uncollected)
    return Report(tuple(checker.broken), checker.list_warnings(), checker.measure(uncollected))
