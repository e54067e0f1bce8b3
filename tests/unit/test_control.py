"""The control share: who is drawn, what a drawn visit is worth, and slots that open again."""

from __future__ import annotations

import dataclasses
import datetime as dt

from data.terms import SlotClass, VisitForm, VisitReason
from planner.control import draw_control, hide_slots, show_where_needed
from planner.demand import DRAWN_PRIZE_S, Want
from planner.problem import Visit, Window
from planner.risk import Score

SLOTS = [f"2026-11-{day}-evening" for day in range(23, 28)]
SCORE = Score(0.0, 0.05, ())


def make_want(number: int, *, prize: int = 1000, mandatory: bool = False, seen: bool = False) -> Want:
    """Return an evening visit of its own site with five slots."""
    windows = tuple(Window(slot, 61_200, 72_000) for slot in SLOTS)
    visit = Visit(f"I{number}-evening", f"I{number}", 900, prize, mandatory, windows=windows)
    due = dt.date(2026, 11, 27) if mandatory else None
    reason = VisitReason.TIP if mandatory else VisitReason.DUE
    return Want(visit, number, SlotClass.EVENING, due, SCORE, (), reason=reason, seen=seen)


def make_offer(number: int) -> Want:
    """Return a possible visit of a place that owes nothing."""
    want = make_want(number, prize=DRAWN_PRIZE_S, seen=True)
    return dataclasses.replace(want, visit=dataclasses.replace(want.visit, id=f"I{number}-control"))


def test_in_a_first_sweep_the_lot_says_who_goes_first() -> None:
    """Nothing is added; a tenth takes the fixed prize whatever its score was, the others keep theirs."""
    wants = [make_want(number, prize=number) for number in range(1, 201)]
    marked, control = draw_control(wants, [], share=0.1, seed=1)
    drawn = [want for want in marked if want.reason is VisitReason.RANDOM]
    assert len(marked) == 200 and len(drawn) == len(control.drawn) == 20
    assert {(want.p_select, want.visit.prize) for want in drawn} == {(0.1, DRAWN_PRIZE_S)}
    assert all(want.visit.prize == want.institution_id for want in marked if want not in drawn)
    assert drawn[0].reasons[0] == {"reason": "random", "drawn": 20, "eligible": 200}


def test_where_fewer_can_be_served_fewer_are_drawn_of_the_same_lots() -> None:
    """The share is of what can be served; the lowest lots stay drawn, and p says what was drawn."""
    wants = [make_want(number) for number in range(1, 201)]
    _, control = draw_control(wants, [], share=0.1, seed=1)
    _, fewer = draw_control(wants, [], share=0.1, seed=1, count=12)
    assert fewer.drawn == control.drawn[:12] and fewer.p_select == 12 / 200


def test_places_that_owe_nothing_are_drawn_on_top() -> None:
    """One pool, one chance: half of it owes nothing, so about half of the drawn are added."""
    wants = [make_want(number) for number in range(1, 401)]
    offers = [make_offer(number) for number in range(401, 801)]
    marked, control = draw_control(wants, offers, share=0.1, seed=5)
    added = [want for want in marked if want.institution_id > 400]
    assert len(control.pool) == 800 and control.p_select == len(control.drawn) / 800
    assert 10 <= len(added) <= 32
    assert {want.visit.prize for want in added} == {DRAWN_PRIZE_S}
    assert abs(len(control.drawn) / len(marked) - 0.1) <= 0.02


def test_when_all_have_paid_the_pool_is_what_they_could_owe() -> None:
    """Without any visit wanted there is no share to draw; with duties alone the share is of these."""
    offers = [make_offer(number) for number in range(1, 101)]
    assert draw_control([], offers, share=0.1, seed=1)[0] == []
    duties = [make_want(number, mandatory=True) for number in range(200, 290)]
    marked, control = draw_control(duties, offers, share=0.1, seed=1)
    assert len(control.drawn) == 10 and len(marked) == 100


def test_duties_shut_visits_and_strangers_are_never_drawn() -> None:
    """A duty is certain, a used-up cap allows nothing, and a commitment names who can be drawn."""
    wants = [make_want(1, mandatory=True), *(make_want(number) for number in range(2, 40))]
    _, control = draw_control(
        wants, [], share=0.5, seed=1, shut={"I2-evening"}, committed={f"I{n}" for n in range(2, 20)}
    )
    assert control.pool == tuple(sorted(f"I{n}-evening" for n in range(3, 20)))
    assert set(control.drawn) == set(control.pool)
    assert control.p_select == 1.0


def test_slots_open_again_where_hiding_leaves_no_crew() -> None:
    """A first visit and a duty come back; a later visit of a place seen before stays thinned."""
    first, later, duty = make_want(1), make_want(2, seen=True), make_want(3, mandatory=True, seen=True)
    hidden = [
        dataclasses.replace(
            want,
            visit=dataclasses.replace(want.visit, windows=want.visit.windows[1:]),
            hidden=want.visit.windows[:1],
        )
        for want in (first, later, duty)
    ]
    crews = [(SLOTS[0], ("O1", "O2"))]
    assert show_where_needed(hidden, crews, barred=()) == [first, hidden[1], duty]
    crews.append((SLOTS[1], ("O3", "O4")))
    assert show_where_needed(hidden, crews, barred=()) == hidden
    assert show_where_needed(hidden, crews, barred={("I1", "O3")}) == [first, *hidden[1:]]


def test_hiding_keeps_the_order_of_time() -> None:
    """What comes back stands where it stood."""
    want = make_want(1, seen=True)
    (thinned,) = hide_slots([want], share=0.6, seed=2)
    assert len(thinned.hidden) == 3
    assert [w.slot for w in thinned.visit.windows] == [
        slot for slot in SLOTS if slot not in {w.slot for w in thinned.hidden}
    ]
    assert want.form is VisitForm.PATROL
