"""Answers for a daemon on loopback; nothing else is served, and nothing can be changed."""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import structlog
from prometheus_client import generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST

from chainbeasts.backend.errors import ChainBeastsError
from chainbeasts.backend.monitoring.health import Health

log = structlog.get_logger()

HOST = "127.0.0.1"

CLIENT_SECONDS = 30.0
"""That a client may stay silent, or not take its answer; each has a thread meanwhile."""


class _Server(ThreadingHTTPServer):
    def handle_error(self, request: Any, client_address: Any) -> None:
        """Told in the daemon's log; that a client hung up (a scrape was too slow) is no news."""
        error = sys.exception()
        if not isinstance(error, (ConnectionError, TimeoutError)):
            log.error("a question about health was not answered", reason=repr(error))


@contextmanager
def serve(health: Health, port: int) -> Iterator[int]:
    """Answer on a port of loopback (0: any free one) while the context is open; the port.

    Raises:
        ChainBeastsError: the port is taken.
    """
    try:
        server = _Server((HOST, port), _handler(health))
    except OSError as error:
        raise ChainBeastsError(
            f"Port {port} of {HOST} cannot be used ({error.strerror}).",
            "Give another one with --health-port, or 0 for any free one.",
        ) from None
    threading.Thread(target=server.serve_forever, name="health", daemon=True).start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        server.server_close()


def _handler(health: Health) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        timeout = CLIENT_SECONDS

        def do_GET(self) -> None:
            problem = health.problem
            if self.path == "/healthz":
                self._answer(200, {"status": "alive"})
            elif self.path == "/readyz":
                status = {"status": "ready"} if not problem else {"status": "not ready"}
                self._answer(503 if problem else 200, status | {"problem": problem})
            elif self.path == "/metrics":
                self._send(200, CONTENT_TYPE_LATEST, generate_latest(health.registry))
            else:
                self._answer(404, {"paths": ["/healthz", "/readyz", "/metrics"]})

        def _answer(self, code: int, value: object) -> None:
            self._send(code, "application/json", json.dumps(value).encode() + b"\n")

        def _send(self, code: int, kind: str, body: bytes) -> None:
            self.send_response(code)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            pass

    return Handler
