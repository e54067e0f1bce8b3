"""Every view runs for the people it is meant for, and only for them."""

from __future__ import annotations

import datetime as dt
import re
import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest
from streamlit.util import calc_hash

from dashboard import maps, reads, tables
from dashboard import wiring as wired
from dashboard.settings import Settings
from dashboard.wiring import Wiring
from data import accounts, jobs
from data.accounts import Identity
from data.terms import JobStatus, PlanStatus
from planner.itinerary import shifts_on
from tests import small_district as small

APP = str(Path(__file__).resolve().parents[2] / "dashboard" / "app.py")
Open = Callable[..., AppTest]


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("views") / "small.db"
    small.build(path)
    return path


@pytest.fixture
def parts(built: Path, tmp_path: Path) -> Iterator[Wiring]:
    yield from installed(built, tmp_path)


def installed(register: Path, folder: Path) -> Iterator[Wiring]:
    """Put a copy of a register behind the pages."""
    copied = shutil.copy(register, folder / "small.db")
    made = wired.assemble(
        Settings(database=f"sqlite:///{copied}", var=folder, today=small.TODAY, worker=False)
    )
    wired.install(made)
    maps.use_local_assets()
    yield made
    made.close()


def who(parts: Wiring, username: str) -> Identity:
    return small.logged_in(parts, username)


@pytest.fixture
def open_page(parts: Wiring, monkeypatch: pytest.MonkeyPatch) -> Open:
    """Return the opener of a page as somebody: the cookie's place is taken by the identity itself."""

    def opened(username: str | None, page: str = "", **query: str) -> AppTest:
        identity = None if username is None else who(wired.current(), username)
        monkeypatch.setattr("dashboard.access.presence.identify", lambda wiring, token: identity)
        test = AppTest.from_file(APP, default_timeout=30)
        for name, value in query.items():
            test.query_params[name] = value
        # Pages are functions, so AppTest.switch_page cannot name them; Streamlit hashes their path.
        test._page_hash = calc_hash(page) if page else ""
        return test.run()

    return opened


def words(test: AppTest) -> str:
    """Return every text on the page."""
    kinds = [test.markdown, test.error, test.warning, test.title, test.subheader]
    html = [element.proto.body for element in test.get("html")]
    told = as_read("\n".join(str(e.value) for kind in kinds for e in kind))
    return "\n".join([told, *html])


def as_read(text: str) -> str:
    """Return Markdown as a reader sees it: its escapes are not shown."""
    return re.sub(r"\\([!-/:-@\[-`{-~])", r"\1", text.replace("\u2060", ""))


def test_without_a_session_nothing_is_shown(open_page: Open) -> None:
    test = open_page(None)
    assert not test.exception
    assert "登录已失效" in words(test) and "概览" not in words(test)


def test_lists_of_names_are_joined_by_the_language(open_page: Open, parts: Wiring) -> None:
    assert "、" in words(open_page("lead", "route"))
    assert "、" not in words(open_page("lead", "route", lang="en"))
    with parts.store.reading() as session:
        (shift, *_) = shifts_on(session, day=small.TODAY, officer_id=None)
    several = tuple(
        replace(member, leads=True, official=bool(n % 2)) for n, member in enumerate(shift.members * 2)
    )
    crowded = replace(shift, members=(*several, *(replace(m, leads=False, official=False) for m in several)))
    told = {language: tables.shift_rows([crowded], language).to_string() for language in ("zh", "en")}
    assert told["zh"].count("、") >= 3 and "、" not in told["en"] and told["en"].count(", ") >= 3


@pytest.mark.parametrize("page", ["", "roster", "route", "coverage", "hotspots", "evidence"])
@pytest.mark.parametrize("language", ["zh", "en"])
def test_a_team_lead_opens_every_page_in_both_languages(open_page: Open, page: str, language: str) -> None:
    test = open_page("lead", page, lang=language)
    assert not test.exception and not test.error
    titles = {
        "zh": {
            "": "概览",
            "roster": "排班与路线",
            "route": "我的路线",
            "coverage": "网格覆盖",
            "hotspots": "学校周边",
            "evidence": "成效与公平",
        },
        "en": {
            "": "Overview",
            "roster": "Roster",
            "route": "My route",
            "coverage": "Grid",
            "hotspots": "Near",
            "evidence": "Results and fairness",
        },
    }
    assert titles[language][page] in words(test)


def test_the_overview_counts_places_and_visits(open_page: Open) -> None:
    test = open_page("lead")
    assert {m.label: m.value for m in test.metric} == {
        "机构（家）": "12",
        "近 30 日检查（家次）": "5",
        "未销号问题（个）": "2",
        "逾期复查（个）": "1",
        "未办结举报（件）": "1",
    }
    assert "轮次：秋季日常" in words(test)


def test_the_roster_shows_the_plan_and_publishes_nothing_twice(open_page: Open) -> None:
    test = open_page("lead", "roster")
    assert [m.value for m in test.metric][:3] == ["6 / 11", "6 / 9", "2 / 2"]
    assert "发布" not in [button.label for button in test.button]
    assert "已发布，不可修改" in words(test)
    (shares,) = (item for item in test.expander if item.label.startswith("出勤均衡"))
    (table,) = shares.dataframe
    assert list(table.value.columns[:4]) == ["人员", "占应值", "本期", "半年"]
    assert len(table.value) > 0


def test_generate_queues_one_job(open_page: Open, parts: Wiring) -> None:
    test = open_page("lead", "roster")
    next(b for b in test.button if b.label == "生成方案").click()
    test.run()
    assert not test.exception
    job = reads.latest_job(parts, kind="plan")
    assert job is not None and job.status is JobStatus.QUEUED
    assert job.parameters["from"] == small.TODAY.isoformat() and job.parameters["teams"] == 6


def test_a_failed_job_tells_why_in_words(open_page: Open, parts: Wiring) -> None:
    with parts.store.begin(actor="test", now=parts.now()) as session:
        key = jobs.enqueue(session, kind="plan", parameters={}, created_by="lead", now=parts.now())
        jobs.fail(session, key, code="no_certified_officers", fields={}, trace="secret", now=parts.now())
    test = open_page("lead", "roster")
    assert "没有持有效执法证的人员" in words(test) and "secret" not in words(test)


def test_a_provisional_draft_asks_before_it_publishes(open_page: Open, parts: Wiring) -> None:
    with parts.store.begin(actor="test", now=parts.now()) as session:
        from data.schema import PlanRevision

        plan = session.get(PlanRevision, 1)
        assert plan is not None
        plan.status, plan.provisional = PlanStatus.DRAFT, True
    test = open_page("lead", "roster")
    publish = next(b for b in test.button if b.label == "发布")
    assert publish.disabled
    test.checkbox[0].check()
    test.run()
    assert not next(b for b in test.button if b.label == "发布").disabled


def test_leaders_look_but_neither_generate_nor_publish(open_page: Open) -> None:
    test = open_page("boss", "roster")
    labels = [button.label for button in test.button]
    assert not test.exception and "生成方案" not in labels and "发布" not in labels


def test_my_route_lists_the_own_stops_in_order_with_reasons(open_page: Open) -> None:
    text = words(open_page("lead", "route"))
    assert text.index("2. 机构02") < text.index("3. 机构03")
    assert "距学校 500 米内" in text and "本轮晚间应查，尚未查过" in text
    assert "托管看护 · 本轮未查" in text
    assert "机构04" not in text
    assert small.HOSTILE not in text and "&lt;img src=x" in text


def test_my_route_in_english_has_english_punctuation(open_page: Open) -> None:
    text = words(open_page("lead", "route", lang="en"))
    assert "Why on the list: " in text
    assert "：" not in text and "；" not in text


def test_a_day_without_shift_names_the_next_one(open_page: Open) -> None:
    test = open_page("lead", "route", day="2026-09-10")
    assert "这一天没有您的班次" in words(test) and "2026-09-17" in words(test)


def test_filters_live_in_the_address(open_page: Open) -> None:
    test = open_page("lead", "coverage", kind="care", points="off", to="2026-09-10")
    assert {s.label: s.value for s in test.selectbox} == {"机构类别": "care", "机构点位": "off"}
    assert test.date_input[0].value == dt.date(2026, 9, 10)
    test.selectbox[0].select("all").run()
    assert "kind" not in test.query_params and test.query_params["points"] == "off"


def test_coverage_adds_up(open_page: Open) -> None:
    test = open_page("lead", "coverage")
    figures = {m.label: m.value for m in test.metric}
    owed, paid = int(figures["应查（家次）"]), int(figures["已查（家次）"])
    assert 0 < paid < owed
    assert figures["覆盖率"] == f"{paid / owed:.1%}"
    assert "2026-09-17 属于轮次：秋季日常（2026-09-15 至 2027-01-14）" in words(test)


def test_two_findings_near_schools_are_too_few_to_tell(open_page: Open) -> None:
    test = open_page("lead", "hotspots", radius="1000")
    assert "样本太少，不作判断" in words(test)
    assert {m.label: m.value for m in test.metric}["高于基准（所）"] == "—"


@pytest.mark.parametrize(
    ("username", "hidden"),
    [
        ("worker", "hotspots"),
        ("worker", "evidence"),
        ("worker", "roster"),
        ("admin", "coverage"),
        ("boss", "route"),
        ("boss", "locations"),
        ("worker", "colocation"),
        ("worker", "grids"),
    ],
)
def test_a_page_beyond_the_role_is_refused_in_words(open_page: Open, username: str, hidden: str) -> None:
    test = open_page(username, hidden)
    titles = {
        "evidence": "成效与公平",
        "hotspots": "学校周边",
        "roster": "排班与路线",
        "coverage": "网格覆盖",
        "route": "我的路线",
        "locations": "坐标核对",
        "colocation": "同址机构",
        "grids": "网格与片区",
    }
    assert not test.exception
    assert ["没有此项权限" in error.value for error in test.error] == [True]
    assert f">{titles[hidden]}</h1>" not in words(test)


def test_the_administrator_sees_accounts_and_no_institution(open_page: Open) -> None:
    text = words(open_page("admin"))
    assert ">账号</h1>" in text and "机构0" not in text and "概览" not in text


def test_an_empty_register_says_what_to_do(open_page: Open, parts: Wiring, tmp_path: Path) -> None:
    from data.terms import Role

    empty = wired.assemble(replace(parts.settings, database=f"sqlite:///{tmp_path / 'empty.db'}"))
    empty.store.upgrade()
    with empty.store.begin(actor="test", now=empty.now()) as session:
        accounts.create_user(
            session,
            username="lead",
            display_name="组长",
            role=Role.TEAM_LEAD,
            password_hash=small.hashed(),
            must_change_password=False,
        )
    wired.install(empty)
    for page, text in (
        ("", "请内勤导入机构名单"),
        ("roster", "还没有方案"),
        ("route", "未关联执法人员"),
        ("coverage", "没有可见的网格"),
        ("hotspots", "没有学校或已定位的机构"),
        ("evidence", "请执法人员先录入检查情况"),
    ):
        test = open_page("lead", page)
        assert not test.exception
        assert text in words(test)
    empty.close()


def test_two_findings_prove_nothing_about_the_scorecard(open_page: Open) -> None:
    test = open_page("boss", "evidence", **{"from": "2026-07-01"})
    assert not test.exception and "发现问题仅 2 家次，样本太少，不作判断" in words(test)
    figures = {m.label: m.value for m in test.metric}
    assert figures["比实际提前（天）"] == figures["比随机提前（天）"] == figures["最易被猜中"] == "—"
    burden, card, *_ = (item.value for item in test.dataframe)
    assert set(burden["实查/应查"]) == {"—"} and burden["检查（家次）"].sum() == 6
    assert dict(zip(card["因素"], card["分值"], strict=True))["无证无照线索"] == "+6"
    by_kind = open_page("boss", "evidence", by="kind", **{"from": "2026-07-01"})
    assert "学科类" in set(by_kind.dataframe[0].value["分组"])


def test_the_scorecard_shows_version_approver_and_the_points_before(open_page: Open, parts: Wiring) -> None:
    from planner.risk import WEIGHTS
    from planner.scorecard import approve_card, propose_card

    lead, boss = who(parts, "lead"), who(parts, "boss")
    with parts.store.begin(actor="test", now=parts.now()) as session:
        weights = {**WEIGHTS, "unlicensed": 9}
        first = propose_card(session, weights, identity=lead, now=parts.now())
        approve_card(session, first, identity=boss, now=parts.now(), today=small.TODAY)
        propose_card(session, WEIGHTS, identity=lead, now=parts.now())
    test = open_page("boss", "evidence")
    captions = as_read("\n".join(str(item.value) for item in test.caption))
    assert "第 1 版，lead 提出，boss 批准，自 2026-09-17 起" in captions
    assert "第 2 版，lead 提出，待批准" in captions
    card = next(item.value for item in test.dataframe if "上一版" in item.value.columns)
    row = card[card["因素"] == "无证无照线索"].iloc[0]
    assert (row["分值"], row["上一版"]) == ("+9", "+6")
