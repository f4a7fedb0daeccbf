"""``chainbeasts beast`` and its limits: where secrets do not go, and what is refused.

How hatches begin, are killed and go on is in test_hatch.
"""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from eth_abi.abi import encode
from eth_hash.auto import keccak

from chainbeasts.backend.accounts import devnet_account
from chainbeasts.backend.chain.anvil import rpc
from chainbeasts.backend.chain.errors import ChainError, Reverted
from chainbeasts.backend.chain.seasons import load_profile
from chainbeasts.backend.chain.waiting import wait_until
from chainbeasts.backend.errors import ChainBeastsError
from chainbeasts.backend.kernel.board import word_bytes
from chainbeasts.backend.kernel.samples import random_position
from chainbeasts.backend.store.private import SECRET_FILE
from chainbeasts.trainer.datasets.generate import sample_csv
from tests.support.hatching import give_hatches
from tests.support.history import forget
from tests.trainer.conftest import DEPLOYER, OTHER, TRAINER, Farm

PENNILESS = 77
RULES = load_profile("mainnet").season.rules


@pytest.fixture
def dataset(tmp_path: Path) -> Path:
    path = tmp_path / "battles.csv"
    path.write_bytes(sample_csv(40, 5, RULES))
    return path


def terminal(farm: Farm, *args: str) -> subprocess.CompletedProcess[str]:
    """A command as a process of its own, with all its logs."""
    environment = os.environ | {"CHAINBEASTS_LOG_LEVEL": "debug"}
    return farm.program.run(farm.arguments(TRAINER, *args), environment)


def world(farm: Farm) -> list[Any]:
    """What bad input must leave alone: the chain, the nonces, the private files."""
    files = sorted(path for path in (farm.home / "beasts").rglob("*") if path.is_file())
    nonces = [farm.nonce(who) for who in (TRAINER, OTHER)]
    return [farm.chain.block().number, *nonces, *((path, path.read_bytes()) for path in files)]


def refused(farm: Farm, said: str, *args: str, who: int | None = TRAINER) -> ChainBeastsError:
    """A command refuses with that sentence, and nothing has changed."""
    before = world(farm)
    error = farm.refused("beast", *args, who=who)
    assert said in str(error)
    assert world(farm) == before
    return error


def request(farm: Farm, who: int = TRAINER) -> str:
    """Ask for a beast by hand; its id."""
    return str(farm.request_hatch(who))


# --- hatch ----------------------------------------------------------------------------------------


def test_the_dna_is_the_hash_of_the_requests_block(farm: Farm) -> None:
    receipt = farm.done("beast", "hatch", "--yes")
    (asked,) = farm.chain.beasts.events.HatchRequested().get_logs(from_block=0)
    seed = farm.chain.block(asked["blockNumber"]).hash
    owner = devnet_account(TRAINER).address
    dna = keccak(encode(["bytes32", "address", "uint256"], [seed, owner, 1]))
    assert (receipt["dna"], receipt["epoch_seed"]) == ("0x" + dna.hex(), "0x" + seed.hex())


def test_the_secret_is_in_its_file_alone(farm: Farm, dataset: Path) -> None:
    ran = terminal(farm, "beast", "hatch", "--yes", "--dataset", str(dataset))
    assert ran.returncode == 0, ran.stderr
    assert json.loads(ran.stdout)["beast"] == 1
    assert "mined" in ran.stderr  # the logs are on
    (secret,) = farm.secrets()
    raw = bytes.fromhex(secret)
    assert not _tells((ran.stdout + ran.stderr).encode(), raw)
    files = [path for path in farm.home.rglob("*") if path.is_file()]
    assert [path.name for path in files if _tells(path.read_bytes(), raw)] == [SECRET_FILE]
    eth = farm.chain.w3.eth
    for number in range(farm.chain.block().number + 1):
        for sent in eth.get_block(number, full_transactions=True)["transactions"]:
            assert not _tells(bytes(sent["input"]), raw)  # type: ignore[index, typeddict-item]


def _tells(data: bytes, raw: bytes) -> bool:
    return raw in data or raw.hex().encode() in data.lower()


def test_a_hatch_is_never_too_early(farm: Farm) -> None:
    beast = request(farm)
    begun = farm.chain.block().number
    assert farm.chain.hatch_request(int(beast)).request_block == begun
    farm.done("beast", "hatch", "--yes", "--resume", beast)
    (born,) = farm.chain.beasts.events.Hatched().get_logs(from_block=begun)
    assert born["blockNumber"] > begun
    number = farm.chain.block().number
    farm.done("beast", "hatch", "--yes", "--resume", beast)  # hatched already: just shown
    assert farm.chain.block().number == number


def test_a_block_that_does_not_come_is_a_sentence() -> None:
    with pytest.raises(ChainError, match=r"Block 9 did not come\. Try again"):
        wait_until(lambda: False, 0.0, "Block 9 did not come.")


def test_a_hatch_is_too_late_once_its_blocks_hash_is_gone(farm: Farm) -> None:
    in_time, late = request(farm), request(farm)
    rpc(farm.chain.rpc_url, "anvil_mine", hex(257))
    assert str(farm.done("beast", "hatch", "--yes", "--resume", in_time)["beast"]) == in_time
    requested = farm.chain.hatch_request(int(late)).request_block
    forget(lambda *call: rpc(farm.chain.rpc_url, *call), requested)
    error = refused(farm, "expired at block", "hatch", "--resume", late)
    assert isinstance(error, Reverted)
    assert "chainbeasts beast hatch" in error.hint


def test_without_funds_nothing_is_sent_and_the_hatch_waits(farm: Farm, dataset: Path) -> None:
    again = ("beast", "hatch", "--yes", "--dataset", str(dataset))
    address = devnet_account(PENNILESS).address
    give_hatches(farm.chain, farm.sender(DEPLOYER), address)
    number = farm.chain.block().number
    error = farm.refused(*again, who=PENNILESS)
    assert "cannot pay the gas to approve ENERGY" in error.message
    assert farm.chain.block().number == number
    (secret,) = farm.secrets()
    rpc(farm.chain.rpc_url, "anvil_setBalance", address, hex(10**18))
    assert farm.done(*again, who=PENNILESS)["owner"] == address
    assert farm.secrets() == [secret]


# --- bad input ------------------------------------------------------------------------------------


def test_a_dataset_that_cannot_be_trained_on_changes_nothing(farm: Farm, tmp_path: Path) -> None:
    rows = sample_csv(5, 5, RULES).decode().splitlines()
    rows[3] = rows[3].rsplit(",", 1)[0] + ",7"
    bad, empty, cut = (tmp_path / name for name in ("bad.csv", "empty.csv", "cut.bin"))
    bad.write_text("\n".join(rows))
    empty.touch()
    cut.write_bytes(sample_csv(1, 1, RULES)[:3] + bytes(30))
    for said, path in (
        ("bad.csv, line 4 (record 3): flags 7 is over 1", bad),
        ("empty.csv has no records", empty),
        ("cut.bin, record 2: it has 1 bytes instead of 32", cut),
        ("cannot be read (No such file or directory)", tmp_path / "absent.csv"),
    ):
        refused(farm, said, "hatch", "--dataset", str(path))
    refused(farm, "takes the dataset of the request", "hatch", "--resume", "1", "--dataset", "x")
    assert farm.chain.beast_count() == 0
    assert farm.secrets() == []


def test_a_large_dataset_is_told_of_and_a_too_large_one_is_refused(
    farm: Farm, tmp_path: Path
) -> None:
    """Records of about 20 bytes each that nothing compresses further."""
    words = [word_bytes(random_position(seed, None, RULES)) for seed in range(28_000)]
    path = tmp_path / "records.bin"
    path.write_bytes(b"".join(words))
    refused(farm, "bytes; 524288 are allowed", "hatch", "--dataset", str(path))
    assert farm.secrets() == []
    path.write_bytes(b"".join(words[:6_600]))
    done = terminal(farm, "beast", "hatch", "--yes", "--dataset", str(path))
    assert done.returncode == 0
    assert "takes the challenger 4 transactions" in " ".join(done.stderr.split())


def test_unknown_beasts_and_other_peoples_beasts(farm: Farm, tmp_path: Path) -> None:
    pending = request(farm)
    farm.done("beast", "hatch", "--yes")
    friend, picture = devnet_account(OTHER).address, tmp_path / "p.svg"
    for beast in ("9", pending):
        unknown = f"There is no beast {beast}."
        refused(farm, unknown, "show", beast, who=None)
        refused(farm, unknown, "portrait", beast, "-o", str(picture), who=None)
        refused(farm, f"does not own beast {beast}", "authorise", beast, friend)
    refused(farm, "does not own beast 2", "authorise", "2", friend, who=OTHER)
    refused(farm, "Nobody asked for beast 9", "hatch", "--resume", "9")
    refused(farm, "No account is named", "authorise", "2", friend, who=None)
    refused(farm, "cannot be written", "portrait", "2", "-o", str(tmp_path), who=None)
    refused(farm, "cannot be written", "sample-dataset", "-o", str(tmp_path), who=None)
    assert not picture.exists()
    assert not farm.chain.is_trainer(2, friend)


def test_the_terminal_sees_a_sentence_and_the_exit_code(farm: Farm) -> None:
    ran = terminal(farm, "beast", "hatch", "--yes", "--dataset", str(farm.home / "absent.csv"))
    assert (ran.returncode, ran.stdout) == (1, "")
    assert "Error: The dataset" in ran.stderr
    assert "Traceback" not in ran.stderr


# --- what is made ---------------------------------------------------------------------------------


def test_portraits_are_pictures_and_beasts_look_different(farm: Farm, tmp_path: Path) -> None:
    pictures = []
    for beast in ("1", "2"):
        farm.done("beast", "hatch", "--yes")
        path = tmp_path / f"{beast}.svg"
        farm.done("beast", "portrait", beast, "-o", str(path), who=None)
        root = ElementTree.fromstring(path.read_bytes())
        assert root.tag == "{http://www.w3.org/2000/svg}svg"
        assert len(list(root.iter())) > 5
        pictures.append(path.read_bytes())
    assert pictures[0] != pictures[1]


def test_a_generated_dataset_hatches(farm: Farm, tmp_path: Path) -> None:
    path = tmp_path / "made" / "battles.csv"
    made = ("sample-dataset", "-o", str(path), "--records", "30", "--seed", "9")
    assert farm.done("beast", *made, who=None)["records"] == 30
    assert path.read_bytes() == sample_csv(30, 9, RULES)
    farm.done("beast", "hatch", "--yes", "--dataset", str(path))
    assert farm.chain.commitments(1).dataset_length == 30
