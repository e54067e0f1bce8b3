"""Who bears how much: the plan's shifts beside the half-year's, against what presence lets expect."""

from __future__ import annotations

import datetime as dt

import pytest
from sqlalchemy import select

from dashboard.tables import officials, share_rows, share_span, shift_rows
from data.schema import Officer
from data.store import Store
from data.terms import PlanStatus, SlotKind
from planner.itinerary import read_plan
from planner.workshare import read_workshares
from tests.conftest import NOW, TODAY
from tests.register import add_officers, add_plan, add_shift

DAY = dt.timedelta(days=1)
LONG_AGO = dt.datetime(2026, 6, 1, tzinfo=dt.UTC)


@pytest.fixture
def code(store: Store) -> str:
    """Return a draft with two shifts after ten of the half-year; O4 has no certificate, O5 is an official."""
    with store.begin(actor="t", now=NOW) as session:
        add_officers(session, 5)
        people = {officer.code: officer for officer in session.scalars(select(Officer))}
        people["O4"].certificate_no = None
        people["O5"].official = True
        people["O3"].joined_on = TODAY
        old = add_plan(session, TODAY - 40 * DAY, TODAY - DAY, published_at=LONG_AGO)
        for back in range(1, 11):
            add_shift(session, old, TODAY - back * DAY, ("O1", "O2"))
        draft = add_plan(session, TODAY, TODAY + DAY, status=PlanStatus.DRAFT, published_at=None)
        add_shift(session, draft, TODAY, ("O1", "O3", "O5"), kind=SlotKind.NOON)
        add_shift(session, draft, TODAY + DAY, ("O2", "O3", "O4"))
    return f"P{TODAY:%Y%m%d}-002"


def test_a_draft_counts_with_the_half_year(store: Store, code: str) -> None:
    """Whoever joined for the plan is measured by the plan's dates alone."""
    with store.reading() as session:
        shares = {item.code: item for item in read_workshares(session, code)}
    assert shares["O1"].period == {"day": 1} and shares["O1"].half_year == {"evening": 10, "day": 1}
    assert shares["O3"].half_year == {"day": 1, "evening": 1}
    # Evenings: 22 seats, of these 2 on the only date of O3, so the rate of presence is 22 / (2 + 2 / 22).
    evenings = 22 / (2 + 2 / 22)
    assert shares["O3"].expected == pytest.approx(2 / 3 + 2 / 22 * evenings)
    assert shares["O4"].share is None and shares["O4"].half_year == {"evening": 1}


def test_tables_name_people_departments_and_officials(store: Store, code: str) -> None:
    """The official stands apart from the crew and has no share to compare."""
    with store.reading() as session:
        shares, view = read_workshares(session, code), read_plan(session, code)
    rows = share_rows(shares, "zh")
    assert rows["人员"].iloc[0] == "人3" and "人5" not in set(rows["人员"])
    first = rows.set_index("人员").loc["人1"]
    assert [first[name] for name in ("本期", "半年", "日间 本期", "晚间 半年")] == [1, 11, 1, 10]
    assert share_span(shares).endswith(rows["占应值"][0]) and share_span(()) == "—"
    assert [officials(shift, "zh") for shift in view.shifts] == ["人5", ""]
    table = shift_rows(view.shifts, "zh")
    assert list(table["带队领导"]) == ["人5", ""] and "人5" not in table["组员"][0]
    assert list(table["单位"]) == ["教育局", "教育局"]
