"""What a page asks to be done: jobs, publication, draws; each checked and in its own transaction."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from typing import Any

from dashboard.access.presence import acting
from dashboard.lots import commit_fresh
from dashboard.wiring import Wiring
from data import jobs
from data.accounts import Identity, Permission
from planner import publish
from planner.lottery import Committed
from planner.options import PlanOptions

PLAN, REPAIR = "plan", "repair"


def queue(wiring: Wiring, identity: Identity, kind: str, parameters: dict[str, Any]) -> int:
    """Queue a job of `PLAN` or `REPAIR` and return its id.

    Raises
    ------
    AccountError
        `forbidden`, `session_ended`.
    JobError
        `already_queued`.
    """
    with acting(wiring, identity, Permission.WRITE_ROSTER) as writing:
        return jobs.enqueue(
            writing.session, kind=kind, parameters=parameters, created_by=writing.actor, now=writing.now
        )


def cancel(wiring: Wiring, identity: Identity, job_id: int) -> None:
    """Ask a job to stop.

    Raises
    ------
    AccountError
        `forbidden`, `session_ended`.
    JobError
        `not_running`.
    """
    with acting(wiring, identity, Permission.WRITE_ROSTER) as writing:
        jobs.request_cancel(writing.session, job_id)


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
        `forbidden`, `session_ended`.
    PlannerError
        As `planner.publish.publish`.
    """
    with acting(wiring, identity, Permission.PUBLISH) as writing:
        publish.publish(
            writing.session,
            code,
            actor=writing.actor,
            now=writing.now,
            today=wiring.today(),
            confirm_provisional=confirmed,
            confirm_parent=bool({"parent_superseded", "published_meanwhile"} & set(agreed)),
            confirm_inputs="inputs_changed" in agreed,
        )


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
        `forbidden`, `session_ended`.
    PlannerError
        As `planner.lottery.commit_draw`.
    """
    options = PlanOptions(
        first=first, last=last, round=round_name, control_share=control_share, thinning=thinning
    )
    with acting(wiring, identity, Permission.WRITE_ROSTER) as writing:
        return commit_fresh(
            writing.session, options, actor=writing.actor, now=writing.now, today=wiring.today()
        )
