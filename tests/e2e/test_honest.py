"""Honest training becomes final; a false dispute costs its challenger the bond."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from scripts.lib.deadlines import PATIENT
from scripts.lib.stage import Player, Stage
from tests.e2e.conftest import FUNDS

DATASET = Path(__file__).parents[2] / "examples" / "battle_samples.csv"
OWNER, VALIDATOR, CHALLENGER = 1, 2, 3


def wealth(player: Player) -> int:
    """Wei of ENERGY in wallet and escrow."""
    shown = player.do("energy", "balance")
    return int(shown["balance"]) + int(shown["escrow"])


def statuses(player: Player, beast: int) -> list[str]:
    return [row["status"] for row in player.do("checkpoint", "list", beast, "--all")]


def test_honest_windows_become_final_and_a_false_dispute_burns_its_bond(stage: Stage) -> None:
    owner = stage.enter("owner", OWNER, FUNDS)
    validator = stage.enter("validator", VALIDATOR, FUNDS)
    challenger = stage.enter("challenger", CHALLENGER, FUNDS)
    validator.start("validator", "validator", "run")
    beast = int(owner.do("beast", "hatch", "--dataset", DATASET)["beast"])
    owner.start("defender", "trainer", "defend", "--no-finalize", "--poll", "0.2")
    owner.do("trainer", "run", beast, "--windows", 2, "--batch", 2)
    owner.do("trainer", "run", beast, "--source", "self-play")
    owner.do("trainer", "run", beast, "--source", "private")

    def judged() -> list[dict[str, Any]] | None:
        found = validator.events("validator", "judged")
        return found if len(found) >= 4 else None

    verdicts = stage.wait("the validator judged every window", judged)
    assert {verdict["verdict"] for verdict in verdicts} == {"valid"}
    assert [v["mode"] for v in sorted(verdicts, key=lambda v: int(v["checkpoint"]))] == [
        "full",
        "full",
        "full",
        "light",
    ]
    assert not validator.events("validator", "move made")

    before = wealth(challenger)
    filed = challenger.do("dispute", "file", beast, 1, "--yes")
    dispute = filed["dispute"]
    bond = before - wealth(challenger)
    assert bond > 0
    stage.wait("the defender answers", lambda: owner.events("defender", "answered"))
    stage.travel(PATIENT.proof_window + 1)

    def dismissed() -> bool:
        """By the defender or by the validator, whoever is first."""
        moves = validator.events("validator", "move made")
        return len(owner.events("defender", "answered")) == 2 or len(moves) == 1

    stage.wait("it is dismissed", dismissed)
    assert challenger.do("dispute", "show", dispute)["status"] == "dismissed"
    assert wealth(challenger) == before - bond

    stage.travel(PATIENT.challenge_period + 1)
    owner.do("checkpoint", "finalize", beast)
    assert set(statuses(owner, beast)) == {"final"}
    assert len(validator.do("dispute", "list", "--all")) == 1
    assert {move["action"] for move in validator.events("validator", "move made")} <= {"dismiss"}
