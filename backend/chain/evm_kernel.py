"""The kernel's Solidity twin on a chain of its own: how anybody runs single rules in the EVM.

Nothing here touches a deployment. What is judged in disputes is the same StepReferee.
"""

from __future__ import annotations

from types import TracebackType
from typing import Any, Self

from eth_hash.auto import keccak
from web3 import Web3
from web3.contract import Contract

from backend.chain.anvil import Anvil
from backend.chain.client import connect, read
from backend.chain.compile import artifact
from backend.chain.types import header_to_abi
from backend.chain.views import call_view
from backend.kernel import merkle
from backend.kernel.combat import DRAW, Action, Match, a_acts_first
from backend.kernel.fighters import Fighter
from backend.kernel.labels import Label
from backend.kernel.rules import Rules
from backend.kernel.state import Header, hash_header, serialize_weights
from backend.kernel.window import WindowContext

CALL_GAS = 1 << 24
"""Gas of one call: what a transaction may use, so that nothing is proven here that could not be
proven on a chain."""

NO_MOVE = 4
NOBODY = 2
"""The referee's result of a draw."""


def context_to_abi(ctx: WindowContext) -> tuple[Any, ...]:
    """The ``WindowContext`` struct of a kernel context."""
    return (
        ctx.dna,
        ctx.epoch_seed,
        ctx.heads,
        ctx.lr_shift,
        int(ctx.source),
        ctx.owner_secret_fold,
        ctx.records_root,
        ctx.records_length,
        ctx.rules.values(),
    )


def _opened(fighter: Fighter) -> tuple[bytes, Any, bytes]:
    """A state with a fighter's brain: its hash, header and weights, as the referee takes them."""
    header = Header(0, bytes(32), 0, fighter.active_mask, 0, 0)
    weights = serialize_weights(fighter.weights)
    return hash_header(header, bytes(keccak(weights))), header_to_abi(header), weights


class EvmKernel:
    """StepReferee, KernelInspector and MatchReferee behind the types of ``backend.kernel``.

    Every method is an ``eth_call``.

    Raises:
        Reverted: (all methods) the contract refused its arguments.
    """

    def __init__(self, rpc_url: str, anvil: Anvil | None = None) -> None:
        self._anvil = anvil
        self._url = rpc_url
        self.w3 = connect(rpc_url)
        self.referee = self._deploy("StepReferee")
        self.inspector = self._deploy("KernelInspector")
        self.match_referee = self._deploy("MatchReferee")

    @classmethod
    def start(cls) -> Self:
        """On an Anvil child of its own, which ends with ``close`` or the context manager."""
        anvil = Anvil().start()
        try:
            return cls(anvil.url, anvil)
        except BaseException:
            anvil.stop()
            raise

    def close(self) -> None:
        """End the Anvil child, if there is one."""
        if self._anvil is not None:
            self._anvil.stop()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _deploy(self, name: str) -> Contract:
        code = artifact(name)
        factory = self.w3.eth.contract(abi=code.abi, bytecode=code.bytecode)
        sender = self.w3.eth.accounts[0]
        tx = factory.constructor().transact({"from": sender, "gas": CALL_GAS})
        receipt = self.w3.eth.wait_for_transaction_receipt(tx)
        address = receipt["contractAddress"]
        assert address is not None
        return self.w3.eth.contract(address=Web3.to_checksum_address(address), abi=code.abi)

    def _call(self, function: Any) -> Any:
        return read(lambda: call_view(function, {"gas": CALL_GAS}), self._url)

    # --- single rules ---------------------------------------------------------------------------

    def kernel_id(self) -> bytes:
        """32 bytes; see docs/spec/state.md."""
        return bytes(self._call(self.referee.functions.kernelId()))

    def is_valid(self, word: int) -> bool:
        """Whether a word may be trained on."""
        return bool(self._call(self.inspector.functions.isValid(word)))

    def label(self, word: int, rules: Rules) -> Label:
        """The labels of a valid word."""
        move, attack, block = self._call(self.inspector.functions.label(word, rules.values()))
        return Label(None if move == NO_MOVE else move, attack, block)

    def features(self, word: int) -> list[int]:
        """The 32 inputs of a valid word."""
        return [int(x) for x in self._call(self.inspector.functions.features(word))]

    def activate(self, word: int, action: Action, rules: Rules, battle_seed: int) -> int:
        """The word after ``self`` has acted; the word is valid and its match not over."""
        return int(
            self._call(
                self.inspector.functions.activate(
                    word,
                    action.direction,
                    action.power,
                    action.block,
                    rules.values(),
                    battle_seed,
                )
            )
        )

    def genesis(self, beast_id: int, dna: bytes) -> tuple[int, bytes, bytes]:
        """(active mask, weights hash, state hash) at hatch."""
        mask, weights_hash = self._call(self.inspector.functions.genesis(dna))
        h = self._call(self.referee.functions.genesisHash(beast_id, dna))
        return int(mask), bytes(weights_hash), bytes(h)

    # --- matches --------------------------------------------------------------------------------

    def play(self, a: Fighter, b: Fighter, battle_seed: int, rules: Rules) -> Match:
        """A whole match, turn by turn as a disproof would judge it; the root is the reference's."""
        judge, constants = self.match_referee.functions, rules.values()
        word = int(self._call(judge.firstWord(a.dna, b.dna, battle_seed, constants)))
        acting, other = (_opened(one) for one in ((a, b) if a_acts_first(battle_seed) else (b, a)))
        words: list[int] = []
        while self._call(judge.isActive(word, constants)):
            words.append(word)
            word = int(self._call(judge.nextWord(*acting, word, battle_seed, constants)))
            acting, other = other, acting
        over, result = self._call(judge.outcome(word, battle_seed, constants))
        if not over:
            raise ValueError(f"word 0x{word:064x} is neither active nor an end")
        winner = DRAW if result == NOBODY else int(result)
        return Match(tuple(words), word, winner, merkle.root(words))

    # --- steps ----------------------------------------------------------------------------------

    def run(
        self,
        ctx: WindowContext,
        expected: bytes,
        header: Header,
        weights: bytes,
        steps: int,
        witnesses: bytes = b"",
    ) -> bytes:
        """The state hash after ``steps`` micro-steps from a state inside a window."""
        return bytes(
            self._call(
                self.referee.functions.run(
                    context_to_abi(ctx), expected, header_to_abi(header), weights, steps, witnesses
                )
            )
        )

    def run_from_parent(
        self,
        ctx: WindowContext,
        expected: bytes,
        header: Header,
        weights: bytes,
        active_mask: int,
        steps: int,
        witnesses: bytes = b"",
    ) -> bytes:
        """The same from the parent checkpoint's state, moved into the window first."""
        return bytes(
            self._call(
                self.referee.functions.runFromParent(
                    context_to_abi(ctx),
                    expected,
                    header_to_abi(header),
                    weights,
                    active_mask,
                    steps,
                    witnesses,
                )
            )
        )

    def run_from_genesis(
        self,
        ctx: WindowContext,
        beast_id: int,
        active_mask: int,
        steps: int,
        witnesses: bytes = b"",
    ) -> bytes:
        """The same from the state at hatch."""
        return bytes(
            self._call(
                self.referee.functions.runFromGenesis(
                    context_to_abi(ctx), beast_id, active_mask, steps, witnesses
                )
            )
        )
