"""The phone page: who sees what, in both languages, with names that try to be markup."""

from __future__ import annotations

import datetime as dt
import itertools
import math
import re
import shutil
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import geopandas as gpd
import pytest
import shapely
from starlette.applications import Starlette
from starlette.testclient import TestClient

from dashboard.access.lanes import Lanes
from dashboard.i18n import sentence_for
from dashboard.phone.sketch import draw_sketch
from dashboard.phone.today import (
    MOST_WATCHED,
    amap_link,
    date_title,
    read_today,
    reason_lines,
    render_today,
    routes,
)
from dashboard.settings import Settings
from dashboard.wiring import Wiring
from data.accounts import Identity
from data.store import Store
from data.terms import DayType, Kind, Language, Role, SlotKind
from geo.crs import gcj02_to_wgs84
from geo.travel import straight_line
from planner.draft import make_plan
from planner.itinerary import ShiftView, shifts_between
from planner.options import PlanOptions
from planner.publish import publish
from planner.risk import WEIGHTS
from tests.conftest import NOW, TODAY
from tests.register import (
    LAT,
    LON,
    add_district,
    add_finding,
    add_grid,
    add_institution,
    add_visit,
)

HOSTILE = "<img src=x onerror=alert(1)>\"'&{{7*7}}"
HAN = re.compile("[一-龥]")


class Page(HTMLParser):
    """Collects the tags, the attributes and the text of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.handlers: list[str] = []
        self.links: list[str] = []
        self.text = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.handlers += [name for name, _ in attrs if name.startswith("on")]
        self.links += [value or "" for name, value in attrs if name in ("href", "src")]

    def handle_data(self, data: str) -> None:
        self.text += data


def identity(role: Role, *, officer_id: int | None = None, grid: str | None = None) -> Identity:
    """Return who looks; the display name is hostile too."""
    return Identity(1, "u", HOSTILE, role, officer_id, None, grid, False)


def wire(store: Store, today: dt.date = TODAY) -> Wiring:
    """Return the parts of a door whose clock stands at `today`."""
    return Wiring(
        settings=Settings(database="sqlite://", today=today), store=store, travel=straight_line("ebike")
    )


def page(store: Store, who: Identity, language: Language = "zh", today: dt.date = TODAY) -> Page:
    """Return the page of today."""
    return Page(render_today(read_today(wire(store, today), who, language), language))


@pytest.fixture(scope="module")
def planned_file(migrated_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a register with a published week; the first place has a hostile name and a recheck."""
    path = tmp_path_factory.mktemp("phone") / "register.db"
    shutil.copy(migrated_file, path)
    store = Store(f"sqlite:///{path}")
    with store.begin(actor="t", now=NOW) as session:
        add_district(session, 10)
        add_grid(session, "A", (121.1, 40.2, 121.3, 40.4))
        key = add_institution(session, 99, name=HOSTILE, address=HOSTILE, grid="A", at=(LON, LAT))
        add_finding(session, key, TODAY - dt.timedelta(days=9), recheck_due=TODAY)
    options = PlanOptions(first=TODAY, last=TODAY + dt.timedelta(days=6), teams=2, iterations=100)
    code = make_plan(store, options=options, actor="lead", now=NOW, today=TODAY).code
    with store.begin(actor="lead", now=NOW) as session:
        publish(session, code, actor="lead", now=NOW, today=TODAY)
    store.close()
    return path


@pytest.fixture
def planned(planned_file: Path, tmp_path: Path) -> Iterator[Store]:
    """Yield a copy of that register."""
    store = Store(f"sqlite:///{shutil.copy(planned_file, tmp_path / 'planned.db')}")
    yield store
    store.close()


def shifts(store: Store) -> tuple[ShiftView, ...]:
    """Return the week's shifts."""
    with store.reading() as session:
        return shifts_between(session, first=TODAY, last=TODAY + dt.timedelta(days=6))


def test_an_officer_sees_the_own_shift_in_order(planned: Store) -> None:
    """The stops of the own shifts of the day, and nobody else's."""
    shift = next(s for s in shifts(planned) if any(stop.name == HOSTILE for stop in s.stops))
    member = shift.members[0].officer_id
    content = read_today(wire(planned, shift.date), identity(Role.OFFICER, officer_id=member), "zh")
    own = [s for s in shifts(planned) if s.date == shift.date and member in {m.officer_id for m in s.members}]
    assert [[s.name for s in x.stops] for x in content["shifts"]] == [[s.name for s in x.stops] for x in own]
    stranger = read_today(wire(planned, shift.date), identity(Role.OFFICER, officer_id=999), "zh")
    assert stranger["shifts"] == ()
    nobody = read_today(wire(planned, shift.date), identity(Role.OFFICER), "zh")
    assert (nobody["shifts"], nobody["following"]) == ((), None)


@pytest.mark.parametrize("language", ["zh", "en"])
def test_hostile_names_stay_text(planned: Store, language: Language) -> None:
    """Institution, address and the reader's own name are shown, never run."""
    day = next(s.date for s in shifts(planned) if any(stop.name == HOSTILE for stop in s.stops))
    shown = page(planned, identity(Role.TEAM_LEAD), language, day)
    assert "img" not in shown.tags
    assert shown.handlers == []
    assert shown.text.count(HOSTILE) >= 3
    maps = [urlsplit(link) for link in shown.links if "amap" in link]
    assert HOSTILE in [parse_qs(link.query)["name"][0] for link in maps]
    assert all((link.scheme, link.netloc) == ("https", "uri.amap.com") for link in maps)


def test_the_page_says_why_and_that_it_must(planned: Store) -> None:
    """The recheck with its date comes first, in a sentence."""
    day = next(s.date for s in shifts(planned) if any(stop.name == HOSTILE for stop in s.stops))
    text = page(planned, identity(Role.TEAM_LEAD), "zh", day).text
    assert "必查" in text
    assert f"整改复查，{TODAY} 前" in text
    assert "未能完成" not in text
    assert "—" not in text.replace("——", "")


def test_the_english_page_is_english(planned: Store) -> None:
    """Only names, addresses and the switch to Chinese are Chinese; the language is declared."""
    day = shifts(planned)[0].date
    text = render_today(read_today(wire(planned, day), identity(Role.TEAM_LEAD), "en"), "en")
    assert '<html lang="en">' in text
    left = {
        word for word in re.findall(r"[一-龥]+", Page(text).text) if not re.search("机构|路|号|人|中文", word)
    }
    assert left == set()


def test_without_a_shift_the_next_date_is_told(planned: Store) -> None:
    """The day before the plan names its first date; after it, whom to ask."""
    before = TODAY - dt.timedelta(days=1)
    assert shifts(planned)[0].date.isoformat() in page(planned, identity(Role.TEAM_LEAD), "zh", before).text
    after = page(planned, identity(Role.TEAM_LEAD), "zh", TODAY + dt.timedelta(days=60)).text
    assert "今天没有班次" in after
    assert "请联系组长" in after


@pytest.mark.parametrize("language", ["zh", "en"])
def test_an_empty_register_has_a_page(store: Store, language: Language) -> None:
    """For every role."""
    for role in Role:
        assert page(store, identity(role, grid="A"), language).tags.count("h1") == 1


def test_whoever_reads_no_routes_sees_none(planned: Store) -> None:
    """Administrator, leader and clerk have no shift on the phone."""
    day = shifts(planned)[0].date
    for role in (Role.ADMINISTRATOR, Role.LEADER, Role.CLERK):
        content = read_today(wire(planned, day), identity(role), "zh")
        assert (content["shifts"], content["watched"], content["following"]) == ((), [], None)


def test_a_grid_worker_watches_the_own_grid_and_sees_no_route(planned: Store) -> None:
    """Owed places of the own grid, without times, reasons or crews; paid and foreign ones are not listed."""
    with planned.begin(actor="t", now=NOW) as session:
        paid = add_institution(session, 100, grid="A", kind=Kind.KINDERGARTEN, name="已查园")
        add_institution(session, 101, grid="B", name="别格")
        add_institution(session, 102, grid="A", at=None, name="无位置")
        add_visit(session, paid, TODAY, slot=SlotKind.SCHOOL_HOURS)
    content = read_today(wire(planned), identity(Role.GRID_WORKER, grid="A"), "zh")
    assert [stop.name for stop in content["watched"]] == [HOSTILE]
    assert content["shifts"] == ()
    assert {(stop.time, stop.reasons, stop.mandatory) for stop in content["watched"]} == {("", (), False)}
    shown = page(planned, identity(Role.GRID_WORKER, grid="A"))
    assert "img" not in shown.tags
    assert "不进入场所检查" in shown.text
    assert "人1" not in shown.text
    assert read_today(wire(planned), identity(Role.GRID_WORKER), "zh")["watched"] == []


def test_a_long_watch_list_is_cut(store: Store) -> None:
    """A phone page holds so many places and no more."""
    with store.begin(actor="t", now=NOW) as session:
        for number in range(MOST_WATCHED + 5):
            add_institution(session, number, grid="A")
    watched = read_today(wire(store), identity(Role.GRID_WORKER, grid="A"), "zh")["watched"]
    assert [stop.sequence for stop in watched] == list(range(1, MOST_WATCHED + 1))


class FakeGate:
    """Sets who asks, as the real gate does."""

    def __init__(self, app: Starlette, who: Identity, language: Language) -> None:
        self.app, self.who, self.language = app, who, language

    async def __call__(self, scope: dict[str, object], receive: object, send: object) -> None:
        if scope["type"] == "http":
            scope.setdefault("state", {}).update(identity=self.who, language=self.language, lanes=Lanes())  # type: ignore[attr-defined]
        await self.app(scope, receive, send)  # type: ignore[arg-type]


@pytest.fixture
def client(planned: Store) -> Iterator[TestClient]:
    """Yield a client of the phone routes."""
    inner = Starlette(routes=routes(wire(planned)))
    with TestClient(FakeGate(inner, identity(Role.TEAM_LEAD), "zh")) as made:  # type: ignore[arg-type]
        yield made


def test_routes_answer_with_their_types(client: TestClient) -> None:
    """The page is never cached by the browser; worker and manifest are what they say."""
    today = client.get("/today")
    assert today.status_code == 200
    assert today.headers["cache-control"] == "no-store"
    assert "今日巡查" in today.text
    assert client.get("/sw.js").headers["content-type"].startswith("text/javascript")
    manifest = client.get("/manifest.webmanifest")
    assert manifest.json()["start_url"] == "/m/today"
    assert client.get("/static/../today.py").status_code == 404
    assert client.post("/today").status_code == 405


def test_the_page_needs_no_other_server(client: TestClient) -> None:
    """Nothing is loaded from elsewhere: links lead out only when touched."""
    text = client.get("/today").text
    assert re.findall(r'(?:src|@import|url\()\s*=?\s*["\']?https?:', text) == []
    assert "<link" not in re.sub(r'<link rel="(?:manifest|icon)" href="(?:/m/|data:)[^"]*">', "", text)


@pytest.mark.parametrize("language", ["zh", "en"])
def test_every_reason_and_factor_has_a_sentence(language: Language) -> None:
    """No code is shown to people, and no field stays empty."""
    reasons: list[dict[str, object]] = [
        {"reason": "due", "slot_class": "noon", "last_seen": "2026-10-01"},
        {"reason": "due", "slot_class": "noon", "last_seen": None},
        {"reason": "recheck", "date": "2026-11-25", "record_id": 1},
        {"reason": "tip", "date": "2026-11-25", "record_id": 1},
        *({"factor": name, "points": 1.0, "date": None, "record_id": None, "value": 2.0} for name in WEIGHTS),
    ]
    lines = reason_lines(reasons, language)
    assert len(lines) == len(reasons)
    for line in lines:
        assert "未能完成" not in line
        assert "did not complete" not in line
        assert "—" not in line
        assert bool(HAN.search(line)) is (language == "zh")
    codes = [
        "gap",
        "improvable",
        "no_room",
        "no_slot",
        "no_window",
        "not_placed",
        "not_worth",
        "over_capacity",
        "too_far",
        "too_long",
    ]
    for code in codes:
        assert code not in sentence_for(f"unserved.{code}", {}, language)


def test_dates_as_people_say_them() -> None:
    """A worked Sunday says so."""
    day = dt.date(2026, 9, 20)
    assert date_title(day, DayType.SHIFTED_WORKDAY, "zh") == "9月20日 周日（调休上班）"
    assert date_title(TODAY, DayType.WORKDAY, "zh") == "11月23日 周一"
    assert date_title(day, DayType.SHIFTED_WORKDAY, "en") == "Sun 20 Sep 2026 (Make-up workday)"


def test_the_map_link_is_gcj02() -> None:
    """Converted back it is the place, to a metre."""
    position = parse_qs(urlsplit(amap_link(LON, LAT, "甲/&=乙")).query)
    lon, lat = (float(v) for v in position["position"][0].split(","))
    back_lon, back_lat = gcj02_to_wgs84([lon], [lat])
    assert (back_lon[0], back_lat[0]) == (pytest.approx(LON, abs=1e-5), pytest.approx(LAT, abs=1e-5))
    assert abs(lon - LON) > 0.002
    assert position["name"] == ["甲/&=乙"]


def test_the_sketch_shows_the_depot_however_far_and_no_mark_hides_another() -> None:
    """The way, the stops and the depot lie in the frame; stops of one street stand apart."""
    stops = [(LON + 0.0004 * n, LAT) for n in range(5)]
    depot = (LON + 0.06, LAT - 0.02)
    track = [depot, (LON + 0.03, LAT + 0.03), *stops, depot]
    for way in (None, track):
        root = ET.fromstring(draw_sketch(stops, team=1, grids=None, track=way, depot=depot, depot_word="起"))
        svg = "{http://www.w3.org/2000/svg}"
        line = [
            tuple(map(float, p.split(",")))
            for p in root.findall(f"{svg}polyline")[-1].get("points", "").split()
        ]
        assert line[0] == line[-1] and len(line) == (7 if way is None else 8)
        assert all(0 <= x <= 360 and 0 <= y <= 240 for x, y in line)
        mark = root.findall(f"{svg}rect")[-1]
        assert "起" in [text.text for text in root.findall(f"{svg}text")]
        middle = (float(mark.get("x", "")) + 9, float(mark.get("y", "")) + 9)
        assert math.dist(middle, line[0]) < 0.2
        circles = [(float(c.get("cx", "")), float(c.get("cy", ""))) for c in root.findall(f"{svg}circle")]
        marks = [middle, *circles]
        assert min(math.dist(a, b) for a, b in itertools.combinations(marks, 2)) >= 20
        assert all(10 <= x <= 350 and 10 <= y <= 230 for x, y in marks)


def test_sketch_is_a_drawing_inside_its_frame() -> None:
    """Well-formed, one circle a stop, everything inside, also for one stop or two at one point."""
    grids = gpd.GeoDataFrame(
        geometry=[shapely.box(LON - 1, LAT - 1, LON, LAT + 1), shapely.Point(LON, LAT).buffer(0.002)],
        crs=4326,
    )
    assert draw_sketch([], team=1, grids=None) == ""
    for stops in ([(LON, LAT)], [(LON, LAT)] * 2, [(LON + n / 300, LAT + n % 3 / 200) for n in range(9)]):
        for team in (1, 9):
            root = ET.fromstring(draw_sketch(stops, team=team, grids=grids))
            circles = root.findall("{http://www.w3.org/2000/svg}circle")
            assert len(circles) == len(stops)
            assert all(0 <= float(c.get("cx", "")) <= 360 for c in circles)
            assert all(0 <= float(c.get("cy", "")) <= 240 for c in circles)
