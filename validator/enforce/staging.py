"""Puts a large private dataset on chain before its dispute: on the account's own stage, in chunks.

The chain says how far a stage is, so whoever was killed goes on from there. Sends through what it
is given; files nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from eth_abi.abi import encode
from eth_hash.auto import keccak
from web3 import Web3

from chainbeasts.backend.chain.chunks import CHUNKS_AT_ONCE, chunks_of
from chainbeasts.backend.chain.client import Chain
from chainbeasts.backend.chain.errors import ChainError, Reverted
from chainbeasts.backend.store.private import PrivateDataset

MAX_REFUSALS = 3
_OVERTAKEN = ("StageExists", "NoStage", "WrongChunk", "StageIsClosed")


@dataclass(frozen=True, slots=True)
class StagingStep:
    """The next transaction of a stage.

    Attributes:
        key: names it among the account's moves, also across abandoned stages.
    """

    key: str
    call: Any
    label: str


Send = Callable[[StagingStep], object]
"""Sends a move, or finds that it was sent before."""

Progress = Callable[[int, int], None]
"""Called with how many of how many chunks are on chain."""


def seal_of(uploader: str, secret: bytes) -> bytes:
    """What binds a stage to its uploader and to a secret that is not public yet."""
    return bytes(keccak(encode(["address", "bytes32"], [uploader, secret])))


class Staging:
    """One account's stage of one dataset.

    Args:
        uploader: the account that will file.
    """

    def __init__(self, chain: Chain, uploader: str, data: PrivateDataset) -> None:
        self._chain = chain
        self._uploader = Web3.to_checksum_address(uploader)
        self._digest = bytes(keccak(data.compressed))
        self._seal = seal_of(uploader, data.secret)
        self._chunks = chunks_of(data.compressed)
        self._hashes = [bytes(keccak(b"\0" + chunk)) for chunk in self._chunks]

    def run(
        self,
        send: Send,
        progress: Progress = lambda done, total: None,
        still_needed: Callable[[], bool] = lambda: True,
    ) -> None:
        """Stage what is not staged yet.

        Args:
            progress: called before each transaction.
            still_needed: asked before each transaction; a rival may reveal the dataset meanwhile.

        Raises:
            Reverted: the contract refuses.
            ChainBeastsError: no funds, no node, or a transaction was not mined in time.
        """
        before, refusals = None, 0
        while True:
            state = self._state()
            move = self._next(state)
            progress(len(state[3]), len(self._chunks))
            if move is None or not still_needed():
                return
            # Every transaction is paid for: a node that lies or lags must not make us send the same
            # one for ever.
            if state == before:
                refusals += 1
                if refusals == MAX_REFUSALS:
                    raise ChainError(
                        "The dataset's stage does not grow although its transactions are mined.",
                        "Check that --rpc-url is a node that follows the chain.",
                    )
            before = state
            try:
                send(move)
            except Reverted as error:
                if error.name not in _OVERTAKEN:
                    raise  # else an earlier process' transaction was mined meanwhile: look again

    def _state(self) -> tuple[bytes, int, int, list[bytes]]:
        """Seal, block in which it began, round, and hashes of the chunks on chain."""
        functions = self._chain.stage.functions
        found = self._chain.call(functions.stageOf(self._uploader, self._digest))
        seal, begun, number, _, hashes = found
        return bytes(seal), int(begun), int(number), [bytes(h) for h in hashes]

    def _next(self, state: tuple[bytes, int, int, list[bytes]]) -> StagingStep | None:
        seal, _, number, staged = state
        functions, name = self._chain.stage.functions, f"{self._digest.hex()}:{number}"
        # The seal names us and the secret, which stays unknown until the filing: a rival who copies
        # these chunks cannot file with them, nor begin a stage in time that he could file with.
        if not any(seal):
            call = functions.begin(self._digest, self._seal)
            return StagingStep(f"{name}:begin", call, "begin the dataset's stage")
        done = len(staged)
        # Only our own account writes here, so these are the remains of an earlier secret or file.
        # Going on from them would pay for a stage that the filing refuses.
        if seal != self._seal or staged != self._hashes[:done]:
            call = functions.abandon(self._digest)
            return StagingStep(f"{name}:abandon", call, "abandon a stage of other bytes")
        if done == len(self._chunks):
            return None
        call = functions.stage(self._digest, done, self._chunks[done : done + CHUNKS_AT_ONCE])
        return StagingStep(f"{name}:{done}", call, "stage a part of the dataset")
