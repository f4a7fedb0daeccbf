"""Plans carried out off chain: figures, prices, and that the real run gives the same."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner

from chainbeasts.backend.battle.fighter_files import decode_fighter
from chainbeasts.backend.chain.costs import plan_cost, plan_gas
from chainbeasts.backend.chain.prices import window_lock, window_price
from chainbeasts.backend.chain.seasons import load_profile
from chainbeasts.backend.errors import ChainBeastsError
from chainbeasts.backend.kernel.board import adjacent, unpack
from chainbeasts.backend.kernel.combat import Action
from chainbeasts.backend.kernel.features import features
from chainbeasts.backend.kernel.genesis import genesis_mask
from chainbeasts.backend.kernel.held_out import held_out
from chainbeasts.backend.kernel.labels import Label, label
from chainbeasts.backend.kernel.network import forward
from chainbeasts.backend.kernel.samples import Source
from chainbeasts.backend.kernel.state import state_hash
from chainbeasts.backend.kernel.traces import Traces
from chainbeasts.backend.kernel.window import StepTrace
from chainbeasts.trainer.cli.trainer import app
from chainbeasts.trainer.metrics.accuracy import Probe, Tally, tally
from chainbeasts.trainer.plan.plan import Plan
from chainbeasts.trainer.plan.toml import make_plan
from chainbeasts.trainer.train.simulate import SEED_TAG, drawn_seed, newborn, simulate
from tests.trainer.conftest import ROOT, Farm

DNA = bytes([9] * 4 + [1, 1] + [7] * 26)  # s0 s1 a0 a1 awake
SEASON = load_profile("devnet").season
SAMPLES = ROOT / "examples" / "battle_samples.csv"


def plan(text: str, grow: str | None = None) -> Plan:
    return make_plan(text, grow, Source.CURRICULUM)


def judged(words: list[int], answer: Callable[[Label], Action], power: int = 0) -> Tally:
    """The tally of answers to some boards, each with ``power`` quarters too much attack."""
    steps = []
    for number, word in enumerate(words):
        wanted = label(word, SEASON.rules)
        action = answer(wanted)
        moves = (100 * (direction == action.direction) for direction in range(4))
        logits = (*moves, 4 * action.power + power, 1 if action.block else -1, 0, 0)
        steps.append(StepTrace(number, word, wanted, logits, 10))
    return tally(Traces.of(steps))


def test_a_brain_that_knows_the_labels_is_right_everywhere_and_its_opposite_nowhere() -> None:
    words = held_out(300, SEASON.rules)
    right = judged(words, lambda one: Action(one.move or 0, one.attack, bool(one.block)))
    wrong = judged(
        words, lambda one: Action(((one.move or 0) + 1) % 4, one.attack, not one.block), power=6
    )
    assert (right.move_accuracy, right.attack_mae, right.block_accuracy) == (1.0, 0.0, 1.0)
    assert (wrong.move_accuracy, wrong.attack_mae, wrong.block_accuracy) == (0.0, 1.5, 0.0)
    positions = [unpack(word) for word in words]
    assert right.attacks == sum(adjacent(p.self_.pos, p.enemy.pos) for p in positions)
    assert right.moves == sum(label(word, SEASON.rules).move is not None for word in words)
    assert (right.steps, right.loss, right.mean_loss) == (300, 3000, 10.0)
    assert 0 < right.attacks < 300


def test_the_lowest_direction_wins_a_tie_as_in_combat() -> None:
    words = held_out(300, SEASON.rules)
    tied = [StepTrace(0, word, label(word, SEASON.rules), (0,) * 8, 0) for word in words]
    north = sum(label(word, SEASON.rules).move == 0 for word in words)
    assert tally(Traces.of(tied)).moves_right == north > 0


def test_tallies_add_up_and_a_null_step_counts_by_its_loss_alone() -> None:
    word = held_out(1, SEASON.rules)[0]
    one = StepTrace(0, word, label(word, SEASON.rules), (0,) * 8, 100)
    null = StepTrace(1, 0, None, None, 4095)
    both = tally(Traces.of([one, null]))
    assert both == tally(Traces.of([one])) + tally(Traces.of([null]))
    assert (both.steps, both.mean_loss, both.blocks) == (2, (100 + 4095) / 2, 1)
    empty = tally(Traces.of([]))
    assert empty == Tally()
    assert (empty.mean_loss, empty.move_accuracy, empty.attack_mae) == (0.0, None, None)


def test_a_plan_teaches_and_its_bill_is_the_ledgers() -> None:
    report = simulate(
        newborn(DNA, SEASON), plan("curriculum:0-5,self-play", "s3@2,a2@9,a3@9"), 10, batch=3
    )
    assert [(one.first, one.last) for one in report.epochs] == [(0, 3), (4, 7), (8, 9)]
    assert [one.sources for one in report.epochs] == [
        {"curriculum": 4},
        {"curriculum": 2, "self-play": 2},
        {"self-play": 2},
    ]
    assert [one.woken for one in report.epochs] == ["s3", "", "a2 a3"]
    mask, grown = genesis_mask(DNA), genesis_mask(DNA) | 0b1000
    pairs = [(mask, mask)] * 2 + [(mask, grown)] + [(grown, grown)] * 6 + [(grown, grown | 0xC0)]
    prices = [window_price(SEASON.economics, *pair) for pair in pairs]
    assert report.cost.price == sum(prices)
    assert report.cost.growth == 3 * SEASON.economics.growth_cost
    assert report.cost.lock == sum(window_lock(SEASON.economics, *pair) for pair in pairs)
    assert report.before.move_accuracy is not None
    assert report.after.move_accuracy is not None
    assert report.after.move_accuracy > report.before.move_accuracy + 0.1


def test_a_runs_cost_is_the_sum_of_its_windows() -> None:
    planned = plan("curriculum", "s2@3,s3@5,a2@5")
    report = simulate(newborn(DNA, SEASON), planned, 7, wake=1 << 7, boards=1)
    economics, mask = SEASON.economics, genesis_mask(DNA)
    assert plan_cost(economics, planned.growth, 0, mask, 7, wake=1 << 7) == report.cost
    assert plan_cost(economics, planned.growth, 0, mask, 0).lock == 0


def test_a_bill_is_in_energy_in_native_coin_and_in_gas_and_says_how_long_it_binds() -> None:
    season = load_profile("mainnet").season
    terms, mask = season.economics, genesis_mask(DNA)
    report = simulate(newborn(DNA, season), plan("curriculum", "s3@1"), 2, boards=1)
    found, price = report.quote, report.cost.price
    assert price == sum(window_price(terms, *pair) for pair in ((mask, mask), (mask, mask | 8)))
    # One ENERGY is sold for a thousandth of native coin, and never for a wei less than it takes.
    assert found.coin_price == -(-price // 1_000)
    assert found.coin_lock == -(-report.cost.lock // 1_000)
    assert found.gas == plan_gas(0, 2, 1, 64, 64)
    assert (found.locked_seconds, found.locked_seconds_most) == (7 * 86_400, 10 * 86_400)
    closed = simulate(newborn(DNA, season), plan("curriculum"), 1, boards=1, energy_price=0).quote
    assert (closed.coin_price, closed.coin_lock) == (None, None)


def test_a_simulation_is_repeatable_and_goes_on_like_the_window_after() -> None:
    subject = newborn(DNA, SEASON)
    once = simulate(subject, plan("curriculum"), 5, boards=8)
    assert once.h128 == simulate(subject, plan("curriculum"), 5, boards=8).h128
    assert drawn_seed(DNA, 1) != drawn_seed(DNA, 2) != drawn_seed(bytes(32), 2)
    assert SEED_TAG.startswith(b"chainbeasts/")


def test_what_does_not_fit_is_refused_before_anything_is_trained() -> None:
    for text, grow, said in (
        ("curriculum:0-3", None, "no source for window 4"),
        ("curriculum", "s0@3", "s0@3: s0 is awake"),
    ):
        with pytest.raises(ChainBeastsError, match=said):
            simulate(newborn(DNA, SEASON), plan(text, grow), 5)
    with pytest.raises(ChainBeastsError, match="no private dataset"):
        CliRunner().invoke(app, ["simulate", "--new", "--plan", "private"], catch_exceptions=False)
    for arguments, said in (([], "Whose plan"), (["--dna", "0x12"], "is no DNA")):
        with pytest.raises(ChainBeastsError, match=said):
            CliRunner().invoke(app, ["simulate", *arguments], catch_exceptions=False)


def test_a_newborn_needs_no_node(tmp_path: Path) -> None:
    common = ["--home", str(tmp_path), "--rpc-url", "http://127.0.0.1:1", "--windows", "2"]
    for subject in (["--new", "--profile", "mainnet"], ["--dna", "0x" + DNA.hex()]):
        arguments = ["simulate", *subject, *common, "--boards", "4"]
        result = CliRunner().invoke(app, [*arguments, "--json"], catch_exceptions=False)
        told = json.loads(result.stdout)
        assert told["windows"] == 2
        assert told["held_out"]["boards"] == 4
        assert CliRunner().invoke(app, arguments).stdout.count("In all") == 1
    assert list(tmp_path.iterdir()) == []


def test_a_run_leaves_a_fighter_where_it_is_told_to(tmp_path: Path) -> None:
    file = tmp_path / "mine.json"
    given = ["--dna", "0x" + DNA.hex(), "--windows", "5", "--boards", "1", "--home", str(tmp_path)]
    arguments = ["simulate", *given, "--grow", "s3@2", "-o", str(file), "--json"]
    result = CliRunner().invoke(app, arguments, catch_exceptions=False)
    told, found = json.loads(result.stdout), decode_fighter(file.read_bytes())
    assert told["file"] == str(file)
    assert (found.dna, found.rules) == (DNA, SEASON.rules)
    report = simulate(newborn(DNA, SEASON), plan("curriculum", "s3@2"), 5, boards=1)
    assert state_hash(found.state) == report.h128 == state_hash(report.end)
    assert told["h128"] == "0x" + report.h128.hex()
    assert found.state.header.active_mask == genesis_mask(DNA) | 8


def test_a_hatched_beasts_simulation_is_what_its_run_then_gives(farm: Farm) -> None:
    beast = str(farm.done("beast", "hatch", "--yes", "--dataset", str(SAMPLES))["beast"])
    farm.done("trainer", "run", beast)
    before, block = farm.nonce(1), farm.chain.block().number
    given = ("--plan", "private,self_play,curriculum:0-1", "--windows", "3", "--batch", "3")
    told = farm.done("trainer", "simulate", beast, *given, who=None)
    assert (farm.nonce(1), farm.chain.block().number) == (before, block)
    assert told["epochs"][0]["sources"] == {"curriculum": 1, "private": 1, "self-play": 1}
    losses, burned = [], 0
    for source in ("curriculum", "private", "self-play"):
        (row,) = farm.done("trainer", "run", beast, "--source", source)
        losses.append(row["window_loss"])
        burned += int(row["energy_burn"])
    assert told["epochs"][0]["loss"] == sum(losses) / (3 * 128)
    assert int(told["price"]) == burned


def test_estimated_gas_is_near_the_real(farm: Farm) -> None:
    beast = str(farm.done("beast", "hatch", "--yes")["beast"])
    made = farm.done("trainer", "run", beast, "--windows", "5", "--batch", "3")
    used = sum(row["gas"] for row in made)
    assert plan_gas(0, 5, 3, 4, 4) == pytest.approx(used, rel=0.1)


def test_a_probe_teaches_nothing_and_asks_the_network_as_it_acts() -> None:
    state, words = newborn(DNA, SEASON).state, held_out(40, SEASON.rules)
    weights, mask = state.weights.copy(), state.header.active_mask
    found = Probe(words, SEASON.rules).tally(state.weights, mask)
    assert (state.weights == weights).all()
    logits = [forward(weights, mask, features(word))[-1].tolist() for word in words]
    labels = [label(word, SEASON.rules) for word in words]
    pairs = zip(words, labels, logits, strict=True)
    steps = [StepTrace(0, word, wanted, tuple(z), 0) for word, wanted, z in pairs]
    assert found == tally(Traces.of(steps))
    assert 0 < found.moves_right < found.moves
