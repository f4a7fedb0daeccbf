"""What the live stream remembers, and what it cannot say any more."""

from __future__ import annotations

from chainbeasts.backend.api.memory import BEFORE_ALL, Memory
from chainbeasts.backend.api.models import Live


def told(block: int, number: int = 0, beast: int = 1) -> Live:
    return Live(type="checkpoint", id=f"{block}-{number}", block=block, beast=beast)


def add(memory: Memory, *messages: Live) -> None:
    for message in messages:
        memory.add(message, message.id or message.type)


def test_what_came_after_an_event_is_told_in_order() -> None:
    memory = Memory()
    memory.remember([], BEFORE_ALL)
    add(memory, told(1), told(1, 3, beast=2), told(2), Live(type="block", block=5))
    assert memory.since("1-0", None) == ["1-3", "2-0"]
    assert memory.since("1-2", None) == ["1-3", "2-0"]  # an event that is not told of
    assert memory.since("5-0", None) == []
    assert memory.since("1-0", frozenset({"beast:2"})) == ["1-3"]
    assert memory.since("1-0", frozenset({"match"})) == []
    assert memory.since("6-0", None) is None  # of another chain, or not read yet
    assert memory.newest == "2-0"


def test_what_was_forgotten_is_a_gap() -> None:
    memory = Memory(most=2)
    memory.remember([], BEFORE_ALL)
    add(memory, *(told(block) for block in range(1, 5)))
    assert memory.since("1-0", None) is None
    assert memory.since("2-0", None) == ["3-0", "4-0"]
    add(memory, Live(type="gap", id="9-3", block=9), told(10))
    assert memory.since("4-0", None) is None
    assert memory.since("9-3", None) == ["10-0"]
    assert memory.newest == "10-0"
    add(memory, Live(type="gap", id="19-3", block=20))
    assert memory.since("10-0", None) is None
    assert memory.since("19-3", None) == []
    assert memory.newest == "19-3"
    late = Memory()
    late.remember([told(7), told(8)], (6, 2))
    assert late.since("6-0", None) is None
    assert [len(late.since(id, None) or ()) for id in ("6-2", "7-0", "8-0")] == [2, 1, 0]
    nothing = Memory()
    nothing.remember([], (6, 2))  # the newest that there are: none is told of
    assert nothing.since("6-1", None) is None
    assert nothing.newest == "6-2"
    assert Memory().since("1-0", None) is None  # before the first pass


def test_what_a_reorg_took_back_is_a_gap_and_what_stands_is_not() -> None:
    memory = Memory()
    memory.remember([], BEFORE_ALL)
    add(memory, told(1), told(2), told(3), Live(type="reorg", block=3), told(3, 1), told(5))
    assert memory.since("2-0", None) == ["3-1", "5-0"]
    assert memory.since("3-0", None) is None
    assert memory.since("3-1", None) is None  # an event of that name may have been on both chains
    assert memory.since("5-0", None) == []
