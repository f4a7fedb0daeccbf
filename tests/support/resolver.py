"""A resolver that does not answer, as where its server is away or its daemon is frozen."""

from __future__ import annotations

import itertools
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from tests.support.patience import PATIENCE

_numbers = itertools.count()


class Resolver:
    """Knows this machine by one name, but does not say so before it is released.

    Attributes:
        host: the name; each has its own, for what was given up goes on after a test.
        asked: how often it was asked for the name.
        addresses: what it says in the end.
    """

    def __init__(self) -> None:
        self.host = f"host-{next(_numbers)}.invalid"
        self.asked = 0
        self.addresses = ["127.0.0.1"]
        self.released = threading.Event()
        self._look_up = socket.getaddrinfo

    def look_up(
        self, host: Any, port: Any, family: int = 0, type: int = 0, proto: int = 0, flags: int = 0
    ) -> list[Any]:
        """Instead of ``socket.getaddrinfo``."""
        how = (family, type, proto, flags)
        if host not in (self.host, self.host.encode()) or flags & socket.AI_NUMERICHOST:
            return list(self._look_up(host, port, *how))
        self.asked += 1
        self.released.wait(PATIENCE)
        return [one for address in self.addresses for one in self._look_up(address, port, *how)]


@contextmanager
def frozen_resolver() -> Iterator[Resolver]:
    """Have names looked up by one, as long as the context lasts."""
    resolver = Resolver()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket, "getaddrinfo", resolver.look_up)
        try:
            yield resolver
        finally:
            resolver.released.set()
