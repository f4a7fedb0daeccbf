"""A port of loopback, and the server that answers on it until it is told to stop."""

from __future__ import annotations

import socket
from collections.abc import Callable

import uvicorn
from starlette.types import ASGIApp

from chainbeasts.backend.errors import ChainBeastsError

HOST = "127.0.0.1"
MOST_HEADER_BYTES = 16 * 1024
MOST_MESSAGE_BYTES = 1024
"""From a client of a WebSocket, which has nothing to say."""

GRACE_SECONDS = 2
PONG_SECONDS = 20.0
"""Until a client of a WebSocket that answers no ping is given up."""


def bind(port: int) -> socket.socket:
    """A listening port of loopback; 0 takes any free one.

    Raises:
        ChainBeastsError: it is taken.
    """
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((HOST, port))
    except OSError as error:
        listener.close()
        raise ChainBeastsError(
            f"Port {port} of {HOST} cannot be used ({error.strerror}).",
            "Give another one with --port, or 0 for any free one.",
        ) from None
    return listener


class _Server(uvicorn.Server):
    """Tells when it answers."""

    def __init__(self, config: uvicorn.Config, ready: Callable[[], None]) -> None:
        super().__init__(config)
        self._ready = ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            self._ready()


def make_server(app: ASGIApp, ready: Callable[[], None]) -> uvicorn.Server:
    """The server of an app; its ``run`` takes the listening socket and ends by SIGTERM or SIGINT.

    Args:
        ready: called once requests are answered.
    """
    config = uvicorn.Config(
        app,
        log_config=None,
        log_level="warning",
        access_log=False,
        server_header=False,
        forwarded_allow_ips=HOST,  # a web server in front of it, which says who its client is
        h11_max_incomplete_event_size=MOST_HEADER_BYTES,
        http="h11",
        ws="websockets-sansio",
        ws_max_size=MOST_MESSAGE_BYTES,
        ws_per_message_deflate=False,
        ws_ping_timeout=PONG_SECONDS,
        timeout_graceful_shutdown=GRACE_SECONDS,
    )
    return _Server(config, ready)
