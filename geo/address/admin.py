"""Administrative parts at the front of a Chinese address."""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

_HAN = "一-龥"
_PROVINCES = (
    "河北|山西|辽宁|吉林|黑龙江|江苏|浙江|安徽|福建|江西|山东|河南|湖北|湖南|广东|海南|四川|贵州|云南|陕西|甘肃|青海|台湾|"
    "内蒙古|广西|西藏|宁夏|新疆|香港|澳门"
)
_PROVINCE = re.compile(
    rf"(?:中国|中华人民共和国)?((?:{_PROVINCES})(?:省|(?:壮族|回族|维吾尔)?自治区|特别行政区)|"
    rf"(?:{_PROVINCES})(?=[{_HAN}]{{2,4}}[市县]))"
)
_NAME = rf"(?:(?![路街巷号弄镇]|小区|社区)[{_HAN}])"
# An administrative word directly before a road word is part of the road's own name (红旗大街, 新区中路).
_NOT_ROAD = r"(?!大?[路街道巷弄场]|[东西南北中]?[一二三四五六七八九十]*[路街]|政府|民[广中])"
_CAPITAL = "(?:北京|上海|天津|重庆)"
_CITY = re.compile(
    rf"({_CAPITAL}市?(?={_NAME}+?[区县])|{_CAPITAL}市|{_NAME}{{2,6}}?(?:市|自治州|地区|盟){_NOT_ROAD})"
)
_DISTRICT = re.compile(
    rf"({_NAME}{{2,8}}?(?<![小社园街校厂景片宅活墅属业新发])区(?!域|间)|"
    rf"{_NAME}{{1,8}}?(?:新区|开发区|(?<![小社园街校厂景片宅活墅属业])区(?!域|间)|县|(?<=..)旗|(?<=..)市){_NOT_ROAD})"
)
_STREET = re.compile(rf"([{_HAN}]{{2,7}}?(?:街道(?:办事处)?(?![口路])|镇{_NOT_ROAD}|乡{_NOT_ROAD}))")
_LANE = re.compile(r"\d+弄")

# Districts merged away whose names still stand in registers. 和平区 or 城区 of many cities are not here: a
# name is listed only where it meant one place and its whole ground went to one other district.
FORMER_DISTRICTS: Mapping[str, str] = MappingProxyType(
    {
        "卢湾区": "黄浦区",
        "南市区": "黄浦区",
        "闸北区": "静安区",
        "南汇区": "浦东新区",
        "崇文区": "东城区",
        "宣武区": "西城区",
        "塘沽区": "滨海新区",
        "汉沽区": "滨海新区",
        "大港区": "滨海新区",
        "东陵区": "浑南区",
        "新城子区": "沈北新区",
        "东山区": "越秀区",
        "芳村区": "荔湾区",
        "萝岗区": "黄埔区",
        "白下区": "秦淮区",
        "下关区": "鼓楼区",
        "沧浪区": "姑苏区",
        "平江区": "姑苏区",
        "金阊区": "姑苏区",
        "四方区": "市北区",
        "胶南市": "黄岛区",
        "江东区": "鄞州区",
        "下城区": "拱墅区",
        "余杭县": "余杭区",
    }
)

_FORMER = re.compile(rf"原?(?:{'|'.join(FORMER_DISTRICTS)})")


def current_district(written: str, *, former: Mapping[str, str] = FORMER_DISTRICTS) -> str:
    """Give today's name of a district as written; a name that is not listed stays as it is.

    Parameters
    ----------
    written : str
        District, perhaps with the city before it or 原 in front.
    former : mapping of str to str
        Old name to new name.

    Returns
    -------
    str
        Name of the district today.
    """
    bare = written.removeprefix("原")
    old = max((name for name in former if bare.endswith(name)), key=len, default=None)
    return written if old is None else former[old]


def take_admin(body: str, parts: dict[str, Any]) -> str:
    """Take province, city, district and street office off the front of a normalised address.

    Parameters
    ----------
    body : str
        Normalised address.
    parts : dict
        Receives ``province``, ``city``, ``district``, ``street``, and ``lead`` (town above a street office).

    Returns
    -------
    str
        What follows.

    Notes
    -----
    No list of places is needed: a retired or misspelt district (和乎区) is still taken as written.
    """
    for name, pattern in (
        ("province", _PROVINCE),
        ("city", _CITY),
        ("district", _DISTRICT),
        ("street", _STREET),
    ):
        found = pattern.match(body)
        if found is None:
            continue
        after = body[found.end() :]
        if name == "street" and (not after or (after[0].isdigit() and not _LANE.match(after))):
            continue
        parts[name], body = found[1], after
        while name == "district" and body.startswith(found[1]):
            body = body[len(found[1]) :]  # written twice by two merged columns
        old = _FORMER.match(body) if name == "district" else None
        if old is not None:  # today's district and the one it swallowed
            parts["lead"], body = (*parts.get("lead", ()), old[0]), body[old.end() :]
    below = _STREET.match(body) if parts.get("street", "").endswith(("镇", "乡")) else None
    if below is not None and "街道" in below[1]:
        parts["lead"] = (*parts.get("lead", ()), parts["street"])
        parts["street"], body = below[1], body[below.end() :]
    return body
