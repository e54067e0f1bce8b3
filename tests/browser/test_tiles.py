"""Tiles in GCJ-02 in a real browser: data stay WGS-84, everything on the map is drawn shifted alike."""

from __future__ import annotations

from typing import Any

import pytest

from dashboard.maps import ASSETS, VENDOR
from geo.crs import wgs84_to_gcj02

pytestmark = pytest.mark.browser


def test_the_page_shifts_as_the_register_does(browser: Any) -> None:
    page = browser.new_page()
    lon, lat = wgs84_to_gcj02([121.2], [40.3])
    page.goto("about:blank")
    page.set_content("<div id='map' style='width:400px;height:300px'></div>")
    page.add_script_tag(path=VENDOR / "leaflet-1.9.3" / "leaflet.js")
    page.evaluate("window.gridpatrolTokens = {map: {}, coverage: [], edges: []}")
    page.add_script_tag(path=ASSETS / "static" / "gridmap.js")
    there, back = page.evaluate(
        "() => { const p = gridmap.toGcj(L.latLng(40.3, 121.2)), q = gridmap.fromGcj(p);"
        " return [[p.lng, p.lat], [q.lng, q.lat]]; }"
    )
    assert there == pytest.approx([float(lon[0]), float(lat[0])], abs=1e-9)
    assert back == pytest.approx([121.2, 40.3], abs=1e-9)
    plain, shifted, clicked = page.evaluate(
        "() => { const at = L.latLng(40.3, 121.2), z = 16;"
        " const a = L.CRS.EPSG3857.latLngToPoint(at, z), b = L.CRS.GCJ02.latLngToPoint(at, z);"
        " const c = L.CRS.GCJ02.pointToLatLng(b, z); return [[a.x, a.y], [b.x, b.y], [c.lng, c.lat]]; }"
    )
    # About 480 m east and 160 m north at 40 degrees are 265 and 88 pixels at zoom 16.
    assert 150 < shifted[0] - plain[0] < 400 and -250 < shifted[1] - plain[1] < -20
    assert clicked == pytest.approx([121.2, 40.3], abs=1e-7)
    page.close()
