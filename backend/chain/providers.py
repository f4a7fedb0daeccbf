"""web3's way to a node: checked answers, one deadline per call, over HTTP or one WebSocket."""

from __future__ import annotations

from contextlib import suppress
from typing import Any
from urllib.parse import urlsplit

from web3 import Web3
from web3.providers import JSONBaseProvider
from web3.types import RPCEndpoint, RPCResponse

from chainbeasts.backend.chain.answers import most_bytes, read_answer
from chainbeasts.backend.chain.clock import CallClock
from chainbeasts.backend.chain.errors import ChainError
from chainbeasts.backend.chain.hosts import is_loopback
from chainbeasts.backend.chain.http_line import HttpLine
from chainbeasts.backend.chain.lines import Line, SocketLine, open_socket
from chainbeasts.backend.redact import redact_text, redact_url

__all__ = ["NodeProvider", "is_loopback", "make_provider", "make_web3", "open_socket"]


class NodeProvider(JSONBaseProvider):
    """Makes calls over a line. Retries nothing: ``Chain.read`` does, and reads alone.

    Attributes:
        clock: the deadlines of its calls.
    """

    global_ccip_read_enabled = False  # no answer makes us ask a third party

    def __init__(self, url: str, line: Line, clock: CallClock) -> None:
        super().__init__()
        self.endpoint_uri = url
        self.clock = clock
        self._line = line

    def make_request(self, method: RPCEndpoint, params: Any) -> RPCResponse:
        """One call and its answer.

        Raises:
            ConnectionError: there is none: no node, a broken connection, or something else came.
            TimeoutError: it did not come in time.
        """
        number, given = next(self.request_counter), params or []
        call = {"jsonrpc": "2.0", "id": number, "method": method, "params": given}
        request = Web3.to_json(call).encode()
        self.clock.begin()
        try:
            answer = self._line.exchange(number, request, most_bytes(method, given))
            return read_answer(answer, number, method, given)
        except (ConnectionError, TimeoutError) as error:
            kind = type(error)
            raise kind(redact_text(f"{self.endpoint_uri}: {error}")) from None


def make_provider(url: str, seconds: float | None = None) -> NodeProvider:
    """The provider for an ``http(s)://`` or ``ws(s)://`` endpoint.

    Args:
        seconds: deadline of each call; ``clock.CALL_SECONDS`` if None.

    Raises:
        ChainError: the URL has another scheme, or is none.
    """
    clock, scheme = CallClock(seconds), ""
    with suppress(ValueError):  # brackets or a port that are none
        place = urlsplit(url)
        scheme = place.scheme if place.hostname and place.port != 0 else ""
    if scheme in ("http", "https"):
        return NodeProvider(url, HttpLine(url, clock), clock)
    if scheme in ("ws", "wss"):
        return NodeProvider(url, SocketLine(url, clock), clock)
    raise ChainError(
        f"{redact_url(url)} is not an http or ws endpoint.", "Give one with --rpc-url."
    )


def make_web3(url: str) -> Web3:
    """A client of an endpoint, which asks it for what it is told to ask and for nothing else.

    web3's own validation would ask for the chain id with every call. Here the chain is checked when
    a deployment is opened, and signed into every transaction.

    Raises:
        ChainError: the URL is not one of http or ws.
    """
    return Web3(make_provider(url), middleware=[])
