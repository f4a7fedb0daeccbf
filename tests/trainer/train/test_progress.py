"""``beast progress``: each window's figures are its state's, published or computed again."""

from __future__ import annotations

from chainbeasts.backend.battle.gauntlet import both_sides
from chainbeasts.backend.battle.tournament import seeds_from
from chainbeasts.backend.kernel.fighters import Fighter
from chainbeasts.backend.kernel.held_out import held_out
from chainbeasts.backend.kernel.rng import fold64
from chainbeasts.backend.kernel.window import genesis_state
from chainbeasts.trainer.metrics.accuracy import Probe
from chainbeasts.trainer.train.progress import spread
from tests.trainer.conftest import ROOT, Farm

SAMPLES = ROOT / "examples" / "battle_samples.csv"
GIVEN = ("--seeds", "8", "--boards", "30")


def test_windows_are_spread_evenly_and_the_last_is_one_of_them() -> None:
    assert spread(3, 8) == [0, 1, 2]
    assert spread(0, 8) == []
    assert spread(400, 8) == [49, 99, 149, 199, 249, 299, 349, 399]
    assert spread(10, 3) == [2, 5, 9]


def test_figures_are_those_of_the_states_whether_published_or_computed_again(farm: Farm) -> None:
    beast = str(farm.done("beast", "hatch", "--yes")["beast"])
    plan = ("--plan", "curriculum:0-2,self-play")
    farm.done("trainer", "run", beast, "--windows", "6", *plan, "--batch", "3")
    told = farm.done("beast", "progress", beast, "--points", "3", *GIVEN, who=None)
    newborn, *rows = told["progress"]
    assert (newborn["window"], newborn["loss"], newborn["points"]) == (None, None, None)
    assert [row["window"] for row in rows] == [1, 3, 5]
    assert (told["windows"], told["matches"], told["boards"]) == (6, 16, 30)

    workspace = farm.workspace()
    live, dna = workspace.live(1), farm.chain.birth(1).dna
    rules = farm.chain.season(1).rules
    start = Fighter.of(dna, genesis_state(1, dna))
    seeds = list(seeds_from(fold64(dna), 8))
    for row in rows:
        checkpoint = live[row["window"]]
        assert row["loss"] == checkpoint.window_loss / 128
        state = workspace.snapshots.get(checkpoint.h128)
        assert state is not None
        as_a, as_b = both_sides(Fighter.of(dna, state), start, seeds, rules)
        assert row["won"] == (as_a.won + as_b.won) / 16
        learned = Probe(held_out(30, rules), rules).tally(state.weights, state.header.active_mask)
        assert row["move_accuracy"] == learned.move_accuracy

    for checkpoint in live[1:]:
        workspace.snapshots.path(checkpoint.h128).unlink()
    kept = sorted(path.name for path in workspace.snapshots.folder.iterdir())
    again = farm.done("beast", "progress", beast, "--points", "3", *GIVEN, who=None)
    assert again == told
    assert sorted(path.name for path in workspace.snapshots.folder.iterdir()) == kept


def test_a_window_that_nobody_can_compute_has_its_loss_and_a_reason(farm: Farm) -> None:
    beast = str(farm.done("beast", "hatch", "--yes", "--dataset", str(SAMPLES))["beast"])
    farm.done("trainer", "run", beast)
    farm.done("trainer", "run", beast, "--source", "private")
    workspace = farm.workspace()
    workspace.snapshots.path(workspace.live(1)[1].h128).unlink()
    workspace.private_folder(1).rename(farm.home / "elsewhere")
    told = farm.done("beast", "progress", beast, *GIVEN, who=None)
    _, public, private = told["progress"]
    assert public["reason"] == ""
    assert private["loss"] == workspace.live(1)[1].window_loss / 128
    assert private["points"] is None
    assert "move_accuracy" not in private
    assert "Window 1 cannot be computed again" in private["reason"]
