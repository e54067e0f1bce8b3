"""The demo district keeps its promises: counts, tiling, rates, planted clusters, the same again by seed."""

from __future__ import annotations

import datetime as dt
import re
from collections import Counter

import numpy as np
import pytest
import shapely

from data.calendar import shipped_calendar
from data.demo import DemoDistrict, make_demo
from data.demo.rounds import SEEN_IN
from data.demo.streets import to_metres
from data.errors import RegisterError
from data.register import uscc
from data.terms import FindingStatus, Kind, Outcome, SlotClass, SlotKind, TipStatus
from geo.address.parser import door_key, parse_address
from geo.grid.assign import check_grids
from geo.hotspot import near_school_rates
from planner.slots import read_rules, slot_kinds
from tests.conftest import TODAY

COUNTS = {
    "small": {
        "subject": 6,
        "non_subject": 24,
        "care": 14,
        "self_study": 4,
        "edu_consult": 2,
        "unlicensed": 2,
    },
    "district": {
        "subject": 30,
        "non_subject": 110,
        "care": 120,
        "self_study": 25,
        "edu_consult": 25,
        "unlicensed": 12,
    },
}


@pytest.fixture(scope="module", params=["small", "district"])
def demo(request: pytest.FixtureRequest) -> DemoDistrict:
    return make_demo(request.param, seed=1, today=TODAY)


@pytest.fixture(scope="module")
def district() -> DemoDistrict:
    return make_demo("district", seed=2, today=dt.date(2026, 10, 20))


def test_every_count_of_the_specification_holds(demo: DemoDistrict) -> None:
    small = demo.preset.name == "small"
    kinds = Counter(row.kind.value for row in demo.register)
    assert kinds == {**COUNTS[demo.preset.name], "kindergarten": 24 if small else 100}
    assert sum(kinds.values()) - kinds["kindergarten"] == (52 if small else 322)
    assert Counter(school.stage for school in demo.schools) == (
        {"小学": 8, "中学": 6} if small else {"小学": 24, "中学": 24}
    )
    areas = (len(demo.subdistricts), len(demo.communities), len(demo.grids))
    assert areas == ((4, 16, 64) if small else (10, 80, 400))
    certified = [o for o in demo.officers if o.certificate_until and o.certificate_until >= TODAY]
    assert (len(demo.officers), len(certified)) == ((14, 12) if small else (36, 31))
    assert any(o.post == "组长" for o in demo.officers) and any(o.leave for o in demo.officers)


def test_the_same_seed_gives_the_same_district_and_another_seed_another() -> None:
    one, same = (make_demo("small", seed=5, today=TODAY) for _ in range(2))
    assert one.register == same.register and one.history == same.history and one.doors == same.doors
    for name in ("grids", "blocks", "roads", "water", "rail", "boundary"):
        left, right = getattr(one, name), getattr(same, name)
        assert (shapely.to_wkb(left.geometry) == shapely.to_wkb(right.geometry)).all()
    other = make_demo("small", seed=6, today=TODAY)
    assert other.register != one.register and other.history != one.history


def test_grid_areas_tile_the_district(demo: DemoDistrict) -> None:
    assert check_grids(demo.grids) == []
    shapes = demo.grids.to_crs(32651).geometry
    whole = shapely.union_all(shapes.to_numpy())
    boundary = demo.boundary.to_crs(32651).geometry.iloc[0]
    assert shapes.area.sum() == pytest.approx(whole.area, abs=1.0)
    assert shapely.symmetric_difference(whole, boundary).area < 1.0
    # One piece and the exclave, without a hole.
    parts = shapely.get_parts(boundary)
    assert len(parts) == 2 and all(shapely.get_num_interior_rings(parts) == 0)
    assert demo.grids["grid_code"].is_unique and demo.grids["grid_code"].str.fullmatch(r"990101\d{9}").all()


def test_communities_are_in_one_piece_but_for_the_exclave(demo: DemoDistrict) -> None:
    pieces = [len(shapely.get_parts(shape)) for shape in demo.communities.geometry]
    assert sorted(pieces)[:-1] == [1] * (len(pieces) - 1)


def test_the_register_is_well_formed_and_names_nobody(demo: DemoDistrict) -> None:
    assert len({row.name for row in demo.register}) == len(demo.register)
    for row in demo.register:
        if row.kind is Kind.UNLICENSED:
            assert (row.uscc, row.authority, row.contact) == ("", "", "")
        else:
            assert uscc.fault(row.uscc) is None and re.fullmatch(r"负责人\d{3}", row.contact)
    assert all(re.fullmatch(r"检查员\d{2}", officer.name) for officer in demo.officers)


def test_most_institutions_lie_near_a_school_and_some_share_a_door(demo: DemoDistrict) -> None:
    xy = to_metres([row.lon for row in demo.register], [row.lat for row in demo.register])
    campuses = np.array([school.xy for school in demo.schools])
    metres = np.hypot(*(xy[:, None] - campuses[None]).transpose(2, 0, 1)).min(axis=1)
    assert 0.56 <= (metres <= 300).mean() <= 0.64
    keys = Counter(door_key(parse_address(row.address)) for row in demo.register if not row.lost)
    assert 0.33 <= sum(n for n in keys.values() if n > 1) / len(demo.register) <= 0.40
    assert 5 <= sum(n >= 3 for n in keys.values()) <= 8


def test_a_street_address_reads_back_as_its_door(demo: DemoDistrict) -> None:
    wrong = [door.address for door in demo.doors if not _reads_back(door.address)]
    assert wrong == []


def _reads_back(text: str) -> bool:
    address = parse_address(text)
    return f"{address.district}{address.road}{address.number}号" == text


def test_findings_are_rare_but_for_the_planted_clusters(demo: DemoDistrict) -> None:
    visits = demo.history.visits
    found = Counter(demo.register[visits[f.visit].place].cluster for f in demo.history.findings)
    made = Counter(demo.register[visit.place].cluster for visit in visits)
    assert 0.008 <= found[None] / made[None] <= 0.016
    planted = {cluster: found[cluster] for cluster in ("school_a", "school_b", "mall")}
    assert set(planted.values()) == {demo.preset.cluster_findings}
    assert all(planted[name] / made[name] >= 0.08 for name in planted)
    assert all(visits[f.visit].outcome is Outcome.SEEN_OPEN for f in demo.history.findings)
    if demo.preset.name == "district":
        assert len(demo.history.findings) >= 60


def test_closed_doors_are_common(demo: DemoDistrict) -> None:
    outcomes = Counter(visit.outcome for visit in demo.history.visits)
    assert 0.15 <= outcomes[Outcome.NOT_OPEN] / len(demo.history.visits) <= 0.35
    assert set(outcomes) >= {Outcome.SEEN_OPEN, Outcome.CLOSED_AS_EXPECTED, Outcome.NOT_OPEN}


def test_visits_fit_the_days_and_the_kinds(district: DemoDistrict) -> None:
    calendar = shipped_calendar(breaks=district.breaks)
    first, last = dt.date(2026, 10, 20) - dt.timedelta(days=182), dt.date(2026, 10, 19)
    for visit in district.history.visits:
        assert first <= visit.date <= last
        assert visit.slot_kind in slot_kinds(calendar.day(visit.date))
    # A Sunday worked for the holiday is a school day: no weekend visits, but others.
    worked = {v.slot_class for v in district.history.visits if v.date == dt.date(2026, 9, 20)}
    assert worked and SlotClass.WEEKEND not in worked
    assert SlotKind.HOLIDAY_AM in {v.slot_kind for v in district.history.visits}
    rules = read_rules()
    assert {kind: frozenset(rules.kinds[kind].owes) for kind in Kind} == SEEN_IN
    assert all(v.slot_class in SEEN_IN[district.register[v.place].kind] for v in district.history.visits)


def test_some_findings_and_tips_wait_for_the_next_two_weeks(demo: DemoDistrict) -> None:
    waiting = [f for f in demo.history.findings if f.status is not FindingStatus.CLOSED]
    assert len(waiting) == demo.preset.open_findings
    soon = [f for f in waiting if TODAY < f.recheck_due <= TODAY + dt.timedelta(days=14)]
    assert len(soon) == len(waiting) - 1  # one is overdue
    for finding in demo.history.findings:
        if finding.status is FindingStatus.CLOSED:
            assert finding.closed_on is not None
            assert demo.history.visits[finding.visit].date <= finding.closed_on < TODAY
    tips = [tip for tip in demo.history.tips if not tip.handled]
    assert len(tips) == demo.preset.open_tips
    assert all(tip.status is TipStatus.RECEIVED and tip.due_on > TODAY for tip in tips)


def test_the_unlicensed_are_known_only_from_tips(demo: DemoDistrict) -> None:
    tipped = {tip.place: tip.received_on for tip in demo.history.tips}
    unlicensed = {at for at, row in enumerate(demo.register) if row.kind is Kind.UNLICENSED}
    assert unlicensed <= set(tipped)
    for visit in demo.history.visits:
        if visit.place in unlicensed:
            assert visit.date >= tipped[visit.place]


@pytest.mark.parametrize("seed", [1, 2])
def test_the_planted_schools_are_hotspots(seed: int) -> None:
    demo = make_demo("district", seed=seed, today=TODAY)
    visits, found = np.zeros(len(demo.register)), np.zeros(len(demo.register))
    with_finding = {finding.visit for finding in demo.history.findings}
    for at, visit in enumerate(demo.history.visits):
        if visit.outcome.pays:
            visits[visit.place] += 1
            found[visit.place] += at in with_finding
    table = near_school_rates(
        to_metres([row.lon for row in demo.register], [row.lat for row in demo.register]),
        visits,
        found,
        [school.xy for school in demo.schools],
        seed=1,
        categories=[row.kind.value for row in demo.register],
    )
    hot = set(table[(table["label"] == "hot") & (table["radius_m"] == 200.0)]["school"])
    assert hot == {at for at, school in enumerate(demo.schools) if school.cluster}


def test_an_unknown_preset_is_refused() -> None:
    with pytest.raises(RegisterError) as refusal:
        make_demo("huge", seed=1, today=TODAY)
    assert refusal.value.code == "unknown_preset"
