"""BATTLE windows, trained on a final match: honest ones stand, wrong ones are slashed."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest
from sqlalchemy import delete

from chainbeasts.backend.battle.logs import MatchLogs, MissingLogError, Peers, parse_peers
from chainbeasts.backend.chain.anvil import Anvil
from chainbeasts.backend.chain.types import CheckpointStatus
from chainbeasts.backend.errors import ChainBeastsError
from chainbeasts.backend.kernel.board import word_bytes
from chainbeasts.backend.kernel.samples import Source
from chainbeasts.backend.kernel.state import State
from chainbeasts.backend.store.daemons import Mode, Verdict
from chainbeasts.backend.store.matches import WordRow
from chainbeasts.backend.store.words import keep_words, word_key
from chainbeasts.validator.enforce.strategy import Strategy
from chainbeasts.validator.evidence.archive import MATCH_LOG, pack, unpack
from chainbeasts.validator.evidence.bundle import make_bundle
from chainbeasts.validator.evidence.check import against_chain, verify
from chainbeasts.validator.evidence.explain import find_cause
from chainbeasts.validator.judge.windows import check
from tests.support.ring import Ring
from tests.validator.conftest import MATCH, VALIDATOR, Rig, Submitted


@pytest.fixture(scope="module")
def final(seeded: tuple[Rig, Ring], anvil_process: Anvil) -> Iterator[tuple[Rig, Ring]]:
    """The match is final; undone after the module."""
    rig, ring = seeded
    rig.fund(VALIDATOR)
    ring.record(MATCH)
    ring.finalize(MATCH, rig.travel)
    rig.logs[MATCH] = ring.played(MATCH).words
    return seeded


@pytest.fixture
def trained(final: tuple[Rig, Ring], fight: tuple[Rig, Ring]) -> tuple[Rig, Submitted, int]:
    """A chain with a final match, the window before a BATTLE window, and the beast."""
    rig, ring = fight
    before = Submitted(ring.a.checkpoint, ring.a.state, [])
    return rig, before, ring.a.beast


ATTACK_WEIGHT = 16_384 + 4


def one_weight(state: State) -> None:
    """Of a logit that nothing learns yet, so that whatever was drawn, the change stays as it is."""
    state.weights[ATTACK_WEIGHT] += 128


def battle(rig: Rig, beast: int, before: Submitted, wrong_after: int | None = None) -> Submitted:
    """Submit a BATTLE window, changed after one of its steps."""
    tamper = None if wrong_after is None else (wrong_after, one_weight)
    return rig.train(beast, before, source=Source.BATTLE, match=MATCH, tamper=tamper)


def test_an_honest_window_is_replayed_and_becomes_final(
    trained: tuple[Rig, Submitted, int],
) -> None:
    rig, before, beast = trained
    window = battle(rig, beast, before)
    assert window.checkpoint.payload.source_id == MATCH
    validator = rig.validator()
    validator.run_once()
    validator.close()
    assert rig.verdicts()[beast, 1] == Verdict.VALID
    assert rig.disputes == 0
    rig.finalize(beast, window)
    assert rig.chain.status(beast, window.checkpoint) is CheckpointStatus.FINAL


def test_a_wrong_window_falls_by_advance(trained: tuple[Rig, Submitted, int]) -> None:
    rig, before, beast = trained
    window = battle(rig, beast, before, wrong_after=77)
    validator = rig.validator(Strategy.FAST)
    validator.run_once()
    validator.close()
    assert not rig.live(beast, window)
    assert rig.verdicts()[beast, 1] == Verdict.INVALID


def test_a_wrong_window_falls_by_one_proved_segment(trained: tuple[Rig, Submitted, int]) -> None:
    rig, before, beast = trained
    window = battle(rig, beast, before, wrong_after=77)
    validator = rig.validator(Strategy.CHEAP)
    validator.run_once()
    assert rig.live(beast, window)
    rig.open_all(beast, window, before, rig.disputes)
    validator.run_once()
    validator.close()
    assert not rig.live(beast, window)
    (upheld,) = rig.chain.court.events.DisputeUpheld().get_logs(
        from_block=rig.chain.deployment.start_block
    )
    assert upheld["args"]["segment"] == 9  # of steps 72 to 79


def test_the_evidence_carries_the_log_and_tells_the_cause(
    trained: tuple[Rig, Submitted, int],
) -> None:
    rig, before, beast = trained
    window = battle(rig, beast, before, wrong_after=77)
    workspace = rig.workspace()
    workspace.sync()
    case = workspace.reader.find(beast, 1)
    replayed, judgement = check(workspace.states, case)
    assert replayed is not None
    assert (judgement.verdict, judgement.mode) == (Verdict.INVALID, Mode.FULL)
    cause = find_cause(replayed, 9, window.segments[9])
    assert cause is not None
    assert (cause.kind, cause.weight) == ("weight", ATTACK_WEIGHT)

    bundle = make_bundle(workspace.states, case, replayed, judgement)
    members = unpack(bundle)
    assert len(members[MATCH_LOG]) == 32 * len(rig.logs[MATCH])
    finding = verify(members)
    assert finding.differences == ()
    assert against_chain(finding.bundle, rig.chain) == []
    other = {**members, MATCH_LOG: members[MATCH_LOG][:-1] + b"\1"}
    with pytest.raises(ChainBeastsError, match="does not have the root"):
        verify(unpack(pack(other)))
    del other[MATCH_LOG]
    with pytest.raises(ChainBeastsError, match="a match and no BATTLE window"):
        verify(unpack(pack(other)))


# --- words that are not at hand ---------------------------------------------------------------


def _serve(words: dict[bytes, bytes], asked: list[bytes]) -> httpx.MockTransport:
    """A peer's API."""

    def answer(request: httpx.Request) -> httpx.Response:
        place, _, key = request.url.path.rpartition("/0x")
        assert place == "/v1/words"
        asked.append(bytes.fromhex(key))
        found = words.get(asked[-1])
        if found is None:
            return httpx.Response(404)
        # Not read before it is asked for, as from a socket.
        return httpx.Response(200, stream=httpx.ByteStream(found))

    return httpx.MockTransport(answer)


def test_words_come_from_peers_and_only_the_right_ones(
    trained: tuple[Rig, Submitted, int],
) -> None:
    rig, before, beast = trained
    battle(rig, beast, before)
    workspace = rig.workspace()
    workspace.sync()
    words = rig.logs[MATCH]
    right = {word_key(word): word_bytes(word) for word in words}
    with workspace.database.session() as session:
        session.execute(delete(WordRow))
    asked: list[bytes] = []
    liar = Peers(("http://a",), _serve({key: bytes(32) for key in right}, asked))
    with pytest.raises(MissingLogError, match="neither here nor at a peer"):
        MatchLogs(workspace.database, liar).words(MATCH)
    assert len(asked) == 1  # nobody asks a liar twice
    empty = Peers(("http://a",), _serve({}, asked))
    with pytest.raises(MissingLogError, match="neither here nor at a peer"):
        MatchLogs(workspace.database, empty).words(MATCH)
    large = Peers(("http://a",), _serve({key: bytes(64) for key in right}, asked))
    with pytest.raises(MissingLogError):
        MatchLogs(workspace.database, large).words(MATCH)
    asked.clear()
    honest = Peers(("http://a", "http://b"), _serve(right, asked))
    assert MatchLogs(workspace.database, honest).words(MATCH) == tuple(words)
    assert sorted(asked) == sorted(right)
    asked.clear()
    assert MatchLogs(workspace.database, honest).words(MATCH) == tuple(words)
    assert asked == []  # they are kept


def test_without_its_log_a_window_is_not_judged(trained: tuple[Rig, Submitted, int]) -> None:
    rig, before, beast = trained
    battle(rig, beast, before, wrong_after=77)
    workspace = rig.workspace()
    workspace.sync()
    with workspace.database.session() as session:
        session.execute(delete(WordRow))
    validator = rig.validator()
    validator.run_once()
    assert rig.verdicts()[beast, 1] == Verdict.UNAVAILABLE
    assert rig.disputes == 0
    with workspace.database.session() as session:
        keep_words(session, rig.logs[MATCH])
    validator.run_once()
    validator.close()
    assert rig.verdicts()[beast, 1] == Verdict.INVALID


@pytest.mark.parametrize("text", ["ftp://x", "nonsense", "http://", "http://me:secret@host"])
def test_what_is_no_peer_is_refused(text: str) -> None:
    with pytest.raises(ChainBeastsError) as caught:
        parse_peers(f"https://good {text}")
    assert "secret" not in str(caught.value)


def test_peers_are_named_with_spaces_between() -> None:
    assert parse_peers("http://a:1/  https://b/x").urls == ("http://a:1", "https://b/x")
    assert parse_peers(None).urls == ()
