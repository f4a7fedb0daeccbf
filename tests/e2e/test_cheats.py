"""Every kind of cheat is found by a validator process and slashed; honest windows stand."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from scripts.lib.deadlines import PATIENT
from scripts.lib.stage import Player, Stage
from tests.e2e.conftest import FUNDS

DATASET = Path(__file__).parents[2] / "examples" / "battle_samples.csv"
CHEATER, VALIDATOR = 1, 2
ALL_AWAKE = 0xFF
"""The mask of a beast that cannot grow; one in sixteen hatches so."""

CONVICTIONS = {
    "weight": "segment",
    "label": "segment",
    "sample": "segment",
    "parent": "segment",
    "private": "segment",
    "growth": "header",
    "loss": "header",
    "silent": "timeout",
}


def drill(cheater: Player, kind: str) -> tuple[int, int]:
    """A new beast whose newest window is wrong; (beast, index of that window)."""
    dataset = ("--dataset", DATASET) if kind == "private" else ()
    hatched = cheater.do("beast", "hatch", "--yes", *dataset)
    while kind == "growth" and hatched["genesis_mask"] == ALL_AWAKE:
        hatched = cheater.do("beast", "hatch", "--yes")
    beast = int(hatched["beast"])
    if kind in ("parent", "weight"):
        cheater.do("trainer", "run", beast)
    told = cheater.do("trainer", "drill", kind, beast)
    return beast, int(told["checkpoint"])


CONVICTING = ("prove", "advance", "challenge-header", "claim-timeout")


def convicted(validator: Player, count: int) -> bool:
    """Whether the validator has made that many moves that slash."""
    moves = validator.events("validator", "move made")
    return sum(move["action"] in CONVICTING for move in moves) >= count


def test_every_kind_of_cheat_is_slashed(stage: Stage) -> None:
    cheater = stage.enter("cheater", CHEATER, FUNDS)
    validator = stage.enter("validator", VALIDATOR, FUNDS)
    drilled = {kind: drill(cheater, kind) for kind in CONVICTIONS}
    weight_beast, weight_index = drilled["weight"]
    cheater.do("trainer", "run", weight_beast)  # a child, honest but for its parent
    cheater.start("defender", "trainer", "defend", "--no-finalize", "--poll", "0.5")
    knows = ("--datasets", cheater.home / "beasts")
    validator.start("validator", "validator", "run", "--strategy", "cheap", *knows)

    everyone = len(CONVICTIONS)
    stage.wait("all but the silent one are slashed", lambda: convicted(validator, everyone - 1))
    stage.travel(PATIENT.response_window + 1)
    stage.wait("silence is slashed", lambda: convicted(validator, everyone))

    convictions = {
        int(row["beast"]): row["conviction"] for row in validator.do("dispute", "list", "--all")
    }
    for kind, (beast, index) in drilled.items():
        rows = cheater.do("checkpoint", "list", beast, "--all")
        for row in rows:
            wanted = "slashed" if row["checkpoint"] == index else "pending"
            if row["checkpoint"] > index:
                wanted = "void"
            assert row["status"] == wanted, (kind, row)
        if beast in convictions:
            assert convictions[beast] == CONVICTIONS[kind], kind
        else:
            assert CONVICTIONS[kind] == "header", kind  # needs no dispute
    assert weight_index == 1
    invalid = {
        (int(e["beast"]), int(e["checkpoint"]))
        for e in validator.events("validator", "judged")
        if e["verdict"] == "invalid"
    }
    assert invalid == set(drilled.values())


def test_a_stranger_with_nothing_but_a_node_brings_down_what_nobody_can_replay(
    stage: Stage,
) -> None:
    """Weights behind invented commitments, and a window that ends in no state at all."""
    cheater = stage.enter("cheater", CHEATER, FUNDS)
    validator = stage.enter("validator", VALIDATOR, FUNDS)
    invented = cheater.do("trainer", "drill", "invented")
    beast = int(cheater.do("beast", "hatch", "--yes")["beast"])
    withheld = cheater.do("trainer", "drill", "withheld", beast)
    cheater.start("defender", "trainer", "defend", "--no-finalize", "--poll", "0.5")
    nothing = validator.home / "nothing"
    nothing.mkdir()
    validator.extra["CHAINBEASTS_SNAPSHOTS"] = str(nothing)
    validator.start("validator", "validator", "run", "--open-after", 0, "--open-rate", 0)

    def disputes() -> dict[int, dict[str, Any]]:
        rows = validator.do("dispute", "list", "--all")
        return {int(row["beast"]): row for row in rows}

    beasts = {int(invented["beast"]), beast}
    stage.wait("both are disputed", lambda: set(disputes()) == beasts)
    stage.travel(PATIENT.response_window + 1)
    stage.wait("both are slashed", lambda: convicted(validator, 2))
    assert {(row["status"], row["conviction"]) for row in disputes().values()} == {
        ("upheld", "timeout")
    }
    for told in (invented, withheld):
        (row,) = cheater.do("checkpoint", "list", int(told["beast"]), "--all")
        assert row["status"] == "slashed"


def test_fast_strategy_slashes_without_waiting_for_an_answer(stage: Stage) -> None:
    cheater = stage.enter("cheater", CHEATER, FUNDS)
    validator = stage.enter("validator", VALIDATOR, FUNDS)
    before = wealth(validator)
    validator.start("validator", "validator", "run", "--strategy", "fast")
    beast, index = drill(cheater, "weight")
    stage.wait("the cheat is slashed", lambda: convicted(validator, 1))

    def over() -> bool:
        found = cheater.do("checkpoint", "list", beast, "--all")
        return any(row["checkpoint"] == index and row["status"] == "slashed" for row in found)

    stage.wait("the window is re-executed to its end", over)
    moves = [str(move["action"]) for move in validator.events("validator", "move made")]
    assert moves[0] == "file"
    assert set(moves[1:]) == {"advance"}
    rows: list[dict[str, Any]] = validator.do("dispute", "list", "--all")
    assert [row["conviction"] for row in rows] == ["advance"]
    stage.wait("the reward is collected", lambda: validator.events("validator", "collected"))
    assert wealth(validator) > before


def wealth(player: Player) -> int:
    """Wei of ENERGY in wallet and escrow."""
    shown = player.do("energy", "balance")
    return int(shown["balance"]) + int(shown["escrow"])
