"""Records of where things are and who said so: roads, learned names, decisions by hand, patrol areas."""

from __future__ import annotations

import datetime as dt
from typing import Any, ClassVar

from sqlalchemy import JSON, Boolean, Float, ForeignKey, Integer, LargeBinary, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from data.schema.base import Base, TermType, UtcDateTime
from data.terms import ColocationVerdict


class RoadLayer(Base):
    """Where travel times come from: an imported road file, or a route server of the office network."""

    __tablename__ = "road_layer"
    audited: ClassVar[bool] = True

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    name: Mapped[str] = mapped_column(String(150))
    kind: Mapped[str] = mapped_column(String(20))  # file, osrm or valhalla
    url: Mapped[str | None] = mapped_column(String(200))
    sha256: Mapped[str] = mapped_column(String(64), index=True)
    source_crs: Mapped[str] = mapped_column(String(20))
    attribution: Mapped[str] = mapped_column(String(200), default="")
    pieces: Mapped[int] = mapped_column(Integer)
    length_km: Mapped[float] = mapped_column(Float)
    imported_at: Mapped[dt.datetime] = mapped_column(UtcDateTime)
    current: Mapped[bool] = mapped_column(Boolean, index=True)


class RoadGraph(Base):
    """The network of one way of travel over a road layer, as built once from its file."""

    __tablename__ = "road_graph"
    __table_args__ = (UniqueConstraint("layer_id", "profile"),)

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    layer_id: Mapped[int] = mapped_column(ForeignKey("road_layer.id", ondelete="CASCADE"), index=True)
    profile: Mapped[str] = mapped_column(String(20))
    content: Mapped[bytes] = mapped_column(LargeBinary)


class RoadAlias(Base):
    """A written road name and the known road it means, learned from a correction by hand."""

    __tablename__ = "road_alias"
    audited: ClassVar[bool] = True

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    written: Mapped[str] = mapped_column(String(100), unique=True)
    meant: Mapped[str] = mapped_column(String(100))
    learned_by: Mapped[str] = mapped_column(String(60))
    learned_at: Mapped[dt.datetime] = mapped_column(UtcDateTime)


class KeptCalibration(Base):
    """Error radii that a gazetteer earned, kept until it changes: measuring takes most of a geocoding."""

    __tablename__ = "kept_calibration"

    digest: Mapped[str] = mapped_column(String(64), primary_key=True)
    body: Mapped[dict[str, Any]] = mapped_column(JSON)


class LocationDecision(Base):
    """A point that a person set or accepted, with the institution's location before and after."""

    __tablename__ = "location_decision"
    audited: ClassVar[bool] = True

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    institution_id: Mapped[int] = mapped_column(ForeignKey("institution.id"), index=True)
    action: Mapped[str] = mapped_column(String(20))
    batch: Mapped[str | None] = mapped_column(String(40), index=True)
    before: Mapped[dict[str, Any]] = mapped_column(JSON)
    after: Mapped[dict[str, Any]] = mapped_column(JSON)
    # The gazetteer entry and the road name it taught, so that undoing takes them back.
    entry_id: Mapped[int | None] = mapped_column(Integer)
    alias_id: Mapped[int | None] = mapped_column(Integer)
    decided_by: Mapped[str] = mapped_column(String(60))
    decided_at: Mapped[dt.datetime] = mapped_column(UtcDateTime, index=True)
    undone_by: Mapped[str | None] = mapped_column(String(60))
    undone_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime)


class ColocationDecision(Base):
    """What a person found about several licences at one address; the newest one of a key holds."""

    __tablename__ = "colocation_decision"
    audited: ClassVar[bool] = True

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    level: Mapped[str] = mapped_column(String(20))
    group_key: Mapped[str] = mapped_column(String(300), index=True)
    members: Mapped[list[int]] = mapped_column(JSON)
    verdict: Mapped[ColocationVerdict] = mapped_column(TermType(ColocationVerdict))
    note: Mapped[str] = mapped_column(String(500), default="")
    decided_by: Mapped[str] = mapped_column(String(60))
    decided_at: Mapped[dt.datetime] = mapped_column(UtcDateTime)


class PatrolArea(Base):
    """A patrol area (巡查片区) of a team: whole grid areas balanced by workload; nothing official."""

    __tablename__ = "patrol_area"
    audited: ClassVar[bool] = True

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    number: Mapped[int] = mapped_column(Integer, unique=True)
    grid_codes: Mapped[list[str]] = mapped_column(JSON)
    workload_min: Mapped[float] = mapped_column(Float)
    made_at: Mapped[dt.datetime] = mapped_column(UtcDateTime)
