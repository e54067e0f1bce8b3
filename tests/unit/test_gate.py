"""The gate stands before pages, routes and the websocket, and every route asks for its permission."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import select
from starlette.testclient import TestClient
from starlette.websockets import WebSocketDisconnect

from dashboard import auth, server
from dashboard import wiring as wired
from dashboard.access import login
from dashboard.settings import Settings
from data.schema import AuditEvent, Institution
from tests import small_district as small

HOST = "http://localhost"
PAGE = {"accept": "text/html"}
FORM = {"origin": HOST, **PAGE}


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[object]:
    folder = tmp_path_factory.mktemp("gate")
    url = small.build(folder / "small.db")
    (folder / "basemap.pmtiles").write_bytes(bytes(range(256)) * 8)
    settings = Settings(database=url, var=folder, today=small.TODAY, worker=False)
    made = server.create_app(settings)
    yield made
    wired.current().close()


@pytest.fixture
def client(app: object) -> TestClient:
    return TestClient(app, base_url=HOST, follow_redirects=False)  # type: ignore[arg-type]


def log_in(client: TestClient, username: str, password: str = small.PASSWORD) -> TestClient:
    form = {"username": username, "password": password, "next": "/"}
    assert client.post("/login", data=form, headers=FORM).status_code == 303
    return client


def test_a_stranger_is_sent_to_the_log_in_page(client: TestClient) -> None:
    answer = client.get("/roster", headers=PAGE)
    assert (answer.status_code, answer.headers["location"]) == (303, "/login?next=/roster")


def test_a_frame_is_told_and_not_sent_to_a_page_that_refuses_frames(client: TestClient) -> None:
    asked = {**PAGE, "sec-fetch-dest": "iframe"}
    answer = client.get("/component/streamlit_folium.st_folium/index.html", headers=asked)
    assert (answer.status_code, answer.json()["error"]["code"]) == (401, "log_in_first")
    assert "frame-ancestors 'self'" in answer.headers["content-security-policy"]
    assert client.get("/roster", headers={**PAGE, "sec-fetch-dest": "document"}).status_code == 303


@pytest.mark.parametrize(
    "path",
    ["/api/institutions.geojson", "/_stcore/health", "/basemap.pmtiles", "/static/x.js"],
)
def test_a_stranger_gets_nothing_else(client: TestClient, path: str) -> None:
    assert client.get(path).status_code == 401


def test_a_stranger_gets_no_websocket(client: TestClient) -> None:
    with (
        pytest.raises(WebSocketDisconnect),
        client.websocket_connect("/_stcore/stream", headers={"origin": HOST}),
    ):
        pass


@pytest.mark.parametrize(
    "path", ["/healthz", "/login", "/assets/gridmap.js", "/vendor/leaflet-1.9.3/leaflet.js"]
)
def test_open_paths_need_no_session(client: TestClient, path: str) -> None:
    assert client.get(path).status_code == 200


def test_the_session_cookie_is_out_of_reach_of_scripts(client: TestClient) -> None:
    form = {"username": "lead", "password": small.PASSWORD, "next": "/coverage"}
    answer = client.post("/login", data=form, headers=FORM)
    assert answer.headers["location"] == "/coverage"
    cookie = answer.headers["set-cookie"].lower()
    assert "httponly" in cookie and "samesite=lax" in cookie


def test_a_wrong_password_is_refused_in_both_languages(client: TestClient) -> None:
    form = {"username": "lead", "password": "wrong", "next": "/"}
    assert "用户名或密码不正确" in client.post("/login", data=form, headers=FORM).text
    answer = client.post("/login?lang=en", data=form, headers=FORM)
    assert "User name or password is wrong" in answer.text and '<html lang="en">' in answer.text
    assert auth.SESSION_COOKIE not in answer.headers.get("set-cookie", "")


@pytest.mark.parametrize("origin", ["http://evil.example", "", "null"])
def test_a_form_of_another_site_is_refused(client: TestClient, origin: str) -> None:
    form = {"username": "lead", "password": small.PASSWORD, "next": "/"}
    answer = client.post("/login", data=form, headers={**PAGE, "origin": origin})
    assert answer.status_code == 403
    assert auth.SESSION_COOKIE not in answer.headers.get("set-cookie", "")


@pytest.mark.parametrize("target", ["//evil.example", "https://evil.example", "/\\evil.example", ""])
def test_log_in_leads_nowhere_else(target: str) -> None:
    assert login.local_path(target) == "/"


def test_every_answer_carries_the_policy(client: TestClient) -> None:
    for path in ("/login", "/healthz", "/assets/gridmap.js"):
        headers = client.get(path).headers
        assert "default-src 'self'" in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"
    assert (
        "unsafe-inline" not in client.get("/login").headers["content-security-policy"].split("style-src")[0]
    )


def test_log_out_ends_the_session(client: TestClient) -> None:
    log_in(client, "lead")
    assert client.get("/api/grids.geojson").status_code == 200
    token = client.cookies[auth.SESSION_COOKIE]
    assert client.post("/logout", headers={"origin": "http://evil.example"}).status_code == 403
    assert client.post("/logout", headers=FORM).status_code == 303
    client.cookies.set(auth.SESSION_COOKIE, token)
    assert client.get("/api/grids.geojson").status_code == 401


@pytest.mark.parametrize(
    ("username", "path", "status"),
    [
        ("lead", "/api/institutions.geojson", 200),
        ("lead", "/api/coverage.geojson", 200),
        ("lead", "/api/hotspots.geojson?radius=500", 200),
        ("lead", f"/api/plan/{small.PLAN}/routes.geojson", 200),
        ("lead", "/api/plan/none/routes.geojson", 404),
        ("lead", f"/api/plan/{small.PLAN}.xlsx", 200),
        ("lead", "/api/plan/none.xlsx", 404),
        ("worker", f"/api/plan/{small.PLAN}.xlsx", 403),
        ("lead", "/api/coverage.geojson?from=1976-01-01", 400),
        ("worker", "/api/coverage.geojson?from=2026-01-01&to=9999-12-31", 400),
        ("lead", "/api/institutions.geojson?to=0001-01-01", 400),
        ("lead", "/api/hotspots.geojson?radius=99999999999999", 200),
        ("lead", "/api/my/routes.geojson", 200),
        ("lead", "/api/coverage.geojson?from=yesterday", 400),
        ("lead", "/api/coverage.geojson?from=2026-09-17&to=2026-09-01", 400),
        ("boss", "/api/my/routes.geojson", 403),
        ("worker", "/api/hotspots.geojson", 403),
        ("worker", f"/api/plan/{small.PLAN}/routes.geojson", 403),
        ("admin", "/api/institutions.geojson", 403),
        ("admin", "/api/grids.geojson", 403),
    ],
)
def test_routes_ask_for_their_permission(client: TestClient, username: str, path: str, status: int) -> None:
    answer = log_in(client, username).get(path)
    assert answer.status_code == status
    if status >= 400:
        assert answer.json()["error"]["message"]


def test_a_grid_worker_sees_only_the_own_grid(client: TestClient) -> None:
    everything = log_in(client, "lead").get("/api/institutions.geojson").json()["features"]
    own = log_in(client, "worker").get("/api/institutions.geojson").json()["features"]
    assert 0 < len(own) < len(everything) == 11
    assert {f["properties"]["id"] for f in own} == {2, 7}


def test_layers_answer_unchanged_until_the_register_changes(client: TestClient) -> None:
    log_in(client, "lead")
    first = client.get("/api/institutions.geojson")
    tag = first.headers["etag"]
    assert client.get("/api/institutions.geojson", headers={"if-none-match": tag}).status_code == 304
    parts = wired.current()
    with parts.store.begin(actor="test", now=parts.now()) as session:
        place = session.get(Institution, 1)
        assert place is not None
        place.address = "另一处"
    assert client.get("/api/institutions.geojson", headers={"if-none-match": tag}).status_code == 200


def test_the_base_map_answers_ranges(client: TestClient) -> None:
    log_in(client, "lead")
    answer = client.get("/basemap.pmtiles", headers={"range": "bytes=0-6"})
    assert (answer.status_code, answer.content) == (206, bytes(range(7)))


def test_the_first_page_has_its_name_too(client: TestClient) -> None:
    assert log_in(client, "lead").get("/overview", headers=PAGE).headers["location"] == "/"


def test_the_shell_speaks_the_visitors_language(client: TestClient) -> None:
    log_in(client, "lead")
    assert '<html lang="zh-CN"' in client.get("/", headers=PAGE).text
    assert '<html lang="en"' in client.get("/?lang=en", headers=PAGE).text
    assert '<html lang="en"' in client.get("/", headers=PAGE).text


def test_the_phone_page_shows_the_own_shift(client: TestClient) -> None:
    text = log_in(client, "lead").get("/m/today", headers=PAGE).text
    assert "机构02" in text and "机构04" not in text
    assert small.HOSTILE not in text and "&lt;img" in text


def test_who_must_change_the_password_goes_nowhere_else(client: TestClient) -> None:
    parts = wired.current()
    from data import accounts
    from data.access import passwords
    from data.terms import Role

    with parts.store.begin(actor="test", now=parts.now()) as session:
        accounts.create_user(
            session,
            username="fresh",
            display_name="新人",
            role=Role.CLERK,
            password_hash=passwords.hash_password("first-pass-1"),
        )
    log_in(client, "fresh", "first-pass-1")
    assert client.get("/", headers=PAGE).headers["location"] == "/password"
    assert client.get("/api/grids.geojson").status_code == 403
    for form, words in (
        ({"old": "first-pass-1", "new": "second-pass-2", "again": "other-pass-3"}, "不一致"),
        ({"old": "first-pass-1", "new": "first-pass-1", "again": "first-pass-1"}, "最近 5 次"),
        ({"old": "first-pass-1", "new": "short1", "again": "short1"}, "至少 10 位"),
        ({"old": "guess-guess-1", "new": "second-pass-2", "again": "second-pass-2"}, "不正确"),
    ):
        assert words in client.post("/password", data=form, headers=FORM).text
    done = {"old": "first-pass-1", "new": "second-pass-2", "again": "second-pass-2"}
    assert client.post("/password", data=done, headers=FORM).status_code == 303
    assert client.get("/api/grids.geojson").status_code == 200


def test_a_workbook_that_leaves_is_on_record(client: TestClient) -> None:
    answer = log_in(client, "boss").get(f"/api/plan/{small.PLAN}.xlsx")
    assert (
        answer.headers["content-disposition"].endswith(f"{small.PLAN}.xlsx") and answer.content[:2] == b"PK"
    )
    with wired.current().store.reading() as session:
        (link,) = session.scalars(
            select(AuditEvent).where(AuditEvent.action == "export", AuditEvent.actor == "boss")
        )
        assert (link.entity_key, link.after) == (small.PLAN, {"format": "xlsx"})
