"""Datasets that no transaction carries: staged, interrupted, resumed, filed, and read by others."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from typing import Any

import pytest
import zstandard
from eth_hash.auto import keccak
from structlog.testing import capture_logs

from chainbeasts.backend.accounts import devnet_account
from chainbeasts.backend.chain.chunks import MAX_WHOLE, chunks_of, transactions_for
from chainbeasts.backend.chain.errors import NodeUnavailableError
from chainbeasts.backend.chain.escrow import ensure_escrow
from chainbeasts.backend.chain.providers import make_provider
from chainbeasts.backend.chain.types import Commitments
from chainbeasts.backend.kernel import merkle
from chainbeasts.backend.kernel.samples import Source, random_position
from chainbeasts.backend.store.private import PrivateDataset
from chainbeasts.validator.enforce.staging import Staging
from chainbeasts.validator.judge.datasets import revealed_dataset
from tests.support.forked import Program
from tests.support.patience import eventually
from tests.support.ports import free_port
from tests.validator.conftest import ENERGY, OTHER, VALIDATOR, Rig, Submitted
from tests.validator.test_commands import done
from tests.validator.test_daemon import one_weight, write_dataset

RECORDS = 18_000  # of about 20 bytes that nothing compresses further


@pytest.fixture
def large(rig: Rig) -> tuple[int, Submitted]:
    """A beast with 350 kB of private records, and a false window trained on them."""
    rules = rig.chain.season(1).rules
    beast = rig.hatch([random_position(seed, None, rules) for seed in range(RECORDS)])
    assert 300_000 < len(rig.private[beast].compressed) < 500_000
    cheat = rig.train(beast, source=Source.PRIVATE, tamper=(128, one_weight))
    write_dataset(rig, beast, rig.home / "beasts")
    return beast, cheat


def killed(rig: Rig, program: Program, when: str, number: int, *command: str) -> None:
    """Run a command that kills itself at the given chunk transaction."""
    common = ["--home", str(rig.home), "--rpc-url", rig.chain.rpc_url]
    given = [when, str(number), *command, *common, "--account", f"devnet:{VALIDATOR}"]
    ended = program.run(given, os.environ, module="tests.validator.enforce.killed_staging")
    assert ended.returncode == -signal.SIGKILL, ended.stderr


def reveal(rig: Rig) -> tuple[str, ...]:
    """The options that make a beast's dataset public with a filing."""
    folder = rig.home / "beasts"
    return "--dataset", str(folder / "anything"), "--secret-file", str(folder / "else.hex")


def staged(rig: Rig, beast: int, who: int = VALIDATOR) -> list[bytes]:
    digest = rig.chain.commitments(beast).c_dataset
    function = rig.chain.stage.functions.stageOf(devnet_account(who).address, digest)
    return [bytes(found) for found in rig.chain.call(function)[4]]


def parts(rig: Rig, beast: int) -> list[bytes]:
    return [bytes(keccak(b"\0" + part)) for part in chunks_of(rig.private[beast].compressed)]


def read_back(rig: Rig, beast: int) -> PrivateDataset | None:
    """The dataset as a validator knows it who has the chain alone."""
    workspace = rig.workspace()
    workspace.sync()
    return revealed_dataset(rig.chain, workspace.database, beast, rig.chain.commitments(beast))


def test_filing_by_hand_stages_and_resumes_after_kills(
    rig: Rig, program: Program, large: tuple[int, Submitted]
) -> None:
    beast, cheat = large
    filing = ("dispute", "file", str(beast), "0", *reveal(rig), "--yes")
    killed(rig, program, "signed", 1, *filing)
    assert staged(rig, beast) == []
    killed(rig, program, "sent", 2, *filing)
    eventually(lambda: staged(rig, beast) == parts(rig, beast)[:6])  # mined after Anvil's answer
    before = rig.nonce(VALIDATOR)
    filed = done(rig, *filing, who=VALIDATOR)
    assert staged(rig, beast) == parts(rig, beast)
    left = transactions_for(len(rig.private[beast].compressed)) - 3  # begun, and two parts
    assert rig.nonce(VALIDATOR) == before + left
    assert rig.chain.dispute(filed["dispute"]).filer == devnet_account(VALIDATOR).address
    assert read_back(rig, beast) == rig.private[beast]
    assert rig.live(beast, cheat)  # filed, not judged


def test_the_daemon_stages_resumes_after_a_kill_and_slashes(
    rig: Rig, program: Program, large: tuple[int, Submitted]
) -> None:
    beast, cheat = large
    run = ("validator", "run", "--once", "--workers", "0", "--strategy", "fast")
    killed(rig, program, "signed", 3, *run)
    assert staged(rig, beast) == parts(rig, beast)[:6]
    assert rig.disputes == 0
    rig.validator().run_once()
    assert staged(rig, beast) == parts(rig, beast)
    assert rig.disputes == 1
    if rig.live(beast, cheat):  # re-execution took so long that the trainer's silence came first
        rig.validator().run_once()
    assert not rig.live(beast, cheat)
    assert rig.verdicts() == {(beast, 0): "invalid"}


def test_a_stage_of_other_bytes_is_begun_anew(rig: Rig) -> None:
    """As another program of the same account may have left it."""
    address, functions = devnet_account(VALIDATOR).address, rig.chain.stage.functions
    blob = bytes(range(256)) * 200
    data = PrivateDataset((1,), bytes(32), blob)
    rig.send(VALIDATOR, functions.begin(keccak(blob), b"\1" * 32))
    rig.send(VALIDATOR, functions.stage(keccak(blob), 0, [b"rubbish"]))
    reported: list[tuple[int, int]] = []
    staging = Staging(rig.chain, address, data)
    sent: list[str] = []

    def send(move: Any) -> None:
        sent.append(move.key.split(":", 1)[1])
        rig.send(VALIDATOR, move.call)

    staging.run(send, lambda *so_far: reported.append(so_far))
    assert sent == ["0:abandon", "1:begin", "1:0"]
    assert reported[-1] == (3, 3)
    found = rig.chain.call(functions.stageOf(address, keccak(blob)))
    assert [bytes(h) for h in found[4]] == [keccak(b"\0" + part) for part in chunks_of(blob)]
    staging.run(send)
    assert len(sent) == 3  # nothing was left to do


def test_a_node_that_goes_away_while_a_dataset_is_read_refuses_nothing(
    rig: Rig, large: tuple[int, Submitted]
) -> None:
    beast, _ = large
    filing = ("dispute", "file", str(beast), "0", *reveal(rig), "--yes")
    done(rig, *filing, who=VALIDATOR)
    for path in (rig.home / "beasts").iterdir():
        path.unlink()
    workspace = rig.workspace()
    workspace.sync()
    workspace.reader.commitments(beast)  # known before the node goes
    present = workspace.chain.w3.provider
    workspace.chain.w3.provider = make_provider(f"http://127.0.0.1:{free_port()}")
    with pytest.raises(NodeUnavailableError):
        workspace.states.private_data(beast)
    workspace.chain.w3.provider = present
    assert workspace.states.private_data(beast) == rig.private[beast]


def test_nothing_more_is_staged_once_a_rival_has_revealed_the_dataset(
    rig: Rig, large: tuple[int, Submitted]
) -> None:
    beast, cheat = large
    rig.fund(OTHER)
    ensure_escrow(rig.chain, rig.sender(OTHER), 10 * ENERGY)
    workspace = rig.workspace()
    workspace.sync()
    case, data = workspace.reader.find(beast, 0), rig.private[beast]

    def send(move: Any) -> None:
        rig.send(VALIDATOR, move.call)
        if not staged(rig, beast):
            return
        theirs = Staging(rig.chain, devnet_account(OTHER).address, data)
        theirs.run(lambda other: rig.send(OTHER, other.call))
        value = 2 * rig.chain.filing_quote(beast, cheat.checkpoint).opening_bond
        rig.send(OTHER, workspace.moves.file(case, data), value)

    mine = Staging(rig.chain, devnet_account(VALIDATOR).address, data)
    mine.run(send, still_needed=lambda: workspace.moves.stages(case, data))
    assert len(staged(rig, beast)) == 3
    assert rig.chain.dispute(1).filer == devnet_account(OTHER).address
    assert read_back(rig, beast) == data


def announced(content: int) -> bytes:
    """64 MiB of zeros that say what they are."""
    return zstandard.ZstdCompressor().compress(bytes(content))


def forged(content: int) -> bytes:
    """The same, announced as two words."""
    frame = bytearray(announced(content))
    header = zstandard.frame_header_size(bytes(frame))
    frame[header - 4 : header] = (64).to_bytes(4, "little")
    assert zstandard.frame_content_size(bytes(frame)) == 64
    return bytes(frame)


@pytest.mark.parametrize("bomb", [announced, forged])
def test_a_bomb_that_was_committed_and_staged_is_refused_with_one_warning(
    rig: Rig, bomb: Callable[[int], bytes]
) -> None:
    blob, secret, words = bomb(64 << 20), bytes(range(32)), (5, 7)
    committed = Commitments(keccak(blob), merkle.root(words), len(words), keccak(secret))
    rig.request_hatch(1, committed)
    rig.travel(1)
    beast = rig.chain.beast_count()
    rig.send(1, rig.chain.beasts.functions.hatch(beast))
    rules = rig.chain.season(1).rules
    trained = tuple(random_position(seed, None, rules) for seed in range(2))
    rig.private[beast] = data = PrivateDataset(trained, secret, blob)
    window = rig.train(beast, source=Source.PRIVATE, publish=False)

    rig.fund(OTHER)
    address = devnet_account(OTHER).address
    ensure_escrow(rig.chain, rig.sender(OTHER), 10 * ENERGY)
    Staging(rig.chain, address, data).run(lambda move: rig.send(OTHER, move.call))
    record = window.checkpoint.to_abi()
    value = 2 * rig.chain.filing_quote(beast, window.checkpoint).opening_bond
    rig.send(OTHER, rig.chain.court.functions.fileStaged(beast, record, secret), value)
    before = rig.nonce(VALIDATOR)
    daemon = rig.validator()
    with capture_logs() as logs:
        daemon.run_once()
        rig.travel(1)
        daemon.run_once()
    refusals = [entry for entry in logs if entry["event"].startswith("revealed dataset refused")]
    assert len(refusals) == 1, refusals
    assert "dataset" in refusals[0]["reason"]
    assert rig.verdicts() == {(beast, 0): "unavailable"}
    assert (rig.nonce(VALIDATOR), rig.disputes) == (before, 1)


def test_what_is_staged_is_decided_by_size() -> None:
    """As the contracts have it: whole up to 120,000 bytes, at most ten transactions."""
    assert [transactions_for(n) for n in (1, MAX_WHOLE, MAX_WHOLE + 1, 524_288)] == [1, 1, 4, 10]
