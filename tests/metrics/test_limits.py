"""The ring behind histories and queues, and the bucket that measures floods."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trainer.metrics.backlog import Backlog, Entry
from trainer.metrics.limits import Limits, TokenBucket, metrics_url


@given(capacity=st.integers(1, 12), count=st.integers(0, 40), wanted=st.integers(0, 20))
def test_the_backlog_holds_the_last_messages_under_their_numbers(
    capacity: int, count: int, wanted: int
) -> None:
    backlog = Backlog(capacity)
    for number in range(count):
        backlog.append(Entry(0, str(number)))
    assert backlog.end == count
    first = backlog.oldest(wanted)
    assert first == max(0, count - min(wanted, capacity))
    assert [backlog[n].text for n in range(first, count)] == [str(n) for n in range(first, count)]
    for outside in (count - min(count, capacity) - 1, count):
        with pytest.raises(IndexError):
            backlog[outside]


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
