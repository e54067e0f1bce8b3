"""Words that people write in registers for kinds, states and registering authorities."""

from __future__ import annotations

from data.terms import Authority, CareType, Kind, SiteStatus

KIND_WORDS: dict[str, tuple[Kind, CareType | None]] = {
    "学科类": (Kind.SUBJECT, None),
    "学科": (Kind.SUBJECT, None),
    "学科类培训": (Kind.SUBJECT, None),
    "非学科类": (Kind.NON_SUBJECT, None),
    "非学科": (Kind.NON_SUBJECT, None),
    "非学科类培训": (Kind.NON_SUBJECT, None),
    "体育类": (Kind.NON_SUBJECT, None),
    "艺术类": (Kind.NON_SUBJECT, None),
    "文化艺术类": (Kind.NON_SUBJECT, None),
    "科技类": (Kind.NON_SUBJECT, None),
    "托管": (Kind.CARE, CareType.CARE_CENTER),
    "托管机构": (Kind.CARE, CareType.CARE_CENTER),
    "托管班": (Kind.CARE, CareType.CARE_CENTER),
    "校外托管": (Kind.CARE, CareType.CARE_CENTER),
    "看护": (Kind.CARE, CareType.CHILD_MINDING),
    "看护班": (Kind.CARE, CareType.CHILD_MINDING),
    "看护点": (Kind.CARE, CareType.CHILD_MINDING),
    "小饭桌": (Kind.CARE, CareType.MEAL_TABLE),
    "自习室": (Kind.SELF_STUDY, None),
    "自习": (Kind.SELF_STUDY, None),
    "教育咨询": (Kind.EDU_CONSULT, None),
    "教育信息咨询": (Kind.EDU_CONSULT, None),
    "咨询": (Kind.EDU_CONSULT, None),
    "幼儿园": (Kind.KINDERGARTEN, None),
    "无证无照": (Kind.UNLICENSED, None),
}
STATUS_WORDS: dict[str, SiteStatus] = {
    "": SiteStatus.UNKNOWN,
    "营业": SiteStatus.OPEN,
    "正常": SiteStatus.OPEN,
    "正常营业": SiteStatus.OPEN,
    "在营": SiteStatus.OPEN,
    "存续": SiteStatus.OPEN,
    "开业": SiteStatus.OPEN,
    "暂停营业": SiteStatus.SUSPENDED,
    "停业": SiteStatus.SUSPENDED,
    "暂停": SiteStatus.SUSPENDED,
    "暂停业": SiteStatus.SUSPENDED,
    "注销办理中": SiteStatus.EXITING,
    "正在注销": SiteStatus.EXITING,
    "注销中": SiteStatus.EXITING,
    "已注销": SiteStatus.DEREGISTERED,
    "注销": SiteStatus.DEREGISTERED,
    "未知": SiteStatus.UNKNOWN,
}
AUTHORITY_WORDS: dict[str, Authority] = {
    "民政局": Authority.CIVIL_AFFAIRS,
    "民政": Authority.CIVIL_AFFAIRS,
    "市场监管局": Authority.MARKET,
    "市场监督管理局": Authority.MARKET,
    "市监局": Authority.MARKET,
    "教育局": Authority.EDUCATION,
}
