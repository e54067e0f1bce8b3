"""Ways of travel: which roads a walker, an e-bike or a car may use, in which direction and how fast.

Classes and keys are those of OpenStreetMap (wiki pages "Key:highway", "Key:access", "Key:oneway"); the
speeds are averages of a Chinese city with its signals, so that they agree with `geo.travel.SPEED_M_S`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from geo.errors import TravelError

TAGS = (
    "highway",
    "access",
    "foot",
    "vehicle",
    "bicycle",
    "motor_vehicle",
    "motorcar",
    "oneway",
    "oneway:foot",
    "oneway:bicycle",
    "cycleway",
    "junction",
    "maxspeed",
)
"""Keys a road keeps; everything else of a file has no bearing on travel."""

_KM_H = 1 / 3.6
_MPH, _KNOT = 1.609344, 1.852
_WALK, _STEPS, _RIDE, _PATH = 1.25, 0.7, 4.17, 2.8  # metres per second
_SHUT = frozenset({"no", "private", "permit", "military", "emergency", "agricultural", "forestry"})
_ROADS = {
    "trunk": 45.0,
    "trunk_link": 30.0,
    "primary": 30.0,
    "primary_link": 24.0,
    "secondary": 26.0,
    "secondary_link": 22.0,
    "tertiary": 24.0,
    "tertiary_link": 20.0,
    "unclassified": 20.0,
    "residential": 18.0,
    "road": 18.0,
    "living_street": 10.0,
    "service": 10.0,
}
# A Chinese layer draws a fast road as one line for both directions; a motorway of OpenStreetMap is one-way.
_MOTORWAYS = {"motorway": 70.0, "motorway_link": 40.0, "expressway": 60.0}
_FOOTWAYS = ("footway", "pedestrian", "corridor", "platform", "crossing", "bridleway")
# GB/T 51328 (roads of a city), JTG B01 and the Highway Law (roads by who keeps them), and what people write.
_WRITTEN = {
    "expressway": "高速公路 高速 快速路 快速干道",
    "motorway_link": "匝道 高速匝道 快速路匝道 立交匝道",
    "trunk": "国道 一级公路",
    "primary": "主干路 主干道 主路 省道 二级公路",
    "secondary": "次干路 次干道 县道 三级公路",
    "tertiary": "支路 支道 城市支路 辅路 乡道 四级公路",
    "unclassified": "村道 专用公路 等外公路",
    "residential": "街坊路 居住区道路 小路",
    "living_street": "街巷 胡同 里弄 弄堂 巷道 巷弄 巷 弄",
    "service": "内部道路 内部路 小区道路 小区路 小区内部道路 小区内部路 单位内部道路 园区道路 停车场道路",
    "pedestrian": "步行街 商业步行街",
    "footway": "人行道 人行步道 步行道 步道 天桥 人行天桥 过街天桥 地下通道 人行地道 过街通道",
    "cycleway": "自行车道 非机动车道 自行车专用道",
    "path": "小径 绿道",
    "track": "机耕道 机耕路 田间道路 土路",
    "steps": "台阶 梯道",
}
_BRACKETS = re.compile(r"[（(].*?[)）]")
_CLASS_NAMES = {word: name for name, words in _WRITTEN.items() for word in words.split()}


@dataclass(frozen=True, slots=True)
class Profile:
    """A way of travel.

    Parameters
    ----------
    name : str
        walk, ebike or car.
    speeds_m_s : Mapping of str to float
        Metres per second on each class of road; a class that is not named is closed.
    access : tuple of str
        Keys that open or close a road, the most particular first.
    oneway : str or None
        Key that overrules the street's own direction, such as ``oneway:bicycle``.
    walks : bool
        Whether only that key, and no ordinary one-way sign, binds.
    pushes_m_s : float
        Speed at which a vehicle is pushed where riding is forbidden but walking is not; 0 if it cannot be.
    """

    name: str
    speeds_m_s: Mapping[str, float]
    access: tuple[str, ...]
    oneway: str | None
    walks: bool = False
    pushes_m_s: float = 0.0


WALK = Profile(
    "walk",
    {
        **dict.fromkeys([*_ROADS, *_FOOTWAYS, "path", "track", "cycleway"], _WALK),
        "steps": _STEPS,
    },
    access=("foot", "access"),
    oneway="oneway:foot",
    walks=True,
)
EBIKE = Profile(
    "ebike",
    {
        **dict.fromkeys([*_ROADS, "cycleway"], _RIDE),
        **dict.fromkeys(["path", "track"], _PATH),
        **dict.fromkeys(_FOOTWAYS, _WALK),
    },
    access=("bicycle", "vehicle", "access"),
    oneway="oneway:bicycle",
    pushes_m_s=_WALK,
)
CAR = Profile(
    "car",
    {name: speed * _KM_H for name, speed in {**_MOTORWAYS, **_ROADS}.items()},
    access=("motorcar", "motor_vehicle", "vehicle", "access"),
    oneway=None,
)
PROFILES: dict[str, Profile] = {profile.name: profile for profile in (WALK, EBIKE, CAR)}
CLASSES = frozenset(name for profile in PROFILES.values() for name in profile.speeds_m_s)


def find_profile(name: str) -> Profile:
    """Return the profile of a name.

    Raises
    ------
    TravelError
        ``unknown_profile``.
    """
    if name not in PROFILES:
        raise TravelError("unknown_profile", profile=name, known=sorted(PROFILES))
    return PROFILES[name]


def directed_speeds(
    tags: Mapping[str, str | None], profile: Profile, *, directed: bool = False
) -> tuple[float, float]:
    """Give the speeds along and against a road.

    Parameters
    ----------
    tags : Mapping of str to str or None
        Values of `TAGS`; missing ones may be left out.
    profile : Profile
        The way of travel.
    directed : bool
        Whether the other direction, where allowed, is a row of its own.

    Returns
    -------
    tuple of float
        Metres per second along and against the drawn direction, 0 where forbidden.
    """
    speed = _speed_m_s(tags, profile)
    if speed == 0:
        return 0.0, 0.0
    along, against = _directions(tags, profile)
    if directed and not profile.walks:
        # A directed row is drawn the way it may be driven; only an explicit key opens the other way too.
        own = _sense(_first(tags.get(profile.oneway))) if profile.oneway else ""
        along, against = True, own == "both"
    return (speed if along else 0.0), (speed if against else 0.0)


def road_class(value: str | None) -> str:
    """Return the OpenStreetMap class of a written one: first of a list, Chinese road classes translated.

    What stands in brackets (``主干路（一级）``) and a leading ``城市`` or ``城镇`` make no other class.
    """
    first = _first(value)
    if first.isascii():
        return first
    bare = _BRACKETS.sub("", first).strip()
    return _CLASS_NAMES.get(bare) or _CLASS_NAMES.get(re.sub("^城[市镇]", "", bare), first)


def is_oneway(value: str | None) -> bool:
    """Tell whether a oneway value forbids one of the directions."""
    return _sense(_first(value)) in ("along", "against", "closed")


def parse_speed_m_s(value: str | None) -> float | None:
    """Read a maxspeed value: ``50``, ``50 km/h``, ``30 mph``, ``10 knots``; None without a number."""
    limits = []
    for part in re.split(r"[;|,]", value or ""):
        found = re.fullmatch(r"[\['\" ]*(\d+(?:\.\d+)?)\s*(km/h|kmh|kph|mph|knots)?[\]'\" ]*", part.strip())
        if found and float(found[1]) > 0:
            unit = {"mph": _MPH, "knots": _KNOT}.get(found[2] or "", 1.0)
            limits.append(float(found[1]) * unit * _KM_H)
    return min(limits, default=None)


def _speed_m_s(tags: Mapping[str, str | None], profile: Profile) -> float:
    kind = road_class(tags.get("highway"))
    speed = profile.speeds_m_s.get(kind, 0.0)
    said = next((value for key in profile.access if (value := _first(tags.get(key)))), "")
    if speed == 0:
        return 0.0
    if said in _SHUT or said in ("dismount", "use_sidepath"):
        on_foot = _first(tags.get("foot")) or _first(tags.get("access"))
        pushes = kind in _FOOTWAYS or said == "dismount" or bool(_first(tags.get("foot")))
        return profile.pushes_m_s if pushes and on_foot not in _SHUT else 0.0
    if kind in _FOOTWAYS and profile.pushes_m_s and said in ("yes", "designated", "permissive"):
        speed = max(speed, profile.speeds_m_s["path"])
    limit = parse_speed_m_s(tags.get("maxspeed"))
    return speed if limit is None or profile.walks else min(speed, limit)


def _directions(tags: Mapping[str, str | None], profile: Profile) -> tuple[bool, bool]:
    own = _sense(_first(tags.get(profile.oneway))) if profile.oneway else ""
    if not own and profile.walks:
        return True, True
    sense = own or _sense(_first(tags.get("oneway"))) or _implied(tags)
    rides = profile.oneway == "oneway:bicycle" and not own
    if rides and sense in ("along", "against") and _first(tags.get("cycleway")).startswith("opposite"):
        sense = "both"
    return sense in ("", "both", "along"), sense in ("", "both", "against")


def _implied(tags: Mapping[str, str | None]) -> str:
    ring = _first(tags.get("junction")) in ("roundabout", "circular")
    return "along" if ring or road_class(tags.get("highway")) == "motorway" else ""


def _sense(value: str) -> str:
    """Name the direction a oneway value allows; Geofabrik's shapefiles write F, T and B."""
    if value in ("yes", "true", "1", "f"):
        return "along"
    if value in ("-1", "reverse", "t"):
        return "against"
    if value in ("reversible",):
        return "closed"  # nobody can plan on a direction that changes with the hour
    return "both" if value in ("no", "false", "0", "b", "alternating") else ""


def _first(value: str | None) -> str:
    """Return the first of several values: ``['steps', 'footway']`` of osmnx, ``yes;no`` of editors."""
    if not value:
        return ""
    listed = re.match(r"\[\s*['\"]?([^'\",\]]*)", value)
    return (listed[1] if listed else value.split(";")[0]).strip().lower()
