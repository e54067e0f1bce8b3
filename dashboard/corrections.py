"""What the review page reads and asks for: the queue, candidates, and decisions, each checked and stored."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from dashboard.access.presence import acting
from dashboard.parts.cache import Shelf, cached
from dashboard.wiring import LOCAL_ZONE, Wiring
from data.accounts import Identity, Permission, require
from data.schema import AuditEvent, GazetteerEntry
from geo.gazetteer.calibration import Calibration
from geo.geocode import GazetteerGeocoder, Match
from geo.locate import build_geocoder
from geo.review import decisions
from geo.review import queue as review
from geo.review.decisions import Decided
from geo.review.placement import Preview
from geo.review.queue import QueueRow, Source, Why

# A geocoder of a district takes seconds to build and some ten megabytes to keep.
_GEOCODERS, _CALIBRATIONS = Shelf(2), Shelf(2)
_KNOWN = ("gazetteer_entry", "school", "road_alias")


@dataclass(frozen=True)
class Tally:
    """The page's headline numbers, in institutions."""

    doubtful: int
    unplaced: int
    outside: int
    decided_today: int


def queue(wiring: Wiring, identity: Identity) -> list[QueueRow]:
    """Return the places that `identity` may review, worst first."""
    return cached(wiring, "queue", _scope(identity), lambda s: review.list_queue(s, identity=identity))


def tally(wiring: Wiring, identity: Identity) -> Tally:
    """Return how many places wait, by why, and how many were decided today."""
    count = Counter(row.why for row in queue(wiring, identity))
    midnight = dt.datetime.combine(wiring.today(), dt.time(), tzinfo=LOCAL_ZONE)

    def read(session: Session) -> int:
        return decisions.count_decided(session, since=midnight, identity=identity)

    decided = cached(wiring, "decided", (*_scope(identity), midnight), read)
    return Tally(count[Why.DOUBTFUL], count[Why.UNPLACED], count[Why.OUTSIDE], decided)


def following(rows: Sequence[QueueRow], row: QueueRow) -> int:
    """Return the institution to look at after `row`; the first one after the last."""
    return rows[(rows.index(row) + 1) % len(rows)].institution_id


def candidates(wiring: Wiring, identity: Identity, institution_id: int) -> tuple[Match, ...]:
    """Return the places that an institution's address may mean, best first.

    Raises
    ------
    ReviewError
        `unknown_institution`.
    """
    known = geocoder(wiring)

    def read(session: Session) -> tuple[Match, ...]:
        if known is None:
            return ()
        return review.find_candidates(session, institution_id, identity=identity, geocoder=known)

    return cached(wiring, "candidates", (*_scope(identity), institution_id), read)


def acceptable(wiring: Wiring, identity: Identity, score: float) -> list[tuple[QueueRow, Match]]:
    """Return the doubtful places that accepting from a score up would confirm, with their candidates."""
    known = geocoder(wiring)

    def read(session: Session) -> list[tuple[QueueRow, Match]]:
        return review.list_acceptable(session, score, identity=identity, geocoder=known)

    return cached(wiring, "acceptable", (*_scope(identity), score), read)


def preview(wiring: Wiring, identity: Identity, institution_id: int, lon: float, lat: float) -> Preview:
    """Return what a point would mean for an institution.

    Raises
    ------
    ReviewError
        As `geo.review.queue.preview_point`.
    """
    with wiring.store.reading() as session:
        return review.preview_point(session, institution_id, lon, lat, identity=identity)


def last_decisions(wiring: Wiring, identity: Identity, *, limit: int, skip: int = 0) -> list[Decided]:
    """Return the last decisions that stand, newest first, after the first `skip` of them."""

    def read(session: Session) -> list[Decided]:
        return decisions.list_decisions(session, limit=limit, skip=skip, identity=identity)

    return cached(wiring, "decisions", (*_scope(identity), limit, skip), read)


def save(
    wiring: Wiring, identity: Identity, institution_id: int, lon: float, lat: float, *, source: Source
) -> int:
    """Confirm where an institution is and return the decision's number.

    Raises
    ------
    AccountError
        `forbidden`, `session_ended`.
    ReviewError
        As `geo.review.queue.set_point`.
    """
    require(identity, Permission.CORRECT_LOCATION)
    # Before the transaction: nobody else waits while the gazetteer is read.
    known = geocoder(wiring)
    with acting(wiring, identity, Permission.CORRECT_LOCATION) as writing:
        made = review.set_point(
            writing.session,
            institution_id,
            lon,
            lat,
            source=source,
            anew=False,  # the queue showed it as open: somebody else was quicker
            actor=writing.actor,
            now=writing.now,
            identity=writing.identity,
            geocoder=known,
        )
        return made.id


def accept(wiring: Wiring, identity: Identity, score: float) -> int:
    """Accept the best candidate of doubtful places from a score up; return how many were confirmed.

    Raises
    ------
    AccountError
        `forbidden`, `session_ended`.
    ReviewError
        As `geo.review.queue.accept_above`.
    """
    require(identity, Permission.CORRECT_LOCATION)
    known = geocoder(wiring)
    with acting(wiring, identity, Permission.CORRECT_LOCATION) as writing:
        made = review.accept_above(
            writing.session,
            score,
            actor=writing.actor,
            now=writing.now,
            identity=writing.identity,
            geocoder=known,
        )
        return len(made)


def undo(wiring: Wiring, identity: Identity, what: int | str) -> int:
    """Take back a decision or a batch; return how many institutions were put back.

    Raises
    ------
    AccountError
        `forbidden`, `session_ended`.
    ReviewError
        As `geo.review.queue.undo`.
    """
    with acting(wiring, identity, Permission.CORRECT_LOCATION) as writing:
        undone = review.undo(
            writing.session, what, actor=writing.actor, now=writing.now, identity=writing.identity
        )
        return len(undone)


def geocoder(wiring: Wiring) -> GazetteerGeocoder | None:
    """Return the offline geocoder of what is known today, None without any known address.

    Its error radii are those of the imported addresses: measuring them takes most of the time, and the few
    that people confirm do not move them.
    """
    with wiring.store.reading() as session:
        newest = session.scalar(select(func.max(AuditEvent.sequence)).where(AuditEvent.entity.in_(_KNOWN)))
        key = (str(wiring.store.url), newest)
        return _GEOCODERS.get(key, lambda: _build(session, str(wiring.store.url)))


def _build(session: Session, url: str) -> GazetteerGeocoder | None:
    entry = GazetteerEntry
    imported = select(func.count(), func.max(entry.id), func.sum(entry.lon), func.sum(entry.lat))
    key = (url, *session.execute(imported.where(entry.confirmed_at.is_(None))).one())
    calibration: Calibration | None = _CALIBRATIONS.get(key, lambda: _measure(session))
    return build_geocoder(session, calibration=calibration)


def _measure(session: Session) -> Calibration | None:
    known = build_geocoder(session)
    return None if known is None else known.calibration


def _scope(identity: Identity) -> tuple[object, ...]:
    return (identity.role, identity.scope_subdistrict, identity.scope_grid_code)
