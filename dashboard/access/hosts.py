"""Names this server answers to, whether it is reached over TLS, and which cookies follow from that."""

from __future__ import annotations

import ipaddress
import re
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.types import Scope

_HOST = re.compile(r"(?P<name>\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(?::(?P<port>\d{1,5}))?")
_ANY = ("0.0.0.0", "::")  # noqa: S104 - compared, never listened on
_LOOPBACK_NAMES = frozenset({"localhost", "127.0.0.1", "::1"})


def name_of(host: str) -> str | None:
    """Return the lower-case name or address in a ``Host`` header, None when it is none."""
    found = _HOST.fullmatch(host.strip())
    return None if found is None else found["name"].strip("[]").lower().rstrip(".")


def is_loopback(name: str | None) -> bool:
    """Return whether a name or address is this machine's own."""
    if name is None:
        return False
    if name in _LOOPBACK_NAMES:
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


@dataclass(frozen=True)
class Hosts:
    """Which ``Host`` headers are ours.

    Parameters
    ----------
    names
        Lower-case names and addresses.
    addresses
        Whether any bare address will do: a foreign page can point a name of its own at this machine, but not
        an address.
    """

    names: frozenset[str]
    addresses: bool = False

    def holds(self, host: str) -> bool:
        """Return whether a ``Host`` header is ours."""
        name = name_of(host)
        if name is None:
            return False
        if name in self.names:
            return True
        try:
            return self.addresses and bool(ipaddress.ip_address(name))
        except ValueError:
            return False


def own_hosts(listening: str, named: Sequence[str]) -> Hosts:
    """Return the hosts of a server that listens on an address and was given names by its installer."""
    machine = {socket.gethostname().lower(), *_LOOPBACK_NAMES}
    everywhere = listening in _ANY
    asked = {name.lower() for name in named}
    return Hosts(frozenset(asked | machine | ({listening.lower()} - set(_ANY))), everywhere and not named)


def host_of(scope: Scope) -> str:
    """Return the ``Host`` header of a request or websocket."""
    return Headers(scope=scope).get("host", "")


def is_tls(scope: Scope) -> bool:
    """Return whether the browser's connection is encrypted, as the server or a trusted proxy says."""
    return scope.get("scheme") in ("https", "wss")


def is_own_origin(scope: Scope) -> bool:
    """Return whether a form or websocket was sent by one of our own pages: scheme, name and port agree."""
    headers = Headers(scope=scope)
    try:
        told = urlsplit(headers.get("origin") or headers.get("referer") or "")
    except ValueError:
        # No address at all, as "http://[".
        return False
    scheme = "https" if is_tls(scope) else "http"
    return bool(told.netloc) and (told.scheme, told.netloc.lower()) == (scheme, host_of(scope).lower())


@dataclass(frozen=True)
class CookieRule:
    """How cookies leave: ``Secure`` with the ``__Host-`` prefix unless served on loopback.

    Parameters
    ----------
    always
        The installer's own word, None to follow the rule.
    """

    always: bool | None = None

    def is_secure(self, scope: Scope) -> bool:
        """Return whether cookies of this request are for TLS alone."""
        return not is_loopback(name_of(host_of(scope))) if self.always is None else self.always

    def name(self, scope: Scope, plain: str) -> str:
        """Return a cookie's name for this request."""
        return f"__Host-{plain}" if self.is_secure(scope) else plain

    def needs_tls(self, scope: Scope) -> bool:
        """Return whether a browser would drop our cookies: they ask for TLS and there is none."""
        return self.is_secure(scope) and not is_tls(scope)
