"""Records of planning: officers, leave, recusals, calendar overrides, plan revisions and their rows."""

from __future__ import annotations

import datetime as dt
from typing import Any, ClassVar

from shapely.geometry.base import BaseGeometry
from sqlalchemy import (
    JSON,
    Boolean,
    Date,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    String,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column, relationship

from data.schema.base import Base, Geometry, TermType, UtcDateTime
from data.terms import (
    DayType,
    PlanStatus,
    RecusalReason,
    RoundName,
    SlotClass,
    SlotKind,
    VisitForm,
    VisitReason,
)


class Officer(Base):
    """A person who can be rostered; only certified ones count for the two an inspection needs.

    An `official` (带队领导) only accompanies teams and never counts for the two; `joined_on` is the first day
    in service, None when that was before the register began.
    """

    __tablename__ = "officer"
    audited: ClassVar[bool] = True

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    code: Mapped[str] = mapped_column(String(20), unique=True)
    name: Mapped[str] = mapped_column(String(60))
    department: Mapped[str] = mapped_column(String(60))
    certificate_no: Mapped[str | None] = mapped_column(String(40))
    certificate_until: Mapped[dt.date | None] = mapped_column(Date)
    leads: Mapped[bool] = mapped_column(Boolean, default=False)
    official: Mapped[bool | None] = mapped_column(Boolean)
    joined_on: Mapped[dt.date | None] = mapped_column(Date)
    leave: Mapped[list[OfficerLeave]] = relationship(
        back_populates="officer", cascade="all, delete-orphan", lazy="raise"
    )


class OfficerLeave(Base):
    """A date on which an officer is not available."""

    __tablename__ = "officer_leave"
    audited: ClassVar[bool] = True
    __table_args__ = (UniqueConstraint("officer_id", "date"),)

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    officer_id: Mapped[int] = mapped_column(ForeignKey("officer.id", ondelete="CASCADE"))
    date: Mapped[dt.date] = mapped_column(Date)
    officer: Mapped[Officer] = relationship(back_populates="leave", lazy="raise")


class Recusal(Base):
    """An officer who must not inspect an institution (回避), from `since` to `until`, both inclusive."""

    __tablename__ = "recusal"
    audited: ClassVar[bool] = True
    __table_args__ = (UniqueConstraint("officer_id", "institution_id"),)

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    officer_id: Mapped[int] = mapped_column(ForeignKey("officer.id", ondelete="CASCADE"))
    institution_id: Mapped[int] = mapped_column(ForeignKey("institution.id"), index=True)
    reason: Mapped[RecusalReason] = mapped_column(TermType(RecusalReason))
    since: Mapped[dt.date] = mapped_column(Date)
    until: Mapped[dt.date | None] = mapped_column(Date)


class CalendarDay(Base):
    """A bureau's own word on a date; overrides the shipped calendar."""

    __tablename__ = "calendar_day"
    audited: ClassVar[bool] = True

    date: Mapped[dt.date] = mapped_column(Date, primary_key=True)
    day_type: Mapped[DayType] = mapped_column(TermType(DayType))
    name: Mapped[str] = mapped_column(String(60), default="")
    source: Mapped[str] = mapped_column(String(200))


class SchoolBreak(Base):
    """A school holiday (寒暑假) of the district, both dates inclusive."""

    __tablename__ = "school_break"
    audited: ClassVar[bool] = True

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    name: Mapped[str] = mapped_column(String(60))
    first_day: Mapped[dt.date] = mapped_column(Date)
    last_day: Mapped[dt.date] = mapped_column(Date)
    source: Mapped[str] = mapped_column(String(200))


_IN_FORCE = text("status = 'published'")


class PlanRevision(Base):
    """A plan as computed: options, seed and digest; immutable once stored, only its status moves on.

    Without `draw_code` no commitment to the seed was made. `publication` counts publications: the later one
    rules, whatever the clock said. `seen_publication` is the newest one when the plan was made.
    """

    __tablename__ = "plan_revision"
    __table_args__ = (
        Index(
            "uq_plan_revision_in_force",
            "period_from",
            "period_to",
            unique=True,
            sqlite_where=_IN_FORCE,
            postgresql_where=_IN_FORCE,
        ),
        Index("uq_plan_revision_publication", "publication", unique=True),
    )

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    code: Mapped[str] = mapped_column(String(40), unique=True)
    period_from: Mapped[dt.date] = mapped_column(Date, index=True)
    period_to: Mapped[dt.date] = mapped_column(Date, index=True)
    round_from: Mapped[dt.date] = mapped_column(Date)
    round_name: Mapped[RoundName | None] = mapped_column(TermType(RoundName))
    draw_code: Mapped[str | None] = mapped_column(String(40), index=True)
    status: Mapped[PlanStatus] = mapped_column(TermType(PlanStatus), index=True)
    provisional: Mapped[bool] = mapped_column(Boolean, default=False)
    options: Mapped[dict[str, Any]] = mapped_column(JSON)
    seed: Mapped[int] = mapped_column(Integer)
    input_digest: Mapped[str] = mapped_column(String(64))
    document_digest: Mapped[str] = mapped_column(String(64))
    document: Mapped[bytes] = mapped_column(LargeBinary)
    summary: Mapped[dict[str, Any]] = mapped_column(JSON)
    created_at: Mapped[dt.datetime] = mapped_column(UtcDateTime)
    created_by: Mapped[str] = mapped_column(String(60))
    published_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime)
    published_by: Mapped[str | None] = mapped_column(String(60))
    publication: Mapped[int | None] = mapped_column(Integer)
    seen_publication: Mapped[int] = mapped_column(Integer, default=0)


class PlanShift(Base):
    """One team's work in one slot of a plan."""

    __tablename__ = "plan_shift"
    __table_args__ = (UniqueConstraint("plan_id", "code"),)

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    plan_id: Mapped[int] = mapped_column(ForeignKey("plan_revision.id", ondelete="CASCADE"), index=True)
    code: Mapped[str] = mapped_column(String(40))
    team: Mapped[str] = mapped_column(String(20))
    date: Mapped[dt.date] = mapped_column(Date, index=True)
    slot_kind: Mapped[SlotKind] = mapped_column(TermType(SlotKind))
    start_s: Mapped[int] = mapped_column(Integer)
    end_s: Mapped[int] = mapped_column(Integer)
    travel_s: Mapped[int] = mapped_column(Integer)
    # The way on the roads from the depot over all stops and back; none where travel is by straight line.
    track: Mapped[BaseGeometry | None] = mapped_column(Geometry)


class PlanShiftMember(Base):
    """An officer on a shift."""

    __tablename__ = "plan_shift_member"
    __table_args__ = (UniqueConstraint("shift_id", "officer_id"),)

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    shift_id: Mapped[int] = mapped_column(ForeignKey("plan_shift.id", ondelete="CASCADE"), index=True)
    officer_id: Mapped[int] = mapped_column(ForeignKey("officer.id"), index=True)
    leads: Mapped[bool] = mapped_column(Boolean, default=False)


class PlanStop(Base):
    """One stop of a route: seconds are seconds of the shift's local day.

    Name, address and point are those of the day of planning: a published route never changes under a team.
    `p_select` is the chance with which the visit was drawn, 1 where nothing was drawn.
    """

    __tablename__ = "plan_stop"
    __table_args__ = (UniqueConstraint("shift_id", "sequence"),)

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    plan_id: Mapped[int] = mapped_column(ForeignKey("plan_revision.id", ondelete="CASCADE"), index=True)
    shift_id: Mapped[int] = mapped_column(ForeignKey("plan_shift.id", ondelete="CASCADE"), index=True)
    institution_id: Mapped[int] = mapped_column(ForeignKey("institution.id"), index=True)
    visit_code: Mapped[str] = mapped_column(String(60))
    name: Mapped[str] = mapped_column(String(150))
    address: Mapped[str] = mapped_column(String(200))
    lon: Mapped[float] = mapped_column(Float)
    lat: Mapped[float] = mapped_column(Float)
    error_radius_m: Mapped[float | None] = mapped_column(Float)
    sequence: Mapped[int] = mapped_column(Integer)
    # Licences of one building that follow each other are one call; none in plans of before it was stored.
    call: Mapped[int | None] = mapped_column(Integer)
    arrive_s: Mapped[int] = mapped_column(Integer)
    start_s: Mapped[int] = mapped_column(Integer)
    leave_s: Mapped[int] = mapped_column(Integer)
    slot_class: Mapped[SlotClass] = mapped_column(TermType(SlotClass))
    mandatory: Mapped[bool] = mapped_column(Boolean, default=False)
    points: Mapped[float] = mapped_column(Float, default=0.0)
    reason: Mapped[VisitReason] = mapped_column(TermType(VisitReason), default=VisitReason.DUE)
    p_select: Mapped[float] = mapped_column(Float, default=1.0)
    form: Mapped[VisitForm] = mapped_column(TermType(VisitForm), default=VisitForm.PATROL)
    reasons: Mapped[list[dict[str, Any]]] = mapped_column(JSON)


class PlanUnserved(Base):
    """A visit that is owed but not in the plan, with its verified reason."""

    __tablename__ = "plan_unserved"

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    plan_id: Mapped[int] = mapped_column(ForeignKey("plan_revision.id", ondelete="CASCADE"), index=True)
    institution_id: Mapped[int] = mapped_column(ForeignKey("institution.id"), index=True)
    visit_code: Mapped[str] = mapped_column(String(60))
    slot_class: Mapped[SlotClass | None] = mapped_column(TermType(SlotClass))
    mandatory: Mapped[bool] = mapped_column(Boolean, default=False)
    reason: Mapped[VisitReason] = mapped_column(TermType(VisitReason), default=VisitReason.DUE)
    p_select: Mapped[float] = mapped_column(Float, default=1.0)
    code: Mapped[str] = mapped_column(String(40))
    detail: Mapped[dict[str, Any]] = mapped_column(JSON)
