"""What the referee refuses: malformed states, wrong openings, witnesses and contexts."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest
from web3.exceptions import ContractCustomError

from chainbeasts.backend.chain.client import revert_from
from chainbeasts.backend.chain.errors import Reverted
from chainbeasts.backend.chain.evm_kernel import CALL_GAS, EvmKernel, context_to_abi
from chainbeasts.backend.chain.types import header_to_abi
from chainbeasts.backend.kernel.constants import STATE_BYTES
from chainbeasts.backend.kernel.merkle import Tree
from chainbeasts.backend.kernel.rules import Rules
from chainbeasts.backend.kernel.samples import Source, random_position
from chainbeasts.backend.kernel.state import State, serialize_weights, state_hash
from chainbeasts.backend.kernel.window import (
    WindowContext,
    genesis_state,
    learn,
    open_window,
    sample_index,
    witnesses,
)

DNA = random.Random(1).randbytes(32)
RECORDS = [random_position(seed, None, Rules()) for seed in range(11)]
CURRICULUM = WindowContext(DNA, bytes(32), 7, 9, Source.CURRICULUM, Rules())
PRIVATE = replace(
    CURRICULUM,
    source=Source.PRIVATE,
    owner_secret_fold=77,
    records_root=Tree(RECORDS).root,
    records_length=len(RECORDS),
)


@pytest.fixture
def opened() -> State:
    """The first window's opening state."""
    newborn = genesis_state(1, DNA)
    return open_window(newborn, newborn.header.active_mask)


def refusal(
    evm: EvmKernel,
    state: State,
    *,
    ctx: WindowContext = CURRICULUM,
    expected: bytes | None = None,
    weights: bytes | None = None,
    steps: int = 1,
    proof: bytes = b"",
) -> Reverted:
    """The error of a run that must not succeed."""
    with pytest.raises(Reverted) as caught:
        evm.run(
            ctx,
            state_hash(state) if expected is None else expected,
            state.header,
            serialize_weights(state.weights) if weights is None else weights,
            steps,
            proof,
        )
    return caught.value


@pytest.mark.parametrize("length", [0, STATE_BYTES - 32, STATE_BYTES - 1, STATE_BYTES + 32])
def test_wrong_length(evm: EvmKernel, opened: State, length: int) -> None:
    weights = (serialize_weights(opened.weights) + bytes(32))[:length]
    error = refusal(evm, opened, weights=weights)
    assert (error.name, error.args_by_name["actual"]) == ("MalformedLength", length)


@pytest.mark.parametrize("index", [0, 17, 16_895])
def test_clear_guard_bit(evm: EvmKernel, opened: State, index: int) -> None:
    weights = bytearray(serialize_weights(opened.weights))
    weights[2 * index] &= 0x7F
    error = refusal(evm, opened, weights=bytes(weights))
    assert (error.name, error.args_by_name["wordIndex"]) == ("MalformedGuard", index // 16)


def test_a_state_that_is_not_the_expected_one(evm: EvmKernel, opened: State) -> None:
    assert refusal(evm, opened, expected=bytes(32)).name == "StateMismatch"
    other = opened.copy()
    other.weights[5] ^= 1
    assert refusal(evm, other, expected=state_hash(opened)).name == "StateMismatch"
    other = opened.copy()
    other.update(window_loss=1)
    assert refusal(evm, other, expected=state_hash(opened)).name == "StateMismatch"


@pytest.mark.parametrize("change", ["word", "sibling", "index"])
def test_wrong_witness(evm: EvmKernel, opened: State, change: str) -> None:
    """Another word, another sibling, or the right opening of another index."""
    proof = bytearray(witnesses(PRIVATE, 0, 2, RECORDS))
    each = len(proof) // 2
    if change == "index":
        tree = Tree(RECORDS)
        other = (sample_index(PRIVATE, 1) + 1) % len(RECORDS)
        proof[each:] = RECORDS[other].to_bytes(32) + b"".join(tree.proof(other))
    else:
        proof[each + (0 if change == "word" else 40)] ^= 1
    error = refusal(evm, opened, ctx=PRIVATE, steps=2, proof=bytes(proof))
    assert (error.name, error.args_by_name["step"]) == ("WrongWitness", 1)


@pytest.mark.parametrize("extra", [-32, -1, 1, 32])
def test_witnesses_of_another_length(evm: EvmKernel, opened: State, extra: int) -> None:
    proof = (witnesses(PRIVATE, 0, 2, RECORDS) + bytes(32))[: 2 * 160 + extra]
    assert refusal(evm, opened, ctx=PRIVATE, steps=2, proof=proof).name == "WitnessLength"


def test_a_generated_sample_takes_no_witness(evm: EvmKernel, opened: State) -> None:
    assert refusal(evm, opened, proof=bytes(32)).name == "WitnessLength"


CONTEXT_FIELDS = {
    "heads": (2, [0, 2, 4, 5, 6, 8]),
    "lrShift": (3, [0, 2, 16]),
    "source": (4, [4]),
}
RULE_FIELDS = {
    "damageK": (0, [0, 2185]),
    "damageCurve": (1, [2]),
    "blockCap": (3, [128]),
    "critOdds": (4, [0]),
    "hazardStamina": (5, [16]),
    "restGain": (6, [0]),
    "maxTurns": (7, [0, 255]),
    "blockThresholdNum": (8, [0]),
    "blockThresholdDen": (9, [0]),
    "selfPlayWords": (10, [0, 128]),
}


def refused_field(evm: EvmKernel, state: State, ctx: tuple[object, ...], steps: int = 1) -> str:
    """The field that BadContext names."""
    function = evm.referee.functions.run(
        ctx,
        state_hash(state),
        header_to_abi(state.header),
        serialize_weights(state.weights),
        steps,
        b"",
    )
    with pytest.raises(ContractCustomError) as caught:
        function.call({"gas": CALL_GAS})
    error = revert_from(caught.value)
    assert error.name == "BadContext"
    return bytes(error.args_by_name["field"]).rstrip(b"\x00").decode()


@pytest.mark.parametrize("name", CONTEXT_FIELDS)
def test_context_out_of_range(evm: EvmKernel, opened: State, name: str) -> None:
    place, values = CONTEXT_FIELDS[name]
    for value in values:
        ctx = list(context_to_abi(CURRICULUM))
        ctx[place] = value
        assert refused_field(evm, opened, tuple(ctx)) == name


@pytest.mark.parametrize("name", RULE_FIELDS)
def test_rules_out_of_range(evm: EvmKernel, opened: State, name: str) -> None:
    place, values = RULE_FIELDS[name]
    for value in values:
        ctx = list(context_to_abi(CURRICULUM))
        season = list(Rules().values())
        season[place] = value
        ctx[8] = tuple(season)
        assert refused_field(evm, opened, tuple(ctx)) == name


def test_too_many_steps_and_records(evm: EvmKernel, opened: State) -> None:
    assert refused_field(evm, opened, context_to_abi(CURRICULUM), steps=129) == "steps"
    for source, length in ((Source.BATTLE, 0), (Source.BATTLE, 65_537), (Source.PRIVATE, 65_537)):
        ctx = list(context_to_abi(PRIVATE))
        ctx[4], ctx[7] = int(source), length
        assert refused_field(evm, opened, tuple(ctx)) == "recordsLength"


# --- words opened before ----------------------------------------------------------------------

OPENED_WORDS = [RECORDS[3], RECORDS[0], 1]
"""What three steps train on; the last is no valid word, so its step is null."""


def bare(evm: EvmKernel, state: State, proof: bytes) -> bytes:
    """Run three private steps whose records somebody else has checked."""
    ctx = list(context_to_abi(PRIVATE))
    ctx[6], ctx[7] = bytes(32), 0
    weights = serialize_weights(state.weights)
    header = header_to_abi(state.header)
    call = evm.referee.functions.run(tuple(ctx), state_hash(state), header, weights, 3, proof)
    return bytes(call.call({"gas": CALL_GAS}))


def test_words_opened_before_need_no_siblings(evm: EvmKernel, opened: State) -> None:
    proof = b"".join(word.to_bytes(32) for word in OPENED_WORDS)
    expected = opened.copy()
    for word in OPENED_WORDS:
        learn(PRIVATE, expected, word)
    assert bare(evm, opened, proof) == state_hash(expected)


@pytest.mark.parametrize("length", [0, 64, 95, 97, 128, 3 * 160])
def test_words_opened_before_of_another_length(evm: EvmKernel, opened: State, length: int) -> None:
    with pytest.raises(ContractCustomError) as caught:
        bare(evm, opened, bytes(length))
    error = revert_from(caught.value)
    assert (error.name, error.args_by_name) == ("WitnessLength", {"expected": 96, "actual": length})
