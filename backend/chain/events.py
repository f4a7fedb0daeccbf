"""Logs as typed events, decoded by the ABIs of our contracts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from eth_utils.abi import event_abi_to_log_topic
from web3.contract import Contract
from web3.types import LogReceipt


@dataclass(frozen=True, slots=True)
class Event:
    """One decoded log.

    Attributes:
        contract: the contract's name, such as ``CheckpointLedger``.
        args: the event's values by their Solidity names; structs are tuples in field order.
    """

    name: str
    contract: str
    args: Mapping[str, Any]
    block_number: int
    block_hash: bytes
    tx_hash: bytes
    log_index: int


class EventDecoder:
    """Decodes the logs of a fixed set of contracts."""

    def __init__(self, contracts: Mapping[str, Contract]) -> None:
        self._by_source = {
            (contract.address, bytes(event.topic_bytes)): (name, event)
            for name, contract in contracts.items()
            for event in _events(contract)
        }

    def decode(self, log: LogReceipt) -> Event | None:
        """The event of a log; None for a log that is not one of ours."""
        if not log["topics"]:
            return None
        found = self._by_source.get((log["address"], bytes(log["topics"][0])))
        if found is None:
            return None
        contract, event = found
        data = event.event.process_log(log)
        return Event(
            data["event"],
            contract,
            dict(data["args"]),
            log["blockNumber"],
            bytes(log["blockHash"]),
            bytes(log["transactionHash"]),
            log["logIndex"],
        )


@dataclass(frozen=True, slots=True)
class _KnownEvent:
    topic_bytes: bytes
    event: Any


def _events(contract: Contract) -> list[_KnownEvent]:
    return [
        _KnownEvent(event_abi_to_log_topic(entry), contract.events[entry["name"]]())
        for entry in contract.abi
        if entry["type"] == "event"
    ]
