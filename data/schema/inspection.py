"""Records of what was seen: visits, findings and tips.

`recorded_at` is the instant a row entered the register, as opposed to the date it speaks of; None for history
taken over from before, of which only its own date is known.
"""

from __future__ import annotations

import datetime as dt
from typing import ClassVar

from sqlalchemy import Boolean, Date, ForeignKey, Index, Integer, String
from sqlalchemy.orm import Mapped, mapped_column

from data.schema.base import Base, TermType, UtcDateTime
from data.terms import (
    FindingCode,
    FindingStatus,
    Outcome,
    SlotClass,
    SlotKind,
    TipStatus,
    VisitForm,
    VisitMode,
    VisitReason,
)


class VisitRecord(Base):
    """A visit that took place and its outcome.

    `form` tells patrol, courtesy visit, inspection and recheck apart: they are four different records.
    """

    __tablename__ = "visit_record"
    audited: ClassVar[bool] = True
    __table_args__ = (Index(None, "institution_id", "date"),)

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    institution_id: Mapped[int] = mapped_column(ForeignKey("institution.id"))
    date: Mapped[dt.date] = mapped_column(Date, index=True)
    slot_kind: Mapped[SlotKind] = mapped_column(TermType(SlotKind))
    slot_class: Mapped[SlotClass] = mapped_column(TermType(SlotClass))
    mode: Mapped[VisitMode] = mapped_column(TermType(VisitMode))
    form: Mapped[VisitForm] = mapped_column(TermType(VisitForm), default=VisitForm.PATROL)
    reason: Mapped[VisitReason] = mapped_column(TermType(VisitReason))
    outcome: Mapped[Outcome] = mapped_column(TermType(Outcome))
    team: Mapped[str] = mapped_column(String(20))
    plan_stop_id: Mapped[int | None] = mapped_column(ForeignKey("plan_stop.id"))
    recorded_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime)


class Finding(Base):
    """A problem found on a visit, until it is closed out (销号)."""

    __tablename__ = "finding"
    audited: ClassVar[bool] = True

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    institution_id: Mapped[int] = mapped_column(ForeignKey("institution.id"), index=True)
    visit_id: Mapped[int | None] = mapped_column(ForeignKey("visit_record.id"), index=True)
    code: Mapped[FindingCode] = mapped_column(TermType(FindingCode))
    found_on: Mapped[dt.date] = mapped_column(Date, index=True)
    status: Mapped[FindingStatus] = mapped_column(TermType(FindingStatus), index=True)
    recheck_due: Mapped[dt.date | None] = mapped_column(Date)
    closed_on: Mapped[dt.date | None] = mapped_column(Date)
    recorded_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime)


class Tip(Base):
    """A lead from the public; the tipster's identity is never stored here.

    `decided_on` is the date it was verified or found unfounded, None when that is not known.
    """

    __tablename__ = "tip"
    audited: ClassVar[bool] = True

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    institution_id: Mapped[int] = mapped_column(ForeignKey("institution.id"), index=True)
    received_on: Mapped[dt.date] = mapped_column(Date, index=True)
    due_on: Mapped[dt.date] = mapped_column(Date)
    status: Mapped[TipStatus] = mapped_column(TermType(TipStatus), index=True)
    handled: Mapped[bool] = mapped_column(Boolean, default=False)
    decided_on: Mapped[dt.date | None] = mapped_column(Date)
    recorded_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime)
