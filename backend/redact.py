"""Takes credentials out of URLs before anybody reads them: logs, errors, printed results."""

from __future__ import annotations

import re
import sys
import threading
import traceback
from types import TracebackType
from urllib.parse import urlsplit

HIDDEN = "***"
_WEB = ("http", "https", "ws", "wss")
_URL = re.compile(r"\b[A-Za-z][A-Za-z0-9+.-]*://[^\s'\"<>|,;()\[\]{}]+")
_REQUEST = re.compile(r"(with url: )/\S*")  # how urllib3 names a request: its path alone


def redact_url(url: str) -> str:
    """A URL with user, password, parameters and, on the web, the path shown as ``***``.

    Hosted nodes take their key as a part of the path, so no path of a web address is shown. The
    path of another URL names a database or a bucket, and stays.
    """
    try:
        parts = urlsplit(url)
        scheme, netloc, path = parts.scheme, parts.netloc, parts.path
    except ValueError:
        return HIDDEN
    if not netloc and not parts.query:
        return url
    host = netloc.rpartition("@")[2]
    shown = f"{scheme}://" if scheme else ""
    shown += f"{HIDDEN}@{host}" if host != netloc else netloc
    shown += f"/{HIDDEN}" if scheme in _WEB and path.strip("/") else path
    return shown + (f"?{HIDDEN}" if parts.query else "")


def redact_text(text: str) -> str:
    """A text with ``redact_url`` applied to every URL in it."""
    return _REQUEST.sub(rf"\1/{HIDDEN}", _URL.sub(_found, text))


def _found(match: re.Match[str]) -> str:
    """A URL in a sentence, without the full stop or colon that ends it."""
    whole = match.group()
    url = whole.rstrip(".:!?")
    return redact_url(url) + whole[len(url) :]


def redact_tracebacks() -> None:
    """Have the tracebacks of errors that nobody expected printed without credentials, too."""

    def show(
        kind: type[BaseException], error: BaseException | None, trace: TracebackType | None
    ) -> None:
        lines = traceback.format_exception(kind, error, trace)
        sys.stderr.write(redact_text("".join(lines)))

    sys.excepthook = show
    threading.excepthook = lambda args: show(args.exc_type, args.exc_value, args.exc_traceback)
