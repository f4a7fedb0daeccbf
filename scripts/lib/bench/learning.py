"""How well beasts learn: the documented plan, other plans, float32, and a slot that wakes late."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from chainbeasts.backend.graph_cache.build import build
from chainbeasts.backend.kernel.native.graph import Graph
from chainbeasts.backend.kernel.rng import draw, fold64
from chainbeasts.backend.kernel.samples import Source, random_position
from chainbeasts.backend.kernel.state import State
from chainbeasts.backend.kernel.traces import Traces
from chainbeasts.backend.kernel.window import genesis_state, open_window
from chainbeasts.backend.kernels import kernel_for
from scripts.lib.bench import beasts
from scripts.lib.bench.beasts import BEAST, RULES, SCHEDULE, WINDOWS, Birth, Sources, train
from scripts.lib.bench.exam import Exam, Marks
from scripts.lib.bench.figures import Figure
from scripts.lib.bench.float_sgd import FloatBrain

BEASTS = 4
RECORDS = 65_536
LATE_SLOTS = 0x88
"""The last sensor and the last appendage slot."""

C, S, P = Source.CURRICULUM, Source.SELF_PLAY, Source.PRIVATE
PLANS: dict[str, Sources] = {
    "curriculum": lambda window: C,
    "self-play": lambda window: S,
    "curriculum and self-play in turn": lambda window: (C, S)[window % 2],
    "curriculum, the last quarter self-play": lambda window: C if window < 3 * WINDOWS // 4 else S,
    "private, 65,536 random boards": lambda window: P,
    "curriculum and private in turn": lambda window: (C, P)[window % 2],
}
DOCUMENTED = "curriculum"
MILESTONES = (125, 500, 1_000)


@dataclass(frozen=True, slots=True)
class PlanMarks:
    """Marks of one plan, over the beasts."""

    plan: str
    mean: Marks
    spread: float


@dataclass(frozen=True, slots=True)
class Learning:
    """Everything that was found about learning."""

    figures: list[Figure]
    plans: list[PlanMarks]
    course: list[tuple[int, Marks]]


def mark(exam: Exam, state: State) -> Marks:
    """What a beast gets right."""
    kernel = build(Graph(state.header.active_mask)).kernel
    return exam.mark(kernel.logits(state.weights, exam.encoded))


def mean(marks: Sequence[Marks]) -> Marks:
    """Each mark's mean."""
    names = ("exact", "optimal", "attack_mae", "block")
    return Marks(*(statistics.fmean(getattr(one, name) for one in marks) for name in names))


def private_boards(birth: Birth) -> tuple[int, ...]:
    """A dataset that an owner might commit to: random boards of his own."""
    seed = fold64(birth.dna[16:] + birth.dna[:16])
    return tuple(random_position(draw(seed, i), None, RULES) for i in range(RECORDS))


def measure(born: Sequence[Birth], tell: Callable[[str], None]) -> Learning:
    """Train every plan on every beast, and the float32 twins of the documented one."""
    exam = Exam()
    records = {birth.dna: private_boards(birth) for birth in born}
    plans = []
    for name, sources in PLANS.items():
        tell(f"plan: {name}")
        marks = [mark(exam, train(b, sources, records=records[b.dna])) for b in born]
        spread = statistics.stdev(one.exact for one in marks)
        plans.append(PlanMarks(name, mean(marks), spread))
    best = next(one for one in plans if one.plan == DOCUMENTED)
    tell("float32 SGD on the same stream")
    twins = [float_marks(exam, birth) for birth in born[:3]]
    same = mean([mark(exam, train(birth, PLANS[DOCUMENTED])) for birth in born[:3]])
    tell("a slot that wakes at half time")
    before, after, end = late_slot(exam, born[0])
    about = (
        f"mean of {len(born)} beasts, {exam.moves:,} held-out boards with a move, plan curriculum"
    )
    float_mean = mean(twins)
    gap = float_mean.exact - same.exact
    figures = [
        Figure("exact move after 256k steps", best.mean.exact, "%", 89.5, method=about),
        Figure("any optimal move after 256k steps", best.mean.optimal, "%", 93, method=about),
        Figure("attack MAE, adjacent boards", best.mean.attack_mae, "", 0.5, True, about),
        Figure("block accuracy", best.mean.block, "%", 98.5, method=about),
        Figure(
            "gap to float32 SGD, exact move", gap, "points", 0.5, True,
            f"same births, samples, order and schedule, 3 beasts, batch of one; float32 "
            f"{float_mean.exact:.2f} %, integer {same.exact:.2f} %",
        ),
        Figure(
            "a slot pair woken at window 1,000: change of accuracy at that instant",
            abs(after.exact - before.exact), "points", 0, True,
            f"exact {before.exact:.2f} % before and {after.exact:.2f} % after waking s3 and a3, "
            f"{end.exact:.2f} % at the end",
        ),
    ]  # fmt: skip
    return Learning(figures, plans, course(exam, born))


def course(exam: Exam, born: Sequence[Birth]) -> list[tuple[int, Marks]]:
    """Mean marks on the way, by micro-steps."""
    found: dict[int, list[Marks]] = {window: [] for window in MILESTONES}

    def look(window: int, state: State) -> None:
        if window in found:
            found[window].append(mark(exam, state))

    for birth in born:
        train(birth, PLANS[DOCUMENTED], windows=max(MILESTONES) + 1, on_window=look)
    return [(128 * window, mean(marks)) for window, marks in found.items()]


def float_marks(exam: Exam, birth: Birth) -> Marks:
    """The float32 twin after the same run."""
    mask = genesis_state(BEAST, birth.dna).header.active_mask | beasts.ALL_AWAKE
    brain = FloatBrain(open_window(genesis_state(BEAST, birth.dna), mask))

    def follow(window: int, traces: Traces) -> None:
        epoch = window // SCHEDULE.epoch_windows
        brain.learn(traces, mask, SCHEDULE.heads(epoch), SCHEDULE.lr_shift(epoch))

    train(birth, PLANS[DOCUMENTED], on_traces=follow)
    return exam.mark(brain.logits(exam.inputs, mask))


def late_slot(exam: Exam, birth: Birth) -> tuple[Marks, Marks, Marks]:
    """Marks just before two slots wake at half time, just after, and at the end."""
    half = WINDOWS // 2
    birth = _small(birth)

    def woken(window: int) -> int:
        if window == 0:
            return beasts.ALL_AWAKE & ~LATE_SLOTS
        return LATE_SLOTS if window == half else 0

    seen: list[Marks] = []

    def look(window: int, state: State) -> None:
        if window == half:
            asleep = state.copy()
            asleep.update(active_mask=state.header.active_mask & ~LATE_SLOTS)
            seen.extend((mark(exam, asleep), mark(exam, state)))

    end = train(birth, PLANS[DOCUMENTED], woken, on_window=look)
    return seen[0], seen[1], mark(exam, end)


def _small(birth: Birth) -> Birth:
    """The same beast with at most three slots of each kind at hatch, so that one can wake late."""
    dna = bytearray(birth.dna)
    dna[4] -= dna[4] % 4 == 3
    dna[5] -= dna[5] % 4 == 3
    return Birth(bytes(dna), birth.epoch_seeds)


def warm_up() -> None:
    """Compile what the measurements need, outside of any clock."""
    for mask in (beasts.ALL_AWAKE, beasts.ALL_AWAKE & ~LATE_SLOTS):
        kernel_for(mask)
