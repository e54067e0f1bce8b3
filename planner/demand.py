"""Demand: from what is owed and what is due to the visits a plan should make, each with its reasons."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from data.terms import SlotClass
from planner.ledger import Account, Duty, owed_classes
from planner.problem import Visit, Window
from planner.risk import Score, priority
from planner.slots import Slot, SlotRules

# A first visit outranks any saving of travel (rule 3); priorities then decide among the others.
FIRST_VISIT_PRIZE = 200_000
BASE_PRIZE_S = 900
PRIORITY_PRIZE_S = 2_400
MOST_PRIZE_S = 7_200
# An overdue recheck or tip is planned within the first days of the period, a weekend included.
OVERDUE_DAYS = 4


@dataclass(frozen=True)
class Want:
    """One visit wanted: the planner's visit with what people need to know about it."""

    visit: Visit
    institution_id: int
    slot_class: SlotClass | None
    due: dt.date | None
    score: Score
    reasons: tuple[dict[str, object], ...]


@dataclass(frozen=True)
class NotWanted:
    """A debt that no slot of the period can pay, with the code of the reason."""

    institution_id: int
    slot_class: SlotClass | None
    mandatory: bool
    code: str
    detail: dict[str, object]


def list_wants(
    accounts: Sequence[Account],
    duties: Sequence[Duty],
    scores: Mapping[int, Score],
    slots: Sequence[Slot],
    *,
    rules: SlotRules,
    first_day: dt.date,
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
            left.append(NotWanted(account.institution_id, None, bool(due), "not_placed", {}))
            continue
        maker = _Maker(account, scores[account.institution_id], slots, rules, first_day)
        maker.add_debts(classes, due)
        wants.extend(maker.wants)
        left.extend(maker.left)
    return wants, left


class _Maker:
    """Makes the visits of one institution."""

    def __init__(
        self, account: Account, score: Score, slots: Sequence[Slot], rules: SlotRules, first_day: dt.date
    ) -> None:
        self.account = account
        self.score = score
        self.slots = slots
        self.rules = rules
        self.first_day = first_day
        self.wants: list[Want] = []
        self.left: list[NotWanted] = []
        waited = 182 if account.last_seen is None else (first_day - account.last_seen).days
        worth = priority(score.probability, waited)
        self.prize = min(BASE_PRIZE_S + round(PRIORITY_PRIZE_S * worth), MOST_PRIZE_S)

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
            self.left.append(NotWanted(self.account.institution_id, None, True, "no_slot", detail))

    def _until(self, duty: Duty) -> dt.date:
        """Return the last day for a duty: its date, or the first days of the period when that is over."""
        if duty.due >= self.first_day:
            return duty.due
        return self.first_day + dt.timedelta(days=OVERDUE_DAYS - 1)

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

    def _add(self, slot_class: SlotClass | None, windows: tuple[Window, ...], duties: Sequence[Duty]) -> None:
        name = slot_class.value if slot_class else duties[0].reason
        reasons: list[dict[str, object]] = [
            {"reason": d.reason, "date": d.due.isoformat(), "record_id": d.record_id} for d in duties
        ]
        if slot_class is not None:
            seen = self.account.last_seen
            reasons.append(
                {
                    "reason": "due",
                    "slot_class": slot_class.value,
                    "last_seen": seen.isoformat() if seen else None,
                }
            )
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
        visit = Visit(
            id=f"I{self.account.institution_id}-{name}",
            site=f"I{self.account.institution_id}",
            service_s=self.rules.kinds[self.account.kind].service_s,
            prize=self.prize,
            mandatory=bool(duties),
            windows=windows,
        )
        due = duties[0].due if duties else None
        self.wants.append(
            Want(visit, self.account.institution_id, slot_class, due, self.score, tuple(reasons))
        )
