"""Remote work beside its caller: given up in time, and not begun again while it is at work."""

from __future__ import annotations

import threading

import pytest

from chainbeasts.backend.remote import Shared, beside
from chainbeasts.backend.signals import HungUpError, carry_on, hang_up
from tests.support.patience import PATIENCE, eventually


def soon() -> float:
    return 0.01


def fail() -> int:
    raise TimeoutError("its own")


class Work:
    """Ends when it is told to; counts how often it was begun."""

    def __init__(self) -> None:
        self.begun = 0
        self.over = threading.Event()

    def __call__(self) -> int:
        self.begun += 1
        self.over.wait(PATIENCE)
        return self.begun


class Patience:
    """So many looks, and then no more."""

    def __init__(self, looks: int) -> None:
        self.left = looks

    def __call__(self) -> float:
        self.left -= 1
        if self.left < 0:
            raise InterruptedError
        return 0.01


def test_what_work_gives_or_raises_is_its_callers() -> None:
    assert beside(lambda: 5, soon) == 5
    with pytest.raises(TimeoutError, match="its own"):
        beside(fail, soon)
    with pytest.raises(TimeoutError, match="its own"):
        Shared[int]().beside("key", fail, soon)


def test_nothing_is_begun_or_waited_for_once_the_process_is_to_end() -> None:
    work = Work()
    hang_up(0.0)
    try:
        with pytest.raises(HungUpError):
            beside(work)
    finally:
        carry_on()
    assert work.begun == 0


def test_who_asks_meanwhile_waits_for_the_same() -> None:
    work, shared = Work(), Shared[int]()
    discarded = list[int]()
    for _ in range(3):
        with pytest.raises(InterruptedError):
            shared.beside("key", work, Patience(2), discarded.append)
    eventually(lambda: work.begun)
    assert shared.beside("another", lambda: 7, soon) == 7
    looks = 0

    def look() -> float:
        nonlocal looks
        looks += 1
        if looks == 2:  # it waits now
            work.over.set()
        return 0.01

    assert shared.beside("key", work, look) == 1
    assert shared.beside("key", work, soon) == 2  # and is then made anew
    assert discarded == []


def test_what_ended_long_ago_is_made_anew() -> None:
    work, shared, discarded = Work(), Shared[int](), list[int]()
    with pytest.raises(InterruptedError):
        shared.beside("key", work, Patience(2), discarded.append)
    work.over.set()
    eventually(lambda: discarded)
    assert discarded == [1]
    assert shared.beside("key", work, soon, discarded.append) == 2
    assert discarded == [1]


def test_what_comes_after_it_was_given_up_is_discarded() -> None:
    work, discarded = Work(), list[int]()
    with pytest.raises(InterruptedError):
        beside(work, Patience(2), discarded.append)
    with pytest.raises(TimeoutError, match="its own"):
        beside(fail, soon, discarded.append)
    assert beside(lambda: 7, soon, discarded.append) == 7
    assert discarded == []
    work.over.set()
    eventually(lambda: discarded == [1])


def test_what_was_discarded_is_handed_to_nobody() -> None:
    """Not even to who asked just before it came."""
    work, shared, discarded = Work(), Shared[int](), list[int]()
    with pytest.raises(InterruptedError):
        shared.beside("key", work, Patience(2), discarded.append)
    begun = shared._begun("key", work)
    work.over.set()
    eventually(lambda: discarded)
    assert not begun.join()
    assert shared.beside("key", work, soon, discarded.append) == 2
    assert discarded == [1]
