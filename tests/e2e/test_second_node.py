"""The whole stories once more on another node implementation, Hardhat's; at night alone.

What is the same there is imported; what differs from Anvil is docs/guides/chains.md's.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from scripts.lib.deadlines import PATIENT
from scripts.lib.stage import Stage
from tests.e2e.test_arena import test_a_match_is_fought_lied_about_recorded_and_trained_on
from tests.e2e.test_cheats import (
    test_a_stranger_with_nothing_but_a_node_brings_down_what_nobody_can_replay,
    test_every_kind_of_cheat_is_slashed,
    test_fast_strategy_slashes_without_waiting_for_an_answer,
)
from tests.e2e.test_honest import (
    test_honest_windows_become_final_and_a_false_dispute_burns_its_bond,
)
from tests.support.forked import Program
from tests.support.second_node import SecondNode

PATIENCE = 900.0
"""A whole window in one call takes this node seconds, on a busy machine a minute and more."""

pytestmark = pytest.mark.timeout(1_800)  # the first one installs the node

STORIES = (
    test_a_match_is_fought_lied_about_recorded_and_trained_on,
    test_a_stranger_with_nothing_but_a_node_brings_down_what_nobody_can_replay,
    test_every_kind_of_cheat_is_slashed,
    test_fast_strategy_slashes_without_waiting_for_an_answer,
    test_honest_windows_become_final_and_a_false_dispute_burns_its_bond,
)


@pytest.fixture
def stage(program: Program, tmp_path: Path) -> Iterator[Stage]:
    """Players on a chain of the second node, with the contracts deployed."""
    with (
        SecondNode(tmp_path / "node.log") as node,
        Stage(tmp_path / "stage", program, node.url, PATIENCE) as made,
    ):
        made.deploy(str(PATIENT.profile(tmp_path)))
        yield made


def test_the_doctor_tells_what_the_second_node_lacks(stage: Stage) -> None:
    found = {check["name"]: check for check in stage.host.do("doctor")}
    history = found.pop("block hash history")
    assert history["result"] == "warning"
    assert "a block that does not exist" in history["found"]
    chain = ("opcodes", "block number", "block hash", "gas", "sizes", "base fee", "old logs")
    assert {found[name]["result"] for name in (*chain, "node", "websocket", "chain")} == {"ok"}
