"""How often the validator's judgement of published private windows is wrong, over honest lives.

Honest lives calibrate its bounds: ordinary datasets, and those that look hostile and are right.
Jumps, many windows passed off as one, and weights written by hand say what it finds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from backend.chain.types import NO_CHECKPOINT, CheckpointPayload
from backend.kernel.board import adjacent, unpack
from backend.kernel.constants import MAX_WINDOW_LOSS, WEIGHT_MAX, WEIGHT_MIN, WEIGHTS
from backend.kernel.held_out import held_out
from backend.kernel.labels import label
from backend.kernel.network import Weights
from backend.kernel.rng import draw, fold64
from backend.kernel.samples import Source, random_position
from backend.kernel.state import State, state_hash
from backend.kernel.tables import TEMPLATES
from backend.kernel.window import genesis_state, open_window
from backend.kernels import kernel_for
from scripts.lib.bench.beasts import ALL_AWAKE, BEAST, RULES, SCHEDULE, Birth, context
from scripts.lib.bench.figures import Figure
from validator.judge.plausibility import (
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

BEASTS = 4
WINDOWS = 1_984
"""So many that every shift of the default schedule is reached."""

DENSE, STRIDE = 64, 8
"""The first windows are all judged, later ones at this distance."""

JUMPS = (2, 8, 64, 512, 1_984)
RECORDS = 4_096
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
    """One window's judgement."""

    shift: int
    measures: Measures
    impossible: bool
    unlikely: bool

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


def by_hand(births: Sequence[Birth], state: State, number: int) -> dict[str, PublishedWindow]:
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
        "another newborn's weights": to(genesis_state(BEAST, births[1].dna).weights),
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


def measure_all(born: Sequence[Birth], tell: Tell) -> list[Figure]:
    """All figures."""
    honest: list[Found] = []
    jumped: dict[int, list[tuple[Found, Found]]] = {windows: [] for windows in JUMPS}
    forged: dict[str, list[bool]] = {}
    kinds = 0
    for birth in born[:BEASTS]:
        tell(f"honest lives of {WINDOWS:,} windows")
        kinds = 0
        for life in lives(birth):
            kinds += 1
            states = [genesis_state(BEAST, birth.dna)]
            for number, before, after in live(birth, life):
                if is_judged(life, number):
                    honest.append(judge(published(before, after, number)))
                if life.name == f"{RECORDS:,} random boards":
                    states.append(after)
            for windows in JUMPS if len(states) > 1 else ():
                jumped[windows] += jumps(states, windows)
            for number in range(0, len(states) - 1, 64):
                others = [birth, born[(born.index(birth) + 1) % len(born)]]
                for name, window in by_hand(others, states[number], number).items():
                    forged.setdefault(name, []).append(bool(impossible(window) or unlikely(window)))
    lived = f"{min(BEASTS, len(born))} beasts, {kinds} lives each, {len(honest):,} windows"
    figures = [
        Figure("honest windows found impossible", share([f.impossible for f in honest]), "%",
               0, True, lived),
        Figure("honest windows found implausible", share([f.objected for f in honest]), "%",
               0.1, True, "false alarms, of the same windows; the bounds are other beasts'"),
    ]  # fmt: skip
    for windows, found in jumped.items():
        floor = {512: 100.0, 1_984: 100.0}.get(windows)
        about = f"{len(found)} jumps of beasts that train on {RECORDS:,} random boards"
        name = f"{windows:,} windows passed off as one, found"
        plain, hidden = ([one[kind].objected for one in found] for kind in (0, 1))
        early = [one[1].objected for one in found if one[1].shift == min(LIMITS)]
        figures += [
            Figure(name, share(plain), "%", floor, method=f"{about}, stating the last one's loss"),
            Figure(f"{name}, hidden", share(hidden), "%", floor, method="stating the loss that "
                   f"hides most; at shift {min(LIMITS)} alone {share(early):.0f} %"),
        ]  # fmt: skip
    for name, objected in forged.items():
        about = f"{len(objected)} windows of such lives, stating the loss that hides most"
        figures.append(
            Figure(f"written by hand, {name}: found", share(objected), "%", method=about)
        )
    for shift, limits in LIMITS.items():
        of_shift = [f.measures for f in honest if f.shift == shift]
        distance, gain = max(m.distance for m in of_shift), max(m.gain for m in of_shift)
        figures += [
            Figure(f"greatest distance at shift {shift}", distance,
                   method=f"of {len(of_shift):,} honest windows; the bound is {limits.distance:,}"),
            Figure(f"greatest gain at shift {shift}", 100 * gain, "points",
                   method=f"the bound is {100 * limits.gain:g}; optimal moves on held-out boards"),
        ]  # fmt: skip
    ratio = max(f.measures.ratio for f in honest)
    about = f"of honest windows at all shifts; the bound is {RATIO:,}"
    return [*figures, Figure("greatest distance · 2^shift / √loss", ratio, method=about)]
