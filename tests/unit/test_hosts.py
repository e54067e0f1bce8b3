"""Which names are ours, which origins, and which cookies follow."""

from __future__ import annotations

from typing import Any

import pytest

from dashboard.access.hosts import CookieRule, is_own_origin, name_of, own_hosts


def asked(host: str, *, scheme: str = "http", origin: str | None = None) -> dict[str, Any]:
    """Return the scope of a request."""
    headers = [(b"host", host.encode())]
    if origin is not None:
        headers.append((b"origin", origin.encode()))
    return {"type": "http", "scheme": scheme, "headers": headers}


@pytest.mark.parametrize(
    ("host", "name"),
    [
        ("Example.gov:8501", "example.gov"),
        ("example.gov.", "example.gov"),
        ("[::1]:8501", "::1"),
        ("", None),
        ("a b", None),
        ("evil/x", None),
        ("user@host", None),
    ],
)
def test_names_in_a_host_header(host: str, name: str | None) -> None:
    """Ports and case do not count; what is no name is none."""
    assert name_of(host) == name


def test_a_server_answers_to_its_own_names_alone() -> None:
    """Loopback always, the address listened on, and the names the installer gave."""
    private = own_hosts("127.0.0.1", ())
    assert private.holds("localhost:8501") and private.holds("127.0.0.1")
    assert not private.holds("evil.example") and not private.holds("10.0.0.5")
    office = own_hosts("10.0.0.5", ["xuncha.example.gov"])
    assert office.holds("10.0.0.5:8501") and office.holds("XUNCHA.example.gov")
    assert not office.holds("10.0.0.6") and not office.holds("evil.xuncha.example.gov")
    everywhere = own_hosts("0.0.0.0", ())
    assert everywhere.holds("10.0.0.6") and not everywhere.holds("evil.example")
    assert not own_hosts("0.0.0.0", ["xuncha"]).holds("10.0.0.6")


def test_an_origin_counts_with_its_scheme_and_port() -> None:
    """The same name over another scheme is another site."""
    assert is_own_origin(asked("x.gov", origin="http://x.gov"))
    assert is_own_origin(asked("x.gov", scheme="https", origin="https://X.gov"))
    for scope in (
        asked("x.gov", scheme="https", origin="http://x.gov"),
        asked("x.gov", origin="https://x.gov"),
        asked("x.gov:8501", origin="http://x.gov"),
        asked("x.gov", origin="null"),
        asked("x.gov", origin="http://["),
        asked("x.gov", origin="http://[x.gov"),
        asked("x.gov"),
    ):
        assert not is_own_origin(scope)


def test_cookies_are_for_tls_unless_served_on_loopback() -> None:
    """The rule follows the name people use; the installer's word goes before it."""
    rule = CookieRule()
    assert rule.name(asked("localhost:8501"), "c") == "c"
    assert rule.name(asked("x.gov", scheme="https"), "c") == "__Host-c"
    assert rule.needs_tls(asked("x.gov")) and not rule.needs_tls(asked("x.gov", scheme="https"))
    assert not rule.needs_tls(asked("127.0.0.1"))
    assert CookieRule(always=False).name(asked("x.gov"), "c") == "c"
    assert CookieRule(always=True).name(asked("localhost"), "c") == "__Host-c"
