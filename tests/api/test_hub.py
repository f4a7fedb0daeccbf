"""Listeners of a stream, to the turn of the event loop."""

from __future__ import annotations

import asyncio

import pytest
from starlette.types import Message
from starlette.websockets import WebSocket

from chainbeasts.backend.api.hub import ONLY_LISTEN, Hub
from chainbeasts.backend.api.limits import Limits, Streams
from tests.support.patience import PATIENCE


@pytest.mark.parametrize("turns", range(8))
def test_who_speaks_as_a_text_goes_out_is_hung_up_on(turns: int) -> None:
    """The text has gone so many turns after the client spoke."""
    limits = Limits(send_seconds=PATIENCE)
    streams = Streams(limits)
    sent: list[Message] = []

    async def main() -> None:
        spoke = asyncio.Event()

        async def receive() -> Message:
            if not sent:
                return {"type": "websocket.connect"}
            await spoke.wait()
            return {"type": "websocket.receive", "text": "hello?"}

        async def send(message: Message) -> None:
            sent.append(message)
            if message["type"] == "websocket.send":
                spoke.set()
                for _ in range(turns):
                    await asyncio.sleep(0)

        scope = {"type": "websocket", "client": ("127.0.0.1", 1), "headers": []}
        async with asyncio.timeout(PATIENCE):
            await Hub(limits, streams).serve(WebSocket(scope, receive, send), lambda: ["hello"])

    asyncio.run(main())
    assert (sent[-1]["type"], sent[-1]["code"]) == ("websocket.close", ONLY_LISTEN)
