"""HTTP to a node: each call is a POST; what came back is an answer, or none."""

from __future__ import annotations

import http.client
import urllib.request
import zlib
from base64 import b64encode
from contextlib import suppress
from urllib.parse import unquote, urlsplit

from chainbeasts.backend.chain.answers import LARGE_BYTES, Answer, NotAnAnswerError, is_id, parse
from chainbeasts.backend.chain.clock import CallClock
from chainbeasts.backend.chain.hosts import LOCAL_HOSTS
from chainbeasts.backend.chain.http_direct import (
    DirectWay,
    Way,
    authority,
    target,
    tls_context,
    too_long,
)

NOT_THE_NODE = (401, 403, 407, 408, 429)
"""Said by what stands before the node, or by a host that wants fewer calls."""

GZIP = 16 + zlib.MAX_WBITS


class HttpLine:
    """A line over HTTP, direct or through the proxy that the environment names."""

    def __init__(self, url: str, clock: CallClock) -> None:
        place = urlsplit(url)
        headers = {
            "Content-Type": "application/json",
            "Accept": "application/json",
            "Accept-Encoding": "gzip",
            "User-Agent": "chainbeasts",
        }
        if place.username is not None:
            named = f"{unquote(place.username)}:{unquote(place.password or '')}"
            headers["Authorization"] = "Basic " + b64encode(named.encode()).decode()
        host = place.hostname or ""
        # No proxy stands between this machine and itself, nor is one looked for.
        proxy = None if host in LOCAL_HOSTS else _proxy(place.scheme, host)
        if proxy is None:
            self._way: Way = DirectWay(place, headers, clock)
            return
        from chainbeasts.backend.chain.http_proxy import ProxiedWay

        address = f"{place.scheme}://{authority(place)}{target(place)}"
        self._way = ProxiedWay(proxy, address, headers, clock, tls_context(place.scheme))

    def exchange(self, number: int, request: bytes, most: int = LARGE_BYTES) -> Answer:
        """POST a request; the object in the body of the answer.

        Raises:
            ConnectionError, TimeoutError: as ``Line.exchange``.
        """
        try:
            posted = self._way.post(request, most)
            body = _unzipped(posted.body, most) if posted.zipped else posted.body
        except (ConnectionError, TimeoutError):
            raise
        except (OSError, UnicodeError, http.client.HTTPException) as error:  # no host, TLS or HTTP
            raise ConnectionError(f"{type(error).__name__}: {error}") from None
        except zlib.error as error:
            raise NotAnAnswerError(str(error)) from None
        if posted.status == 200:
            return parse(body)
        # Some nodes say no in their own words and with a status of 4xx.
        if not 400 <= posted.status < 500 or posted.status in NOT_THE_NODE:
            raise NotAnAnswerError(f"HTTP status {posted.status}")
        with suppress(NotAnAnswerError):
            answer = parse(body)
            if is_id(answer.get("id"), number):
                return answer
        raise NotAnAnswerError(f"HTTP status {posted.status}")

    def close(self) -> None:
        """Give the connections up that are kept."""
        self._way.close()


def _proxy(scheme: str, host: str) -> str | None:
    """The proxy that the environment names for an address."""
    if urllib.request.proxy_bypass(host):
        return None
    found = urllib.request.getproxies()
    return found.get(scheme) or found.get("all")


def _unzipped(body: bytes, most: int) -> bytes:
    plain = zlib.decompressobj(GZIP).decompress(body, most)
    if len(plain) >= most:
        raise too_long()
    return plain
