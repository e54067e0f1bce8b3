"""Shared addresses (一址多照) as people read them: states, words, rows, the map layer, and deciding."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from shapely.geometry import Point
from sqlalchemy.orm import Session

from dashboard.access.presence import acting
from dashboard.features import collect, feature
from dashboard.i18n import sentence_for, translator
from dashboard.layers import Layer
from dashboard.panels import Rows
from dashboard.parts.cache import cached
from dashboard.theme import BAD, GOOD, MUTED
from dashboard.wiring import LOCAL_ZONE, Wiring
from data import accounts
from data.accounts import Identity, Permission
from data.terms import ColocationVerdict, Language
from geo import colocated
from geo.colocated import Case, Licence, Record
from geo.colocation import ColocationLevel

OPEN, SETTLED, ORDINARY = "open", "settled", "ordinary"
STATES = (OPEN, SETTLED, ORDINARY)
COLOURS = {OPEN: BAD, SETTLED: GOOD, ORDINARY: MUTED}
MOST_LISTED = 100
# From which confidence on each word is used; the numbers are judgement, as the weights behind them.
_WORDS = ((0.9, "very_likely"), (0.6, "likely"), (0.35, "possible"), (0.0, "unlikely"))


@dataclass(frozen=True)
class Shared:
    """All shared addresses, open ones first, and the display names of those who decided."""

    cases: tuple[Case, ...]
    names: Mapping[str, str]


@dataclass(frozen=True)
class Totals:
    """Shared addresses by state, and the different institutions at them."""

    open: int
    settled: int
    ordinary: int
    institutions: int


def read(wiring: Wiring) -> Shared:
    """Return the shared addresses of the district."""

    def make(session: Session) -> Shared:
        names = {user.username: user.display_name for user in accounts.list_users(session)}
        return Shared(tuple(colocated.list_cases(session)), names)

    return cached(wiring, "shared_addresses", (), make)


def record(wiring: Wiring, identity: Identity, case: Case, *, verdict: ColocationVerdict, note: str) -> None:
    """Record what somebody found about the case they were shown.

    Raises
    ------
    AccountError
        `forbidden`, `session_ended`.
    ColocationError
        As `geo.colocated.decide`.
    """
    with acting(wiring, identity, Permission.DECIDE_COLOCATION) as writing:
        colocated.decide(
            writing.session,
            level=case.group.level.value,
            key=case.group.key,
            verdict=verdict,
            note=note.strip(),
            actor=writing.actor,
            now=writing.now,
            shown=case,
        )


def records(wiring: Wiring, *, limit: int, skip: int) -> list[Record]:
    """Return the decisions on file, newest first, after the first `skip` of them."""

    def read(session: Session) -> list[Record]:
        return colocated.list_records(session, limit=limit, skip=skip)

    return cached(wiring, "colocation_records", (limit, skip), read)


def take_back(wiring: Wiring, identity: Identity, decision: int, *, note: str) -> ColocationVerdict:
    """Take back a decision; return the verdict that holds now.

    Raises
    ------
    AccountError
        `forbidden`, `session_ended`.
    ColocationError
        As `geo.colocated.take_back`.
    """
    with acting(wiring, identity, Permission.DECIDE_COLOCATION) as writing:
        taken = colocated.take_back(
            writing.session, decision, note=note, actor=writing.actor, now=writing.now
        )
        return taken.verdict


def record_line(item: Record, shared: Shared, language: Language) -> str:
    """Return a decision on file on one line: address, verdict, who, when, note."""
    who = shared.names.get(item.decided_by, item.decided_by)
    day = item.decided_at.astimezone(LOCAL_ZONE).date().isoformat()
    parts = [key_words(item.key), item.verdict.label(language), who, day, item.note]
    return " · ".join(part for part in parts if part)


def state_of(case: Case) -> str:
    """Return `OPEN`, `SETTLED` (one case, or one operator) or `ORDINARY` (a building like any other)."""
    if case.open:
        return OPEN
    told = case.decision
    settled = told is not None and told.verdict is not ColocationVerdict.ORDINARY
    return SETTLED if settled else ORDINARY


def select(shared: Shared, *, level: str | None, state: str | None) -> list[Case]:
    """Return the cases of a level and a state, all where none is named."""
    return [
        case
        for case in shared.cases
        if level in (None, case.group.level.value) and state in (None, state_of(case))
    ]


def code_of(case: Case) -> str:
    """Return a short name of a case for links: no address stands in it."""
    text = f"{case.group.level.value}\n{case.group.key}"
    return hashlib.sha256(text.encode()).hexdigest()[:10]


def count(shared: Shared) -> Totals:
    """Return the totals."""
    states = [state_of(case) for case in shared.cases]
    places = {licence.id for case in shared.cases for licence in case.licences}
    return Totals(states.count(OPEN), states.count(SETTLED), states.count(ORDINARY), len(places))


def level_word(level: ColocationLevel, language: Language) -> str:
    """Return the word of a level."""
    t = translator(language)
    words = {
        ColocationLevel.ROOM: t("同一房间"),
        ColocationLevel.DOOR: t("同一门牌"),
        ColocationLevel.BUILDING: t("同一楼宇"),
    }
    return words[level]


def state_word(state: str, language: Language) -> str:
    """Return the word of a state."""
    t = translator(language)
    return {OPEN: t("待核实"), SETTLED: t("已认定"), ORDINARY: t("普通楼宇")}[state]


def confidence_words(confidence: float, language: Language) -> str:
    """Return a confidence as a word with its number."""
    word = next(word for least, word in _WORDS if confidence >= least)
    return f"{sentence_for(f'confidence.{word}', {}, language)} {confidence:.2f}"


def evidence_words(case: Case, language: Language) -> list[str]:
    """Return what speaks for or against one case; of phones and people only that they agree."""
    return [sentence_for(f"colocation.{seen.value}", {}, language) for seen in case.group.evidence]


def place_words(case: Case) -> str:
    """Return the shared part of the address."""
    return key_words(case.group.key)


def key_words(key: str) -> str:
    """Return the key of an address as people write it."""
    return key.partition("~")[0].replace("/", " ")


def licence_words(licence: Licence, language: Language) -> str:
    """Return an institution with kind, status and grid area on one line."""
    grid = licence.grid_code or translator(language)("网格外")
    return f"{licence.name} · {licence.kind.label(language)} · {licence.status.label(language)} · {grid}"


def decision_words(case: Case, shared: Shared, language: Language) -> list[str]:
    """Return the decision that holds: verdict, who and when, note, and whether licences changed since."""
    told, t = case.decision, translator(language)
    if told is None:
        return []
    day = told.decided_at.astimezone(LOCAL_ZONE).date().isoformat()
    who = shared.names.get(told.decided_by, told.decided_by)
    lines = [told.verdict.label(language), t("{who} {date}", who=who, date=day), told.note]
    if told.changed:
        lines.insert(0, t("机构有变化，需重新核实"))
    return [line for line in lines if line]


def rows(chosen: Sequence[Case], shared: Shared, language: Language) -> Rows:
    """Return one row a case, numbered as on the map, at most `MOST_LISTED`."""
    t = translator(language)
    titles = [t("序"), t("地址"), t("把握和依据"), t("机构"), t("处理情况")]
    body = [
        [
            str(number),
            [place_words(case), level_word(case.group.level, language)],
            [confidence_words(case.group.confidence, language), *evidence_words(case, language)],
            [licence_words(licence, language) for licence in case.licences],
            [state_word(state_of(case), language), *decision_words(case, shared, language)],
        ]
        for number, case in enumerate(chosen[:MOST_LISTED], start=1)
    ]
    return titles, body


def case_line(case: Case, language: Language) -> str:
    """Return level, confidence and evidence of one case on one line."""
    parts = [level_word(case.group.level, language), confidence_words(case.group.confidence, language)]
    return " · ".join([*parts, *evidence_words(case, language)])


def last_line(case: Case, shared: Shared, language: Language) -> str:
    """Return the decision that holds on one line."""
    t = translator(language)
    told = " · ".join(decision_words(case, shared, language))
    return t("上次认定：{told}", told=told) if told else t("尚未认定")


def licence_rows(case: Case, language: Language) -> Rows:
    """Return one row an institution of a case."""
    t = translator(language)
    titles = [t("机构"), t("类别"), t("状态"), t("网格"), t("地址")]
    body = [
        [
            licence.name,
            licence.kind.label(language),
            licence.status.label(language),
            licence.grid_code or t("网格外"),
            licence.address,
        ]
        for licence in case.licences
    ]
    return titles, body


def layer(chosen: Sequence[Case], *, language: Language) -> Layer:
    """Return the listed cases as numbered points; those whose institutions have no point are left out."""
    features = []
    for number, case in enumerate(chosen[:MOST_LISTED], start=1):
        points = [(one.lon, one.lat) for one in case.licences if one.lon is not None and one.lat is not None]
        if not points:
            continue
        level = level_word(case.group.level, language)
        features.append(
            feature(
                Point(points[0]),
                id=code_of(case),
                label=str(number),
                colour=COLOURS[state_of(case)],
                title=place_words(case),
                lines=[
                    f"{level} · {confidence_words(case.group.confidence, language)}",
                    *evidence_words(case, language),
                    *(licence.name for licence in case.licences),
                ],
            )
        )
    return collect(features)
