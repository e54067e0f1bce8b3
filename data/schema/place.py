"""Records of the district's places: the district itself, grid areas, schools, gazetteer, institutions."""

from __future__ import annotations

import datetime as dt
from typing import ClassVar

from shapely.geometry.base import BaseGeometry
from sqlalchemy import JSON, Boolean, Date, Float, ForeignKey, Index, Integer, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from data.schema.base import Base, Geometry, TermType, UtcDateTime
from data.terms import Authority, CareType, Kind, LocationSource, SiteStatus, Stage


class District(Base):
    """The one district this register belongs to; the depot is where teams start."""

    __tablename__ = "district"
    audited: ClassVar[bool] = True

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    code: Mapped[str] = mapped_column(String(12), default="")
    name: Mapped[str] = mapped_column(String(100), default="")
    depot_name: Mapped[str | None] = mapped_column(String(100))
    depot_lon: Mapped[float | None] = mapped_column(Float)
    depot_lat: Mapped[float | None] = mapped_column(Float)
    fictional: Mapped[bool] = mapped_column(Boolean, default=False)


_CURRENT = text("valid_to IS NULL")
_CODELESS = text("uscc IS NULL")


class GridArea(Base):
    """An official grid area (网格), imported and never re-cut; codes are text of 12 to 20 characters."""

    __tablename__ = "grid_area"
    audited: ClassVar[bool] = True
    __table_args__ = (
        Index(None, "minx", "maxx"),
        # One version of a code is in force.
        Index("uq_grid_area_current", "code", unique=True, sqlite_where=_CURRENT, postgresql_where=_CURRENT),
    )

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    code: Mapped[str] = mapped_column(String(20), index=True)
    code_scheme: Mapped[str | None] = mapped_column(String(40))
    name: Mapped[str] = mapped_column(String(100), default="")
    subdistrict: Mapped[str] = mapped_column(String(60), default="", index=True)
    community: Mapped[str] = mapped_column(String(60), default="")
    valid_from: Mapped[dt.date | None] = mapped_column(Date)
    valid_to: Mapped[dt.date | None] = mapped_column(Date, index=True)
    # The end the official file states; the area stays in force until a newer one replaces it.
    expires_on: Mapped[dt.date | None] = mapped_column(Date)
    worker: Mapped[str] = mapped_column(String(60), default="")
    source_crs: Mapped[str] = mapped_column(String(20), default="wgs84")
    geometry: Mapped[BaseGeometry] = mapped_column(Geometry)
    minx: Mapped[float] = mapped_column(Float)
    miny: Mapped[float] = mapped_column(Float)
    maxx: Mapped[float] = mapped_column(Float)
    maxy: Mapped[float] = mapped_column(Float)


class School(Base):
    """A school that institutions gather round."""

    __tablename__ = "school"
    audited: ClassVar[bool] = True

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    name: Mapped[str] = mapped_column(String(100), unique=True)
    stage: Mapped[Stage] = mapped_column(TermType(Stage))
    address: Mapped[str] = mapped_column(String(200), default="")
    lon: Mapped[float] = mapped_column(Float)
    lat: Mapped[float] = mapped_column(Float)
    source_crs: Mapped[str] = mapped_column(String(20))


class GazetteerEntry(Base):
    """A known address with its point; the offline geocoder's memory."""

    __tablename__ = "gazetteer_entry"
    audited: ClassVar[bool] = True
    __table_args__ = (Index(None, "name", "address", unique=True),)

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    name: Mapped[str] = mapped_column(String(150), default="")
    address: Mapped[str] = mapped_column(String(200))
    lon: Mapped[float] = mapped_column(Float)
    lat: Mapped[float] = mapped_column(Float)
    source_crs: Mapped[str] = mapped_column(String(20))
    # Set by a person's correction: such an entry outranks imported ones.
    confirmed_by: Mapped[str | None] = mapped_column(String(60))
    confirmed_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime)


class Institution(Base):
    """A licensed or known place to inspect, with its located point and grid area."""

    __tablename__ = "institution"
    audited: ClassVar[bool] = True
    # A record without a code is known by its name and address; with a code it may share them with others.
    __table_args__ = (
        Index(
            "uq_institution_codeless",
            "identity_key",
            unique=True,
            sqlite_where=_CODELESS,
            postgresql_where=_CODELESS,
        ),
    )

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    uscc: Mapped[str | None] = mapped_column(String(18), unique=True)
    # The credit code of the holder whose further site this is; the first site has it as its own.
    holder_uscc: Mapped[str | None] = mapped_column(String(18), index=True)
    identity_key: Mapped[str] = mapped_column(String(300), index=True)
    name: Mapped[str] = mapped_column(String(150))
    kind: Mapped[Kind] = mapped_column(TermType(Kind), index=True)
    care_type: Mapped[CareType | None] = mapped_column(TermType(CareType))
    permit_no: Mapped[str | None] = mapped_column(String(30))
    authority: Mapped[Authority] = mapped_column(TermType(Authority))
    address: Mapped[str] = mapped_column(String(200))
    # What the file wrote where it was read as something else: name, address.
    written: Mapped[dict[str, str] | None] = mapped_column(JSON(none_as_null=True))
    status: Mapped[SiteStatus] = mapped_column(TermType(SiteStatus), index=True)
    contact_name: Mapped[str | None] = mapped_column(String(60))
    contact_phone: Mapped[str | None] = mapped_column(String(40))
    declared_lon: Mapped[float | None] = mapped_column(Float)
    declared_lat: Mapped[float | None] = mapped_column(Float)
    source_crs: Mapped[str | None] = mapped_column(String(20))
    lon: Mapped[float | None] = mapped_column(Float)
    lat: Mapped[float | None] = mapped_column(Float)
    match_level: Mapped[str | None] = mapped_column(String(20))
    match_score: Mapped[float | None] = mapped_column(Float)
    match_code: Mapped[str | None] = mapped_column(String(40))
    match_text: Mapped[str | None] = mapped_column(Text)
    error_radius_m: Mapped[float | None] = mapped_column(Float)
    doubtful: Mapped[bool] = mapped_column(Boolean, default=False)
    location_source: Mapped[LocationSource | None] = mapped_column(TermType(LocationSource))
    confirmed_by: Mapped[str | None] = mapped_column(String(60))
    confirmed_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime)
    grid_id: Mapped[int | None] = mapped_column(ForeignKey("grid_area.id"), index=True)
    grid_code: Mapped[str | None] = mapped_column(String(20), index=True)
    subdistrict: Mapped[str | None] = mapped_column(String(60), index=True)
    changed_at: Mapped[dt.datetime] = mapped_column(UtcDateTime)
