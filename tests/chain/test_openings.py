"""Openings, witnesses and commitments in Python are what archive, referee and court take."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from eth_hash.auto import keccak
from hypothesis import example, given, settings
from hypothesis import strategies as st
from web3.logs import DISCARD

from chainbeasts.backend.accounts import devnet_account
from chainbeasts.backend.chain.client import Chain
from chainbeasts.backend.chain.errors import Reverted
from chainbeasts.backend.chain.openings import (
    RecordsOpening,
    dataset_witnesses,
    header_commitment,
    opened_witnesses,
    proof_commitment,
    records_opening,
    segment_digests,
    steps_commitment,
    words_hash,
)
from chainbeasts.backend.chain.types import (
    NO_CHECKPOINT,
    NO_HEADER,
    ZERO32,
    Checkpoint,
    Commitments,
    Conviction,
    DisputeStatus,
    Opening,
    ProofClaim,
    Publication,
    header_to_abi,
    opening_bit,
    openings_of,
    trainer_tag,
)
from chainbeasts.backend.kernel.constants import MAX_RECORDS, SEGMENTS
from chainbeasts.backend.kernel.merkle import Tree
from chainbeasts.backend.kernel.samples import Source, random_position
from chainbeasts.backend.kernel.state import State, serialize_weights, state_hash, weights_root
from chainbeasts.backend.kernel.window import WindowContext, genesis_state, open_window, run_window
from chainbeasts.backend.store.private import PrivateDataset
from tests.chain.conftest import DEPLOYER, OTHER, TRAINER, Senders, fund, submit

Hatch = Callable[..., int]
ENERGY = 10**18
SPARE = 250_000  # a reward more than in the commitment's own block, where gas is estimated
SALT = b"\x05" * 32
SECRET = b"\x09" * 32
NO_END = (header_to_abi(NO_HEADER), ZERO32)

DISTINCT = 500
"""Positions of a made dataset."""

ACCEPTANCE = 170_000
"""Gas of `acceptOpenings` where it is the trainer's first, about."""


def made_dataset(chain: Chain, length: int, seed: int) -> PrivateDataset:
    """Positions, and some words that are none, which train nothing."""
    rules, drawn = chain.season(1).rules, random.Random(seed)
    # Of the longest most come again: to draw each anew took longer than all that is tested.
    positions = [
        random_position(drawn.getrandbits(64), None, rules) for _ in range(min(length, DISTINCT))
    ]
    words = tuple(
        drawn.choice(positions) if drawn.random() < 0.9 else drawn.getrandbits(256)
        for _ in range(length)
    )
    return PrivateDataset(words, SECRET, b"compressed")


def committed(dataset: PrivateDataset) -> Commitments:
    root = Tree(dataset.words).root
    return Commitments(keccak(dataset.compressed), root, len(dataset.words), keccak(SECRET))


def private_record(chain: Chain, beast: int, index: int) -> Checkpoint:
    """A private window of epoch 0; the referee does not ask whether anybody submitted it."""
    head = chain.head(beast)
    payload = replace(
        NO_CHECKPOINT.payload,
        lr_shift=head.lr_shift,
        active_mask=head.active_mask,
        source=Source.PRIVATE,
    )
    return replace(NO_CHECKPOINT, index=index, season=head.season, payload=payload)


def judged(
    chain: Chain, beast: int, record: Checkpoint, state: State, run: tuple[int, int], proof: bytes
) -> bytes:
    """The referee's hash after ``run`` (steps before, steps) from a state."""
    call = chain.windows.functions.run(
        beast,
        record.to_abi(),
        state_hash(state),
        *run,
        header_to_abi(state.header),
        serialize_weights(state.weights),
        proof,
    )
    return bytes(chain.call(call))


def window_at(
    chain: Chain, beast: int, dataset: PrivateDataset, index: int, steps: int
) -> tuple[WindowContext, State]:
    """A private window, so many steps after its start from the state at hatch."""
    ctx = chain.window_context(
        beast, epoch=0, source=Source.PRIVATE, owner_secret_fold=dataset.fold
    )
    state = open_window(genesis_state(beast, ctx.dna), chain.head(beast).active_mask)
    state.update(global_step=index * 128 % 2**32)
    run_window(ctx, state, steps, dataset.words.__getitem__)
    return ctx, state


@settings(max_examples=3)
@given(
    length=st.one_of(
        st.integers(1, 300), st.sampled_from([2**k + d for k in range(9, 16) for d in (-1, 0, 1)])
    ),
    seed=st.integers(0, 2**32),
    index=st.one_of(st.integers(0, 3), st.integers(0, 2**32 - 1)),
    run=st.tuples(st.integers(0, 127), st.integers(1, 12)),
)
@example(length=1, seed=1, index=0, run=(0, 8))
@example(length=2, seed=2, index=2**25, run=(7, 2))
@example(length=MAX_RECORDS, seed=3, index=2**32 - 1, run=(120, 8))
def test_an_opening_is_believed_and_its_words_are_judged_by(
    length: int,
    seed: int,
    index: int,
    run: tuple[int, int],
    chain: Chain,
    sender: Senders,
    hatch: Hatch,
) -> None:
    done, steps = run[0], min(run[1], 128 - run[0])
    dataset = made_dataset(chain, length, seed)
    beast = hatch(committed(dataset))
    dna = chain.birth(beast).dna
    opening = records_opening(dataset, dna, index)
    assert opening.root(dna, length, index) == Tree(dataset.words).root
    publish = chain.records.functions.publish(beast, index, *opening.arguments())
    receipt = sender(OTHER).send(publish, label="publish")

    (log,) = chain.records.events.RecordsPublished().process_receipt(receipt.raw, errors=DISCARD)
    assert RecordsOpening.from_event(log["args"]) == opening
    found, publication = chain.records_publication(beast, index)
    assert found == words_hash(opening.step_words)
    assert (publication.time, publication.block_number) == (chain.now(), receipt.block_number)
    # Paid for telling the court of it, too.
    assert 1 <= publication.gas_used / (receipt.gas_used + ACCEPTANCE) < 1.25
    assert chain.secret_fold(beast) == dataset.fold
    assert chain.records_publication(beast, index - 1 if index else 1)[1].time == 0

    record = private_record(chain, beast, index)
    ctx, state = window_at(chain, beast, dataset, index, done)
    before = state.copy()
    run_window(ctx, state, steps, opening.records(dna, length, index).__getitem__)
    for proof in (
        opened_witnesses(opening.step_words, done, steps),
        dataset_witnesses(ctx, before.header.global_step, steps, dataset.words),
    ):
        assert judged(chain, beast, record, before, (done, steps), proof) == state_hash(state)


def test_a_bent_opening_is_refused_here_and_there(
    chain: Chain, sender: Senders, hatch: Hatch
) -> None:
    dataset = made_dataset(chain, 100, 4)
    beast = hatch(committed(dataset))
    dna = chain.birth(beast).dna
    opening = records_opening(dataset, dna, 0)
    assert len(set(opening.order)) < len(opening.order) == 128  # some records come twice
    first, second, *rest = opening.words
    swapped = bytes({0: 1, 1: 0}.get(place, place) for place in opening.order)
    bent = {
        "WrongRecordsRoot": replace(opening, words=(first ^ 1, second, *rest)),
        "RecordsUnordered": replace(opening, words=(second, first, *rest), order=swapped),
        "WrongOrder": replace(opening, order=opening.order[1:] + opening.order[:1]),
        "SiblingCount": replace(opening, siblings=(*opening.siblings, ZERO32)),
        "WrongOwnerSecret": replace(opening, secret=b"\x08" * 32),
        "OrderLength": replace(opening, order=opening.order[1:]),
    }
    for error, one in bent.items():
        with pytest.raises(Reverted) as caught:
            sender(OTHER).simulate(chain.records.functions.publish(beast, 0, *one.arguments()))
        assert caught.value.name == error
    assert bent["WrongRecordsRoot"].root(dna, 100, 0) != opening.root(dna, 100, 0)
    with pytest.raises(ValueError, match="too many"):
        bent["SiblingCount"].root(dna, 100, 0)
    with pytest.raises(ValueError, match="another record than it samples"):
        bent["WrongOrder"].root(dna, 100, 0)


def test_words_are_judged_by_only_as_they_were_opened(
    chain: Chain, sender: Senders, hatch: Hatch
) -> None:
    dataset = made_dataset(chain, 50, 5)
    beast = hatch(committed(dataset))
    opening = records_opening(dataset, chain.birth(beast).dna, 0)
    record = private_record(chain, beast, 0)
    words = list(opening.step_words)
    proof = opened_witnesses(words, 12, 8)
    assert len(proof) == 1 + 512 + 2 * 256  # two segments are touched
    _, state = window_at(chain, beast, dataset, 0, 12)

    def refusal(given_: bytes) -> str:
        with pytest.raises(Reverted) as caught:
            judged(chain, beast, record, state, (12, 8), given_)
        return caught.value.name

    assert refusal(proof) == "RecordsNotOpened"
    publish = chain.records.functions.publish(beast, 0, *opening.arguments())
    sender(OTHER).send(publish, label="publish")
    assert judged(chain, beast, record, state, (12, 8), proof)
    words[13] ^= 1
    assert refusal(opened_witnesses(words, 12, 8)) == "WrongSegmentDigests"
    bent = b"\1" + segment_digests(opening.step_words) + opened_witnesses(words, 12, 8)[513:]
    assert refusal(bent) == "WrongWords"
    assert refusal(proof[:-32]) == "WitnessLength"
    assert refusal(b"\2" + proof[1:]) == "UnknownWitnessForm"


@pytest.mark.parametrize("run", [(0, 0), (-1, 8), (120, 9), (128, 1)])
def test_witnesses_are_of_steps_in_the_window(run: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match="no part of a window"):
        opened_witnesses(range(128), *run)
    with pytest.raises(ValueError, match="128 words, not 127"):
        segment_digests(range(127))


def test_a_head_names_its_last_trainer(chain: Chain, sender: Senders, hatch: Hatch) -> None:
    fund(chain, sender, TRAINER, 100 * ENERGY)
    beast = hatch()
    assert (chain.head(beast).trainer_tag, chain.head(beast).pending) == (0, False)
    submit(chain, sender, beast)
    head = chain.head(beast)
    assert (head.trainer_tag, head.pending) == (trainer_tag(devnet_account(TRAINER).address), True)


@pytest.mark.parametrize(
    ("times", "relied_on"),
    [
        ((0, 0), 0),  # there is none
        ((150, 0), 150),
        ((90, 0), 90),  # ten seconds old at the filing
        ((89, 0), 0),  # too old
        ((200, 0), 200),  # in the last second
        ((201, 0), 0),  # too late
        ((201, 120), 120),  # renewed after the one that was in time
        ((201, 80), 0),
    ],
)
def test_a_publication_counts_that_is_young_and_in_time(
    times: tuple[int, int], relied_on: int
) -> None:
    publication = Publication(*times)
    assert publication.in_time(filed_at=100, deadline=200, age=10) == relied_on
    assert bool(publication) == bool(times[0])


def test_openings_have_a_bit_each() -> None:
    assert openings_of(0b101) == [Opening.SEGMENTS, Opening.RECORDS]
    assert [opening_bit(opening) for opening in Opening] == [1, 2, 4]


# --- commitments ----------------------------------------------------------------------------------


def trained(chain: Chain, beast: int, steps: int) -> State:
    """The state after the first steps of the beast's first window."""
    ctx = chain.window_context(beast, epoch=0, source=Source.CURRICULUM)
    state = open_window(genesis_state(beast, ctx.dna), chain.head(beast).active_mask)
    run_window(ctx, state, steps)
    return state


def event(contract: Any, name: str, receipt: Any) -> dict[str, Any]:
    (log,) = contract.events[name]().process_receipt(receipt.raw, errors=DISCARD)
    return dict(log["args"])


@pytest.fixture
def lie(chain: Chain, sender: Senders, hatch: Hatch) -> tuple[int, Checkpoint]:
    """A pending window that nobody has trained."""
    for who in (TRAINER, DEPLOYER):
        fund(chain, sender, who, 100 * ENERGY)
    beast = hatch()
    return beast, submit(chain, sender, beast)


def file(chain: Chain, sender: Senders, beast: int, record: Checkpoint) -> int:
    value = 2 * chain.filing_quote(beast, record).opening_bond
    call = chain.court.functions.file(beast, record.to_abi())
    receipt = sender(DEPLOYER).send(call, label="file", value=value)
    return int(event(chain.court, "DisputeFiled", receipt)["disputeId"])


def test_committed_steps_are_counted(
    chain: Chain, sender: Senders, lie: tuple[int, Checkpoint]
) -> None:
    beast, record = lie
    dispute, prover = file(chain, sender, beast, record), sender(OTHER)
    result = state_hash(trained(chain, beast, 5))
    digest = chain.digest(beast, record)
    commitment = steps_commitment(prover.address, digest, 0, 5, result, SALT)
    prover.send(chain.court.functions.commit(commitment), label="commit")
    assert chain.committed_in(commitment) == chain.block().number
    claim = ProofClaim(dispute, beast, record, NO_CHECKPOINT).to_abi()
    call = chain.court.functions.advance(claim, 5, header_to_abi(NO_HEADER), b"", b"", NO_END, SALT)
    advanced = event(
        chain.court, "DisputeAdvanced", prover.send(call, label="advance", spare_gas=SPARE)
    )
    assert (advanced["stateHash"], advanced["count"], advanced["counted"]) == (result, 5, True)
    assert (chain.dispute(dispute).steps_done, chain.dispute(dispute).state_hash) == (5, result)


def test_a_committed_proof_is_paid_to_its_sender(
    chain: Chain, sender: Senders, lie: tuple[int, Checkpoint]
) -> None:
    beast, record = lie
    prover, result = sender(OTHER), state_hash(trained(chain, beast, 8))
    digest = chain.digest(beast, record)
    commitment = proof_commitment(prover.address, digest, 0, result, SALT)
    prover.send(chain.court.functions.commit(commitment), label="commit")
    dispute = file(chain, sender, beast, record)
    segments = [bytes([k]) * 32 for k in range(SEGMENTS - 1)] + [record.payload.h128]
    opened = chain.court.functions.openSegments(dispute, beast, record.to_abi(), segments)
    sender(TRAINER).send(opened, label="open")
    standing = chain.dispute(dispute)
    assert (standing.status, standing.missing) == (DisputeStatus.OPENED, 0)
    window = chain.season(1).economics.proof_window
    assert standing.head_start_end == standing.proof_start + window // 4
    claim = ProofClaim(dispute, beast, record, NO_CHECKPOINT).to_abi()
    call = chain.court.functions.prove(claim, segments, 0, header_to_abi(NO_HEADER), b"", b"", SALT)
    upheld = event(chain.court, "DisputeUpheld", prover.send(call, label="prove", spare_gas=SPARE))
    assert upheld["prover"] == prover.address
    assert upheld["filer"] == devnet_account(DEPLOYER).address
    assert upheld["how"] == Conviction.SEGMENT


def test_a_committed_header_is_paid_to_its_sender(
    chain: Chain, sender: Senders, hatch: Hatch
) -> None:
    fund(chain, sender, TRAINER, 100 * ENERGY)
    beast = hatch()
    state = trained(chain, beast, 128)
    state.update(window_loss=2)  # the payload says 1
    record = submit(chain, sender, beast, h128=state_hash(state))
    prover, digest = sender(OTHER), chain.digest(beast, record)
    root = weights_root(state.weights)
    commitment = header_commitment(prover.address, digest, state.header, root, SALT)
    prover.send(chain.court.functions.commit(commitment), label="commit")
    call = chain.court.functions.challengeHeader(
        beast,
        record.to_abi(),
        NO_CHECKPOINT.to_abi(),
        header_to_abi(state.header),
        root,
        SALT,
    )
    upheld = event(
        chain.court, "DisputeUpheld", prover.send(call, label="challenge", spare_gas=SPARE)
    )
    assert (upheld["prover"], upheld["how"]) == (prover.address, Conviction.HEADER)
    # At index 0 the reward is due at once.
    trainer = devnet_account(TRAINER).address
    held = chain.stake_reward_of(beast, trainer)
    assert held.prover == prover.address
    prover.send(chain.vault.functions.settleReward(beast, trainer), label="settle")
    assert chain.credit_of(prover.address) == held.filing + held.proof > 0
