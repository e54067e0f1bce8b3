"""What a page asks to be done: jobs, publication, draws; each checked and in its own transaction."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from typing import Any

from dashboard.lots import commit_fresh
from dashboard.wiring import Wiring
from data import audit, jobs
from data.accounts import Identity, Permission, require
from planner import publish
from planner.lottery import Committed
from planner.options import PlanOptions

PLAN, REPAIR = "plan", "repair"


def queue(wiring: Wiring, identity: Identity, kind: str, parameters: dict[str, Any]) -> int:
    """Queue a job of `PLAN` or `REPAIR` and return its id.

    Raises
    ------
    AccountError
        `forbidden`.
    JobError
        `already_queued`.
    """
    require(identity, Permission.WRITE_ROSTER)
    now, actor = wiring.now(), identity.username
    with wiring.store.begin(actor=actor, now=now, serial=True) as session:
        return jobs.enqueue(session, kind=kind, parameters=parameters, created_by=actor, now=now)


def cancel(wiring: Wiring, identity: Identity, job_id: int) -> None:
    """Ask a job to stop.

    Raises
    ------
    AccountError
        `forbidden`.
    JobError
        `not_running`.
    """
    require(identity, Permission.WRITE_ROSTER)
    with wiring.store.begin(actor=identity.username, now=wiring.now()) as session:
        jobs.request_cancel(session, job_id)


def publish_plan(
    wiring: Wiring, identity: Identity, code: str, *, confirmed: bool, agreed: Collection[str] = ()
) -> None:
    """Publish a draft.

    Parameters
    ----------
    confirmed
        Whether the dates of an unpublished year's holidays were checked.
    agreed
        Codes of the objections that the person has read and set aside.

    Raises
    ------
    AccountError
        `forbidden`.
    PlannerError
        As `planner.publish.publish`.
    """
    require(identity, Permission.PUBLISH)
    now, actor = wiring.now(), identity.username
    with wiring.store.begin(actor=actor, now=now, serial=True) as session:
        publish.publish(
            session,
            code,
            actor=actor,
            now=now,
            today=wiring.today(),
            confirm_provisional=confirmed,
            confirm_parent=bool({"parent_superseded", "published_meanwhile"} & set(agreed)),
            confirm_inputs="inputs_changed" in agreed,
        )


def note_export(wiring: Wiring, identity: Identity, *, what: str, key: str) -> None:
    """Write into the change log that somebody took a table out of the register."""
    with wiring.store.begin(actor=identity.username, now=wiring.now()) as session:
        audit.append(session, action="export", entity=what, entity_key=key[:200])


def commit_draw(
    wiring: Wiring,
    identity: Identity,
    *,
    first: dt.date,
    last: dt.date,
    round_name: str | None,
    control_share: float,
    thinning: float,
) -> Committed:
    """Commit to a draw for a period; its digest is to be published at once.

    Raises
    ------
    AccountError
        `forbidden`.
    PlannerError
        As `planner.lottery.commit_draw`.
    """
    require(identity, Permission.WRITE_ROSTER)
    options = PlanOptions(
        first=first, last=last, round=round_name, control_share=control_share, thinning=thinning
    )
    now, actor = wiring.now(), identity.username
    with wiring.store.begin(actor=actor, now=now, serial=True) as session:
        return commit_fresh(session, options, actor=actor, now=now, today=wiring.today())
