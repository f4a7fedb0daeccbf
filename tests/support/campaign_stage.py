"""What a campaign's beasts could submit: windows really trained, right and wrong, prepared once.

Nothing of it is on the chain yet. Epoch 0's seed is fixed at hatch, so the first windows of a beast
can be trained ahead, whatever happens to it later.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from chainbeasts.backend.kernel.genesis import genesis_mask
from chainbeasts.backend.kernel.rules import Rules
from chainbeasts.backend.kernel.samples import Source, random_position
from chainbeasts.backend.kernel.state import State
from chainbeasts.backend.kernel.window import (
    WindowContext,
    open_window,
    sample_index,
    witnesses,
)
from chainbeasts.backend.kernels import state_hash
from tests.support.protocol import CURRICULUM, PRIVATE, World
from tests.support.records import RecordsOpening, open_records
from tests.support.stepping import segment_ends
from tests.support.training import SEGMENT_STEPS, WINDOW_STEPS, Dataset, Trainee, add_one

WORDS = [random_position(7919 * n, None, Rules()) for n in range(40)]
OPENED = 4
"""Windows of a private beast whose records can be opened."""


@dataclass(frozen=True, eq=False)
class Trained:
    """A window that can be submitted on a certain parent."""

    context: WindowContext
    first_step: int
    payload: dict[str, Any]
    end: State
    segments: list[bytes]
    segment_ends: list[State]
    true_states: dict[int, State]
    """Reached by honest steps from the parent: after 0, 32, 64, 96 and 128 of them."""
    true_segments: list[bytes]
    wrong_segment: int | None
    wrong_header: bool

    @property
    def h128(self) -> bytes:
        return state_hash(self.end)

    def true_result(self, k: int) -> bytes:
        """What segment k comes to, run from its own start."""
        if k != self.wrong_segment:
            return self.segments[k]
        return self.true_segments[k]


@dataclass
class Stage:
    """Beasts and the windows that are ready for them."""

    world: World
    trainees: dict[int, Trainee] = field(default_factory=dict)
    ready: dict[tuple[int, bytes], list[Trained]] = field(default_factory=dict)
    records: list[tuple[int, int, RecordsOpening]] = field(default_factory=list)

    @classmethod
    def prepare(cls, world: World) -> Stage:
        """Two beasts, one of them private, hatched on the world; a third one only lies."""
        stage = cls(world)
        owners = world.accounts[1:4]
        data = (None, Dataset.of(WORDS, blob=b"campaign"), None)
        for owner, dataset in zip(owners, data, strict=True):
            trainee = Trainee.hatch(world, owner, dataset)
            stage.trainees[trainee.beast] = trainee
            if trainee.beast != max(stage.trainees) or len(stage.trainees) < 3:
                stage._train(trainee)
            if dataset:
                stage._open(trainee, dataset)
        for account in world.accounts[1:7]:
            for spender in world.addresses("ledger", "beasts"):
                world.send(world.energy.functions.approve(spender, 2**256 - 1), account)
        return stage

    def choose(self, chance: random.Random, beast: int, head: bytes) -> Trained | None:
        """A window for that head, or None: somebody makes one up."""
        found = self.ready.get((beast, head), [])
        return chance.choice(found) if found and chance.random() < 0.9 else None

    def opened(self, beast: int, index: int) -> RecordsOpening:
        return next(o for b, i, o in self.records if (b, i) == (beast, index))

    def paths(self, trained: Trained, done: int, steps: int) -> bytes:
        """Witnesses of a private window with Merkle paths."""
        return b"\x00" + witnesses(trained.context, trained.first_step + done, steps, WORDS)

    # --- preparation --------------------------------------------------------------------------

    def _train(self, trainee: Trainee) -> None:
        source = PRIVATE if trainee.dataset else CURRICULUM
        head = self.world.head(trainee.beast)
        context = trainee.context(source, 0, head.season, head.lrShift)
        start = trainee.state.copy()
        level: Sequence[tuple[bytes, State]] = [(trainee.dna, start)]
        for depth in range(3):
            following: list[tuple[bytes, State]] = []
            for parent, state in level:
                variants = self._variants(trainee, context, state)
                self.ready[trainee.beast, parent] = variants
                grown = variants[:2] if depth == 0 else variants[:1]
                following += [(variant.h128, variant.end) for variant in grown]
            level = following

    def _variants(self, trainee: Trainee, context: WindowContext, parent: State) -> list[Trained]:
        """Right, wrong by one weight in a middle segment, wrong in the last, and misreported."""
        right = self._run(trainee, context, parent)
        true = {0: parent} | {n: right[n // SEGMENT_STEPS - 1] for n in (32, 64, 96, 128)}
        true_ends = [state_hash(end) for end in right]
        made = []
        for lie_at, misreported in ((None, False), (20, False), (128, False), (None, True)):
            ends = right if lie_at is None else self._run(trainee, context, parent, lie_at, right)
            wrong = None if lie_at is None else (lie_at - 1) // SEGMENT_STEPS
            loss = ends[-1].header.window_loss
            made.append(
                Trained(
                    context=context,
                    first_step=parent.header.global_step,
                    payload={
                        "windowLoss": loss + 1 if misreported else loss,
                        "activeMask": ends[-1].header.active_mask,
                        "source": int(context.source),
                    },
                    end=ends[-1],
                    segments=[state_hash(end) for end in ends],
                    segment_ends=ends,
                    true_states=true,
                    true_segments=true_ends,
                    wrong_segment=wrong,
                    wrong_header=misreported,
                )
            )
        return made

    def _run(
        self,
        trainee: Trainee,
        context: WindowContext,
        parent: State,
        lie_at: int = 0,
        right: Sequence[State] = (),
    ) -> list[State]:
        """The states at the segments' ends; those before a lie are what they are without it."""
        before = max(lie_at - 1, 0) // SEGMENT_STEPS
        ends = list(right[:before])
        state = ends[-1].copy() if ends else open_window(parent, genesis_mask(trainee.dna))
        words, tamper = trainee.words(context.source), (lie_at, add_one) if lie_at else None
        return ends + segment_ends(context, state, words, tamper, before * SEGMENT_STEPS)

    def _open(self, trainee: Trainee, dataset: Dataset) -> None:
        context = trainee.context(int(Source.PRIVATE), 0, 1, self.world.head(trainee.beast).lrShift)
        for index in range(OPENED):
            first = index * WINDOW_STEPS
            sampled = [sample_index(context, first + step) for step in range(WINDOW_STEPS)]
            opened = open_records(dataset.words, dataset.secret, sampled)
            self.records.append((trainee.beast, index, opened))
