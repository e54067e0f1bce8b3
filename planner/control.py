"""The control share: which visits the lot decides, and which slots are hidden so that none can be guessed.

Decision. One pool, one chance. In the pool is every visit of the period without a dated duty: each debt of a
place that still owes, and one possible visit of each place that owes nothing any more. So many are drawn that
they make up `share` of all visits; each carries p = drawn / pool. A drawn visit is not steered by risk: it
takes one fixed prize above any score and any saving of travel, below a first visit. So the lot, not the
score, says who goes first:

- at a place that owes nothing, the visit is added to the plan;
- a debt is owed anyway (in a first sweep all are); drawn, it keeps its turn when days or teams are short.

Only so is a drawn visit served whatever its place is like, and p its true chance. Where not all can be served
the share is of those that can: the plan is made again with fewer lots (the lowest of the same).

Rechecks and tips are not in the pool: they are certain (p = 1) and stand for themselves. A debt that was not
drawn carries p = 1 too, but the drawn ones stand for it: a rate for the district is reckoned from random
visits by 1 / p together with the duties, without the other debts, or these would count twice.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

from data.terms import VisitReason
from planner.demand import DRAWN_PRIZE_S, Want
from planner.draw import draw_lowest, thin_slots


@dataclass(frozen=True)
class Control:
    """What was drawn from what: visit ids of the pool, in the order of their bytes, and of the sample."""

    share: float = 0.0
    pool: tuple[str, ...] = ()
    drawn: tuple[str, ...] = ()

    @property
    def p_select(self) -> float:
        """The chance of each visit of the pool."""
        return len(self.drawn) / len(self.pool) if self.pool else 0.0


def draw_control(
    wants: Sequence[Want],
    offers: Sequence[Want],
    *,
    share: float,
    seed: int,
    shut: Collection[str] = (),
    committed: Collection[str] | None = None,
    count: int | None = None,
) -> tuple[list[Want], Control]:
    """Return the visits with the control share drawn, and the draw itself.

    Parameters
    ----------
    wants, offers
        Visits owed, and possible visits of places that owe nothing.
    share
        Part of all visits that the lot decides, 0 to 1.
    shut
        Ids of visits that no draw may pick, because a cap is used up.
    committed
        Ids of the sites a commitment names: none outside it can be drawn; None without a commitment.
    count
        How many to draw, where an attempt showed that the share of all is not the share of what is served.
    """

    def may_be_drawn(want: Want) -> bool:
        visit = want.visit
        free = not visit.mandatory and visit.id not in shut
        return free and (committed is None or visit.site in committed)

    owed = [want for want in wants if may_be_drawn(want)]
    possible = [want for want in offers if may_be_drawn(want)]
    pool = sorted((want.visit.id for want in [*owed, *possible]), key=lambda key: key.encode())
    # Of the n drawn about n x possible / pool come on top of what is wanted anyway.
    added = len(possible) / len(pool) if pool else 0.0
    if count is None:
        count = math.floor(share * len(wants) / (1 - share * added) + 0.5)
    control = Control(share, tuple(pool), draw_lowest(pool, count, seed=seed))
    chosen = set(control.drawn)
    told = {"reason": "random", "drawn": len(control.drawn), "eligible": len(pool)}

    def mark(want: Want) -> Want:
        return replace(
            want,
            visit=replace(want.visit, prize=DRAWN_PRIZE_S),
            reason=VisitReason.RANDOM,
            p_select=control.p_select,
            reasons=({**told}, *want.reasons),
        )

    marked = [mark(want) if want.visit.id in chosen else want for want in wants]
    marked += [mark(want) for want in possible if want.visit.id in chosen]
    return marked, control


def hide_slots(wants: Sequence[Want], *, share: float, seed: int, whole: Collection[str] = ()) -> list[Want]:
    """Return the visits with part of their slots hidden.

    Two slots stay open where a duty is due or the place was not seen yet, otherwise one; visits of the sites
    `whole` keep all.
    """
    hidden_from: list[Want] = []
    for want in wants:
        visit = want.visit
        keep = 2 if visit.mandatory or not want.seen else 1
        hidden = (
            frozenset[str]()
            if visit.site in whole
            else thin_slots([w.slot for w in visit.windows], key=visit.id, seed=seed, share=share, keep=keep)
        )
        hidden_from.append(_split(want, hidden))
    return hidden_from


def show_where_needed(
    wants: Sequence[Want],
    crews: Sequence[tuple[str, Collection[str]]],
    *,
    barred: Collection[tuple[str, str]],
) -> list[Want]:
    """Return the visits with their slots open again where hiding them would leave no crew.

    Applies to duties, and to places not seen in the round of which no visit would have a crew.

    Parameters
    ----------
    crews
        Slot and members of each crew at work.
    barred
        Pairs of site and officer who must not meet.
    """
    by_slot: dict[str, list[Collection[str]]] = {}
    for slot, members in crews:
        by_slot.setdefault(slot, []).append(members)
    kept_apart = set(barred)

    def served(want: Want) -> bool:
        return any(
            all((want.visit.site, member) not in kept_apart for member in members)
            for window in want.visit.windows
            for members in by_slot.get(window.slot, ())
        )

    reached = {want.visit.site for want in wants if served(want)}
    return [
        _split(want, frozenset())
        if want.hidden
        and not served(want)
        and (want.visit.mandatory or not (want.seen or want.visit.site in reached))
        else want
        for want in wants
    ]


def _split(want: Want, hidden: frozenset[str]) -> Want:
    # Slot ids begin with their date.
    windows = sorted([*want.visit.windows, *want.hidden], key=lambda w: (w.slot[:10], w.open_s, w.slot))
    shown = tuple(window for window in windows if window.slot not in hidden)
    return replace(
        want,
        visit=replace(want.visit, windows=shown),
        hidden=tuple(window for window in windows if window.slot in hidden),
    )
