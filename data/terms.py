"""The field's vocabulary: enumerations with Chinese and English labels (domain glossary)."""

from __future__ import annotations

from enum import StrEnum
from typing import Literal

Language = Literal["zh", "en"]


class Term(StrEnum):
    """A word of the field: its value is the identifier, its labels are what people read."""

    zh: str
    en: str

    def __new__(cls, value: str, zh: str, en: str) -> Term:
        member = str.__new__(cls, value)
        member._value_ = value
        member.zh = zh
        member.en = en
        return member

    def label(self, language: Language = "zh") -> str:
        """Return the label in `language`."""
        return self.zh if language == "zh" else self.en


class Kind(Term):
    """What an institution does; decides when it must be seen and what is allowed there."""

    SUBJECT = "subject", "学科类", "Subject tutoring"
    NON_SUBJECT = "non_subject", "非学科类", "Non-subject training"
    CARE = "care", "托管看护", "Care centre"
    SELF_STUDY = "self_study", "自习室", "Self-study room"
    EDU_CONSULT = "edu_consult", "教育咨询", "Education consulting"
    KINDERGARTEN = "kindergarten", "幼儿园", "Kindergarten"
    UNLICENSED = "unlicensed", "无证无照", "Unlicensed"


class CareType(Term):
    """The three sorts of care centres a register distinguishes."""

    CARE_CENTER = "care_center", "托管", "Care centre"
    CHILD_MINDING = "child_minding", "看护班", "Child-minding class"
    MEAL_TABLE = "meal_table", "小饭桌", "Meal table"


class SiteStatus(Term):
    """Whether the place operates, as the register says."""

    OPEN = "open", "营业", "Open"
    SUSPENDED = "suspended", "暂停营业", "Suspended"
    EXITING = "exiting", "注销办理中", "Deregistering"
    DEREGISTERED = "deregistered", "已注销", "Deregistered"
    UNKNOWN = "unknown", "未知", "Unknown"


class Authority(Term):
    """The body that registered the institution."""

    CIVIL_AFFAIRS = "civil_affairs", "民政局", "Civil affairs"
    MARKET = "market", "市场监管局", "Market regulation"
    EDUCATION = "education", "教育局", "Education bureau"
    UNKNOWN = "unknown", "未知", "Unknown"


class Stage(Term):
    """School stage."""

    PRIMARY = "primary", "小学", "Primary school"
    SECONDARY = "secondary", "中学", "Secondary school"
    KINDERGARTEN = "kindergarten", "幼儿园", "Kindergarten"
    OTHER = "other", "其他学校", "Other school"


class DayType(Term):
    """What a calendar date is, after 调休."""

    WORKDAY = "workday", "工作日", "Workday"
    SHIFTED_WORKDAY = "shifted_workday", "调休上班", "Make-up workday"
    WEEKEND = "weekend", "周末", "Weekend"
    HOLIDAY = "holiday", "节假日", "Public holiday"


class SlotKind(Term):
    """A part of a day in which teams patrol."""

    SCHOOL_HOURS = "school_hours", "工作日上午", "Workday morning"
    NOON = "noon", "工作日午间", "Workday noon"
    EVENING = "evening", "工作日晚间", "Workday evening"
    WEEKEND_AM = "weekend_am", "周末上午", "Weekend morning"
    WEEKEND_PM = "weekend_pm", "周末下午", "Weekend afternoon"
    HOLIDAY_AM = "holiday_am", "节假日上午", "Holiday morning"
    HOLIDAY_PM = "holiday_pm", "节假日下午", "Holiday afternoon"
    BREAK_AM = "break_am", "寒暑假上午", "School-break morning"
    BREAK_PM = "break_pm", "寒暑假下午", "School-break afternoon"


class SlotClass(Term):
    """A key time point (关键时间点): coverage is owed once per class and round."""

    SCHOOL_HOURS = "school_hours", "在校时间", "School hours"
    NOON = "noon", "午间", "Noon"
    EVENING = "evening", "晚间", "Evening"
    WEEKEND = "weekend", "周末", "Weekend"
    HOLIDAY = "holiday", "节假日", "Holiday"
    BREAK = "break", "寒暑假", "School break"


SLOT_CLASS: dict[SlotKind, SlotClass] = {
    SlotKind.SCHOOL_HOURS: SlotClass.SCHOOL_HOURS,
    SlotKind.NOON: SlotClass.NOON,
    SlotKind.EVENING: SlotClass.EVENING,
    SlotKind.WEEKEND_AM: SlotClass.WEEKEND,
    SlotKind.WEEKEND_PM: SlotClass.WEEKEND,
    SlotKind.HOLIDAY_AM: SlotClass.HOLIDAY,
    SlotKind.HOLIDAY_PM: SlotClass.HOLIDAY,
    SlotKind.BREAK_AM: SlotClass.BREAK,
    SlotKind.BREAK_PM: SlotClass.BREAK,
}


class Outcome(Term):
    """What a visit saw; only the first two pay a coverage debt (domain fact 5)."""

    SEEN_OPEN = "seen_open", "开门已查", "Seen open"
    CLOSED_AS_EXPECTED = "closed_as_expected", "应关已关", "Closed as expected"
    NOT_OPEN = "not_open", "未开门", "Not open"
    SUSPENDED = "suspended", "暂停业", "Suspended"
    REFUSED = "refused", "不配合", "Refused"
    UNTRACEABLE = "untraceable", "查无下落", "Untraceable"

    @property
    def pays(self) -> bool:
        """Whether this outcome pays the coverage debt."""
        return self in (Outcome.SEEN_OPEN, Outcome.CLOSED_AS_EXPECTED)


class VisitMode(Term):
    """Announced or covert."""

    OPEN_VISIT = "open_visit", "明察", "Announced"
    COVERT_VISIT = "covert_visit", "暗访", "Covert"


class VisitForm(Term):
    """Which of the four records a visit makes; only an inspection counts against the yearly cap."""

    PATROL = "patrol", "巡查", "Patrol"
    COURTESY = "courtesy", "走访", "Courtesy visit"
    INSPECTION = "inspection", "检查", "Inspection"
    RECHECK = "recheck", "复查", "Recheck"


class VisitReason(Term):
    """Why a visit is on the list."""

    DUE = "due", "本轮未查", "Owed this round"
    RECHECK = "recheck", "整改复查", "Recheck"
    TIP = "tip", "举报线索", "Tip"
    RISK = "risk", "风险较高", "Higher risk"
    RANDOM = "random", "随机抽查", "Random check"
    CAMPAIGN = "campaign", "专项检查", "Campaign"


class RoundName(Term):
    """A coverage round of the year; every institution owes its key time points once in each."""

    SPRING_START = "spring_start", "春季开学", "Spring term start"
    SPRING_TERM = "spring_term", "春季日常", "Spring term"
    DRAGON_BOAT = "dragon_boat", "端午", "Dragon Boat Festival"
    SUMMER_BREAK = "summer_break", "暑假", "Summer break"
    AUTUMN_START = "autumn_start", "秋季开学", "Autumn term start"
    AUTUMN_TERM = "autumn_term", "秋季日常", "Autumn term"
    MID_AUTUMN = "mid_autumn", "中秋", "Mid-Autumn Festival"
    NATIONAL_DAY = "national_day", "国庆", "National Day"
    WINTER_BREAK = "winter_break", "寒假", "Winter break"


class FindingCode(Term):
    """Checklist items (domain section 6) that the register's history uses."""

    LIC_01 = "LIC-01", "证照不全或未公示", "Permit missing or not displayed"
    TIM_01 = "TIM-01", "20:30 后仍上课", "Class after 20:30"
    TIM_02 = "TIM-02", "周末节假日学科培训", "Subject class on weekend or holiday"
    VAR_01 = "VAR-01", "隐形变异学科培训", "Disguised subject training"
    TCH_01 = "TCH-01", "托管场所设有黑板", "Blackboard in care centre"
    TCH_03 = "TCH-03", "摆放教材教辅", "Teaching material on display"
    ADV_01 = "ADV-01", "违规广告或灯箱", "Illegal advertisement"
    KG_01 = "KG-01", "提前教授小学内容", "Primary-school content in kindergarten"
    FIR_01 = "FIR-01", "消防通道或器材问题", "Fire exit or extinguisher fault"


class FindingStatus(Term):
    """State of a finding on its way to close-out (销号)."""

    OPEN = "open", "整改中", "Open"
    SUBMITTED = "submitted", "待复查", "Awaiting recheck"
    CLOSED = "closed", "已销号", "Closed"


class TipStatus(Term):
    """State of a tip from the public."""

    RECEIVED = "received", "已受理", "Received"
    VERIFIED = "verified", "已核实", "Verified"
    UNFOUNDED = "unfounded", "不属实", "Unfounded"


class PlanStatus(Term):
    """State of a plan revision; a published one is never edited."""

    DRAFT = "draft", "草案", "Draft"
    PUBLISHED = "published", "已发布", "Published"
    SUPERSEDED = "superseded", "已被替代", "Superseded"


class RecusalReason(Term):
    """Why an officer must not inspect an institution (行政处罚法 article 43)."""

    INTEREST = "interest", "直接利害关系", "Direct interest"
    RELATIVE = "relative", "亲属关系", "Relative"
    FORMER_POST = "former_post", "曾在该机构任职", "Worked there"
    OTHER = "other", "其他可能影响公正的关系", "Other tie"


class ColocationVerdict(Term):
    """What a person found about several licences at one address (一址多照)."""

    TRUE_CASE = "true_case", "确属一址多照", "Several licences at one address"
    SAME_OPERATOR = "same_operator", "同一举办者", "Same operator"
    ORDINARY = "ordinary", "普通商场楼宇", "Ordinary mall or building"
    UNCLEAR = "unclear", "尚不清楚", "Unclear"


class LocationSource(Term):
    """Who or what said where an institution is."""

    DECLARED = "declared", "名册坐标", "Coordinates of the register"
    GAZETTEER = "gazetteer", "地名库匹配", "Gazetteer"
    ONLINE = "online", "在线地理编码", "Online geocoder"
    HAND = "hand", "人工核定", "Set by hand"


class JobStatus(Term):
    """State of a queued job."""

    QUEUED = "queued", "排队中", "Queued"
    RUNNING = "running", "计算中", "Running"
    DONE = "done", "已完成", "Done"
    FAILED = "failed", "失败", "Failed"
    CANCELLED = "cancelled", "已取消", "Cancelled"


class Role(Term):
    """What a user may do; see data.accounts for the permission table."""

    TEAM_LEAD = "team_lead", "组长", "Team lead"
    OFFICER = "officer", "执法人员", "Officer"
    GRID_WORKER = "grid_worker", "网格员", "Grid worker"
    LEADER = "leader", "分管领导", "Leader"
    CLERK = "clerk", "内勤", "Clerk"
    ADMINISTRATOR = "administrator", "系统管理员", "Administrator"
