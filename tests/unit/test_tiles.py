"""A tile service of the office network: what may be named, and that one map has one datum."""

import json
import re

import pytest

from dashboard.access.hosts import CookieRule
from dashboard.headers import PAGE_POLICY, SecurityHeaders
from dashboard.i18n import translator
from dashboard.maps import new_map, use_local_assets
from dashboard.settings import Settings, SettingsError
from dashboard.tiles import Tiles, read_tiles

T = translator("zh")
OFFICE = "http://10.1.2.3/tiles/{z}/{x}/{y}.png"


@pytest.mark.parametrize(
    ("urls", "datum", "credit", "fault"),
    [
        ("http://10.1.2.3/map.png", "wgs84", "本局", "bad_tiles_url"),
        ("ftp://x/{z}/{x}/{y}", "wgs84", "本局", "bad_tiles_url"),
        (
            "http://t/vec_c/wmts?TILEMATRIX={z}&TILEROW={y}&TILECOL={x}",
            "cgcs2000",
            "天地图",
            "tiles_in_degrees",
        ),
        (OFFICE, "bd09", "本局", "bad_tiles_datum"),
        (OFFICE, "", "本局", "bad_tiles_datum"),
        (OFFICE, "gcj02", " ", "no_tiles_attribution"),
    ],
)
def test_a_service_that_would_lie_is_refused(urls, datum, credit, fault):
    assert fault in read_tiles(urls, datum, credit)[1]


def test_settings_name_the_wrong_variable_and_come_back_as_they_went():
    with pytest.raises(SettingsError) as caught:
        Settings.from_environment({"GRIDPATROL_TILES": OFFICE, "GRIDPATROL_TILES_DATUM": "wgs84"})
    assert caught.value.faults == {"GRIDPATROL_TILES_ATTRIBUTION": "no_tiles_attribution"}
    given = {
        "GRIDPATROL_TILES": f"{OFFICE} http://10.1.2.3/labels/{{z}}/{{x}}/{{y}}.png",
        "GRIDPATROL_TILES_DATUM": "gcj02",
        "GRIDPATROL_TILES_ATTRIBUTION": "本局影像",
    }
    settings = Settings.from_environment(given)
    assert len(settings.tiles.urls) == 2 and settings.tiles.hosts == ("http://10.1.2.3",)
    assert Settings.from_environment(settings.as_environment()).tiles == settings.tiles


def test_pictures_may_come_from_the_named_host_and_no_other():
    rule, hosts = CookieRule(), ("http://10.1.2.3",)
    open_to_it = SecurityHeaders(None, cookies=rule, pictures_from=hosts)  # type: ignore[arg-type]
    for policy in (open_to_it.page_policy, open_to_it.frame_policy):
        assert "img-src 'self' data: blob: http://10.1.2.3;" in policy
    assert SecurityHeaders(None, cookies=rule).page_policy == PAGE_POLICY  # type: ignore[arg-type]


@pytest.mark.parametrize(("datum", "crs"), [("gcj02", "L.CRS.GCJ02"), ("cgcs2000", "L.CRS.EPSG3857")])
def test_tiles_replace_the_base_map_file_and_set_the_whole_map_s_datum(datum, crs):
    use_local_assets()
    tiles = Tiles((OFFICE,), datum, "<b>本局</b>")
    page = (
        new_map((121.0, 40.0, 121.1, 40.1), t=T, language="zh", basemap="own", tiles=tiles)
        .get_root()
        .render()
    )
    assert f"crs: {crs}" in page and "basemap.pmtiles" not in page
    told = [json.loads(json.loads(found)) for found in re.findall(r'JSON\.parse\(("[^"]*")\)', page)]
    assert [part["tiles"] for part in told] == [[OFFICE]]
    assert "<b>" not in page.split("gridmap.prepare", 1)[1] and "<b>" not in told[0]["attribution"]
