"""Training through the real command on a real chain: every source, refused, head moved."""

from __future__ import annotations

import json
import os
import signal
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from chainbeasts.backend.accounts import devnet_account
from chainbeasts.backend.chain.anvil import rpc
from chainbeasts.backend.chain.outbox import Outbox
from chainbeasts.backend.kernel.samples import Source
from chainbeasts.backend.kernel.state import state_hash
from chainbeasts.backend.kernel.window import genesis_state, open_window, run_window
from chainbeasts.backend.store.daemons import WindowRow
from chainbeasts.trainer.cli import growth
from chainbeasts.trainer.submit.finality import Finalizer
from scripts.lib.faulty_node import FaultyNode
from tests.support.snapshots import go_back
from tests.trainer.conftest import ENERGY, OTHER, ROOT, TRAINER, Farm, wait_for

SAMPLES = ROOT / "examples" / "battle_samples.csv"


def hatch(farm: Farm, *args: str) -> int:
    return int(farm.done("beast", "hatch", "--yes", *args)["beast"])


def hashes(rows: list[dict[str, Any]]) -> list[str]:
    return [row["h128"] for row in rows]


def on_chain(farm: Farm, beast: int) -> list[str]:
    """State hashes of a beast's standing checkpoints."""
    return hashes(farm.done("checkpoint", "list", str(beast), who=None))


def expected(
    farm: Farm, beast: int, sources: list[Source], masks: list[int] | None = None
) -> list[str]:
    """State hashes of honest windows, replayed from genesis with chain facts alone.

    Args:
        masks: slots awake in each window; as now in all of them, if not given.
    """
    chain, state = farm.chain, genesis_state(beast, farm.chain.birth(beast).dna)
    mask, found = chain.head(beast).active_mask, []
    data = farm.workspace().private_data(beast) if Source.PRIVATE in sources else None
    for index, source in enumerate(sources):
        fold = data.fold if data is not None and source is Source.PRIVATE else 0
        ctx = chain.window_context(beast, epoch=index // 4, source=source, owner_secret_fold=fold)
        state = open_window(state, mask if masks is None else masks[index])
        run_window(ctx, state, records=None if data is None else data.words.__getitem__)
        found.append("0x" + state_hash(state).hex())
    return found


@pytest.mark.parametrize(
    "command",
    [
        ("trainer", "run", "{beast}"),
        ("trainer", "drill", "weight", "{beast}"),
        ("trainer", "defend", "--once"),
        ("battle", "record", "1"),
    ],
    ids=" ".join,
)
def test_a_deployment_of_another_kernel_is_sent_nothing(
    farm: Farm, monkeypatch: pytest.MonkeyPatch, command: tuple[str, ...]
) -> None:
    """What this kernel computes, that one's referee would find wrong."""
    beast = hatch(farm)
    monkeypatch.setattr("chainbeasts.backend.chain.kernel_check.KERNEL_ID", bytes(32))
    before = farm.chain.block().number
    error = farm.refused(*(word.format(beast=beast) for word in command))
    assert "The deployment's referee runs kernel chainbeasts-kernel-2" in error.message
    assert "the version of chainbeasts" in (error.hint or "")
    assert farm.chain.block().number == before


def test_windows_of_all_sources_are_what_anybody_replays(farm: Farm) -> None:
    beast = hatch(farm, "--dataset", str(SAMPLES))
    made = []
    for source, count in (("curriculum", 3), ("self-play", 2), ("private", 1)):
        arguments = ("--windows", str(count), "--source", source)
        result = farm.invoke("trainer", "run", str(beast), *arguments)
        assert result.exception is None
        assert farm.secrets()[0] not in result.output
        made += json.loads(result.stdout)
    sources = [Source.CURRICULUM] * 3 + [Source.SELF_PLAY] * 2 + [Source.PRIVATE]
    assert hashes(made) == on_chain(farm, beast) == expected(farm, beast, sources)
    assert [row["epoch"] for row in made] == [0, 0, 0, 0, 1, 1]
    workspace = farm.workspace()
    with workspace.database.session() as session:
        for text in hashes(made):
            h128 = bytes.fromhex(text[2:])
            row = session.get_one(WindowRow, h128)
            assert len(row.segment_hashes) == 16
            assert row.segment_hashes[-1] == h128
            assert workspace.snapshots.get(h128) is not None


def test_batches_end_with_the_epoch(farm: Farm) -> None:
    beast = hatch(farm)
    made = farm.done("trainer", "run", str(beast), "--windows", "6", "--batch", "5")
    transactions = [row["tx"] for row in made]
    assert [transactions.count(tx) for tx in dict.fromkeys(transactions)] == [4, 2]
    assert hashes(made) == expected(farm, beast, [Source.CURRICULUM] * 6)


def test_a_run_waits_for_its_node_and_ends_when_it_is_told_to(farm: Farm) -> None:
    beast = hatch(farm)
    with FaultyNode(farm.chain.rpc_url) as node:
        node.down = True
        arguments = farm.arguments(TRAINER, "trainer", "run", str(beast))
        arguments[arguments.index(farm.chain.rpc_url)] = node.url
        told, run = (farm.program.begin(arguments, os.environ) for _ in range(2))
        try:
            for one in (told, run):
                wait_for(lambda one=one: "waiting for the node" in one.err.read_text(), one)
            told.send_signal(signal.SIGTERM)
            assert told.wait() == 0
            assert json.loads(told.out.read_text()) == []
            assert "Stopped before the node was there" in told.err.read_text()
            node.behave()
            assert run.wait() == 0, run.err.read_text()
        finally:
            told.kill()
            run.kill()
    assert hashes(json.loads(run.out.read_text())) == on_chain(farm, beast)
    assert "Traceback" not in told.err.read_text() + run.err.read_text()


def test_a_run_does_not_wait_on_another_chain(farm: Farm) -> None:
    record = next((farm.home / "deployments").glob("*.json"))
    known = json.loads(record.read_text())
    record.write_text(json.dumps(known | {"genesis": "0x" + "11" * 32}))
    assert "another chain" in farm.refused("trainer", "run", "1").message


def test_a_run_on_a_terminal_says_its_sum_and_asks(
    farm: Farm, monkeypatch: pytest.MonkeyPatch
) -> None:
    beast = hatch(farm)
    monkeypatch.setattr(growth, "at_terminal", lambda: True)
    asked = farm.invoke("trainer", "run", str(beast), "--windows", "3")
    assert "there is no terminal" in str(asked.exception)  # to answer on
    assert "The run's 3 windows: " in asked.stderr
    assert "(burns: " in asked.stderr
    assert "native coin" in asked.stderr  # the stake
    assert farm.chain.head(beast).head_count == 0
    assert len(farm.done("trainer", "run", str(beast), "--windows", "3", "--yes")) == 3


def test_a_woken_slot_is_paid_once(farm: Farm) -> None:
    beast = hatch(farm)
    mask = farm.chain.head(beast).active_mask
    asleep = [
        name
        for bit, name in enumerate(("s0", "s1", "s2", "s3", "a0", "a1", "a2", "a3"))
        if not mask >> bit & 1
    ]
    wake = asleep[:1] or ["s0"]
    waking = ("trainer", "run", str(beast), "--windows", "2", "--wake", wake[0])
    if asleep:  # growth burns: it is asked about
        assert "no terminal" in farm.refused(*waking).message
    prices = farm.done(*waking, "--yes")
    growth = farm.chain.season(1).economics.growth_cost
    burns = [int(row["energy_burn"]) for row in prices]
    assert burns[0] - burns[1] == (growth if asleep else 0)
    assert "no slot" in farm.refused("trainer", "run", str(beast), "--wake", "x9").message


def test_refusals_change_nothing(farm: Farm) -> None:
    beast = hatch(farm)
    before = farm.chain.block().number
    run = ("trainer", "run", str(beast))
    assert "may not train" in farm.refused(*run, who=OTHER).message
    assert "There is no beast 99" in farm.refused("trainer", "run", "99").message
    assert "which match" in farm.refused(*run, "--source", "battle").message
    assert "There is no match 7" in farm.refused(*run, "--source", "battle:7").message
    assert "without a private dataset" in farm.refused(*run, "--source", "private").message
    assert farm.chain.block().number == before
    farm.done("beast", "authorise", str(beast), devnet_account(OTHER).address)
    error = farm.refused(*run, who=OTHER)
    assert "has 0 ENERGY" in error.message
    assert "faucet" in error.hint
    assert farm.chain.head(beast).head_count == 0
    farm.fund(OTHER, 10 * ENERGY)
    assert len(farm.done(*run, who=OTHER)) == 1


def test_a_missing_snapshot_is_named(farm: Farm) -> None:
    beast = hatch(farm)
    (row,) = farm.done("trainer", "run", str(beast))
    for path in (farm.home / "snapshots").iterdir():
        path.unlink()
    error = farm.refused("trainer", "run", str(beast))
    assert row["h128"] in error.message
    assert "snapshot" in error.hint


def test_a_reorg_under_the_trainer_is_trained_over(farm: Farm) -> None:
    beast = hatch(farm)
    farm.done("trainer", "run", str(beast))
    before = rpc(farm.chain.rpc_url, "evm_snapshot")
    farm.done("trainer", "run", str(beast), "--windows", "2")
    go_back(partial(rpc, farm.chain.rpc_url), before)
    rpc(farm.chain.rpc_url, "anvil_mine", "0x3")
    assert on_chain(farm, beast) == expected(farm, beast, [Source.CURRICULUM])
    farm.done("trainer", "run", str(beast), "--windows", "4")  # after it sent the two again
    assert on_chain(farm, beast) == expected(farm, beast, [Source.CURRICULUM] * 7)


def test_checkpoints_by_hand(farm: Farm, tmp_path: Path) -> None:
    beast = hatch(farm)
    farm.done("checkpoint", "submit", str(beast), "--yes")
    shown = farm.done("checkpoint", "show", str(beast), "0", who=None)
    assert (shown["status"], shown["trainer"]) == ("pending", devnet_account(TRAINER).address)
    assert (
        "no checkpoint 5" in farm.refused("checkpoint", "show", str(beast), "5", who=None).message
    )
    path = tmp_path / "payload.json"
    for text, said in (("{}", "no field"), ("nonsense", "not a checkpoint's payload")):
        path.write_text(text)
        arguments = ("checkpoint", "submit", str(beast), "--yes", "--payload", str(path))
        assert said in farm.refused(*arguments).message
    early = farm.refused("checkpoint", "finalize", str(beast))
    assert "may be final yet" in early.message
    farm.travel(31)
    assert farm.done("checkpoint", "finalize", str(beast))[0]["last"] == 0
    assert farm.chain.head(beast).final_count == 1
    workspace = farm.workspace()
    assert Finalizer(workspace, Outbox(workspace.database, farm.sender(TRAINER))).run() == []
