"""The streamer: never blocks, never raises, connects again, counts what it dropped."""

from __future__ import annotations

import asyncio
import os
import socket
import threading

import pytest
from websockets.asyncio.client import connect

from chainbeasts.trainer.metrics.limits import Limits
from chainbeasts.trainer.metrics.server import MetricsServer
from chainbeasts.trainer.metrics.streamer import MetricsStreamer
from tests.metrics.figures import figures, run, step_of, until
from tests.support.patience import PATIENCE, eventually
from tests.support.ports import free_port

QUICK = (0.01, 0.05)


def test_messages_from_many_threads_arrive_all_within_the_servers_limits(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # Unpaced, these would be a flood for this server; paced, not even if it reads nothing for most
    # of the time that they take.
    limits = Limits(rate=410, burst=590)

    async def main() -> None:
        async with (
            MetricsServer(port=0, limits=limits) as server,
            connect(server.url, proxy=None, open_timeout=PATIENCE) as reader,
        ):
            streamer = MetricsStreamer("127.0.0.1", server.port)

            def work(name: str) -> None:
                for step in range(200):
                    streamer.send(figures(step, run=name))

            threads = [threading.Thread(target=work, args=(str(n),)) for n in range(4)]
            for thread in threads:
                thread.start()
            for thread in threads:
                await asyncio.to_thread(thread.join)
            found = [await reader.recv() for _ in range(800)]
            for name in "0123":
                steps = [step_of(one) for one in found if f'"run":"{name}"' in str(one)]
                assert steps == list(range(200))
            await until(lambda: streamer.sent == 800)
            assert streamer.dropped == 0
            await asyncio.to_thread(streamer.close)

    run(main())


def test_without_a_server_the_newest_are_kept_and_all_are_counted() -> None:
    streamer = MetricsStreamer(port=free_port(), buffer=10, backoff=QUICK)
    for step in range(50):
        streamer.send(figures(step))
    assert (streamer.sent, streamer.dropped, streamer.connected) == (0, 40, False)
    streamer.close()
    assert (streamer.sent, streamer.dropped) == (0, 50)
    streamer.send(figures(51))
    streamer.close()
    assert (streamer.sent, streamer.dropped) == (0, 51)


def test_a_host_without_a_name_is_no_error() -> None:
    with MetricsStreamer("no.such.host.invalid", 1, backoff=QUICK) as streamer:
        streamer.send(figures(1))
    assert streamer.sent == 0


def test_it_flushes_on_leaving(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(MetricsStreamer.close, "__defaults__", (PATIENCE,))

    async def main() -> None:
        async with (
            MetricsServer(port=0) as server,
            connect(server.url, proxy=None, open_timeout=PATIENCE) as reader,
        ):

            def train() -> None:
                with MetricsStreamer(port=server.port) as streamer:
                    for step in range(100):
                        streamer.send(figures(step))
                assert (streamer.sent, streamer.dropped) == (100, 0)

            trainer = threading.Thread(target=train)
            trainer.start()
            assert [step_of(await reader.recv()) for _ in range(100)] == list(range(100))
            await until(lambda: not trainer.is_alive())

    run(main())


def test_a_server_that_was_away_gets_the_newest_and_the_rest_is_counted() -> None:
    async def main() -> None:
        port = free_port()
        async with MetricsServer(port=port):
            streamer = MetricsStreamer(port=port, buffer=10, backoff=QUICK)
            streamer.send(figures(0))
            await until(lambda: streamer.sent == 1)
        await until(lambda: not streamer.connected)
        for step in range(1, 51):
            streamer.send(figures(step))
        assert streamer.dropped == 40
        async with (
            MetricsServer(port=port) as second,
            connect(second.url, proxy=None, open_timeout=PATIENCE) as reader,
        ):
            assert [step_of(await reader.recv()) for _ in range(10)] == list(range(41, 51))
            streamer.send(figures(51))
            assert step_of(await reader.recv()) == 51
            await until(lambda: (streamer.sent, streamer.dropped) == (12, 40))
            await asyncio.to_thread(streamer.close)

    run(main())


def test_a_server_that_never_answers_costs_only_the_closing_time() -> None:
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        streamer = MetricsStreamer(port=deaf.getsockname()[1], buffer=5, backoff=QUICK)
        for step in range(100):
            streamer.send(figures(step))
        streamer.close(timeout=0.05)
        assert (streamer.sent, streamer.dropped) == (0, 100)


def test_it_reads_what_others_send_and_so_is_not_cut_off() -> None:
    limits = Limits(queue=50, rate=1e6, burst=10**6)

    async def main() -> None:
        async with (
            MetricsServer(port=0, limits=limits) as server,
            connect(server.url, proxy=None, open_timeout=PATIENCE) as other,
        ):
            streamer = MetricsStreamer(port=server.port, backoff=(60, 60))
            await until(lambda: server.clients == 2)
            line = figures(1, source="x" * 100).to_json()
            for _ in range(60):
                for _ in range(50):
                    await other.send(line)
                await (await other.ping())
            streamer.send(figures(2))
            assert step_of(await other.recv()) == 2
            await asyncio.to_thread(streamer.close)

    run(main())


def test_a_message_that_a_breaking_connection_did_not_take_waits_for_the_next() -> None:
    class Broken:
        async def send(self, text: str) -> None:
            raise ConnectionResetError

    streamer = MetricsStreamer(port=free_port(), backoff=(60, 60))
    with pytest.raises(ConnectionResetError):
        asyncio.run(streamer._send_one(Broken(), figures(1)))  # type: ignore[arg-type]
    assert (streamer.sent, streamer.dropped) == (0, 0)
    streamer.close()
    assert (streamer.sent, streamer.dropped) == (0, 1)


def test_in_a_forked_child_it_is_inert() -> None:
    streamer = MetricsStreamer(port=free_port(), backoff=QUICK)
    child = os.fork()
    if child == 0:
        streamer.send(figures(1))
        streamer.close()
        os._exit(streamer.dropped)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 1
    assert streamer.dropped == 0
    streamer.close()


def test_closing_ends_its_thread() -> None:
    before = set(threading.enumerate())
    streamer = MetricsStreamer(port=free_port(), backoff=(60, 60))
    assert set(threading.enumerate()) - before
    streamer.close(timeout=PATIENCE)
    eventually(lambda: not set(threading.enumerate()) - before)
