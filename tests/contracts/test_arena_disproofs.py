"""Disproofs of match records: every lie falls, the truth does not, and what it pays."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from chainbeasts.backend.kernel import combat
from chainbeasts.backend.kernel.combat import activate
from chainbeasts.backend.kernel.row_opening import open_pass, open_rows, read_leaves
from chainbeasts.backend.kernel.rules import Rules
from chainbeasts.backend.kernel.samples import random_position
from chainbeasts.backend.kernel.state import serialize_weights
from tests.support.arena import (
    DRAW,
    END,
    FIRST_WORD,
    OVER,
    RECORDED,
    SEEDED,
    TURN,
    A,
    B,
    Bout,
    Record,
)
from tests.support.protocol import World
from tests.support.training import header_of

CRITICAL, DEFENSE = 1 << 248, 1 << 224
"""Bits of the critical flag, which passes, and of the enemy's defence, which stays."""

MIDDLE = 9
"""A turn of every match: the two need 13 to reach one another."""


@pytest.fixture
def world(bout: Bout) -> World:
    return bout.world


def disprove(bout: Bout, record: Record, call: Any) -> dict[str, Any]:
    """Record a lie and disprove it; the event."""
    bout.report(record, bout.reporter)
    receipt = bout.world.send(call, bout.challenger)
    assert bout.state.status == SEEDED
    return bout.world.logs("arena", "MatchDisproved", receipt)[0]


def wrong_from(bout: Bout, turn: int) -> Record:
    """A match in which a beast did something else in one turn, and then all went its way."""
    rules = Rules(*bout.world.season.rules)
    words, word = list(bout.truth.words[:turn]), bout.truth.words[turn]
    brains = [bout.actor(0).act, bout.actor(1).act]
    while not combat.is_over(combat.unpack(word), rules):
        action = brains[len(words) % 2](word)
        if len(words) == turn:
            action = replace(action, block=True)
        words.append(word)
        word = activate(word, action, rules, bout.seed)
    winner = combat.winner(word, bout.seed, bout.a.dna, bout.b.dna)
    return Record(2 if winner == combat.DRAW else winner, tuple(words))


# --- every lie --------------------------------------------------------------------------------


@pytest.mark.parametrize("change", [CRITICAL, 1 << 40, 1 << (128 + 8), 1 << 241])
def test_disproveFirstWord_ofAnotherMatch_slashes(bout: Bout, change: int) -> None:
    """P63: a flag, a tile, a point of health, a turn."""
    lie = bout.truth.with_word(0, bout.truth.words[0] ^ change)
    event = disprove(bout, lie, bout.first_word_call(lie))
    assert (event["lie"], event["turn"]) == (FIRST_WORD, 0)


@pytest.mark.parametrize("turn", [0, 1, MIDDLE, -2])
def test_disproveTurn_wrongActivation_slashes(bout: Bout, turn: int) -> None:
    """P63: a beast did what its brain does not say; all the rest follows."""
    turn %= bout.played.turns
    lie = wrong_from(bout, turn)
    assert lie.words[turn + 1] != bout.truth.words[turn + 1]
    event = disprove(bout, lie, bout.turn_call(lie, turn))
    assert (event["lie"], event["turn"]) == (TURN, turn)


def test_disproveTurn_oneBitInTheMiddle_slashes(bout: Bout, world: World) -> None:
    """Both turns around the wrong word are wrong; those before and after are right."""
    lie = bout.truth.with_word(MIDDLE, bout.truth.words[MIDDLE] ^ DEFENSE)
    bout.report(lie, bout.reporter)
    for turn in (0, MIDDLE - 2, MIDDLE + 1, len(lie.words) - 1):
        call = bout.turn_call(lie, turn)
        world.reverts(call, bout.challenger, "RecordCorrect", bout.number)
    for turn in (MIDDLE - 1, MIDDLE):
        world.call(bout.turn_call(lie, turn), bout.challenger)


@pytest.mark.parametrize("word", [0, random_position(3, None, Rules()) & ~(0xFF << 136)])
def test_disprove_invalidWord_slashes(bout: Bout, word: int) -> None:
    """A word that is none: by itself, or as the turn after the one before it."""
    lie = bout.truth.with_word(MIDDLE, word)
    bout.report(lie, bout.reporter)
    bout.world.call(bout.turn_call(lie, MIDDLE - 1), bout.challenger)
    receipt = bout.world.send(bout.over_call(lie, MIDDLE), bout.challenger)
    event = bout.world.logs("arena", "MatchDisproved", receipt)[0]
    assert (event["lie"], event["turn"]) == (OVER, MIDDLE)


def test_disproveOver_logBeyondTheEnd_slashes(bout: Bout) -> None:
    """The log goes on with the word that ended the match."""
    lie = replace(bout.truth, words=(*bout.truth.words, bout.played.last))
    event = disprove(bout, lie, bout.over_call(lie, len(lie.words) - 1))
    assert (event["lie"], event["turn"]) == (OVER, len(lie.words) - 1)


def test_disproveTurn_inactiveWord_needsNoState(bout: Bout) -> None:
    lie = replace(bout.truth, words=(*bout.truth.words, bout.played.last))
    call = bout.turn_call(lie, len(lie.words) - 1, opening=(0, 0, b"", []))
    event = disprove(bout, lie, call)
    assert (event["lie"], event["turn"]) == (OVER, len(lie.words) - 1)


@pytest.mark.parametrize("other", [1, 2])
def test_disproveTurn_wrongWinner_slashes(bout: Bout, other: int) -> None:
    lie = replace(bout.truth, result=(bout.truth.result + other) % 3)
    event = disprove(bout, lie, bout.turn_call(lie, len(lie.words) - 1))
    assert (event["lie"], event["turn"]) == (END, len(lie.words) - 1)


@pytest.mark.parametrize("result", [A, B, DRAW])
@pytest.mark.parametrize("turns", [1, MIDDLE, -1])
def test_disproveTurn_tooShort_slashes(bout: Bout, turns: int, result: int) -> None:
    """The match was not over when its log ends, whoever is said to have won."""
    turns %= bout.played.turns
    lie = Record(result, bout.truth.words[:turns])
    event = disprove(bout, lie, bout.turn_call(lie, turns - 1))
    assert (event["lie"], event["turn"]) == (END, turns - 1)


def test_disprove_wholeOtherMatch_slashes(bout: Bout, world: World) -> None:
    """A log of a match with the sides changed: not a word of it is right."""
    rules = Rules(*world.season.rules)
    other = combat.play_match(bout.b.dna, bout.a.dna, bout.seed, rules, bout.b.act, bout.a.act)
    lie = Record(bout.truth.result, other.words)
    event = disprove(bout, lie, bout.first_word_call(lie))
    assert event["lie"] == FIRST_WORD


# --- the truth --------------------------------------------------------------------------------


def test_attack_correctRecord_cannotBeDisproved(bout: Bout, world: World) -> None:
    """P63: no turn, no word and no end of a right record convicts it."""
    bout.report(bout.truth, bout.reporter)
    world.reverts(bout.first_word_call(bout.truth), bout.challenger, "RecordCorrect", bout.number)
    for turn in range(bout.played.turns):
        for call in (bout.turn_call(bout.truth, turn), bout.over_call(bout.truth, turn)):
            world.reverts(call, bout.challenger, "RecordCorrect", bout.number)
    assert bout.state.status == RECORDED


def test_attack_correctRecord_otherStates_areRefused(bout: Bout, world: World) -> None:
    """P63: not the opponent's state, not another header, not other weights, nothing malformed.

    All that an opening of rows could be is in tests/evm_kernel/test_row_openings.py.
    """
    bout.report(bout.truth, bout.reporter)
    word = bout.truth.words[MIDDLE]
    acting, other = bout.actor(MIDDLE).state, bout.actor(MIDDLE + 1).state
    header, other_header = header_of(acting.header), header_of(other.header)
    leaves, packed, rows, siblings = open_pass(acting, word).to_abi()
    theirs = open_pass(other, word).to_abi()
    needed = read_leaves(acting, word)
    least = open_rows(acting.weights, needed - {max(needed)}).to_abi()
    everything = (1 << 232) - 1
    no_guard = bytearray(serialize_weights(acting.weights))
    no_guard[0] &= 0x7F
    attempts: list[tuple[dict[str, Any], str]] = [
        ({"header": other_header, "opening": theirs}, "StateMismatch"),
        ({"header": other_header}, "StateMismatch"),
        ({"header": header._replace(activeMask=header.activeMask ^ 0x80)}, "StateMismatch"),
        (
            {"opening": (leaves, packed, rows[:-1] + bytes([rows[-1] ^ 1]), siblings)},
            "StateMismatch",
        ),
        ({"opening": (leaves, packed, rows, [bytes(32), *siblings[1:]])}, "StateMismatch"),
        ({"opening": (leaves, packed, rows[:-32], siblings)}, "RowsLength"),
        ({"opening": (leaves, packed, rows + bytes(32), siblings)}, "RowsLength"),
        ({"opening": (leaves, packed, rows, siblings[:-1])}, "SiblingCount"),
        ({"opening": (leaves | 1 << 232, packed, rows, siblings)}, "UnknownLeaves"),
        ({"opening": (everything, 0, bytes(no_guard), [])}, "MalformedGuard"),
        ({"opening": least}, "MissingRow"),
        ({"opening": open_rows(acting.weights, ()).to_abi()}, "MissingRow"),
    ]
    for change, error in attempts:
        world.reverts(bout.turn_call(bout.truth, MIDDLE, **change), bout.challenger, error)


def test_attack_correctRecord_otherProofs_areRefused(bout: Bout, world: World) -> None:
    """P60: not another word, another turn's proof, a proof of another length or of another log."""
    bout.report(bout.truth, bout.reporter)
    truth, tree = bout.truth, bout.truth.tree
    lie = truth.with_word(MIDDLE, truth.words[MIDDLE] ^ CRITICAL)
    proof, after = tree.proof(MIDDLE), tree.proof(MIDDLE + 1)
    attempts: list[tuple[dict[str, Any], str]] = [
        ({"word": lie.words[MIDDLE]}, "WrongProof"),
        ({"word": lie.words[MIDDLE], "proof": lie.tree.proof(MIDDLE)}, "WrongProof"),
        ({"word": truth.words[3], "proof": tree.proof(3)}, "WrongProof"),
        ({"nextWord": truth.words[MIDDLE] ^ CRITICAL}, "WrongProof"),
        ({"nextWord": truth.words[MIDDLE], "nextProof": proof}, "WrongProof"),
        ({"proof": after}, "WrongProof"),
        ({"proof": proof[:-1]}, "WrongProofLength"),
        ({"proof": [*proof, bytes(32)]}, "WrongProofLength"),
        ({"nextProof": []}, "WrongProofLength"),
        ({"turn": MIDDLE + 1}, "WrongProof"),
        ({"turn": len(truth.words)}, "TurnOutOfRange"),
        ({"turn": 255}, "TurnOutOfRange"),
    ]
    for change, error in attempts:
        world.reverts(bout.turn_call(truth, MIDDLE, **change), bout.challenger, error)
    first = world.arena.functions.disproveFirstWord
    call = first(bout.number, truth.words[1], tree.proof(1))
    world.reverts(call, bout.challenger, "WrongProof", 0, truth.words[1])
    call = first(bout.number, truth.words[0], [])
    world.reverts(call, bout.challenger, "WrongProofLength", len(proof), 0)
    over = world.arena.functions.disproveOver
    call = over(bout.number, len(truth.words), bout.played.last, proof)
    world.reverts(call, bout.challenger, "TurnOutOfRange", len(truth.words) - 1, len(truth.words))
    call = over(bout.number, 4, 0, tree.proof(4))
    world.reverts(call, bout.challenger, "WrongProof", 4, 0)


def test_attack_proofOfAnotherMatch_isRefused(bout: Bout, world: World) -> None:
    """P60: a true disproof of one match, sent to another of the same beasts."""
    second = Bout.arrange(world, bout.a, bout.b)
    lie = replace(second.truth, result=(second.truth.result + 1) % 3)
    second.report(lie, bout.reporter)
    bout.report(bout.truth, bout.reporter)
    last = len(lie.words) - 1
    world.call(second.turn_call(lie, last), bout.challenger)
    same_depth = len(lie.tree.proof(0)) == len(bout.truth.tree.proof(0))
    error = "WrongProof" if same_depth else "WrongProofLength"
    if last >= len(bout.truth.words):
        error = "TurnOutOfRange"
    world.reverts(second.turn_call(lie, last, matchId=bout.number), bout.challenger, error)


def test_disprove_elsewhere_reverts(bout: Bout, world: World) -> None:
    """P62: no record, no match, or a final one."""
    truth, last = bout.truth, bout.played.turns - 1
    calls = [bout.first_word_call(truth), bout.over_call(truth, 0), bout.turn_call(truth, last)]
    for call in calls:
        world.reverts(call, bout.challenger, "WrongMatchStatus", bout.number, SEEDED)
    world.reverts(bout.turn_call(truth, 0, matchId=8), bout.challenger, "NoSuchMatch", 8)
    bout.report(truth, bout.reporter)
    world.travel(world.season.arena.disproofPeriod)
    for call in calls:
        world.reverts(call, bout.challenger, "DisproofPeriodClosed")
    world.send(world.arena.functions.finalize(bout.number), bout.stranger)
    for call in calls:
        world.reverts(call, bout.challenger, "WrongMatchStatus", bout.number, 5)


# --- what it pays -----------------------------------------------------------------------------


def test_disprove_splitsTheBond(bout: Bout, world: World) -> None:
    """P66: the share of the match's own season to the challenger, the rest burned, nothing else."""
    lie = replace(bout.truth, result=(bout.truth.result + 1) % 3)
    bond, economics = world.season.arena.recordBond, world.season.economics
    before = world.escrow(bout.challenger, "arena")
    supply = world.energy.functions.totalSupply().call()
    generous = world.season._replace(economics=economics._replace(filingBps=1_500, proofBps=3_500))
    world.send(world.seasons.functions.addSeason(generous), world.accounts[0])
    event = disprove(bout, lie, bout.turn_call(lie, len(lie.words) - 1))
    reward = bond * (economics.filingBps + economics.proofBps) // 10_000
    assert (event["reward"], event["burned"]) == (reward, bond - reward)
    assert (event["reporter"], event["challenger"]) == (bout.reporter, bout.challenger)
    assert world.escrow(bout.challenger, "arena") == before + reward
    assert world.energy.functions.totalSupply().call() == supply - (bond - reward)
    # and once
    call = bout.turn_call(lie, len(lie.words) - 1)
    world.reverts(call, bout.challenger, "WrongMatchStatus", bout.number, SEEDED)


def test_attack_reporterDisprovesItself_loses(bout: Bout, world: World) -> None:
    """P66, P68: at the largest share that a season allows half of the bond still burns."""
    lie = replace(bout.truth, result=(bout.truth.result + 1) % 3)
    before = world.escrow(bout.reporter, "arena")
    bout.report(lie, bout.reporter)
    world.send(bout.turn_call(lie, len(lie.words) - 1), bout.reporter)
    assert world.escrow(bout.reporter, "arena") < before
    most = world.season.economics._replace(filingBps=1_000, proofBps=4_000)
    call = world.seasons.functions.addSeason(world.season._replace(economics=most))
    world.send(call, world.accounts[0])
    over = world.season._replace(economics=most._replace(proofBps=4_001))
    call = world.seasons.functions.addSeason(over)
    world.reverts(call, world.accounts[0], "ValueOutOfRange", "proofBps", 4_001, 0, 4_000)
    generous = Bout.arrange(world, bout.a, bout.b)
    before = world.escrow(bout.reporter, "arena")
    lie = replace(generous.truth, result=(generous.truth.result + 1) % 3)
    generous.report(lie, bout.reporter)
    world.send(generous.turn_call(lie, len(lie.words) - 1), bout.reporter)
    bond = world.season.arena.recordBond
    assert world.escrow(bout.reporter, "arena") == before - bond + bond // 2


def test_disprove_afterATransfer_usesTheStatesAgreed(bout: Bout, world: World) -> None:
    """The beast is sold and trained on: the match is still that of the states that were entered."""
    move = world.beasts.functions.transferFrom(bout.a.owner, bout.stranger, bout.a.beast)
    world.send(move, bout.a.owner)
    world.submit(bout.a.beast, bout.stranger)
    lie = wrong_from(bout, MIDDLE)
    event = disprove(bout, lie, bout.turn_call(lie, MIDDLE))
    assert (event["lie"], event["turn"]) == (TURN, MIDDLE)
