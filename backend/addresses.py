"""Where a host is: its name is looked up by the system, which has a limit of its own, or none."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from contextlib import suppress
from ipaddress import ip_address
from typing import Any

from chainbeasts.backend.remote import Shared, until_the_end

_at_work: Shared[list[tuple[Any, ...]]] = Shared()


def addresses(host: str, look: Callable[[], float] = until_the_end) -> tuple[str, ...]:
    """The addresses of a host, at least one, in the order in which to try them.

    A resolver that does not answer costs one thread, however often its host is asked for.

    Args:
        look: seconds until it is called the next time; raises to give the look-up up.

    Raises:
        OSError, UnicodeError: there is no such host.
    """
    with suppress(ValueError):
        ip_address(host)
        return (host,)
    found = _at_work.beside(host, lambda: _look_up(host, None), look)
    return tuple(dict.fromkeys(_shown(*address) for *_, address in found))


class LookingUpLoop(asyncio.SelectorEventLoop):
    """An event loop that looks names up in the same way.

    The usual one does it in threads that its end, and the interpreter's, wait for.
    """

    async def getaddrinfo(
        self,
        host: Any,
        port: Any,
        *,
        family: int = 0,
        type: int = 0,
        proto: int = 0,
        flags: int = 0,
    ) -> Any:
        """As the loop's own."""
        asked = (host, port, family, type, proto, flags)
        return await asyncio.wrap_future(_at_work.begin(asked, lambda: _look_up(*asked)), loop=self)


def _look_up(
    host: Any,
    port: Any,
    family: int = 0,
    kind: int = socket.SOCK_STREAM,
    proto: int = 0,
    flags: int = 0,
) -> list[tuple[Any, ...]]:
    return list(socket.getaddrinfo(host, port, family, kind, proto, flags))


def _shown(address: str, _port: int, _flow: int = 0, scope: int = 0) -> str:
    return f"{address}%{scope}" if scope else address
