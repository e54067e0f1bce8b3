"""The draw under any input: order, share, slots, and every bit of the commitment."""

from __future__ import annotations

import datetime as dt

from hypothesis import given, settings
from hypothesis import strategies as st

from data.calendar import shipped_calendar
from data.terms import Kind, SiteStatus, SlotClass, VisitReason
from planner.control import draw_control, hide_slots
from planner.demand import Terms, Want, list_offers, list_wants
from planner.draw import commit, draw_control_sample, holds_sample, thin_slots
from planner.ledger import Account, Duty
from planner.risk import Score
from planner.slots import list_slots, read_rules

IDS = st.lists(st.integers(1, 10**6).map(lambda number: f"I{number}"), max_size=60, unique=True)
SEEDS = st.integers(0, 2**31 - 1)
SALT = "0123456789abcdef0123456789abcdef"
FIRST = dt.date(2026, 11, 23)
RULES = read_rules()
SLOTS = list_slots(shipped_calendar(), first=FIRST, last=FIRST + dt.timedelta(days=13), rules=RULES)


@given(ids=IDS, seed=SEEDS, share=st.floats(0, 1), data=st.data())
def test_the_draw_does_not_depend_on_the_order(
    ids: list[str], seed: int, share: float, data: st.DataObject
) -> None:
    shuffled = data.draw(st.permutations(ids))
    drawn, chance = draw_control_sample(ids, share=share, seed=seed)
    assert draw_control_sample(shuffled, share=share, seed=seed) == (drawn, chance)
    assert set(drawn) <= set(ids) and holds_sample(shuffled, drawn, seed=seed)
    assert abs(len(drawn) - share * len(ids)) <= 0.5 + 1e-9
    assert not ids or chance == len(drawn) / len(ids)


@given(ids=IDS, seed=SEEDS, more=st.integers(1, 10**6))
def test_a_new_candidate_changes_no_comparison_of_the_others(ids: list[str], seed: int, more: int) -> None:
    everybody, _ = draw_control_sample([*ids, f"J{more}"], share=1.0, seed=seed)
    before, _ = draw_control_sample(ids, share=1.0, seed=seed)
    assert [key for key in everybody if key != f"J{more}"] == list(before)


@given(ids=IDS.filter(bool), seed=SEEDS, bit=st.integers(0, 30), digit=st.integers(0, 31), data=st.data())
def test_the_commitment_changes_with_any_bit(
    ids: list[str], seed: int, bit: int, digit: int, data: st.DataObject
) -> None:
    stated = commit(seed, SALT, ids, terms=("round -",))
    other_digit = f"{int(SALT[digit], 16) ^ data.draw(st.sampled_from([1, 2, 4, 8])):x}"
    left_out = data.draw(st.sampled_from(ids))
    others = [
        commit(seed ^ (1 << bit), SALT, ids, terms=("round -",)),
        commit(seed, SALT[:digit] + other_digit + SALT[digit + 1 :], ids, terms=("round -",)),
        commit(seed, SALT, [key for key in ids if key != left_out], terms=("round -",)),
        commit(seed, SALT, [*ids, "J"], terms=("round -",)),
        commit(seed, SALT, ids, terms=("round x",)),
        commit(seed, SALT, ids),
    ]
    assert stated not in others and len(set(others)) == len(others)
    assert commit(seed, SALT, data.draw(st.permutations(ids)), terms=("round -",)) == stated


@given(
    slots=st.lists(st.integers(0, 60).map(lambda number: f"s{number}"), max_size=30, unique=True),
    key=st.text("I0123456789-", min_size=1, max_size=8),
    seed=SEEDS,
    share=st.floats(0, 1),
    keep=st.integers(0, 3),
    data=st.data(),
)
def test_thinning_never_leaves_a_visit_without_slots(
    slots: list[str], key: str, seed: int, share: float, keep: int, data: st.DataObject
) -> None:
    hidden = thin_slots(slots, key=key, seed=seed, share=share, keep=keep)
    assert hidden <= set(slots)
    assert len(slots) - len(hidden) >= min(len(slots), max(1, keep))
    assert len(hidden) <= share * len(slots) + 1
    assert thin_slots(data.draw(st.permutations(slots)), key=key, seed=seed, share=share, keep=keep) == hidden


ACCOUNTS = st.lists(
    st.tuples(
        st.sampled_from(list(Kind)),
        st.sampled_from([SiteStatus.OPEN, SiteStatus.DEREGISTERED]),
        st.frozensets(st.sampled_from(list(SlotClass)), max_size=6),
    ),
    min_size=1,
    max_size=40,
).map(
    lambda rows: [
        Account(number, "", kind, status, True, paid, None)
        for number, (kind, status, paid) in enumerate(rows, start=1)
    ]
)
DUTIES = st.lists(st.tuples(st.integers(1, 40), st.sampled_from(["tip", "recheck"])), max_size=6)


def ask(accounts: list[Account], duties: list[tuple[int, str]], seed: int) -> tuple[list[Want], list[Want]]:
    """Return what is wanted and what could be drawn on top."""
    due = [
        Duty(key, reason, FIRST + dt.timedelta(days=2), n)
        for n, (key, reason) in enumerate(duties)
        if key <= len(accounts)
    ]
    scores = {item.institution_id: Score(float(item.institution_id), 0.05, ()) for item in accounts}
    wants, _ = list_wants(accounts, due, scores, SLOTS, rules=RULES, terms=Terms(FIRST))
    offers = list_offers(accounts, due, scores, SLOTS, rules=RULES, terms=Terms(FIRST), seed=seed)
    return wants, offers


@settings(max_examples=60, deadline=None)
@given(accounts=ACCOUNTS, duties=DUTIES, seed=SEEDS, share=st.sampled_from([0.0, 0.05, 0.1, 0.2, 0.5]))
def test_the_control_share_is_realised_and_every_visit_says_why(
    accounts: list[Account], duties: list[tuple[int, str]], seed: int, share: float
) -> None:
    wants, offers = ask(accounts, duties, seed)
    marked, control = draw_control(wants, offers, share=share, seed=seed)
    drawn = [want for want in marked if want.reason is VisitReason.RANDOM]
    assert sorted(want.visit.id for want in drawn) == sorted(control.drawn)
    assert holds_sample(control.pool, control.drawn, seed=seed)
    assert all(0 < want.p_select <= 1 for want in marked)
    assert all(want.p_select == len(drawn) / len(control.pool) for want in drawn)
    assert all(want.p_select == 1 for want in marked if want.reason is not VisitReason.RANDOM)
    assert all(not want.visit.mandatory for want in drawn)
    # The lot also decides how many come on top: whole visits and that chance are the only slack.
    if len(drawn) < len(control.pool):
        slack = 1 + share * abs(len(marked) - len(wants) - len(drawn) * len(offers) / len(control.pool))
        assert abs(len(drawn) - share * len(marked)) <= slack
    again, same = draw_control(wants[::-1], offers[::-1], share=share, seed=seed)
    assert same == control
    assert {w.visit.id: w.visit for w in again} == {w.visit.id: w.visit for w in marked}


@settings(max_examples=60, deadline=None)
@given(accounts=ACCOUNTS, duties=DUTIES, seed=SEEDS, share=st.floats(0, 0.6))
def test_hidden_slots_leave_duties_two_and_others_one(
    accounts: list[Account], duties: list[tuple[int, str]], seed: int, share: float
) -> None:
    wants, _ = ask(accounts, duties, seed)
    thinned = hide_slots(wants, share=share, seed=seed)
    for before, after in zip(wants, thinned, strict=True):
        least = 2 if before.visit.mandatory or not before.seen else 1
        assert len(after.visit.windows) >= min(least, len(before.visit.windows))
        assert {*after.visit.windows, *after.hidden} == set(before.visit.windows)
    backwards = hide_slots(wants[::-1], share=share, seed=seed)
    assert backwards[::-1] == thinned
    assert hide_slots(thinned, share=0.0, seed=seed) == wants
    sites = {want.visit.site for want in wants}
    assert hide_slots(wants, share=share, seed=seed, whole=sites) == wants
