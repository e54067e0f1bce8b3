"""Records of coverage rounds and of draws: when a round runs, and what a bureau committed itself to."""

from __future__ import annotations

import datetime as dt
from typing import ClassVar

from sqlalchemy import JSON, Date, Float, Integer, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from data.schema.base import Base, TermType, UtcDateTime
from data.terms import RoundName


class CoverageRound(Base):
    """A bureau's own dates of a round, both inclusive; overrides those reckoned from the calendar."""

    __tablename__ = "coverage_round"
    audited: ClassVar[bool] = True
    __table_args__ = (UniqueConstraint("year", "name"),)

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    year: Mapped[int] = mapped_column(Integer)
    name: Mapped[RoundName] = mapped_column(TermType(RoundName))
    first_day: Mapped[dt.date] = mapped_column(Date)
    last_day: Mapped[dt.date] = mapped_column(Date)
    source: Mapped[str] = mapped_column(String(200))


class Draw(Base):
    """A draw (双随机): `digest` is published before, `seed` and `salt` when it is revealed.

    `candidates` are the ids drawn from, `candidates_digest` their SHA-256; shares are 0 to 1.
    """

    __tablename__ = "draw"
    audited: ClassVar[bool] = True

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    code: Mapped[str] = mapped_column(String(40), unique=True)
    period_from: Mapped[dt.date] = mapped_column(Date)
    period_to: Mapped[dt.date] = mapped_column(Date)
    round_name: Mapped[RoundName | None] = mapped_column(TermType(RoundName))
    control_share: Mapped[float] = mapped_column(Float)
    thinning: Mapped[float] = mapped_column(Float)
    seed: Mapped[int] = mapped_column(Integer)
    salt: Mapped[str] = mapped_column(String(64))
    digest: Mapped[str] = mapped_column(String(64))
    candidates: Mapped[list[str]] = mapped_column(JSON)
    candidates_digest: Mapped[str] = mapped_column(String(64))
    committed_at: Mapped[dt.datetime] = mapped_column(UtcDateTime)
    committed_by: Mapped[str] = mapped_column(String(60))
    revealed_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime)
    revealed_by: Mapped[str | None] = mapped_column(String(60))
