"""Commits to a proof in one block and sends it in a later one, so that a copy of it earns nothing.

An earlier block is all that the court asks for; whatever is sent once the commitment is mined
stands in a later one.
"""

from __future__ import annotations

from typing import Any

from chainbeasts.backend.chain.client import Chain
from chainbeasts.backend.chain.outbox import Outbox
from chainbeasts.backend.chain.types import ZERO32
from chainbeasts.validator.enforce.moves import Proof
from chainbeasts.validator.enforce.secret import salt_of

COMMIT = "commit"

SPARE_GAS = 150_000
"""What a proof takes more once its commitment counts, which is from the next block on: the books of
whoever it pays."""


class Committer:
    """The commitments of one validator.

    Args:
        secret: that salts follow from.
    """

    def __init__(self, chain: Chain, secret: bytes) -> None:
        self._chain = chain
        self._secret = secret

    def salt(self, digest: bytes, name: str) -> bytes:
        """The salt of a move over a record; ``name`` tells the record's moves apart."""
        return salt_of(self._secret, digest, name)

    def commitment(self, sender: str, digest: bytes, name: str, proof: Proof) -> bytes:
        """What a sender commits to."""
        return proof.commitment(sender, self.salt(digest, name))

    def is_made(self, sender: str, digest: bytes, name: str, proof: Proof) -> bool:
        """Whether the sender has committed to a proof."""
        return self._chain.committed_in(self.commitment(sender, digest, name, proof)) != 0

    def commit(self, outbox: Outbox, digest: bytes, name: str, proof: Proof) -> bool:
        """Commit to a proof; whether that was done now.

        Raises:
            ChainBeastsError: no funds, no node, or not mined in time.
        """
        if self.is_made(outbox.me, digest, name, proof):
            return False
        commitment = self.commitment(outbox.me, digest, name, proof)
        call = self._chain.court.functions.commit(commitment)
        # Named by the commitment itself: another result, after a reorg say, is another one.
        sent = outbox.send_once(COMMIT, commitment.hex(), call, label="commit to a proof")
        return sent is not None

    def call(self, digest: bytes, name: str, proof: Proof, *, committed: bool) -> Any:
        """The proof's call, with the salt if it was committed to."""
        return proof.call(self.salt(digest, name) if committed else ZERO32)
