"""How often the validator's judgement of published private windows is wrong, over honest lives.

Honest lives calibrate its bounds: ordinary datasets, and those that look hostile and are right.
Jumps, many windows passed off as one, and weights written by hand say what it finds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from chainbeasts.backend.chain.types import NO_CHECKPOINT, CheckpointPayload
from chainbeasts.backend.kernel.board import adjacent, unpack
from chainbeasts.backend.kernel.constants import MAX_WINDOW_LOSS, WEIGHT_MAX, WEIGHT_MIN, WEIGHTS
from chainbeasts.backend.kernel.held_out import held_out
from chainbeasts.backend.kernel.labels import label
from chainbeasts.backend.kernel.network import Weights
from chainbeasts.backend.kernel.rng import draw, fold64
from chainbeasts.backend.kernel.samples import Source, random_position
from chainbeasts.backend.kernel.state import State, state_hash
from chainbeasts.backend.kernel.tables import TEMPLATES
from chainbeasts.backend.kernel.window import genesis_state, open_window
from chainbeasts.backend.kernels import kernel_for
from chainbeasts.validator.judge.plausibility import (
    BOARDS,
    LIMITS,
    RATIO,
    Measures,
    PublishedWindow,
    impossible,
    learning_steps,
    measure,
    unlikely,
)
from scripts.lib.bench.beasts import ALL_AWAKE, BEAST, RULES, SCHEDULE, Birth, context
from scripts.lib.bench.figures import Figure

BEASTS = 4
WINDOWS = 1_984
"""So many that every shift of the default schedule is reached."""

DENSE, STRIDE = 64, 8
"""The first windows are all judged, later ones at this distance."""

JUMPS = (2, 8, 64, 512, 1_984)
RECORDS = 4_096
USUAL = f"{RECORDS:,} random boards"
"""The life that lies are made of."""

SPOILED = 2
"""Words of the match log that public windows between private ones unlearn by."""

Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Life:
    """How a beast is trained.

    Attributes:
        records: its private dataset.
        turns: windows of private training after which as many public ones on a tiny log follow;
            0 for private windows alone.
    """

    name: str
    records: Sequence[int]
    turns: int = 0


def lives(birth: Birth) -> Iterator[Life]:
    """Honest lives, the hostile-looking ones included."""
    seed = fold64(birth.dna[16:] + birth.dna[:16])
    boards = [random_position(draw(seed, i), None, RULES) for i in range(RECORDS)]
    moves = {word: label(word, RULES).move for word in boards}
    for size in (1, 2, 16, 256, RECORDS):
        yield Life(f"{size:,} random boards", boards[:size])
    maps = [random_position(draw(seed, i), TEMPLATES[i % 64], RULES) for i in range(RECORDS)]
    yield Life("curriculum maps", maps)
    yield Life("the held-out boards themselves", held_out(BOARDS, RULES))
    yield Life("only boards with a move", [w for w in boards if moves[w] is not None])
    yield Life("only moves north", [w for w in boards if moves[w] == 0])
    yield Life("only adjacent boards", [w for w in boards if _adjacent(w)])
    yield Life("every other record invalid", [w if i % 2 else 0 for i, w in enumerate(boards)])
    yield Life("no valid record", [0])
    for turns in (1, 8):
        name = f"unlearned in public and learned again, {turns} windows each"
        yield Life(name, boards, turns)
        yield Life(f"{name}, the held-out boards", held_out(BOARDS, RULES), turns)


def _adjacent(word: int) -> bool:
    position = unpack(word)
    return adjacent(position.self_.pos, position.enemy.pos)


def live(birth: Birth, life: Life, windows: int = WINDOWS) -> Iterator[tuple[int, State, State]]:
    """A life's windows: number, state before and after; public ones too."""
    seed = fold64(birth.dna) ^ 1
    log = [random_position(draw(seed, i), None, RULES) for i in range(SPOILED)]
    state = genesis_state(BEAST, birth.dna)
    for number in range(windows):
        private = is_private(life, number)
        words, source = (life.records, Source.PRIVATE) if private else (log, Source.BATTLE)
        ctx = context(birth, number, source, len(words))
        after = open_window(state, state.header.active_mask | ALL_AWAKE)
        kernel_for(after.header.active_mask).run(ctx, after, records=words)
        yield number, state, after
        state = after


def is_private(life: Life, number: int) -> bool:
    """Whether a life's window is a private one."""
    return not life.turns or number // life.turns % 2 == 1


def is_judged(life: Life, number: int) -> bool:
    """Whether a window is measured: all early ones, later the first after public ones, and some."""
    if not is_private(life, number):
        return False
    return number < DENSE or number % STRIDE == 0 or (life.turns > 1 and number % life.turns == 0)


def published(before: State, after: State, number: int, loss: int | None = None) -> PublishedWindow:
    """Two states as the ends of one private window.

    Args:
        number: of the window whose schedule holds.
        loss: what the window states; that of ``after`` if not given.
    """
    epoch = number // SCHEDULE.epoch_windows
    parent = state_hash(before)
    end = after.copy()
    step = before.header.global_step + 128
    end.update(parent=parent, global_step=step, arena=0)
    if loss is not None:
        end.update(window_loss=loss)
    header = end.header
    payload = CheckpointPayload(
        epoch, bytes(32), 1, SCHEDULE.lr_shift(epoch), header.active_mask, step,
        header.window_loss, Source.PRIVATE,
    )  # fmt: skip
    checkpoint = replace(NO_CHECKPOINT, index=number, parent=parent, payload=payload)
    return PublishedWindow(BEAST, checkpoint, parent, before, end, SCHEDULE.heads(epoch), RULES)


@dataclass(frozen=True, slots=True)
class Found:
    """One window's judgement.

    Attributes:
        apart: it belongs to a life with public windows between the private ones.
    """

    shift: int
    measures: Measures
    impossible: bool
    unlikely: bool
    apart: bool = False

    @property
    def objected(self) -> bool:
        return self.impossible or self.unlikely


def judge(window: PublishedWindow) -> Found:
    """Judge a window, and keep what it was judged by."""
    return Found(window.lr_shift, measure(window), bool(impossible(window)), bool(unlikely(window)))


def jumps(states: Sequence[State], windows: int) -> Iterator[tuple[Found, Found]]:
    """Windows of a life passed off as one: judged with the last one's loss, and with that which
    hides most.
    """
    for start in range(0, len(states) - windows, max(16, windows // 4)):
        end = states[start + windows]
        yield (
            judge(published(states[start], end, start)),
            judge(published(states[start], end, start, loss=hiding_loss(start))),
        )


def hiding_loss(number: int) -> int:
    """The most that real steps lose in a window: any more tells of null steps, which move
    nothing.
    """
    heads = SCHEDULE.heads(number // SCHEDULE.epoch_windows)
    return max(
        loss
        for loss in (128 * 2_048, 128 * 3_071, MAX_WINDOW_LOSS)
        if learning_steps(loss, heads)[0] == 128
    )


def by_hand(other: Birth, state: State, number: int) -> dict[str, PublishedWindow]:
    """Ends that nobody trained, with the loss that hides most."""
    generator = np.random.default_rng(number)
    shift = SCHEDULE.lr_shift(number // SCHEDULE.epoch_windows)

    def to(weights: Weights) -> PublishedWindow:
        end = state.copy()
        end.weights[:] = weights
        return published(state, end, number, loss=hiding_loss(number))

    mixed = generator.permutation(state.weights)
    noise = generator.integers(-1, 2, WEIGHTS) * (1 << (16 - shift))
    one = state.weights.copy()
    one[0] += 1 if one[0] < WEIGHT_MAX else -1
    return {
        "another newborn's weights": to(genesis_state(BEAST, other.dna).weights),
        "all weights 0": to(np.zeros_like(state.weights)),
        "its own weights in another order": to(mixed),
        "noise on every weight": to(
            np.clip(state.weights + noise, WEIGHT_MIN, WEIGHT_MAX).astype(np.int16)
        ),
        "one weight by 1": to(one),
    }


def share(found: Sequence[bool]) -> float:
    """In percent."""
    return 100 * sum(found) / len(found)


@dataclass(frozen=True, slots=True)
class Record:
    """What was found of beasts' windows.

    Attributes:
        lives: of each beast.
        jumped: by the windows passed off as one: with the last one's loss, and with a hiding one.
        forged: whether ends made by hand were objected to, by their kind.
    """

    honest: list[Found] = field(default_factory=list)
    lives: set[str] = field(default_factory=set)
    jumped: dict[int, list[tuple[Found, Found]]] = field(default_factory=dict)
    forged: dict[str, list[bool]] = field(default_factory=dict)

    def add_life(self, birth: Birth, life: Life) -> list[State]:
        """Judge a life's windows; its states."""
        self.lives.add(life.name)
        states = [genesis_state(BEAST, birth.dna)]
        for number, before, after in live(birth, life):
            if is_judged(life, number):
                found = judge(published(before, after, number))
                self.honest.append(replace(found, apart=bool(life.turns)))
            states.append(after)
        return states

    def add_lies(self, states: Sequence[State], other: Birth) -> None:
        """Judge what a cheat might submit in a life."""
        for windows in JUMPS:
            self.jumped.setdefault(windows, []).extend(jumps(states, windows))
        for number in range(0, len(states) - 1, 64):
            for name, window in by_hand(other, states[number], number).items():
                objected = bool(impossible(window) or unlikely(window))
                self.forged.setdefault(name, []).append(objected)


def measure_all(born: Sequence[Birth], tell: Tell) -> list[Figure]:
    """All figures."""
    record = Record()
    beasts = born[:BEASTS]
    for number, birth in enumerate(beasts, 1):
        tell(f"honest lives of {WINDOWS:,} windows, beast {number} of {len(beasts)}")
        for life in lives(birth):
            states = record.add_life(birth, life)
            if life.name == USUAL:
                record.add_lies(states, born[number % len(born)])
    lived = f"{len(beasts)} beasts, {len(record.lives)} lives each"
    return [
        *_alarms(record, lived),
        *(figure for windows in JUMPS for figure in _jumps(windows, record.jumped[windows])),
        *_forgeries(record),
        *_greatest(record.honest),
    ]


def _alarms(record: Record, lived: str) -> list[Figure]:
    found = record.honest
    together = [one.objected for one in found if not one.apart]
    return [
        Figure("honest windows found impossible", share([f.impossible for f in found]), "%",
               0, True, f"{lived}, {len(found):,} windows"),
        Figure("honest windows found implausible", share([f.objected for f in found]), "%",
               0.1, True, "false alarms, of the same windows; the bounds are other beasts'"),
        Figure("the same, of lives without public windows between", share(together), "%",
               0.1, True, f"{len(together):,} windows"),
    ]  # fmt: skip


def _jumps(windows: int, found: Sequence[tuple[Found, Found]]) -> list[Figure]:
    floor = {512: 100.0, 1_984: 100.0}.get(windows)
    about = f"{len(found)} jumps of beasts that train on {USUAL}, stating the last one's loss"
    name = f"{windows:,} windows passed off as one, found"
    plain, hidden = ([one[kind].objected for one in found] for kind in (0, 1))
    early = [hiding.objected for _, hiding in found if hiding.shift == min(LIMITS)]
    return [
        Figure(name, share(plain), "%", floor, method=about),
        Figure(f"{name}, hidden", share(hidden), "%", floor, method="stating the loss that hides "
               f"most; at shift {min(LIMITS)} alone {share(early):.0f} %"),
    ]  # fmt: skip


def _forgeries(record: Record) -> list[Figure]:
    return [
        Figure(f"written by hand, {name}: found", share(objected), "%", method=f"{len(objected)} "
               "windows of such lives, stating the loss that hides most")
        for name, objected in record.forged.items()
    ]  # fmt: skip


def _greatest(honest: Sequence[Found]) -> list[Figure]:
    figures = []
    for shift, limits in LIMITS.items():
        of_shift = [one for one in honest if one.shift == shift]
        distance, gain = (
            max(getattr(one.measures, name) for one in of_shift) for name in ("distance", "gain")
        )
        alarms = sum(one.objected for one in of_shift)
        figures += [
            Figure(f"greatest distance at shift {shift}", distance,
                   method=f"of {len(of_shift):,} honest windows, {alarms} objected to in "
                   f"all; the bound is {limits.distance:,}"),
            Figure(f"greatest gain at shift {shift}", 100 * gain, "points",
                   method=f"optimal moves on held-out boards; the bound is {100 * limits.gain:g}"),
        ]  # fmt: skip
    ratio = max(one.measures.ratio for one in honest)
    about = f"of honest windows at all shifts; the bound is {RATIO:,}"
    return [*figures, Figure("greatest distance · 2^shift / √loss", ratio, method=about)]
