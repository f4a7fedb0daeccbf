"""Stands before the app: whose requests are answered at all, and the headers of every answer."""

from __future__ import annotations

import re
from collections.abc import Collection
from urllib.parse import urlsplit

from fastapi.responses import Response
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from chainbeasts.backend.api.errors import problem
from chainbeasts.backend.api.limits import Limits, RateLimit
from chainbeasts.backend.errors import ChainBeastsError

LOOPBACK_HOSTS = ("127.0.0.1", "localhost", "[::1]")
POLICY = (
    "default-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
    "object-src 'none'"
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
}


def framed_by(origins: Collection[str]) -> dict[str, str]:
    """The headers of every answer where pages of some origins may show ours in a frame."""
    if not origins:
        return HEADERS
    policy = POLICY.replace(
        "frame-ancestors 'none'", f"frame-ancestors {' '.join(sorted(origins))}"
    )
    # The older header knows no origins; browsers that know the policy ignore it.
    kept = {name: value for name, value in HEADERS.items() if name != "X-Frame-Options"}
    return kept | {"Content-Security-Policy": policy}


METHODS = ("GET", "HEAD")
SHARED = {
    "Access-Control-Expose-Headers": "ETag, Retry-After",
    "Cross-Origin-Resource-Policy": "cross-origin",
}
PREFLIGHT = {
    "Access-Control-Allow-Methods": ", ".join(METHODS),
    "Access-Control-Allow-Headers": "If-None-Match",
    "Access-Control-Max-Age": "600",
}
"""Scripts elsewhere may ask with the tag of what they have, of which their browser asks first."""

_ORIGIN = re.compile(r"https?://([a-z0-9.-]+|\[[0-9a-f:]+\])(:[1-9][0-9]{0,4})?")
DEFAULT_PORTS = {"http": 80, "https": 443}
POLICY_VIOLATION = 1008


class Guard:
    """Refuses what no route answers, then lets the app answer, under strict headers.

    A request for another host is refused: else a page elsewhere whose name is made to point here
    could read what only this machine may. So is a WebSocket that another site's page opens.

    Args:
        hosts: names that the server is reached by, besides this machine's own.
        origins: of pages elsewhere whose scripts may read every answer and listen to the streams.
            Nothing here is a secret of the reader's, and no credentials are asked for.
        acts: whether readers sign from the page. Then nobody may frame it, allowed or not: what is
            drawn over a frame can lead a reader's click astray.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        limits: Limits,
        hosts: Collection[str] = (),
        origins: Collection[str] = (),
        acts: bool = False,
    ) -> None:
        self._app = app
        self._limits = limits
        self._rate = RateLimit(limits)
        self._named = {_without_port(host.lower()) for host in hosts}
        self._hosts = {*LOOPBACK_HOSTS, *self._named}
        self._origins = frozenset(map(parse_origin, origins))
        self._headers = framed_by(() if acts else self._origins)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            await self._http(scope, receive, send)
        elif scope["type"] == "websocket":
            await self._websocket(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    async def _http(self, scope: Scope, receive: Receive, send: Send) -> None:
        origin = self._allowed(scope)

        async def dressed(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                if self._origins:
                    headers.add_vary_header("Origin")
                if origin is not None:
                    headers.update({"Access-Control-Allow-Origin": origin, **SHARED})
                for name, value in self._headers.items():
                    headers.setdefault(name, value)
            await send(message)

        refused = self._refusal(scope)
        if refused is not None:
            await refused(scope, receive, dressed)
            return
        if scope["method"] == "OPTIONS":
            await Response(status_code=204, headers=PREFLIGHT)(scope, receive, dressed)
            return
        # The server leaves out the body of an answer to HEAD by itself.
        await self._app({**scope, "method": "GET"}, receive, dressed)

    async def _websocket(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self._stranger(scope) or self._rate.take(client_of(scope)):
            await receive()
            await send({"type": "websocket.close", "code": POLICY_VIOLATION})
            return
        await self._app(scope, receive, send)

    def _refusal(self, scope: Scope) -> Response | None:
        """Why a request is not answered; None if it is."""
        if self._stranger(scope):
            return problem(
                "unknown_host",
                "This server is not known by that name.",
                "Use its address, or start it with --allow-host NAME.",
            )
        asked = scope["method"] == "OPTIONS" and self._allowed(scope) is not None
        if scope["method"] not in METHODS and not asked:
            hint = "Nothing can be changed here: use GET."
            return problem(
                "method_not_allowed",
                "This method is not supported.",
                hint,
                Allow=", ".join(METHODS),
            )
        if len(scope["raw_path"]) + len(scope["query_string"]) > self._limits.url:
            return problem(
                "address_too_long", "The address is too long.", "No route needs so many characters."
            )
        headers = Headers(scope=scope)
        if headers.get("content-length", "0") != "0" or "transfer-encoding" in headers:
            return problem("body_not_allowed", "No route takes a body.", "Ask without one.")
        wait = self._rate.take(client_of(scope))
        if wait:
            hint = f"Ask again in {wait} s, and less often."
            return problem(
                "too_many_requests",
                "Too many requests from this address.",
                hint,
                Retry_After=str(wait),
            )
        return None

    def _stranger(self, scope: Scope) -> bool:
        """Whether a request is for another host, or from another site's page to a stream."""
        headers = Headers(scope=scope)
        host = headers.get("host", "").lower()
        if _without_port(host) not in self._hosts:
            return True
        origin = headers.get("origin")
        if scope["type"] != "websocket" or origin is None:
            return False
        return self._allowed(scope) is None and not self._own_page(origin.lower(), host)

    def _allowed(self, scope: Scope) -> str | None:
        """The origin of a request, if it is one of those that were allowed."""
        origin = Headers(scope=scope).get("origin")
        return origin if origin is not None and origin.lower() in self._origins else None

    def _own_page(self, origin: str, host: str) -> bool:
        """Whether an origin (RFC 6454) is a page of this server.

        A web server in front answers on a port of its own, and may pass on another ``Host`` than
        the page was asked from: of a name given with --allow-host every port is ours. On loopback
        there is nothing in front, and another port is another program's page.
        """
        try:
            parts = urlsplit(origin)
            port = parts.port
        except ValueError:
            return False
        usual = DEFAULT_PORTS.get(parts.scheme)
        if usual is None or parts.hostname is None:
            return False
        name = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
        if name in self._named:
            return True
        asked = _without_port(host)
        at = host.removeprefix(asked).removeprefix(":") or str(usual)
        return (name, str(port or usual)) == (asked, at)


def parse_origin(text: str) -> str:
    """An origin (RFC 6454) as browsers send it.

    Raises:
        ChainBeastsError: it is none.
    """
    if not _ORIGIN.fullmatch(text.lower()):
        raise ChainBeastsError(
            f"{text} is no origin of a page.",
            "It is like https://lab.example or http://localhost:3000, without a path.",
        )
    return text.lower()


def client_of(scope: Scope) -> str:
    """The address of a request's client."""
    client = scope.get("client")
    return "" if client is None else str(client[0])


def _without_port(host: str) -> str:
    name, colon, port = host.rpartition(":")
    return name if colon and port.isdigit() else host
