"""STEP: what a confirmed point teaches: the known place of its address, and the road its writer meant."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from shapely.geometry import Point
from sqlalchemy import inspect, select
from sqlalchemy.orm import Session

from data.schema import GazetteerEntry, Institution, LocationDecision, RoadAlias
from data.schema.base import Base
from data.terms import LocationSource
from geo.errors import ReviewError
from geo.gazetteer.aliases import learn_alias
from geo.gazetteer.index import Gazetteer

Values = dict[str, Any]
_INSTANTS = ("confirmed_at", "learned_at")


@dataclass(frozen=True)
class Lesson:
    """What was learned: the record, and its values before; None where it is new."""

    record: GazetteerEntry | RoadAlias
    before: Values | None


def values_of(record: Base) -> Values:
    """Return all columns of a record as plain values that JSON can keep, without its key."""
    columns = (column.key for column in inspect(type(record)).column_attrs)
    return {name: plain(getattr(record, name)) for name in columns if name != "id"}


def set_values(record: Base, values: Mapping[str, Any]) -> None:
    """Put plain values back into a record."""
    for name, value in values.items():
        setattr(record, name, _typed(name, value))


def plain(value: Any) -> Any:
    """Return a column's value as JSON can keep it."""
    if isinstance(value, dt.datetime):
        return value.astimezone(dt.UTC).isoformat()
    return value.value if isinstance(value, LocationSource) else value


def teach_entry(session: Session, record: Institution, *, actor: str, now: dt.datetime) -> Lesson:
    """Make the institution's written address a known one at its point, or correct the one on file."""
    statement = select(GazetteerEntry).where(
        GazetteerEntry.name == "", GazetteerEntry.address == record.address
    )
    entry = session.scalars(statement).first()
    before = None if entry is None else values_of(entry)
    if entry is None:
        entry = GazetteerEntry(name="", address=record.address)
        session.add(entry)
    entry.lon, entry.lat, entry.source_crs = _placed(record.lon), _placed(record.lat), "wgs84"
    entry.confirmed_by, entry.confirmed_at = actor, now
    session.flush()
    return Lesson(entry, before)


def teach_alias(
    session: Session, record: Institution, gazetteer: Gazetteer, *, actor: str, now: dt.datetime
) -> Lesson | None:
    """Learn which known road the address means, when `geo.gazetteer.aliases.learn_alias` can tell."""
    point = Point(_placed(record.lon), _placed(record.lat))
    learned = learn_alias(record.address, point, gazetteer)
    if learned is None:
        return None
    written, meant = learned
    alias = session.scalars(select(RoadAlias).where(RoadAlias.written == written)).first()
    if alias is not None and alias.meant == meant:
        return None
    before = None if alias is None else values_of(alias)
    if alias is None:
        alias = RoadAlias(written=written)
        session.add(alias)
    alias.meant, alias.learned_by, alias.learned_at = meant, actor, now
    session.flush()
    return Lesson(alias, before)


def unlearn(
    session: Session, taught: GazetteerEntry | RoadAlias | None, decision: LocationDecision, name: str
) -> None:
    """Put what a decision taught, its `entry` or `alias`, back to what it was before.

    Raises
    ------
    ReviewError
        ``changed_since`` when it is no longer as it was taught.
    """
    before, after = decision.before[name], decision.after[name]
    if taught is None or values_of(taught) != after:
        told = after.get("address") or after.get("written")
        raise ReviewError("changed_since", decision=decision.id, name=told)
    if before is None:
        session.delete(taught)
    else:
        set_values(taught, before)


def _placed(value: float | None) -> float:
    assert value is not None
    return value


def _typed(name: str, value: Any) -> Any:
    if value is None:
        return None
    if name in _INSTANTS:
        return dt.datetime.fromisoformat(value)
    return LocationSource(value) if name == "location_source" else value  # type: ignore[call-arg]
