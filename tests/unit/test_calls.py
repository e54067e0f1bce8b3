"""Licences of one building that follow each other are one call."""

from planner.calls import number_calls

HERE, NEAR, FAR = (121.2, 40.3), (121.2003, 40.3), (121.23, 40.3)


def test_one_building_in_a_row_is_one_call():
    addresses = ["东大街5号501室", "东大街5号2楼", "东大街7号", "东大街5号底商"]
    assert number_calls(addresses, [HERE, NEAR, HERE, HERE]) == [1, 1, 2, 3]


def test_the_same_words_far_apart_are_two_buildings():
    assert number_calls(["东大街5号", "东大街5号"], [HERE, FAR]) == [1, 2]


def test_addresses_without_a_door_stand_alone():
    assert number_calls(["东大街", "东大街", ""], [HERE, HERE, HERE]) == [1, 2, 3]
    assert number_calls([], []) == []
