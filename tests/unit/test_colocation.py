"""Several licences at one address: levels, evidence, and what is no finding."""

import geopandas as gpd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely.geometry import Point

from geo.colocation import ColocationLevel, Evidence, find_groups, stop_keys
from geo.errors import FrameError

HERE, FAR = Point(121.2, 40.3), Point(121.25, 40.3)


def places(*rows, points=None):
    """Make a frame of (address, phone, person)."""
    full = [(*row, "", "")[:3] for row in rows]
    return gpd.GeoDataFrame(
        {
            "address": [row[0] for row in full],
            "contact_phone": [row[1] for row in full],
            "contact_name": [row[2] for row in full],
        },
        geometry=points or [HERE] * len(full),
        crs=4326,
    )


def only(*rows, **options):
    (group,) = find_groups(places(*rows, **options))
    return group


def test_one_room_is_a_finding_and_a_shared_phone_makes_it_surer():
    plain = only(("东大街5号305室",), ("东大街５号３０５室",))
    assert (plain.level, plain.finding) == (ColocationLevel.ROOM, True)
    surer = only(("东大街5号305室", "02412345678"), ("东大街5号305室", "024-12345678"))
    assert Evidence.SAME_PHONE in surer.evidence and surer.confidence > plain.confidence


def test_one_door_without_rooms_is_a_finding_until_rooms_differ_in_a_mall():
    assert only(("东大街5号",), ("东大街5号",)).finding
    mall = only(("东大街5号云锦广场201室",), ("东大街5号云锦广场302室",))
    assert (mall.level, mall.finding) == (ColocationLevel.BUILDING, False)
    operator = only(("东大街5号201室", "", "王小明"), ("东大街5号302室", "", "王小明"))
    assert operator.level is ColocationLevel.DOOR and operator.finding


def test_a_tower_full_of_licences_is_a_building():
    tower = [(f"东大街5号{floor}01室",) for floor in range(2, 12)]
    group = only(*tower)
    assert (group.level, group.finding) == (ColocationLevel.BUILDING, False)
    assert len(group.members) == 10


def test_rooms_inside_a_shared_door_are_told_apart_and_together():
    groups = find_groups(places(("东大街5号201室",), ("东大街5号201室",), ("东大街5号305室",)))
    assert [(g.level, g.members) for g in groups] == [
        (ColocationLevel.ROOM, (0, 1)),
        (ColocationLevel.DOOR, (0, 1, 2)),
    ]


def test_a_floor_alone_is_no_room():
    assert only(("东大街5号2楼",), ("东大街5号2楼",)).level is ColocationLevel.DOOR


def test_masked_people_and_phones_identify_nobody():
    group = only(("东大街5号", "138****1234", "王某"), ("东大街5号", "138****1234", "王某"))
    assert group.evidence == (Evidence.SAME_DOOR,)


def test_the_same_words_far_apart_are_no_group():
    assert find_groups(places(("东大街5号",), ("东大街5号",), points=[HERE, FAR])) == []
    assert only(("东大街5号",), ("东大街5号",), points=[HERE, None]).members == (0, 1)


def test_what_names_no_door_is_never_grouped():
    assert find_groups(places(("东大街",), ("东大街",), ("",), (" ",))) == []
    with pytest.raises(FrameError):
        find_groups(places(("东大街5号",)).drop(columns="address"))


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(1, 3), st.sampled_from(["", "201室", "2楼", "305室", "底商"]), st.booleans()),
        max_size=8,
    )
)
def test_who_shares_a_written_room_shares_a_group_and_order_does_not_matter(rows):
    made = [
        (f"东大街{number}号{inside}", "02487654321" if phone else "", "") for number, inside, phone in rows
    ]
    frame = places(*made)
    groups = find_groups(frame)
    pairs = {(a, b) for g in groups for a in g.members for b in g.members if a < b}
    for a, one in enumerate(made):
        for b in range(a + 1, len(made)):
            if one[0] == made[b][0]:
                assert (a, b) in pairs
    back = find_groups(frame.iloc[::-1])
    assert {frozenset(g.members) for g in groups} == {frozenset(g.members) for g in back}
    assert all(0 < g.confidence < 1 and len(g.members) > 1 for g in groups)


def test_stop_keys_name_only_shared_buildings():
    keys = stop_keys(
        ["东大街5号201室", "东大街5号底商", "西大街1号", "东大街5号"], [(121.2, 40.3)] * 3 + [(121.25, 40.3)]
    )
    assert keys[0] == keys[1] is not None and keys[2] is None and keys[3] is None
    assert stop_keys([], []) == []
