"""SQLAlchemy records; importing this package registers every table on `Base.metadata`."""

from data.schema.account import (
    AuditEvent,
    AuditHead,
    EarlierPassword,
    Job,
    KnownDevice,
    LoginSession,
    LoginTry,
    TopicCounter,
    User,
)
from data.schema.base import Base
from data.schema.inspection import Finding, Tip, VisitRecord
from data.schema.location import (
    ColocationDecision,
    KeptCalibration,
    LocationDecision,
    PatrolArea,
    RoadAlias,
    RoadGraph,
    RoadLayer,
)
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
    "ColocationDecision",
    "CoverageRound",
    "District",
    "Draw",
    "EarlierPassword",
    "Finding",
    "GazetteerEntry",
    "GridArea",
    "Institution",
    "Job",
    "KeptCalibration",
    "KnownDevice",
    "LocationDecision",
    "LoginSession",
    "LoginTry",
    "Officer",
    "OfficerLeave",
    "PatrolArea",
    "PlanRevision",
    "PlanShift",
    "PlanShiftMember",
    "PlanStop",
    "PlanUnserved",
    "Recusal",
    "RoadAlias",
    "RoadGraph",
    "RoadLayer",
    "School",
    "SchoolBreak",
    "ScorecardVersion",
    "Tip",
    "TopicCounter",
    "User",
    "VisitRecord",
]
