"""A WebSocket's new heads wake a reader long before its clock does; who reads waits for nobody else
without end."""

from __future__ import annotations

import signal
import sys
import threading
from pathlib import Path
from types import FrameType
from typing import Any

import pytest
from websockets.sync.server import ServerConnection, serve

from chainbeasts.backend.chain.anvil import Anvil, rpc
from chainbeasts.backend.chain.errors import StoppedError
from chainbeasts.backend.indexer import workspace
from chainbeasts.backend.indexer.follow import Waker
from chainbeasts.backend.locks import QUIET_SECONDS, LockHeldError
from chainbeasts.backend.settings import Settings
from chainbeasts.backend.signals import carry_on, hang_up
from tests.indexer.conftest import Life
from tests.support.patience import PATIENCE
from tests.support.stopped import stopped_holder

NEVER = 3_600.0
"""Seconds between two looks; a test that waits for the clock does not end in time."""


def test_new_heads_wake_also_after_the_node_was_away() -> None:
    with Anvil() as first:
        waker = Waker(first.ws_url, NEVER)
        assert waker.wait()  # the node's answer to the subscription
        rpc(first.url, "anvil_mine", "0x1")
        assert waker.wait()
    with Anvil(port=first.port) as second:
        assert waker.wait()  # subscribed again
        rpc(second.url, "anvil_mine", "0x1")
        assert waker.wait()
        waker.stop()
        assert not waker.wait()


def test_a_stopped_process_that_reads_the_chain_is_not_waited_for_without_end(
    life: Life, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workspace, "INDEX_SECONDS", 2 * QUIET_SECONDS)
    index = workspace.open_index(Settings(home=tmp_path), life.chain(), "trainer")
    with stopped_holder(index.lock.path) as holder:
        with pytest.raises(LockHeldError, match=str(holder.pid)):
            index.sync()
        hang_up(0.0)
        try:
            with pytest.raises(StoppedError):
                index.sync()
        finally:
            carry_on()
        holder.send_signal(signal.SIGCONT)
        holder.communicate()
    assert index.sync().indexed_to == life.chain().block().number
    index.database.close()


def test_news_that_nobody_looks_at_take_no_room() -> None:
    told = threading.Event()

    def handle(connection: ServerConnection) -> None:
        for _ in connection:  # the subscription
            # Each is more than is read at once. So of those before a ping that is answered, all but
            # the few that the reader keeps in memory have been looked at.
            for _ in range(100):
                connection.send("x" * (1 << 17))
            if connection.ping().wait(PATIENCE):
                told.set()

    with serve(handle, "127.0.0.1", 0, open_timeout=PATIENCE, ping_interval=None) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        waker = Waker(f"ws://127.0.0.1:{server.socket.getsockname()[1]}", NEVER)
        assert told.wait(PATIENCE)
        assert waker._news.qsize() == 1
        assert waker.wait()
        waker.stop()
        server.shutdown()
        thread.join()


def test_without_a_socket_only_the_clock_and_the_end_wake() -> None:
    waker = Waker("http://127.0.0.1:9", NEVER)
    threading.Timer(0.05, waker.stop).start()
    assert not waker.wait()
    waker.pause(NEVER)


def test_a_signals_handler_may_stop_it_between_any_two_steps() -> None:
    for number in range(40):
        waker = Waker("http://127.0.0.1:9", 0.05)
        steps = iter(range(number))

        def step(frame: FrameType, event: str, argument: Any) -> Any:
            if event == "line" and next(steps, None) is None:  # noqa: B023 - of this turn
                sys.settrace(None)
                waker.stop()  # noqa: B023
            return step

        before = sys.gettrace()
        sys.settrace(step)
        try:
            while waker.wait():
                pass
        finally:
            sys.settrace(before)
        assert waker.stopped
