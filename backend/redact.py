"""Takes credentials out of URLs before anybody reads them: logs, errors, printed results."""

from __future__ import annotations

import re
import sys
import threading
import traceback
from collections.abc import Callable
from types import TracebackType
from urllib.parse import urlsplit

HIDDEN = "***"
_WEB = ("http", "https", "ws", "wss")
_URL = re.compile(r"\b[A-Za-z][A-Za-z0-9+.-]*://[^\s'\"<>]+")
_KEY = re.compile(r"(?=[\w-]*\d)(?=[\w-]*[A-Za-z])[\w-]{16,}|[\w-]{24,}")
_REQUEST = re.compile(r"(with url: )/\S*")  # how urllib3 names a request: its path alone


def redact_url(url: str) -> str:
    """A URL with user, password, parameters and, on the web, the path shown as ``***``.

    Hosted nodes take their key as a part of the path, so no path of a web address is shown. The
    path of another URL names a database or a bucket, and stays.
    """
    return _redact(url, lambda path: f"/{HIDDEN}" if path.strip("/") else path)


def redact_text(text: str) -> str:
    """A text with the credentials of every URL in it hidden: the net under ``redact_url``.

    Of paths only those parts that look like keys, since the URL may be of anything.
    """
    return _REQUEST.sub(rf"\1/{HIDDEN}", _URL.sub(_found, text))


def _redact(url: str, path_shown: Callable[[str], str]) -> str:
    try:
        parts = urlsplit(url)
    except ValueError:
        return HIDDEN
    if not parts.netloc and not parts.query:
        return url
    if "@" in url and "@" not in parts.netloc:  # a password with a slash or another mark in it
        return f"{parts.scheme}://{HIDDEN}"
    host = parts.netloc.rpartition("@")[2]
    shown = f"{parts.scheme}://" if parts.scheme else ""
    shown += host if host == parts.netloc else f"{HIDDEN}@{host}"
    shown += path_shown(parts.path) if parts.scheme in _WEB else parts.path
    return shown + (f"?{HIDDEN}" if parts.query else "")


def _found(match: re.Match[str]) -> str:
    """A URL in a sentence, without the punctuation after it."""
    whole = match.group()
    url = whole.rstrip(".,:;!?)]}")
    return _redact(url, lambda path: _KEY.sub(HIDDEN, path)) + whole[len(url) :]


def redact_tracebacks() -> None:
    """Have the tracebacks of errors that nobody expected printed without credentials, too."""

    def show(
        kind: type[BaseException], error: BaseException | None, trace: TracebackType | None
    ) -> None:
        lines = traceback.format_exception(kind, error, trace)
        sys.stderr.write(redact_text("".join(lines)))

    sys.excepthook = show
    threading.excepthook = lambda args: show(args.exc_type, args.exc_value, args.exc_traceback)
