"""How a running daemon looks from outside: /healthz, /readyz, Prometheus /metrics on loopback."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from prometheus_client import CollectorRegistry, Counter, Gauge, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST

from backend.errors import ChainBeastsError
from validator.overdue import Overdue

HOST = "127.0.0.1"
READY_SECONDS = 60.0
"""A daemon whose last good pass is older than this is not ready."""


class Monitor:
    """Figures of one daemon. Amounts are in ENERGY, as floats that only people read."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._jobs = self._gauge("jobs", "Windows by verdict.", ["verdict"])
        self._block = self._gauge("indexed_block", "Last block read.")
        self._at_risk = self._gauge("bonds_at_risk_energy", "Bonds in our open disputes.")
        self._disputes = self._gauge("open_disputes", "Disputes that have not ended.")
        self._overdue = self._gauge(
            "overdue_windows", "Windows without a verdict after half of their challenge period."
        )
        self._moves = Counter(
            "chainbeasts_validator_moves",
            "Moves made on chain.",
            ["action"],
            registry=self.registry,
        )
        self._failures = Counter(
            "chainbeasts_validator_node_failures",
            "Passes that the node spoiled.",
            registry=self.registry,
        )
        self._last_pass: float | None = None
        self._problem = "no pass yet"

    def _gauge(self, name: str, text: str, labels: list[str] | None = None) -> Gauge:
        return Gauge(f"chainbeasts_validator_{name}", text, labels or [], registry=self.registry)

    def passed(self, block: int, jobs: Mapping[str, int], at_risk: int, disputes: int) -> None:
        """A pass ended well. ``at_risk`` in wei."""
        self._block.set(block)
        self._at_risk.set(at_risk / 10**18)
        self._disputes.set(disputes)
        for verdict in ("waiting", "valid", "invalid", "unavailable"):
            self._jobs.labels(verdict).set(jobs.get(verdict, 0))
        self._last_pass, self._problem = time.monotonic(), ""

    def overdue(self, windows: Sequence[Overdue]) -> None:
        """Windows without a verdict, more than half way to being final, were looked for."""
        self._overdue.set(len(windows))

    def moved(self, action: str) -> None:
        """A move was made."""
        self._moves.labels(action).inc()

    def failed(self, problem: str) -> None:
        """The node did not answer."""
        self._failures.inc()
        self._problem = problem

    @property
    def problem(self) -> str:
        """Why the daemon is not ready; empty if it is."""
        if self._problem or self._last_pass is None:
            return self._problem
        age = time.monotonic() - self._last_pass
        return "" if age < READY_SECONDS else f"the last pass was {age:.0f} s ago"


@contextmanager
def serve(monitor: Monitor, port: int) -> Iterator[int]:
    """Answer on a port of loopback (0: any free one) while the context is open; the port.

    Raises:
        ChainBeastsError: the port is taken.
    """
    try:
        server = ThreadingHTTPServer((HOST, port), _handler(monitor))
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


def _handler(monitor: Monitor) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            problem = monitor.problem
            if self.path == "/healthz":
                self._answer(200, {"status": "alive"})
            elif self.path == "/readyz":
                status = {"status": "ready"} if not problem else {"status": "not ready"}
                self._answer(503 if problem else 200, status | {"problem": problem})
            elif self.path == "/metrics":
                self._send(200, CONTENT_TYPE_LATEST, generate_latest(monitor.registry))
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
