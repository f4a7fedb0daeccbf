"""Reads what a metrics server relays, and goes on when the connection breaks."""

from __future__ import annotations

import ipaddress
import random
import time
from collections import deque
from collections.abc import Callable, Generator
from urllib.parse import urlsplit

from websockets.exceptions import (
    ConnectionClosed,
    InvalidHandshake,
    InvalidStatus,
    InvalidURI,
    WebSocketException,
)
from websockets.sync.client import connect
from websockets.typing import Data

from chainbeasts.backend.errors import ChainBeastsError
from chainbeasts.backend.monitoring.training import MessageError, TrainingMetrics
from chainbeasts.trainer.metrics.limits import PATH

REMEMBERED = 4096
BACKOFF = (0.25, 5.0)
OPEN_SECONDS = 30.0
_MAX_BYTES = 1 << 20


def complete_url(url: str) -> str:
    """An address with its path.

    Raises:
        ChainBeastsError: it is no WebSocket address.
    """
    try:
        parts = urlsplit(url)
        valid = parts.scheme in ("ws", "wss") and parts.hostname is not None and parts.port != 0
    except ValueError:
        valid = False
    if not valid:
        raise ChainBeastsError(
            f"{url!r} is no WebSocket address.", f"Give it as ws://HOST:PORT{PATH}."
        )
    return parts._replace(path=PATH).geturl() if parts.path in ("", "/") else url


def listen(
    url: str, note: Callable[[str], None] = lambda _: None
) -> Generator[tuple[str, TrainingMetrics], None, None]:
    """Each message's text and content, for ever; what comes again after a break is left out.

    Args:
        note: told in a sentence when the connection breaks and when it is back.

    Raises:
        ChainBeastsError: there is no metrics server at the first attempt.
    """
    url = complete_url(url)
    seen: deque[str] = deque(maxlen=REMEMBERED)
    shortest, longest = BACKOFF
    delay, met, broken = shortest, False, False
    while True:
        try:
            with connect(
                url,
                proxy=None if _on_this_machine(url) else True,
                compression=None,
                open_timeout=OPEN_SECONDS,
                close_timeout=1,
                max_queue=REMEMBERED,  # a full one would hold up the close frame behind it
                max_size=_MAX_BYTES,
            ) as socket:
                if broken:
                    note("Connected again.")
                met, broken, delay = True, False, shortest
                known = set(seen)
                for data in socket:
                    found = _parsed(data)
                    # After a break the history begins with what was shown already.
                    if found is None or data in known:
                        continue
                    known.clear()
                    seen.append(str(data))
                    yield str(data), found
            reason = socket.close_reason or "the server closed the connection"
        except (OSError, TimeoutError, WebSocketException) as error:
            if not met:
                raise _no_server(url, error) from None
            reason = _reason(error)
        if not broken:
            note(f"Connection lost ({reason}); trying again.")
        broken = True
        time.sleep(delay * random.uniform(0.5, 1.0))
        delay = min(longest, delay * 2)


def _parsed(data: Data) -> TrainingMetrics | None:
    try:
        return TrainingMetrics.from_json(data)
    except MessageError:
        return None  # another server's, or a later schema


def _on_this_machine(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _reason(error: Exception) -> str:
    if isinstance(error, ConnectionClosed) and error.rcvd is not None:
        return error.rcvd.reason or f"code {error.rcvd.code}"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return str(error) or type(error).__name__


def _no_server(url: str, error: Exception) -> ChainBeastsError:
    """The sentence for a first attempt that failed."""
    if isinstance(error, InvalidStatus):
        code = error.response.status_code
        return ChainBeastsError(
            f"{url} answers with HTTP {code}.", f"A metrics server listens on {PATH}."
        )
    if isinstance(error, InvalidURI | InvalidHandshake):
        return ChainBeastsError(f"There is no metrics server at {url}: {error}.")
    return ChainBeastsError(
        f"There is no metrics server at {url}: {_reason(error)}.",
        "Start one with `chainbeasts metrics serve`.",
    )
