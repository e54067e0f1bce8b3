"""Demand: which visits are wanted, when they may start, why, and what cannot be wanted at all."""

from __future__ import annotations

import datetime as dt

from hypothesis import given, settings
from hypothesis import strategies as st

from data.calendar import shipped_calendar
from data.terms import Kind, SiteStatus, SlotClass
from planner.demand import BASE_PRIZE_S, MOST_PRIZE_S, NotWanted, Terms, Want, list_wants
from planner.ledger import Account, Duty
from planner.risk import Contribution, Score
from planner.slots import Slot, list_slots, read_rules

RULES = read_rules()
FIRST = dt.date(2026, 11, 23)  # a Monday
SCORE = Score(4.0, 0.04, (Contribution("tip_recent", 4.0, dt.date(2026, 11, 1), 9),))


def fortnight(days: int = 14) -> tuple[Slot, ...]:
    """Return the slots of so many days from the first."""
    last = FIRST + dt.timedelta(days=days - 1)
    return list_slots(shipped_calendar(), first=FIRST, last=last, rules=RULES)


def account(
    kind: Kind = Kind.CARE,
    *,
    status: SiteStatus = SiteStatus.OPEN,
    placed: bool = True,
    paid: tuple[SlotClass, ...] = (),
    last_seen: dt.date | None = None,
) -> Account:
    """Return an account of institution 1."""
    return Account(1, "甲", kind, status, placed, frozenset(paid), last_seen)


def want(
    who: Account, *duties: Duty, slots: tuple[Slot, ...] | None = None
) -> tuple[list[Want], list[NotWanted]]:
    """Return what is wanted for one institution."""
    return list_wants(
        [who],
        duties,
        {1: SCORE},
        fortnight() if slots is None else slots,
        rules=RULES,
        terms=Terms(FIRST),
    )


def duty(days: int, reason: str = "recheck", record: int = 5) -> Duty:
    """Return a duty due so many days after the first day."""
    return Duty(1, reason, FIRST + dt.timedelta(days=days), record)


def dates(item: Want) -> set[dt.date]:
    """Return the dates of a visit's slots."""
    return {dt.date.fromisoformat(window.slot[:10]) for window in item.visit.windows}


def test_one_visit_for_each_key_time_point_that_occurs() -> None:
    """A care centre owes noon and evening in term; no break, so no break visit."""
    wants, left = want(account())
    assert [(w.slot_class, w.visit.mandatory) for w in wants] == [
        (SlotClass.NOON, False), (SlotClass.EVENING, False),
    ]  # fmt: skip
    assert left == []
    assert all(w.visit.site == "I1" and w.visit.windows for w in wants)


def test_what_is_paid_is_not_wanted_again() -> None:
    """Paid noon leaves the evening; all paid leaves nothing, not even a complaint."""
    wants, _ = want(account(paid=(SlotClass.NOON,)))
    assert [w.slot_class for w in wants] == [SlotClass.EVENING]
    assert want(account(paid=(SlotClass.NOON, SlotClass.EVENING))) == ([], [])


def test_a_duty_joins_the_debt_that_can_be_paid_by_its_date() -> None:
    """One mandatory visit serves both, and its slots end at the duty's date; the other debt stays free."""
    wants, _ = want(account(), duty(2), duty(4, "tip", 6))
    noon, evening = wants
    assert (noon.visit.mandatory, evening.visit.mandatory) == (True, False)
    assert max(dates(noon)) == FIRST + dt.timedelta(days=2)
    assert max(dates(evening)) > max(dates(noon))
    assert noon.due == FIRST + dt.timedelta(days=2)
    reasons = [r["reason"] for r in noon.reasons if "reason" in r]
    assert reasons == ["recheck", "tip", "due"]
    assert "recheck" not in [r.get("reason") for r in evening.reasons]


def test_a_duty_waits_for_the_debt_that_fits() -> None:
    """Subject tutoring owes evening first; a duty due on a Saturday before any evening joins the weekend."""
    saturday = FIRST + dt.timedelta(days=5)
    slots = tuple(s for s in fortnight() if s.date >= saturday)
    wants, _ = want(account(Kind.SUBJECT), duty(5), slots=slots)
    by_class = {w.slot_class: w for w in wants}
    assert not by_class[SlotClass.EVENING].visit.mandatory
    assert by_class[SlotClass.WEEKEND].visit.mandatory
    assert dates(by_class[SlotClass.WEEKEND]) == {saturday}


def test_an_overdue_duty_is_planned_in_the_first_days() -> None:
    """It has no slot by its date any more: it joins a debt that can be paid within four days."""
    wants, _ = want(account(), duty(-10))
    own = [w for w in wants if w.visit.mandatory]
    assert [w.visit.id for w in own] == ["I1-noon"]
    assert min(dates(own[0])) == FIRST
    assert max(dates(own[0])) <= FIRST + dt.timedelta(days=3)


def test_a_duty_of_a_place_that_owes_nothing_is_still_wanted() -> None:
    """A deregistered place with a tip is visited, and only for the tip."""
    wants, left = want(account(status=SiteStatus.DEREGISTERED), duty(3, "tip"))
    assert [(w.visit.id, w.visit.mandatory, w.slot_class) for w in wants] == [("I1-tip", True, None)]
    assert max(dates(wants[0])) <= FIRST + dt.timedelta(days=3)
    assert left == []


def test_places_without_a_point_or_a_slot_come_back_with_the_reason() -> None:
    """Nobody disappears silently."""
    _, left = want(account(placed=False), duty(3))
    assert [(item.code, item.mandatory) for item in left] == [("not_placed", True)]
    weekend = tuple(s for s in fortnight() if s.slot_class is SlotClass.WEEKEND)
    _, left = want(account(Kind.KINDERGARTEN), slots=weekend)
    assert [(item.code, item.detail) for item in left] == [("no_slot", {"needs": ["school_hours"]})]
    _, left = want(account(Kind.KINDERGARTEN), duty(1), slots=weekend)
    assert [(item.code, item.mandatory) for item in left] == [("no_slot", True)]


def test_reasons_carry_the_record_and_the_date() -> None:
    """What the phone and the lead show comes from here."""
    wants, _ = want(account(last_seen=dt.date(2026, 10, 1)), duty(2, record=42))
    first = wants[0].reasons
    assert first[0] == {"reason": "recheck", "date": "2026-11-25", "record_id": 42}
    assert first[1] == {"reason": "due", "slot_class": "noon", "last_seen": "2026-10-01"}
    assert first[2]["factor"] == "tip_recent"


def test_longer_waiting_is_worth_more_within_the_bounds() -> None:
    """The prize rises with the days since the last visit and is held at the most."""
    recent, old, never = (
        want(account(last_seen=seen))[0][0].visit.prize
        for seen in (FIRST - dt.timedelta(days=1), FIRST - dt.timedelta(days=60), None)
    )
    assert BASE_PRIZE_S < recent < old < never <= MOST_PRIZE_S


@settings(max_examples=80, deadline=None)
@given(
    kind=st.sampled_from(list(Kind)),
    paid=st.lists(st.sampled_from(list(SlotClass)), max_size=4),
    status=st.sampled_from(list(SiteStatus)),
    placed=st.booleans(),
    due=st.lists(st.integers(-20, 20), max_size=3),
    days=st.integers(1, 16),
)
def test_every_duty_ends_in_exactly_one_place(
    kind: Kind, paid: list[SlotClass], status: SiteStatus, placed: bool, due: list[int], days: int
) -> None:
    """A duty is in one mandatory visit or told as left; ids are unique; windows lie in their slots."""
    duties = [duty(d, record=n) for n, d in enumerate(sorted(due))]
    slots = fortnight(days)
    who = account(kind, status=status, placed=placed, paid=tuple(paid))
    wants, left = want(who, *duties, slots=slots)
    told = [r["record_id"] for w in wants for r in w.reasons if r.get("reason") == "recheck"]
    assert sorted(told) == ([] if any(item.mandatory for item in left) else [d.record_id for d in duties])
    assert len({w.visit.id for w in wants}) == len(wants)
    by_id = {slot.id: slot for slot in slots}
    for item in wants:
        assert item.visit.mandatory == any(r.get("reason") == "recheck" for r in item.reasons)
        for window in item.visit.windows:
            slot = by_id[window.slot]
            assert slot.start_s <= window.open_s <= window.close_s <= slot.end_s - item.visit.service_s
        if item.visit.mandatory and item.due is not None and item.due >= FIRST and item.slot_class:
            assert max(dates(item)) <= item.due
