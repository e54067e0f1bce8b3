"""A job of the roster page: how far it is, how to stop it, why it failed."""

from __future__ import annotations

import streamlit as st

from dashboard import asks, panels, reads, revisions, wording
from dashboard.i18n import sentence_for
from dashboard.panels import Visitor
from dashboard.reads import JobView
from data.errors import DataError
from data.terms import JobStatus

POLL_S = 1.0
SHOW = "roster.show"


def draw_progress(visitor: Visitor, kind: str, *, doing: str) -> None:
    """Draw a waiting or running job until it ends; the page is then drawn anew with what it made."""
    started = reads.latest_job(visitor.wiring, kind=kind)

    @panels.fragment(visitor, run_every=POLL_S)
    def progress() -> None:
        job = reads.latest_job(visitor.wiring, kind=kind)
        if started is None or job is None or job.id != started.id or not job.under_way:
            st.session_state[SHOW] = kind
            st.rerun()
        stage = sentence_for(f"stage.{job.stage}", {}, visitor.language)
        st.progress(job.progress, text=f"{doing} · {stage} · {job.progress:.0%}")
        if st.button(visitor.t("取消"), key=f"cancel.{kind}"):
            try:
                asks.cancel(visitor.wiring, visitor.identity, job.id)
            except DataError as error:
                panels.draw_refusal(error, visitor)

    with st.container(border=True):
        progress()


def draw_failure(visitor: Visitor, job: JobView) -> None:
    """Draw why a job failed, with institutions, shifts and people by their names."""
    if job.status is not JobStatus.FAILED:
        return
    fields = wording.spoken(job.error_fields, visitor.language, revisions.names(visitor.wiring))
    st.error(panels.plain(sentence_for(job.error_code or "unexpected", fields, visitor.language)))


def made_plan(visitor: Visitor) -> str | None:
    """Return the plan that the job ended just now has made, once."""
    kind = st.session_state.pop(SHOW, None)
    job = None if kind is None else reads.latest_job(visitor.wiring, kind=kind)
    return None if job is None else job.result.get("plan")
