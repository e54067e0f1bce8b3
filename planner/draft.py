"""STEP: plan a period from the register and store the result as a draft."""

from __future__ import annotations

import datetime as dt
from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from itertools import accumulate

from sqlalchemy.orm import Session

from data.store import Store
from data.terms import VisitReason
from planner.desk import Desk, build_desk, with_crews
from planner.errors import BrokenPlanError, PlannerError
from planner.legs import draw_tracks
from planner.lottery import settle_draw
from planner.objections import newest_publication
from planner.officials import reseat
from planner.options import PlanOptions, SolveOptions
from planner.plan import Plan
from planner.problem import Problem, Visit
from planner.revision import PlanResult, store_draft, summarise
from planner.rounds import find_round
from planner.solve import solve
from planner.verify import verify

MOST_RETRIES = 3
# Where there is room that the search did not find, another shift finds it sooner than another search.
WANTS_ROOM = ("no_room", "no_window", "improvable")
# The solver's part of the whole progress.
SOLVING_FROM, SOLVING_SIZE = 0.15, 0.75

# Beyond this the share of drawn visits is put right by another attempt; whole visits are the rest.
SHARE_SLACK = 0.01

Report = Callable[[float, str], None]
Attempt = tuple[Desk, Plan]


@dataclass(frozen=True)
class _Ask:
    """What an attempt asks of the desk beyond the options: see `build_desk`."""

    extra: Mapping[str, int] = field(default_factory=dict)
    whole: frozenset[str] = frozenset()
    count: int | None = None


def make_plan(
    store: Store,
    *,
    options: PlanOptions,
    actor: str,
    now: dt.datetime,
    today: dt.date,
    progress: Report | None = None,
    cancel: Callable[[], bool] | None = None,
) -> PlanResult:
    """Plan a period and store the result as a draft; nothing is stored when anything fails.

    The register is read in one transaction, the solver runs without any, the draft is written in another.

    Raises
    ------
    PlannerError
        `period_in_past`, `no_institutions`, `no_certified_officers`, `cancelled`, the refusals of a draw or a
        round, or the solver's.
    """
    report = progress or (lambda share, stage: None)
    if options.first < today:
        raise PlannerError(code="period_in_past", fields={"first": str(options.first), "today": str(today)})
    report(0.02, "reading")
    with store.reading() as session:
        options, committed = settle_draw(session, options)
        options = _settle_round(session, options)
        seen = newest_publication(session)

    def attempt(ask: _Ask, number: int) -> Attempt:
        with store.reading() as session:
            desk = build_desk(
                session,
                options=options,
                extra=ask.extra,
                whole=ask.whole,
                committed=committed,
                count=ask.count,
            )
        return desk, _solve(desk.problem, options, _part(report, number), cancel)

    desk, plan = _search(attempt, most=options.teams)
    desk = _seat_officials(desk, plan)
    report(0.92, "checking")
    checked = verify(desk.problem, plan)
    if not checked.holds:
        raise BrokenPlanError(fields={"violations": [v.code for v in checked.violations]})
    # The ceilings take seconds in a large district: they are not reckoned while other writers wait.
    figures = summarise(desk, plan)
    tracks = draw_tracks(desk.legs, _stops_of(desk, plan))
    report(0.95, "storing")
    with store.begin(actor=actor, now=now) as session:
        result = store_draft(
            session,
            desk,
            plan,
            options=options,
            figures=figures,
            tracks=tracks,
            actor=actor,
            now=now,
            seen=seen,
        )
    report(1.0, "done")
    return result


def _stops_of(desk: Desk, plan: Plan) -> dict[str, list[tuple[float, float]]]:
    """Return the points of each route in driving order, by shift."""
    places = {
        route.shift: [desk.places[desk.wants[stop.visit].institution_id] for stop in route.stops]
        for route in plan.routes
    }
    return {shift: [(place.lon, place.lat) for place in stops] for shift, stops in places.items()}


def _search(attempt: Callable[[_Ask, int], Attempt], *, most: int) -> Attempt:
    """Return the best of a few attempts.

    The workload is an estimate: where duties or places stay out for want of room, open a shift and retry;
    what stays out gets its hidden slots back. Where days or teams are short, fewer visits are drawn at last.
    """
    ask = kept = _Ask()
    best = latest = attempt(ask, 0)
    for number in range(1, MOST_RETRIES + 1):
        more, hidden = _missing_teams(*latest, most=most), _short_of_slots(*latest) - ask.whole
        if not more and not hidden:
            break
        extra = {slot: ask.extra.get(slot, 0) + more.get(slot, 0) for slot in ask.extra.keys() | more.keys()}
        ask = _Ask(extra, ask.whole | hidden)
        latest = attempt(ask, number)
        if _left_out(*latest) < _left_out(*best):
            best, kept = latest, ask
    if _miss(*best) > SHARE_SLACK:
        latest = attempt(replace(kept, count=_fit_count(*best)), MOST_RETRIES + 1)
        if _left_out(*latest) <= _left_out(*best) and _miss(*latest) < _miss(*best):
            best = latest
    return best


def _miss(desk: Desk, plan: Plan) -> float:
    """Return how far the share of drawn visits among those served is from its setting."""
    reasons = [desk.wants[stop.visit].reason for route in plan.routes for stop in route.stops]
    if not reasons or len(desk.control.drawn) == len(desk.control.pool):
        return 0.0
    return abs(reasons.count(VisitReason.RANDOM) / len(reasons) - desk.control.share)


def _fit_count(desk: Desk, plan: Plan) -> int:
    """Return how many lots of this plan's draw give the share of what it serves, the lowest first."""
    control = desk.control
    served = {stop.visit for route in plan.routes for stop in route.stops}
    wanted = round(control.share * len(served))
    reached = list(accumulate(visit in served for visit in control.drawn))
    if not reached or not reached[-1]:
        return wanted
    if wanted > reached[-1]:
        return round(len(reached) * wanted / reached[-1])
    return bisect_left(reached, wanted) + 1 if wanted else 0


def _settle_round(session: Session, options: PlanOptions) -> PlanOptions:
    """Return the options with the dates of their named round."""
    if options.round is None:
        return options
    found = find_round(session, options.round, first=options.first, last=options.last)
    if options.round_from not in (None, found.first):
        fields: dict[str, object] = {
            "round": options.round,
            "first": str(found.first),
            "last": str(found.last),
        }
        raise PlannerError(code="outside_round", fields=fields)
    return replace(options, round=found.name.value, round_from=found.first)


def _part(report: Report, attempt: int) -> Report:
    """Return a report for one attempt: each takes half of what is left, so that progress never falls."""
    first, size = SOLVING_FROM + SOLVING_SIZE * (1 - 0.5**attempt), SOLVING_SIZE * 0.5 ** (attempt + 1)
    return lambda share, stage: report(first + size * share, stage)


def _solve(problem: Problem, options: PlanOptions, report: Report, cancel: Callable[[], bool] | None) -> Plan:
    report(0.0, "solving")
    plan = solve(
        problem,
        options=SolveOptions(
            seed=options.seed, iterations=options.iterations, limit_s=options.limit_s, workers=options.workers
        ),
        progress=lambda step: report(min(step.share, 1.0), "solving"),
        cancel=cancel,
    )
    if cancel is not None and cancel():
        raise PlannerError(code="cancelled")
    return plan


def _seat_officials(desk: Desk, plan: Plan) -> Desk:
    """Return the desk with no official in a team that was given no stop, where another can take the round."""
    sites = {
        route.shift: [desk.problem.site_by_id[desk.wants[stop.visit].visit.site] for stop in route.stops]
        for route in plan.routes
        if route.stops
    }
    at_work = {desk.crews[shift]: places for shift, places in sites.items()}
    crews = reseat(
        desk.roster.crews,
        at_work,
        may_join=lambda crew, official: not any(official in site.barred for site in at_work[crew]),
    )
    return with_crews(desk, crews) if crews != list(desk.roster.crews) else desk


def _crowded_out(desk: Desk, plan: Plan) -> list[Visit]:
    """Return the visits that lack a shift or room: duties, and those of places not seen at all."""
    seen = {desk.wants[stop.visit].visit.site for route in plan.routes for stop in route.stops}
    seen |= {site.id for site in desk.problem.sites if site.seen}
    absent = [desk.wants[item.visit].visit for item in plan.unserved if item.code in WANTS_ROOM]
    return [visit for visit in absent if visit.mandatory or visit.site not in seen]


def _short_of_slots(desk: Desk, plan: Plan) -> frozenset[str]:
    """Return the sites with hidden slots of which a duty stays out, or which nobody would see."""
    served = {stop.visit for route in plan.routes for stop in route.stops}
    seen = {desk.wants[visit].visit.site for visit in served}
    seen |= {site.id for site in desk.problem.sites if site.seen}
    return frozenset(
        want.visit.site
        for want in desk.wants.values()
        if want.hidden
        and want.visit.id not in served
        and (want.visit.mandatory or want.visit.site not in seen)
    )


def _left_out(desk: Desk, plan: Plan) -> tuple[int, int]:
    """Return how many duties, then how many places, are crowded out."""
    visits = _crowded_out(desk, plan)
    duties = sum(visit.mandatory for visit in visits)
    return duties, len({visit.site for visit in visits if not visit.mandatory})


def _missing_teams(desk: Desk, plan: Plan, *, most: int) -> dict[str, int]:
    """Return one more team for the emptiest slot of every sort of visit that is crowded out."""
    at_work = Counter(crew.slot for crew in desk.crews.values())
    more: dict[str, int] = {}
    for windows in sorted({tuple(w.slot for w in visit.windows) for visit in _crowded_out(desk, plan)}):
        free = [slot for slot in windows if at_work[slot] + more.get(slot, 0) < most]
        if free:
            slot = min(free, key=lambda slot: (at_work[slot] + more.get(slot, 0), slot))
            more[slot] = more.get(slot, 0) + 1
    return more
