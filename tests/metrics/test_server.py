"""The metrics server with real sockets: what it relays, and how it deals with bad clients."""

from __future__ import annotations

import asyncio
import re
import socket as sockets
from contextlib import AsyncExitStack

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import InvalidStatus

from chainbeasts.backend.errors import ChainBeastsError
from chainbeasts.trainer.metrics.limits import Limits
from chainbeasts.trainer.metrics.server import MetricsServer
from tests.metrics.figures import longest, padded, run, step_of, text, until, verdict
from tests.support.patience import PATIENCE


def joined(server: MetricsServer, **options: object) -> connect:
    """A client to enter."""
    return connect(server.url, proxy=None, open_timeout=PATIENCE, close_timeout=0.1, **options)  # type: ignore[arg-type]


def attended(server: MetricsServer) -> int:
    """How many connections are not over for the server."""
    assert server._server is not None
    return len(server._server.handler_tasks)


GENEROUS = {"rate": 1e9, "burst": 10**9}


async def receive(socket: ClientConnection, count: int) -> list[int]:
    """The steps of the next messages."""
    return [step_of(await socket.recv()) for _ in range(count)]


def test_a_message_goes_to_all_others_with_its_known_fields_and_not_to_its_sender() -> None:
    async def main() -> None:
        async with (
            MetricsServer(port=0) as server,
            joined(server) as one,
            joined(server) as two,
            joined(server) as three,
        ):
            await until(lambda: server.clients == 3)
            await one.send(padded(1, 60_000))
            assert await two.recv() == text(1)
            assert await three.recv() == text(1)
            await two.send(text(2))
            assert await receive(one, 1) == [2]
            assert await receive(three, 1) == [2]

    run(main())


def test_a_late_joiner_gets_the_last_messages_first() -> None:
    async def main() -> None:
        async with (
            MetricsServer(port=0, limits=Limits(history=3)) as server,
            joined(server) as sender,
            joined(server) as witness,
        ):
            await until(lambda: server.clients == 2)
            for step in range(5):
                await sender.send(text(step))
            await receive(witness, 5)
            async with joined(server) as late:
                assert await receive(late, 3) == [2, 3, 4]
                await sender.send(text(5))
                assert await receive(late, 1) == [5]

    run(main())


def test_a_flood_about_one_beast_leaves_what_was_told_of_another() -> None:
    async def main() -> None:
        async with (
            MetricsServer(port=0, limits=Limits(history=3, **GENEROUS)) as server,
            joined(server) as trainer,
            joined(server) as stranger,
            joined(server) as witness,
        ):
            await until(lambda: server.clients == 3)
            for step in range(3):
                await trainer.send(text(step, beast=7))
            assert await receive(witness, 3) == [0, 1, 2]
            for step in range(50):
                await stranger.send(text(step, beast=8))
            await receive(witness, 50)
            async with joined(server) as late:
                assert await receive(late, 6) == [0, 1, 2, 47, 48, 49]

    run(main())


def test_whoever_joins_in_the_middle_misses_nothing_and_gets_nothing_twice() -> None:
    last = 400

    async def collect(server: MetricsServer) -> list[int]:
        async with joined(server) as socket:
            found = await receive(socket, 1)
            while found[-1] != last:
                found += await receive(socket, 1)
            return found

    async def main() -> None:
        async with (
            MetricsServer(port=0, limits=Limits(history=7)) as server,
            joined(server) as sender,
        ):
            joiners = []
            for step in range(last + 1):
                await sender.send(text(step))
                if step % 40 == 20:
                    joiners.append(asyncio.create_task(collect(server)))
                await asyncio.sleep(0)
            for found in await asyncio.gather(*joiners):
                assert found == list(range(found[0], last + 1))

    run(main())


@pytest.mark.parametrize(
    ("options", "path", "status"),
    [
        ({}, "/", 404),
        ({}, "/metrics/x", 404),
        ({"origin": "https://example.com"}, "/metrics", 403),
        ({"origin": "http://localhost.example.com"}, "/metrics", 403),
        ({"origin": "null"}, "/metrics", 403),
    ],
)
def test_wrong_paths_and_foreign_pages_are_turned_away(
    options: dict[str, str], path: str, status: int
) -> None:
    async def main() -> None:
        async with MetricsServer(port=0) as server:
            url = f"ws://127.0.0.1:{server.port}{path}"
            with pytest.raises(InvalidStatus) as refused:
                async with connect(url, proxy=None, open_timeout=PATIENCE, **options):  # type: ignore[arg-type]
                    pass
            assert refused.value.response.status_code == status

    run(main())


def test_there_is_room_for_so_many_clients() -> None:
    async def main() -> None:
        async with (
            MetricsServer(port=0, limits=Limits(clients=1)) as server,
            joined(server),
        ):
            await until(lambda: server.clients == 1)
            with pytest.raises(InvalidStatus) as refused:
                async with connect(server.url, proxy=None, open_timeout=PATIENCE):
                    pass
            assert refused.value.response.status_code == 503

    run(main())


def test_a_local_page_may_read_and_not_send() -> None:
    async def main() -> None:
        async with (
            MetricsServer(port=0) as server,
            joined(server, origin="http://localhost:5173") as page,
            joined(server) as trainer,
        ):
            await trainer.send(text(1))
            assert await receive(page, 1) == [1]
            await page.send(text(2))
            told = await verdict(page)
            assert (told.code, told.reason) == (1008, "web pages may read, not send")
            async with joined(server) as late:
                assert await receive(late, 1) == [1]
                await trainer.send(text(3))
                assert await receive(late, 1) == [3]

    run(main())


@pytest.mark.parametrize(
    ("sent", "code", "reason"),
    [
        ("hello", 1007, "no message: Invalid JSON"),
        (text(1).replace("training/1", "training/9"), 1007, "no message: schema"),
        (text(1).replace('"step":1', '"step":-1'), 1007, "no message: step"),
        (text(1).encode(), 1003, "text, not binary"),
        (padded(1, 1 << 16), 1009, ""),
    ],
    ids=["no JSON", "schema", "range", "binary", "too long"],
)
def test_whoever_sends_what_is_no_message_is_closed_and_nobody_else(
    sent: str | bytes, code: int, reason: str
) -> None:
    async def main() -> None:
        async with (
            MetricsServer(port=0) as server,
            joined(server) as reader,
            joined(server) as trainer,
            joined(server) as bad,
        ):
            await bad.send(sent)
            told = await verdict(bad)
            assert told.code == code
            assert reason in told.reason
            await trainer.send(text(2))
            assert await receive(reader, 1) == [2]

    run(main())


def test_a_flood_is_cut_and_what_was_within_the_limit_is_relayed() -> None:
    limits = Limits(rate=0.001, burst=5, close=300)

    async def main() -> None:
        async with (
            MetricsServer(port=0, limits=limits) as server,
            joined(server) as reader,
            joined(server) as trainer,
            joined(server) as flooder,
        ):
            await until(lambda: server.clients == 3)

            async def flood() -> None:
                for step in range(3000):
                    await flooder.send(text(step))

            flooding = asyncio.create_task(flood())
            told = await verdict(flooder)
            assert told.code == 1008
            assert told.reason == "more than 0.001 messages per second"
            await asyncio.gather(flooding, return_exceptions=True)
            await until(lambda: attended(server) == 2)  # what it still sent is no obstacle
            assert await receive(reader, 5) == [0, 1, 2, 3, 4]
            await trainer.send(text(7777))
            assert await receive(reader, 1) == [7777]

    run(main())


async def idle(server: MetricsServer, stack: AsyncExitStack) -> ClientConnection:
    """A client with small buffers that reads nothing until it is asked to."""
    small = sockets.socket()
    small.setsockopt(sockets.SOL_SOCKET, sockets.SO_RCVBUF, 4096)
    small.setblocking(False)
    await asyncio.get_running_loop().sock_connect(small, ("127.0.0.1", server.port))
    return await stack.enter_async_context(
        joined(server, sock=small, max_queue=1, ping_interval=None)
    )


async def publish_until_cut(
    server: MetricsServer, sender: ClientConnection, reader: ClientConnection
) -> int:
    """Publish, in step with a reader that gets every message, until a client is cut off."""
    before = server.clients
    for step in range(30_000):
        await sender.send(longest(step))
        assert step_of(await reader.recv()) == step
        if server.clients < before:
            return step + 1
    raise AssertionError("nobody was cut off")


def test_a_client_that_does_not_read_is_cut_off_and_holds_up_nobody() -> None:
    limits = Limits(queue=20, close=PATIENCE, ping=PATIENCE, **GENEROUS)

    async def main() -> None:
        async with (
            MetricsServer(port=0, limits=limits) as server,
            joined(server) as sender,
            joined(server) as reader,
            AsyncExitStack() as stack,
        ):
            slow = await idle(server, stack)
            await until(lambda: server.clients == 3)
            count = await publish_until_cut(server, sender, reader)
            told = await verdict(slow)
            assert (told.code, told.reason) == (1013, "more than 20 messages behind")
            await sender.send(text(count))
            assert await receive(reader, 1) == [count]

    run(main())


def test_a_client_that_does_not_even_take_its_close_frame_is_let_go() -> None:
    limits = Limits(queue=20, close=0.1, **GENEROUS)

    async def main() -> None:
        async with (
            MetricsServer(port=0, limits=limits) as server,
            joined(server) as sender,
            joined(server) as reader,
            AsyncExitStack() as stack,
        ):
            await idle(server, stack)
            await until(lambda: server.clients == 3)
            await publish_until_cut(server, sender, reader)
            await until(lambda: attended(server) == 2)

    run(main())


def test_a_long_history_does_not_count_as_being_behind() -> None:
    limits = Limits(history=3000, queue=5, **GENEROUS)

    async def main() -> None:
        async with (
            MetricsServer(port=0, limits=limits) as server,
            joined(server) as sender,
            joined(server) as reader,
            AsyncExitStack() as stack,
        ):
            await until(lambda: server.clients == 2)
            for step in range(3000):
                await sender.send(longest(step))
                assert await receive(reader, 1) == [step]
            late = await idle(server, stack)
            await until(lambda: server.clients == 3)
            for step in range(3000, 3005):
                await sender.send(text(step))
                assert await receive(reader, 1) == [step]
            assert await receive(late, 3005) == list(range(3005))

    run(main())


def test_the_end_waits_neither_for_who_does_not_read_nor_for_who_says_nothing() -> None:
    limits = Limits(queue=10**6, history=0, close=0.2, **GENEROUS)

    async def main() -> None:
        async with AsyncExitStack() as stack:
            async with MetricsServer(port=0, limits=limits) as server:
                sender = await stack.enter_async_context(joined(server))
                await idle(server, stack)
                silent = sockets.create_connection(("127.0.0.1", server.port))
                stack.callback(silent.close)
                await until(lambda: server.clients == 2)
                for step in range(8000):
                    await sender.send(longest(step))
                await (await sender.ping())
            told = await verdict(sender)
            assert (told.code, told.reason) == (1001, "the server stops")

    run(main())


def test_a_client_that_answers_no_ping_is_dropped() -> None:
    request = (
        "GET /metrics HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
    )

    async def main() -> None:
        async with MetricsServer(port=0, limits=Limits(ping=0.1, close=0.1)) as server:
            reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
            writer.write(request.encode())
            assert b"101" in await reader.readline()
            await until(lambda: server.clients == 1)
            await until(lambda: server.clients == 0)
            writer.close()

    run(main())


def test_a_port_in_use_is_named() -> None:
    async def main() -> None:
        async with MetricsServer(port=0) as server:
            with pytest.raises(ChainBeastsError, match=re.escape(f"Port {server.port} on")):
                async with MetricsServer(port=server.port):
                    pass

    run(main())


def test_a_host_that_is_not_here_is_named() -> None:
    async def main() -> None:
        with pytest.raises(ChainBeastsError, match=r"192\.0\.2\.1"):
            async with MetricsServer(host="192.0.2.1", port=0):
                pass

    run(main())
