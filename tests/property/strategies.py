"""Hypothesis strategies of the planning core: small problems with every rule in play."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st

from planner.problem import Cap, Depot, Problem, Shift, Site, Visit, Window

SLOTS = ("a", "b", "c", "d")


@st.composite
def problems(draw: st.DrawFn, *, max_visits: int = 8, max_shifts: int = 4) -> Problem:
    """Draw a problem: asymmetric travel that may break the triangle inequality, tight clocks, any limit."""
    locations = draw(st.integers(2, 6))
    cells = st.integers(0, 40)
    travel = np.array(
        draw(st.lists(cells, min_size=locations**2, max_size=locations**2)), dtype=np.int64
    ).reshape(locations, locations)
    np.fill_diagonal(travel, 0)
    places = st.integers(0, locations - 1)
    depots = tuple(Depot(f"D{number}", draw(places)) for number in range(draw(st.integers(1, 2))))
    shifts = tuple(
        _draw_shift(draw, f"S{number}", [depot.id for depot in depots])
        for number in range(draw(st.integers(0, max_shifts)))
    )
    sites = tuple(
        Site(
            f"I{number}",
            draw(places),
            draw(st.integers(0, 3)),
            draw(st.sampled_from(((), (), ("p",), ("q", "r")))),
            draw(st.sampled_from((False, False, True))),
        )
        for number in range(draw(st.integers(1, 4)))
    )
    caps = tuple(Cap(f"C{number}", draw(st.integers(0, 2))) for number in range(draw(st.integers(0, 2))))
    visits = tuple(
        _draw_visit(
            draw,
            f"V{number}",
            draw(st.sampled_from(sites)).id,
            caps=[cap.id for cap in caps],
            shifts=[shift.id for shift in shifts],
        )
        for number in range(draw(st.integers(0, max_visits)))
    )
    prize = draw(st.sampled_from((0, 0, 30, 500)))
    return Problem(travel, depots, shifts, sites, visits, prize, caps, draw(st.booleans()))


def _draw_shift(draw: st.DrawFn, name: str, depots: list[str]) -> Shift:
    start = draw(st.integers(0, 60))
    return Shift(
        id=name,
        team=draw(st.sampled_from(("T1", "T2"))),
        slot=draw(st.sampled_from(SLOTS[:3])),
        day=draw(st.integers(0, 4)),
        start_s=start,
        end_s=start + draw(st.integers(1, 200)),
        depot=draw(st.sampled_from(depots)),
        capacity=draw(st.sampled_from((None, None, 0, 3, 6))),
        max_stops=draw(st.sampled_from((None, None, 0, 1, 2))),
        skills=draw(st.sampled_from(((), ("certified",), ("certified", "fire")))),
        members=draw(st.sampled_from(((), ("p", "q"), ("r",)))),
        closed=draw(st.sampled_from((False, False, False, True))),
        ready_s=draw(st.sampled_from((0, 0, start + 30))),
    )


def _draw_visit(draw: st.DrawFn, name: str, site: str, *, caps: list[str], shifts: list[str]) -> Visit:
    windows = []
    for slot in draw(st.lists(st.sampled_from(SLOTS), unique=True, max_size=3)):
        opens = draw(st.integers(0, 150))
        windows.append(Window(slot, opens, opens + draw(st.sampled_from((0, 10, 40, 150)))))
    return Visit(
        id=name,
        site=site,
        service_s=draw(st.integers(0, 50)),
        prize=draw(st.sampled_from((0, 5, 20, 60, 200))),
        mandatory=draw(st.booleans()),
        demand=draw(st.integers(0, 3)),
        windows=tuple(windows),
        skills=draw(st.sampled_from(((), (), ("certified",), ("fire",)))),
        cap=draw(st.sampled_from([None, *caps])),
        pin=draw(st.sampled_from([None, None, None, None, *shifts[:1]])),
    )
