"""How calls reach a node: HTTP, or one WebSocket connection; both synchronous."""

from __future__ import annotations

import threading
from contextlib import ExitStack
from typing import Any
from urllib.parse import urlsplit

import requests
from web3 import HTTPProvider, Web3
from web3.middleware import AttributeDictMiddleware
from web3.providers import JSONBaseProvider
from web3.types import RPCEndpoint, RPCResponse
from websockets.exceptions import WebSocketException
from websockets.sync.client import ClientConnection, connect

from backend.chain.errors import ChainError
from backend.redact import redact_text, redact_url

TIMEOUT_SECONDS = 60.0
LOCAL_HOSTS = ("127.0.0.1", "localhost", "::1")


class WebSocketCallProvider(JSONBaseProvider):
    """JSON-RPC calls over one WebSocket connection, opened anew when it broke."""

    def __init__(self, url: str) -> None:
        super().__init__()
        self._url = url
        self._connection: ClientConnection | None = None
        self._open = ExitStack()  # closes the connection
        self._lock = threading.Lock()

    def make_request(self, method: RPCEndpoint, params: Any) -> RPCResponse:
        """One call and its answer.

        Raises:
            ConnectionError: the connection cannot be made, or broke.
        """
        with self._lock:
            try:
                if self._connection is None:
                    opening = connect(self._url, max_size=None)
                    self._connection = self._open.enter_context(opening)
                self._connection.send(self.encode_rpc_request(method, params))
                answer = self._connection.recv(timeout=TIMEOUT_SECONDS)
            except (OSError, TimeoutError, WebSocketException) as error:
                # Answers are matched to calls by their order alone: a late one would be taken for
                # the next call's. The call may have been served; whoever calls decides about again.
                self._drop()
                raise ConnectionError(redact_text(f"{self._url}: {error}")) from None
        return self.decode_rpc_response(answer if isinstance(answer, bytes) else answer.encode())

    def _drop(self) -> None:
        self._connection = None
        self._open.close()


def make_provider(url: str) -> JSONBaseProvider:
    """The provider for an ``http(s)://`` or ``ws(s)://`` endpoint.

    Raises:
        ChainError: the URL has another scheme.
    """
    scheme = urlsplit(url).scheme
    if scheme in ("http", "https"):
        session = requests.Session()
        session.trust_env = not is_loopback(url)  # no proxy stands between, nor is looked for
        return HTTPProvider(
            url,
            request_kwargs={"timeout": TIMEOUT_SECONDS},
            session=session,
            exception_retry_configuration=None,  # ``Chain.read`` retries, and reads alone
        )
    if scheme in ("ws", "wss"):
        return WebSocketCallProvider(url)
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
    return Web3(make_provider(url), middleware=[(AttributeDictMiddleware, "attrdict")])


def is_loopback(url: str) -> bool:
    """Whether an endpoint is on this machine."""
    return urlsplit(url).hostname in LOCAL_HOSTS
