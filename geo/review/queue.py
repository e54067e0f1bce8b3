"""STEP: the review queue: doubtful, unplaced and outside places, their candidates, and what people decide."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import Select, or_, select
from sqlalchemy.orm import Session

from data import frames
from data.accounts import Identity, scoped
from data.schema import Institution, LocationDecision
from data.terms import Kind, LocationSource, SiteStatus
from geo.errors import ReviewError
from geo.geocode import GazetteerGeocoder, Level, Match
from geo.grid.layer import assign_institutions
from geo.locate import build_geocoder, doubt_of, is_doubtful
from geo.review.decisions import location_of, next_batch, record_decision, take_back
from geo.review.lessons import teach_alias, teach_entry
from geo.review.placement import Preview, areas_of, check_point, preview

CONFIRMED = "confirmed"
CONFIRMED_RADIUS_M = 20.0  # a person who clicks a building hits it, not its door
ACCEPTED = "accept"
_SAME_DEG = 1e-6  # candidates lie a metre apart at least
_MOST_CANDIDATES = 99


class Why(StrEnum):
    """Why a place is in the queue, the worst first."""

    UNPLACED = "unplaced"
    OUTSIDE = "outside"
    DOUBTFUL = "doubtful"


class Source(StrEnum):
    """What a person chose: a point of their own, or a candidate."""

    POINT = "point"
    CANDIDATE = "candidate"


@dataclass(frozen=True)
class QueueRow:
    """A place to look at; `code` is the reason's sentence, the point is None where it is unplaced."""

    institution_id: int
    name: str
    address: str
    kind: Kind
    why: Why
    code: str
    level: str
    score: float
    error_radius_m: float | None
    matched_text: str
    lon: float | None
    lat: float | None
    grid_code: str | None

    @property
    def is_contradicted(self) -> bool:
        """Whether the declared point is not where the address is; `error_radius_m` is the distance then."""
        return self.why is Why.DOUBTFUL and self.code != Why.DOUBTFUL


def list_queue(session: Session, *, identity: Identity | None = None) -> list[QueueRow]:
    """Return the places a person should look at, worst first: unplaced, outside every grid, then doubtful.

    Confirmed places and deregistered institutions are not among them.

    Parameters
    ----------
    identity
        Who asks; None is a step's own reading without row scope.
    """
    statement = _institutions(identity).where(
        Institution.confirmed_at.is_(None),
        Institution.status != SiteStatus.DEREGISTERED,
        or_(Institution.lon.is_(None), Institution.grid_id.is_(None), Institution.doubtful),
    )
    rows = [_row(record) for record in session.scalars(statement)]
    order = list(Why)
    rows.sort(
        key=lambda row: (order.index(row.why), -(row.error_radius_m or 0.0), row.score, row.institution_id)
    )
    return rows


def find_candidates(
    session: Session,
    institution_id: int,
    *,
    limit: int = 5,
    identity: Identity | None = None,
    geocoder: GazetteerGeocoder | None = None,
) -> tuple[Match, ...]:
    """Return the places an institution's address may mean, best first.

    Parameters
    ----------
    geocoder
        As `geo.locate.build_geocoder` gives it; built anew when not given.

    Raises
    ------
    ReviewError
        ``unknown_institution``, also when out of scope.
    """
    record = _record(session, institution_id, identity)
    known = geocoder or build_geocoder(session)
    return () if known is None else known.candidates(record.address, limit=limit)


def preview_point(
    session: Session, institution_id: int, lon: float, lat: float, *, identity: Identity | None = None
) -> Preview:
    """Tell what a point would mean for an institution, without saving it.

    Raises
    ------
    ReviewError
        ``unknown_institution``, ``not_coordinates``, ``outside_extent``.
    """
    record = _record(session, institution_id, identity)
    check_point(session, lon, lat)
    before = None if record.lon is None or record.lat is None else (record.lon, record.lat)
    return preview(session, lon, lat, before=before)


def set_point(
    session: Session,
    institution_id: int,
    lon: float,
    lat: float,
    *,
    source: Source | str = Source.POINT,
    anew: bool = True,
    actor: str,
    now: dt.datetime,
    identity: Identity | None = None,
    geocoder: GazetteerGeocoder | None = None,
) -> LocationDecision:
    """Confirm where an institution is; its address becomes a known one, and its road name is learned.

    Parameters
    ----------
    lon, lat
        WGS-84 degrees.
    source
        ``point`` set by hand (radius `CONFIRMED_RADIUS_M`), or ``candidate`` with the candidate's own radius.
        A candidate that is doubtful itself, a mere road for instance, teaches the gazetteer nothing.
    anew
        Whether a place that is confirmed already may be set again.

    Raises
    ------
    ReviewError
        ``already_confirmed``, ``unknown_institution``, ``not_coordinates``, ``outside_extent``,
        ``unknown_source``, ``not_a_candidate``.
    """
    record = _record(session, institution_id, identity)
    if record.confirmed_at is not None and not anew:
        raise ReviewError("already_confirmed", name=record.name, by=record.confirmed_by)
    check_point(session, lon, lat)
    if source not in list(Source):
        raise ReviewError("unknown_source", source=str(source), known=[item.value for item in Source])
    known = geocoder or build_geocoder(session)
    match = None
    if source == Source.CANDIDATE:
        offered = () if known is None else known.candidates(record.address, limit=_MOST_CANDIDATES)
        match = next((found for found in offered if _is_at(found, lon, lat)), None)
        if match is None:
            raise ReviewError("not_a_candidate", lon=lon, lat=lat)
    before = location_of(record)
    with session.no_autoflush:  # point and grid area are one change in the audit log
        _confirm(record, lon, lat, match, actor=actor, now=now)
        assign_institutions(session, [record])
    entry = alias = None
    # A doubtful place may be good enough to patrol, but is no evidence of where its address is.
    if record.address and (match is None or not is_doubtful(match)):
        entry = teach_entry(session, record, actor=actor, now=now)
        if known is not None:
            alias = teach_alias(session, record, known.gazetteer, actor=actor, now=now)
    action = Source(source).value
    return record_decision(
        session, record, before, action=action, entry=entry, alias=alias, actor=actor, now=now
    )


def list_acceptable(
    session: Session,
    score: float,
    *,
    identity: Identity | None = None,
    geocoder: GazetteerGeocoder | None = None,
) -> list[tuple[QueueRow, Match]]:
    """Return the doubtful places whose best candidate has at least a score and lies in a grid area.

    Never among them: candidates that only a person may choose (code ``suggestion``), and places whose
    declared point contradicts their address.

    Raises
    ------
    ReviewError
        ``bad_score`` when `score` is not between 0 and 1.
    """
    if not 0.0 <= score <= 1.0:
        raise ReviewError("bad_score", score=score)
    rows = [row for row in list_queue(session, identity=identity) if row.code == Why.DOUBTFUL]
    known = (geocoder or build_geocoder(session)) if rows else None
    if known is None:
        return []
    matches = known.locate([row.address for row in rows])
    placed = [
        (row, match, (match.lon, match.lat))
        for row, match in zip(rows, matches, strict=True)
        if match.lon is not None and match.lat is not None and match.score >= score
    ]
    codes = areas_of([point for _, _, point in placed], frames.grids_frame(session))
    return [(row, match) for (row, match, _), code in zip(placed, codes, strict=True) if code is not None]


def accept_above(
    session: Session,
    score: float,
    *,
    actor: str,
    now: dt.datetime,
    identity: Identity | None = None,
    geocoder: GazetteerGeocoder | None = None,
) -> list[LocationDecision]:
    """Accept the best candidate of every doubtful place of `list_acceptable`, as one batch.

    Nobody looked at each of them, so they teach the gazetteer nothing.

    Raises
    ------
    ReviewError
        ``bad_score``.
    """
    pairs = list_acceptable(session, score, identity=identity, geocoder=geocoder)
    if not pairs:
        return []
    batch = next_batch(session)
    records = [session.get_one(Institution, row.institution_id) for row, _ in pairs]
    before = [location_of(record) for record in records]
    with session.no_autoflush:
        for record, (_, match) in zip(records, pairs, strict=True):
            assert match.lon is not None and match.lat is not None
            _confirm(record, match.lon, match.lat, match, actor=actor, now=now)
        assign_institutions(session, records)
    return [
        record_decision(session, record, values, action=ACCEPTED, batch=batch, actor=actor, now=now)
        for record, values in zip(records, before, strict=True)
    ]


def undo(
    session: Session, what: int | str, *, actor: str, now: dt.datetime, identity: Identity | None = None
) -> list[LocationDecision]:
    """Take back a decision by its number, or what still stands of a batch by its code.

    Raises
    ------
    ReviewError
        ``unknown_decision``, ``already_undone``, and as `geo.review.decisions.take_back`.
    """
    chosen = LocationDecision.id == what if isinstance(what, int) else LocationDecision.batch == what
    statement = select(LocationDecision).join(Institution).where(chosen)
    if identity is not None:
        statement = scoped(statement, identity)
    found = list(session.scalars(statement.order_by(LocationDecision.id.desc())))
    if not found:
        raise ReviewError("unknown_decision", decision=what)
    standing = [decision for decision in found if decision.undone_at is None]
    if not standing:
        raise ReviewError("already_undone", decision=what, by=found[0].undone_by)
    take_back(session, standing, actor=actor, now=now)
    return standing


def _institutions(identity: Identity | None) -> Select[Institution]:
    statement = select(Institution)
    return statement if identity is None else scoped(statement, identity)


def _record(session: Session, institution_id: int, identity: Identity | None) -> Institution:
    """Return an institution in scope; one out of it is as unknown as one that is not there."""
    found = session.scalars(_institutions(identity).where(Institution.id == institution_id)).one_or_none()
    if found is None:
        raise ReviewError("unknown_institution", institution=institution_id)
    return found


def _row(record: Institution) -> QueueRow:
    if record.lon is None:
        why, code = Why.UNPLACED, record.match_code or Why.UNPLACED.value
    elif record.grid_id is None:
        why, code = Why.OUTSIDE, Why.OUTSIDE.value
    else:
        why, code = Why.DOUBTFUL, doubt_of(record)
    return QueueRow(
        institution_id=record.id,
        name=record.name,
        address=record.address,
        kind=record.kind,
        why=why,
        code=code,
        level=record.match_level or Level.NONE.value,
        score=record.match_score or 0.0,
        error_radius_m=record.error_radius_m,
        matched_text=record.match_text or "",
        lon=record.lon,
        lat=record.lat,
        grid_code=record.grid_code,
    )


def _is_at(match: Match, lon: float, lat: float) -> bool:
    if match.lon is None or match.lat is None:
        return False
    return abs(match.lon - lon) < _SAME_DEG and abs(match.lat - lat) < _SAME_DEG


def _confirm(
    record: Institution, lon: float, lat: float, match: Match | None, *, actor: str, now: dt.datetime
) -> None:
    """Place a record where a person said, by their own point or by a candidate."""
    record.lon, record.lat = lon, lat
    record.match_level, record.match_code = CONFIRMED, "placed"
    record.match_score = 1.0 if match is None else match.score
    record.match_text = "" if match is None else match.matched_text
    record.error_radius_m = CONFIRMED_RADIUS_M if match is None else match.error_radius_m
    record.location_source, record.doubtful = LocationSource.HAND, False
    record.confirmed_by, record.confirmed_at = actor, now
