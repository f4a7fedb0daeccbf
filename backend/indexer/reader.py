"""Reads a range of blocks whose headers and events fit together, or says that they do not.

The headers of the newest blocks are all read and linked by their parents' hashes. Of older ranges
only the ends are, and the blocks that have events: nobody re-orgs them, and there are many.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property

import structlog
from eth_hash.auto import keccak

from chainbeasts.backend.chain.client import READ_ATTEMPTS, Chain
from chainbeasts.backend.chain.errors import ChainError, NodeUnavailableError
from chainbeasts.backend.chain.events import Event
from chainbeasts.backend.chain.views import Block
from chainbeasts.backend.indexer.errors import MovedError

log = structlog.get_logger()

CONNECTIONS = 8
BLOOM_BITS = 2048
TELLING_BITS = BLOOM_BITS // 4
"""A bloom with more bits set says little: of a fuller one, most blocks would seem to have our
events. With these, a pair of contract and topic that is not there is seen once in 4,096 times."""


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
        events = self._of_these(events, headers)
        if every:
            events = self._completed(events, headers.values())
        return Batch(tuple(headers.values()), events)

    @staticmethod
    def _touched(events: Sequence[Event], start: int, end: int) -> set[int]:
        return {start, end, *(event.block_number for event in events)}

    def _headers(self, numbers: Sequence[int]) -> dict[int, Block]:
        if len(numbers) <= 2:
            return {number: self._chain.block(number) for number in numbers}
        found = self._pool.map(self._chain.block, numbers)
        return dict(zip(numbers, found, strict=True))

    def _of_these(self, events: list[Event], headers: dict[int, Block]) -> list[Event]:
        """The events, read again where they are of another block with the same number.

        The range was read on one chain: what is of another one is left of a branch that is gone.
        """
        strays = sorted(
            {e.block_number for e in events if headers[e.block_number].hash != e.raw.block_hash}
        )
        if not strays:
            return events
        log.warning("the node has events of blocks that are gone", blocks=len(strays))
        found = [event for event in events if event.block_number not in strays]
        for number in strays:
            found += self._chain.events_of(headers[number].hash)
        return _in_order(found)

    def _completed(self, events: list[Event], headers: Iterable[Block]) -> list[Event]:
        """The events, with those that the node left out though the blocks' blooms have them.

        A node that has a new header may not have its logs yet, or may be another one behind the
        same name; asked for one block by hash, it answers for that block or not at all.
        """
        by_block: dict[int, list[Event]] = {}
        for event in events:
            by_block.setdefault(event.block_number, []).append(event)
        for header in headers:
            answered = by_block.get(header.number, [])
            if self._is_complete(header.logs_bloom, answered):
                continue
            missed = self._missed(header, answered)
            if missed:
                log.warning("the node left events out", block=header.number, events=len(missed))
                by_block[header.number] = answered + missed
        return _in_order(event for some in by_block.values() for event in some)

    def _is_complete(self, bloom: bytes, answered: Sequence[Event]) -> bool:
        """Whether nothing in a block's bloom speaks against an answer."""
        bits = int.from_bytes(bloom)
        # A full bloom has nearly everything: it is a reason to ask about a block that seems empty.
        if answered and bits.bit_count() > TELLING_BITS:
            return True
        known = {(event.raw.address, event.raw.topics[0]) for event in answered}
        return all(bits & mask != mask or pair in known for pair, mask in self._masks)

    def _missed(self, header: Block, answered: Sequence[Event]) -> list[Event]:
        """The events of a block that the node left out: by its index of logs, asked for the block
        alone, or else by its receipts."""
        known = {event.log_index for event in answered}
        found = [one for one in self._chain.events_of(header.hash) if one.log_index not in known]
        full = int.from_bytes(header.logs_bloom).bit_count() > TELLING_BITS
        if full or self._is_complete(header.logs_bloom, [*answered, *found]):
            return found
        try:
            told = self._chain.events_in_receipts(header.hash)
        except NodeUnavailableError:
            raise
        except ChainError as error:
            # Not every node serves them, and a late one has no such block yet: to wait for those
            # that never do would be for ever. What is missing, the contracts' counters show.
            log.debug("no receipts of a block", block=header.number, reason=error.message)
            return found
        return [event for event in told if event.log_index not in known]

    @cached_property
    def _masks(self) -> list[tuple[tuple[str, bytes], int]]:
        """Contract and first topic of our events, each with the bits that it sets in a bloom."""
        return [
            ((address, topic), _mask(_address_bytes(address)) | _mask(topic))
            for address, topic in self._chain.event_sources
        ]


def _in_order(events: Iterable[Event]) -> list[Event]:
    return sorted(events, key=lambda event: (event.block_number, event.log_index))


def _address_bytes(address: str) -> bytes:
    return bytes.fromhex(address.removeprefix("0x"))


def _mask(item: bytes) -> int:
    """The three bits of a bloom that an address or a topic sets."""
    digest = keccak(item)
    places = (int.from_bytes(digest[i : i + 2]) % BLOOM_BITS for i in (0, 2, 4))
    return sum({1 << place for place in places})


def in_bloom(bloom: bytes, address: str) -> bool:
    """Whether a block's logs bloom (256 bytes, or empty: no) has a contract's address."""
    mask = _mask(_address_bytes(address))
    return int.from_bytes(bloom) & mask == mask


def _check_links(parent: bytes | None, start: int, headers: dict[int, Block]) -> None:
    if parent is not None and headers[start].parent_hash != parent:
        raise MovedError
    for number, header in headers.items():
        before = headers.get(number - 1)
        if before is not None and header.parent_hash != before.hash:
            raise MovedError
