"""Hatching and looking, through the real commands on a real chain."""

from __future__ import annotations

import json
import signal
import stat
from pathlib import Path

import pytest
from eth_hash.auto import keccak

from chainbeasts.backend.accounts import devnet_account
from chainbeasts.backend.chain.anvil import rpc
from chainbeasts.backend.chain.errors import Reverted
from chainbeasts.backend.chain.growth import slot_names
from chainbeasts.backend.chain.types import Commitments
from chainbeasts.backend.kernel.combat import stats_from_dna
from chainbeasts.backend.kernel.genesis import genesis_mask
from chainbeasts.backend.kernel.merkle import root
from chainbeasts.backend.store.private import (
    DATASET_FILE,
    SECRET_FILE,
    load_private,
    private_folder,
)
from chainbeasts.trainer.datasets.pack import pack_dataset
from chainbeasts.trainer.datasets.reader import read_records
from chainbeasts.trainer.hatch import requests
from tests.support.history import forget
from tests.support.patience import eventually
from tests.trainer.conftest import OTHER, ROOT, TRAINER, Farm

SAMPLES = ROOT / "examples" / "battle_samples.csv"


def test_hatch_without_dataset_commits_to_nothing_and_keeps_nothing(farm: Farm) -> None:
    receipt = farm.done("beast", "hatch", "--yes")
    assert receipt["beast"] == 1
    assert receipt["owner"] == devnet_account(TRAINER).address
    assert receipt["secret_file"] is None
    assert not farm.chain.commitments(1)
    assert not list(farm.home.rglob("hatching-*"))
    birth = farm.chain.birth(1)
    assert receipt["dna"] == "0x" + birth.dna.hex()
    stats = stats_from_dna(birth.dna)
    assert receipt["stats"] == {
        "power": stats.power,
        "defense": stats.defense,
        "stamina": stats.stamina,
        "hp": stats.hp,
    }
    assert receipt["genesis_mask"] == genesis_mask(birth.dna)


def test_hatch_with_dataset_commits_to_exactly_the_files_it_keeps(farm: Farm) -> None:
    result = farm.invoke("beast", "hatch", "--yes", "--dataset", str(SAMPLES))
    assert result.exception is None
    receipt = json.loads(result.stdout)
    folder = Path(receipt["secret_file"]).parent
    committed = farm.chain.commitments(receipt["beast"])
    words = read_records(SAMPLES)
    secret = bytes.fromhex((folder / SECRET_FILE).read_text())
    assert committed == Commitments(
        keccak((folder / DATASET_FILE).read_bytes()), root(words), len(words), keccak(secret)
    )
    assert load_private(folder, committed).words == words
    assert secret.hex() not in result.output
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()} == {0o600}


def test_two_hatches_of_one_file_have_different_secrets(farm: Farm) -> None:
    for _ in range(2):
        farm.done("beast", "hatch", "--yes", "--dataset", str(SAMPLES))
    assert len(set(farm.secrets())) == 2


def test_a_bad_dataset_changes_nothing(farm: Farm, tmp_path: Path) -> None:
    lines = SAMPLES.read_text().splitlines()
    cells = lines[4].split(",")
    cells[3] = "0"
    path = tmp_path / "bad.csv"
    path.write_text("\n".join([*lines[:4], ",".join(cells)]))
    before = farm.nonce(TRAINER)
    error = farm.refused("beast", "hatch", "--yes", "--dataset", str(path))
    assert "line 5" in error.message
    assert "self hp is 0" in error.message
    assert farm.nonce(TRAINER) == before
    assert not (farm.home / "beasts").exists()


@pytest.mark.parametrize(
    ("when", "label"),
    [
        ("sent", "approve ENERGY"),
        ("signed", "request the hatch"),
        ("sent", "request the hatch"),
        ("sent", "hatch beast"),
    ],
)
def test_a_killed_hatch_goes_on_with_the_same_secret(farm: Farm, when: str, label: str) -> None:
    killed = farm.killed(when, label, "beast", "hatch", "--yes", "--dataset", str(SAMPLES))
    assert killed.returncode == -signal.SIGKILL
    (secret,) = farm.secrets()
    assert secret not in killed.stdout + killed.stderr
    receipt = farm.done("beast", "hatch", "--yes", "--dataset", str(SAMPLES))
    assert receipt["beast"] == 1
    assert farm.chain.beast_count() == 1
    (requested,) = farm.events("HatchRequested")  # so it burned once
    assert requested["cost"] == farm.chain.hatch_cost()
    assert farm.secrets() == [secret]
    assert receipt["commitments"]["owner_secret_hash"] == (
        "0x" + keccak(bytes.fromhex(secret)).hex()
    )


def test_resume_hatches_a_request_by_its_number(farm: Farm) -> None:
    farm.request_hatch()
    assert farm.done("beast", "hatch", "--yes", "--resume", "1")["beast"] == 1
    assert farm.chain.owner_of(1) == devnet_account(TRAINER).address
    assert "Nobody asked" in farm.refused("beast", "hatch", "--yes", "--resume", "7").message


def test_an_expired_hatch_is_asked_for_anew_with_the_same_secret(farm: Farm) -> None:
    farm.killed("sent", "request the hatch", "beast", "hatch", "--yes", "--dataset", str(SAMPLES))
    requested = eventually(lambda: farm.chain.hatch_request(1).request_block)
    forget(lambda *call: rpc(farm.chain.rpc_url, *call), requested)
    error = farm.refused("beast", "hatch", "--yes", "--dataset", str(SAMPLES))
    assert isinstance(error, Reverted)
    assert error.name == "HatchExpired"
    (secret,) = farm.secrets()
    # Asked for anew, it burns anew: that is asked about.
    again = ("beast", "hatch", "--dataset", str(SAMPLES))
    assert "no terminal" in farm.refused(*again).message
    assert farm.done(*again, "--yes")["beast"] == 2
    assert farm.secrets() == [secret]


def test_a_hatch_shows_its_cost_and_burns_no_more_than_was_agreed_to(farm: Farm) -> None:
    cost, wallet = farm.chain.hatch_cost(), farm.chain.energy_of(devnet_account(TRAINER).address)
    asked = farm.invoke("beast", "hatch")
    assert "no terminal to ask on" in str(asked.exception)
    assert "Hatching a beast: 0.1 ENERGY (burns)" in asked.stderr
    assert farm.chain.beast_count() == 0
    assert not list(farm.home.rglob("hatching-*"))
    farm.done("beast", "hatch", "--yes")
    me, beasts = devnet_account(TRAINER).address, farm.chain.beasts.address
    assert farm.chain.energy_of(me) == wallet - cost
    # The allowance was the cost and no more, also where a greater one had been left before.
    farm.send(TRAINER, farm.chain.energy.functions.approve(beasts, 10 * cost))
    farm.done("beast", "hatch", "--yes")
    assert farm.chain.call(farm.chain.energy.functions.allowance(me, beasts)) == 0
    assert farm.chain.energy_of(me) == wallet - 2 * cost


def test_a_hatch_that_cannot_be_paid_says_how_to_get_energy(farm: Farm) -> None:
    before = farm.nonce(OTHER)
    error = farm.refused("beast", "hatch", "--yes", who=OTHER)
    assert "burns 0.1 ENERGY" in error.message
    assert "has 0 ENERGY" in error.message
    assert "chainbeasts energy buy" in error.hint
    assert farm.nonce(OTHER) == before


def test_a_private_folder_is_never_overwritten(farm: Farm) -> None:
    old = farm.home / "beasts" / str(farm.chain.deployment.chain_id) / "1"
    old.mkdir(parents=True)
    (old / SECRET_FILE).write_text("of an older chain")
    error = farm.refused("beast", "hatch", "--yes", "--dataset", str(SAMPLES))
    assert "never overwritten" in error.hint
    assert (old / SECRET_FILE).read_text() == "of an older chain"
    old.rename(old.with_name("away"))
    receipt = farm.done("beast", "hatch", "--yes", "--resume", "1")
    committed = farm.chain.commitments(1)
    assert load_private(Path(receipt["secret_file"]).parent, committed).words


def test_a_hatch_whose_folder_could_not_be_moved_is_still_pending(tmp_path: Path) -> None:
    pending = requests.begin(tmp_path, 31337, "0xA", pack_dataset(read_records(SAMPLES)))
    target = private_folder(tmp_path, 31337, 1)
    target.mkdir(parents=True)
    (target / "notes.txt").write_text("somebody's")
    with pytest.raises(OSError, match="not empty"):
        requests.finish(pending, tmp_path, 31337, 1)
    assert requests.pending_hatches(tmp_path, 31337, "0xA") == [pending]
    (target / "notes.txt").unlink()
    assert requests.finish(pending, tmp_path, 31337, 1) == target
    assert requests.pending_hatches(tmp_path, 31337, "0xA") == []


def test_list_and_show_say_what_the_chain_says(farm: Farm) -> None:
    farm.done("beast", "hatch", "--yes")
    farm.request_hatch(OTHER)
    (row,) = farm.done("beast", "list", who=None)
    assert (row["beast"], row["owner"]) == (1, devnet_account(TRAINER).address)
    shown = farm.done("beast", "show", "1", who=None)
    head = farm.chain.head(1)
    assert (shown["head"], shown["checkpoints"]) == ("0x" + head.h128.hex(), 0)
    assert int(shown["next_energy"]) == farm.chain.quote(1, head.active_mask)[0]
    none = {"first_at": None, "last_at": None, "last_at_most": None}
    assert shown["locked"] == {"windows": 0, "energy": "0", **none}
    assert (shown["next_window"]["windows"], shown["plan"]) == (1, None)
    assert "Add --windows" in farm.refused("beast", "show", "1", "--grow", "s1@2", who=None).hint
    grow = slot_names(head.active_mask).split()[0] + "@2"
    awake = farm.refused("beast", "show", "1", "--windows", "4", "--grow", grow, who=None)
    assert "is awake already" in awake.message
    assert "no beast 2" in farm.refused("beast", "show", "2", who=None).message


def test_only_the_owner_authorises_and_revokes(farm: Farm) -> None:
    farm.done("beast", "hatch", "--yes")
    other = devnet_account(OTHER).address
    assert farm.done("beast", "authorise", "1", other)["allowed"]
    assert farm.chain.is_trainer(1, other)
    assert "does not own" in farm.refused("beast", "authorise", "1", other, who=OTHER).message
    assert not farm.done("beast", "authorise", "1", other, "--revoke")["allowed"]
    assert not farm.chain.is_trainer(1, other)
    assert "not an address" in farm.refused("beast", "authorise", "1", "0x12").message


def test_portrait_is_the_contracts_svg(farm: Farm, tmp_path: Path) -> None:
    farm.done("beast", "hatch", "--yes")
    path = tmp_path / "beast.svg"
    farm.done("beast", "portrait", "1", "-o", str(path), who=None)
    svg = path.read_text()
    assert svg.startswith("<svg")
    assert svg.rstrip().endswith("</svg>")
    nowhere = tmp_path / "file" / "x.svg"
    nowhere.parent.write_text("")
    assert (
        "cannot be written"
        in farm.refused("beast", "portrait", "1", "-o", str(nowhere), who=None).message
    )


def test_sample_dataset_is_the_committed_example(farm: Farm, tmp_path: Path) -> None:
    path = tmp_path / "again.csv"
    farm.done("beast", "sample-dataset", "-o", str(path), who=None)
    assert path.read_bytes() == SAMPLES.read_bytes()


def test_a_beast_is_given_away_by_command(farm: Farm) -> None:
    farm.done("beast", "hatch", "--yes")
    giving = ("beast", "transfer", "1", f"devnet:{OTHER}")
    assert "no terminal to ask on" in farm.refused(*giving).message
    assert "belongs to 0x" in farm.refused(*giving, who=OTHER).message
    refused = farm.refused("beast", "transfer", "1", "Arena", "--yes")
    assert "does not take beasts" in refused.message
    assert "onERC721Received" in refused.hint
    assert "zero address" in farm.refused("beast", "transfer", "1", "0x" + "00" * 20).message
    assert "yours already" in farm.refused("beast", "transfer", "1", f"devnet:{TRAINER}").message
    assert "There is no beast 9" in farm.refused("beast", "transfer", "9", "devnet:5").message
    given = farm.done(*giving, "--yes")
    assert given["owner"] == farm.chain.owner_of(1) == devnet_account(OTHER).address
