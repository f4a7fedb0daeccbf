"""The ring behind queues, the history of each beast, and the bucket that measures floods."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chainbeasts.trainer.metrics.backlog import Backlog, Entry, History
from chainbeasts.trainer.metrics.limits import Limits, TokenBucket, metrics_url


@given(capacity=st.integers(1, 12), count=st.integers(0, 40))
def test_the_backlog_holds_the_last_messages_under_their_numbers(capacity: int, count: int) -> None:
    backlog = Backlog(capacity)
    for number in range(count):
        backlog.append(Entry(0, str(number)))
    assert backlog.end == count
    first = max(0, count - capacity)
    assert [backlog[n].text for n in range(first, count)] == [str(n) for n in range(first, count)]
    for outside in (count - min(count, capacity) - 1, count):
        with pytest.raises(IndexError):
            backlog[outside]


def test_no_beast_crowds_out_what_was_told_of_others() -> None:
    history = History(each=2, beasts=3)
    for number in range(100):
        history.add(1 if number < 3 else 2, number, Entry(0, str(number)))
    assert [entry.text for entry in history.all()] == ["1", "2", "98", "99"]
    for beast in (1, 3, 4):  # the one that was silent the longest makes room
        history.add(beast, 100 + beast, Entry(0, f"beast {beast}"))
    assert [entry.text for entry in history.all()] == ["2", "beast 1", "beast 3", "beast 4"]


def test_the_bucket_lets_a_burst_through_and_then_its_rate() -> None:
    bucket = TokenBucket(rate=2, burst=3)
    assert [bucket.take(10.0) for _ in range(4)] == [0.0, 0.0, 0.0, 0.5]
    assert bucket.take(10.25) == 0.25
    assert bucket.take(10.5) == 0.0
    assert bucket.take(10.5) == 0.5
    assert [bucket.take(1000.0) for _ in range(4)] == [0.0, 0.0, 0.0, 0.5]


def test_no_burst_that_is_allowed_overflows_another_clients_queue() -> None:
    assert Limits().burst <= Limits().queue


def test_an_ipv6_host_is_bracketed() -> None:
    assert metrics_url("::1", 1) == "ws://[::1]:1/metrics"
