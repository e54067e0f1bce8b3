"""Route servers: OSRM and Valhalla as a local stand-in speaks them, refusals, retries, chunks."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import pairwise
from urllib.parse import parse_qs, unquote, urlsplit

import numpy as np
import pytest

from geo.errors import TravelError
from geo.network.dialects import Osrm, Valhalla, decode_polyline
from geo.network.routeserver import Server, ServerTravel
from geo.travel import TravelModel

SPEED = 1e-4  # degrees a second of the stand-in
LON, LAT = [121.5, 121.51, 121.52, 121.53, 121.54], [31.2, 31.21, 31.22, 31.2, 31.2]


def seconds(a, b):
    """Say how long the stand-in takes, longer westwards."""
    return round((abs(b[0] - a[0]) + abs(b[1] - a[1])) / SPEED * (1.0 if b[0] >= a[0] else 2.0) + 0.4, 3)


def encode(points):
    """Encode lon, lat as a polyline of six decimals."""
    text, last = "", [0, 0]
    for lon, lat in points:
        for axis, degrees in enumerate((lat, lon)):
            value = round(degrees * 1e6)
            step, last[axis] = value - last[axis], value
            step = ~(step << 1) if step < 0 else step << 1
            while step >= 32:
                text, step = text + chr((32 | step & 31) + 63), step >> 5
            text += chr(step + 63)
    return text


class StandIn(BaseHTTPRequestHandler):
    """Answers as both servers do."""

    def log_message(self, *_):
        """Say nothing."""

    def reply(self, status, answer):
        """Send JSON, or bytes as they are."""
        body = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def planned(self):
        """Return the next planned answer, if any."""
        self.server.asked.append(self.path)
        return self.server.planned.pop(0) if self.server.planned else None

    def do_GET(self):
        """Answer as OSRM."""
        if planned := self.planned():
            self.reply(*planned)
            return
        parts = urlsplit(self.path)
        _, service, version, profile, places = unquote(parts.path).split("/")
        assert (version, profile) == ("v1", "foot")
        points = [tuple(map(float, place.split(","))) for place in places.split(";")]
        query = {key: value[0] for key, value in parse_qs(parts.query, separator="&").items()}
        if service == "table":
            rows, columns = (
                [points[int(i)] for i in query[k].split(";")] for k in ("sources", "destinations")
            )
            self.server.sizes.append(len(points))
            self.reply(200, {"code": "Ok", "durations": [[seconds(a, b) for b in columns] for a in rows]})
            return
        legs = []
        for a, b in pairwise(points):
            middle = [a[0], b[1]]
            steps = [{"geometry": {"coordinates": [a, middle]}}, {"geometry": {"coordinates": [middle, b]}}]
            legs.append({"steps": steps})
        self.reply(200, {"code": "Ok", "routes": [{"legs": legs}]})

    def do_POST(self):
        """Answer as Valhalla."""
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if planned := self.planned():
            self.reply(*planned)
            return
        assert asked["costing"] == "bicycle"
        if self.path == "/sources_to_targets":
            rows, columns = ([(p["lon"], p["lat"]) for p in asked[key]] for key in ("sources", "targets"))
            self.server.sizes.append(len(rows) + len(columns))
            self.reply(
                200, {"sources_to_targets": [[{"time": seconds(a, b)} for b in columns] for a in rows]}
            )
            return
        points = [(p["lon"], p["lat"]) for p in asked["locations"]]
        legs = [{"shape": encode([a, (a[0], b[1]), b])} for a, b in pairwise(points)]
        self.reply(200, {"trip": {"legs": legs}})


@pytest.fixture
def stand_in():
    server = ThreadingHTTPServer(("127.0.0.1", 0), StandIn)
    server.asked, server.planned, server.sizes = [], [], []
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


def asking(server, dialect, **options):
    """Make the model that asks the stand-in, and the list of its pauses."""
    pauses = []
    where = Server(f"http://127.0.0.1:{server.server_port}", sleep=pauses.append, **options)
    return ServerTravel(where, dialect, "walk" if isinstance(dialect, Osrm) else "ebike", fixed_s=60), pauses


BOTH = pytest.mark.parametrize("dialect", [Osrm(), Valhalla()], ids=["osrm", "valhalla"])


@BOTH
@pytest.mark.parametrize("most", [4, 100])
def test_the_matrix_is_the_servers_in_whole_seconds_and_in_chunks(stand_in, dialect, most):
    model, _ = asking(stand_in, dialect, most_places=most)
    matrix = model.matrix_s(LON, LAT)
    expected = [[0 if i == j else int(60 + seconds(a, b)) for j, b in enumerate(zip(LON, LAT, strict=True))]
                for i, a in enumerate(zip(LON, LAT, strict=True))]  # fmt: skip
    assert matrix.tolist() == expected
    assert matrix.dtype == np.int32
    assert (matrix != matrix.T).any()
    assert max(stand_in.sizes) <= max(most, 2)
    assert len(stand_in.asked) == (9 if most == 4 else 1)


@BOTH
@pytest.mark.parametrize("most", [2, 3, 100])
def test_lines_come_leg_by_leg(stand_in, dialect, most):
    model: TravelModel = asking(stand_in, dialect, most_places=most)[0]
    lines = model.path(LON, LAT)
    assert len(lines) == 4
    for k, line in enumerate(lines):
        assert line[0] == pytest.approx((LON[k], LAT[k]))
        assert line[-1] == pytest.approx((LON[k + 1], LAT[k + 1]))
        assert np.abs(line - (LON[k], LAT[k + 1])).max(axis=1).min() < 1e-6


@BOTH
def test_busy_servers_are_asked_again_with_growing_pauses(stand_in, dialect):
    stand_in.planned += [(503, b"busy"), (429, b"slow down")]
    model, pauses = asking(stand_in, dialect, tries=4, pause_s=0.5)
    assert model.matrix_s(LON[:2], LAT[:2])[0, 1] > 60
    assert pauses == [0.5, 1.0]
    stand_in.planned += [(503, b"busy")] * 4
    with pytest.raises(TravelError, match="server_unreachable") as caught:
        model.matrix_s(LON[:2], LAT[:2])
    assert caught.value.fields == {"tries": 4, "reason": "503"}


def test_a_server_that_is_not_there_is_unreachable(stand_in):
    model, pauses = asking(stand_in, Osrm(), tries=2)
    stand_in.server_close()
    with pytest.raises(TravelError, match="server_unreachable"):
        model.matrix_s(LON, LAT)
    assert len(pauses) == 1


NO_WAY = {"sources_to_targets": [[{"time": 0}, {"time": None}], [{"time": 1}, {"time": 0}]]}


@pytest.mark.parametrize(
    ("dialect", "planned", "code"),
    [
        (Osrm(), (400, {"code": "TooBig"}), "server_refused"),
        (Osrm(), (200, {"code": "Ok"}), "server_refused"),
        (Osrm(), (200, {"code": "Ok", "durations": [[0]]}), "server_refused"),
        (Osrm(), (200, {"code": "Ok", "durations": [[0, -5], [1, 0]]}), "server_refused"),
        (Osrm(), (200, {"code": "Ok", "durations": [[0, 1e300], [1, 0]]}), "server_refused"),
        (Osrm(), (200, {"code": "Ok", "durations": [[0], [1, 0]]}), "server_refused"),
        (Osrm(), (200, b"<html>"), "server_refused"),
        (Osrm(), (200, []), "server_refused"),
        (Osrm(), (301, {}), "server_refused"),
        (Osrm(), (400, {"code": "NoSegment"}), "no_route"),
        (Osrm(), (200, {"code": "Ok", "durations": [[0, None], [1, 0]]}), "no_route"),
        (Valhalla(), (400, {"error_code": 154}), "server_refused"),
        (Valhalla(), (500, {}), "server_refused"),
        (Valhalla(), (200, {"sources_to_targets": [[{}]]}), "server_refused"),
        (Valhalla(), (400, {"error_code": 171}), "no_route"),
        (Valhalla(), (200, NO_WAY), "no_route"),
    ],
)  # fmt: skip
def test_what_is_no_answer_is_an_error_and_never_a_guess(stand_in, dialect, planned, code):
    stand_in.planned.append(planned)
    model, pauses = asking(stand_in, dialect)
    with pytest.raises(TravelError) as caught:
        model.matrix_s(LON[:2], LAT[:2])
    assert caught.value.code == code
    assert pauses == []
    if planned[0] == 200 and code == "no_route":
        assert caught.value.fields == {"count": 1, "pairs": [(0, 1)]}


BAD_LEGS = {"routes": [{"legs": [{"steps": []}]}], "trip": {"legs": [{"shape": "\n"}]}}


@BOTH
@pytest.mark.parametrize("answer", [{}, {"routes": [], "trip": {"legs": []}}, BAD_LEGS])
def test_a_route_without_lines_is_refused(stand_in, dialect, answer):
    stand_in.planned.append((200, {"code": "Ok", **answer}))
    with pytest.raises(TravelError, match="server_refused"):
        asking(stand_in, dialect)[0].path(LON[:2], LAT[:2])


def test_nothing_is_asked_for_nothing(stand_in):
    model, _ = asking(stand_in, Osrm())
    assert model.matrix_s([], []).shape == (0, 0)
    assert model.path(LON[:1], LAT[:1]) == []
    assert stand_in.asked == []


def test_the_description_names_the_server_but_not_its_address(stand_in):
    assert asking(stand_in, Osrm())[0].description == "OSRM server, walk + 60 s"
    assert asking(stand_in, Valhalla())[0].description == "Valhalla server, ebike + 60 s"


def test_all_impossible_options_are_named():
    with pytest.raises(TravelError) as caught:
        Server("ftp://x", timeout_s=0, tries=0, pause_s=-1, most_places=1)
    assert set(caught.value.fields) == {"url", "timeout_s", "tries", "pause_s", "most_places"}
    for url in ("", "localhost:5000", "http://user:secret@host", "http://"):
        with pytest.raises(TravelError, match="bad_options"):
            Server(url)
    with pytest.raises(TravelError, match="unknown_profile"):
        ServerTravel(Server("http://localhost"), Osrm(), "rocket")
    with pytest.raises(TravelError, match="bad_options"):
        ServerTravel(Server("http://localhost"), Osrm(), "walk", fixed_s=-1)


def test_a_polyline_of_the_published_kind_is_read():
    points = [(121.5, 31.2), (-0.000001, -89.5), (0.0, 0.0)]
    assert np.allclose(decode_polyline(encode(points)), points, rtol=0, atol=1e-9)
    for broken in ("\n", "_", "?"):
        with pytest.raises(ValueError, match="no polyline"):
            decode_polyline(broken)
