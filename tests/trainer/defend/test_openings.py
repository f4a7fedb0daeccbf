"""Openings on a real chain: what each dispute asks for, when, by whom, and what it pays."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
import structlog
from structlog.testing import capture_logs

from chainbeasts.backend.accounts import devnet_account
from chainbeasts.backend.chain.anvil import rpc
from chainbeasts.backend.chain.outbox import Outbox
from chainbeasts.backend.chain.types import DisputeStatus, header_to_abi
from chainbeasts.backend.indexer.records import checkpoint_of
from chainbeasts.backend.kernel.state import serialize_weights, state_hash
from chainbeasts.backend.kernel.window import genesis_state
from chainbeasts.backend.store.places import open_place
from chainbeasts.backend.store.published import PublishedStates
from chainbeasts.backend.store.snapshots import SnapshotStore, reading_store
from chainbeasts.backend.store.state_files import file_name
from chainbeasts.trainer.defend.defender import Defender
from chainbeasts.trainer.defend.depth import Depth
from chainbeasts.trainer.train.states import parent_state
from chainbeasts.trainer.train.window_store import WindowStore
from chainbeasts.trainer.workspace import TrainerWorkspace
from tests.store.servers import Web
from tests.support.patience import PATIENCE
from tests.support.snapshots import go_back
from tests.trainer.conftest import CHALLENGER, OTHER, ROOT, TRAINER, Farm

SAMPLES = ROOT / "examples" / "battle_samples.csv"
GWEI = 10**9
ME = devnet_account(TRAINER).address
EVERYTHING = ["segments", "state", "records", "accept"]


@pytest.fixture(autouse=True)
def base_fee(farm: Farm) -> Iterator[None]:
    """10 gwei, taken back after the test: undoing blocks does not."""
    before = int(farm.chain.w3.eth.get_block("latest")["baseFeePerGas"])
    farm.set_base_fee(10 * GWEI)
    yield
    farm.set_base_fee(before)


def private_beast(farm: Farm, windows: int = 2) -> int:
    """A beast with that many private windows, all pending."""
    beast = int(farm.done("beast", "hatch", "--yes", "--dataset", str(SAMPLES))["beast"])
    options = ("--windows", str(windows), "--source", "private", "--batch", str(windows))
    farm.done("trainer", "run", str(beast), *options, "--no-metrics")
    return beast


def moves(farm: Farm, *args: str, who: int = TRAINER) -> list[str]:
    """The moves of one round."""
    made = farm.done("trainer", "defend", "--once", *args, who=who)
    return [move["kind"] for move in made]


def defend(farm: Farm, *args: str, who: int = TRAINER) -> list[str]:
    """The moves of one round that are about disputes and windows."""
    return [kind for kind in moves(farm, *args, who=who) if kind != "collect"]


def status(farm: Farm, dispute: int) -> DisputeStatus:
    return farm.chain.dispute(dispute).status


def secret(farm: Farm, beast: int) -> bytes:
    return farm.workspace().private_data(beast).secret


def is_told(farm: Farm, told: bytes) -> bool:
    """Whether any transaction of the chain holds these bytes."""
    eth = farm.chain.w3.eth
    return any(
        told in bytes(sent["input"])  # type: ignore[index, typeddict-item]
        for number in range(farm.chain.block().number + 1)
        for sent in eth.get_block(number, full_transactions=True)["transactions"]
    )


# --- what is opened -------------------------------------------------------------------------------


def test_a_private_window_is_opened_whole_and_later_disputes_ask_for_less(farm: Farm) -> None:
    beast = private_beast(farm, 3)
    first = farm.file(beast, 2)
    assert defend(farm) == EVERYTHING
    assert status(farm, first) is DisputeStatus.OPENED
    (told,) = farm.events("RecordsPublished")
    assert (told["index"], told["ownerSecret"]) == (2, secret(farm, beast))
    assert len(told["order"]) == 128
    (state,) = farm.events("StatePublished")
    assert bytes(state["state"]) == farm.workspace().live(beast)[1].h128
    # The first window starts at hatch: its state follows from the DNA.
    assert farm.file(beast, 0) != first
    assert defend(farm) == ["segments", "records", "accept"]
    farm.travel(31)
    assert defend(farm)[:2] == ["dismiss", "dismiss"]


def test_a_right_window_that_is_disputed_again_and_again_ends_with_no_loss(farm: Farm) -> None:
    beast = private_beast(farm, 2)
    spent = farm.balance(TRAINER)
    rounds = ((1, EVERYTHING), (0, ["segments", "records", "accept"]))
    for index, owed in rounds:
        dispute = farm.file(beast, index)
        farm.set_base_fee(10 * GWEI)
        assert defend(farm, "--no-finalize") == owed
        # The stake that a run puts up exceeds what is required by the cost of an opening.
        assert not farm.chain.opening_bond_of(dispute).waiting
    farm.travel(31)
    # Their periods are over, and nothing was proved; a third filing comes too late.
    ends = defend(farm)
    assert ends[:3] == ["dismiss", "dismiss", "finalize"]
    assert farm.chain.head(beast).final_count == 2
    assert farm.balance(TRAINER) + farm.chain.credit_of(ME) >= spent
    assert farm.chain.stake_of(beast, ME).amount == farm.events("Staked")[0]["total"]


def test_a_window_is_disputed_twice_within_its_period_and_keeps_standing(farm: Farm) -> None:
    beast = private_beast(farm, 1)
    farm.file(beast)
    assert defend(farm) == ["segments", "records", "accept"]
    assert farm.events("OpeningPaid")
    again = farm.file(beast, who=OTHER)  # the dispute that is open already
    assert again == 1
    assert len(farm.events("FilingIgnored")) == 1
    assert defend(farm) == []


def test_without_the_dataset_nothing_is_opened_and_the_reason_is_said(farm: Farm) -> None:
    beast = private_beast(farm)
    farm.file(beast)
    folder = farm.workspace().private_folder(beast)
    folder.rename(folder.with_name("elsewhere"))
    assert defend(farm) == []
    assert farm.events("SegmentsOpened") == farm.events("StatePublished") == []
    folder.with_name("elsewhere").rename(folder)
    assert defend(farm) == EVERYTHING


def test_what_a_stranger_copies_from_the_mempool_harms_nobody_and_is_paid_to_the_trainer(
    farm: Farm,
) -> None:
    beast = private_beast(farm)
    dispute = farm.file(beast)
    workspace = farm.workspace()
    state = parent_state(workspace, beast, workspace.live(beast)[:1])
    opened = (header_to_abi(state.header), serialize_weights(state.weights))
    farm.send(OTHER, farm.chain.states.functions.publish(*opened))
    assert defend(farm) == ["segments", "records", "accept"]
    assert status(farm, dispute) is DisputeStatus.OPENED
    paid = [a["paid"] + a["waiting"] for a in farm.events("OpeningPaid") if a["trainer"] == ME]
    assert len(paid) == 3
    assert min(paid) > 0


def test_show_counts_windows_by_what_is_public_about_them(farm: Farm) -> None:
    beast = private_beast(farm, 2)
    farm.done("trainer", "run", str(beast), "--source", "curriculum", "--no-metrics")

    def shown() -> dict[str, int | None]:
        facts = farm.done("beast", "show", str(beast), who=None)["openness"]
        return {name: facts[name] for name in facts}

    nothing = {"replayable": 0, "opened": 0, "unopened": 3, "believed_since": None}
    assert shown() == nothing  # the public window starts from a state that only its owner has
    farm.file(beast, 2)
    assert defend(farm) == ["segments", "state", "accept"]
    assert shown() == nothing | {"replayable": 1, "unopened": 2}
    farm.file(beast, 0)
    assert defend(farm) == ["segments", "records", "accept"]
    assert shown() == nothing | {"replayable": 1, "opened": 1, "unopened": 1}
    farm.travel(31)
    defend(farm)
    assert farm.chain.head(beast).final_count == 3
    assert shown()["believed_since"] == 1


# --- when, and how often --------------------------------------------------------------------------


def test_the_secret_waits_until_the_filing_is_deep_enough(farm: Farm) -> None:
    beast = private_beast(farm)
    told = secret(farm, beast)
    kept = rpc(farm.chain.rpc_url, "evm_snapshot")
    farm.file(beast)
    assert defend(farm, "--confirmations", "3") == []
    go_back(partial(rpc, farm.chain.rpc_url), kept)  # the filing is reorged away
    farm.mine(4)
    assert defend(farm, "--confirmations", "3") == []
    assert not is_told(farm, told)
    farm.file(beast)
    farm.mine(2)
    assert defend(farm, "--confirmations", "3") == []
    assert not is_told(farm, told)
    farm.mine(1)
    assert defend(farm, "--confirmations", "3") == EVERYTHING
    assert is_told(farm, told)


def test_half_of_the_response_window_is_never_waited_away(farm: Farm) -> None:
    beast = private_beast(farm)
    dispute = farm.file(beast)
    assert defend(farm, "--confirmations", "1000") == []
    farm.travel(8)
    assert defend(farm, "--confirmations", "1000") == EVERYTHING
    assert status(farm, dispute) is DisputeStatus.OPENED


def test_confirmations_fit_the_response_window() -> None:
    assert Depth().blocks(86_400) == 12
    assert Depth().blocks(15) == 0
    assert Depth().blocks(100) == 2
    assert Depth(40).blocks(15) == 40


@pytest.mark.parametrize("label", EVERYTHING)
@pytest.mark.parametrize("when", ["signed", "sent"])
def test_killed_at_any_opening_each_is_made_once(farm: Farm, when: str, label: str) -> None:
    beast = private_beast(farm)
    dispute = farm.file(beast)
    ran = farm.killed(when, label, "trainer", "defend", "--once")
    assert ran.returncode == -signal.SIGKILL, ran.stderr
    farm.done("trainer", "defend", "--once")
    assert status(farm, dispute) is DisputeStatus.OPENED
    for name in ("SegmentsOpened", "StatePublished", "RecordsPublished", "ProofWindowOpened"):
        assert len(farm.events(name)) == 1, name
    made = [a["opening"] for a in farm.events("OpeningAccepted")]
    assert sorted(made) == [0, 1, 2]


def test_after_the_deadline_nothing_is_told(farm: Farm) -> None:
    beast = private_beast(farm)
    farm.file(beast)
    farm.travel(16)
    assert defend(farm, "--no-finalize") == []
    assert not is_told(farm, secret(farm, beast))


# --- slow places ----------------------------------------------------------------------------------


class WatchedTarget(PublishedStates):
    """A folder, and how a dispute stood whenever a state was published to it."""

    def __init__(self, folder: Path, look: Callable[[], DisputeStatus]) -> None:
        super().__init__(open_place(str(folder)))
        self._look = look
        self.seen: list[DisputeStatus] = []

    def put(self, h: bytes, packed: bytes) -> bool:
        self.seen.append(self._look())
        return super().put(h, packed)


def test_disputes_are_answered_before_anything_is_published(farm: Farm, tmp_path: Path) -> None:
    beast = private_beast(farm)
    dispute = farm.file(beast)
    workspace = farm.workspace()
    folder = workspace.snapshots.folder
    for path in folder.glob("*.zst"):  # so that the answer needs a state computed again
        path.unlink()
    target = WatchedTarget(tmp_path / "there", partial(status, farm, dispute))
    store = SnapshotStore(folder, target=target)
    left = store.put(genesis_state(beast, farm.chain.birth(beast).dna), publish=False)
    assert here(farm, replace(workspace, snapshots=store)) == EVERYTHING
    assert target.seen == [DisputeStatus.OPENED] * 2
    assert (tmp_path / "there" / file_name(left)).exists()


def test_only_near_ancestors_are_asked_for_at_remote_places(
    farm: Farm, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chainbeasts.trainer.train.states.MOST_REMOTE_LOOKUPS", 1)
    beast = private_beast(farm, 3)
    workspace = farm.workspace()
    rows = workspace.live(beast)
    web = Web(tmp_path)
    store = reading_store(tmp_path / "own", [web.url], PATIENCE)
    found = parent_state(replace(workspace, snapshots=store), beast, rows)
    web.close()
    assert state_hash(found) == rows[-1].h128
    assert [path.rpartition("/")[2] for path in web.asked] == [file_name(rows[-1].h128)]


# --- native coin ----------------------------------------------------------------------------------


def test_openings_that_cannot_all_be_paid_are_not_begun_and_coin_is_asked_for(farm: Farm) -> None:
    beast = private_beast(farm)
    farm.file(beast)
    plenty = farm.balance(TRAINER)
    farm.set_balance(TRAINER, 10**16)
    structlog.reset_defaults()  # the commands left their logs on a closed stream
    with capture_logs() as said:
        workspace = farm.workspace()
        outbox = Outbox(workspace.database, farm.sender(TRAINER))
        defender = Defender(workspace, WindowStore(workspace.database, workspace.snapshots), outbox)
        for less in range(3):  # the sentence is another each time, but what it says is not
            farm.set_balance(TRAINER, 10**16 - less * 10**14)
            assert defender.once() == []
    assert [entry["event"] for entry in said].count("no answer") == 1
    reasons = {entry["event"]: entry for entry in said}
    assert "cannot pay the openings" in reasons["no answer"]["reason"]
    assert reasons["native coin runs low"]["pays_for_disputes"] == 0
    assert not is_told(farm, secret(farm, beast))
    farm.set_balance(TRAINER, plenty)
    assert here(farm) == EVERYTHING


def here(farm: Farm, workspace: TrainerWorkspace | None = None) -> list[str]:
    """The same moves, of a defender in this process."""
    workspace = workspace or farm.workspace()
    outbox = Outbox(workspace.database, farm.sender(TRAINER))
    defender = Defender(workspace, WindowStore(workspace.database, workspace.snapshots), outbox)
    return [move.kind for move in defender.once() if move.kind != "collect"]


def test_what_openings_earned_is_collected_once(farm: Farm) -> None:
    beast = private_beast(farm)
    farm.file(beast)
    assert moves(farm) == [*EVERYTHING, "collect"]
    assert farm.chain.credit_of(ME) == 0
    (pulled,) = farm.events("CreditWithdrawn")
    assert pulled["amount"] == sum(a["paid"] for a in farm.events("OpeningPaid"))
    assert moves(farm) == []


def test_status_says_how_many_disputes_can_be_answered(farm: Farm) -> None:
    private_beast(farm)
    told = farm.done("trainer", "status")
    assert told["openings"] == int(told["balance"]) // int(told["opening_cost"]) > 3
    farm.set_balance(TRAINER, 2 * int(told["opening_cost"]) + 1)
    assert farm.done("trainer", "status")["openings"] == 2


def test_an_ancestor_that_fell_returns_what_openings_cost(farm: Farm) -> None:
    """Another trainer's window below ours is convicted while ours is being disputed."""
    beast = private_beast(farm, 1)
    other = devnet_account(OTHER).address
    farm.fund(OTHER)
    farm.done("beast", "authorise", str(beast), other)
    run = ("trainer", "run", str(beast), "--accept-foreign-parent", "--no-metrics")
    farm.done(*run, who=OTHER)
    below, ours = farm.file(beast, 0), farm.file(beast, 1, who=CHALLENGER)
    assert defend(farm, "--no-finalize", who=OTHER) == ["segments", "state", "accept"]
    assert status(farm, ours) is DisputeStatus.OPENED
    farm.travel(16)
    record = farm.workspace().live(beast)[0]
    claimed = checkpoint_of(record).to_abi()
    claim = farm.chain.court.functions.claimTimeout((below, beast, claimed, claimed))
    farm.send(CHALLENGER, claim)
    bond = farm.chain.opening_bond_of(ours)
    assert defend(farm, "--no-finalize", who=OTHER) == (["dismiss"] if bond.waiting else [])
