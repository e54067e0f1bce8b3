"""Maps ask nothing of the internet and nothing of the register runs as script."""

import subprocess
import sys

import folium
import pytest
from folium.plugins import HeatMap

from dashboard import maps, theme
from dashboard.i18n import translator
from data.terms import Kind

T = translator("zh")


@pytest.fixture(autouse=True)
def _local() -> None:
    maps.use_local_assets()


def _chart() -> folium.Map:
    chart = maps.new_map((121.0, 40.0, 121.1, 40.1), t=T, language="zh", basemap=True)
    maps.add_layer(chart, "points", "/api/institutions.geojson", t=T)
    maps.add_legend(chart, "图例", maps.coverage_rows(T), t=T)
    return chart


def test_a_rendered_map_names_no_foreign_address() -> None:
    page = _chart().get_root().render()
    assert "http://" not in page and "https://" not in page
    for url in ("/vendor/leaflet-1.9.3/leaflet.js", "/assets/gridmap.js", "/basemap.pmtiles"):
        assert url in page


def test_every_file_a_map_names_is_shipped() -> None:
    named = [
        *maps._LOCAL_JS.values(),
        *maps._LOCAL_CSS.values(),
        *(url for _, url in maps.OWN_JS + maps.OWN_CSS),
    ]
    made_on_request = {"/assets/tokens.js"}
    for url in set(named) - made_on_request:
        folder, _, rest = url.lstrip("/").partition("/")
        root = maps.VENDOR if folder == "vendor" else maps.ASSETS / "static"
        assert (root / rest).is_file(), url


def test_a_class_without_local_file_is_refused() -> None:
    chart = _chart()
    HeatMap([[40.0, 121.0]]).add_to(chart)
    with pytest.raises(maps.OnlineAssetError) as refused:
        maps.require_local(chart)
    assert "://" in str(refused.value.fields["url"])


def test_our_own_maps_name_no_address() -> None:
    chart = _chart()
    maps.require_local(chart)
    assert "https://" not in chart.get_root().render()


def test_only_calls_of_the_map_library_are_made() -> None:
    with pytest.raises(ValueError, match="no call"):
        maps.Part("legend(alert(1))", {})


def test_an_eighth_team_repeats_the_first_colour_with_dashes() -> None:
    assert theme.team_colour(1) == (theme.TEAMS[0], False)
    assert theme.team_colour(8) == (theme.TEAMS[0], True)
    rows = maps.team_rows(["T1", "T8"], T)
    assert [row["dashed"] for row in rows] == [False, True]


def test_every_kind_has_a_shape() -> None:
    assert set(theme.KIND_SHAPES) == {kind.value for kind in Kind}


def test_the_server_does_not_import_the_map_component_before_it_runs() -> None:
    # Imported in the launcher, its files would answer 404 for the life of the process.
    code = "import sys, dashboard.server; sys.exit('streamlit_folium' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
