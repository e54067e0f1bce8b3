"""Every datum comes back to within a millimetre, anywhere in the country."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from geo.crs import SourceCrs, from_wgs84, metric_crs, project_xy, to_wgs84, unproject_xy

LON = st.floats(73.6, 135.0)
LAT = st.floats(18.0, 53.5)


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(LON, LAT), min_size=1, max_size=5), st.sampled_from(list(SourceCrs)))
def test_round_trip_is_below_a_millimetre(points, datum):
    lon, lat = np.array(points).T
    back_lon, back_lat = to_wgs84(*from_wgs84(lon, lat, datum), datum)
    off_m = np.hypot((back_lon - lon) * np.cos(np.radians(lat)), back_lat - lat) * 111_320
    assert off_m.max() <= 1e-3


@settings(max_examples=50, deadline=None)
@given(LON, LAT)
def test_metric_round_trip(lon, lat):
    zone = metric_crs(lon)
    back = unproject_xy(project_xy([lon], [lat], zone), zone)
    assert abs(back[0][0] - lon) < 1e-8
    assert abs(back[1][0] - lat) < 1e-8
