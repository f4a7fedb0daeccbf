"""What one server bears from its clients."""

from __future__ import annotations

import ipaddress
import math
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Limits:
    """What one server bears.

    Attributes:
        rate: requests per second from one address, sustained; 0 for no limit.
        burst: requests from one address at once. The page asks for a portrait per beast.
        addresses: that are remembered; the one that was silent the longest is forgotten.
        url: characters of path and query; 64 hashes of states are the most that a route takes.
        streams: WebSocket connections at once.
        streams_each: of them, from one address.
        queue: messages that such a client may be behind.
        send_seconds: that one message may take to be sent.
    """

    rate: float = 50.0
    burst: int = 400
    addresses: int = 10_000
    url: int = 4_500
    streams: int = 200
    streams_each: int = 20
    queue: int = 256
    send_seconds: float = 10.0


def neighbourhood(address: str) -> str:
    """What is limited as one client: an IPv4 address, or an IPv6 /64, which one household has.

    All that is no address is one client, too: a header may have said anything.
    """
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return ""
    if found.version == 6 and found.ipv4_mapped is None:
        return str(ipaddress.ip_network((found, 64), strict=False))
    return str(found.ipv4_mapped or found) if found.version == 6 else str(found)


class RateLimit:
    """A token bucket per client address.

    Args:
        clock: seconds that only grow.
    """

    def __init__(self, limits: Limits, clock: Callable[[], float] = time.monotonic) -> None:
        self._limits, self._clock = limits, clock
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, address: str) -> int:
        """Count a request: 0 if it may be answered, else the seconds to wait, rounded up."""
        rate, burst = self._limits.rate, float(self._limits.burst)
        if rate <= 0:
            return 0
        now, who = self._clock(), neighbourhood(address)
        tokens, last = self._buckets.pop(who, (burst, now))
        tokens = min(burst, tokens + (now - last) * rate)
        allowed = tokens >= 1
        self._buckets[who] = (tokens - 1 if allowed else tokens, now)
        if len(self._buckets) > self._limits.addresses:
            self._buckets.popitem(last=False)
        return 0 if allowed else math.ceil((1 - tokens) / rate)


class Streams:
    """Counts the open WebSocket connections."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._open: dict[str, int] = {}

    def enter(self, address: str) -> bool:
        """Count a connection; False if there are too many."""
        who = neighbourhood(address)
        mine = self._open.get(who, 0)
        if mine >= self._limits.streams_each or sum(self._open.values()) >= self._limits.streams:
            return False
        self._open[who] = mine + 1
        return True

    def leave(self, address: str) -> None:
        """A connection that was counted has ended."""
        who = neighbourhood(address)
        self._open[who] -= 1
        if not self._open[who]:
            del self._open[who]
