"""Where a host is: its name is looked up by the system, which has a limit of its own, or none."""

from __future__ import annotations

import socket
from contextlib import suppress
from ipaddress import ip_address

from chainbeasts.backend.chain.clock import CallClock
from chainbeasts.backend.remote import Shared

_at_work: Shared[tuple[str, ...]] = Shared()


def addresses(host: str, clock: CallClock) -> tuple[str, ...]:
    """The addresses of a host, at least one, in the order in which to try them.

    A resolver that does not answer costs one thread, however often its host is asked for.

    Raises:
        OSError, UnicodeError: there is no such host.
        TimeoutError, HungUpError: as ``CallClock.left``.
    """
    with suppress(ValueError):
        ip_address(host)
        return (host,)
    return _at_work.beside(host, lambda: _looked_up(host), clock.slice)


def _looked_up(host: str) -> tuple[str, ...]:
    found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    return tuple(dict.fromkeys(_shown(*address) for *_, address in found))


def _shown(address: str, _port: int, _flow: int = 0, scope: int = 0) -> str:
    return f"{address}%{scope}" if scope else address
