"""Online geocoding against a stand-in server: nothing is sent unasked, and no key is ever told."""

import json
import logging
import threading
from contextlib import contextmanager
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

import pytest

from geo.crs import to_wgs84
from geo.errors import GeocodeError
from geo.geocode import Level
from geo.online.client import OnlineGeocoder, OnlineOptions

KEY = "s3cret-key-of-the-office"
ADDRESS = "清澜区松山路12号"

AMAP = {
    "status": "1",
    "infocode": "10000",
    "geocodes": [{"location": "121.475,31.232", "level": "门牌号", "formatted_address": "松山路12号"}],
}
TIANDITU = {
    "msg": "ok",
    "status": "0",
    "location": {"lon": 121.475, "lat": 31.232, "level": "门址", "score": 100, "keyWord": "松山路12号"},
}
BAIDU = {
    "status": 0,
    "result": {"location": {"lng": 121.475, "lat": 31.232}, "confidence": 70, "level": "门址"},
}
NOMINATIM = [
    {
        "lat": "31.232",
        "lon": "121.475",
        "place_rank": 26,
        "type": "residential",
        "boundingbox": ["31.230", "31.234", "121.470", "121.480"],
        "display_name": "松山路",
    }
]
ANSWERS = {"amap": AMAP, "tianditu": TIANDITU, "baidu": BAIDU, "nominatim": NOMINATIM}


class Town(ThreadingHTTPServer):
    """A service that gives its answers in turn, the last one again and again, and notes what was asked."""

    daemon_threads = True

    def __init__(self, answers):
        super().__init__(("127.0.0.1", 0), Desk)
        self.answers, self.asked = list(answers), []

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_address[1]}/geo"


class Desk(BaseHTTPRequestHandler):
    def do_GET(self):
        town = self.server
        town.asked.append(parse_qs(urlsplit(self.path).query))
        status, headers, body = town.answers.pop(0) if len(town.answers) > 1 else town.answers[0]
        text = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *_):
        """Keep the test's output clean."""


class Time:
    """A clock that moves only when somebody sleeps."""

    def __init__(self):
        self.now, self.slept = 1_800_000_000.0, []

    def clock(self):
        return self.now

    def sleep(self, seconds):
        self.slept.append(seconds)
        self.now += seconds


@contextmanager
def serving(*answers):
    town = Town([a if isinstance(a, tuple) else (200, {}, a) for a in answers])
    thread = threading.Thread(target=town.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield town
    finally:
        town.shutdown()
        town.server_close()
        thread.join()


def geocoder(town, time, **options):
    given = {
        "provider": "amap",
        "key": KEY,
        "allowed": True,
        "url": town.url,
        "per_second": 1000.0,
        **options,
    }
    return OnlineGeocoder(OnlineOptions(**given), clock=time.clock, sleep=time.sleep)


@pytest.mark.parametrize(
    "options",
    [
        {"provider": "amap", "key": KEY},
        {"provider": "amap", "allowed": True},
        {"provider": "baidu", "allowed": True, "key": " "},
        {"provider": "nominatim"},
        {"provider": "amap", "key": KEY, "allowed": "false"},
    ],
)
def test_nothing_is_asked_without_permission_and_key(options):
    time = Time()
    with pytest.raises(GeocodeError, match="online_not_allowed") as refused:
        OnlineGeocoder(OnlineOptions(**options), clock=time.clock, sleep=time.sleep)
    assert KEY not in str(refused.value)


@pytest.mark.parametrize(
    ("provider", "datum", "level", "least_m", "most_m"),
    [
        ("amap", "gcj02", Level.DOOR, 100, 200),
        ("tianditu", "wgs84", Level.DOOR, 100, 200),
        ("baidu", "gcj02", Level.DOOR, 300, 300),
        ("nominatim", "wgs84", Level.ROAD, 400, 700),
    ],
)
def test_each_service_is_asked_and_read_in_its_own_way(provider, datum, level, least_m, most_m):
    with serving(ANSWERS[provider]) as town:
        (match,) = geocoder(town, Time(), provider=provider, city="清澜市").locate(["清澜区 松山路１２号"])
    lon, lat = to_wgs84([121.475], [31.232], datum)
    assert (match.lon, match.lat) == (pytest.approx(lon[0]), pytest.approx(lat[0]))
    assert (match.level, match.source, match.code) == (level, provider, "placed")
    assert least_m <= match.error_radius_m <= most_m
    (asked,) = town.asked
    sent = json.dumps(asked, ensure_ascii=False)
    assert ADDRESS in sent and "清澜市" in sent
    assert (KEY in sent) == (provider != "nominatim")


def test_baidu_is_asked_for_the_datum_its_answers_are_read_in():
    with serving(BAIDU) as town:
        geocoder(town, Time(), provider="baidu").locate([ADDRESS])
    assert town.asked[0]["ret_coordtype"] == ["gcj02ll"]


@pytest.mark.parametrize(
    ("provider", "answer"),
    [
        ("amap", {"status": "1", "geocodes": []}),
        ("amap", {"status": "1", "geocodes": [{"location": "121.4,31.2", "level": "区县"}]}),
        ("tianditu", {"status": "101", "msg": "none"}),
        ("baidu", {**BAIDU, "result": {**BAIDU["result"], "confidence": 20}}),
        ("nominatim", []),
    ],
)
def test_what_a_service_does_not_know_stays_without_a_place(provider, answer):
    with serving(answer) as town:
        match, blank = geocoder(town, Time(), provider=provider).locate([ADDRESS, " "])
    assert (match.lon, match.level, match.code) == (None, Level.NONE, "not_found_online")
    assert blank.code == "no_address"
    assert len(town.asked) == 1


@pytest.mark.parametrize(
    ("provider", "answer", "code"),
    [
        ("amap", {"status": "0", "infocode": "10001", "info": KEY}, "online_bad_key"),
        ("amap", {"status": "0", "infocode": "10003"}, "online_quota"),
        ("amap", {"status": "0", "infocode": "20000"}, "online_refused"),
        ("tianditu", (403, {}, {"code": 301015, "msg": "key"}), "online_bad_key"),
        ("tianditu", {"code": 301003}, "online_bad_key"),
        ("baidu", {"status": 302}, "online_quota"),
        ("baidu", {"status": 240}, "online_bad_key"),
        ("baidu", {"status": 2}, "online_refused"),
        ("nominatim", (403, {}, b"no"), "online_bad_key"),
        ("amap", (302, {"Location": "http://127.0.0.1:1/"}, b""), "online_refused"),
        ("amap", b"<html>", "online_unreadable"),
        ("amap", {"status": "1"}, "online_unreadable"),
        ("amap", [], "online_unreadable"),
        ("nominatim", [{"lat": "x"}], "online_unreadable"),
        ("tianditu", {**TIANDITU, "location": {"lon": 999, "lat": 1, "level": "门址"}}, "online_unreadable"),
    ],
)
def test_faults_have_codes_and_are_not_tried_again(provider, answer, code):
    with serving(answer) as town, pytest.raises(GeocodeError) as raised:
        geocoder(town, Time(), provider=provider).locate([ADDRESS])
    assert raised.value.code == code
    assert raised.value.fields["provider"] == provider
    assert KEY not in str(raised.value) and ADDRESS not in str(raised.value)
    assert len(town.asked) == 1


def test_passing_faults_are_tried_again_with_doubled_pauses():
    time = Time()
    busy = (200, {}, {"status": "0", "infocode": "10021"})
    with serving((503, {}, b""), busy, (500, {}, b""), AMAP) as town:
        (match,) = geocoder(town, time, wait_s=0.5).locate([ADDRESS])
    assert match.level is Level.DOOR
    assert [s for s in time.slept if s > 0.01] == [0.5, 1.0, 2.0]


def test_the_pause_a_service_asks_for_is_kept():
    time = Time()
    later = formatdate(time.now + 7.0 + 20.0, usegmt=True)
    with serving((429, {"Retry-After": "7"}, b""), (503, {"Retry-After": later}, b""), AMAP) as town:
        geocoder(town, time).locate([ADDRESS])
    assert [round(s) for s in time.slept if s > 0.01] == [7, 20]


def test_a_pause_longer_than_the_longest_ends_the_run():
    time = Time()
    with serving((429, {"Retry-After": "3600"}, b"")) as town, pytest.raises(GeocodeError, match="quota"):
        geocoder(town, time).locate([ADDRESS])
    assert len(town.asked) == 1
    assert sum(time.slept) < 1


def test_a_service_that_does_not_answer_is_unreachable():
    with serving(AMAP) as town:
        gone = town.url
    time = Time()
    options = OnlineOptions(provider="amap", key=KEY, allowed=True, url=gone, tries=3)
    with pytest.raises(GeocodeError) as raised:
        OnlineGeocoder(options, clock=time.clock, sleep=time.sleep).locate([ADDRESS])
    assert (raised.value.code, raised.value.fields["tries"]) == ("online_unreachable", 3)
    assert raised.value.__context__ is None and raised.value.__cause__ is None


def test_requests_are_kept_apart():
    time = Time()
    with serving(AMAP) as town:
        geocoder(town, time, per_second=2.0).locate([f"松山路{n}号" for n in range(5)])
    assert sum(time.slept) == pytest.approx(2.0)
    assert len(town.asked) == 5


def test_the_terms_of_a_service_limit_its_own_address():
    time = Time()
    options = OnlineOptions(provider="nominatim", allowed=True, per_second=50.0)
    assert OnlineGeocoder(options, clock=time.clock, sleep=time.sleep)._apart_s == 1.0


def test_an_address_is_sent_once_and_kept_until_it_is_old(tmp_path):
    time, cache = Time(), tmp_path / "var" / "answers.sqlite"
    with serving(AMAP) as town:
        first = geocoder(town, time, cache=cache, keep_days=1.0).locate(
            [ADDRESS, "清澜区松山路十二号", ADDRESS]
        )
        again = geocoder(town, time, cache=cache, keep_days=1.0).locate([ADDRESS])
        assert len(town.asked) == 1
        assert first == [again[0]] * 3
        geocoder(town, time, cache=cache, keep_days=1.0, provider="tianditu", city="x")
        time.now += 90_000.0
        geocoder(town, time, cache=cache, keep_days=1.0).locate([ADDRESS])
        assert len(town.asked) == 2
    content = cache.read_bytes()
    assert KEY.encode() not in content and ADDRESS.encode() not in content


def test_faults_are_never_kept(tmp_path):
    time, cache = Time(), tmp_path / "answers.sqlite"
    with serving(b"<html>", AMAP) as town:
        with pytest.raises(GeocodeError, match="online_unreadable"):
            geocoder(town, time, cache=cache).locate([ADDRESS])
        assert geocoder(town, time, cache=cache).locate([ADDRESS])[0].level is Level.DOOR


def test_neither_key_nor_address_is_logged(caplog):
    caplog.set_level(logging.DEBUG)
    options = {"provider": "amap", "key": KEY}
    assert KEY not in repr(OnlineOptions(**options))
    with serving((500, {}, b""), AMAP) as town:
        geocoder(town, Time()).locate([ADDRESS])
    assert KEY not in caplog.text
    assert "%E6%B8%85" not in caplog.text and ADDRESS not in caplog.text


def test_names_are_never_sent():
    with serving(AMAP) as town:
        geocoder(town, Time()).locate([ADDRESS], names=["某某培训中心"])
        with pytest.raises(GeocodeError, match="length_mismatch"):
            geocoder(town, Time()).locate([ADDRESS], names=[])
    assert "某某" not in json.dumps(town.asked, ensure_ascii=False)


def test_impossible_options_are_told_together():
    with pytest.raises(GeocodeError) as raised:
        OnlineOptions(provider="other", tries=0, url="file:///etc", keep_days=-1.0)
    assert raised.value.fields["faults"] == ["provider", "url", "tries", "keep_days"]
