"""Training on a final match: the real command line, killed and simulated, and its defence."""

from __future__ import annotations

import gc
import shutil
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import delete

from chainbeasts.backend.chain.anvil import Anvil, rpc
from chainbeasts.backend.chain.client import Chain
from chainbeasts.backend.chain.types import Checkpoint, DisputeStatus, header_to_abi
from chainbeasts.backend.kernel.samples import Source
from chainbeasts.backend.kernel.state import serialize_weights, state_hash
from chainbeasts.backend.kernel.window import open_window, run_window
from chainbeasts.backend.store.daemons import WindowRow
from chainbeasts.backend.store.matches import WordRow
from tests.support.forked import Program
from tests.support.ring import Corner, Ring
from tests.support.snapshots import go_back
from tests.trainer.conftest import OTHER, TRAINER, Farm
from tests.trainer.train.instants import run_until

MATCH, OPEN_MATCH = 1, 2


def _corner(farm: Farm, who: int) -> Corner:
    """A beast of an account's, with one final checkpoint."""
    farm.fund(who)
    beast = int(farm.done("beast", "hatch", "--yes", who=who)["beast"])
    farm.done("trainer", "run", str(beast), who=who)
    farm.travel(farm.chain.season(1).economics.challenge_period + 1)
    farm.done("checkpoint", "finalize", str(beast), who=who)
    checkpoint = farm.chain.ledger.events.CheckpointSubmitted().get_logs(
        from_block=farm.chain.deployment.start_block, argument_filters={"beastId": beast}
    )
    record = Checkpoint.from_abi(checkpoint[0]["args"]["checkpoint"])
    workspace = farm.workspace()
    state = workspace.snapshots.get(record.payload.h128)
    workspace.database.close()  # or its files would change while they are copied
    assert state is not None
    opened = (header_to_abi(state.header), serialize_weights(state.weights))
    farm.send(who, farm.chain.states.functions.publish(*opened))
    return Corner(farm.sender(who), beast, record, state)


@pytest.fixture(scope="module")
def arena(
    deployed: tuple[Chain, Path],
    anvil_process: Anvil,
    program: Program,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[tuple[Farm, Ring]]:
    """A final match between two beasts, and one that is only agreed on; undone after the module."""
    chain, folder = deployed
    snapshot = rpc(anvil_process.url, "evm_snapshot")
    home = tmp_path_factory.mktemp("arena")
    (home / "deployments").mkdir()
    for record in folder.glob("*.json"):
        shutil.copy(record, home / "deployments")
    farm = Farm(chain, home, program)
    ring = Ring(chain, _corner(farm, TRAINER), _corner(farm, OTHER))
    assert (ring.seeded(), ring.seeded()) == (MATCH, OPEN_MATCH)
    ring.record(MATCH)
    ring.finalize(MATCH, farm.travel)
    gc.collect()  # closes what the commands had open, or its files would go while they are copied
    yield farm, ring
    go_back(partial(rpc, anvil_process.url), snapshot)


@pytest.fixture
def fought(arena: tuple[Farm, Ring], anvil: Anvil, tmp_path: Path) -> tuple[Farm, Ring]:
    """The same with a home of the test's own; what the test does is undone after it."""
    farm, ring = arena
    shutil.copytree(farm.home, tmp_path / "home")
    return replace(farm, home=tmp_path / "home"), ring


def expected(ring: Ring, windows: int) -> list[bytes]:
    """h128 of the next windows on the match, by the reference."""
    chain, corner = ring.chain, ring.a
    head = chain.head(corner.beast)
    ctx = chain.window_context(
        corner.beast, epoch=head.epoch, source=Source.BATTLE, source_id=MATCH
    )
    words, state, hashes = ring.played(MATCH).words, corner.state, []
    for _ in range(windows):
        state = open_window(state, head.active_mask)
        run_window(ctx, state, records=words.__getitem__)
        hashes.append(state_hash(state))
    return hashes


def payloads(farm: Farm, beast: int) -> list[tuple[Any, ...]]:
    """What the ledger took after the first window."""
    return [(row.h128, row.source, row.source_id) for row in farm.workspace().live(beast)[1:]]


def test_a_plan_trains_on_the_match(fought: tuple[Farm, Ring], tmp_path: Path) -> None:
    farm, ring = fought
    beast = str(ring.a.beast)
    right = expected(ring, 2)
    simulate = ("trainer", "simulate", beast, "--source", "battle:1", "--windows", "2")
    simulated = farm.done(*simulate, who=None)
    assert simulated["epochs"][0]["sources"] == {"battle#1": 2}
    assert simulated["h128"] == "0x" + right[1].hex()  # its seed is known, so it is the real one

    path = tmp_path / "plan.toml"
    path.write_text(
        '[[train]]\nsource = "battle#1"\nfirst = 1\nlast = 2\n[[train]]\nsource = "self-play"\n'
    )
    farm.done("trainer", "run", beast, "--windows", "3", "--plan", str(path), "--batch", "2")
    first, second, third = payloads(farm, ring.a.beast)
    assert [first, second] == [(h, Source.BATTLE, MATCH) for h in right]
    assert third[1:] == (Source.SELF_PLAY, 0)
    listed = farm.done("checkpoint", "list", beast, who=None)
    assert [(one["source"], one["source_id"]) for one in listed[1:3]] == [("battle", MATCH)] * 2


@pytest.mark.parametrize(("instant", "number"), [("on record", 1), ("signed", 1), ("sent", 2)])
def test_a_killed_run_goes_on_with_the_same_windows(
    fought: tuple[Farm, Ring], instant: str, number: int
) -> None:
    farm, ring = fought
    right = expected(ring, 2)
    beast = str(ring.a.beast)
    command = ("trainer", "run", beast, "--until", "3", "--source", "battle:1")
    assert run_until(instant, number, farm.arguments(TRAINER, *command)) == -9
    farm.done(*command)
    assert payloads(farm, ring.a.beast) == [(h, Source.BATTLE, MATCH) for h in right]


def test_only_final_matches_are_trained_on(fought: tuple[Farm, Ring]) -> None:
    farm, ring = fought
    run, nonce = ("trainer", "run", str(ring.a.beast), "--source"), farm.nonce(TRAINER)
    assert "There is no match 9" in farm.refused(*run, "battle:9").message
    assert f"Match {OPEN_MATCH} is seeded" in farm.refused(*run, f"battle:{OPEN_MATCH}").message
    assert "which match" in farm.refused(*run, "battle").message
    newborn = farm.refused("trainer", "simulate", "--new", "--source", "battle:1", who=None)
    assert "no chain whose matches it knows" in newborn.message
    workspace = farm.workspace()
    with workspace.database.session() as session:
        session.execute(delete(WordRow))
    error = farm.refused(*run, "battle:1")
    assert "neither here nor at a peer" in error.message
    assert "CHAINBEASTS_PEERS" in error.hint
    assert farm.nonce(TRAINER) == nonce


def test_the_defender_answers_for_a_window_on_a_match(fought: tuple[Farm, Ring]) -> None:
    """Also from nothing but the chain: the window is computed again from the match's log."""
    farm, ring = fought
    farm.done("trainer", "run", str(ring.a.beast), "--source", "battle:1")
    dispute = farm.file(ring.a.beast)
    with farm.workspace().database.session() as session:
        session.execute(delete(WindowRow))
    farm.done("trainer", "defend", "--once")
    assert farm.chain.dispute(dispute).status is DisputeStatus.OPENED
