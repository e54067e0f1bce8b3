"""Log-in: alike answers, growing waits, known devices, one session a browser, every refusal on record."""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import pytest
from sqlalchemy import select
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.testclient import TestClient

from dashboard import api, auth
from dashboard import wiring as wired
from dashboard.access import login, password, presence
from dashboard.access.faults import Faults
from dashboard.access.hosts import CookieRule, own_hosts
from dashboard.access.lanes import Lanes
from dashboard.access.limits import BusyError, Lane
from dashboard.access.sockets import Sockets
from dashboard.access.watch import end_watch
from dashboard.headers import SecurityHeaders
from dashboard.settings import Settings
from data import accounts
from data.access import credentials, passwords, sessions
from data.demo.people import DEMO_PASSWORD
from data.schema import AuditEvent, LoginSession, User
from data.terms import Role
from tests import small_district as small
from tests.conftest import NOW
from tests.loops import run

NAMES = ("lead", "boss", "worker")
T = TypeVar("T")


@pytest.fixture
def clock() -> list[dt.datetime]:
    """Return the present, which a test may move."""
    return [NOW]


@pytest.fixture
def parts(migrated_file: Path, tmp_path: Path, clock: list[dt.datetime]) -> Iterator[wired.Wiring]:
    """Wire a register with three users and a clock that stands still."""

    class Stopped(wired.Wiring):
        def now(self) -> dt.datetime:
            return clock[0]

    (tmp_path / "register.db").write_bytes(migrated_file.read_bytes())
    settings = Settings(database=f"sqlite:///{tmp_path / 'register.db'}", var=tmp_path, worker=False)
    plain = wired.assemble(settings)
    made = Stopped(settings=settings, store=plain.store, travel=plain.travel)
    wired.install(made)
    with made.store.begin(actor="test", now=NOW) as session:
        for name in NAMES:
            accounts.create_user(
                session,
                username=name,
                display_name=name,
                role=Role.TEAM_LEAD,
                password_hash=small.hashed(),
                must_change_password=False,
            )
    yield made
    made.close()


def browser(
    host: str = "localhost", address: str = "127.0.0.1", scheme: str = "http", lanes: Lanes | None = None
) -> TestClient:
    """Return a new browser at an address; it keeps its cookies."""
    cookies = CookieRule()
    app = Starlette(
        routes=[*login.routes(), *password.routes(), *api.routes()],
        middleware=[
            Middleware(SecurityHeaders, cookies=cookies),
            Middleware(Faults),
            Middleware(
                auth.Gate,
                hosts=own_hosts("127.0.0.1", ["x.gov"]),
                cookies=cookies,
                sockets=Sockets(),
                lanes=lanes or Lanes(),
            ),
        ],
    )
    base = f"{scheme}://{host}"
    made = TestClient(app, base_url=base, follow_redirects=False, client=(address, 1))
    made.headers.update({"origin": base, "accept": "text/html"})
    return made


def enter(client: TestClient, username: str = "lead", password: str = small.PASSWORD) -> Any:
    """Send the log-in form."""
    return client.post("/login", data={"username": username, "password": password, "next": "/"})


def logged(parts: wired.Wiring, action: str) -> list[tuple[str, str, Any]]:
    """Return actor, key and content of the audit links of an action."""
    with parts.store.reading() as session:
        found = session.scalars(select(AuditEvent).where(AuditEvent.action == action)).all()
        return [(link.actor, link.entity_key, link.after) for link in found]


@contextmanager
def hashing(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str | None]]:
    """Keep which hashes are checked, and check nothing: the work is argon2's."""
    checked: list[str | None] = []
    plain = passwords.holds

    def holds(password_hash: str | None, password: str) -> bool:
        checked.append(password_hash)
        return plain(password_hash, password)

    monkeypatch.setattr(passwords, "holds", holds)
    yield checked


def test_no_wrong_try_tells_who_exists(parts: wired.Wiring, monkeypatch: pytest.MonkeyPatch) -> None:
    """Known and unknown, open and stopped: the same words, status and work."""
    with parts.store.begin(actor="test", now=NOW) as session:
        credentials.set_active(session, username="boss", active=False)
    with hashing(monkeypatch) as checked:
        answers = [
            enter(browser(address=f"10.0.0.{n}"), name, word)
            for n, (name, word) in enumerate(
                [
                    ("lead", "wrong"),
                    ("nobody", "wrong"),
                    ("boss", "wrong"),
                    ("boss", small.PASSWORD),
                    ("a\0b", "x"),
                ]
            )
        ]
    told = {
        (a.status_code, a.text.replace(n, ""))
        for a, n in zip(answers, ("lead", "nobody", "boss", "boss", "a\0b"), strict=True)
    }
    texts = {text.split('role="alert">')[1].split("<")[0] for _, text in told}
    assert {a.status_code for a in answers} == {403} and texts == {"用户名或密码不正确。"}
    assert len(checked) == 5


def test_five_wrong_tries_of_a_stranger_lock_nobody_out(parts: wired.Wiring) -> None:
    """The owner comes in at once, from a browser that was never here before."""
    stranger = browser(address="10.0.0.66")
    for _ in range(5):
        assert enter(stranger, password="wrong").status_code == 403
    assert enter(browser(address="10.0.0.1")).status_code == 303


def test_a_flood_holds_up_strangers_and_not_a_known_device(
    parts: wired.Wiring, clock: list[dt.datetime], monkeypatch: pytest.MonkeyPatch
) -> None:
    """After the free tries every further one waits; the owner's own browser does not."""
    own = browser(address="10.0.0.1")
    assert enter(own).status_code == 303
    own.post("/logout")
    for number in range(8):
        assert enter(browser(address=f"10.0.1.{number}"), password="wrong").status_code in (403, 429)
    stranger = browser(address="10.0.0.66")
    with hashing(monkeypatch) as checked:
        held = enter(stranger)
    assert held.status_code == 429 and "秒后再试" in held.text and checked == []
    assert "retry" not in held.text
    assert enter(own).status_code == 303
    clock[0] = NOW + dt.timedelta(minutes=2)
    assert enter(stranger).status_code == 303


class Taken(Lane):
    """A lane in which somebody has taken all places that are for one address."""

    async def run(self, who: object, work: Callable[[], T], *, request: Request | None = None) -> T:
        """Refuse that address, serve everybody else."""
        if who == "10.0.0.1":
            raise BusyError
        return await super().run(who, work, request=request)


def test_a_stranger_behind_the_office_address_keeps_no_known_device_out(parts: wired.Wiring) -> None:
    """The places of an address are for browsers nobody knows; one of the account's own needs none of them."""
    own = browser(address="10.0.0.1")
    assert enter(own).status_code == 303
    own.post("/logout")
    crowded = browser(address="10.0.0.1", lanes=Lanes(login=Taken(at_once=2, per_person=8, waiting=100)))
    assert enter(crowded).status_code == 503
    crowded.cookies.update(own.cookies)
    assert enter(crowded).status_code == 303
    # Another account's device is as good as none.
    assert enter(crowded, "boss").status_code == 503


def test_one_address_may_not_try_name_after_name(parts: wired.Wiring) -> None:
    """Names that do not exist count against the address like any other."""
    stranger = browser(address="10.0.0.66")
    codes = [enter(stranger, f"name{n}", "wrong").status_code for n in range(13)]
    assert codes[:10] == [403] * 10 and codes[-1] == 429
    assert enter(browser(address="10.0.0.1")).status_code == 303


def test_every_refused_try_is_on_record(parts: wired.Wiring) -> None:
    """Each try that was checked has a link; those held up are written in bulk; no typed name in clear."""
    stranger = browser(address="10.0.0.66")
    for _ in range(10):
        enter(stranger, "my-secret-typed-here", "wrong")
    for _ in range(7):
        enter(stranger, "lead", "wrong")
    presence.tell(parts)
    links = logged(parts, "login_refused")
    assert sum(after["tries"] for *_, after in links) == 17
    assert {key for _, key, _ in links} <= {"unknown", "lead"}
    assert {actor for actor, *_ in links} == {"anonymous", "server"}
    with parts.store.reading() as session:
        texts = " ".join(str(link.after) + link.entity_key for link in session.scalars(select(AuditEvent)))
    assert "my-secret" not in texts
    presence.tell(parts)
    assert len(logged(parts, "login_refused")) == len(links)


def test_no_password_is_hashed_while_the_register_is_locked(
    parts: wired.Wiring, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While passwords are checked or made, somebody else can write."""
    free: list[bool] = []

    def can_write() -> None:
        def write() -> None:
            with parts.store.begin(actor="other", now=NOW) as session:
                session.execute(select(User.id))
            free.append(True)

        thread = threading.Thread(target=write)
        thread.start()
        thread.join(5)

    for name in ("holds", "hash_password"):
        plain = getattr(passwords, name)
        monkeypatch.setattr(passwords, name, lambda *a, plain=plain: (can_write(), plain(*a))[1])
    client = browser()
    assert enter(client, password="wrong").status_code == 403
    assert enter(client).status_code == 303
    new = {"old": small.PASSWORD, "new": "tall-3-trees-by-it", "again": "tall-3-trees-by-it"}
    assert client.post("/password", data=new).status_code == 303
    assert len(free) >= 5


def test_logging_in_again_ends_the_session_before_in_that_browser(parts: wired.Wiring) -> None:
    """Another name in the same browser too; other browsers go on."""
    first, other = browser(), browser(address="10.0.0.2")
    enter(first), enter(other)
    before = first.cookies[auth.SESSION_COOKIE]
    enter(first, "boss")
    kept = first.cookies[auth.SESSION_COOKIE]
    with parts.store.reading() as session:
        alive = set(session.scalars(select(LoginSession.token_hash)))
    assert sessions.token_hash(before) not in alive and sessions.token_hash(kept) in alive and len(alive) == 2


def test_cookies_are_for_tls_beyond_this_machine(parts: wired.Wiring) -> None:
    """Over plain HTTP from elsewhere nobody can log in, and is told why."""
    cookies = enter(browser("x.gov", "10.0.0.1", "https")).headers.get_list("set-cookie")
    assert len(cookies) == 2
    assert all(
        c.startswith("__Host-") and "Secure" in c and "Path=/" in c and "Domain" not in c for c in cookies
    )
    refused = enter(browser("x.gov", "10.0.0.1"))
    assert refused.status_code == 403 and "TLS" in refused.text and "set-cookie" not in refused.headers
    near = enter(browser()).headers.get_list("set-cookie")
    assert not any("Secure" in c or c.startswith("__Host-") for c in near)
    assert "strict-transport-security" in browser("x.gov", scheme="https").get("/login").headers
    assert "strict-transport-security" not in browser().get("/login").headers


@pytest.mark.parametrize("origin", ["https://localhost", "http://localhost:1", "http://x.gov", "null", ""])
def test_a_form_from_another_scheme_port_or_name_is_refused(parts: wired.Wiring, origin: str) -> None:
    """Log-in, log-out and password alike."""
    client = browser()
    assert enter(client).status_code == 303
    for path in ("/login", "/logout", "/password"):
        assert client.post(path, data={"username": "lead"}, headers={"origin": origin}).status_code == 403
    assert client.get("/api/grids.geojson").status_code == 200


def test_the_published_password_opens_nothing_from_elsewhere(parts: wired.Wiring) -> None:
    """Behind a proxy too: both ends must be this machine."""
    with parts.store.begin(actor="test", now=NOW) as session:
        credentials.set_password(
            session, username="lead", password_hash=passwords.hash_password(DEMO_PASSWORD), must_change=False
        )
    assert enter(browser("x.gov", "127.0.0.1", "https"), password=DEMO_PASSWORD).status_code == 403
    assert enter(browser("localhost", "10.0.0.1"), password=DEMO_PASSWORD).status_code == 403
    assert enter(browser(), password=DEMO_PASSWORD).status_code == 303


def test_the_last_five_passwords_do_not_come_back(parts: wired.Wiring) -> None:
    """Nor the present one; the sixth back may."""
    client = browser()
    enter(client)
    words = [f"tall-{n}-trees-by-it" for n in range(5)]
    old = small.PASSWORD
    for new in words:
        form = {"old": old, "new": new, "again": new}
        assert client.post("/password", data=form).status_code == 303
        old = new
    for back in words:
        form = {"old": old, "new": back, "again": back}
        assert "最近 5 次" in client.post("/password", data=form).text
    form = {"old": old, "new": small.PASSWORD, "again": small.PASSWORD}
    assert client.post("/password", data=form).status_code == 303


def test_guessing_the_own_old_password_slows_down(parts: wired.Wiring) -> None:
    """Who finds an open desk cannot try word after word."""
    client = browser()
    enter(client)
    form = {"old": "wrong", "new": "tall-3-trees-by-it", "again": "tall-3-trees-by-it"}
    texts = [client.post("/password", data=form).text for _ in range(7)]
    assert "不正确" in texts[0] and "秒后再试" in texts[-1]
    assert len(logged(parts, "password_refused")) == 6


def test_coming_and_going_is_on_record(parts: wired.Wiring) -> None:
    """Log-in, log-out and a new password have a link each."""
    client = browser()
    enter(client)
    client.post(
        "/password", data={"old": small.PASSWORD, "new": "tall-3-trees-by-it", "again": "tall-3-trees-by-it"}
    )
    client.post("/logout")
    assert [logged(parts, action) for action in ("login", "password", "logout")] == [
        [("lead", "lead", None)]
    ] * 3


def test_reads_write_nothing(parts: wired.Wiring, clock: list[dt.datetime]) -> None:
    """Use is noted in memory and told now and then; until then it keeps the session from going idle."""
    client = browser()
    enter(client)

    def stored() -> dt.datetime | None:
        with parts.store.reading() as session:
            return session.scalar(select(LoginSession.seen_at))

    for minutes in (20, 40, 60):
        clock[0] = NOW + dt.timedelta(minutes=minutes)
        assert client.get("/api/grids.geojson").status_code == 200
        assert stored() == NOW
    presence.tell(parts)
    assert stored() == clock[0]
    clock[0] += dt.timedelta(minutes=31)
    assert client.get("/api/grids.geojson").status_code == 303


def test_what_is_in_memory_is_written_when_the_server_stops(parts: wired.Wiring) -> None:
    """A refusal of the last minute is on record too."""
    parts.refused.note("lead", "10.0.0.66")
    run(end_watch(parts))
    assert logged(parts, "login_refused") == [("server", "lead", {"address": "10.0.0.66", "tries": 1})]
