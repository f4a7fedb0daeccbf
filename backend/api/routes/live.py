"""The WebSocket streams: what is new on the chain, and what trainers tell of their runs."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, WebSocket

from chainbeasts.backend.api.bridge import Bridge
from chainbeasts.backend.api.cursors import LARGEST, Plain
from chainbeasts.backend.api.hub import Hub
from chainbeasts.backend.api.memory import Memory
from chainbeasts.backend.api.models import Live
from chainbeasts.backend.api.services import Services
from chainbeasts.backend.api.topics import PATTERN, parse_topics

router = APIRouter(prefix="/v1")

About = Annotated[int | None, Query(ge=0, le=LARGEST), Plain]
Since = Annotated[str | None, Query(pattern=r"^[0-9]{1,18}-[0-9]{1,9}$")]
Wanted = Annotated[str | None, Query(pattern=PATTERN)]


@router.websocket("/events")
async def events(socket: WebSocket, since: Since = None, topics: Wanted = None) -> None:
    """Messages of `Live`: first ``hello`` with the indexed block, then what is new.

    With an event's id in ``since``, what came after it follows the hello; or ``gap``, if that
    cannot be said any more.
    """
    hub: Hub = socket.app.state.events
    memory: Memory = socket.app.state.memory
    services: Services = socket.app.state.services
    wanted = parse_topics(topics)

    def first() -> list[str]:
        indexed = services.follower.indexed
        if since is None:
            return [_spelled(Live(type="hello", block=indexed, id=memory.newest))]
        # Without an id: what follows is only on its way yet.
        hello = _spelled(Live(type="hello", block=indexed))
        missed = memory.since(since, wanted)
        if missed is None:
            return [hello, _spelled(Live(type="gap", id=memory.newest))]
        return [hello, *missed]

    await hub.serve(socket, first, wanted)


def _spelled(message: Live) -> str:
    return message.model_dump_json(exclude_none=True)


@router.websocket("/metrics")
async def metrics(socket: WebSocket, beast: About = None, past: bool = True) -> None:
    """Messages of `Relayed`: first how the metrics server is, then figures.

    With ``past=false`` only of what comes from now on.
    """
    hub: Hub = socket.app.state.figures
    bridge: Bridge = socket.app.state.bridge
    wanted = None if beast is None else frozenset({f"beast:{beast}"})
    await hub.serve(socket, lambda: bridge.first(beast, past=past), wanted)
