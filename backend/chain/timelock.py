"""Operations of the timelock: every one that waits, read from the chain, executed, cancelled.

Whatever may come to pass through the timelock is scheduled there first, with an event for each of
its calls; so a list of what waits is a list of everything that governance can do before its delay
is over.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from eth_typing import BlockNumber
from web3 import Web3
from web3.types import FilterParams

from chainbeasts.backend.chain.amounts import show_coin
from chainbeasts.backend.chain.calls import DecodedCall, decode_call
from chainbeasts.backend.chain.client import Chain
from chainbeasts.backend.chain.errors import ChainError
from chainbeasts.backend.chain.events import Event, RawLog
from chainbeasts.backend.chain.seasons import added_season
from chainbeasts.backend.chain.types import ZERO32, Season
from chainbeasts.backend.errors import ChainBeastsError

MOST_BYTES = 68
"""Of calldata that people are shown raw: a selector and two words."""

_DONE = 1
"""What the timelock has as the time of an operation that was executed; 0 if there is none."""


@dataclass(frozen=True, slots=True)
class Call:
    """One call of an operation; ``value`` is wei of the timelock's native coin sent along."""

    target: str
    value: int
    data: bytes


@dataclass(frozen=True, slots=True)
class Operation:
    """One or several calls that wait in the timelock.

    Attributes:
        id: the timelock's, 32 bytes.
        calls: made in this order, all of them or none.
        predecessor: the operation that has to be executed before; zeros if none has.
        ready_at: unix time from which anybody may have it executed.
        tx_hash: the transaction that scheduled it.
    """

    id: bytes
    calls: tuple[Call, ...]
    predecessor: bytes
    salt: bytes
    ready_at: int
    block_number: int
    tx_hash: bytes

    @property
    def name(self) -> str:
        """Its id as people write it."""
        return "0x" + self.id.hex()


def pending_operations(chain: Chain) -> list[Operation]:
    """Every operation that is neither executed nor cancelled, oldest first.

    Raises:
        ChainError: the node does not serve the timelock's events.
    """
    scheduled: dict[bytes, dict[int, Event]] = {}
    salts: dict[bytes, bytes] = {}
    for event in _events(chain):
        operation = bytes(event.args["id"]) if "id" in event.args else b""
        if event.name == "CallScheduled":
            scheduled.setdefault(operation, {})[int(event.args["index"])] = event
        elif event.name == "CallSalt":
            salts[operation] = bytes(event.args["salt"])
    found = []
    for operation, calls in scheduled.items():
        # The timelock itself says what waits: also of an operation that was cancelled and
        # scheduled anew.
        ready_at = int(chain.call(chain.timelock.functions.getTimestamp(operation)))
        if ready_at > _DONE:
            found.append(_operation(calls, salts.get(operation, ZERO32), ready_at))
    return sorted(found, key=lambda one: one.block_number)


def _operation(events: dict[int, Event], salt: bytes, ready_at: int) -> Operation:
    calls = [events[index] for index in sorted(events)]
    first = calls[0]
    return Operation(
        bytes(first.args["id"]),
        tuple(
            Call(one.args["target"], int(one.args["value"]), bytes(one.args["data"]))
            for one in calls
        ),
        bytes(first.args["predecessor"]),
        salt,
        ready_at,
        first.block_number,
        first.tx_hash,
    )


def _events(chain: Chain) -> Iterator[Event]:
    """The timelock's events since the deployment; in smaller ranges where a node refuses one."""
    at = Web3.to_checksum_address(chain.deployment.addresses["TimelockController"])
    start, head = chain.deployment.start_block, chain.block().number
    size = head - start + 1
    while start <= head:
        end = min(start + size - 1, head)
        wanted: FilterParams = {
            "address": at,
            "fromBlock": BlockNumber(start),
            "toBlock": BlockNumber(end),
        }
        try:
            logs = chain.read(lambda wanted=wanted: chain.w3.eth.get_logs(wanted))  # type: ignore[misc]
        except ChainError:
            if size <= 1:
                raise
            size = max(size // 2, 1)
            continue
        for log in logs:
            event = chain.decode(RawLog.from_receipt(log))
            if event is not None:
                yield event
        start = end + 1


def decoded(chain: Chain, operation: Operation) -> list[DecodedCall]:
    """What an operation's calls do."""
    addresses = chain.deployment.addresses
    return [decode_call(addresses, call.target, call.data) for call in operation.calls]


def season_of(addresses: Mapping[str, str], call: Call) -> Season | None:
    """The season that a call adds; None if it does anything else, pays, or calls somebody else.

    Args:
        addresses: the deployment's contracts.
    """
    if call.value or call.target.lower() != addresses["SeasonRegistry"].lower():
        return None
    return added_season(call.data)


def only_seasons(addresses: Mapping[str, str], operation: Operation) -> bool:
    """Whether all that an operation does is to add seasons."""
    return all(season_of(addresses, call) is not None for call in operation.calls)


def scheduler_of(chain: Chain, tx_hash: bytes) -> str | None:
    """Who sent the transaction that scheduled an operation; None if the node does not say."""
    try:
        return chain.sender_of(tx_hash)
    except ChainBeastsError:
        return None


def find_operation(operations: Iterable[Operation], name: str) -> Operation:
    """An operation by its id, or by a beginning of it that no other has.

    Raises:
        ChainBeastsError: there is none, or there are several.
    """
    found = [one for one in operations if one.name.startswith(name.lower()) and len(name) > 2]
    if len(found) != 1:
        raise ChainBeastsError(
            f"There is no such operation: {name}."
            if not found
            else f"{len(found)} operations begin with {name}.",
            "See: chainbeasts season pending",
        )
    return found[0]


def execution(chain: Chain, operation: Operation) -> Any:
    """The call that executes an operation."""
    functions, calls = chain.timelock.functions, operation.calls
    rest = (operation.predecessor, operation.salt)
    if len(calls) == 1:
        call = (calls[0].target, calls[0].value, calls[0].data, *rest)
        # A batch of one call has another id than the call alone, and wants another execution.
        if bytes(chain.call(functions.hashOperation(*call))) == operation.id:
            return functions.execute(*call)
    return functions.executeBatch(*_columns(calls), *rest)


def _columns(calls: Sequence[Call]) -> tuple[list[str], list[int], list[bytes]]:
    return (
        [one.target for one in calls],
        [one.value for one in calls],
        [one.data for one in calls],
    )


def cancellation(chain: Chain, operation: Operation) -> Any:
    """The call that takes an operation back."""
    return chain.timelock.functions.cancel(operation.id)


def call_text(call: Call, known: DecodedCall) -> str:
    """What a call of an operation does, in a line; unknown ones raw and marked."""
    paid = f", with {show_coin(call.value)}" if call.value else ""
    if known.known:
        return f"{known}{paid}"
    if not call.data and call.value:
        return f"pays {show_coin(call.value)} to {call.target}"
    at = call.target if known.contract is None else f"{known.contract} ({call.target})"
    raw = call.data.hex()
    if len(call.data) > MOST_BYTES:
        raw = f"{raw[: 2 * MOST_BYTES]}… ({len(call.data)} bytes; all of them with --json)"
    return f"UNKNOWN call to {at}{paid}: 0x{raw}"
