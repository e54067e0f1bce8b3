"""JSON log lines without names, phones, tokens or addresses."""

from __future__ import annotations

import logging
import sys
import threading
import traceback
from collections.abc import MutableMapping
from typing import Any

import structlog

# A log is read by people who may not read the register: these keys never leave the process.
PRIVATE = frozenset({"name", "display_name", "phone", "contact_name", "contact_phone", "address"})
MOST_FRAMES = 12
SECRET = frozenset({"password", "token", "cookie", "authorization", "certificate_no"})


def redact(_: object, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Replace private and secret values of a log event by a dash."""
    return {key: "-" if key.lower() in PRIVATE | SECRET else value for key, value in event.items()}


def trace_of(error: BaseException) -> str:
    """Return what went wrong and where, without the message: it may quote a name or a telephone."""
    frames = traceback.extract_tb(error.__traceback__)[-MOST_FRAMES:]
    told = [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames]
    cause = error.__cause__ or error.__context__
    return " < ".join([type(error).__name__, *reversed(told)]) + (
        "" if cause is None else f" | from {type(cause).__name__}"
    )


def _trace(_: object, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    error = event.pop("exc_info", None)
    return {**event, "trace": trace_of(error)} if isinstance(error, BaseException) else event


def _quiet_libraries() -> None:
    """Make every library's own log leave out the messages of exceptions, as ours does."""
    plain = logging.LogRecord

    def record(*args: Any, **kwargs: Any) -> logging.LogRecord:
        made = plain(*args, **kwargs)
        if made.exc_info and made.exc_info[1] is not None:
            made.msg, made.args = f"{made.getMessage()} {trace_of(made.exc_info[1])}", ()
            made.exc_info = None
        return made

    logging.setLogRecordFactory(record)

    def thread_ended(args: threading.ExceptHookArgs) -> None:
        if args.exc_value is not None and args.exc_type is not SystemExit:
            get_logger("thread").error("ended", error=args.exc_type.__name__, exc_info=args.exc_value)

    threading.excepthook = thread_ended


def configure(level: str = "INFO") -> None:
    """Write log events as JSON lines to standard error from `level` upwards."""
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            _trace,
            redact,
            structlog.processors.JSONRenderer(ensure_ascii=False),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level]),
        logger_factory=structlog.PrintLoggerFactory(file=sys.stderr),
        cache_logger_on_first_use=False,
    )
    _quiet_libraries()


def get_logger(room: str) -> Any:
    """Return a logger whose events carry the room they come from."""
    return structlog.get_logger(room=room)
