"""Online geocoding services: how each is asked, what its answers mean, and in which datum they are."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from geo.crs import SourceCrs
from geo.gazetteer.matches import Level

# p90 of 24,710 published addresses: points of the same written address, and twice a naive interpolation.
_DOOR_M, _ROAD_M = 140.0, 1268.0
_VILLAGE_M, _TOWN_M = 1500.0, 4000.0
_LARGEST_M = 8000.0  # a point for a whole city or county places nothing


class Fault(StrEnum):
    """Why a service gave no answer; the value is the code of the error raised."""

    BAD_KEY = "online_bad_key"
    QUOTA = "online_quota"
    REFUSED = "online_refused"
    UNREADABLE = "online_unreadable"
    BUSY = "busy"  # asked too fast or a passing fault of the service: worth another try


@dataclass(frozen=True, slots=True)
class Found:
    """An answer in the service's own datum; `level` NONE when the service knows no place fine enough."""

    lon: float
    lat: float
    level: Level
    score: float
    radius_m: float
    text: str


NOTHING = Found(0.0, 0.0, Level.NONE, 0.0, 0.0, "")


@dataclass(frozen=True, slots=True)
class Provider:
    """One service.

    Parameters
    ----------
    name : str
        Name in options, matches and the cache.
    url : str
        Address asked when the options name no other.
    datum : SourceCrs
        Datum of its answers as asked for.
    needs_key : bool
        Whether it answers only with a key.
    most_per_second : float
        Requests per second its terms allow everybody.
    ask : callable
        (address, city, key) to query parameters.
    read : callable
        Decoded JSON to `Found`, or a `Fault` with the service's own status.
    """

    name: str
    url: str
    datum: SourceCrs
    needs_key: bool
    most_per_second: float
    ask: Callable[[str, str, str], dict[str, str]]
    read: Callable[[Any], Found | tuple[Fault, str]]


def _ask_amap(address: str, city: str, key: str) -> dict[str, str]:
    return {"address": address, "key": key, "output": "JSON", **({"city": city} if city else {})}


_AMAP_FAULTS = {
    **dict.fromkeys(("10001", "10002", "10005", "10006", "10007", "10008", "10009", "10012"), Fault.BAD_KEY),
    **dict.fromkeys(("10003", "10010", "10044", "10045"), Fault.QUOTA),
    **dict.fromkeys(("10004", "10014", "10015", "10016", "10019", "10020", "10021"), Fault.BUSY),
}
_AMAP_LEVELS = {
    "门牌号": (Level.DOOR, _DOOR_M),
    "单元号": (Level.DOOR, _DOOR_M),
    "兴趣点": (Level.POI, _DOOR_M),
    "公交站台、地铁站": (Level.POI, 2 * _DOOR_M),
    "道路交叉路口": (Level.ROAD, 2 * _DOOR_M),
    "道路": (Level.ROAD, _ROAD_M),
    "热点商圈": (Level.AREA, _ROAD_M),
    "村庄": (Level.AREA, _VILLAGE_M),
    "乡镇": (Level.AREA, _TOWN_M),
    "开发区": (Level.AREA, _TOWN_M),
}


def _read_amap(answer: Any) -> Found | tuple[Fault, str]:
    """Read https://lbs.amap.com/api/webservice/guide/api/georegeo."""
    if str(answer["status"]) != "1":
        status = str(answer.get("infocode", "?"))
        return _AMAP_FAULTS.get(status, Fault.REFUSED), status
    if not answer["geocodes"]:
        return NOTHING
    first = answer["geocodes"][0]
    lon, lat = (float(part) for part in first["location"].split(","))
    return _graded(lon, lat, _AMAP_LEVELS, str(first.get("level")), str(first.get("formatted_address") or ""))


def _ask_tianditu(address: str, city: str, key: str) -> dict[str, str]:
    whole = address if not city or city in address else city + address
    return {"ds": json.dumps({"keyWord": whole}, ensure_ascii=False), "tk": key}


_TIANDITU_LEVELS = {
    "门址": (Level.DOOR, _DOOR_M),
    "兴趣点": (Level.POI, _DOOR_M),
    "POI": (Level.POI, _DOOR_M),
    "地名": (Level.POI, 2 * _DOOR_M),
    "道路": (Level.ROAD, _ROAD_M),
    "村": (Level.AREA, _VILLAGE_M),
    "社区": (Level.AREA, _VILLAGE_M),
    "乡镇": (Level.AREA, _TOWN_M),
    "街道": (Level.AREA, _TOWN_M),
}


def _read_tianditu(answer: Any) -> Found | tuple[Fault, str]:
    """Read http://lbs.tianditu.gov.cn/server/geocodinginterface.html; CGCS2000 is taken as WGS-84."""
    if "status" not in answer:
        status = str(answer.get("code", "?"))
        return (Fault.BAD_KEY if status.startswith("301") else Fault.REFUSED), status
    status = str(answer["status"])
    if status == "101" or (status == "0" and not answer.get("location")):
        return NOTHING
    if status != "0":
        return Fault.REFUSED, status
    place = answer["location"]
    lon, lat = float(place["lon"]), float(place["lat"])
    return _graded(lon, lat, _TIANDITU_LEVELS, str(place.get("level")), str(place.get("keyWord") or ""))


def _ask_baidu(address: str, city: str, key: str) -> dict[str, str]:
    asked = {"address": address, "ak": key, "output": "json", "ret_coordtype": "gcj02ll"}
    return {**asked, "city": city} if city else asked


_BAIDU_LEVELS = {
    "门址": (Level.DOOR, 0.0),
    "道路": (Level.ROAD, _ROAD_M),
    "道路交叉口": (Level.ROAD, 0.0),
    "交叉路口": (Level.ROAD, 0.0),
    "村庄": (Level.AREA, _VILLAGE_M),
    "商圈": (Level.AREA, _ROAD_M),
    "乡镇": (Level.AREA, _TOWN_M),
    **dict.fromkeys(("国家", "省", "城市", "区县"), (Level.NONE, _LARGEST_M)),
}
# Confidence and the error it stands for, as the service publishes them.
_BAIDU_CONFIDENCE = (
    (100, 20.0),
    (90, 50.0),
    (80, 100.0),
    (75, 200.0),
    (70, 300.0),
    (60, 500.0),
    (50, 1000.0),
    (40, 2000.0),
    (30, 5000.0),
)


def _read_baidu(answer: Any) -> Found | tuple[Fault, str]:
    """Read https://lbsyun.baidu.com/faq/api?title=webapi/guide/webservice-geocoding."""
    status = int(answer["status"])
    if status != 0:
        return _baidu_fault(status), str(status)
    place = answer["result"]
    sure = int(place.get("confidence", 0))
    promised = next((metres for least, metres in _BAIDU_CONFIDENCE if sure >= least), _LARGEST_M)
    level, least_m = _BAIDU_LEVELS.get(str(place.get("level")), (Level.POI, 0.0))
    lon, lat = float(place["location"]["lng"]), float(place["location"]["lat"])
    # No promise of a service goes below the scatter of points published for the same address.
    return _placed(lon, lat, level, max(promised, least_m, _DOOR_M), "")


def _baidu_fault(status: int) -> Fault:
    if status in (4, 301, 302):
        return Fault.QUOTA
    if status in (1, 401, 402):
        return Fault.BUSY
    return Fault.BAD_KEY if status in (3, 5, 101, 102) or 200 <= status < 300 else Fault.REFUSED


def _ask_nominatim(address: str, city: str, _key: str) -> dict[str, str]:
    whole = address if not city or city in address else city + address
    return {"q": whole, "format": "jsonv2", "limit": "1", "accept-language": "zh"}


def _read_nominatim(answer: Any) -> Found | tuple[Fault, str]:
    """Read https://nominatim.org/release-docs/latest/api/Search/ (rank 30 house or place, 26-27 road)."""
    if not answer:
        return NOTHING
    first = answer[0]
    south, north, west, east = (float(edge) for edge in first["boundingbox"])
    reach = 111_320.0 * max(north - south, east - west) / 2.0
    rank = int(first["place_rank"])
    house = first.get("addresstype") in ("house", "house_number") or first.get("type") == "house"
    if rank >= 30:
        level, least_m = (Level.DOOR if house else Level.POI), _DOOR_M
    elif rank >= 26:
        level, least_m = Level.ROAD, 2 * _DOOR_M
    else:
        level, least_m = Level.AREA, _VILLAGE_M
    text = str(first.get("display_name") or "")
    return _placed(float(first["lon"]), float(first["lat"]), level, max(reach, least_m), text)


def _graded(
    lon: float, lat: float, levels: Mapping[str, tuple[Level, float]], grade: str, text: str
) -> Found:
    level, radius = levels.get(grade, (Level.NONE, _LARGEST_M))
    return _placed(lon, lat, level, radius, text)


_SCORES = {Level.DOOR: 0.9, Level.POI: 0.7, Level.ROAD: 0.4, Level.AREA: 0.15}


def _placed(lon: float, lat: float, level: Level, radius_m: float, text: str) -> Found:
    if level is Level.NONE or radius_m >= _LARGEST_M:
        return NOTHING
    if not (-180.0 <= lon <= 180.0 and -90.0 <= lat <= 90.0):
        raise ValueError("coordinates out of range")
    return Found(lon, lat, level, _SCORES[level], radius_m, text)


PROVIDERS: Mapping[str, Provider] = {
    provider.name: provider
    for provider in (
        Provider(
            "amap",
            "https://restapi.amap.com/v3/geocode/geo",
            SourceCrs.GCJ02,
            True,
            3.0,
            _ask_amap,
            _read_amap,
        ),
        Provider(
            "tianditu",
            "https://api.tianditu.gov.cn/geocoder",
            SourceCrs.WGS84,
            True,
            5.0,
            _ask_tianditu,
            _read_tianditu,
        ),
        Provider(
            "baidu",
            "https://api.map.baidu.com/geocoding/v3/",
            SourceCrs.GCJ02,
            True,
            3.0,
            _ask_baidu,
            _read_baidu,
        ),
        Provider(
            "nominatim",
            "https://nominatim.openstreetmap.org/search",
            SourceCrs.WGS84,
            False,
            1.0,
            _ask_nominatim,
            _read_nominatim,
        ),
    )
}
