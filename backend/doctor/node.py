"""Checks of the node: does it answer, tell of new blocks, have the chain's head, and the time?"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from urllib.parse import urlsplit

from web3 import Web3
from websockets.exceptions import WebSocketException

from chainbeasts.backend.chain.anvil import is_local_chain
from chainbeasts.backend.chain.client import connect, read
from chainbeasts.backend.chain.providers import open_socket
from chainbeasts.backend.doctor.report import Check, failed, ok, warning
from chainbeasts.backend.redact import redact_text, redact_url

SOCKET_SECONDS = 30.0
CLOCK_AHEAD_SECONDS = 60
CLOCK_BEHIND_SECONDS = 600
"""A head block that is further ahead or behind the local clock is reported."""


def reach(rpc_url: str) -> Web3:
    """The node.

    Raises:
        ChainBeastsError: nobody answers.
    """
    return connect(rpc_url)


def check_node(w3: Web3, rpc_url: str) -> Iterator[Check]:
    """The node answers calls, and whether it has the chain's head."""
    head = read(lambda: w3.eth.block_number, rpc_url)
    syncing = read(lambda: w3.eth.syncing, rpc_url)
    name, where = "node", redact_url(rpc_url)
    if isinstance(syncing, bool):
        yield ok(name, f"{where} answers; its head is block {head}.")
        return
    yield warning(
        name,
        f"{where} is syncing: block {syncing['currentBlock']} of {syncing['highestBlock']}.",
        "Wait until it has caught up, or name another node.",
    )


def check_websocket(rpc_url: str) -> Iterator[Check]:
    """New heads over a WebSocket: at the given URL, or beside the given HTTP endpoint."""
    name, parts = "websocket", urlsplit(rpc_url)
    given = parts.scheme in ("ws", "wss")
    url = rpc_url if given else parts._replace(scheme=parts.scheme.replace("http", "ws")).geturl()
    request = {"jsonrpc": "2.0", "id": 1, "method": "eth_subscribe", "params": ["newHeads"]}
    try:
        with open_socket(url, SOCKET_SECONDS) as socket:
            socket.send(json.dumps(request))
            answer = json.loads(socket.recv(timeout=SOCKET_SECONDS))
        problem = "" if "result" in answer else "it refuses the subscription"
    except (OSError, WebSocketException, TimeoutError, ValueError) as error:
        problem = redact_text(str(error)) or type(error).__name__
    if not problem:
        yield ok(name, f"{redact_url(url)} tells of new blocks.")
    else:
        do = "Nothing, if polling is meant; else name a ws:// or wss:// endpoint that works."
        yield warning(name, f"No new heads from {redact_url(url)}: {problem}.", do)


def check_clock(w3: Web3, rpc_url: str, now: float | None = None) -> Iterator[Check]:
    """This machine's clock against the head block's.

    Args:
        now: seconds since 1970; the machine's clock if None.
    """
    name = "clock"
    local = is_local_chain(read(lambda: w3.eth.chain_id, rpc_url), rpc_url)
    head = int(read(lambda: w3.eth.get_block("latest"), rpc_url)["timestamp"])
    ahead = round(head - (time.time() if now is None else now))
    report = warning if local else failed
    if -CLOCK_BEHIND_SECONDS <= ahead <= CLOCK_AHEAD_SECONDS:
        yield ok(name, f"The head block is {abs(ahead)} s {'ahead' if ahead > 0 else 'old'}.")
    elif local:
        side = "ahead of" if ahead > 0 else "behind"
        found = f"The head block is {abs(ahead)} s {side} this machine's clock."
        yield report(name, found, "Nothing: the time of a local chain may travel.")
    elif ahead > 0:
        found = f"The head block is {ahead} s ahead of this machine's clock."
        yield report(name, found, "Set the clock (NTP).")
    else:
        found = f"The head block is {-ahead} s old."
        yield report(name, found, "See that the node follows the chain, and the clock is right.")
