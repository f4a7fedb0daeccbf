"""Structured logs on stderr, with secrets taken out."""

from __future__ import annotations

import logging
import re
import sys
from typing import Any

import stamina.instrumentation
import structlog
from structlog.typing import EventDict, WrappedLogger

from chainbeasts.backend.redact import HIDDEN, redact_text

_SECRET_NAMES = re.compile(r"secret|password|private|mnemonic|passphrase", re.IGNORECASE)
_RAW_BYTES = 64


def redact(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    """Replace values whose name says secret and credentials in URLs; shorten long binary values."""
    for name, value in event.items():
        event[name] = HIDDEN if _SECRET_NAMES.search(name) else _plain(value)
    return event


def _plain(value: Any) -> Any:
    if isinstance(value, str):
        return redact_text(value)
    if isinstance(value, bytes):
        shown = value[:_RAW_BYTES].hex()
        return f"0x{shown}{'…' if len(value) > _RAW_BYTES else ''}"
    if isinstance(value, dict):
        return redact(None, "", {str(name): item for name, item in value.items()})
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, BaseException):
        return redact_text(str(value))
    return value


def configure_logging(level: str = "info", *, json_lines: bool = False) -> None:
    """Send structlog's events at ``level`` and above to stderr, for people or as JSON lines.

    Raises:
        ValueError: the level has no such name.
    """
    number = logging.getLevelNamesMapping().get(level.upper())
    if number is None:
        raise ValueError(f"log level {level!r} is not debug, info, warning or error")
    renderer = (
        structlog.processors.JSONRenderer()
        if json_lines
        else structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
    )
    stamina.instrumentation.set_on_retry_hooks(())  # who retries says so when it gives up
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            redact,  # after the traceback has become text
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=structlog.WriteLoggerFactory(file=sys.stderr),
        cache_logger_on_first_use=False,
    )
