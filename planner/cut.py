"""A part of a problem as a problem of its own, and its answer put back into the whole plan.

Every visit belongs to exactly one part: a served one to the part of its shift, an absent one to the part of
its site. Visits of a site that another part owns stay on their shift, so that gaps in days, first visits and
caps hold whatever the parts decide side by side.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from planner.problem import Cap, Depot, Problem, Site, Visit, Window

Sequences = Mapping[str, Sequence[str]]

ANYWHERE = ""
"""Stands for the shift of an absent visit that no pin holds."""


@dataclass(frozen=True)
class Part:
    """Shifts and sites handled together; the sites are the part's own, no other part has them."""

    shifts: tuple[str, ...]
    sites: tuple[str, ...]


def cut_problem(problem: Problem, part: Part, sequences: Sequences, *, spare: Mapping[str, int]) -> Problem:
    """Return the problem of one part while everything outside stays as `sequences` has it.

    Parameters
    ----------
    problem : Problem
        The whole.
    part : Part
        What to cut out.
    sequences : Mapping
        Visit ids in driving order by shift id, of the whole plan; must keep every hard rule.
    spare : Mapping
        Visits each cap still allows, given to this part alone.
    """
    inside, own = set(part.shifts), set(part.sites)
    shift_of = {visit: shift for shift, visits in sequences.items() for visit in visits}
    days = {visit: problem.shift_by_id[shift].day for visit, shift in shift_of.items()}
    visits, guests = [], []
    for site in part.sites:
        visits += [
            _trim(problem, visit, shift_of, days, inside)
            for visit in problem.visits_by_site.get(site, ())
            if shift_of.get(visit.id, visit.pin or ANYWHERE) in inside | {ANYWHERE}
        ]
    for shift_id in part.shifts:
        for visit_id in sequences.get(shift_id, ()):
            visit = problem.visit_by_id[visit_id]
            if visit.site not in own:
                guests.append(_seat(problem, visit, shift_id))
    sites = {visit.site: problem.site_by_id[visit.site] for visit in visits}
    away = Counter(
        problem.visit_by_id[visit].site for visit, shift in shift_of.items() if shift not in inside
    )
    owned = [
        replace(site, seen=site.seen or away[site.id] > 0, barred=_bar_met(problem, site, shift_of, inside))
        for site in sites.values()
    ]
    # Guests never change their day: their gaps hold, and their first visit is paid or not as before.
    hosted = {
        visit.site: replace(problem.site_by_id[visit.site], min_gap_days=0, seen=True, barred=())
        for visit in guests
    }
    return _number_places(problem, part, [*owned, *hosted.values()], [*visits, *guests], shift_of, spare)


def _trim(
    problem: Problem, visit: Visit, shift_of: Mapping[str, str], days: Mapping[str, int], inside: set[str]
) -> Visit:
    """Return the visit without the slots too near to visits of its site outside the part."""
    gap = problem.site_by_id[visit.site].min_gap_days
    siblings = problem.visits_by_site[visit.site]
    if gap == 0 or len(siblings) == 1:
        return visit
    outside = [
        days[v.id] for v in siblings if v.id != visit.id and shift_of.get(v.id, "") not in inside | {""}
    ]
    if not outside:
        return visit

    def far(window: Window) -> bool:
        shifts = [s for s in problem.shifts_by_slot.get(window.slot, ()) if s.id in inside]
        return all(abs(shift.day - day) >= gap for shift in shifts for day in outside)

    kept = tuple(window for window in visit.windows if far(window))
    here = shift_of.get(visit.id)
    if here is not None and problem.shift_by_id[here].slot not in {window.slot for window in kept}:
        # Another shift of its slot would be too near: it stays where it is.
        return _seat(problem, visit, here)
    return replace(visit, windows=kept)


def _bar_met(problem: Problem, site: Site, shift_of: Mapping[str, str], inside: set[str]) -> tuple[str, ...]:
    """Return whom the site must not meet: its own list, and who meets it outside the part."""
    if not problem.rotate:
        return site.barred
    outside = [shift_of.get(visit.id, "") for visit in problem.visits_by_site[site.id]]
    met = {m for s in outside if s not in inside | {""} for m in problem.shift_by_id[s].members}
    return tuple(sorted({*site.barred, *met}))


def _seat(problem: Problem, visit: Visit, shift_id: str) -> Visit:
    """Return a guest held on its shift."""
    slot = problem.shift_by_id[shift_id].slot
    windows = tuple(window for window in visit.windows if window.slot == slot)
    return replace(visit, windows=windows, pin=shift_id)


def _number_places(
    problem: Problem,
    part: Part,
    sites: Sequence[Site],
    visits: Sequence[Visit],
    shift_of: Mapping[str, str],
    spare: Mapping[str, int],
) -> Problem:
    """Return the part with its places numbered anew and travel between them only."""
    shifts = tuple(problem.shift_by_id[shift] for shift in part.shifts)
    depots = {shift.depot: problem.depot_by_id[shift.depot] for shift in shifts}
    places = sorted({site.location for site in sites} | {depot.location for depot in depots.values()})
    number = {place: index for index, place in enumerate(places)}
    served = Counter(visit.cap for visit in visits if visit.cap is not None and visit.id in shift_of)
    named = {visit.cap for visit in visits if visit.cap is not None}
    return Problem(
        travel_s=problem.block_s(np.array(places, dtype=np.int64), np.array(places, dtype=np.int64)),
        depots=tuple(Depot(depot.id, number[depot.location]) for depot in depots.values()),
        shifts=shifts,
        sites=tuple(replace(site, location=number[site.location]) for site in sites),
        visits=tuple(visits),
        first_visit_prize=problem.first_visit_prize,
        rotate=problem.rotate,
        caps=tuple(
            Cap(cap.id, served[cap.id] + spare.get(cap.id, 0)) for cap in problem.caps if cap.id in named
        ),
    )


def own_sites(problem: Problem, groups: Sequence[Sequence[str]], sequences: Sequences) -> list[Part]:
    """Return a part for each group of shifts with the sites it sees most often, ties to the first group.

    A site with a pinned visit goes where its pin is.
    """
    part_of = {shift: index for index, shifts in enumerate(groups) for shift in shifts}
    votes: dict[str, Counter[int]] = {}
    for shift, visits in sequences.items():
        for visit in visits:
            votes.setdefault(problem.visit_by_id[visit].site, Counter())[part_of[shift]] += 1
    for item in problem.visits:
        if item.pin is not None:
            votes.setdefault(item.site, Counter())[part_of[item.pin]] += len(problem.visits)
    sites: list[list[str]] = [[] for _ in groups]
    for site in problem.visits_by_site:
        if site in votes:
            sites[min(votes[site], key=lambda index: (-votes[site][index], index))].append(site)
    return [Part(tuple(shifts), tuple(own)) for shifts, own in zip(groups, sites, strict=True)]


def count_spare(problem: Problem, parts: Sequence[Part], sequences: Sequences) -> list[dict[str, int]]:
    """Return what each part may add to each cap: all that is left goes to the first part that can use it."""
    served = Counter(problem.visit_by_id[visit].cap for visits in sequences.values() for visit in visits)
    left = {cap.id: cap.most - served[cap.id] for cap in problem.caps}
    spare = []
    for part in parts:
        named = {visit.cap for site in part.sites for visit in problem.visits_by_site.get(site, ())}
        spare.append({cap: left.pop(cap) for cap in sorted(named & left.keys(), key=str) if cap is not None})
    return spare


def merge_sequences(whole: Sequences, parts: Iterable[tuple[Part, Sequences]]) -> dict[str, tuple[str, ...]]:
    """Return the whole plan with the routes of the parts replaced."""
    merged = {shift: tuple(visits) for shift, visits in whole.items()}
    for part, sequences in parts:
        for shift in part.shifts:
            merged.pop(shift, None)
        merged.update({shift: tuple(visits) for shift, visits in sequences.items() if visits})
    return merged
