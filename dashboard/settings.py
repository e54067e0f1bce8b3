"""The environment read once into one frozen value."""

from __future__ import annotations

import datetime as dt
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from dashboard.tiles import Tiles, read_tiles

PREFIX = "GRIDPATROL_"
_TRUE, _FALSE = {"1", "true", "yes", "on"}, {"", "0", "false", "no", "off"}


class SettingsError(Exception):
    """One or more settings cannot be used; `faults` names each variable and what is wrong with it."""

    code = "settings"

    def __init__(self, faults: Mapping[str, str]) -> None:
        super().__init__("; ".join(f"{name}: {code}" for name, code in sorted(faults.items())))
        self.faults = dict(faults)
        self.fields: dict[str, object] = {"faults": ", ".join(sorted(faults))}


@dataclass(frozen=True, kw_only=True)
class Online:
    """An online geocoder, never asked unless `allowed`: addresses then leave the office network.

    Parameters
    ----------
    provider, key, url, city
        As `geo.online.client.OnlineOptions`.
    allowed
        Whether addresses may be sent out.
    """

    provider: str = ""
    key: str = field(default="", repr=False)
    allowed: bool = False
    url: str = ""
    city: str = ""


@dataclass(frozen=True, kw_only=True)
class Settings:
    """How this installation runs; every field is one `GRIDPATROL_*` variable.

    Parameters
    ----------
    database
        SQLAlchemy address of the register.
    var
        Folder of run-time files: the default database and the base map.
    host, port
        Where the server listens.
    hosts
        Names under which people reach the server, blank-separated; others are refused. This machine's own
        name, loopback and the address listened on need no naming.
    tls_cert, tls_key
        Files with which the server speaks TLS itself; a proxy in front may do that instead.
    proxies
        Addresses of proxies whose word about client and scheme is taken.
    secure_cookies
        Whether cookies are for TLS alone; None: everywhere but on loopback.
    today
        Fixed local date for demonstrations and tests; None reads the clock.
    worker
        Start the worker of long jobs beside the server.
    log_level
        Least level written to the log.
    tiles
        Tile service of the office network, from TILES (templates), TILES_DATUM and TILES_ATTRIBUTION.
    online
        Online geocoder, from ONLINE_GEOCODER, ONLINE_KEY, ONLINE_ALLOWED, ONLINE_URL and ONLINE_CITY; off.
    audit_key_file
        Key that seals the kept heads of the change log; audit.key in `var` by default.
    """

    database: str = "sqlite:///var/gridpatrol.db"
    var: Path = Path("var")
    host: str = "127.0.0.1"
    port: int = 8501
    hosts: tuple[str, ...] = ()
    tls_cert: Path | None = None
    tls_key: Path | None = None
    proxies: str = "127.0.0.1"
    secure_cookies: bool | None = None
    today: dt.date | None = None
    worker: bool = True
    log_level: str = "INFO"
    tiles: Tiles = field(default_factory=Tiles)
    online: Online = field(default_factory=Online)
    audit_key_file: Path | None = None

    @property
    def basemap(self) -> Path:
        """The base map's PMTiles file."""
        return self.var / "basemap.pmtiles"

    @property
    def words(self) -> Path:
        """The office's own words for kinds, states and authorities (`data.register.wording.read_words`)."""
        return self.var / "words.toml"

    @property
    def audit_key(self) -> Path:
        """The key file of the change log's seals."""
        return self.audit_key_file or self.var / "audit.key"

    @property
    def audit_heads(self) -> Path:
        """The file of the change log's kept heads."""
        return self.var / "audit-heads.log"

    def as_environment(self) -> dict[str, str]:
        """Return the variables from which `from_environment` reads these settings again."""
        return {
            f"{PREFIX}DATABASE": self.database,
            f"{PREFIX}VAR": str(self.var),
            f"{PREFIX}HOST": self.host,
            f"{PREFIX}PORT": str(self.port),
            f"{PREFIX}HOSTS": " ".join(self.hosts),
            f"{PREFIX}TLS_CERT": str(self.tls_cert or ""),
            f"{PREFIX}TLS_KEY": str(self.tls_key or ""),
            f"{PREFIX}PROXIES": self.proxies,
            f"{PREFIX}SECURE_COOKIES": "" if self.secure_cookies is None else str(int(self.secure_cookies)),
            f"{PREFIX}TODAY": "" if self.today is None else self.today.isoformat(),
            f"{PREFIX}WORKER": str(int(self.worker)),
            f"{PREFIX}LOG_LEVEL": self.log_level,
            f"{PREFIX}TILES": " ".join(self.tiles.urls),
            f"{PREFIX}TILES_DATUM": self.tiles.datum,
            f"{PREFIX}TILES_ATTRIBUTION": self.tiles.attribution,
            f"{PREFIX}ONLINE_GEOCODER": self.online.provider,
            f"{PREFIX}ONLINE_KEY": self.online.key,
            f"{PREFIX}ONLINE_ALLOWED": str(int(self.online.allowed)),
            f"{PREFIX}ONLINE_URL": self.online.url,
            f"{PREFIX}ONLINE_CITY": self.online.city,
            f"{PREFIX}AUDIT_KEY_FILE": "" if self.audit_key_file is None else str(self.audit_key_file),
        }

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] | None = None) -> Settings:
        """Read the settings.

        Raises
        ------
        SettingsError
            With every variable that is wrong.
        """
        given = os.environ if environment is None else environment
        faults: dict[str, str] = {}
        var = Path(given.get(f"{PREFIX}VAR") or "var")
        settings = cls(
            database=given.get(f"{PREFIX}DATABASE") or f"sqlite:///{var / 'gridpatrol.db'}",
            var=var,
            host=given.get(f"{PREFIX}HOST") or "127.0.0.1",
            port=_port(given, faults),
            hosts=_hosts(given, faults),
            tls_cert=_file(given, "TLS_CERT", faults),
            tls_key=_file(given, "TLS_KEY", faults),
            proxies=given.get(f"{PREFIX}PROXIES") or "127.0.0.1",
            secure_cookies=(
                _flag(given, "SECURE_COOKIES", "0", faults) if given.get(f"{PREFIX}SECURE_COOKIES") else None
            ),
            today=_date(given, faults),
            worker=_flag(given, "WORKER", "1", faults),
            log_level=_level(given, faults),
            tiles=_tiles(given, faults),
            online=_online(given, faults),
            audit_key_file=Path(key) if (key := given.get(f"{PREFIX}AUDIT_KEY_FILE")) else None,
        )
        if (settings.tls_cert is None) != (settings.tls_key is None):
            faults[f"{PREFIX}TLS_CERT"] = "half_of_tls"
        if faults:
            raise SettingsError(faults)
        return settings


def _port(given: Mapping[str, str], faults: dict[str, str]) -> int:
    text = given.get(f"{PREFIX}PORT") or "8501"
    if text.isdecimal() and 0 < int(text) < 65536:
        return int(text)
    faults[f"{PREFIX}PORT"] = "bad_port"
    return 0


def _hosts(given: Mapping[str, str], faults: dict[str, str]) -> tuple[str, ...]:
    named = tuple(given.get(f"{PREFIX}HOSTS", "").replace(",", " ").split())
    if not all(re.fullmatch(r"[A-Za-z0-9._:-]+", name) for name in named):
        faults[f"{PREFIX}HOSTS"] = "bad_hosts"
    return named


def _file(given: Mapping[str, str], name: str, faults: dict[str, str]) -> Path | None:
    text = given.get(f"{PREFIX}{name}", "")
    if not text:
        return None
    if not Path(text).is_file():
        faults[f"{PREFIX}{name}"] = "no_such_file"
    return Path(text)


def _flag(given: Mapping[str, str], name: str, default: str, faults: dict[str, str]) -> bool:
    text = given.get(f"{PREFIX}{name}", default).strip().lower()
    if text not in _TRUE | _FALSE:
        faults[f"{PREFIX}{name}"] = "bad_flag"
    return text in _TRUE


def _date(given: Mapping[str, str], faults: dict[str, str]) -> dt.date | None:
    text = given.get(f"{PREFIX}TODAY", "")
    if not text:
        return None
    try:
        return dt.date.fromisoformat(text)
    except ValueError:
        faults[f"{PREFIX}TODAY"] = "bad_date"
        return None


def _tiles(given: Mapping[str, str], faults: dict[str, str]) -> Tiles:
    named = [given.get(f"{PREFIX}TILES{end}", "").strip() for end in ("", "_DATUM", "_ATTRIBUTION")]
    tiles, wrong = read_tiles(named[0], named[1].lower(), named[2])
    ends = {"bad_tiles_datum": "_DATUM", "no_tiles_attribution": "_ATTRIBUTION"}
    faults.update({f"{PREFIX}TILES{ends.get(code, '')}": code for code in wrong})
    return tiles


def _online(given: Mapping[str, str], faults: dict[str, str]) -> Online:
    def text(name: str) -> str:
        return given.get(f"{PREFIX}ONLINE_{name}", "").strip()

    allowed = _flag(given, "ONLINE_ALLOWED", "0", faults)
    if allowed and not text("GEOCODER"):
        faults[f"{PREFIX}ONLINE_GEOCODER"] = "no_online_geocoder"
    return Online(
        provider=text("GEOCODER"), key=text("KEY"), allowed=allowed, url=text("URL"), city=text("CITY")
    )


def _level(given: Mapping[str, str], faults: dict[str, str]) -> str:
    level = (given.get(f"{PREFIX}LOG_LEVEL") or "INFO").upper()
    if level not in {"DEBUG", "INFO", "WARNING", "ERROR"}:
        faults[f"{PREFIX}LOG_LEVEL"] = "bad_level"
    return level
