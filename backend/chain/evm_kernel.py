"""The kernel's Solidity twin on a chain of its own: how anybody runs single rules in the EVM.

Nothing here touches a deployment. What is judged in disputes is the same StepReferee.
"""

from __future__ import annotations

from collections.abc import Sequence
from types import TracebackType
from typing import Any, Self

from web3 import Web3
from web3.contract import Contract

from chainbeasts.backend.chain import clock
from chainbeasts.backend.chain.anvil import Anvil
from chainbeasts.backend.chain.client import connect, read
from chainbeasts.backend.chain.compile import artifact
from chainbeasts.backend.chain.errors import Reverted
from chainbeasts.backend.chain.types import header_to_abi
from chainbeasts.backend.chain.views import call_view
from chainbeasts.backend.kernel import merkle
from chainbeasts.backend.kernel.combat import DRAW, Action, Match, RefusedWordError, a_acts_first
from chainbeasts.backend.kernel.fighters import Fighter
from chainbeasts.backend.kernel.labels import Label
from chainbeasts.backend.kernel.row_opening import open_pass
from chainbeasts.backend.kernel.rules import Rules
from chainbeasts.backend.kernel.state import Header, State, serialize_weights, state_hash
from chainbeasts.backend.kernel.window import WindowContext

CALL_GAS = 1 << 24
"""Gas of one call: what a transaction may use, so that nothing is proven here that could not be
proven on a chain."""

NO_MOVE = 4
NOBODY = 2
"""The referee's result of a draw."""

REFUSED_WORD = ("InvalidWord", "MatchOver")


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


def _state(fighter: Fighter) -> State:
    """A state with a fighter's brain."""
    return State(Header(0, bytes(32), 0, fighter.active_mask, 0, 0), fighter.weights)


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
        receipt = self.w3.eth.wait_for_transaction_receipt(tx, 2 * clock.CALL_SECONDS)
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

    def decode(self, logits: Sequence[int], word: int) -> Action:
        """The action that eight logits mean for the ``self`` of a valid word."""
        return Action(*self._call(self.inspector.functions.decode(list(logits), word)))

    def activate(self, word: int, action: Action, rules: Rules, battle_seed: int) -> int:
        """The word after ``self`` has acted.

        Raises:
            RefusedWordError: the word is not valid, or its match is over.
        """
        did = (action.direction, action.power, action.block)
        function = self.inspector.functions.activate(word, *did, rules.values(), battle_seed)
        try:
            return int(self._call(function))
        except Reverted as error:
            if error.name in REFUSED_WORD:
                raise RefusedWordError(str(error)) from error
            raise

    def outcome(
        self, word: int, dna_a: bytes, dna_b: bytes, battle_seed: int, rules: Rules
    ) -> int | None:
        """The winner of a match that stands at this word; None if it is not over."""
        judge = self.match_referee.functions.outcome
        over, result = self._call(judge(word, dna_a, dna_b, battle_seed, rules.values()))
        if not over:
            return None
        return DRAW if result == NOBODY else int(result)

    def genesis(self, beast_id: int, dna: bytes) -> tuple[int, bytes, bytes]:
        """(active mask, weights' root, state hash) at hatch."""
        mask, root = self._call(self.inspector.functions.genesis(dna))
        h = self._call(self.referee.functions.genesisHash(beast_id, dna))
        return int(mask), bytes(root), bytes(h)

    def hash_state(self, state: State) -> tuple[bytes, bytes]:
        """(weights' root, state hash) of any state."""
        weights = serialize_weights(state.weights)
        root = self._call(self.inspector.functions.weightsRoot(weights))
        h = self._call(self.referee.functions.stateHash(header_to_abi(state.header), weights))
        return bytes(root), bytes(h)

    # --- matches --------------------------------------------------------------------------------

    def play(self, a: Fighter, b: Fighter, battle_seed: int, rules: Rules) -> Match:
        """A whole match, turn by turn as a disproof would judge it; the root is the reference's."""
        judge, constants = self.match_referee.functions, rules.values()
        word = int(self._call(judge.firstWord(a.dna, b.dna, battle_seed, constants)))
        acting, other = (_state(one) for one in ((a, b) if a_acts_first(battle_seed) else (b, a)))
        words: list[int] = []
        while self._call(judge.isActive(word, constants)):
            words.append(word)
            opening = open_pass(acting, word).to_abi()
            opened = (state_hash(acting), header_to_abi(acting.header), opening)
            word = int(self._call(judge.nextWord(*opened, word, battle_seed, constants)))
            acting, other = other, acting
        winner = self.outcome(word, a.dna, b.dna, battle_seed, rules)
        if winner is None:
            raise ValueError(f"word 0x{word:064x} is neither active nor an end")
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
