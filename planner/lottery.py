"""STEP: commit a draw before its period, reveal it after, and check it (双随机, with its proof).

The terms in the commitment's text (see `planner.draw`) are four lines: ``period FIRST LAST``, ``round NAME``
(``-`` without), ``control SHARE`` and ``thinning SHARE``, shares with four decimals. Candidates are the sites
of all located institutions that count for coverage, ``I`` and the institution's id.
"""

from __future__ import annotations

import datetime as dt
import gzip
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from data.schema import Draw, PlanRevision
from data.terms import PlanStatus, RoundName
from planner.draw import canonical_text, commit, digest_ids, holds_sample
from planner.errors import PlannerError
from planner.ledger import read_accounts
from planner.options import PlanOptions
from planner.rounds import find_round
from planner.verify import Report, Violation

# The seed also serves columns and solvers of 31 bits; the salt keeps it from being guessed.
SEED_BITS = 31
SALT_BYTES = 16


@dataclass(frozen=True)
class Committed:
    """A draw as the public may see it: without seed and salt until it is revealed."""

    code: str
    period_from: dt.date
    period_to: dt.date
    round: str | None
    control_share: float
    thinning: float
    digest: str
    candidates: int
    candidates_digest: str
    committed_at: dt.datetime
    committed_by: str
    revealed_at: dt.datetime | None
    revealed_by: str | None


@dataclass(frozen=True)
class Revealed:
    """A revealed draw: what was committed, the seed and salt, and the text whose SHA-256 is the digest."""

    draw: Committed
    seed: int
    salt: str
    text: str


def commit_draw(
    session: Session,
    *,
    options: PlanOptions,
    salt: str,
    actor: str,
    now: dt.datetime,
    today: dt.date,
) -> Committed:
    """Store a commitment to the period, round, shares and seed of `options`, to be published at once.

    Raises
    ------
    PlannerError
        `draw_too_late` from the period's first day on, `nothing_placed` without candidates, the refusals of
        `find_round` and of the text.
    """
    if options.first <= today:
        raise PlannerError(code="draw_too_late", fields={"first": str(options.first), "today": str(today)})
    name = None
    if options.round is not None:
        name = find_round(session, options.round, first=options.first, last=options.last).name
    ids = list_candidates(session, before=options.first)
    if not ids:
        raise PlannerError(code="nothing_placed")
    number = (session.scalar(select(func.max(Draw.id))) or 0) + 1
    record = Draw(
        code=f"D{options.first:%Y%m%d}-{number:03d}",
        period_from=options.first,
        period_to=options.last,
        round_name=name,
        control_share=options.control_share,
        thinning=options.thinning,
        seed=options.seed,
        salt=salt,
        candidates=ids,
        candidates_digest=digest_ids(ids),
        committed_at=now,
        committed_by=actor,
    )
    record.digest = commit(options.seed, salt, ids, terms=_terms(record))
    session.add(record)
    session.flush()
    return _public(record)


def list_candidates(session: Session, *, before: dt.date) -> list[str]:
    """Return the ids of the sites that can be drawn."""
    accounts = read_accounts(session, round_from=before, before=before)
    return [f"I{item.institution_id}" for item in accounts if item.placed and item.owes_coverage]


def list_draws(session: Session) -> tuple[Committed, ...]:
    """Return all commitments, newest first: how many were made for a period is part of the proof."""
    return tuple(_public(record) for record in session.scalars(select(Draw).order_by(Draw.id.desc())))


def settle_draw(session: Session, options: PlanOptions) -> tuple[PlanOptions, frozenset[str] | None]:
    """Return the options with the seed, shares and round of their draw, and the sites it names.

    Without a draw the options come back as they are, with None.

    Raises
    ------
    PlannerError
        `unknown_draw`, `draw_other_period`, `draw_revealed` when its seed is no secret any more.
    """
    if options.draw is None:
        return options, None
    record = _find(session, options.draw)
    if (record.period_from, record.period_to) != (options.first, options.last):
        fields: dict[str, object] = {"draw": record.code}
        fields |= {"first": str(record.period_from), "last": str(record.period_to)}
        raise PlannerError(code="draw_other_period", fields=fields)
    if record.revealed_at is not None:
        raise PlannerError(code="draw_revealed", fields={"draw": record.code})
    settled = replace(
        options,
        seed=record.seed,
        control_share=record.control_share,
        thinning=record.thinning,
        round=None if record.round_name is None else record.round_name.value,
    )
    return settled, frozenset(record.candidates)


def reveal_draw(session: Session, code: str, *, actor: str, now: dt.datetime, today: dt.date) -> Revealed:
    """Reveal a draw once its period began or a plan made with it was published; again gives the same.

    Raises
    ------
    PlannerError
        `unknown_draw`, `draw_not_due`.
    """
    record = _find(session, code)
    if record.revealed_at is None:
        published = [plan for plan in _plans(session, code) if plan.status is not PlanStatus.DRAFT]
        if today < record.period_from and not published:
            fields: dict[str, object] = {"draw": code, "first": str(record.period_from)}
            raise PlannerError(code="draw_not_due", fields=fields)
        record.revealed_at, record.revealed_by = now, actor
        session.flush()
    text = canonical_text(record.seed, record.salt, record.candidates, terms=_terms(record))
    return Revealed(_public(record), record.seed, record.salt, text)


def check_draw(session: Session, code: str) -> Report:
    """Check a draw: its digest, its candidates, and that every plan made with it kept to it.

    Broken rules: `digest`, `candidates`, `plan_seed` (another seed, share or period), `control_sample` (not
    the lowest lots were drawn), `not_committed` (drawn from places that the commitment does not name).
    Warnings: `several_draws` when more than one commitment was made for these dates, `draw_unused` without a
    published plan, `not_revealed`.

    Raises
    ------
    PlannerError
        `unknown_draw`.
    """
    record = _find(session, code)
    broken: list[Violation] = []
    if commit(record.seed, record.salt, record.candidates, terms=_terms(record)) != record.digest:
        broken.append(Violation("digest", {"stated": record.digest}))
    if digest_ids(record.candidates) != record.candidates_digest:
        broken.append(Violation("candidates", {"stated": record.candidates_digest}))
    plans = _plans(session, code)
    for plan in plans:
        broken += _check_plan(record, plan)
    others = select(Draw.code).where(
        Draw.period_from <= record.period_to, Draw.period_to >= record.period_from, Draw.code != code
    )
    warnings = []
    if siblings := sorted(session.scalars(others)):
        warnings.append(Violation("several_draws", {"draws": siblings}))
    if not any(plan.status is not PlanStatus.DRAFT for plan in plans):
        warnings.append(Violation("draw_unused", {"draw": code}))
    if record.revealed_at is None:
        warnings.append(Violation("not_revealed", {"draw": code}))
    measures = {"candidates": len(record.candidates), "plans": len(plans)}
    return Report(tuple(broken), tuple(warnings), measures)


def _check_plan(record: Draw, plan: PlanRevision) -> list[Violation]:
    body: dict[str, Any] = json.loads(gzip.decompress(plan.document))
    options = body["options"]
    stated = {name: options.get(name) for name in ("seed", "control_share", "thinning", "first", "last")}
    agreed = {
        "seed": record.seed,
        "control_share": record.control_share,
        "thinning": record.thinning,
        "first": record.period_from.isoformat(),
        "last": record.period_to.isoformat(),
    }
    broken = []
    if stated != agreed:
        differing = sorted(name for name in agreed if stated[name] != agreed[name])
        broken.append(Violation("plan_seed", {"plan": plan.code, "differing": differing}))
    # A plan changed by people keeps the draw of the plan it came from and has none of its own.
    control, named = body.get("control", {"pool": [], "drawn": []}), set(record.candidates)
    if not holds_sample(control["pool"], control["drawn"], seed=record.seed):
        broken.append(Violation("control_sample", {"plan": plan.code}))
    strangers = sorted(key for key in control["pool"] if key.split("-")[0] not in named)
    if strangers:
        broken.append(Violation("not_committed", {"plan": plan.code, "visits": strangers}))
    return broken


def _terms(record: Draw) -> Sequence[str]:
    return (
        f"period {record.period_from.isoformat()} {record.period_to.isoformat()}",
        f"round {'-' if record.round_name is None else RoundName(record.round_name).value}",  # type: ignore[call-arg]
        f"control {record.control_share:.4f}",
        f"thinning {record.thinning:.4f}",
    )


def _find(session: Session, code: str) -> Draw:
    record = session.scalar(select(Draw).where(Draw.code == code))
    if record is None:
        raise PlannerError(code="unknown_draw", fields={"draw": code})
    return record


def _plans(session: Session, code: str) -> list[PlanRevision]:
    statement = select(PlanRevision).where(PlanRevision.draw_code == code).order_by(PlanRevision.id)
    return list(session.scalars(statement))


def _public(record: Draw) -> Committed:
    return Committed(
        record.code,
        record.period_from,
        record.period_to,
        None if record.round_name is None else record.round_name.value,
        record.control_share,
        record.thinning,
        record.digest,
        len(record.candidates),
        record.candidates_digest,
        record.committed_at,
        record.committed_by,
        record.revealed_at,
        record.revealed_by,
    )
