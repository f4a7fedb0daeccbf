"""Test vectors: what a kernel must answer, and how to ask it (docs/spec/vectors.md).

A case holds inputs and expected outputs. ``answer`` computes the outputs with any ``Kernel``; the
NumPy reference is one, its Solidity twin another, and both are asked by the code below. Answers are
compared in ``vector_check``, files read in ``vector_fields`` and published by ``vector_cases``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

import numpy as np

from chainbeasts.backend.kernel import combat, merkle
from chainbeasts.backend.kernel import features as inputs
from chainbeasts.backend.kernel import labels as teacher
from chainbeasts.backend.kernel.board import invalid_reason, unpack
from chainbeasts.backend.kernel.combat import Action, Match, RefusedWordError
from chainbeasts.backend.kernel.constants import (
    HEAD_SETS,
    LAYERS,
    MAX_RECORDS,
    WEIGHT_MAX,
    WEIGHT_MIN,
    WEIGHTS,
)
from chainbeasts.backend.kernel.fighters import Fighter, fight
from chainbeasts.backend.kernel.genesis import genesis_weights
from chainbeasts.backend.kernel.labels import Label
from chainbeasts.backend.kernel.network import Weights
from chainbeasts.backend.kernel.rng import draw
from chainbeasts.backend.kernel.rules import Rules
from chainbeasts.backend.kernel.samples import Source
from chainbeasts.backend.kernel.state import Header, State, state_hash, weights_root
from chainbeasts.backend.kernel.vector_fields import Fields, hex_bytes, hex_word
from chainbeasts.backend.kernel.window import WindowContext, genesis_state, open_window, run_window

LOGITS = (-(1 << 15), (1 << 15) - 1)
"""More than any logit can be: 64 · 127 · 2^14 >> 12 is 32,512."""

UINT32 = (1 << 32) - 1

Case = Mapping[str, Any]
Answer = dict[str, Any]


class Kernel(Protocol):
    """What the cases ask of an implementation; the meanings are those of ``backend.kernel``."""

    def is_valid(self, word: int) -> bool: ...

    def label(self, word: int, rules: Rules) -> Label: ...

    def features(self, word: int) -> Sequence[int]: ...

    def decode(self, logits: Sequence[int], word: int) -> Action:
        """The action that logits mean for the ``self`` of a valid word."""
        ...

    def activate(self, word: int, action: Action, rules: Rules, battle_seed: int) -> int:
        """The word after the activation.

        Raises:
            RefusedWordError: the word is not valid, or its match is over.
        """
        ...

    def outcome(
        self, word: int, dna_a: bytes, dna_b: bytes, battle_seed: int, rules: Rules
    ) -> int | None:
        """The winner of a match that stands at this word; None if it is not over."""
        ...

    def play(self, a: Fighter, b: Fighter, battle_seed: int, rules: Rules) -> Match:
        """A whole match, each beast by its own logits."""
        ...

    def genesis(self, beast_id: int, dna: bytes) -> tuple[int, bytes, bytes]:
        """(active mask, weights' root, state hash) at hatch."""
        ...

    def hash_state(self, state: State) -> tuple[bytes, bytes]:
        """(weights' root, state hash) of any state."""
        ...

    def window(
        self, ctx: WindowContext, parent: State, mask: int, records: Sequence[int]
    ) -> tuple[list[bytes], State]:
        """The 16 segment hashes of a window, and the reference's state at its end."""
        ...


def genesis_hashes(beast_id: int, dna: bytes) -> tuple[int, bytes, bytes]:
    """Mask, weights' root and state hash at hatch, by the reference."""
    state = genesis_state(beast_id, dna)
    return state.header.active_mask, weights_root(state.weights), state_hash(state)


class NumpyKernel:
    """The reference."""

    def is_valid(self, word: int) -> bool:
        return invalid_reason(word) is None

    def label(self, word: int, rules: Rules) -> Label:
        return teacher.label(word, rules)

    def features(self, word: int) -> Sequence[int]:
        return [int(value) for value in inputs.features(word)]

    def decode(self, logits: Sequence[int], word: int) -> Action:
        return combat.decode_action(logits, word)

    def activate(self, word: int, action: Action, rules: Rules, battle_seed: int) -> int:
        return combat.activate(word, action, rules, battle_seed)

    def outcome(
        self, word: int, dna_a: bytes, dna_b: bytes, battle_seed: int, rules: Rules
    ) -> int | None:
        if not combat.is_over(unpack(word), rules):
            return None
        return combat.winner(word, battle_seed, dna_a, dna_b)

    def play(self, a: Fighter, b: Fighter, battle_seed: int, rules: Rules) -> Match:
        return fight(a, b, battle_seed, rules)

    def genesis(self, beast_id: int, dna: bytes) -> tuple[int, bytes, bytes]:
        return genesis_hashes(beast_id, dna)

    def hash_state(self, state: State) -> tuple[bytes, bytes]:
        return weights_root(state.weights), state_hash(state)

    def window(
        self, ctx: WindowContext, parent: State, mask: int, records: Sequence[int]
    ) -> tuple[list[bytes], State]:
        state = open_window(parent, mask)
        return run_window(ctx, state, records=records.__getitem__), state


# --- what each kind of case asks -----------------------------------------------------------------


def _valid_word(case: Fields) -> int:
    word = case.unsigned("word", 256)
    reason = invalid_reason(word)
    if reason is not None:
        raise case.fail("word", f"is not valid: {reason}")
    return word


def _labels(kernel: Kernel, case: Fields) -> Answer:
    """A word without labels, because it is not valid, answers with ``valid`` alone."""
    word, rules = case.unsigned("word", 256), case.rules()
    if not kernel.is_valid(word):
        return {"valid": False}
    found = kernel.label(word, rules)
    return {"valid": True, "move": found.move, "attack": found.attack, "block": found.block}


def _features(kernel: Kernel, case: Fields) -> Answer:
    return {"features": list(kernel.features(_valid_word(case)))}


def _action(case: Fields) -> Action:
    return Action(case.number("direction", 0, 3), case.number("power", 0, 15), case.flag("block"))


def _decoding(kernel: Kernel, case: Fields) -> Answer:
    word = _valid_word(case)
    found = kernel.decode(case.numbers("logits", LAYERS[-1], *LOGITS), word)
    return {"direction": found.direction, "power": found.power, "block": found.block}


def _combat(kernel: Kernel, case: Fields) -> Answer:
    """A word that no creature acts in answers with null."""
    word, rules, seed = case.unsigned("word", 256), case.rules(), case.unsigned("battleSeed", 64)
    action = _action(Fields(case.raw("action"), f"{case.where}: action"))
    try:
        return {"next": hex_word(kernel.activate(word, action, rules, seed))}
    except RefusedWordError:
        return {"next": None}


def _outcomes(kernel: Kernel, case: Fields) -> Answer:
    """A match that is not over answers with null."""
    dnas = (case.octets("dnaA", 32), case.octets("dnaB", 32))
    word, seed = case.unsigned("word", 256), case.unsigned("battleSeed", 64)
    return {"winner": kernel.outcome(word, *dnas, seed, case.rules())}


def _matches(kernel: Kernel, case: Fields) -> Answer:
    """Both creatures follow one list of actions, or each its own brain."""
    if ("actions" in case) == ("brains" in case):
        raise case.fail("actions", "or brains: a match has one of the two")
    played = _fought(kernel, case) if "brains" in case else _acted(kernel, case)
    return {
        "words": [hex_word(item) for item in played.words],
        "last": hex_word(played.last),
        "winner": played.winner,
        "logRoot": hex_bytes(played.log_root),
    }


def _acted(kernel: Kernel, case: Fields) -> Match:
    """Action i of the list is that of activation i, from the list's start again when it ends."""
    rules, seed = case.rules(), case.unsigned("battleSeed", 64)
    actions = [_action(item) for item in case.children("actions")]
    if not actions:
        raise case.fail("actions", "is empty")
    dnas = (case.octets("dnaA", 32), case.octets("dnaB", 32))
    word = combat.start_match(*dnas, seed, rules)
    words: list[int] = []
    while not combat.is_over(unpack(word), rules):
        words.append(word)
        word = kernel.activate(word, actions[(len(words) - 1) % len(actions)], rules, seed)
    won = kernel.outcome(word, *dnas, seed, rules)
    if won is None:
        raise case.fail("actions", "lead to a word where the kernel says that the match goes on")
    return Match(tuple(words), word, won, merkle.root(words))


def _fought(kernel: Kernel, case: Fields) -> Match:
    rules, seed = case.rules(), case.unsigned("battleSeed", 64)
    brains = case.children("brains")
    if len(brains) != 2:
        raise case.fail("brains", f"has {len(brains)} entries, it must have that of A and of B")
    dnas = (case.octets("dnaA", 32), case.octets("dnaB", 32))
    a, b = (_fighter(dna, brain) for dna, brain in zip(dnas, brains, strict=True))
    return kernel.play(a, b, seed, rules)


def _fighter(dna: bytes, brain: Fields) -> Fighter:
    brain.only(INPUTS["brain"])
    weights = _weights(brain)
    if weights is None:
        weights = genesis_weights(dna)
    return Fighter(dna, weights, brain.number("mask", 0, 255))


def _weights(item: Fields) -> Weights | None:
    """Weights listed one by one over a value that all others have, or drawn over their range."""
    if "wildWeights" in item:
        return wild_weights(item.unsigned("wildWeights", 64))
    if "weights" not in item:
        return None
    rest = item.number("rest", WEIGHT_MIN, WEIGHT_MAX) if "rest" in item else 0
    weights = np.full(WEIGHTS, rest, np.int16)
    for one in item.children("weights"):
        one.only(INPUTS["weight"])
        index = one.number("index", 0, WEIGHTS - 1)
        weights[index] = one.number("value", WEIGHT_MIN, WEIGHT_MAX)
    return weights


def _genesis(kernel: Kernel, case: Fields) -> Answer:
    mask, root, h = kernel.genesis(case.unsigned("beastId", 256), case.octets("dna", 32))
    return {"mask": mask, "weightsRoot": hex_bytes(root), "h": hex_bytes(h)}


def _states(kernel: Kernel, case: Fields) -> Answer:
    header = Header(
        beast_id=case.unsigned("beastId", 256),
        parent=case.octets("parent", 32),
        global_step=case.number("globalStep", 0, UINT32),
        active_mask=case.number("mask", 0, 255),
        window_loss=case.number("windowLoss", 0, UINT32),
        arena=case.unsigned("arena", 256),
    )
    weights = _weights(case)
    if weights is None:
        raise case.fail("weights", "or wildWeights: a state has one of the two")
    root, h = kernel.hash_state(State(header, weights))
    return {"weightsRoot": hex_bytes(root), "h": hex_bytes(h)}


def _windows(kernel: Kernel, case: Fields) -> Answer:
    """Windows that follow one another; the first opens from the state at hatch, or from that state
    with another step count and other weights."""
    dna = case.octets("dna", 32)
    parent = genesis_state(case.unsigned("beastId", 256), dna)
    if "globalStep" in case:
        parent.update(global_step=case.number("globalStep", 0, UINT32))
    if "wildWeights" in case:
        parent.weights[:] = wild_weights(case.unsigned("wildWeights", 64))
    answers = []
    for item in case.children("windows"):
        item.only(INPUTS["window"] | OUTPUTS["window"])
        ctx, records = context_of(item, dna, case.rules())
        mask = item.number("mask", 0, 255)
        if parent.header.active_mask & ~mask:
            raise item.fail("mask", f"is {mask}, it drops slots that were awake before")
        hashes, end = kernel.window(ctx, parent, mask, records)
        known = state_hash(end) == hashes[-1]
        loss = end.header.window_loss if known else None
        answers.append({"segments": [hex_bytes(h) for h in hashes], "loss": loss})
        parent = end
    return {"windows": answers}


def wild_weights(seed: int) -> np.ndarray[tuple[int], np.dtype[np.int16]]:
    """Weights over their whole range, as only a hostile state has: (draw(seed, i) >> 2) mod 32768
    − 16384 at flat index i."""
    return np.array([((draw(seed, i) >> 2) & 0x7FFF) - 0x4000 for i in range(WEIGHTS)], np.int16)


def context_of(item: Fields, dna: bytes, rules: Rules) -> tuple[WindowContext, list[int]]:
    """The context and the records of one window of a case."""
    source = Source(item.number("source", 0, 3))
    heads = item.number("heads", 1, 7)
    if heads not in HEAD_SETS:
        raise item.fail("heads", f"is {heads}, it must be one of {HEAD_SETS}")
    records: list[int] = []
    if source in (Source.BATTLE, Source.PRIVATE):
        records = item.words("records")
        if not 1 <= len(records) <= MAX_RECORDS:
            raise item.fail("records", f"has {len(records)} words, it must have 1 to {MAX_RECORDS}")
    ctx = WindowContext(
        dna=dna,
        epoch_seed=item.octets("epochSeed", 32),
        heads=heads,
        lr_shift=item.number("lrShift", 3, 15),
        source=source,
        rules=rules,
        owner_secret_fold=item.unsigned("ownerSecretFold", 64) if source == Source.PRIVATE else 0,
        records_root=merkle.root(records) if records else bytes(32),
        records_length=len(records),
    )
    return ctx, records


_ANSWERS: dict[str, Callable[[Kernel, Fields], Answer]] = {
    "labels": _labels,
    "features": _features,
    "decoding": _decoding,
    "combat": _combat,
    "outcomes": _outcomes,
    "matches": _matches,
    "genesis": _genesis,
    "states": _states,
    "windows": _windows,
}
KINDS = tuple(_ANSWERS)

INPUTS = {
    "labels": {"word", "rules"},
    "features": {"word"},
    "decoding": {"word", "logits"},
    "combat": {"word", "action", "battleSeed", "rules"},
    "outcomes": {"word", "dnaA", "dnaB", "battleSeed", "rules"},
    "matches": {"dnaA", "dnaB", "battleSeed", "actions", "brains", "rules"},
    "brain": {"mask", "weights", "rest", "wildWeights"},
    "weight": {"index", "value"},
    "genesis": {"beastId", "dna"},
    "states": {"beastId", "parent", "globalStep", "mask", "windowLoss", "arena"}
    | {"weights", "rest", "wildWeights"},
    "windows": {"beastId", "dna", "globalStep", "wildWeights", "rules", "windows"},
    "window": {"epochSeed", "mask", "heads", "lrShift", "source", "ownerSecretFold", "records"},
}
"""The inputs of each kind of case; any case may also have a ``name``."""

OUTPUTS = {
    "labels": {"valid", "move", "attack", "block"},
    "features": {"features"},
    "decoding": {"direction", "power", "block"},
    "combat": {"next"},
    "outcomes": {"winner"},
    "matches": {"words", "last", "winner", "logRoot"},
    "genesis": {"mask", "weightsRoot", "h"},
    "states": {"weightsRoot", "h"},
    "windows": {"windows"},
    "window": {"segments", "loss"},
}


def answer(kernel: Kernel, kind: str, case: Case, where: str = "case") -> Answer:
    """The outputs of one case, computed from its inputs.

    Raises:
        VectorFileError: the case is not one of its kind.
    """
    fields = Fields(case, where)
    fields.only(INPUTS[kind] | OUTPUTS[kind] | {"name"})
    return _ANSWERS[kind](kernel, fields)
