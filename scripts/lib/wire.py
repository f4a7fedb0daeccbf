"""POSTs to a server on this machine, over connections that stay.

A test asks a node thousands of times, and a client for all that the web is takes longer over a
question than the node over its answer.
"""

from __future__ import annotations

import http.client
import threading
from urllib.parse import urlsplit

HEADERS = {"Content-Type": "application/json"}


class Wire:
    """Where to post; threads may share it, each has a connection of its own.

    Args:
        url: ``http://host:port``.
        seconds: to wait for an answer.
    """

    def __init__(self, url: str, seconds: float = 120) -> None:
        place = urlsplit(url)
        self._host, self._port = place.hostname or "", place.port
        self._target, self._seconds = place.path or "/", seconds
        self._own = threading.local()

    def post(self, body: bytes) -> bytes:
        """The answer's body, whatever its status is.

        Raises:
            ConnectionError: there is none.
        """
        kept: http.client.HTTPConnection | None = getattr(self._own, "line", None)
        line = kept or http.client.HTTPConnection(self._host, self._port, timeout=self._seconds)
        self._own.line = line
        # What was kept may have been closed by the server since; what is slow is not asked again.
        for last in (kept is None, True):
            try:
                line.request("POST", self._target, body, HEADERS)
                return line.getresponse().read()
            except (OSError, http.client.HTTPException) as error:
                line.close()  # the next request opens it again
                if last or isinstance(error, TimeoutError):
                    raise ConnectionError(f"{type(error).__name__}: {error}") from None
        raise AssertionError

    def close(self) -> None:
        """Close this thread's connection; others close with their threads."""
        line: http.client.HTTPConnection | None = getattr(self._own, "line", None)
        if line is not None:
            line.close()
