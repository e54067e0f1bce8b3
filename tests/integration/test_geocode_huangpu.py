"""Geocoding of a register as a bureau hands it over, against the true points."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from python_calamine import CalamineWorkbook

from geo.crs import project_xy
from geo.formats.read import read_layer
from geo.gazetteer.index import build_gazetteer
from geo.geocode import GazetteerGeocoder

HUANGPU = Path(__file__).resolve().parents[2].parent / "shared" / "reference" / "huangpu"
pytestmark = [
    pytest.mark.reference,
    pytest.mark.skipif(not HUANGPU.is_dir(), reason="the reference folder is not beside the project"),
]


@pytest.fixture(scope="module")
def result():
    truth = pd.read_csv(HUANGPU / "truth.csv")
    sheet = CalamineWorkbook.from_path(str(HUANGPU / "register.xlsx")).get_sheet_by_index(0)
    rows = sheet.to_python(skip_empty_area=False)
    column = rows[2].index("地址")
    addresses = [str(rows[row - 1][column]) for row in truth["行"]]
    gazetteer = build_gazetteer(read_layer(HUANGPU / "gazetteer.csv", source_crs="wgs84"))
    matches = GazetteerGeocoder(gazetteer).locate(addresses)
    table = pd.DataFrame({"address": addresses, "code": [m.code for m in matches]})
    table["radius_m"] = [np.nan if m.error_radius_m is None else m.error_radius_m for m in matches]
    lon = [np.nan if m.lon is None else m.lon for m in matches]
    lat = [np.nan if m.lat is None else m.lat for m in matches]
    true = project_xy(truth["经度"], truth["纬度"], gazetteer.crs)
    table["error_m"] = np.hypot(*(project_xy(lon, lat, gazetteer.crs) - true).T)
    return table


def test_nearly_every_row_with_an_address_is_placed(result):
    written = result[result["address"].str.strip() != ""]
    assert (written["code"] == "placed").mean() >= 0.94
    assert set(written["code"]) == {"placed", "unknown_road"}
    assert set(result.loc[result["address"].str.strip() == "", "code"]) == {"no_address"}


def test_errors_are_small(result):
    error = result["error_m"].dropna()
    assert error.median() <= 80
    assert error.quantile(0.9) <= 280


def test_the_radius_is_honest(result):
    placed = result.dropna(subset=["error_m"])
    assert 0.85 <= (placed["error_m"] <= placed["radius_m"]).mean() <= 0.95
