"""Calls into a compiled kernel; its structs are those of ``source/kernel.c``.

ctypes releases the GIL while C runs. Whatever C relies on is checked here.
"""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from chainbeasts.backend.kernel import samples
from chainbeasts.backend.kernel.board import word_bytes
from chainbeasts.backend.kernel.combat import Action, Match, RefusedWordError
from chainbeasts.backend.kernel.constants import WEIGHTS, WINDOW_STEPS
from chainbeasts.backend.kernel.fighters import Fighter
from chainbeasts.backend.kernel.labels import Label
from chainbeasts.backend.kernel.native.graph import Graph
from chainbeasts.backend.kernel.network import Weights
from chainbeasts.backend.kernel.replay import Bytes, Replayed, Windows
from chainbeasts.backend.kernel.rng import fold64
from chainbeasts.backend.kernel.rules import Rules
from chainbeasts.backend.kernel.state import ENCODED_BYTES, HEADER_BYTES, State, hash_header
from chainbeasts.backend.kernel.traces import TRACE, Traces
from chainbeasts.backend.kernel.window import WindowContext

ABI_VERSION: Final = 4
SEQUENCE: Final = 4
"""A source of C alone: the given words, one after another."""

WORD_BYTES: Final = 32
MOST_TURNS: Final = 254
MOST_WORDS: Final = 256
NOT_VALID: Final = -2
FUNCTIONS: Final = (
    "run", "replay", "labels", "play", "winners", "root", "weights_roots", "weights_root", "keccak"
)  # fmt: skip
CHECKED_FUNCTIONS: Final = ("activate", "decode", "features", "logits", "outcome")
"""Those that return what the word is: 0 as asked for, 1 not valid, 2 of a match that is over."""

REFUSALS: Final = {1: "the word is not valid", 2: "a finished match cannot be activated"}
RULES: Final = len(Rules().values())


class ForeignObjectError(Exception):
    """A library that is no kernel of this ABI and graph; the message says what it is."""


class _Context(ctypes.Structure):
    _fields_ = (
        ("seed_core", ctypes.c_uint64),
        ("window_seed", ctypes.c_uint64),
        ("owner_secret_fold", ctypes.c_uint64),
        ("records", ctypes.c_char_p),
        ("records_length", ctypes.c_uint64),
        ("template_offset", ctypes.c_uint32),
        ("active_mask", ctypes.c_uint32),
        ("source", ctypes.c_uint32),
        ("heads", ctypes.c_uint32),
        ("lr_shift", ctypes.c_uint32),
        ("rules", ctypes.c_uint32 * RULES),
    )


class _Header(ctypes.Structure):
    _fields_ = (
        ("global_step", ctypes.c_uint32),
        ("window_loss", ctypes.c_uint32),
        ("arena", ctypes.c_uint8 * WORD_BYTES),
    )


class _ReplayJob(ctypes.Structure):
    _fields_ = (
        ("windows", ctypes.c_void_p),
        ("states", ctypes.c_void_p),
        ("records", ctypes.c_char_p),
        ("status", ctypes.c_void_p),
        ("hashes", ctypes.c_void_p),
        ("ends", ctypes.c_void_p),
        ("order", ctypes.c_void_p),
        ("count", ctypes.c_uint64),
        ("segments", ctypes.c_uint32),
    )


class _Match(ctypes.Structure):
    _fields_ = (
        ("weights", ctypes.c_void_p * 2),
        ("dna", (ctypes.c_uint8 * WORD_BYTES) * 2),
        ("battle_seed", ctypes.c_uint64),
        ("active_mask", ctypes.c_uint32 * 2),
        ("rules", ctypes.c_uint32 * RULES),
    )


class _Played(ctypes.Structure):
    _fields_ = (
        ("words", (ctypes.c_uint8 * WORD_BYTES) * MOST_TURNS),
        ("last", ctypes.c_uint8 * WORD_BYTES),
        ("log_root", ctypes.c_uint8 * WORD_BYTES),
        ("turns", ctypes.c_uint32),
        ("winner", ctypes.c_int32),
    )


def encode_words(words: Sequence[int]) -> bytes:
    """Words as C reads them: 32 big-endian bytes each."""
    return b"".join(map(word_bytes, words))


def _rules(rules: Rules) -> ctypes.Array[ctypes.c_uint32]:
    return (ctypes.c_uint32 * RULES)(*rules.values())


class NativeKernel:
    """The compiled kernel of one graph, which serves brains with fewer of its slots awake, too.

    Args:
        library: an object compiled from ``graph.source(graph)``.

    Raises:
        ForeignObjectError: it is another ABI's or another graph's.
    """

    def __init__(self, library: ctypes.CDLL, graph: Graph) -> None:
        self.graph = graph
        self._library = library
        self._records: tuple[Sequence[int], bytes] | None = None
        try:
            abi, name = library.chainbeasts_abi, library.chainbeasts_graph
            for function in FUNCTIONS:
                getattr(library, f"chainbeasts_{function}").restype = None
            for function in CHECKED_FUNCTIONS:
                getattr(library, f"chainbeasts_{function}").restype = ctypes.c_uint32
        except AttributeError:
            raise ForeignObjectError("it is no kernel") from None
        abi.restype, name.restype = ctypes.c_uint32, ctypes.c_char_p
        if abi() != ABI_VERSION:
            raise ForeignObjectError(f"it has ABI {abi()}, not {ABI_VERSION}")
        if name() != graph.name.encode():
            raise ForeignObjectError(f"it is compiled for {name().decode(errors='replace')}")

    def run(
        self,
        ctx: WindowContext,
        state: State,
        steps: int = WINDOW_STEPS,
        records: Sequence[int] | None = None,
        *,
        traced: bool = False,
    ) -> Traces | None:
        """Micro-steps of a window on its state, in place, like ``step_window`` repeated.

        Args:
            records: the words of a BATTLE or PRIVATE window; a tuple is encoded once.

        Returns:
            What each step did, if ``traced``.

        Raises:
            ValueError: the state is not this graph's, or the records are not the context's.
        """
        if not ctx.reads_records:
            return self._run(ctx, state, int(ctx.source), None, steps, traced)
        if records is None:
            raise ValueError(f"a {ctx.source.name} window needs its records")
        if len(records) != ctx.records_length:
            raise ValueError(f"{len(records)} records given, the window has {ctx.records_length}")
        return self._run(ctx, state, int(ctx.source), self._encoded(records), steps, traced)

    def replay(
        self,
        windows: Windows,
        states: Bytes,
        records: bytes,
        order: npt.NDArray[np.uint32],
        found: Replayed,
    ) -> None:
        """Replay the windows whose numbers are in ``order``, each after the one it starts from.

        Args:
            windows: checked by ``replay.check_windows``; those in
                ``order`` wake slots of this graph alone.
            found: where to write, in the rows of those windows.
        """
        job = _ReplayJob(
            windows.ctypes.data,
            states.ctypes.data,
            records,
            found.status.ctypes.data,
            found.hashes.ctypes.data,
            found.ends.ctypes.data,
            order.ctypes.data,
            len(order),
            found.hashes.shape[1] > 1,
        )
        self._library.chainbeasts_replay(ctypes.byref(job))

    def learn(
        self, ctx: WindowContext, state: State, words: Sequence[int], *, traced: bool = False
    ) -> Traces | None:
        """One micro-step on each of the given words, like ``window.learn`` repeated.

        Raises:
            ValueError: the state is not this graph's, or self-play is asked for.
        """
        if ctx.source is samples.Source.SELF_PLAY:
            raise ValueError("self-play makes its own words")
        return self._run(ctx, state, SEQUENCE, encode_words(words), len(words), traced)

    def logits(self, weights: Weights, words: Sequence[int] | bytes) -> npt.NDArray[np.int32]:
        """The eight logits of each valid word, int32[n][8].

        Raises:
            RefusedWordError: one of the words is not valid.
        """
        data = words if isinstance(words, bytes) else encode_words(words)
        found = np.zeros((len(data) // WORD_BYTES, 8), np.int32)
        refusal = self._library.chainbeasts_logits(
            ctypes.c_void_p(_checked(weights).ctypes.data),
            ctypes.c_char_p(data),
            ctypes.c_uint64(len(found)),
            ctypes.c_void_p(found.ctypes.data),
        )
        if refusal:
            raise RefusedWordError(REFUSALS[refusal])
        return found

    def labels(self, words: Sequence[int] | bytes, rules: Rules) -> npt.NDArray[np.int8]:
        """Move (−1 none, −2 the word is not valid), attack and block of each word, int8[n][3]."""
        data = words if isinstance(words, bytes) else encode_words(words)
        found = np.zeros((len(data) // WORD_BYTES, 3), np.int8)
        self._library.chainbeasts_labels(
            ctypes.c_char_p(data),
            ctypes.c_uint64(len(found)),
            ctypes.byref(_rules(rules)),
            ctypes.c_void_p(found.ctypes.data),
        )
        return found

    def label(self, word: int, rules: Rules) -> Label | None:
        """The labels of one word, None if it is not valid."""
        move, attack, block = (int(value) for value in self.labels([word], rules)[0])
        return None if move == NOT_VALID else Label(None if move < 0 else move, attack, block)

    def features(self, word: int) -> npt.NDArray[np.int16]:
        """The inputs of a valid word, int16[32].

        Raises:
            RefusedWordError: it is not valid.
        """
        found = np.zeros(32, np.int16)
        refusal = self._library.chainbeasts_features(
            ctypes.c_char_p(word_bytes(word)), ctypes.c_void_p(found.ctypes.data)
        )
        if refusal:
            raise RefusedWordError(REFUSALS[refusal])
        return found

    def activate(self, word: int, action: Action, rules: Rules, battle_seed: int) -> int:
        """The word after ``self`` has acted, like ``combat.activate``.

        Raises:
            RefusedWordError: the word is not valid, or its match is over.
        """
        changed = ctypes.create_string_buffer(word_bytes(word), WORD_BYTES)
        refusal = self._library.chainbeasts_activate(
            changed,
            ctypes.c_uint32(action.direction),
            ctypes.c_uint32(action.power),
            ctypes.c_uint32(action.block),
            ctypes.byref(_rules(rules)),
            ctypes.c_uint64(battle_seed),
        )
        if refusal:
            raise RefusedWordError(REFUSALS[refusal])
        return int.from_bytes(changed.raw)

    def decode(self, logits: Sequence[int], word: int) -> Action:
        """The action that eight logits mean on a word, like ``combat.decode_action``.

        Raises:
            RefusedWordError: the word is not valid.
        """
        found = (ctypes.c_uint8 * 3)()
        refusal = self._library.chainbeasts_decode(
            ctypes.c_char_p(word_bytes(word)), (ctypes.c_int32 * 8)(*logits), found
        )
        if refusal:
            raise RefusedWordError(REFUSALS[refusal])
        return Action(found[0], found[1], bool(found[2]))

    def outcome(
        self, word: int, dna_a: bytes, dna_b: bytes, battle_seed: int, rules: Rules
    ) -> int | None:
        """The winner of a match that stands at a word; None if it is not over."""
        winner = ctypes.c_int32()
        over = self._library.chainbeasts_outcome(
            ctypes.c_char_p(word_bytes(word)),
            ctypes.c_char_p(dna_a + dna_b),
            ctypes.c_uint64(battle_seed),
            ctypes.byref(_rules(rules)),
            ctypes.byref(winner),
        )
        return winner.value if over else None

    def play(self, a: Fighter, b: Fighter, battle_seed: int, rules: Rules) -> Match:
        """The match of A against B, like ``fighters.fight``.

        Raises:
            ValueError: a fighter has slots awake that are not this graph's.
        """
        match = self._match(a, b, battle_seed, rules)
        found = _Played()
        self._library.chainbeasts_play(ctypes.byref(match), ctypes.byref(found))
        log = bytes(memoryview(found.words).cast("B")[: WORD_BYTES * found.turns])
        starts = range(0, len(log), WORD_BYTES)
        return Match(
            tuple(int.from_bytes(log[at : at + WORD_BYTES]) for at in starts),
            int.from_bytes(bytes(found.last)),
            found.winner,
            bytes(found.log_root),
        )

    def winners(
        self, a: Fighter, b: Fighter, battle_seeds: Sequence[int], rules: Rules
    ) -> list[int]:
        """Who wins a match on each seed, like ``play`` repeated.

        Raises:
            ValueError: a fighter has slots awake that are not this graph's.
        """
        match = self._match(a, b, 0, rules)
        seeds = np.array(battle_seeds, np.uint64)
        found = np.zeros(len(seeds), np.int8)
        self._library.chainbeasts_winners(
            ctypes.byref(match),
            ctypes.c_void_p(seeds.ctypes.data),
            ctypes.c_uint64(len(seeds)),
            ctypes.c_void_p(found.ctypes.data),
        )
        return [int(one) for one in found]

    def _match(self, a: Fighter, b: Fighter, battle_seed: int, rules: Rules) -> _Match:
        """A match as C takes it; the fighters' weights must outlive the call."""
        for one in (a, b):
            self.graph.check(one.active_mask, "a fighter")
        weights = [_checked(one.weights).ctypes.data for one in (a, b)]
        bodies = ((ctypes.c_uint8 * WORD_BYTES)(*one.dna) for one in (a, b))
        return _Match(
            (ctypes.c_void_p * 2)(*weights),
            ((ctypes.c_uint8 * WORD_BYTES) * 2)(*bodies),
            battle_seed,
            (ctypes.c_uint32 * 2)(a.active_mask, b.active_mask),
            _rules(rules),
        )

    def root(self, words: Sequence[int]) -> bytes:
        """The Merkle root over 1 to 256 words, like ``merkle.root``.

        Raises:
            ValueError: there are none, or more.
        """
        if not 1 <= len(words) <= MOST_WORDS:
            raise ValueError(f"a root over {len(words)} words, it takes 1 to {MOST_WORDS}")
        found = ctypes.create_string_buffer(WORD_BYTES)
        self._library.chainbeasts_root(
            ctypes.c_char_p(encode_words(words)), ctypes.c_uint32(len(words)), found
        )
        return found.raw

    def weights_roots(self, states: Bytes) -> Bytes:
        """The root over the weights of each encoded state, uint8[n][32]."""
        if states.dtype != np.uint8 or states.ndim != 2 or states.shape[1] != ENCODED_BYTES:
            raise ValueError(f"states must be uint8[n][{ENCODED_BYTES}]")
        states = np.ascontiguousarray(states)
        found = np.zeros((len(states), WORD_BYTES), np.uint8)
        self._library.chainbeasts_weights_roots(
            ctypes.c_void_p(states.ctypes.data + HEADER_BYTES),
            ctypes.c_uint64(ENCODED_BYTES),
            ctypes.c_uint64(len(states)),
            ctypes.c_void_p(found.ctypes.data),
        )
        return found

    def state_hash(self, state: State) -> bytes:
        """Like ``state.state_hash``."""
        root = ctypes.create_string_buffer(WORD_BYTES)
        self._library.chainbeasts_weights_root(
            ctypes.c_void_p(_checked(state.weights).ctypes.data), root
        )
        return bytes(hash_header(state.header, root.raw))

    def keccak(self, data: bytes) -> bytes:
        """keccak-256 of any bytes."""
        found = ctypes.create_string_buffer(WORD_BYTES)
        self._library.chainbeasts_keccak(ctypes.c_char_p(data), ctypes.c_uint64(len(data)), found)
        return found.raw

    def _encoded(self, records: Sequence[int]) -> bytes:
        """Encoding 65,536 words takes longer than a window, so the last tuple is kept."""
        if self._records is not None and self._records[0] is records:
            return self._records[1]
        data = encode_words(records)
        if isinstance(records, tuple):
            self._records = (records, data)
        return data

    def _run(
        self,
        ctx: WindowContext,
        state: State,
        source: int,
        records: bytes | None,
        steps: int,
        traced: bool,
    ) -> Traces | None:
        before = state.header
        self.graph.check(before.active_mask, "a state")
        context = _Context(
            fold64(ctx.dna),
            samples.window_seed(ctx.dna, before.parent),
            ctx.owner_secret_fold,
            records,
            0 if records is None else len(records) // WORD_BYTES,
            ctx.epoch_seed[-1] % 64,
            before.active_mask,
            source,
            ctx.heads,
            ctx.lr_shift,
            _rules(ctx.rules),
        )
        arena = (ctypes.c_uint8 * WORD_BYTES)(*word_bytes(before.arena))
        header = _Header(before.global_step, before.window_loss, arena)
        traces: Any = np.zeros(steps, TRACE) if traced else None
        self._library.chainbeasts_run(
            ctypes.byref(context),
            ctypes.byref(header),
            ctypes.c_void_p(_checked(state.weights).ctypes.data),
            ctypes.c_uint32(steps),
            None if traces is None else ctypes.c_void_p(traces.ctypes.data),
        )
        state.update(
            global_step=header.global_step,
            window_loss=header.window_loss,
            arena=int.from_bytes(bytes(header.arena)),
        )
        return None if traces is None else Traces(traces)


def _checked(weights: Weights) -> Weights:
    if weights.dtype != np.int16 or weights.shape != (WEIGHTS,) or not weights.flags.c_contiguous:
        raise ValueError(f"weights must be int16[{WEIGHTS}] in one piece")
    return weights
