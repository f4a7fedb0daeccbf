"""Where the metrics server listens and what it bears (docs/guides/metrics.md has the reasons)."""

from __future__ import annotations

from dataclasses import dataclass

from chainbeasts.backend.settings import METRICS_PATH, METRICS_PORT

DEFAULT_HOST = "127.0.0.1"
DEFAULT_PORT = METRICS_PORT
PATH = METRICS_PATH


def metrics_url(host: str = DEFAULT_HOST, port: int = DEFAULT_PORT) -> str:
    """The address of a metrics server."""
    return f"ws://{f'[{host}]' if ':' in host else host}:{port}{PATH}"


@dataclass(frozen=True)
class Limits:
    """What one server bears.

    Attributes:
        history: messages of each beast that a late joiner gets.
        beasts: that a late joiner hears of.
        queue: messages that a client may be behind, besides the history it was given.
        message: bytes in one message.
        clients: connections at once.
        rate: messages per second from one client, sustained.
        burst: messages from one client at once; not above ``queue``, so that no burst that is
            allowed cuts off somebody else.
        ping: seconds between pings, and seconds to wait for each pong.
        close: seconds that a closing handshake may take.
    """

    history: int = 1000
    beasts: int = 32
    queue: int = 1024
    message: int = 64 * 1024
    clients: int = 100
    rate: float = 500.0
    burst: int = 1000
    ping: float = 20.0
    close: float = 2.0


class TokenBucket:
    """Lets ``burst`` through at once, then ``rate`` per second; the caller brings the clock."""

    def __init__(self, rate: float, burst: float) -> None:
        self._rate = rate
        self._burst = burst
        self._tokens = burst
        self._last: float | None = None

    def take(self, now: float) -> float:
        """Take a token: 0.0 if there was one, else the seconds until there is."""
        if self._last is not None:
            self._tokens = min(self._burst, self._tokens + (now - self._last) * self._rate)
        self._last = now
        if self._tokens < 1:
            return (1 - self._tokens) / self._rate
        self._tokens -= 1
        return 0.0
