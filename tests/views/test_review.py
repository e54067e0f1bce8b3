"""The review page: the queue, candidates, bulk and undo, for those who may correct locations."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from dashboard import corrections, panels
from dashboard.wiring import Wiring
from data.schema import GazetteerEntry, Institution, LocationDecision
from data.terms import LocationSource
from geo.errors import ReviewError
from geo.review.queue import Why, set_point
from tests import small_district as small
from tests.views.test_roster import pick, press
from tests.views.test_views import Open, built, open_page, parts, who, words

__all__ = ["built", "open_page", "parts"]

MARKED = "**粗** ![图](http://example.org/a.png) :material/home: $x$ [去](http://example.org)"


@pytest.fixture
def queue(parts: Wiring) -> list[int]:
    """Give the small district known doors, and four places to review; return them in the page's order."""
    with parts.store.begin(actor="fixture", now=parts.now()) as session:
        for number in range(2, 22, 2):
            lon = small.WEST + 0.001 * number
            session.add(
                GazetteerEntry(
                    name="", address=f"东大街{number}号", lon=lon, lat=small.SOUTH + 0.005, source_crs="wgs84"
                )
            )
        hostile = session.get_one(Institution, 1)
        hostile.doubtful, hostile.match_score, hostile.error_radius_m = True, 0.4, 900.0
        hostile.address = "东大街"
        marked = session.get_one(Institution, 2)
        marked.name, marked.grid_id, marked.grid_code = MARKED, None, None
        road = session.get_one(Institution, 4)
        road.address, road.match_level, road.match_score = "东大街中段", "road", 0.28
    return [12, 2, 1, 4]


@pytest.mark.parametrize("language", ["zh", "en"])
def test_the_page_counts_and_lists_the_worst_first(
    open_page: Open, parts: Wiring, queue: list[int], language: str
) -> None:
    test = open_page("lead", "locations", lang=language)
    assert not test.exception and not test.error
    assert {"zh": "坐标核对", "en": "Locations"}[language] in words(test)
    assert [m.value for m in test.metric] == ["2", "1", "1", "0"]
    assert [row.institution_id for row in corrections.queue(parts, who(parts, "lead"))] == queue
    assert test.radio[0].value == 12 and len(test.radio[0].options) == 4
    assert {"zh": "尚未定点", "en": "No point yet"}[language] in words(test)


@pytest.mark.parametrize("username", ["boss", "worker", "admin"])
def test_who_may_not_correct_does_not_see_the_page(open_page: Open, username: str) -> None:
    test = open_page(username, "locations")
    assert not test.exception and ">坐标核对</h1>" not in words(test)


def test_names_are_words_and_no_markup(open_page: Open, queue: list[int]) -> None:
    test = open_page("lead", "locations")
    hostile, marked = panels.plain(small.HOSTILE), panels.plain(MARKED)
    assert {hostile, marked} <= set(test.radio[0].options)
    assert "\\!\\[图\\]\\(http\\:\u2060\\/\\/" in marked
    assert "\\:material\\/home\\:" in marked and "\\$x\\$" in marked
    test.radio[0].set_value(1).run()
    assert "&lt;img src=x" in words(test) and "<img src=x" not in words(test)


def test_a_candidate_is_accepted_seen_gone_and_undone(
    open_page: Open, parts: Wiring, queue: list[int]
) -> None:
    test = open_page("lead", "locations")
    assert pick(test, "button", "保存此点").disabled
    press(test, "跳过")
    assert test.radio[0].value == 2
    test.radio[0].set_value(4).run()
    text = words(test)
    assert "只到道路 · 东大街 · 分数 0.28" in text and "同一道路的一段" in text
    press(test, "采用此候选")
    assert not test.exception and not test.error
    assert [m.value for m in test.metric] == ["1", "1", "1", "1"]
    assert 4 not in [row.institution_id for row in corrections.queue(parts, who(parts, "lead"))]
    assert test.radio[0].value == 12, "after the last one comes the first"
    with parts.store.reading() as session:
        record = session.get_one(Institution, 4)
        assert (record.location_source, record.confirmed_by) == (LocationSource.HAND, "lead")
    assert "机构04 · 采用候选 · lead" in words(test)
    press(test, "撤销")
    assert not test.exception and not test.error
    assert [m.value for m in test.metric] == ["2", "1", "1", "0"]
    assert "还没有人工核定" in words(test)


def test_candidates_are_accepted_in_bulk_after_a_look(
    open_page: Open, parts: Wiring, queue: list[int]
) -> None:
    test = open_page("lead", "locations")
    assert "没有存疑机构的最佳候选达到这个分数" in words(test)
    pick(test, "number_input", "接受分数不低于").set_value(0.35).run()
    accept = pick(test, "button", "接受这 1 家")
    assert accept.disabled
    pick(test, "checkbox", "确认接受以上 1 家").check().run()
    press(test, "接受这 1 家")
    assert not test.exception and not test.error
    assert [m.value for m in test.metric] == ["1", "1", "1", "1"]
    assert "批量接受 1 家 · lead" in words(test)
    with parts.store.reading() as session:
        made = session.scalars(select(LocationDecision)).one()
        assert (made.institution_id, made.action, made.batch) == (1, "accept", "B0001")


def test_all_decisions_are_listed_by_pages_and_an_old_one_is_undone(
    open_page: Open, parts: Wiring, queue: list[int]
) -> None:
    with parts.store.begin(actor="lead", now=parts.now()) as session:
        made = [
            set_point(session, key, 121.205 + key / 1e4, 40.305, actor="lead", now=parts.now()).id
            for key in range(1, 13)
        ]
    test = open_page("lead", "locations")
    assert [b.key for b in test.button if b.key and b.key.startswith("undo.")] == [
        f"undo.{key}" for key in made[:-6:-1]
    ]
    pick(test, "checkbox", "显示全部核定").check().run()
    assert "第 1–10 项" in words(test)
    press(test, "下一页")
    assert "第 11–12 项" in words(test) and test.button(key="review.whole.下一页").disabled
    test.button(key=f"undo.{made[0]}").click().run()
    assert not test.exception and not test.error
    assert made[0] not in [d.id for d in corrections.last_decisions(parts, who(parts, "lead"), limit=99)]
    assert "第 11–11 项" in words(test)


def test_a_blocked_undo_says_what_to_undo_first(open_page: Open, parts: Wiring, queue: list[int]) -> None:
    lead = who(parts, "lead")
    older = corrections.save(parts, lead, 4, 121.205, 40.305, source="point")
    with pytest.raises(ReviewError, match="already_confirmed"):
        corrections.save(parts, lead, 4, 121.206, 40.305, source="point")
    with parts.store.begin(actor="lead", now=parts.now()) as session:
        newer = set_point(session, 4, 121.206, 40.305, actor="lead", now=parts.now()).id
    test = open_page("lead", "locations")
    next(b for b in test.button if b.key == f"undo.{older}").click().run()
    assert [e.value for e in test.error] == [
        f"核定 {older} 之后，机构04 又有同一机构或同一地址的核定 {newer}。请先撤销 {newer}。"
    ]


def test_the_list_is_narrowed_by_reason(open_page: Open, queue: list[int]) -> None:
    test = open_page("lead", "locations", why=Why.OUTSIDE.value)
    assert test.radio[0].value == 2 and len(test.radio[0].options) == 1
    pick(test, "selectbox", "原因").select("doubtful").run()
    assert len(test.radio[0].options) == 2 and test.query_params["why"] == "doubtful"


def test_nothing_to_review_says_so(open_page: Open, parts: Wiring) -> None:
    with parts.store.begin(actor="test", now=parts.now()) as session:
        for record in session.scalars(select(Institution)):
            record.doubtful, record.confirmed_at = False, parts.now()
    test = open_page("lead", "locations")
    assert not test.exception and "全部机构均已核对" in words(test)
    assert not test.radio and [m.value for m in test.metric] == ["0", "0", "0", "0"]
