"""Reads a range of blocks whose headers and events fit together, or says that they do not.

The headers of the newest blocks are all read and linked by their parents' hashes. Of older ranges
only the ends are, and the blocks that have events: nobody re-orgs them, and there are many.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import structlog
from eth_hash.auto import keccak

from backend.chain.client import READ_ATTEMPTS, Block, Chain
from backend.chain.events import Event
from backend.indexer.errors import MovedError

log = structlog.get_logger()

CONNECTIONS = 8
BLOOM_BITS = 2048


@dataclass(frozen=True, slots=True)
class Batch:
    """What a range of blocks holds.

    Attributes:
        headers: ascending; the last one is the range's last block.
        events: in chain order, each in one of the headers' blocks.
    """

    headers: Sequence[Block]
    events: Sequence[Event]


class RangeReader:
    """Reads ranges through one node, several headers at a time."""

    def __init__(self, chain: Chain) -> None:
        self._chain = chain
        self._pool = ThreadPoolExecutor(CONNECTIONS, thread_name_prefix="headers")

    def read(self, parent: bytes | None, start: int, end: int, *, every: bool) -> Batch:
        """Read blocks ``start`` to ``end``, which the node has.

        Args:
            parent: hash of the block before ``start``; None if none is known.
            every: read the headers of all blocks.

        Raises:
            MovedError: the chain changed meanwhile, or ``parent`` is not on it.
            NodeUnavailableError: no answer.
            ChainError: the node refuses the range, or answers without sense.
        """
        before = self._chain.block(end)
        # A larger range is not asked for again as it is: the next one is smaller.
        events = self._chain.events(start, end, attempts=1 if end > start else READ_ATTEMPTS)
        wanted = set(range(start, end + 1)) if every else self._touched(events, start, end)
        headers = self._headers(sorted(wanted))
        # Last of all: with the same end as before, everything above was read on one chain.
        if self._chain.block(end).hash != before.hash or headers[end].hash != before.hash:
            raise MovedError
        _check_links(parent, start, headers)
        events = self._completed(events, headers.values()) if every else events
        for event in events:
            if headers[event.block_number].hash != event.raw.block_hash:
                raise MovedError
        return Batch(tuple(headers.values()), events)

    @staticmethod
    def _touched(events: Sequence[Event], start: int, end: int) -> set[int]:
        return {start, end, *(event.block_number for event in events)}

    def _headers(self, numbers: Sequence[int]) -> dict[int, Block]:
        if len(numbers) <= 2:
            return {number: self._chain.block(number) for number in numbers}
        found = self._pool.map(self._chain.block, numbers)
        return dict(zip(numbers, found, strict=True))

    def _completed(self, events: list[Event], headers: Iterable[Block]) -> list[Event]:
        """The events, with those of blocks that the node left out though their bloom has them.

        A node that has a new header may not have its logs yet, or may be another one behind the
        same name; asked for one block by hash, it answers for that block or not at all.
        """
        answered = {event.block_number for event in events}
        found = list(events)
        for header in headers:
            if header.number in answered or not self._may_have_events(header.logs_bloom):
                continue
            missed = self._chain.events_of(header.hash)
            if missed:
                log.warning("the node left events out", block=header.number, events=len(missed))
            found += missed
        return sorted(found, key=lambda event: (event.block_number, event.log_index))

    def _may_have_events(self, bloom: bytes) -> bool:
        return any(in_bloom(bloom, address) for address in self._chain.event_addresses)


def in_bloom(bloom: bytes, address: str) -> bool:
    """Whether a block's logs bloom (256 bytes, or empty: no) has a contract's address."""
    digest = keccak(bytes.fromhex(address.removeprefix("0x")))
    bits = int.from_bytes(bloom)
    places = (int.from_bytes(digest[i : i + 2]) % BLOOM_BITS for i in (0, 2, 4))
    return all(bits >> place & 1 for place in places)


def _check_links(parent: bytes | None, start: int, headers: dict[int, Block]) -> None:
    if parent is not None and headers[start].parent_hash != parent:
        raise MovedError
    for number, header in headers.items():
        before = headers.get(number - 1)
        if before is not None and header.parent_hash != before.hash:
            raise MovedError
