"""JSON log lines without names, phones, tokens or addresses."""

from __future__ import annotations

import logging
import sys
from collections.abc import MutableMapping
from typing import Any

import structlog

# A log is read by people who may not read the register: these keys never leave the process.
PRIVATE = frozenset({"name", "display_name", "phone", "contact_name", "contact_phone", "address"})
SECRET = frozenset({"password", "token", "cookie", "authorization", "certificate_no"})


def redact(_: object, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Replace private and secret values of a log event by a dash."""
    return {key: "-" if key.lower() in PRIVATE | SECRET else value for key, value in event.items()}


def configure(level: str = "INFO") -> None:
    """Write log events as JSON lines to standard error from `level` upwards."""
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            redact,
            structlog.processors.JSONRenderer(ensure_ascii=False),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level]),
        logger_factory=structlog.PrintLoggerFactory(file=sys.stderr),
        cache_logger_on_first_use=False,
    )


def get_logger(room: str) -> Any:
    """Return a logger whose events carry the room they come from."""
    return structlog.get_logger(room=room)
