"""Demand: from what is owed and what is due to the visits a plan should make, each with its reasons."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from data.terms import SlotClass, VisitForm, VisitReason
from planner.draw import KEY_POINT, rank
from planner.ledger import Account, Duty, owed_classes
from planner.problem import Visit, Window
from planner.risk import Score, priority
from planner.slots import Slot, SlotRules

# A first visit outranks any saving of travel (rule 3); priorities then decide among the others.
FIRST_VISIT_PRIZE = 200_000
BASE_PRIZE_S = 900
PRIORITY_PRIZE_S = 2_400
MOST_PRIZE_S = 7_200
# What was drawn goes before what risk or distance would decide, after first visits.
DRAWN_PRIZE_S = 20_000
# An overdue recheck or tip is planned within the first days of the period, a weekend included.
OVERDUE_DAYS = 4


@dataclass(frozen=True)
class Want:
    """One visit wanted: the planner's visit with what people need to know about it.

    `reason` and `p_select` say why it is wanted and the chance it was drawn with, 1 for all that was not
    drawn. `counted` says whether it uses up the enterprise's yearly cap, `seen` whether the place was seen in
    the round before, `hidden` the windows kept from the solver so that the time is harder to guess.
    """

    visit: Visit
    institution_id: int
    slot_class: SlotClass | None
    due: dt.date | None
    score: Score
    reasons: tuple[dict[str, object], ...]
    reason: VisitReason = VisitReason.DUE
    p_select: float = 1.0
    form: VisitForm = VisitForm.PATROL
    counted: bool = False
    seen: bool = False
    hidden: tuple[Window, ...] = ()


@dataclass(frozen=True)
class NotWanted:
    """A debt that no slot of the period can pay, with the code of the reason."""

    institution_id: int
    slot_class: SlotClass | None
    mandatory: bool
    code: str
    detail: dict[str, object]
    reason: VisitReason = VisitReason.DUE
    p_select: float = 1.0


@dataclass(frozen=True)
class Terms:
    """What the visits of a period are.

    Parameters
    ----------
    first_day : date
        First day of the period.
    inspection : bool
        Whether debts are paid by inspections; otherwise by patrols from public space, which no cap counts.
    campaign : str or None
        Approved special plan (专项检查计划) the debts belong to: its inspections do not use up the cap.
    """

    first_day: dt.date
    inspection: bool = False
    campaign: str | None = None

    @property
    def form(self) -> VisitForm:
        """The form of a visit that pays a debt."""
        return VisitForm.INSPECTION if self.inspection else VisitForm.PATROL


def list_wants(
    accounts: Sequence[Account],
    duties: Sequence[Duty],
    scores: Mapping[int, Score],
    slots: Sequence[Slot],
    *,
    rules: SlotRules,
    terms: Terms,
) -> tuple[list[Want], list[NotWanted]]:
    """Turn debts and duties into visits.

    A duty joins the first debt that can be paid by its date, so that one visit serves both; otherwise it is
    a visit of its own. An institution without a point or without a fitting slot comes back as not wanted.
    """
    by_institution: dict[int, list[Duty]] = defaultdict(list)
    for duty in duties:
        by_institution[duty.institution_id].append(duty)
    available = {slot.slot_class for slot in slots}
    wants: list[Want] = []
    left: list[NotWanted] = []
    for account in accounts:
        due = by_institution.get(account.institution_id, [])
        classes = owed_classes(account, rules, available)
        if not classes and not due:
            if account.owes_coverage and not account.paid:
                kinds = [c.value for c in rules.kinds[account.kind].owes]
                left.append(NotWanted(account.institution_id, None, False, "no_slot", {"needs": kinds}))
            continue
        if not account.placed:
            why = VisitReason(due[0].reason) if due else VisitReason.DUE  # type: ignore[call-arg]
            left.append(NotWanted(account.institution_id, None, bool(due), "not_placed", {}, why))
            continue
        maker = _Maker(account, scores[account.institution_id], slots, rules, terms)
        maker.add_debts(classes, due)
        wants.extend(maker.wants)
        left.extend(maker.left)
    return wants, left


def list_offers(
    accounts: Sequence[Account],
    duties: Sequence[Duty],
    scores: Mapping[int, Score],
    slots: Sequence[Slot],
    *,
    rules: SlotRules,
    terms: Terms,
    seed: int,
) -> list[Want]:
    """Return the visits that could be drawn at places which owe nothing, one each, their key point by lot."""
    available = {slot.slot_class for slot in slots}
    busy = {duty.institution_id for duty in duties}
    offers: list[Want] = []
    for account in accounts:
        key = account.institution_id
        if key in busy or not account.placed or not account.owes_coverage:
            continue
        if owed_classes(account, rules, available):
            continue
        classes = [item for item in rules.kinds[account.kind].owes if item in available]
        maker = _Maker(account, scores[key], slots, rules, terms)
        for slot_class in sorted(classes, key=lambda item: rank(seed, KEY_POINT, f"I{key}|{item.value}")):
            if maker.add_offer(slot_class):
                break
        offers.extend(maker.wants)
    return offers


class _Maker:
    """Makes the visits of one institution."""

    def __init__(
        self, account: Account, score: Score, slots: Sequence[Slot], rules: SlotRules, terms: Terms
    ) -> None:
        self.account = account
        self.score = score
        self.slots = slots
        self.rules = rules
        self.terms = terms
        self.wants: list[Want] = []
        self.left: list[NotWanted] = []
        waited = 182 if account.last_seen is None else (terms.first_day - account.last_seen).days
        worth = priority(score.rate, waited)
        self.prize = min(BASE_PRIZE_S + round(PRIORITY_PRIZE_S * worth), MOST_PRIZE_S)

    def add_offer(self, slot_class: SlotClass) -> bool:
        """Add a visit that only a draw asks for; False when no slot fits."""
        windows = self._windows(slot_class)
        if windows:
            self._add(slot_class, windows, (), drawn=True)
        return bool(windows)

    def add_debts(self, classes: Sequence[SlotClass], duties: Sequence[Duty]) -> None:
        pending = list(duties)
        for slot_class in classes:
            joined: list[Duty] = []
            windows: tuple[Window, ...] = ()
            if pending:
                windows = self._windows(slot_class, until=self._until(pending[0]))
                joined = pending if windows else []
            if not joined:
                windows = self._windows(slot_class)
            if not windows:
                detail: dict[str, object] = {"slot_class": slot_class.value}
                self.left.append(NotWanted(self.account.institution_id, slot_class, False, "no_slot", detail))
                continue
            self._add(slot_class, windows, joined)
            if joined:
                pending = []
        if pending:
            self._add_duty(pending)

    def _add_duty(self, duties: list[Duty]) -> None:
        windows = self._windows(None, until=self._until(duties[0])) or self._windows(None)
        if windows:
            self._add(None, windows, duties)
        else:
            detail: dict[str, object] = {"reason": duties[0].reason, "due": duties[0].due.isoformat()}
            why = VisitReason(duties[0].reason)  # type: ignore[call-arg]
            self.left.append(NotWanted(self.account.institution_id, None, True, "no_slot", detail, why))

    def _until(self, duty: Duty) -> dt.date:
        """Return the last day for a duty: its date, or the first days of the period when that is over."""
        if duty.due >= self.terms.first_day:
            return duty.due
        return self.terms.first_day + dt.timedelta(days=OVERDUE_DAYS - 1)

    def _windows(self, slot_class: SlotClass | None, until: dt.date | None = None) -> tuple[Window, ...]:
        windows = []
        for slot in self.slots:
            if (slot_class is None or slot.slot_class is slot_class) and (
                until is None or slot.date <= until
            ):
                span = self.rules.window(self.account.kind, slot)
                if span is not None:
                    windows.append(Window(slot.id, *span))
        return tuple(windows)

    def _add(
        self,
        slot_class: SlotClass | None,
        windows: tuple[Window, ...],
        duties: Sequence[Duty],
        *,
        drawn: bool = False,
    ) -> None:
        key = self.account.institution_id
        name = "control" if drawn else slot_class.value if slot_class else duties[0].reason
        visit = Visit(
            id=f"I{key}-{name}",
            site=f"I{key}",
            service_s=self.rules.kinds[self.account.kind].service_s,
            prize=DRAWN_PRIZE_S if drawn else self.prize,
            mandatory=bool(duties),
            windows=windows,
        )
        reason, form = self._nature(duties, drawn=drawn)
        own_plan = self.terms.campaign is not None and not drawn
        self.wants.append(
            Want(
                visit,
                key,
                slot_class,
                duties[0].due if duties else None,
                self.score,
                self._reasons(slot_class, duties, drawn=drawn),
                reason=reason,
                form=form,
                counted=form is VisitForm.INSPECTION and not duties and not own_plan,
                seen=bool(self.account.paid),
            )
        )

    def _nature(self, duties: Sequence[Duty], *, drawn: bool) -> tuple[VisitReason, VisitForm]:
        """Return why a visit is wanted and its form: a tip is verified by an inspection."""
        if duties:
            reason = VisitReason(duties[0].reason)  # type: ignore[call-arg]
            return reason, VisitForm.RECHECK if reason is VisitReason.RECHECK else VisitForm.INSPECTION
        if drawn:
            return VisitReason.RANDOM, self.terms.form
        return VisitReason.DUE if self.terms.campaign is None else VisitReason.CAMPAIGN, self.terms.form

    def _reasons(
        self, slot_class: SlotClass | None, duties: Sequence[Duty], *, drawn: bool
    ) -> tuple[dict[str, object], ...]:
        reasons: list[dict[str, object]] = [
            {"reason": d.reason, "date": d.due.isoformat(), "record_id": d.record_id} for d in duties
        ]
        if slot_class is not None and not drawn:
            if self.terms.campaign is not None:
                reasons.append({"reason": "campaign", "name": self.terms.campaign})
            seen = self.account.last_seen
            last_seen = seen.isoformat() if seen else None
            reasons.append({"reason": "due", "slot_class": slot_class.value, "last_seen": last_seen})
        reasons += [
            {
                "factor": line.factor,
                "points": line.points,
                "date": line.date.isoformat() if line.date else None,
                "record_id": line.record_id,
                "value": line.value,
            }
            for line in self.score.contributions
        ]
        return tuple(reasons)
