"""Declarative base, naming convention and the column types shared by SQLite and PostgreSQL."""

from __future__ import annotations

import datetime as dt
from typing import Any, ClassVar

import shapely
from shapely.geometry.base import BaseGeometry
from sqlalchemy import DateTime, LargeBinary, MetaData, String
from sqlalchemy.engine import Dialect
from sqlalchemy.orm import DeclarativeBase
from sqlalchemy.types import TypeDecorator

from data.terms import Term


class Base(DeclarativeBase):
    """Base of all records; constraint names are fixed so that migrations can name them.

    Every change of an `audited` record is a link of the audit chain.
    """

    audited: ClassVar[bool] = False

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(column_0_N_label)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


class UtcDateTime(TypeDecorator[dt.datetime]):
    """An aware instant, stored and returned in UTC."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: dt.datetime | None, dialect: Dialect) -> dt.datetime | None:
        """Refuse naive instants and convert to UTC."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("instants must be aware")
        return value.astimezone(dt.UTC)

    def process_result_value(self, value: dt.datetime | None, dialect: Dialect) -> dt.datetime | None:
        """Return an aware UTC instant (SQLite forgets the zone)."""
        if value is None:
            return None
        return value.replace(tzinfo=dt.UTC) if value.tzinfo is None else value.astimezone(dt.UTC)


class Geometry(TypeDecorator[BaseGeometry]):
    """A WGS-84 geometry kept as WKB bytes; the same on both databases, no extension needed."""

    impl = LargeBinary
    cache_ok = True

    def process_bind_param(self, value: BaseGeometry | None, dialect: Dialect) -> bytes | None:
        """Write little-endian WKB."""
        return None if value is None else bytes(shapely.to_wkb(value, byte_order=1))

    def process_result_value(self, value: bytes | None, dialect: Dialect) -> BaseGeometry | None:
        """Read WKB."""
        return None if value is None else shapely.from_wkb(bytes(value))


class TermType(TypeDecorator[Any]):
    """A vocabulary word stored as its identifier; unknown identifiers are refused."""

    impl = String(32)
    cache_ok = True

    def __init__(self, vocabulary: type[Term]) -> None:
        super().__init__()
        self.vocabulary = vocabulary

    def process_bind_param(self, value: Term | str | None, dialect: Dialect) -> str | None:
        """Write the identifier."""
        return None if value is None else self.vocabulary(value).value  # type: ignore[call-arg]

    def process_result_value(self, value: str | None, dialect: Dialect) -> Term | None:
        """Read the word."""
        return None if value is None else self.vocabulary(value)  # type: ignore[call-arg]
