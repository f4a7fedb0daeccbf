"""Honest training becomes final; false disputes cost their challenger bonds, and nobody else."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from chainbeasts.backend.chain.anvil import DEVNET_CHAIN_ID
from chainbeasts.backend.chain.client import Chain
from chainbeasts.backend.chain.deployment import Deployment
from scripts.lib.deadlines import PATIENT
from scripts.lib.stage import Player, Stage
from tests.e2e.conftest import FUNDS

DATASET = Path(__file__).parents[2] / "examples" / "battle_samples.csv"
OWNER, VALIDATOR, CHALLENGER = 1, 2, 3
PUBLIC, PRIVATE = 1, 3
"""Windows that are disputed though they are right."""


def wealth(player: Player) -> int:
    """Wei of ENERGY in wallet and escrow."""
    shown = player.do("energy", "balance")
    return int(shown["balance"]) + int(shown["escrow"])


def statuses(player: Player, beast: int) -> list[str]:
    return [row["status"] for row in player.do("checkpoint", "list", beast, "--all")]


def native_coin(stage: Stage, player: Player) -> int:
    """Wei of native coin in wallet and in the vault's credit."""
    deployment = Deployment.load(player.home / "deployments", DEVNET_CHAIN_ID)
    chain = Chain.connect(stage.rpc_url, deployment)
    account = chain.w3.to_checksum_address(player.address)
    return int(chain.w3.eth.get_balance(account)) + chain.credit_of(player.address)


def dismissed(stage: Stage, challenger: Player, beast: int, index: int) -> int:
    """Dispute a right window, which is opened and stands; the bond in ENERGY that burned."""
    before = wealth(challenger)
    dispute = challenger.do("dispute", "file", beast, index, "--yes")["dispute"]
    bond = before - wealth(challenger)
    assert bond > 0

    def status() -> str:
        return str(challenger.do("dispute", "show", dispute)["status"])

    stage.wait("the defender opens everything", lambda: status() == "opened")
    stage.travel(PATIENT.proof_window + 1)
    stage.wait("it is dismissed", lambda: status() == "dismissed")
    return bond


def test_honest_windows_become_final_and_a_false_dispute_burns_its_bond(stage: Stage) -> None:
    owner = stage.enter("owner", OWNER, FUNDS)
    validator = stage.enter("validator", VALIDATOR, FUNDS)
    challenger = stage.enter("challenger", CHALLENGER, FUNDS)
    validator.start("validator", "validator", "run", "--open-rate", 0, "--open-budget", 0)
    beast = int(owner.do("beast", "hatch", "--yes", "--dataset", DATASET)["beast"])
    owner.start("defender", "trainer", "defend", "--no-finalize", "--poll", "0.5")
    owner.do("trainer", "run", beast, "--windows", 2, "--batch", 2)
    owner.do("trainer", "run", beast, "--source", "self-play")
    owner.do("trainer", "run", beast, "--source", "private")

    def judged() -> list[dict[str, Any]] | None:
        found = validator.events("validator", "judged")
        return found if sum(int(one.get("windows", 1)) for one in found) == 4 else None

    verdicts = stage.wait("the validator judged every window", judged)
    assert {verdict["verdict"] for verdict in verdicts} == {"valid"}
    # What was replayed whole is told by the number, and the private one by itself.
    (light,) = (verdict for verdict in verdicts if "windows" not in verdict)
    assert (light["mode"], light["checkpoint"]) == ("light", 3)
    assert not validator.events("validator", "move made")

    before, coin = wealth(challenger), native_coin(stage, owner)
    bonds = sum(dismissed(stage, challenger, beast, index) for index in (PUBLIC, PRIVATE))
    assert wealth(challenger) == before - bonds
    # Its openings are paid: who is disputed again and again loses nothing by being right.
    stage.wait("the openings are paid", lambda: native_coin(stage, owner) >= coin)

    stage.travel(PATIENT.challenge_period + 1)
    owner.do("checkpoint", "finalize", beast)
    assert set(statuses(owner, beast)) == {"final"}
    assert len(validator.do("dispute", "list", "--all")) == 2
    assert {move["action"] for move in validator.events("validator", "move made")} <= {"dismiss"}
