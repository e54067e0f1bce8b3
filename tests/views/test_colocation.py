"""Shared addresses and the grid layer as pages: who reads, who decides, and what is never shown."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient
from starlette.types import ASGIApp, Receive, Scope, Send
from streamlit.testing.v1 import AppTest

from dashboard import api, cases
from dashboard.access.lanes import Lanes
from dashboard.wiring import Wiring
from data import accounts
from data.accounts import Identity
from data.errors import AccountError
from data.schema import Institution
from data.store import Store
from data.terms import ColocationVerdict, Role
from geo.errors import ColocationError
from planner.patrolareas import make_areas
from tests import neighbours
from tests import small_district as small
from tests.views.test_views import Open, built, installed, open_page, parts, who, words

__all__ = ["built", "open_page", "parts"]


@pytest.fixture(scope="module")
def shared_file(built: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The small district with a shared room, a mall, grid faults and two patrol areas, to be copied."""
    path = tmp_path_factory.mktemp("colocation") / "small.db"
    shutil.copy(built, path)
    store = Store(f"sqlite:///{path}")
    with store.begin(actor="test", now=small.NOW) as session:
        neighbours.share_addresses(session)
        make_areas(session, count=2, seed=1, today=small.TODAY, now=small.NOW)
        neighbours.break_grids(session)
        for name, role in (("clerk", Role.CLERK), ("officer", Role.OFFICER)):
            accounts.create_user(
                session,
                username=name,
                display_name=name,
                role=role,
                password_hash=small.hashed(),
                must_change_password=False,
            )
    store.close()
    return path


@pytest.fixture
def shared(shared_file: Path, tmp_path: Path) -> Iterator[Wiring]:
    """A copy of that district behind the pages."""
    yield from installed(shared_file, tmp_path)


def figures(test: AppTest) -> dict[str, str]:
    """Return the headline numbers."""
    return {metric.label: metric.value for metric in test.metric}


def open_case(parts: Wiring) -> cases.Case:
    """Return the shared room."""
    return cases.select(cases.read(parts), level="room", state=None)[0]


def test_the_list_tells_the_evidence_and_never_phones_or_people(open_page: Open, shared: Wiring) -> None:
    test = open_page("lead", "colocation")
    assert not test.exception
    assert figures(test) == {
        "待核实（处）": "1",
        "已认定（处）": "0",
        "普通楼宇（处）": "1",
        "涉及机构（家）": "4",
    }
    text = words(test)
    for told in ("东大街5号 305室", "同一房间", "很可能 0.99", "有联系电话相同", "有负责人相同", "990102001"):
        assert told in text
    assert small.HOSTILE not in text and "&lt;img src=x" in text
    for hidden in (neighbours.PHONE, "12345678", neighbours.PERSON):
        assert hidden not in text
    assert "云锦广场" not in text
    ordinary = words(open_page("lead", "colocation", state="ordinary"))
    assert "西大街8号" in ordinary and "同一楼宇" in ordinary and "地址写明商场、写字楼或市场" in ordinary


@pytest.mark.parametrize("username", ["lead", "clerk"])
def test_who_may_decides_and_the_case_closes(open_page: Open, shared: Wiring, username: str) -> None:
    code = cases.code_of(open_case(shared))
    test = open_page(username, "colocation", case=code)
    test.button[0].click()
    test.run()
    assert "请先选择核实结果" in words(test) and open_case(shared).open
    test.radio[0].set_value(ColocationVerdict.SAME_OPERATOR)
    test.text_area[0].set_value("两块牌子，同一拨人")
    test.button[0].click()
    test.run()
    assert not test.exception and not test.error
    assert [s.value for s in test.success] == ["已记录：同一举办者。"]
    assert figures(test)["待核实（处）"] == "0" and figures(test)["已认定（处）"] == "1"
    told = open_case(shared).decision
    assert told is not None and (told.decided_by, told.note) == (username, "两块牌子，同一拨人")
    settled = words(open_page(username, "colocation", state="settled"))
    assert "两块牌子，同一拨人" in settled and "2026-09-17" in settled


@pytest.mark.parametrize("username", ["boss", "officer"])
def test_leaders_and_officers_read_but_do_not_decide(open_page: Open, shared: Wiring, username: str) -> None:
    case = open_case(shared)
    test = open_page(username, "colocation", case=cases.code_of(case))
    assert not test.exception and "由组长或内勤认定" in words(test) and "很可能 0.99" in words(test)
    assert not test.radio and not test.button
    with pytest.raises(AccountError):
        cases.record(shared, who(shared, username), case, verdict=ColocationVerdict.UNCLEAR, note="")
    assert open_case(shared).decision is None


def test_every_decision_is_listed_and_the_one_that_holds_is_taken_back(
    open_page: Open, shared: Wiring
) -> None:
    case, lead = open_case(shared), who(shared, "lead")
    for verdict in (ColocationVerdict.ORDINARY, *[ColocationVerdict.TRUE_CASE] * 11):
        cases.record(shared, lead, case, verdict=verdict, note="看过")
    test = open_page("lead", "colocation")
    assert words(test).count("已有新认定") == 9 and "第 1–10 项" in words(test)
    test.button(key="colocation.records.下一页").click().run()
    assert "第 11–12 项" in words(test) and words(test).count("已有新认定") == 2
    test.button(key="colocation.records.上一页").click().run()
    cases.record(shared, lead, case, verdict=ColocationVerdict.ORDINARY, note="再看")
    with pytest.raises(ColocationError, match="newer_decision"):
        cases.take_back(shared, lead, 12, note="")
    test = open_page("lead", "colocation")
    next(b for b in test.button if b.key and b.key.startswith("back.")).click().run()
    assert not test.exception and not test.error
    told = open_case(shared).decision
    assert told is not None and (told.verdict, told.note) == (ColocationVerdict.TRUE_CASE, "看过")
    assert len(cases.records(shared, limit=99, skip=0)) == 14, "what was taken back stays on file"


def test_the_first_decision_taken_back_opens_the_case(open_page: Open, shared: Wiring) -> None:
    cases.record(shared, who(shared, "lead"), open_case(shared), verdict=ColocationVerdict.ORDINARY, note="")
    assert not open_case(shared).open
    leader = open_page("boss", "colocation")
    assert not [b for b in leader.button if b.key and b.key.startswith("back.")]
    with pytest.raises(AccountError):
        cases.take_back(shared, who(shared, "boss"), 1, note="")
    with pytest.raises(ColocationError, match="unknown_decision"):
        cases.take_back(shared, who(shared, "lead"), 99, note="")
    test = open_page("lead", "colocation")
    next(b for b in test.button if b.key and b.key.startswith("back.")).click().run()
    assert open_case(shared).open and "撤销上次认定" in words(test)


def test_a_newcomer_opens_the_case_again(open_page: Open, shared: Wiring) -> None:
    case, lead = open_case(shared), who(shared, "lead")
    cases.record(shared, lead, case, verdict=ColocationVerdict.TRUE_CASE, note="")
    with shared.store.begin(actor="test", now=shared.now()) as session:
        at, third = session.get_one(Institution, 1), session.get_one(Institution, 3)
        third.address, third.lon, third.lat = neighbours.ROOM, at.lon, at.lat
    assert "机构有变化，需重新核实" in words(open_page("lead", "colocation"))
    with pytest.raises(ColocationError) as caught:
        cases.record(shared, lead, case, verdict=ColocationVerdict.TRUE_CASE, note="")
    assert caught.value.code == "group_changed"


@pytest.mark.parametrize("page", ["colocation", "grids"])
def test_both_pages_are_for_those_who_see_the_whole_district(
    open_page: Open, shared: Wiring, page: str
) -> None:
    title = {"colocation": "同址机构", "grids": "网格与片区"}[page]
    english = {"colocation": "Shared addresses", "grids": "Grids and areas"}[page]
    for username in ("lead", "clerk", "boss", "officer"):
        assert f">{title}</h1>" in words(open_page(username, page))
    assert f">{english}</h1>" in words(open_page("lead", page, lang="en"))
    for username in ("worker", "admin"):
        test = open_page(username, page)
        assert not test.exception and f">{title}</h1>" not in words(test)


class Known:
    """ASGI middleware in the gate's place: everybody who comes is `identity`."""

    def __init__(self, app: ASGIApp, identity: Identity) -> None:
        self.app, self.identity = app, identity

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        scope.setdefault("state", {}).update(identity=self.identity, language="zh", lanes=Lanes())
        await self.app(scope, receive, send)


def test_the_layer_of_a_hidden_page_is_refused_too(shared: Wiring) -> None:
    routes = ("colocation", "topology", "patrol-areas")
    drawn = {}
    for username, status in (("lead", 200), ("officer", 200), ("worker", 403), ("admin", 403)):
        client = TestClient(Known(Starlette(routes=api.routes()), who(shared, username)))
        for route in routes:
            answer = client.get(f"/api/{route}.geojson")
            assert answer.status_code == status, (username, route)
            drawn[username, route] = answer.json()
    (room, mall) = drawn["lead", "colocation"]["features"]
    assert (room["properties"]["label"], mall["properties"]["label"]) == ("1", "2")
    assert neighbours.PHONE not in str(drawn) and neighbours.PERSON not in str(drawn)
    areas = drawn["lead", "patrol-areas"]["features"]
    assert [f["properties"].get("label") for f in areas] == [None, None, "1", "2"]
    assert all("非官方网格" in f["properties"]["lines"] for f in areas)
    issues = [f for f in drawn["lead", "topology"]["features"] if "label" in f["properties"]]
    assert [f["properties"]["label"] for f in issues] == [str(n + 1) for n in range(len(issues))] != []


def test_the_grid_layer_is_looked_over(open_page: Open, shared: Wiring) -> None:
    test = open_page("boss", "grids", code="990102001002")
    assert not test.exception
    told = figures(test)
    assert told["网格（个）"] == "6" and int(told["拓扑问题（处）"]) > 0
    assert told["超过有效期（个）"] == "1" and told["网格外机构（家）"] == "1"
    issues, versions, *_ = (table.value for table in test.dataframe)
    assert "缝隙" in set(issues["类别"])
    assert list(versions["停用日期"]) == ["2025-07-01", "现行"]
    first = open_page("boss", "grids", issue="0")
    assert first.selectbox[2].value == 0


def test_patrol_areas_say_that_they_are_not_official(open_page: Open, shared: Wiring) -> None:
    test = open_page("boss", "grids", show="areas")
    assert not test.exception
    text = words(test)
    assert "不是官方网格" in text and "分析网格同样不是官方网格" in text
    (table,) = (item.value for item in test.dataframe)
    assert list(table["片区"]) == [1, 2] and table["机构（家）"].sum() == 10
    assert "还没有巡查片区" not in text


def test_without_areas_or_shared_addresses_the_pages_say_what_to_do(open_page: Open) -> None:
    assert "gridpatrol areas make" in words(open_page("lead", "grids", show="areas"))
    assert "没有同址机构" in words(open_page("lead", "colocation"))
