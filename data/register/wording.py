"""Words that people write in registers for kinds, states and registering authorities."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from data.errors import DataError
from data.register.characters import normalise
from data.terms import Authority, CareType, Kind, SiteStatus

KIND_WORDS: dict[str, tuple[Kind, CareType | None]] = {
    "学科类": (Kind.SUBJECT, None),
    "学科": (Kind.SUBJECT, None),
    "学科类培训": (Kind.SUBJECT, None),
    "非学科类": (Kind.NON_SUBJECT, None),
    "非学科": (Kind.NON_SUBJECT, None),
    "非学科类培训": (Kind.NON_SUBJECT, None),
    "学科培训": (Kind.SUBJECT, None),
    "文化课": (Kind.SUBJECT, None),
    "非学科培训": (Kind.NON_SUBJECT, None),
    "体育": (Kind.NON_SUBJECT, None),
    "艺术": (Kind.NON_SUBJECT, None),
    "文化艺术": (Kind.NON_SUBJECT, None),
    "科技": (Kind.NON_SUBJECT, None),
    "体育类": (Kind.NON_SUBJECT, None),
    "艺术类": (Kind.NON_SUBJECT, None),
    "文化艺术类": (Kind.NON_SUBJECT, None),
    "科技类": (Kind.NON_SUBJECT, None),
    "托管": (Kind.CARE, CareType.CARE_CENTER),
    "托管机构": (Kind.CARE, CareType.CARE_CENTER),
    "托管班": (Kind.CARE, CareType.CARE_CENTER),
    "校外托管": (Kind.CARE, CareType.CARE_CENTER),
    "学生托管": (Kind.CARE, CareType.CARE_CENTER),
    "午托": (Kind.CARE, CareType.CARE_CENTER),
    "午托班": (Kind.CARE, CareType.CARE_CENTER),
    "晚托": (Kind.CARE, CareType.CARE_CENTER),
    "晚托班": (Kind.CARE, CareType.CARE_CENTER),
    "午晚托": (Kind.CARE, CareType.CARE_CENTER),
    "课后托管": (Kind.CARE, CareType.CARE_CENTER),
    "托育": (Kind.CARE, CareType.CHILD_MINDING),
    "托育机构": (Kind.CARE, CareType.CHILD_MINDING),
    "托育园": (Kind.CARE, CareType.CHILD_MINDING),
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
    "民办幼儿园": (Kind.KINDERGARTEN, None),
    "公办幼儿园": (Kind.KINDERGARTEN, None),
    "普惠性幼儿园": (Kind.KINDERGARTEN, None),
    "普惠性民办幼儿园": (Kind.KINDERGARTEN, None),
    "无证无照": (Kind.UNLICENSED, None),
    "无证": (Kind.UNLICENSED, None),
    "无照": (Kind.UNLICENSED, None),
    "无证机构": (Kind.UNLICENSED, None),
}
STATUS_WORDS: dict[str, SiteStatus] = {
    "": SiteStatus.UNKNOWN,
    "营业": SiteStatus.OPEN,
    "正常": SiteStatus.OPEN,
    "正常营业": SiteStatus.OPEN,
    "在营": SiteStatus.OPEN,
    "在业": SiteStatus.OPEN,
    "营业中": SiteStatus.OPEN,
    "正常办学": SiteStatus.OPEN,
    "正常经营": SiteStatus.OPEN,
    "正常运营": SiteStatus.OPEN,
    "在办": SiteStatus.OPEN,
    "办学中": SiteStatus.OPEN,
    "开办": SiteStatus.OPEN,
    "存续": SiteStatus.OPEN,
    "开业": SiteStatus.OPEN,
    "暂停营业": SiteStatus.SUSPENDED,
    "停业": SiteStatus.SUSPENDED,
    "暂停": SiteStatus.SUSPENDED,
    "歇业": SiteStatus.SUSPENDED,
    "停办": SiteStatus.SUSPENDED,
    "停课": SiteStatus.SUSPENDED,
    "暂停办学": SiteStatus.SUSPENDED,
    "停止办学": SiteStatus.SUSPENDED,
    "关停": SiteStatus.SUSPENDED,
    "关闭": SiteStatus.SUSPENDED,
    "已关停": SiteStatus.SUSPENDED,
    "已关闭": SiteStatus.SUSPENDED,
    "暂停业": SiteStatus.SUSPENDED,
    "注销办理中": SiteStatus.EXITING,
    "正在注销": SiteStatus.EXITING,
    "注销中": SiteStatus.EXITING,
    "已注销": SiteStatus.DEREGISTERED,
    "注销": SiteStatus.DEREGISTERED,
    "吊销": SiteStatus.DEREGISTERED,
    "已吊销": SiteStatus.DEREGISTERED,
    "终止": SiteStatus.DEREGISTERED,
    "终止办学": SiteStatus.DEREGISTERED,
    "已终止": SiteStatus.DEREGISTERED,
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
NONE_WORDS = frozenset(
    r"""无 没有 暂无 未办 未办理 未取得 未持证 无证 办理中 正在办理 待办 待办理 申请中 否 不详 空
    - -- — —— / \ null none n/a""".split()  # noqa: SIM905
)
_BRACKETED = re.compile(r"\([^()]*\)")
_ENDINGS = ("培训机构", "培训学校", "培训班", "培训", "机构", "类")


class WordsError(DataError):
    """An office's own table of words cannot be used."""


@dataclass(frozen=True)
class Words:
    """What registers call kinds, states and authorities: the words that ship, and an office's own."""

    kinds: Mapping[str, tuple[Kind, CareType | None]]
    statuses: Mapping[str, SiteStatus]
    authorities: Mapping[str, Authority]

    def kind(self, text: str) -> tuple[Kind, CareType | None] | None:
        """Return what a word such as 学科类（初中） stands for, None when nobody knows."""
        found: tuple[Kind, CareType | None] | None = _find(text, self.kinds)
        return found

    def kind_in(self, text: str) -> str | None:
        """Return the kind that the name of a sheet or of a group of rows states, None without exactly one."""
        bare = re.sub(r"\s+|^[(]?[一二三四五六七八九十\d]{1,3}[)、.]|[(][^()]*[)]", "", text)
        found: list[str] = []
        for word in sorted(self.kinds, key=len, reverse=True):
            if word in bare and len(word) > 1:
                found.append(word)
                bare = bare.replace(word, "|")
        return found[0] if len({self.kinds[word] for word in found}) == 1 else None

    def status(self, text: str) -> SiteStatus | None:
        """Return what a state stands for, None when nobody knows."""
        found: SiteStatus | None = _find(text, self.statuses)
        return found

    def authority(self, text: str) -> Authority:
        """Return the authority that a register names: the local one of a kind, whatever its district."""
        bare = re.sub(r"\s+", "", text)
        known = self.authorities.get(bare)
        ending = next((word for word in self.authorities if bare.endswith(word)), None)
        return known or (Authority.UNKNOWN if ending is None else self.authorities[ending])

    @staticmethod
    def is_none(text: str) -> bool:
        """Return whether a cell for a number says that there is none: 无, /, 办理中."""
        return re.sub(r"[\s()]+", "", text).lower() in NONE_WORDS


def _find(text: str, known: Mapping[str, Any]) -> Any:
    bare = re.sub(r"\s+", "", text)
    without = _BRACKETED.sub("", bare)
    for word in (bare, without):
        if word in known:
            return known[word]
    for word in (bare, without):
        for ending in _ENDINGS:
            short = word.removesuffix(ending)
            if short and short != word and short in known:
                return known[short]
    return None


WORDS = Words(KIND_WORDS, STATUS_WORDS, AUTHORITY_WORDS)


def read_words(path: Path) -> Words:
    """Return the words that ship and those of an office: TOML tables `kind`, `status`, `authority`.

    Each line of a table reads `"word" = "term"`, the term by its Chinese or English name, such as
    `"午托" = "托管"`.

    Raises
    ------
    WordsError
        `bad_words` with the table, word and term that cannot be used.
    """
    try:
        told = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError) as error:
        raise WordsError("bad_words", file=path.name, table="", word="", term="") from error
    tables: dict[str, dict[str, Any]] = {
        "kind": dict(KIND_WORDS),
        "status": dict(STATUS_WORDS),
        "authority": dict(AUTHORITY_WORDS),
    }
    for table, lines in told.items():
        if table not in tables or not isinstance(lines, dict):
            raise WordsError("bad_words", file=path.name, table=table, word="", term="")
        for word, term in lines.items():
            meant = _term(table, str(term))
            if meant is None:
                raise WordsError("bad_words", file=path.name, table=table, word=word, term=str(term))
            tables[table][re.sub(r"\s+", "", normalise(word))] = meant
    return Words(tables["kind"], tables["status"], tables["authority"])


def _term(table: str, term: str) -> Any:
    if table == "kind":
        return next(((k, None) for k in Kind if term in (k.value, k.zh, k.en)), None) or KIND_WORDS.get(term)
    vocabulary: type[SiteStatus] | type[Authority] = SiteStatus if table == "status" else Authority
    return next((word for word in vocabulary if term in (word.value, word.zh, word.en)), None)
