"""An account's nonces as a node tells of them: how many are used, and by what."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from chainbeasts.backend.chain.client import Chain
from chainbeasts.backend.chain.errors import ChainError, StoppedError
from chainbeasts.backend.chain.views import BY_NUMBER, as_json, transaction_count

KEPT_STATES = 128
"""Blocks whose accounts every full node can tell of."""

MOST_SCANNED = 64
"""Blocks that are read whole where a node cannot even tell of those."""


@dataclass(frozen=True, slots=True)
class Use:
    """The mined transaction that used a nonce."""

    hash: bytes
    block_number: int


class Nonces:
    """One account's nonces."""

    def __init__(self, chain: Chain, address: str) -> None:
        self._chain = chain
        self._address: Any = address

    def used(self) -> int:
        """Transactions of the account that are mined, which is the nonce of the next one."""
        return self._count("latest")

    def agreed(self) -> int | None:
        """The same, if it is told twice in the same way; else None: nodes behind one name differ.

        One that is too high would be signed, and all the nonces below it would have to be paid for.
        """
        first = self.used()
        return first if self.used() == first else None

    def taken(self) -> int:
        """The same, with those that the node holds and that are not mined yet."""
        return self._count("pending")

    def _count(self, block: Any) -> int:
        w3 = self._chain.w3
        return self._chain.read(lambda: transaction_count(w3, self._address, block))

    def use_of(self, nonce: int) -> Use | None:
        """The mined transaction with a nonce, by the blocks themselves; None if it is not found.

        A receipt that is not there says nothing: nodes show it late, or not for long. That another
        transaction stands in a block at this nonce is the one proof that ours can never be mined;
        in a block of this chain, which the node is asked for, and signed for it.

        Raises:
            StoppedError: the process is to end.
        """
        try:
            head = self._chain.block().number
            try:
                use = self._use_in(self._first_with(nonce, head), nonce)
            except StoppedError:
                raise
            except ChainError:  # it does not tell of earlier states
                use = self._scan(head, nonce)
            if use is not None:
                self._chain.check()
            return use
        except StoppedError:
            raise
        except ChainError:  # one of another chain is no proof either
            return None

    def waiting_at(self, nonce: int) -> bytes | None:
        """The hash of the transaction that the node holds at a nonce; None if it does not say."""
        with suppress(ChainError):
            return self._find("pending", nonce)
        return None

    def _first_with(self, nonce: int, head: int) -> int:
        """The first block after which the nonce is used, among the last ones."""
        low, high = max(head - KEPT_STATES, 0), head
        # Used before ``low``: the block is too old to be looked for in this way.
        while high - low > 1:
            middle = (low + high) // 2
            if self._count(middle) > nonce:
                high = middle
            else:
                low = middle
        return high

    def _use_in(self, number: int, nonce: int) -> Use | None:
        found = self._find(number, nonce)
        return None if found is None else Use(found, number)

    def _scan(self, head: int, nonce: int) -> Use | None:
        found = (self._use_in(n, nonce) for n in range(head, max(head - MOST_SCANNED, -1), -1))
        return next((use for use in found if use is not None), None)

    def _find(self, block: Any, nonce: int) -> bytes | None:
        """The hash of the account's transaction with a nonce in a block, signed for this chain."""
        w3 = self._chain.w3
        # As the node gave it: web3 stumbles over fields that nobody reads here.
        whole: Any = self._chain.read(
            lambda: w3.manager.request_blocking(BY_NUMBER, [as_json(block), True])
        )
        # None: another node of the same name answered, which is behind
        for one in (whole or {}).get("transactions", ()):
            if (
                isinstance(one, dict)
                and one["from"].lower() == self._address.lower()
                and int(one["nonce"], 16) == nonce
                and _chain_of(one) == self._chain.deployment.chain_id
            ):
                return bytes.fromhex(one["hash"][2:])
        return None


def _chain_of(transaction: Mapping[str, Any]) -> int | None:
    """The chain that a transaction was signed for; None if it was signed for any."""
    named = transaction.get("chainId")
    if named is not None:
        return int(named, 16)
    signed = int(transaction.get("v") or "0x0", 16)  # EIP-155, of a node that leaves the id out
    return (signed - 35) // 2 if signed >= 35 else None
