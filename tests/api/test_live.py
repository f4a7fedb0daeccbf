"""The streams: what is new, a client that does not keep up, and the metrics of a real server."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import pytest
from starlette.types import Message, Receive, Scope, Send
from websockets.asyncio.client import ClientConnection, connect
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed, InvalidStatus

from backend.api.guard import Guard
from backend.api.limits import Limits
from tests.api.conftest import Scene, Served, services_of, serving
from tests.metrics.figures import figures
from trainer.metrics.server import MetricsServer

SECONDS = 30.0
LIMITS = Limits(rate=0, queue=4, streams_each=3, send_seconds=1.0)


def run(main: Callable[[], Awaitable[None]]) -> None:
    async def bounded() -> None:
        async with asyncio.timeout(2 * SECONDS):
            await main()

    asyncio.run(bounded())


async def heard(socket: ClientConnection, wanted: str) -> dict[str, Any]:
    """The next message of a type; what comes before it is passed over."""
    async with asyncio.timeout(SECONDS):
        while True:
            message: dict[str, Any] = json.loads(await socket.recv())
            if message["type"] == wanted:
                return message


def stream(served: Served, name: str, **options: Any) -> connect:
    return connect(f"ws{served.url.removeprefix('http')}/v1/{name}", proxy=None, **options)


@pytest.fixture(scope="module")
def tight(served: Served) -> Iterator[Served]:
    """The same services behind tight limits."""
    services = served.services
    second = services_of(services.chain, services.database, services.bundles.parent, follows=False)
    with serving(second, limits=LIMITS) as found:
        yield found


def test_news_comes_with_the_event_it_is_about(scene: Scene, served: Served) -> None:
    async def main() -> None:
        async with stream(served, "events") as socket:
            hello = await heard(socket, "hello")
            assert hello["block"] <= scene.chain.block().number
            beast = scene.honest
            record = await asyncio.to_thread(scene.world.submit, beast.beast, beast.trainer)
            news = await heard(socket, "checkpoint")
            assert news["event"] == "CheckpointSubmitted"
            assert (news["beast"], news["index"]) == (beast.beast, record.index)
            block = await heard(socket, "block")
            assert block["block"] == news["block"]
        found = served.json(f"/v1/beasts/{beast.beast}/checkpoints?limit=1")["items"][0]
        assert (found["index"], found["tx"]) == (record.index, news["tx"])

    run(main)


def test_a_reorg_is_told_before_what_replaces_it(scene: Scene, served: Served) -> None:
    async def main() -> None:
        async with stream(served, "events") as socket:
            await asyncio.to_thread(scene.world.mine)
            head = (await heard(socket, "block"))["block"]
            # An empty block of the same second would be the very block that it replaces.
            one, other = scene.world.accounts[8:10]
            other_block = [[{"from": one, "to": other, "value": "0x1"}, 0]]
            await asyncio.to_thread(scene.world.rpc, "anvil_reorg", 1, other_block)
            await asyncio.to_thread(scene.world.mine)
            reorg = await heard(socket, "reorg")
            assert reorg["block"] <= head
            assert (await heard(socket, "block"))["block"] > head

    run(main)


@pytest.mark.parametrize("origin", ["https://evil.example", "http://localhost", "null"])
def test_a_page_of_another_site_opens_no_stream(served: Served, origin: str) -> None:
    async def main() -> None:
        for name in ("events", "metrics"):
            with pytest.raises(InvalidStatus) as refused:
                async with stream(served, name, origin=origin):
                    pass
            assert refused.value.response.status_code == 403
            async with stream(served, name, origin=served.url) as socket:
                await socket.recv()

    run(main)


@pytest.mark.parametrize(
    ("host", "origin", "opened"),
    [
        ("beasts.example", "https://beasts.example", True),
        ("beasts.example", "https://beasts.example:8443", True),  # as nginx's $host passes it on
        ("beasts.example:8443", "https://Beasts.example:8443", True),
        ("127.0.0.1:8400", "https://beasts.example:8443", True),  # Host rewritten on the way
        ("localhost", "http://localhost:80", True),
        ("localhost:8400", "http://localhost:3000", False),  # another program's page
        ("beasts.example", "https://evil.example", False),
        ("beasts.example", "https://beasts.example.evil.example", False),
        ("beasts.example", "https://evil.example/beasts.example", False),
        ("beasts.example", "https://beasts.example@evil.example", False),
        ("beasts.example", "file://beasts.example", False),
        ("beasts.example", "https://beasts.example:x", False),
        ("[::1]:8400", "http://[::1]:8400", True),
        ("beasts.example", "null", False),
    ],
)
def test_a_page_behind_a_web_server_is_known_by_its_host_name(
    host: str, origin: str, opened: bool
) -> None:
    reached = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        reached.append(scope["path"])

    async def main() -> None:
        headers = [(b"host", host.encode()), (b"origin", origin.encode())]
        scope = {"type": "websocket", "path": "/v1/events", "headers": headers, "client": None}
        guard = Guard(app, limits=Limits(rate=0), hosts=["beasts.example:8443"])
        await guard(scope, _nothing, _ignored)

    run(main)
    assert bool(reached) is opened


async def _nothing() -> Message:
    return {"type": "websocket.connect"}


async def _ignored(message: Message) -> None:
    pass


def test_who_speaks_is_hung_up_on(tight: Served) -> None:
    async def main() -> None:
        for said, code in (("hello?", 1008), ("x" * 5_000, 1009)):
            async with stream(tight, "events") as socket:
                await heard(socket, "hello")
                await socket.send(said)
                with pytest.raises(ConnectionClosed) as closed:
                    await heard(socket, "nothing")
                assert closed.value.rcvd is not None
                assert closed.value.rcvd.code == code

    run(main)


def test_one_address_has_so_many_streams(tight: Served) -> None:
    async def main() -> None:
        async with (
            stream(tight, "events") as one,
            stream(tight, "events") as two,
            stream(tight, "metrics") as three,
        ):
            for socket in (one, two, three):
                await socket.recv()
            async with stream(tight, "events") as fourth:
                with pytest.raises(ConnectionClosed) as closed:
                    await fourth.recv()
                assert closed.value.rcvd is not None
                assert (closed.value.rcvd.code, closed.value.rcvd.reason) == (
                    1013, "too many connections",
                )  # fmt: skip
        async with stream(tight, "events") as again:
            await heard(again, "hello")

    run(main)


def test_metrics_are_relayed_and_their_absence_is_said(served: Served) -> None:
    first, later, last = (figures(step=step) for step in (128, 256, 384))

    async def main() -> None:
        async with MetricsServer(port=0) as server:
            port = server.port
            services = services_of(
                served.services.chain, served.services.database, served.services.bundles.parent,
                follows=False,
            )  # fmt: skip
            bridged = serving(services, limits=Limits(rate=0), metrics=server.url)
            with bridged as found:
                async with stream(found, "metrics") as page:
                    await heard(page, "connected")
                    async with connect(server.url, proxy=None) as trainer:
                        await trainer.send(first.to_json())
                        message = (await heard(page, "metrics"))["message"]
                        assert message == json.loads(first.to_json())
                        await trainer.send(later.to_json())
                        await heard(page, "metrics")
                    async with stream(found, "metrics") as late:
                        steps = [
                            (await heard(late, "metrics"))["message"]["step"] for _ in range(2)
                        ]
                        assert steps == [128, 256]
                    await server.__aexit__(None, None, None)
                    away = await heard(page, "away")
                    assert "chainbeasts metrics serve" in away["hint"]
                    async with MetricsServer(port=port) as back:
                        await heard(page, "connected")
                        async with connect(back.url, proxy=None) as trainer:
                            await trainer.send(last.to_json())
                            assert (await heard(page, "metrics"))["message"]["step"] == 384

    run(main)


def test_what_is_no_json_object_is_not_relayed(served: Served) -> None:
    sent = ["[" * 30_000, "[]", "{", '{"loss": NaN}', "x", b"{}", figures(step=7).to_json()]

    async def another_server(socket: ServerConnection) -> None:
        for message in sent:
            await socket.send(message)
        await socket.wait_closed()

    async def main() -> None:
        async with serve(another_server, "127.0.0.1", 0) as server:
            port = next(iter(server.sockets)).getsockname()[1]
            services = services_of(
                served.services.chain, served.services.database, served.services.bundles.parent,
                follows=False,
            )  # fmt: skip
            bridged = serving(services, limits=Limits(rate=0), metrics=f"ws://127.0.0.1:{port}")
            with bridged as found:
                async with stream(found, "metrics") as page:
                    assert (await heard(page, "metrics"))["message"]["step"] == 7

    run(main)


def test_a_client_that_does_not_keep_up_is_cut_off_and_nobody_waits_for_it(
    served: Served,
) -> None:
    async def main() -> None:
        async with MetricsServer(port=0) as server:
            services = services_of(
                served.services.chain, served.services.database, served.services.bundles.parent,
                follows=False,
            )  # fmt: skip
            with serving(services, limits=LIMITS, metrics=server.url) as found:
                async with (
                    stream(found, "metrics", max_queue=1) as slow,
                    stream(found, "metrics") as quick,
                    connect(server.url, proxy=None) as trainer,
                ):
                    await heard(slow, "connected")
                    await heard(quick, "connected")
                    slow.transport.pause_reading()
                    padding = "x" * 60_000
                    for step in range(200):
                        message = json.loads(figures(step=step).to_json()) | {"pad": padding}
                        await trainer.send(json.dumps(message))
                        assert (await heard(quick, "metrics"))["message"]["step"] == step
                    slow.transport.resume_reading()
                    with pytest.raises(ConnectionClosed):
                        await heard(slow, "nothing")

    run(main)
