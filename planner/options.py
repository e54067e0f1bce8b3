"""Options of a plan, its roster and the solver: frozen and checked on creation."""

from __future__ import annotations

import datetime as dt
import math
from dataclasses import asdict, dataclass, field
from typing import Any

from planner.errors import Fault, OptionsError

ENGINES = ("auto", "improve", "ortools")
"""`auto`: OR-Tools first plan, then ruin and recreate. The other two use one engine alone."""


MAX_DAYS = 62
MOST_CONTROL = 0.5
MOST_HIDDEN = 0.6
"""Hiding 60 % of the slots costs 21 % more travel; nothing beyond was measured."""
DEFAULT_ITERATIONS = 60_000


@dataclass(frozen=True, kw_only=True)
class SearchOptions:
    """Tuning of ruin and recreate.

    Parameters
    ----------
    mean_removed : int
        Mean number of visits removed by one ruin.
    max_string : int
        Longest string removed from one route.
    neighbours : int
        Length of the neighbour list of each visit.
    blink : float
        Chance that a recreate overlooks one route, 0 to 1.
    waiting_sample : int
        Unserved visits that join each recreate.
    bold : float
        Share of ruins that open a new route or clear a whole one, 0 to 1.
    start_temperature, end_temperature : float
        Temperatures of the annealing, in multiples of the mean leg to the nearest visits.

    Raises
    ------
    OptionsError
        When a value is outside its range.
    """

    mean_removed: int = 12
    max_string: int = 10
    neighbours: int = 60
    blink: float = 0.01
    waiting_sample: int = 4
    bold: float = 0.04
    start_temperature: float = 4.0
    end_temperature: float = 0.1

    def __post_init__(self) -> None:
        """Refuse values outside their range, all at once."""
        faults = [
            Fault(name, "too_small", {"least": 1, "value": getattr(self, name)})
            for name in ("mean_removed", "max_string", "neighbours")
            if getattr(self, name) < 1
        ]
        if self.waiting_sample < 0:
            faults.append(Fault("waiting_sample", "too_small", {"least": 0, "value": self.waiting_sample}))
        if not 0 <= self.blink < 1:
            faults.append(Fault("blink", "out_of_range", {"least": 0, "below": 1, "value": self.blink}))
        if not 0 <= self.bold <= 1:
            faults.append(Fault("bold", "out_of_range", {"least": 0, "most": 1, "value": self.bold}))
        if not 0 < self.end_temperature <= self.start_temperature < math.inf:
            faults.append(Fault("end_temperature", "not_falling", {"start": self.start_temperature}))
        if faults:
            raise OptionsError(faults)


@dataclass(frozen=True, kw_only=True)
class SolveOptions:
    """What the solver may use and when it stops.

    Parameters
    ----------
    seed : int
        Seed of every random choice, 0 or more.
    iterations : int or None
        Iterations of the improvement engine, shared by no one: each worker runs that many. With
        `limit_s` None the same inputs and options give the same plan.
    limit_s : float or None
        Wall seconds for the first plan and its improvement; the first one reached of both limits ends it.
    workers : int
        Searches run side by side with different seeds; the best one wins.
    engine : str
        One of `ENGINES`.
    bound : bool
        Also compute a lower bound on the objective.
    search : SearchOptions
        Tuning of ruin and recreate.

    Raises
    ------
    OptionsError
        When a value is outside its range or no limit is given.
    """

    seed: int = 1
    iterations: int | None = None
    limit_s: float | None = None
    workers: int = 1
    engine: str = "auto"
    bound: bool = True
    search: SearchOptions = field(default_factory=SearchOptions)

    def __post_init__(self) -> None:
        """Refuse values outside their range, all at once."""
        faults = []
        if not 0 <= self.seed < 2**63:
            faults.append(Fault("seed", "out_of_range", {"least": 0, "below": 2**63, "value": self.seed}))
        if self.iterations is None and self.limit_s is None:
            faults.append(Fault("iterations", "no_limit"))
        if self.iterations is not None and self.iterations < 0:
            faults.append(Fault("iterations", "too_small", {"least": 0, "value": self.iterations}))
        if self.limit_s is not None and not 0 < self.limit_s < math.inf:
            faults.append(Fault("limit_s", "out_of_range", {"above": 0, "value": self.limit_s}))
        if not 1 <= self.workers <= 256:
            faults.append(Fault("workers", "out_of_range", {"least": 1, "most": 256, "value": self.workers}))
        if self.engine not in ENGINES:
            faults.append(Fault("engine", "unknown_engine", {"known": list(ENGINES), "value": self.engine}))
        if faults:
            raise OptionsError(faults)


@dataclass(frozen=True, kw_only=True)
class RosterOptions:
    """Rules and limits of the roster.

    Parameters
    ----------
    seed : int
        Seed of the solver and of the draw of teams, 0 to 2**31 - 1.
    crew_size : int
        Members wanted in a team; a team may run with fewer, down to `min_crew`.
    min_crew : int
        Fewest members of a team.
    min_certified : int
        Fewest holders of an officer certificate in a team; members without one never count for it.
    leader_required : bool
        Whether a team needs a member who may lead; without it any certified member can be named leader.
    max_week : int
        Most shifts of an officer in an ISO calendar week.
    max_day : int
        Most shifts of an officer on one date.
    min_rest_h : float
        Fewest hours between shifts of an officer on different dates.
    free_weekend_weeks : int
        In so many consecutive ISO weeks, those before the period included, an officer has one weekend
        without a shift on Saturday and Sunday; 0 switches the rule off.
    accompanied : int
        Rounds of the period that an official accompanies.
    effort : float
        Deterministic time of the solver, about seconds; the same effort gives the same roster.

    Raises
    ------
    OptionsError
        When a value is outside its range.
    """

    seed: int = 1
    crew_size: int = 2
    min_crew: int = 2
    min_certified: int = 2
    leader_required: bool = False
    max_week: int = 4
    max_day: int = 2
    min_rest_h: float = 11.0
    free_weekend_weeks: int = 4
    accompanied: int = 0
    effort: float = 4.0

    def __post_init__(self) -> None:
        """Refuse values outside their range, all at once."""
        faults = [
            Fault(name, "too_small", {"least": least, "value": getattr(self, name)})
            for name, least in (
                ("min_crew", 1),
                ("min_certified", 0),
                ("max_week", 1),
                ("max_day", 1),
                ("free_weekend_weeks", 0),
                ("accompanied", 0),
            )
            if getattr(self, name) < least
        ]
        if self.crew_size < max(self.min_crew, self.min_certified):
            least = max(self.min_crew, self.min_certified)
            faults.append(Fault("crew_size", "too_small", {"least": least, "value": self.crew_size}))
        if not 0 <= self.seed < 2**31:
            faults.append(Fault("seed", "out_of_range", {"least": 0, "below": 2**31, "value": self.seed}))
        if not 0 <= self.min_rest_h < 24:
            faults.append(
                Fault("min_rest_h", "out_of_range", {"least": 0, "below": 24, "value": self.min_rest_h})
            )
        if not 0 < self.effort < math.inf:
            faults.append(Fault("effort", "out_of_range", {"above": 0, "value": self.effort}))
        if faults:
            raise OptionsError(faults)


@dataclass(frozen=True, kw_only=True)
class PlanOptions:
    """What a team lead asks for.

    Parameters
    ----------
    first, last : date
        Period, both inclusive.
    round_from : date or None
        First day of the coverage round; visits paid since then are not owed again. None: the period's first.
    teams : int
        Most teams at work in one slot.
    seed, iterations, limit_s, workers
        Of the solver; iterations give the same plan again, a wall limit does not.
    travel : str
        Travel profile (`walk`, `ebike`, `car`).
    depot : tuple of float or None
        Longitude and latitude where shifts start; the district's depot, else the middle of all places.
    joint_departments : tuple of str
        Departments that send a member to every team of a joint slot.
    joint_slots_a_week : int
        Joint slots in each ISO week, evenings first.
    accompanied : int
        Rounds of the period that an official accompanies.
    round : str or None
        Named coverage round; its first day becomes `round_from`.
    draw : str or None
        Code of the draw whose commitment was published; its seed, shares and round are used.
    control_share : float
        Part of the visits that the lot decides instead of the risk, 0 to 0.5.
    thinning : float
        Part of each visit's slots that is hidden so that its time is harder to guess, 0 to 0.6.
    inspection : bool
        Whether debts are paid by inspections, which count against the yearly cap, or by patrols.
    campaign : str or None
        Approved special plan the debts belong to; its inspections are exempt from the cap.

    Raises
    ------
    OptionsError
        With every fault.
    """

    first: dt.date
    last: dt.date
    round_from: dt.date | None = None
    teams: int = 6
    seed: int = 1
    iterations: int | None = DEFAULT_ITERATIONS
    limit_s: float | None = None
    workers: int = 1
    travel: str = "ebike"
    depot: tuple[float, float] | None = None
    joint_departments: tuple[str, ...] = ()
    joint_slots_a_week: int = 0
    accompanied: int = 0
    round: str | None = None
    draw: str | None = None
    control_share: float = 0.1
    thinning: float = 0.2
    inspection: bool = False
    campaign: str | None = None

    def __post_init__(self) -> None:
        """Refuse impossible periods and teams."""
        faults = []
        if self.last < self.first:
            faults.append(
                Fault("last", "period_reversed", {"first": str(self.first), "last": str(self.last)})
            )
        elif (self.last - self.first).days >= MAX_DAYS:
            faults.append(Fault("last", "period_too_long", {"most_days": MAX_DAYS}))
        if self.round_from is not None and self.round_from > self.first:
            faults.append(Fault("round_from", "round_after_period", {"round_from": str(self.round_from)}))
        if not 1 <= self.teams <= 60:
            faults.append(Fault("teams", "out_of_range", {"least": 1, "most": 60, "value": self.teams}))
        for name in ("joint_slots_a_week", "accompanied"):
            if not 0 <= getattr(self, name) <= 100:
                value = getattr(self, name)
                faults.append(Fault(name, "out_of_range", {"least": 0, "most": 100, "value": value}))
        for name, most in (("control_share", MOST_CONTROL), ("thinning", MOST_HIDDEN)):
            if not 0 <= getattr(self, name) <= most:
                value = getattr(self, name)
                faults.append(Fault(name, "out_of_range", {"least": 0, "most": most, "value": value}))
        if self.campaign is not None and not self.campaign.strip():
            faults.append(Fault("campaign", "missing"))
        if self.joint_slots_a_week and not all(self.joint_departments or ("",)):
            faults.append(Fault("joint_departments", "no_departments", {}))
        if faults:
            raise OptionsError(faults)

    def as_json(self) -> dict[str, Any]:
        """Return the options as plain values."""
        return {
            name: value.isoformat() if isinstance(value, dt.date) else value
            for name, value in asdict(self).items()
        }
