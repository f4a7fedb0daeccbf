"""Sends transactions: simulated first, one nonce at a time, bumped until mined.

A journal, if given, learns of every signed transaction before it is broadcast, so that a daemon
that was killed in between knows what may be on its way.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import structlog
from eth_account.signers.local import LocalAccount
from filelock import FileLock
from web3.exceptions import (
    ContractLogicError,
    TransactionNotFound,
    Web3RPCError,
)
from web3.types import TxParams, TxReceipt, Wei

from backend.chain.client import TRANSPORT_ERRORS, Chain, revert_from
from backend.chain.errors import ChainError, NodeUnavailableError, Reverted

log = structlog.get_logger()

MAX_GAS = 1 << 24
"""The per-transaction gas cap of Osaka (EIP-7825)."""

MAX_RAW_BYTES = 128 * 1024
"""What public nodes accept as one transaction."""

GAS_MARGIN = 1.15
FEE_BUMP = 1.125
BUMP_SECONDS = 12.0
POLL_SECONDS = 0.05
TAKEN_SECONDS = 10.0
DEADLINE_SECONDS = 180.0
PRIORITY_FEE = 1_000_000_000
ALREADY_THERE = ("already known", "already imported", "nonce too low")


@dataclass(frozen=True, slots=True)
class SignedTransaction:
    """A transaction as it goes out."""

    label: str
    sender: str
    nonce: int
    hash: bytes
    raw: bytes


Journal = Callable[[SignedTransaction], None]
"""Called with each signed transaction before it is broadcast; a bump calls it again."""


@dataclass(frozen=True, slots=True)
class Receipt:
    """A mined transaction that succeeded."""

    label: str
    hash: bytes
    block_number: int
    block_hash: bytes
    gas_used: int
    raw: TxReceipt


class NonceTakenError(Exception):
    """Another transaction of the account was mined with the nonce; those we signed are void."""


class TransactionManager:
    """Sends one account's transactions to one chain.

    Args:
        lock_dir: folder of the nonce locks, shared by all processes that use the account.
        journal: learns of each signed transaction before it is broadcast.
        deadline: seconds to wait for a transaction before giving up.
    """

    def __init__(
        self,
        chain: Chain,
        account: LocalAccount,
        lock_dir: Path,
        *,
        journal: Journal | None = None,
        deadline: float = DEADLINE_SECONDS,
        bump_after: float = BUMP_SECONDS,
    ) -> None:
        self.chain = chain
        self.account = account
        self._journal = journal
        self._deadline = deadline
        self._bump_after = bump_after
        lock_dir.mkdir(parents=True, exist_ok=True)
        self._lock = FileLock(lock_dir / f"{chain.deployment.chain_id}-{account.address}.lock")

    @property
    def address(self) -> str:
        """The sender."""
        return str(self.account.address)

    def simulate(self, function: Any, *, gas: int = MAX_GAS) -> Any:
        """The result the call would have as a transaction.

        Raises:
            Reverted: the contract refuses.
        """
        return self.chain.read(lambda: function.call({"from": self.address, "gas": gas}))

    def estimate(self, function: Any) -> int:
        """Gas the call needs as a transaction.

        Raises:
            Reverted: the contract refuses.
        """
        return int(self.chain.read(lambda: function.estimate_gas({"from": self.address})))

    def send(self, function: Any, *, label: str, journal: Journal | None = None) -> Receipt:
        """Send a contract call and wait until it is mined.

        Raises:
            Reverted: the contract refuses, in the simulation or on chain.
            ChainError: no funds for gas, too large, or not mined in time.
        """
        data = function.build_transaction(
            {
                "gas": MAX_GAS,
                "nonce": 0,
                "from": self.address,
                "maxFeePerGas": 0,
                "maxPriorityFeePerGas": 0,
            }
        )["data"]
        self.simulate(function)
        gas = min(int(self.estimate(function) * GAS_MARGIN), MAX_GAS)
        return self._send({"to": function.address, "data": data, "gas": gas}, label, journal)

    def deploy(self, bytecode: bytes, *, label: str) -> Receipt:
        """Send a contract creation and wait until it is mined.

        Raises:
            Reverted: the constructor refuses.
            ChainError: no funds for gas, too large, or not mined in time.
        """
        call: TxParams = {"from": self.account.address, "data": "0x" + bytecode.hex()}  # type: ignore[typeddict-item]
        gas = self.chain.read(lambda: self.chain.w3.eth.estimate_gas(call))
        return self._send({"data": call["data"], "gas": min(int(gas * GAS_MARGIN), MAX_GAS)}, label)

    def resume(self, signed: SignedTransaction) -> Receipt | None:
        """Bring a transaction to its end that an earlier process signed and perhaps sent.

        Returns:
            Its receipt; None if it never can be mined, because its nonce went to another one.

        Raises:
            ChainError: it was mined and failed, or is not mined in time.
        """
        until = time.monotonic()  # the first look does not wait
        deadline = until + self._deadline
        with self._lock:
            while True:
                try:
                    receipt = self._await([signed], until, signed.nonce)
                except NonceTakenError:
                    return None
                if receipt is not None:
                    if receipt["status"] != 1:
                        raise ChainError(f"The transaction to {signed.label} failed on chain.")
                    return self._judge(receipt, {}, signed.label)
                self._broadcast(signed)
                until = min(deadline, time.monotonic() + self._bump_after)
                if time.monotonic() >= deadline:
                    raise ChainError(f"The transaction to {signed.label} is still not mined.")

    # --- the way out ----------------------------------------------------------------------------

    def _send(self, core: dict[str, Any], label: str, journal: Journal | None = None) -> Receipt:
        note = journal or self._journal or (lambda _: None)
        deadline = time.monotonic() + self._deadline
        with self._lock:  # against all processes that use the account, until it is mined
            sent: list[SignedTransaction] = []
            nonce, fees = self._next_nonce(), self._fees()
            while True:
                signed = self._sign(core, nonce, fees, label)
                note(signed)
                sent.append(signed)
                self._broadcast(signed)
                until = min(deadline, time.monotonic() + self._bump_after)
                try:
                    receipt = self._await(sent, until, nonce)
                except NonceTakenError:
                    nonce, fees, sent = self._next_nonce(), self._fees(), []
                    log.info("the nonce is taken, using the next", label=label, nonce=nonce)
                    continue
                if receipt is not None:
                    return self._judge(receipt, core, label)
                if time.monotonic() >= deadline:
                    raise ChainError(
                        f"The transaction to {label} was not mined in {self._deadline:g} s.",
                        "It may still be mined; look before you send it again.",
                    )
                fees = self._bump(fees)
                log.info("bumping fees", label=label, nonce=nonce, max_fee=fees[0])

    def _next_nonce(self) -> int:
        """Transactions of the account that are mined, which is the nonce of the next one."""
        eth, address = self.chain.w3.eth, self.account.address
        return self.chain.read(lambda: eth.get_transaction_count(address, "latest"))

    def _fees(self) -> tuple[int, int]:
        base = self.chain.read(
            lambda: self.chain.w3.eth.get_block("latest").get("baseFeePerGas", Wei(0))
        )
        return 2 * int(base) + PRIORITY_FEE, PRIORITY_FEE

    def _bump(self, fees: tuple[int, int]) -> tuple[int, int]:
        fresh = self._fees()
        bumped = (int(fees[0] * FEE_BUMP) + 1, int(fees[1] * FEE_BUMP) + 1)
        return max(bumped[0], fresh[0]), max(bumped[1], fresh[1])

    def _sign(
        self, core: dict[str, Any], nonce: int, fees: tuple[int, int], label: str
    ) -> SignedTransaction:
        transaction = {
            **core,
            "type": 2,
            "chainId": self.chain.deployment.chain_id,
            "nonce": nonce,
            "value": 0,
            "maxFeePerGas": fees[0],
            "maxPriorityFeePerGas": fees[1],
        }
        signed = self.account.sign_transaction(transaction)
        raw = bytes(signed.raw_transaction)
        if len(raw) > MAX_RAW_BYTES:
            raise ChainError(
                f"The transaction to {label} has {len(raw)} bytes; nodes accept {MAX_RAW_BYTES}.",
                "Send less at a time.",
            )
        return SignedTransaction(label, self.address, nonce, bytes(signed.hash), raw)

    def _broadcast(self, signed: SignedTransaction) -> None:
        """Hand a transaction to the node; sending the same one twice does no harm."""
        try:
            self.chain.w3.eth.send_raw_transaction(signed.raw)
        except TRANSPORT_ERRORS as error:
            log.warning("broadcast failed", label=signed.label, error=type(error).__name__)
        except ContractLogicError as error:
            raise revert_from(error) from None
        except Web3RPCError as error:
            message = str(error.message or error).lower()
            if "insufficient funds" in message:
                raise ChainError(
                    f"{self.address} cannot pay the gas to {signed.label}.",
                    "Send it some of the chain's native coin.",
                ) from None
            if not any(known in message for known in ALREADY_THERE):
                raise ChainError(f"The node refused to {signed.label}: {message}") from None

    def _await(self, sent: list[SignedTransaction], until: float, nonce: int) -> TxReceipt | None:
        """The receipt of whichever of the same-nonce transactions was mined.

        None after ``until``.

        Raises:
            NonceTakenError: the nonce is used, and none of them has a receipt, for a while: a node
                counts a transaction a moment before it shows the receipt.
        """
        used_since: float | None = None
        while True:
            for signed in reversed(sent):
                receipt = self._receipt(signed.hash)
                if receipt is not None:
                    return receipt
            now = time.monotonic()
            if used_since is None and self._next_nonce() > nonce:
                used_since = now
            if used_since is not None:
                if now - used_since >= TAKEN_SECONDS:
                    raise NonceTakenError
            elif now >= until:
                return None
            time.sleep(POLL_SECONDS)

    def _receipt(self, tx_hash: bytes) -> TxReceipt | None:
        try:
            return self.chain.read(lambda: self.chain.w3.eth.get_transaction_receipt(tx_hash))  # type: ignore[arg-type]
        except (TransactionNotFound, NodeUnavailableError):
            return None

    def _judge(self, receipt: TxReceipt, core: dict[str, Any], label: str) -> Receipt:
        if receipt["status"] != 1:
            raise self._replay(core, receipt)
        log.debug("mined", label=label, gas=receipt["gasUsed"], block=receipt["blockNumber"])
        return Receipt(
            label,
            bytes(receipt["transactionHash"]),
            receipt["blockNumber"],
            bytes(receipt["blockHash"]),
            receipt["gasUsed"],
            receipt,
        )

    def _replay(self, core: dict[str, Any], receipt: TxReceipt) -> Exception:
        """Why a mined transaction failed: its call again, on the state before its block."""
        call = {**core, "from": self.address}
        try:
            self.chain.read(
                lambda: self.chain.w3.eth.call(call, receipt["blockNumber"] - 1)  # type: ignore[arg-type]
            )
        except Reverted as error:
            return error
        tx = "0x" + bytes(receipt["transactionHash"]).hex()
        return ChainError(f"Transaction {tx} failed on chain, perhaps for lack of gas.")
