"""What a node shows of its chain, as far as the protocol stands on it; judged by chain_rules.

Asks by calls alone: small programs that are run as if they were a contract's creation, which any
node answers without an account, a key or a state override. Sends nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from math import isqrt
from typing import TypeVar

from eth_typing import BlockNumber, HexStr
from hexbytes import HexBytes
from web3 import Web3
from web3.exceptions import ContractLogicError, Web3Exception
from web3.types import BlockData, FilterParams, TxParams

from chainbeasts.backend.chain.anvil import is_local_chain
from chainbeasts.backend.chain.chunks import MAX_WHOLE
from chainbeasts.backend.chain.client import read
from chainbeasts.backend.chain.compile import artifacts
from chainbeasts.backend.chain.deployment import CONTRACTS
from chainbeasts.backend.chain.errors import ChainError, NodeUnavailableError, Reverted
from chainbeasts.backend.chain.gas_figures import heaviest_transaction
from chainbeasts.backend.chain.reading import ANSWERS

T = TypeVar("T")

TX_GAS_CAP = 1 << 24
"""EIP-7825's cap on a transaction's gas."""

HISTORY = Web3.to_checksum_address("0x0000F90827F1C53a10cb7A02335B175320002935")
"""The contract that serves the hashes of the last 8,191 blocks (EIP-2935)."""

HISTORY_DEPTHS = (1, 257, 8_190)
"""Blocks back at which it is asked: the newest, one that BLOCKHASH no longer knows, a last one."""

_ARBSYS = Web3.to_checksum_address("0x0000000000000000000000000000000000000064")
_L1_BLOCK = Web3.to_checksum_address("0x4200000000000000000000000000000000000015")
_IDENTITY = Web3.to_checksum_address("0x0000000000000000000000000000000000000004")

_RETURN_WORD = "600052" + "60206000f3"  # what is on the stack, as the code of the new contract
_SPAN = 256
"""Blocks over which the time between blocks is taken."""

_LOOK_BACK, _LOOK_AT = 100_000, 16
"""Where no deployment says from which block on logs are wanted: so many blocks before the head; and
how many are looked at from there on for one that has any."""

YOUNG: Mapping[int, tuple[str, str, str]] = {
    0x44: ("PREVRANDAO", "Paris", "44"),
    0x46: ("CHAINID", "Istanbul", "46"),
    0x47: ("SELFBALANCE", "Istanbul", "47"),
    0x48: ("BASEFEE", "London", "48"),
    0x49: ("BLOBHASH", "Cancun", "600049"),
    0x4A: ("BLOBBASEFEE", "Cancun", "4a"),
    0x5C: ("TLOAD", "Cancun", "60005c"),
    0x5D: ("TSTORE", "Cancun", "602a60005d602a"),
    0x5E: ("MCOPY", "Cancun", "6000600060005e6000"),
    0x5F: ("PUSH0", "Shanghai", "5f"),
    0x1E: ("CLZ", "Osaka", "60011e"),
}
"""Opcodes younger than the oldest chains: name, hardfork, and a program that leaves one word."""

_ENDS = frozenset((0x00, 0x56, 0xF3, 0xFD, 0xFE, 0xFF))  # STOP, JUMP, RETURN, REVERT, INVALID, …
_JUMPDEST, _PUSH1, _PUSH32 = 0x5B, 0x60, 0x7F


class Kind(Enum):
    """Rollups that mark themselves by a contract at a fixed address."""

    PLAIN = "no rollup that marks itself"
    OP = "an OP Stack rollup"
    ARBITRUM = "an Arbitrum chain"


@dataclass(frozen=True, slots=True)
class Needs:
    """What the contracts of this installation ask of a chain.

    Attributes:
        opcodes: young ones that their code runs.
        code, creation: bytes of the largest contract, deployed and as it is created.
        heaviest: gas of the dearest transaction in the gas report.
        calldata: bytes of the largest transaction.
    """

    opcodes: frozenset[int]
    code: int
    creation: int
    heaviest: int
    calldata: int = MAX_WHOLE

    @classmethod
    def of_contracts(cls) -> Needs:
        """Read from the compiled contracts and the gas report."""
        made = artifacts(CONTRACTS).values()
        used = (opcodes_in(code) for one in made for code in (one.runtime, one.bytecode))
        return cls(
            frozenset().union(*used),
            max(one.code_size for one in made),
            max(len(one.bytecode) for one in made),
            heaviest_transaction(),
        )


@dataclass(frozen=True, slots=True)
class ChainFacts:
    """What a node answered; None where it answered nothing of use.

    Attributes:
        local: a chain of this machine, whose blocks come when they are asked for.
        called_number: ``block.number`` as a call in the head block sees it.
        called_hash, true_hash: the hash of the block before that, by BLOCKHASH and by its header.
        simulates: whether the node runs a creation as a call at all.
        opcodes: of those needed, which the chain runs.
        creates: whether a contract as large as the largest can be created.
        carries: whether a call with as much calldata as the largest transaction is answered.
        estimate, due: gas estimated for a transaction as heavy as the heaviest, and what Ethereum's
            rules make it.
        history_code: whether there is a contract at the address of the block-hash history.
        history: by depth, what it answers and the true hash; empty bytes where it refuses.
        future: what it answers about a block that does not exist yet, be it in a refusal.
        seconds: between blocks; None with fewer than two.
        backwards: whether a block is older than the one before it.
        logs: how the node serves logs of old blocks; empty where there are none to ask for.
    """

    chain_id: int
    local: bool
    kind: Kind
    number: int
    gas_limit: int
    base_fee: int | None
    called_number: int | None
    called_hash: bytes | None
    true_hash: bytes | None
    simulates: bool
    opcodes: Mapping[int, bool]
    creates: bool
    carries: bool
    estimate: int | None
    due: int
    history_code: bool
    history: Mapping[int, tuple[bytes, bytes]]
    future: bytes
    seconds: float | None
    backwards: bool
    logs: str


def opcodes_in(code: bytes) -> frozenset[int]:
    """The young opcodes that a contract's code can reach.

    What follows an end and is no jump's target is data: tables, or another contract's code.
    """
    found: set[int] = set()
    at, live = 0, True
    while at < len(code):
        opcode = code[at]
        live = live or opcode == _JUMPDEST
        if live and opcode in YOUNG:
            found.add(opcode)
        if opcode in _ENDS:
            live = False
        at += 1 + (opcode - _PUSH1 + 1 if _PUSH1 <= opcode <= _PUSH32 else 0)
    return frozenset(found)


def _revert_data(error: ContractLogicError) -> bytes:
    data = error.data
    if isinstance(data, dict):  # as Hardhat's node wraps it
        data = data.get("data")
    if isinstance(data, str) and data.startswith("0x"):
        return bytes.fromhex(data[2:])
    return b""


def gather(w3: Web3, rpc_url: str, needs: Needs, start_block: int | None = None) -> ChainFacts:
    """Ask the node.

    Args:
        start_block: the first whose logs are wanted, a deployment's; None before there is one.

    Raises:
        NodeUnavailableError: nobody answers.
    """
    return _Asking(w3, rpc_url).facts(needs, start_block)


class _Asking:
    """One node, asked about its head block."""

    def __init__(self, w3: Web3, rpc_url: str) -> None:
        self._w3 = w3
        self._url = rpc_url
        self._head = self._read(lambda: w3.eth.get_block("latest"))
        self._number = int(self._head["number"])

    def facts(self, needs: Needs, start_block: int | None) -> ChainFacts:
        """Everything, one question after the other."""
        chain_id = self._read(lambda: self._w3.eth.chain_id)
        called = self._word("43")
        called_hash = self._run(f"6001430340{_RETURN_WORD}")
        base_fee = self._head.get("baseFeePerGas")
        estimate, due = self._estimate(needs.heaviest)
        seconds, backwards = self._pace()
        return ChainFacts(
            chain_id=chain_id,
            local=is_local_chain(chain_id, self._url),
            kind=self._kind(),
            number=self._number,
            gas_limit=int(self._head["gasLimit"]),
            base_fee=None if base_fee is None else int(base_fee),
            called_number=called,
            called_hash=called_hash,
            true_hash=self._hash(called - 1) if called else None,
            simulates=self._word("6007") == 7,
            opcodes={op: self._word(YOUNG[op][2]) is not None for op in sorted(needs.opcodes)},
            creates=self._creates(needs),
            carries=self._carries(needs.calldata),
            estimate=estimate,
            due=due,
            history_code=bool(self._code(HISTORY)),
            history=self._history(),
            future=self._ask_history(self._number + 1_000),
            seconds=seconds,
            backwards=backwards,
            logs=self._logs(start_block),
        )

    def _read(self, call: Callable[[], T]) -> T:
        return read(call, self._url)

    def _tried(self, call: Callable[[], T]) -> T | None:
        """An answer, None where the node refuses the question."""

        def ask() -> T | None:
            try:
                return call()
            except ANSWERS:
                raise
            except (Web3Exception, ValueError):  # of one answer; the others may do
                return None

        try:
            return self._read(ask)
        except NodeUnavailableError:
            raise
        except (ChainError, Reverted):
            return None

    # --- calls ----------------------------------------------------------------------------------

    def _run(self, program: str, padded: int = 0) -> bytes | None:
        """What a program returns when it runs as a creation."""
        data = program + "00" * (padded - len(program) // 2)
        call: TxParams = {"data": HexStr(f"0x{data}"), "gas": TX_GAS_CAP}
        found = self._tried(lambda: self._w3.eth.call(call, BlockNumber(self._number)))
        return None if found is None else bytes(found)

    def _word(self, program: str) -> int | None:
        """The word that a program leaves."""
        found = self._run(program + _RETURN_WORD)
        return int.from_bytes(found) if found is not None and len(found) == 32 else None

    def _creates(self, needs: Needs) -> bool:
        code = self._run(f"61{needs.code:04x}6000f3", padded=needs.creation)
        return code is not None and len(code) == needs.code

    def _carries(self, size: int) -> bool:
        """A call to the precompile that gives back what it is given."""
        call: TxParams = {"to": _IDENTITY, "data": HexStr("0x" + "00" * size), "gas": TX_GAS_CAP}
        try:
            found = self._tried(lambda: self._w3.eth.call(call, BlockNumber(self._number)))
        except NodeUnavailableError:  # a proxy's limit on bodies ends the connection
            return False
        return found is not None and len(found) == size

    def _estimate(self, gas: int) -> tuple[int | None, int]:
        """Gas estimated for a program that takes memory worth ``gas``, and what is due for it."""
        base = 53_000 + 2 + 3 + 3 + 2  # a creation, its one word of code, PUSH3, MLOAD, POP
        words = isqrt(768 * 768 + 512 * (gas - base)) - 768  # 3 gas a word, and words² / 512
        program = f"62{32 * (words - 1):06x}5150"
        zeros = bytes.fromhex(program).count(0)
        data_gas = 16 * (len(program) // 2 - zeros) + 4 * zeros
        due = base + data_gas + 3 * words + words * words // 512
        call: TxParams = {"data": HexStr(f"0x{program}")}
        found = self._tried(lambda: self._w3.eth.estimate_gas(call))
        return (None if found is None else int(found)), due

    def _code(self, address: str) -> bytes:
        where = Web3.to_checksum_address(address)
        return bytes(self._tried(lambda: self._w3.eth.get_code(where)) or b"")

    def _kind(self) -> Kind:
        if self._code(_ARBSYS):
            return Kind.ARBITRUM
        return Kind.OP if self._code(_L1_BLOCK) else Kind.PLAIN

    # --- block hashes ---------------------------------------------------------------------------

    def _block(self, number: int) -> BlockData | None:
        return self._tried(lambda: self._w3.eth.get_block(BlockNumber(number)))

    def _hash(self, number: int) -> bytes | None:
        found = self._block(number) if number >= 0 else None
        return None if found is None else bytes(found["hash"])

    def _history(self) -> dict[int, tuple[bytes, bytes]]:
        found = {}
        for depth in HISTORY_DEPTHS:
            wanted = self._hash(self._number - depth)
            if wanted is not None:
                found[depth] = (self._ask_history(self._number - depth), wanted)
        return found

    def _ask_history(self, number: int) -> bytes:
        """What the contract returns for a block's number, also if it reverts with it."""
        data = HexStr("0x" + number.to_bytes(32).hex())
        call: TxParams = {"to": HISTORY, "data": data, "gas": TX_GAS_CAP}

        def ask() -> bytes:
            try:
                return bytes(self._w3.eth.call(call, BlockNumber(self._number)))
            except ContractLogicError as error:
                return _revert_data(error)

        return self._tried(ask) or b""

    # --- time and logs --------------------------------------------------------------------------

    def _pace(self) -> tuple[float | None, bool]:
        """Seconds between blocks over some time, and whether the last ones go backwards."""
        span = min(self._number, _SPAN)
        first, before = self._block(self._number - span), self._block(self._number - 1)
        if span == 0 or first is None:
            return None, False
        backwards = before is not None and before["timestamp"] > self._head["timestamp"]
        return (self._head["timestamp"] - first["timestamp"]) / span, backwards

    def _logs(self, start_block: int | None) -> str:
        """What is wrong with the logs of the oldest block that matters; empty if nothing is seen.

        Before a deployment that is the oldest that a season's publications could be in, about; the
        nearest one after it that has logs by its bloom is asked for.
        """
        first = start_block if start_block is not None else max(self._number - _LOOK_BACK, 0)
        for number in range(first, min(first + _LOOK_AT, self._number) + 1):
            block = self._block(number)
            if block is None:
                return f"it does not have block {number}"
            if any(bytes(block.get("logsBloom", b""))):
                wanted: FilterParams = {"blockHash": HexBytes(block["hash"])}
                logs = self._tried(lambda wanted=wanted: self._w3.eth.get_logs(wanted))  # type: ignore[misc]
                if logs is None:
                    return f"it refuses the logs of block {number}"
                if not logs:
                    return (
                        f"it has no logs for block {number}, whose bloom says that there are some"
                    )
                return ""
        return ""
