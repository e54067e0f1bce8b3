"""The roster page explains, changes, compares and draws plans, and only for those who may."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from sqlalchemy import select
from streamlit.testing.v1 import AppTest

from dashboard import changes, reads, revisions, worker
from dashboard.wiring import Wiring
from data import jobs
from data.schema import Draw, Institution, PlanRevision
from data.terms import JobStatus, PlanStatus, SiteStatus
from planner.itinerary import find_revision, list_plans
from tests import small_district as small
from tests.views.test_views import Open, built, open_page, parts, words

__all__ = ["built", "open_page", "parts"]


def pick(test: AppTest, kind: str, label: str) -> Any:
    """Return the widget of a kind with a label."""
    (found,) = (item for item in getattr(test, kind) if item.label == label)
    return found


def press(test: AppTest, label: str) -> AppTest:
    """Press a button and run the page."""
    pick(test, "button", label).click()
    return test.run()


def codes(parts: Wiring) -> list[str]:
    """Return the codes of all plans, newest first."""
    with parts.store.reading() as session:
        return [head.code for head in list_plans(session)]


def repaired(parts: Wiring, **parameters: object) -> str:
    """Change the small district's plan by a job and return the new draft."""
    with parts.store.begin(actor="lead", now=parts.now()) as session:
        event = {"plan": small.PLAN, **parameters}
        jobs.enqueue(session, kind="repair", parameters=event, created_by="lead", now=parts.now())
    assert worker.run_next(parts)
    job = reads.latest_job(parts, kind="repair")
    assert job is not None and job.error_code is None
    return str(job.result["plan"])


@pytest.mark.parametrize(
    ("language", "told"),
    [
        (
            "zh",
            (
                "可用班次已排满",
                "9月17日 周四 工作日晚间 第 1 组 多查一家，多 0 分钟",
                "9月17日 周四 工作日晚间 增加一组，路程 60 分钟",
                "按风险加权覆盖 85.7%，任何方案都不可能超过 85.8%",
                "必查未排 0.0，机构未到 0.0，其余未排 2.5，路程 2.7，合计 5.2",
                "抽签种子 1，未事先承诺",
            ),
        ),
        (
            "en",
            (
                "all suitable shifts are full",
                "one more stop on Thu 17 Sep, Workday evening, Team 1: 0 min more",
                "no plan can exceed 85.8%",
                "others left out 2.5, travel 2.7, total 5.2",
            ),
        ),
    ],
)
def test_the_page_tells_reasons_helps_ceiling_and_cost(
    open_page: Open, language: str, told: tuple[str, ...]
) -> None:
    text = words(open_page("lead", "roster", lang=language))
    assert [part for part in told if part not in text] == []
    assert small.EVENING not in text


def test_a_visit_without_room_is_told_what_would_help(open_page: Open) -> None:
    test = open_page("lead", "roster")
    pick(test, "selectbox", "为一家次找可安排的班次").select("I9-evening")
    text = words(test.run())
    assert "守住全部规则已没有班次可安排。放宽其中一条即可：9月17日 周四 工作日晚间 第 1 组 多查一家" in text


def test_a_visit_with_room_is_offered_the_cheapest_shifts(open_page: Open, parts: Wiring) -> None:
    code = repaired(parts, drop=["I2-evening"], locks=[f"{small.EVENING}-T1"], pins=[])
    assert revisions.offers(parts, code, "I9-evening") == ()
    found = revisions.offers(parts, small.PLAN, "I2-evening")
    assert [offer.shift for offer in found] == [f"{small.EVENING}-T1"]
    assert changes.offer_rows(found, "zh")[1] == [
        ("9月17日 周四 工作日晚间 第 1 组", "17:30", "第 1 站", "10", "合算")
    ]
    test = open_page("lead", "roster", plan=code)
    waiting = pick(test, "selectbox", "为一家次找可安排的班次").options
    assert waiting == ["机构09 · 晚间"]


def test_an_absence_is_asked_as_a_job_with_what_must_stay(open_page: Open, parts: Wiring) -> None:
    test = open_page("lead", "roster")
    assert pick(test, "button", "计算调整").disabled
    pick(test, "selectbox", "谁不能出勤").select("E03")
    test.run()
    pick(test, "multiselect", "加急检查的机构").select("I9")
    pick(test, "multiselect", "取消的家次").select("I6-evening")
    pick(test, "multiselect", "留在原班次的家次").select("I2-evening")
    pick(test, "multiselect", "完全不动的时段、小组或班次").select(f"{small.EVENING}-T1")
    pick(test, "checkbox", "此前已开始的不变").check()
    pick(test, "time_input", "时刻").set_value(dt.time(16, 30))
    test.run()
    press(test, "计算调整")
    assert not test.exception and not test.error
    job = reads.latest_job(parts, kind="repair")
    assert job is not None and job.status is JobStatus.QUEUED
    assert job.parameters == {
        "plan": small.PLAN,
        "absent": "E03",
        "date": small.TODAY.isoformat(),
        "at": [small.TODAY.isoformat(), 16 * 3600 + 1800],
        "add": ["I9"],
        "drop": ["I6-evening"],
        "pins": ["I2-evening"],
        "locks": [f"{small.EVENING}-T1"],
    }
    assert codes(parts) == [small.PLAN]


def test_names_and_words_stand_for_codes_in_the_form(open_page: Open) -> None:
    test = open_page("lead", "roster")
    assert "检查员3" in pick(test, "selectbox", "谁不能出勤").options
    assert "第 2 组" in pick(test, "selectbox", "谁不能出勤").options
    visits = pick(test, "multiselect", "取消的家次").options
    assert "机构02 · 9月17日 周四 工作日晚间 第 1 组 18:00" in visits
    urgent = pick(test, "multiselect", "加急检查的机构").options
    # The eleventh is not in the plan, the twelfth has no point.
    assert "机构11" in urgent and "机构12" not in urgent
    locks = pick(test, "multiselect", "完全不动的时段、小组或班次").options
    assert locks[:2] == ["9月17日 周四 工作日晚间（各组）", "第 1 组（整个期间）"]


def test_a_revision_shows_what_changed_and_is_published_like_any_draft(
    open_page: Open, parts: Wiring
) -> None:
    code = repaired(parts, absent="T2", date=small.TODAY.isoformat(), add=["I9"])
    test = open_page("lead", "roster", plan=code)
    text = words(test)
    assert "第 2 组 9月17日 周四不能出勤；加急 机构09" in text
    assert "本班不再出动" in text and "9月17日 周四 工作日晚间 第 1 组" in text
    assert "任何方案都不可能超过" in text
    (changed,) = (item for item in test.expander if item.label.startswith("本次调整改了什么"))
    assert changed.proto.expanded and small.PLAN in changed.label
    press(test, "发布")
    assert not test.exception and not test.error
    assert "已发布，不可修改" in words(test)


def test_any_two_plans_of_a_period_are_compared(open_page: Open, parts: Wiring) -> None:
    code = repaired(parts, drop=["I2-evening"])
    test = open_page("boss", "roster", plan=small.PLAN)
    assert "两个方案" not in words(test)
    pick(test, "selectbox", "与哪个方案比较").select(code)
    text = words(test.run())
    assert "新增 1 家次，减少 1 家次" in text and "机构02" in text
    found = revisions.difference(parts, small.PLAN, code)
    assert [move.visit for move in found.comparison.dropped] == ["I2-evening"]
    assert found.crews == () and found.duties == {"I1-evening", "I4-evening"}
    same = revisions.difference(parts, code, code).comparison
    assert (same.moved, same.retimed, same.added, same.dropped) == ((), (), (), ())


@pytest.mark.parametrize(
    ("language", "told"),
    [
        ("zh", "改动与方案不符：家次 机构02 锁定的班次 9月17日 周四 工作日晚间 第 1 组 已缺勤。"),
        ("en", "visit 机构02 is pinned to shift Thu 17 Sep, Workday evening, Team 1, which is absent"),
    ],
)
def test_a_refused_change_says_why_by_name(open_page: Open, parts: Wiring, language: str, told: str) -> None:
    event = {"plan": small.PLAN, "absent": "T1", "pins": ["I2-evening"]}
    with parts.store.begin(actor="lead", now=parts.now()) as session:
        jobs.enqueue(session, kind="repair", parameters=event, created_by="lead", now=parts.now())
    assert worker.run_next(parts)
    test = open_page("lead", "roster", lang=language)
    assert told in words(test)
    assert codes(parts) == [small.PLAN]


@pytest.mark.parametrize("username", ["boss", "worker", "admin"])
def test_who_does_not_plan_changes_and_draws_nothing(open_page: Open, username: str) -> None:
    test = open_page(username, "roster")
    labels = {button.label for button in test.button}
    assert not test.exception and not {"计算调整", "承诺一次新的抽签", "生成方案"} & labels


def test_a_plan_whose_period_is_over_is_not_changed(open_page: Open, parts: Wiring) -> None:
    with parts.store.begin(actor="test", now=parts.now()) as session:
        plan = session.get_one(PlanRevision, 1)
        plan.period_to = small.TODAY - dt.timedelta(days=1)
    assert "计算调整" not in [button.label for button in open_page("lead", "roster").button]


def test_a_draw_is_committed_chosen_and_its_seed_kept(open_page: Open, parts: Wiring) -> None:
    test = open_page("lead", "roster")
    first, last = small.TODAY + dt.timedelta(days=4), small.TODAY + dt.timedelta(days=8)
    press(test, "承诺一次新的抽签")
    assert "抽签须在期间开始前承诺" in words(test)
    pick(test, "date_input", "开始日期").set_value(first)
    pick(test, "date_input", "结束日期").set_value(last)
    test.run()
    rounds = [box for box in test.selectbox if box.label == "轮次"]
    assert rounds[0].options == ["秋季日常 09-15–01-14（暂定）"]
    rounds[0].select_index(0)
    pick(test, "slider", "随机抽查比例（%）").set_value(20)
    pick(test, "number_input", "每周联合时段（个）").set_value(2)
    pick(test, "multiselect", "联合检查的单位").select("教育局")
    pick(test, "number_input", "领导带队（次）").set_value(1)
    test.run()
    press(test, "承诺一次新的抽签")
    assert not test.exception and not test.error
    with parts.store.reading() as session:
        record = session.scalars(select(Draw)).one()
    assert (record.period_from, record.period_to, record.control_share) == (first, last, 0.2)
    assert record.round_name is not None and record.round_name.value == "autumn_term"
    assert record.digest in words(test) and str(record.seed) not in words(test)
    seed = pick(test, "number_input", "抽签种子")
    assert seed.disabled and seed.value == 1
    press(test, "生成方案")
    job = reads.latest_job(parts, kind="plan")
    assert job is not None and job.parameters == {
        "from": first.isoformat(),
        "to": last.isoformat(),
        "teams": 6,
        "seed": 1,
        "iterations": 60_000,
        "joint_departments": ["教育局"],
        "joint_slots_a_week": 2,
        "accompanied": 1,
        "draw": record.code,
    }


def test_the_seed_of_a_draw_is_shown_once_it_is_revealed(open_page: Open, parts: Wiring) -> None:
    with parts.store.begin(actor="test", now=parts.now()) as session:
        plan = session.get_one(PlanRevision, 1)
        plan.draw_code, plan.seed = "D20260917-001", 987_654_321
        session.add(
            Draw(
                code="D20260917-001",
                period_from=plan.period_from,
                period_to=plan.period_to,
                control_share=0.1,
                thinning=0.2,
                seed=plan.seed,
                salt="0" * 32,
                candidates=["I1"],
                candidates_digest="0" * 64,
                digest="0" * 64,
                committed_at=small.NOW,
                committed_by="lead",
            )
        )
    hidden = words(open_page("boss", "roster"))
    assert "抽签 D20260917-001：已事先承诺，种子未公开" in hidden and "987654321" not in hidden
    with parts.store.begin(actor="test", now=parts.now()) as session:
        session.scalars(select(Draw)).one().revealed_at = small.NOW
    assert "抽签 D20260917-001：种子 987654321 已公开" in words(open_page("boss", "roster"))


def test_what_changed_after_the_page_was_drawn_is_read_before_it_is_published(
    open_page: Open, parts: Wiring
) -> None:
    """The click of a page that showed no objection sets none aside; the second, read one, does."""
    code = repaired(parts, drop=["I2-evening"])
    test = open_page("lead", "roster", plan=code)
    with parts.store.begin(actor="clerk", now=parts.now()) as session:
        for place in session.scalars(select(Institution)):
            place.status = SiteStatus.DEREGISTERED
    press(test, "发布")
    assert not test.exception and "已发布，不可修改" not in words(test)
    assert next(b for b in test.button if b.label == "发布").disabled
    with parts.store.reading() as session:
        assert find_revision(session, code).status is PlanStatus.DRAFT
    next(box for box in test.checkbox if box.label == "我已核对以上变化，仍要发布").check().run()
    press(test, "发布")
    assert "已发布，不可修改" in words(test)
