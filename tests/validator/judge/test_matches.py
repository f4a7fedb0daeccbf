"""The daemon plays every recorded match again, and disproves what is wrong by itself."""

from __future__ import annotations

import json
import shutil
import signal
from dataclasses import replace

import pytest
from prometheus_client import generate_latest
from sqlalchemy import select
from typer.testing import CliRunner, Result

from chainbeasts.backend.accounts import devnet_account
from chainbeasts.backend.battle.tournament import result_of
from chainbeasts.backend.chain.errors import Reverted
from chainbeasts.backend.chain.types import MatchLie, MatchStatus
from chainbeasts.backend.indexer.published import published_state
from chainbeasts.backend.kernel.combat import Match
from chainbeasts.backend.kernel.rules import Rules
from chainbeasts.backend.kernel.samples import Source, random_position
from chainbeasts.backend.store.daemons import IntentRow, IntentState, Verdict
from chainbeasts.backend.store.matches import WordRow
from chainbeasts.backend.store.snapshots import SnapshotStore
from chainbeasts.backend.store.words import record_of_match
from chainbeasts.validator.cli.validator import app
from chainbeasts.validator.judge import states
from chainbeasts.validator.judge.matches import MatchJobStore
from chainbeasts.validator.judge.states import StateProvider
from chainbeasts.validator.operations.metrics import ValidatorMetrics
from tests.support.forked import Program
from tests.support.ring import Corner, Ring, other_word
from tests.validator.conftest import DEPLOYER, ENERGY, MATCH, VALIDATOR, Rig
from tests.validator.test_process import killed

ENEMY_HP = 192
"""The bit of a word where the enemy's hp begins."""


def lies_of(played: Match) -> dict[str, tuple[MatchLie, list[int], int | None]]:
    """Wrong records of a match: what disproves each, its words and its result."""
    words = list(played.words)
    middle = len(words) // 2
    changed = [*words[:middle], other_word(words[middle]), *words[middle + 1 :]]
    dead = words[middle] & ~(0xFF << ENEMY_HP)
    winner = int(result_of(played))
    return {
        "first word": (MatchLie.FIRST_WORD, [other_word(words[0]), *words[1:]], None),
        "a turn": (MatchLie.TURN, changed, None),
        "after the end": (MatchLie.OVER, [*words[:middle], dead, *words[middle + 1 :]], None),
        "no position": (MatchLie.OVER, [*words[:middle], 0, *words[middle + 1 :]], None),
        "too short": (MatchLie.END, words[:middle], None),
        "another winner": (MatchLie.END, words, (winner + 1) % 3),
    }


@pytest.mark.parametrize("name", lies_of(Match((1, 2, 3, 4), 5, 0, b"")))
def test_each_lie_is_disproved_and_the_truth_is_left(fight: tuple[Rig, Ring], name: str) -> None:
    rig, ring = fight
    lie, words, result = lies_of(ring.played(MATCH))[name]
    monitor = ValidatorMetrics()
    ring.record(MATCH, words, result)
    validator = rig.validator(monitor=monitor)
    before = rig.chain.energy_of(devnet_account(VALIDATOR).address)
    validator.run_once()
    assert rig.chain.match(MATCH).status is MatchStatus.SEEDED
    (event,) = rig.chain.arena.events.MatchDisproved().get_logs(
        from_block=rig.chain.deployment.start_block
    )
    assert (event["args"]["lie"], event["args"]["challenger"]) == (
        lie,
        devnet_account(VALIDATOR).address,
    )
    gained = rig.chain.energy_of(devnet_account(VALIDATOR).address) - before
    assert gained == event["args"]["reward"] == 8 * ENERGY  # 40 % of the bond, in its wallet
    assert b'match_jobs{verdict="invalid"} 1.0' in generate_latest(monitor.registry)

    ring.record(MATCH)  # somebody states the truth
    moves = rig.nonce(VALIDATOR)
    validator.run_once()
    validator.close()
    assert rig.nonce(VALIDATOR) == moves
    ring.finalize(MATCH, rig.travel)
    assert rig.chain.match(MATCH).status is MatchStatus.FINAL
    jobs = MatchJobStore(rig.workspace().database)
    assert [row.verdict for row in jobs.all()] == [Verdict.INVALID, Verdict.VALID]


def test_a_lie_told_again_is_disproved_again(fight: tuple[Rig, Ring]) -> None:
    rig, ring = fight
    _, words, result = lies_of(ring.played(MATCH))["another winner"]
    for times in (1, 2):
        ring.record(MATCH, words, result)
        validator = rig.validator()
        validator.run_once()
        validator.close()
        assert rig.chain.match(MATCH).status is MatchStatus.SEEDED
        events = rig.chain.arena.events.MatchDisproved().get_logs(
            from_block=rig.chain.deployment.start_block
        )
        assert len(events) == times


def test_watching_only_judges_and_sends_nothing(fight: tuple[Rig, Ring]) -> None:
    rig, ring = fight
    _, words, _ = lies_of(ring.played(MATCH))["a turn"]
    ring.record(MATCH, words)
    nonces = [rig.nonce(who) for who in (DEPLOYER, VALIDATOR)]
    validator = rig.validator(dry_run=True)
    validator.run_once()
    validator.close()
    assert [rig.nonce(who) for who in (DEPLOYER, VALIDATOR)] == nonces
    assert rig.chain.match(MATCH).status is MatchStatus.RECORDED
    (job,) = MatchJobStore(rig.workspace().database).all()
    assert (job.verdict, job.match_id) == (Verdict.INVALID, MATCH)
    assert "leads to another word" in job.reason


def test_without_the_states_only_what_needs_none_is_disproved(fight: tuple[Rig, Ring]) -> None:
    rig, ring = fight
    kept = rig.settings.snapshots_dir
    for corner in (ring.a, ring.b):  # whoever trained them published them, and took them back
        SnapshotStore(kept).path(corner.checkpoint.payload.h128).unlink()
    private = rig.home / "validator"
    shutil.rmtree(private, ignore_errors=True)
    lies = lies_of(ring.played(MATCH))
    ring.record(MATCH, lies["first word"][1])
    validator = rig.validator()
    validator.run_once()
    assert rig.chain.match(MATCH).status is MatchStatus.SEEDED
    # Computable from the windows: the state is found all the same.
    ring.record(MATCH, lies["a turn"][1])
    validator.run_once()
    validator.close()
    assert rig.chain.match(MATCH).status is MatchStatus.SEEDED


def test_a_state_that_is_on_chain_is_enough(
    fight: tuple[Rig, Ring], monkeypatch: pytest.MonkeyPatch
) -> None:
    """As of a beast with a private dataset, whose windows nobody else can compute again."""
    rig, ring = fight
    # Nor are ends kept that were computed to judge those windows: the record, looked at again after
    # a second, would find them.
    monkeypatch.setattr(StateProvider, "_recompute", lambda *_: None)
    monkeypatch.setattr(StateProvider, "keep_ends", lambda *_: None)
    for corner in (ring.a, ring.b):
        SnapshotStore(rig.settings.snapshots_dir).path(corner.checkpoint.payload.h128).unlink()
    ring.record(MATCH, lies_of(ring.played(MATCH))["a turn"][1])

    def run_once() -> None:
        validator = rig.validator()
        validator.run_once()
        validator.close()

    # The arena takes published states only; without what the index knows of them nothing is judged.
    monkeypatch.setattr(states, "published_state", lambda *_: None)
    run_once()
    (job,) = MatchJobStore(rig.workspace().database).all()
    assert (job.verdict, "neither published" in job.reason) == (Verdict.UNAVAILABLE, True)
    monkeypatch.setattr(states, "published_state", published_state)
    run_once()
    assert rig.chain.match(MATCH).status is MatchStatus.SEEDED


def test_a_private_beasts_lie_is_disproved_by_its_state_on_chain(fight: tuple[Rig, Ring]) -> None:
    """Its training cannot be replayed here, and its owner publishes nothing off chain."""
    rig, ring = fight
    beast = rig.hatch([random_position(n, None, Rules()) for n in range(5)])
    window = rig.train(beast, source=Source.PRIVATE, publish=False)
    rig.finalize(beast, window)
    private = replace(ring, a=Corner(ring.a.sender, beast, window.checkpoint, window.end))
    challenge = ring.arena.challenge(beast, window.checkpoint.to_abi(), ring.b.beast)
    with pytest.raises(Reverted) as caught:
        ring.a.sender.simulate(challenge)
    assert caught.value.name == "StateNotPublished"
    match = private.seeded()  # which publishes it
    private.record(match, lies_of(private.played(match))["a turn"][1])
    validator = rig.validator()
    validator.run_once()
    validator.close()
    assert rig.chain.match(match).status is MatchStatus.SEEDED


def test_words_that_the_cache_lost_leave_the_record_alone(fight: tuple[Rig, Ring]) -> None:
    rig, ring = fight
    ring.record(MATCH, lies_of(ring.played(MATCH))["another winner"][1], 2)
    workspace = rig.workspace()
    workspace.sync()
    with workspace.database.session() as session:
        record = record_of_match(session, MATCH)
        assert record is not None
        session.delete(session.get_one(WordRow, record.word_keys[1]))
    validator = rig.validator()
    validator.run_once()
    validator.close()
    (job,) = MatchJobStore(workspace.database).all()
    assert job.verdict == Verdict.UNAVAILABLE
    assert rig.chain.match(MATCH).status is MatchStatus.RECORDED


def test_by_hand_a_record_is_judged_and_disproved(fight: tuple[Rig, Ring]) -> None:
    rig, ring = fight
    common = ("--home", str(rig.home), "--rpc-url", rig.chain.rpc_url, "--json")

    def run(verb: str, *more: str) -> Result:
        return CliRunner().invoke(app, [verb, str(MATCH), *common, *more])

    assert "has no record" in str(run("judge-match").exception)
    ring.record(MATCH, lies_of(ring.played(MATCH))["a turn"][1])
    judged = run("judge-match")
    assert "is invalid: turn" in str(judged.exception)
    verdict = json.loads(judged.stdout)
    assert (verdict["lie"], verdict["verdict"]) == ("turn", "invalid")
    done = json.loads(run("disprove", "--account", f"devnet:{DEPLOYER}").stdout)
    assert done["turn"] == verdict["turn"]
    assert rig.chain.match(MATCH).status is MatchStatus.SEEDED
    ring.record(MATCH)
    assert run("judge-match").exception is None
    refused = run("disprove", "--account", f"devnet:{DEPLOYER}").exception
    assert "Nothing is known to be wrong" in str(refused)


def test_killed_at_any_instant_it_disproves_once(fight: tuple[Rig, Ring], program: Program) -> None:
    rig, ring = fight
    ring.record(MATCH, lies_of(ring.played(MATCH))["a turn"][1])
    for when in ("planned", "signed", "sent"):
        assert killed(rig, program, when) == -signal.SIGKILL
    assert killed(rig, program, "never") == 0
    events = rig.chain.arena.events.MatchDisproved().get_logs(
        from_block=rig.chain.deployment.start_block
    )
    assert len(events) == 1
    with rig.workspace().database.session() as session:
        moves = session.scalars(select(IntentRow).where(IntentRow.kind == "disprove")).all()
    assert [(move.state, move.bond) for move in moves] == [(IntentState.MINED, 0)]
