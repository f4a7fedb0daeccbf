"""A WebSocket's new heads wake a reader long before its clock does."""

from __future__ import annotations

import sys
import threading
from types import FrameType
from typing import Any

import pytest

from chainbeasts.backend.chain.anvil import Anvil, rpc
from chainbeasts.backend.indexer.follow import Waker

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


def test_without_a_socket_only_the_clock_and_the_end_wake() -> None:
    waker = Waker("http://127.0.0.1:9", NEVER)
    threading.Timer(0.05, waker.stop).start()
    assert not waker.wait()
    waker.pause(NEVER)


@pytest.mark.timeout(60)
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
