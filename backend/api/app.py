"""Puts the API together: routes, guards, errors, and the tasks behind the live streams."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from importlib import metadata
from typing import Any

from fastapi import FastAPI
from starlette.middleware.gzip import DEFAULT_EXCLUDED_CONTENT_TYPES, GZipMiddleware

from chainbeasts.backend.api.bridge import Bridge
from chainbeasts.backend.api.errors import handle_errors
from chainbeasts.backend.api.figures import Window, losses
from chainbeasts.backend.api.guard import Guard
from chainbeasts.backend.api.hub import Hub
from chainbeasts.backend.api.limits import Limits, Streams
from chainbeasts.backend.api.memory import Memory, Place
from chainbeasts.backend.api.models import Live, Problem, Relayed
from chainbeasts.backend.api.routes import ROUTERS, page
from chainbeasts.backend.api.services import Services
from chainbeasts.backend.api.topics import topics_of

COMPRESSED_FROM = 1024
COMPRESSION_LEVEL = 5
PACKED = (
    *DEFAULT_EXCLUDED_CONTENT_TYPES,
    "application/zstd",
    "application/octet-stream",
    "application/vnd.chainbeasts.states",
)
"""Types that are not compressed again."""

REFERENCE = "#/components/schemas/{model}"

Life = Callable[[FastAPI], AbstractAsyncContextManager[None]]

DESCRIPTION = (
    "Beasts, their training, disputes and battles, as one deployment's contracts tell them. "
    "Read-only; see docs/guides/api.md. Two WebSocket streams are no part of this description: "
    "/v1/events sends messages of the schema Live, /v1/metrics of the schema Relayed."
)


def make_app(
    services: Services,
    *,
    metrics: str | None = None,
    limits: Limits | None = None,
    hosts: Collection[str] = (),
    origins: Collection[str] = (),
) -> Guard:
    """The app of one deployment.

    Args:
        metrics: address of the metrics server to relay.
        hosts: names of the server, besides this machine's own.
        origins: of other people's pages that may read what is served, and show the page in a
            frame unless its readers sign there.
    """

    def look_up(windows: Collection[Window]) -> Mapping[Window, tuple[int, int]]:
        with services.session() as session:
            return losses(session, windows)

    borne = limits or Limits()
    streams = Streams(borne)
    events, figures = Hub(borne, streams), Hub(borne, streams)
    memory = Memory()
    bridge = Bridge(metrics, figures, look_up)

    @asynccontextmanager
    async def life(app: FastAPI) -> AsyncIterator[None]:
        loop = asyncio.get_running_loop()

        def publish(one: Live) -> None:
            text = one.model_dump_json(exclude_none=True)
            memory.add(one, text)
            events.publish(text, topics_of(one))

        def tell(news: Sequence[Live]) -> None:
            for one in news:
                with suppress(RuntimeError):  # the loop has ended
                    loop.call_soon_threadsafe(publish, one)

        def remember(past: Sequence[Live], floor: Place) -> None:
            with suppress(RuntimeError):
                loop.call_soon_threadsafe(memory.remember, past, floor)

        relay = asyncio.create_task(bridge.run())
        services.follower.start(tell, remember)
        try:
            yield
        finally:
            relay.cancel()
            with suppress(asyncio.CancelledError):
                await relay
            await asyncio.to_thread(services.follower.stop)

    app = routed(life)
    app.state.services = services
    app.state.events, app.state.figures, app.state.bridge = events, figures, bridge
    app.state.memory = memory
    return Guard(app, limits=borne, hosts=hosts, origins=origins, acts=services.wallet)


def routed(life: Life | None = None) -> FastAPI:
    """All routes and their description, without anything that they could answer from."""
    app = _Described(
        title="ChainBeasts",
        version=metadata.version("chainbeasts"),
        description=DESCRIPTION,
        lifespan=life,
        docs_url=None,  # they load their scripts from another host
        redoc_url=None,
        redirect_slashes=False,
    )
    handle_errors(app)
    for router in ROUTERS:
        app.include_router(router)
    app.include_router(page.router)  # the last: it takes every address that is left
    app.add_middleware(
        GZipMiddleware,
        minimum_size=COMPRESSED_FROM,
        compresslevel=COMPRESSION_LEVEL,
        exclude_content_types=PACKED,
    )
    return app


class _Described(FastAPI):
    """Describes itself as it is."""

    def openapi(self) -> dict[str, Any]:
        """The routes, and as further schemas the errors and the messages of the streams."""
        found = super().openapi()
        schemas = found["components"]["schemas"]
        for name in ("HTTPValidationError", "ValidationError"):
            schemas.pop(name, None)
        for message in (Live, Relayed, Problem):
            schema = message.model_json_schema(mode="serialization", ref_template=REFERENCE)
            schemas |= schema.pop("$defs", {})
            schemas[message.__name__] = schema
        return found
