"""The WebSocket streams: what is new on the chain, and what trainers tell of their runs."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, WebSocket

from backend.api.bridge import Bridge
from backend.api.cursors import LARGEST
from backend.api.hub import Hub
from backend.api.models import Live
from backend.api.services import Services

router = APIRouter(prefix="/v1")

About = Annotated[int | None, Query(ge=0, le=LARGEST)]


@router.websocket("/events")
async def events(socket: WebSocket) -> None:
    """Messages of `Live`: first ``hello`` with the indexed block, then what is new."""
    hub: Hub = socket.app.state.events
    services: Services = socket.app.state.services

    def hello() -> list[str]:
        first = Live(type="hello", block=services.follower.indexed)
        return [first.model_dump_json(exclude_none=True)]

    await hub.serve(socket, hello)


@router.websocket("/metrics")
async def metrics(socket: WebSocket, beast: About = None) -> None:
    """Messages of `Relayed`: first how the metrics server is, then figures."""
    hub: Hub = socket.app.state.figures
    bridge: Bridge = socket.app.state.bridge
    await hub.serve(socket, lambda: bridge.first(beast), beast)
