"""SQLAlchemy records; importing this package registers every table on `Base.metadata`."""

from data.schema.account import AuditEvent, AuditHead, Job, LoginSession, User
from data.schema.base import Base
from data.schema.inspection import Finding, Tip, VisitRecord
from data.schema.patrol import (
    CalendarDay,
    Officer,
    OfficerLeave,
    PlanRevision,
    PlanShift,
    PlanShiftMember,
    PlanStop,
    PlanUnserved,
    Recusal,
    SchoolBreak,
)
from data.schema.place import District, GazetteerEntry, GridArea, Institution, School
from data.schema.round import CoverageRound, Draw
from data.schema.scorecard import ScorecardVersion

__all__ = [
    "AuditEvent",
    "AuditHead",
    "Base",
    "CalendarDay",
    "CoverageRound",
    "District",
    "Draw",
    "Finding",
    "GazetteerEntry",
    "GridArea",
    "Institution",
    "Job",
    "LoginSession",
    "Officer",
    "OfficerLeave",
    "PlanRevision",
    "PlanShift",
    "PlanShiftMember",
    "PlanStop",
    "PlanUnserved",
    "Recusal",
    "School",
    "SchoolBreak",
    "ScorecardVersion",
    "Tip",
    "User",
    "VisitRecord",
]
