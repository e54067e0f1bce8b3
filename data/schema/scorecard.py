"""Record of the scorecard's versions: who wrote the weights, who approved them, from when they hold."""

from __future__ import annotations

import datetime as dt
from typing import Any, ClassVar

from sqlalchemy import JSON, Date, Integer, String
from sqlalchemy.orm import Mapped, mapped_column

from data.schema.base import Base, UtcDateTime


class ScorecardVersion(Base):
    """One proposal of weights; it holds from `valid_from` once somebody else than the author approved it.

    An approved version is never edited: a later one takes its place, and the earlier still scores its dates.
    """

    __tablename__ = "scorecard"
    audited: ClassVar[bool] = True

    version: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    weights: Mapped[dict[str, Any]] = mapped_column(JSON)
    author: Mapped[str] = mapped_column(String(60))
    proposed_at: Mapped[dt.datetime] = mapped_column(UtcDateTime)
    note: Mapped[str] = mapped_column(String(500), default="")
    approver: Mapped[str | None] = mapped_column(String(60))
    approved_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime)
    valid_from: Mapped[dt.date | None] = mapped_column(Date)
