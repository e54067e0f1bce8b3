"""Invented names of streets, communities, schools and institutions; nobody and nothing real is meant."""

from __future__ import annotations

from itertools import product

from data.terms import CareType, Kind

# Two-character stems made of parts; none holds a character that addresses read as a word of their own.
STREET_STEMS = tuple(a + b for a, b in product("锦澄望星翠朝景怀瑞嘉秀岚", "川澜霞桥岭泉帆"))
COMMUNITY_STEMS = tuple(a + b for a, b in product("云青松澜晴鹭枫桐朗沐", "溪汀苑庭岚禾畔屿"))
SCHOOL_STEMS = tuple(a + b for a, b in product("明育启弘致思", "礼德远新知和勤雅"))
BRAND_STEMS = tuple(a + b for a, b in product("小春晨乐童星蓝彩知优慧苗", "舟禾鹿帆桥芽屿石桐萤"))
SUBDISTRICTS = tuple(
    a + b + "街道"
    for a, b in ("望川", "澄湖", "清澜", "松岚", "云汀", "鹭洲", "青禾", "星渡", "石桐", "晴沙")
)
PEDESTRIAN_STREET = "云锦步行街"
SHOPS = ("便利店", "药房", "面馆", "文具店", "水果店", "理发店", "洗衣店", "书店")
UNKNOWN_PLACES = ("云汀商厦B座5楼", "旧码头仓库改造楼2楼", "鹭洲花园会所", "客运站东侧小楼")

KIND_NAMES: dict[Kind, tuple[str, ...]] = {
    Kind.SUBJECT: ("文化课培训学校",),
    Kind.NON_SUBJECT: ("美术工作室", "舞蹈培训中心", "篮球俱乐部", "编程教室", "琴行", "书法教室"),
    Kind.SELF_STUDY: ("自习室",),
    Kind.EDU_CONSULT: ("教育咨询中心",),
    Kind.KINDERGARTEN: ("幼儿园",),
    Kind.UNLICENSED: ("补习点",),
}
CARE_NAMES: dict[CareType, str] = {
    CareType.CARE_CENTER: "托管中心",
    CareType.CHILD_MINDING: "看护班",
    CareType.MEAL_TABLE: "小饭桌",
}
KIND_WORDS: dict[Kind, str] = {
    Kind.SUBJECT: "学科类",
    Kind.NON_SUBJECT: "非学科类",
    Kind.SELF_STUDY: "自习室",
    Kind.EDU_CONSULT: "教育咨询",
    Kind.KINDERGARTEN: "幼儿园",
    Kind.UNLICENSED: "无证无照",
}
CARE_WORDS: dict[CareType, str] = {
    CareType.CARE_CENTER: "托管",
    CareType.CHILD_MINDING: "看护班",
    CareType.MEAL_TABLE: "小饭桌",
}
