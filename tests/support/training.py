"""Real training of a beast on a World: every state hash comes from a kernel.

A `Trainee` submits honest windows, or windows with one lie, and opens their states for proofs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from eth_abi.abi import encode
from eth_utils.crypto import keccak

from chainbeasts.backend.kernel.genesis import genesis_mask
from chainbeasts.backend.kernel.merkle import Tree
from chainbeasts.backend.kernel.rng import fold64
from chainbeasts.backend.kernel.rules import Rules, Schedule
from chainbeasts.backend.kernel.samples import Source
from chainbeasts.backend.kernel.state import (
    Header,
    State,
    serialize_weights,
    weights_root,
)
from chainbeasts.backend.kernel.window import (
    WindowContext,
    genesis_state,
    open_window,
    sample_index,
    witnesses,
)
from chainbeasts.backend.kernels import state_hash
from tests.support.protocol import (
    NO_CHECKPOINT,
    NO_SALT,
    PRIVATE,
    Checkpoint,
    StateHeader,
    World,
)
from tests.support.records import RecordsOpening, open_records
from tests.support.stepping import Tamper, advance, segment_ends

SEGMENT_STEPS, WINDOW_STEPS = 8, 128
HEADER_PROOF = 16
"""The place in a commitment where a proof names its segment, for a challenge of the header."""
SALT = keccak(text="salt")


@dataclass(frozen=True)
class Dataset:
    """A private dataset with its commitments. `blob` need not be a dataset at all."""

    words: Sequence[int]
    blob: bytes
    secret: bytes
    root: bytes

    @classmethod
    def of(
        cls, words: Sequence[int], blob: bytes = b"blob", secret: bytes = b"\x07" * 32
    ) -> Dataset:
        return cls(words, blob, secret, Tree(words).root)

    @property
    def commitments(self) -> tuple[bytes, bytes, int, bytes]:
        return keccak(self.blob), self.root, len(self.words), keccak(self.secret)


@dataclass
class Window:
    """One trained window: where it began, what was submitted, what was (or should be) reached."""

    context: WindowContext
    parent_state: State
    checkpoint: Checkpoint
    parent: Checkpoint
    end: State
    segments: list[bytes]
    segment_ends: list[State]
    true_states: dict[int, State] = field(default_factory=dict)
    """By honest steps from the parent, as far as anybody asked for them."""


def header_of(header: Header) -> StateHeader:
    return StateHeader(
        header.beast_id,
        header.parent,
        header.global_step,
        header.active_mask,
        header.window_loss,
        header.arena,
    )


def opening(state: State) -> tuple[StateHeader, bytes]:
    """Header and weights as the court takes them."""
    return header_of(state.header), serialize_weights(state.weights)


def hashed_opening(state: State) -> tuple[StateHeader, bytes]:
    """Header and root of the weights: the preimage of a state hash."""
    return header_of(state.header), weights_root(state.weights)


def add_one(state: State) -> None:
    """The smallest lie: one weight, off by one."""
    state.weights[100] += 1 if state.weights[100] < 16_000 else -1


@dataclass
class Trainee:
    """Trains one beast."""

    world: World
    beast: int
    trainer: str
    dataset: Dataset | None = None
    log: Sequence[int] = ()
    """Words of the match that BATTLE windows train on."""
    state: State = field(init=False)
    windows: list[Window] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.dna = bytes(self.world.beasts.functions.birthOf(self.beast).call()[0])
        self.state = genesis_state(self.beast, self.dna)

    @classmethod
    def hatch(cls, world: World, owner: str, dataset: Dataset | None = None) -> Trainee:
        commitments = dataset.commitments if dataset else (bytes(32), bytes(32), 0, bytes(32))
        return cls(world, world.hatch(owner, commitments), owner, dataset)

    # --- training -----------------------------------------------------------------------------

    def context(self, source: int, epoch: int, season_number: int, lr_shift: int) -> WindowContext:
        """What judges the next window, read from the chain's records but derived in Python."""
        season = self.world.seasons.functions.season(season_number).call()
        words = self.words(source)
        data = self.dataset if source == Source.PRIVATE else None
        log_root = Tree(words).root if words and not data else bytes(32)
        return WindowContext(
            dna=self.dna,
            epoch_seed=self.world.epoch_seed(self.beast, epoch),
            heads=Schedule(*season[1]).heads(epoch),
            lr_shift=lr_shift,
            source=Source(source),
            rules=Rules(*season[0]),
            owner_secret_fold=fold64(data.secret) if data else 0,
            records_root=data.root if data else log_root,
            records_length=len(words),
        )

    def words(self, source: int) -> Sequence[int]:
        """What windows of a source read; empty where positions are drawn."""
        if source == Source.BATTLE:
            return self.log
        return self.dataset.words if self.dataset and source == Source.PRIVATE else ()

    def train(
        self,
        source: int = 0,
        mask: int | None = None,
        tamper: tuple[int, Tamper] | None = None,
        **lies: Any,
    ) -> Window:
        """Train and submit one window.

        Args:
            tamper: after that many steps, change the state so.
            lies: payload fields that do not follow from the training.
        """
        head = self.world.head(self.beast)
        context = self.context(source, head.epoch, head.season, head.lrShift)
        parent_state = self.state.copy()
        awake = head.activeMask if mask is None else mask
        state = open_window(parent_state, awake)
        ends = segment_ends(context, state, self.words(source), tamper)
        payload = self.world.payload(
            self.beast,
            state_hash(state),
            activeMask=awake,
            windowLoss=state.header.window_loss,
            source=source,
        )._replace(**lies)
        parent = self.windows[-1].checkpoint if self.windows else NO_CHECKPOINT
        checkpoint = self.world.submit(self.beast, self.trainer, payload)
        hashes = [state_hash(end) for end in ends]
        window = Window(context, parent_state, checkpoint, parent, state, hashes, ends)
        self.state = state
        self.windows.append(window)
        return window

    # --- proofs -------------------------------------------------------------------------------

    def true_state(self, window: Window, steps: int) -> State:
        """The state after that many honest steps of the window; the parent's before the first."""
        if steps == 0:
            return window.parent_state
        known = max((done for done in window.true_states if done <= steps), default=0)
        if known < steps:
            mask = window.checkpoint.payload.activeMask
            begun = window.true_states.get(known)
            state = begun.copy() if begun else open_window(window.parent_state, mask)
            advance(window.context, state, steps - known, self.words(window.context.source))
            window.true_states[steps] = state
        return window.true_states[steps].copy()

    def witnesses(self, window: Window, done: int, steps: int) -> bytes:
        """Of a private window in form 0, which needs the secret in public and no opening."""
        source = window.context.source
        first = window.parent_state.header.global_step + done
        form = b"\x00" if source == Source.PRIVATE else b""
        return form + witnesses(window.context, first, steps, self.words(source))

    def claim(self, dispute: int, window: Window) -> tuple[Any, ...]:
        return (dispute, self.beast, window.checkpoint, window.parent)

    def prove_call(self, dispute: int, window: Window, segment: int, **changes: Any) -> Any:
        """The call that proves that opened segment wrong (if it is)."""
        state = window.segment_ends[segment - 1] if segment else window.parent_state
        header, weights = opening(state)
        if segment == 0 and window.checkpoint.index == 0:
            header, weights = StateHeader(), b""
        values = {
            "claim": self.claim(dispute, window),
            "segments": window.segments,
            "k": segment,
            "header": header,
            "weights": weights,
            "witnesses": self.witnesses(window, segment * SEGMENT_STEPS, SEGMENT_STEPS),
            "salt": NO_SALT,
        }
        return self.world.court.functions.prove(*(values | changes).values())

    def advance_call(
        self, dispute: int, window: Window, done: int, count: int, **changes: Any
    ) -> Any:
        """The call that re-executes `count` more steps after `done`."""
        header, weights = opening(self.true_state(window, done))
        if done == 0 and window.checkpoint.index == 0:
            header, weights = StateHeader(), b""
        values = {
            "claim": self.claim(dispute, window),
            "steps": count,
            "header": header,
            "weights": weights,
            "witnesses": self.witnesses(window, done, count),
            "end": hashed_opening(window.end),
            "salt": NO_SALT,
        }
        return self.world.court.functions.advance(*(values | changes).values())

    def advance_all(
        self,
        dispute: int,
        window: Window,
        sender: str,
        stride: int = 32,
        *,
        committed: bool = False,
        **changes: Any,
    ) -> list[Any]:
        """Re-execute the whole window; the receipts.

        Args:
            committed: commit to every part of it before, so that the steps are paid.
        """
        starts = range(0, WINDOW_STEPS, stride)
        if committed:
            changes |= {"salt": SALT}
            for done in starts:
                self.commit_steps(sender, window, done, stride)
        return [
            self.world.send(self.advance_call(dispute, window, done, stride, **changes), sender)
            for done in starts
        ]

    def header_call(self, window: Window, state: State | None = None, salt: bytes = NO_SALT) -> Any:
        """challengeHeader with the window's own end state (or another preimage)."""
        header, root = hashed_opening(state or window.end)
        return self.world.court.functions.challengeHeader(
            self.beast, window.checkpoint, window.parent, header, root, salt
        )

    # --- openings -----------------------------------------------------------------------------

    def records_opening(self, window: Window) -> RecordsOpening:
        """The records that the window samples."""
        assert self.dataset is not None
        first = window.checkpoint.index * WINDOW_STEPS
        sampled = [sample_index(window.context, first + step) for step in range(WINDOW_STEPS)]
        return open_records(self.dataset.words, self.dataset.secret, sampled)

    def publish_records(self, window: Window, sender: str | None = None) -> Any:
        opened = self.records_opening(window)
        call = self.world.records.functions.publish(
            self.beast, window.checkpoint.index, *opened.arguments
        )
        return self.world.send(call, sender or self.trainer)

    def publish_parent(self, window: Window, sender: str | None = None) -> Any:
        """Publish the state that the window starts from."""
        return self.world.publish_state(*opening(window.parent_state), sender or self.trainer)

    def open_segments(self, dispute: int, window: Window) -> Any:
        return self.world.open_segments(dispute, self.beast, window.checkpoint, window.segments)

    def open_all(self, dispute: int, window: Window) -> None:
        """Every opening that the dispute owes, by the trainer, noted by the court."""
        self.open_segments(dispute, window)
        if window.checkpoint.index:
            self.publish_parent(window)
        if window.checkpoint.payload.source == PRIVATE:
            self.publish_records(window)
        if self.world.dispute(dispute).missing:
            self.world.accept_openings(dispute, self.beast, window.checkpoint)

    def dispute(self, window: Window, filer: str) -> int:
        """File over a window whose trainer then opens everything."""
        dispute = self.world.file(self.beast, window.checkpoint, filer)
        self.open_all(dispute, window)
        return dispute

    # --- commitments --------------------------------------------------------------------------

    def digest(self, window: Window) -> bytes:
        return bytes(self.world.ledger.functions.digestOf(self.beast, window.checkpoint).call())

    def commit_proof(self, sender: str, window: Window, segment: int, salt: bytes = SALT) -> Any:
        """Commit to the true result of a segment, run from the opened state before it."""
        state = window.segment_ends[segment - 1].copy() if segment else self.true_state(window, 0)
        if segment == 0:
            state = open_window(state, window.checkpoint.payload.activeMask)
        advance(window.context, state, SEGMENT_STEPS, self.words(window.context.source))
        return self._commit(sender, window, segment, state_hash(state), salt)

    def commit_header(self, sender: str, window: Window, salt: bytes = SALT) -> Any:
        header, root = hashed_opening(window.end)
        types = ["uint256", "bytes32", "uint32", "uint8", "uint32", "uint256", "bytes32"]
        result = keccak(encode(types, [*header, root]))
        return self._commit(sender, window, HEADER_PROOF, result, salt)

    def _commit(self, sender: str, window: Window, k: int, result: bytes, salt: bytes) -> Any:
        digest = self.digest(window)
        return self.world.commit(
            sender, ("bytes32", digest), ("uint8", k), ("bytes32", result), ("bytes32", salt)
        )

    def commit_steps(
        self, sender: str, window: Window, done: int, count: int, salt: bytes = SALT
    ) -> Any:
        """Commit to the true state `count` steps after `done`."""
        return self.world.commit(
            sender,
            ("bytes32", self.digest(window)),
            ("uint8", done),
            ("uint8", count),
            ("bytes32", state_hash(self.true_state(window, done + count))),
            ("bytes32", salt),
        )


def growable(dna: bytes) -> int:
    """A mask with one more slot than at hatch, or the same if all are awake."""
    mask = genesis_mask(dna)
    return mask | (~mask & (mask + 1)) & 0xFF
