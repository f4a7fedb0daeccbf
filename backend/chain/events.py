"""Logs as typed events, decoded by the ABIs of our contracts."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from eth_abi.exceptions import DecodingError as ABIDecodingError
from eth_typing import BlockNumber
from eth_utils.abi import event_abi_to_log_topic
from hexbytes import HexBytes
from web3 import Web3
from web3.exceptions import Web3Exception
from web3.types import LogReceipt

from chainbeasts.backend.chain.compile import artifact
from chainbeasts.backend.chain.errors import ChainError
from chainbeasts.backend.chain.static_abi import StaticEvent, checksummed


@dataclass(frozen=True, slots=True)
class RawLog:
    """A log as the node gave it, enough to decode it again."""

    address: str
    topics: tuple[bytes, ...]
    data: bytes
    block_number: int
    block_hash: bytes
    tx_hash: bytes
    log_index: int

    @classmethod
    def from_json(cls, log: Mapping[str, Any]) -> RawLog:
        """The parts of a node's log that matter, whose shapes have been looked at."""
        return cls(
            checksummed(_bytes(log["address"])),
            tuple(map(_bytes, log["topics"])),
            _bytes(log["data"]),
            int(log["blockNumber"], 16),
            _bytes(log["blockHash"]),
            _bytes(log["transactionHash"]),
            int(log["logIndex"], 16),
        )

    @classmethod
    def from_receipt(cls, log: LogReceipt) -> RawLog:
        """The parts of web3's log that matter."""
        return cls(
            log["address"],
            tuple(bytes(topic) for topic in log["topics"]),
            bytes(log["data"]),
            log["blockNumber"],
            bytes(log["blockHash"]),
            bytes(log["transactionHash"]),
            log["logIndex"],
        )

    def to_receipt(self) -> LogReceipt:
        """The form that web3 decodes."""
        return {
            "address": Web3.to_checksum_address(self.address),
            "topics": [HexBytes(topic) for topic in self.topics],
            "data": HexBytes(self.data),
            "blockNumber": BlockNumber(self.block_number),
            "blockHash": HexBytes(self.block_hash),
            "transactionHash": HexBytes(self.tx_hash),
            "logIndex": self.log_index,
            "transactionIndex": 0,
            "removed": False,
        }


def _bytes(text: str) -> bytes:
    return bytes.fromhex(text[2:])


_PLACE = ("blockNumber", "blockHash", "transactionHash", "logIndex")
"""What a log has once it is mined; null while it is pending."""


def mined_logs(
    logs: Iterable[Any], read: Callable[[Any], RawLog] = RawLog.from_receipt
) -> list[RawLog]:
    """A node's answer as it is to be read: each log once, in chain order.

    Nodes repeat logs where a range was put together from several indexes, and mix those in that are
    pending or that a reorg removed. These are of no block of the chain, and are left out.

    Args:
        read: a log of their form.

    Raises:
        ChainError: two different logs have one place in one block.
    """
    found: dict[tuple[bytes, int], RawLog] = {}
    for log in logs:
        if log.get("removed") or any(log.get(name) is None for name in _PLACE):
            continue
        raw = read(log)
        if found.setdefault((raw.block_hash, raw.log_index), raw) != raw:
            raise ChainError(
                f"The node has two logs with number {raw.log_index} in block {raw.block_number}.",
                "Try another node with --rpc-url.",
            )
    return sorted(found.values(), key=lambda raw: (raw.block_number, raw.log_index))


@dataclass(frozen=True, slots=True)
class Event:
    """One decoded log.

    Attributes:
        contract: the contract's name, such as ``CheckpointLedger``.
        args: the event's values by their Solidity names; structs are mappings in field order.
    """

    name: str
    contract: str
    args: Mapping[str, Any]
    raw: RawLog

    @property
    def block_number(self) -> int:
        return self.raw.block_number

    @property
    def log_index(self) -> int:
        return self.raw.log_index

    @property
    def tx_hash(self) -> bytes:
        return self.raw.tx_hash


class EventDecoder:
    """Decodes the logs of a fixed set of contracts.

    Args:
        addresses: of our contracts, by their names; with checksums.
    """

    def __init__(self, addresses: Mapping[str, str]) -> None:
        self._by_source = {
            (address, event.topic_bytes): (name, event)
            for name, address in addresses.items()
            for event in _events(name)
        }

    @property
    def sources(self) -> list[tuple[str, bytes]]:
        """Contracts' addresses, each with the first topic of one of its events."""
        return list(self._by_source)

    def decode(self, log: RawLog) -> Event | None:
        """The event of a log; None for a log that is not one of ours.

        Raises:
            ChainError: it has another form than its contract gives it.
        """
        found = self._by_source.get((log.address, log.topics[0])) if log.topics else None
        if found is None:
            return None
        contract, event = found
        args = event.static.args(log.topics, log.data) if event.static is not None else None
        if args is not None:
            return Event(event.event.event_name, contract, args, log)
        try:
            data = event.event.process_log(log.to_receipt())
        except (Web3Exception, ABIDecodingError, OverflowError, ValueError) as error:
            raise ChainError(
                f"The node's log {log.log_index} of block {log.block_number} is no "
                f"{event.event.event_name} ({type(error).__name__}).",
                "Try another node with --rpc-url.",
            ) from None
        return Event(data["event"], contract, dict(data["args"]), log)


@dataclass(frozen=True, slots=True)
class _KnownEvent:
    topic_bytes: bytes
    event: Any
    static: StaticEvent | None


@cache
def _events(name: str) -> tuple[_KnownEvent, ...]:
    """One of our contracts' events; the same at every address and node."""
    contract = Web3().eth.contract(abi=artifact(name).abi)
    return tuple(
        _KnownEvent(event_abi_to_log_topic(entry), contract.events[entry["name"]](), _static(entry))
        for entry in contract.abi
        if entry["type"] == "event"
    )


def _static(abi: Mapping[str, Any]) -> StaticEvent | None:
    """The quick reader of an event, where there is one: web3 takes a millisecond for a log."""
    try:
        return StaticEvent(abi)
    except ValueError:
        return None
