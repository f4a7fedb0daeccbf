"""`chainbeasts battle` and `leaderboard` as processes: a match's whole life, and every refusal."""

from __future__ import annotations

import json
import shutil
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from chainbeasts.backend.accounts import devnet_account
from chainbeasts.backend.battle.recording import play_out
from chainbeasts.backend.battle.workspace import open_workspace
from chainbeasts.backend.chain.amounts import show_energy
from chainbeasts.backend.chain.anvil import rpc
from chainbeasts.backend.chain.client import Chain, connect
from chainbeasts.backend.chain.deployment import Deployment
from chainbeasts.backend.chain.errors import Reverted
from chainbeasts.backend.chain.transactions import TransactionManager
from chainbeasts.backend.chain.types import MatchStatus
from chainbeasts.backend.cli.units import iso_time
from chainbeasts.backend.kernel.combat import Match
from chainbeasts.backend.kernel.merkle import Tree, root
from chainbeasts.backend.settings import Settings
from chainbeasts.trainer.datasets.formats import write_words
from chainbeasts.trainer.datasets.reader import read_records
from tests.cli.conftest import Cli
from tests.support.history import forget
from tests.support.patience import eventually
from tests.support.rpc_proxy import RpcProxy
from tests.support.steady import tick

ENERGY = 10**18
DEPLOYER, ANNA, BEN, REPORTER, STRANGER = range(5)
PERIODS = 31
"""Seconds that end the devnet's challenge and disproof periods."""

UNSEEN = 99


@dataclass
class Ring:
    """A chain where Anna's beast 1 and Ben's beast 2 have a final checkpoint; Anna's 3 has none."""

    cli: Cli
    chain: Chain

    def does(self, who: int, *arguments: object) -> Any:
        """The JSON of a command that an account gives."""
        return self.cli.json(*map(str, arguments), "--account", f"devnet:{who}")

    def agrees(self, who: int, *arguments: object) -> Any:
        """The JSON of a battle command that publishes the states that it needs."""
        return self.does(who, "battle", *arguments, "--yes")

    def hinted(self, said: str, hint: str, who: int, *arguments: object) -> None:
        """A refusal of an account's command."""
        self.cli.hinted(said, hint, *map(str, arguments), "--account", f"devnet:{who}")

    def travel(self, seconds: int = PERIODS) -> None:
        rpc(self.chain.rpc_url, "evm_setNextBlockTimestamp", self.chain.now() + seconds)
        rpc(self.chain.rpc_url, "anvil_mine", "0x1")

    def send(self, who: int, call: Any) -> None:
        """A transaction that no command would make."""
        sender = TransactionManager(self.chain, devnet_account(who), self.cli.home / "locks")
        sender.send(call, label="test")

    def seeded(self) -> tuple[int, Match]:
        """A new match between 1 and 2 that is seeded, and what becomes of it."""
        match = int(self.agrees(ANNA, "challenge", 1, 2)["match"])
        self.agrees(BEN, "accept", match)
        rpc(self.chain.rpc_url, "anvil_mine", "0x1")
        self.send(STRANGER, self.chain.arena.functions.drawSeed(match))
        settings = Settings(home=self.cli.home, rpc_url=self.chain.rpc_url)
        return match, play_out(open_workspace(settings, self.chain), self.chain.match(match))

    def bare(self, folder: Path) -> Cli:
        """Another home, which has nobody's states."""
        made = Cli(self.cli.program, folder / "bare", self.cli.rpc_url)
        shutil.copytree(self.cli.home / "deployments", made.home / "deployments")
        return made

    def fund(self, who: int, amount: int) -> None:
        self.does(DEPLOYER, "energy", "faucet", amount, "--to", devnet_account(who).address)


@pytest.fixture(scope="module")
def ring(deployed: Cli) -> Ring:
    w3 = connect(str(deployed.rpc_url))
    tick(str(deployed.rpc_url))
    deployment = Deployment.load(deployed.home / "deployments", w3.eth.chain_id)
    made = Ring(deployed, Chain(w3, str(deployed.rpc_url), deployment))
    for who, beast in ((ANNA, 1), (BEN, 2)):
        made.fund(who, 1_000)
        made.does(who, "beast", "hatch", "--yes")
        made.does(who, "trainer", "run", beast, "--windows", 1)
    made.does(ANNA, "beast", "hatch", "--yes")
    made.travel()
    for beast in (1, 2):
        made.does(STRANGER, "checkpoint", "finalize", beast)
    return made


def test_a_match_from_challenge_to_reward(ring: Ring, tmp_path: Path) -> None:
    unasked = ("battle", "challenge", 1, 2)
    ring.hinted("no terminal to ask on", "Say --yes", ANNA, *unasked)
    asked = ring.agrees(ANNA, "challenge", 1, 2)
    match = asked["match"]
    assert (asked["checkpoint"], asked["accepted"], asked["published"]) == (0, False, [1])
    waits = "waits for the owner of beast 2"
    ring.hinted(waits, f"battle accept {match}", REPORTER, "battle", "record", match)
    assert ring.agrees(BEN, "accept", match)["published"] == [2]
    ring.hinted("0 ENERGY; 20 ENERGY are needed", "faucet", REPORTER, "battle", "record", match)
    ring.fund(REPORTER, 25)
    made = ring.does(REPORTER, "battle", "record", match)
    assert (made["status"], made["bond"]) == ("recorded", str(20 * ENERGY))
    early = ("battle", "finalize", match)
    ring.hinted("can be disproved until", "after that", REPORTER, *early)
    ring.hinted("recorded already", f"battle finalize {match}", ANNA, "battle", "record", match)
    ring.cli.hinted("recorded already", "finalize", "battle", "export", str(match), "-o", "x.csv")

    seen = ring.cli.json("battle", "replay", str(match))
    assert (seen["verified"], seen["result"]) == (True, made["result"])
    assert len(seen["turns"]) == made["turns"]
    words = [int(turn["word"], 16) for turn in seen["turns"]]
    assert "0x" + root(words).hex() == made["log_root"]
    assert all(len(turn["logits"]) == 8 for turn in seen["turns"])

    ring.travel()
    before = ring.chain.energy_of(devnet_account(STRANGER).address)
    paid = ring.does(REPORTER, *early)
    rewards = {"a": (5, 1), "b": (1, 5), "draw": (1, 1)}[made["result"]]
    # Of what the season pays no more than half of what the beast's own final training burned.
    caps = (ring.chain.burned_of(beast) // 2 for beast in (1, 2))
    credited = [min(n * ENERGY, cap) for n, cap in zip(rewards, caps, strict=True)]
    assert 0 < credited[0] < ENERGY  # so the cap is what counted
    assert [int(paid["reward_a"]), int(paid["reward_b"])] == credited
    shown = ring.cli.json("beast", "show", "1")
    assert (int(shown["rewarded"]), int(shown["reward_allowance"])) == (credited[0], 0)
    stranger = ("--to", devnet_account(STRANGER).address)
    assert int(ring.does(ANNA, "battle", "claim", *stranger)["amount"]) == credited[0]
    after = ring.chain.energy_of(devnet_account(STRANGER).address)
    assert after - before == credited[0]
    ring.hinted("has no rewards to claim", "battle list", ANNA, "battle", "claim")
    back = ring.does(REPORTER, "energy", "withdraw", 20, "--arena")
    assert (back["balance"], back["arena_escrow"]) == (str(25 * ENERGY), "0")

    for suffix in ("csv", "hdf5"):
        file = tmp_path / f"words.{suffix}"
        done = ring.cli.json("battle", "export", str(match), str(match), "-o", str(file))
        assert done["records"] == 2 * len(words)
        assert list(read_records(file)) == 2 * words

    shown = ring.cli.json("battle", "show", str(match))
    assert (shown["status"], shown["records"][0]["status"]) == ("final", "final")
    text = ring.cli.run("battle", "show", str(match))
    assert f"A {show_energy(credited[0])}, B {show_energy(credited[1])}" in text.stdout
    listed = ring.cli.json("battle", "list", "--status", "final", "--beast", "1")
    assert [one["match"] for one in listed["matches"]] == [match]
    board = ring.cli.json("leaderboard")
    assert {one["beast"] for one in board} == {1, 2}
    names = ring.cli.run("leaderboard").stdout
    assert f"devnet:{ANNA}" in names
    assert f"devnet:{BEN}" in names
    won = {"a": 1, "b": 2, "draw": 0}[made["result"]]
    assert [one["won"] for one in board] == ([1, 0] if won else [0, 0])
    assert won in (0, board[0]["beast"])


def test_an_open_beast_accepts_at_once_until_it_is_closed(ring: Ring) -> None:
    ring.agrees(BEN, "open", 2)
    assert [one["beast"] for one in ring.cli.json("battle", "list")["open"]] == [2]
    assert ring.agrees(ANNA, "challenge", 1, 2)["accepted"]
    ring.does(BEN, "battle", "close", 2)
    assert ring.cli.json("battle", "list")["open"] == []
    ring.hinted("Beast 2 is not open", "", BEN, "battle", "close", 2)


def test_a_gauntlet_of_all_has_the_beasts_with_a_final_checkpoint(ring: Ring) -> None:
    told = ring.cli.json("battle", "gauntlet", "3@hatch", "--against", "all", "--seeds", "4")
    assert sorted(row["beast"] for row in told["standings"]) == [1, 2, 3]
    assert (
        told["matches"]
        == sum(pair["won"] + pair["drawn"] + pair["lost"] for pair in told["pairings"])
        == 24
    )
    ring.cli.hinted("takes two fighters at least", "--against", "battle", "gauntlet", "1", "1")


def test_a_challenge_is_taken_back(ring: Ring) -> None:
    match = ring.agrees(ANNA, "challenge", 1, 2)["match"]
    ring.hinted(f"did not ask for match {match}", "", BEN, "battle", "cancel", match)
    ring.does(ANNA, "battle", "cancel", match)
    ring.hinted("was cancelled", "battle list", BEN, "battle", "accept", match)
    ring.hinted("is cancelled", f"battle show {match}", ANNA, "battle", "cancel", match)


def test_a_match_that_nobody_records_in_time_expires(ring: Ring) -> None:
    match, _ = ring.seeded()
    window = ring.chain.season(1).arena.record_window
    due = ring.cli.json("battle", "show", str(match))["record_until"]
    now = ring.chain.now()
    assert iso_time(now) < due <= iso_time(now + window)
    expire, record = ("battle", "expire", match), ("battle", "record", match)
    ring.hinted("can be recorded until", f"battle record {match}", STRANGER, *expire)
    assert "record within" in ring.cli.run("battle", "list").stdout
    ring.travel(window)
    assert "too late to record" in ring.cli.run("battle", "list").stdout
    bond = ring.chain.escrow_of(devnet_account(ANNA).address, ring.chain.arena)
    ring.hinted("could be recorded until", f"battle expire {match}", ANNA, *record)
    assert ring.chain.escrow_of(devnet_account(ANNA).address, ring.chain.arena) == bond
    ended = ring.does(STRANGER, *expire)
    assert (ended["before"], ended["status"]) == ("seeded", "expired")
    ring.hinted("has expired", "battle challenge 1 2", ANNA, *record)
    (row,) = ring.cli.json("battle", "list", "--status", "expired")["matches"]
    assert (row["match"], row["record_until"]) == (match, None)


def test_a_match_whose_seed_nobody_draws_has_no_second_throw(ring: Ring) -> None:
    match = int(ring.agrees(ANNA, "challenge", 1, 2)["match"])
    ring.agrees(BEN, "accept", match)
    ring.hinted("can be drawn until block", "record", STRANGER, "battle", "expire", match)
    url = ring.chain.rpc_url
    forget(lambda *call: rpc(url, *call), ring.chain.match(match).seed_block)
    ring.hinted("has expired", "battle challenge 1 2", ANNA, "battle", "record", match)
    assert ring.cli.json("battle", "show", str(match))["status"] == "expired"


@pytest.mark.parametrize(
    ("said", "hint", "who", "arguments"),
    [
        ("There is no match 99", "battle list", ANNA, ("record", UNSEEN)),
        ("There is no match 99", "battle list", ANNA, ("accept", UNSEEN)),
        ("There is no beast 99", "beast list", ANNA, ("challenge", 1, UNSEEN)),
        ("Beast 3 has no checkpoint yet", "trainer run 3", ANNA, ("challenge", 3, 2)),
        ("Beast 1 has no checkpoint 7", "checkpoint list 1", ANNA,
         ("challenge", 1, 2, "--checkpoint", 7)),
        ("Beast 1 cannot fight itself", "battle simulate 1 1", ANNA, ("challenge", 1, 1)),
        ("Beast 3 is yours, too", "battle simulate 1 3", ANNA, ("challenge", 1, 3)),
        ("Beast 2 belongs to", "--account", ANNA, ("challenge", 2, 1)),
        ("Beast 1 belongs to", "--account", BEN, ("open", 1)),
        ("0x1234 is not an address", "40 hex digits", ANNA, ("claim", "--to", "0x1234")),
    ],
)  # fmt: skip
def test_moves_that_are_refused(
    ring: Ring, said: str, hint: str, who: int, arguments: tuple[object, ...]
) -> None:
    nonce = ring.chain.w3.eth.get_transaction_count(devnet_account(who).address)
    ring.hinted(said, hint, who, "battle", *arguments)
    assert ring.chain.w3.eth.get_transaction_count(devnet_account(who).address) == nonce


@pytest.mark.parametrize(
    ("said", "hint", "arguments"),
    [
        ("There is no match 99", "battle list", ("replay", "99")),
        ("There is no match 99", "battle list", ("export", "99", "-o", "x.csv")),
        ("named by its number alone", "battle replay 3", ("replay", "abc")),
        ("battle seed is not given", "--seed 7", ("replay", "1", "2")),
        ("'1e5' is no battle seed", "64 bits", ("replay", "1", "2", "--seed", "1e5")),
        ("The match has no turn 255", "0 to", ("replay", "1", "2", "--seed", "1", "--turn", "255")),
        ("There is no beast 99", "beast list", ("simulate", "1", "99")),
        ("Beast 1 has no checkpoint 5", "checkpoint list 1", ("simulate", "1@5", "2")),
        ("'nobody' is no beast", "snapshot FILE", ("simulate", "1", "nobody")),
    ],
)
def test_questions_that_are_refused(
    ring: Ring, said: str, hint: str, arguments: tuple[str, ...]
) -> None:
    ring.cli.hinted(said, hint, "battle", *arguments)


def test_a_beast_that_changed_hands_was_not_entered_by_its_new_owner(ring: Ring) -> None:
    match = ring.agrees(ANNA, "challenge", 1, 2)["match"]
    anna, other = (devnet_account(who).address for who in (ANNA, STRANGER))
    transfer = ring.chain.beasts.functions.transferFrom
    ring.send(ANNA, transfer(anna, other, 1))
    ring.hinted("no longer owns its beast", "challenge again", BEN, "battle", "accept", match)
    ring.send(STRANGER, transfer(other, anna, 1))


def test_a_lie_is_seen_disproved_and_recorded_again(ring: Ring) -> None:
    match, played = ring.seeded()
    ring.fund(BEN, 100)
    ring.does(BEN, "energy", "deposit", 20, "--arena")
    arena, seed = ring.chain.arena.functions, ring.chain.match(match).battle_seed
    skipped = [*played.words[:4], *played.words[5:]]
    turns, stated = len(skipped), root(skipped)
    with pytest.raises(Reverted, match="The log's Merkle root is"):
        ring.send(BEN, arena.record(match, seed, 0, turns, root(played.words), skipped))
    shifted = list(played.words[1:])
    ring.send(BEN, arena.record(match, seed, 0, turns, root(shifted), shifted))
    seen = ring.cli.json("battle", "replay", str(match))
    assert seen["verified"] is False
    assert "begins with another word" in seen["reason"]
    assert "not verified" in ring.cli.run("battle", "replay", str(match), "--turn", "0").stdout
    proof = Tree(shifted).proof(0)
    ring.send(STRANGER, arena.disproveFirstWord(match, shifted[0], proof))
    (record,) = ring.cli.json("battle", "show", str(match))["records"]
    assert (record["status"], record["lie"]) == ("disproved", "first_word")
    assert int(record["reward"]) + int(record["burned"]) == 20 * ENERGY
    assert "first_word in turn 0" in ring.cli.run("battle", "show", str(match)).stdout

    ring.does(BEN, "energy", "deposit", 20, "--arena")
    ring.send(BEN, arena.record(match, seed, 0, turns, stated, skipped))
    seen = ring.cli.json("battle", "replay", str(match))
    assert "turn 3 leads to another word" in seen["reason"]
    assert seen["turns"][3]["events"] != []


def test_a_reporter_whose_bond_is_burned_pays_another_one(ring: Ring) -> None:
    match, _ = ring.seeded()
    arena, seed = ring.chain.arena.functions, ring.chain.match(match).battle_seed
    ring.fund(DEPLOYER, 20)
    ring.does(DEPLOYER, "energy", "deposit", 20, "--arena")
    ring.send(DEPLOYER, arena.record(match, seed, 2, 1, root([7]), [7]))
    ring.send(STRANGER, arena.disproveFirstWord(match, 7, []))
    ring.hinted("0 ENERGY; 20 ENERGY are needed", "faucet", DEPLOYER, "battle", "record", match)
    ring.fund(DEPLOYER, 20)
    assert ring.does(DEPLOYER, "battle", "record", match)["status"] == "recorded"


def test_whoever_has_a_node_records_and_checks(ring: Ring, tmp_path: Path) -> None:
    """A home that never had a state reads both from the chain."""
    match, _ = ring.seeded()
    bare = ring.bare(tmp_path)
    ring.fund(BEN, 20)
    who = ("--account", f"devnet:{BEN}")
    assert bare.json("battle", "record", str(match), *who)["status"] == "recorded"
    assert bare.json("battle", "replay", str(match))["verified"] is True


def test_a_log_is_drawn_without_the_brains(ring: Ring, tmp_path: Path) -> None:
    """An index without the states, as a node that has forgotten old logs leaves it."""
    match, _ = ring.seeded()
    bare = ring.bare(tmp_path)
    bare.json("battle", "list")
    with closing(sqlite3.connect(bare.home / "arena.sqlite3")) as index, index:
        index.execute("DELETE FROM published_states")
    missing, place = "that beast 1 fights with is not in", "--snapshots PLACE"
    who = ("--account", f"devnet:{BEN}")
    bare.hinted(missing, place, "battle", "record", str(match), *who)
    bare.hinted(missing, place, "battle", "replay", str(match))
    ring.fund(BEN, 20)
    ring.does(BEN, "battle", "record", match)
    seen = bare.json("battle", "replay", str(match))
    assert (seen["verified"], seen["turns"][0]["logits"]) == (None, None)
    assert missing in seen["reason"]
    frame = bare.run("battle", "replay", str(match), "--turn", "2").stdout
    assert "the brain of" in frame
    assert frame.count("·") > 20
    states = ("--snapshots", str(ring.cli.home / "snapshots"))
    assert bare.json("battle", "replay", str(match), *states)["verified"] is True


def test_a_beast_with_a_private_dataset_shows_its_brain_first(ring: Ring, tmp_path: Path) -> None:
    """Once its state is on chain, anybody can play its matches, wherever its trainer publishes."""
    _, played = ring.seeded()
    write_words(tmp_path / "own.csv", played.words)
    beast = ring.does(BEN, "beast", "hatch", "--yes", "--dataset", tmp_path / "own.csv")["beast"]
    ring.does(BEN, "trainer", "run", beast, "--windows", 1, "--source", "private")
    ring.travel()
    ring.does(STRANGER, "checkpoint", "finalize", beast)
    unpublished, hint = "no terminal to ask on", "Say --yes"
    ring.hinted(unpublished, hint, BEN, "battle", "challenge", beast, 1)
    bare = ring.bare(tmp_path)
    dna = ring.chain.birth(beast).dna.hex()
    bare.hinted("fights with is not in", "--snapshots", "battle", "simulate", str(beast), dna)
    shown = ring.does(BEN, "battle", "publish", beast)
    asked = ring.does(BEN, "battle", "challenge", beast, 1)  # nothing is left to agree to
    assert (asked["beast_a"], asked["published"]) == (beast, [])
    found = bare.json("battle", "simulate", str(beast), dna, "--seeds", "3")
    assert found["a"]["state"] == shown["state"]


def test_recording_waits_for_finality(ring: Ring) -> None:
    match, _ = ring.seeded()
    ring.fund(BEN, 20)
    wanted = ("battle", "record", str(match), "--wait", "--json", "--account", f"devnet:{BEN}")

    def no_blocks(method: str, _: list[Any]) -> dict[str, Any] | None:
        """Whoever waits for a local chain has it mine, and with each block its time goes on."""
        return {"error": {"code": -32000, "message": "no"}} if method == "evm_mine" else None

    with (
        RpcProxy(ring.chain.rpc_url, no_blocks) as proxy,
        Cli(ring.cli.program, ring.cli.home, proxy.url).start(*wanted) as waiting,
    ):
        eventually(lambda: ring.chain.match(match).status is MatchStatus.RECORDED)
        assert waiting.poll() is None
        ring.travel()
        assert waiting.wait() == 0, waiting.err.read_text()
    assert json.loads(waiting.out.read_text())["status"] == "final"
    assert ring.chain.match(match).status is MatchStatus.FINAL


def test_simulations_repeat_and_can_be_watched(ring: Ring, tmp_path: Path) -> None:
    given = ("battle", "simulate", "1", "1@hatch", "--seeds", "40", "--first", "9")
    found = ring.cli.json(*given)
    assert found == ring.cli.json(*given)
    assert found["a"]["dna"] == found["b"]["dna"]
    assert found["a"]["state"] != found["b"]["state"]
    assert len({one["battle_seed"] for one in found["matches"]}) == 40
    counts = {one["result"]: one["matches"] for one in found["tallies"]}
    results = [one["result"] for one in found["matches"]]
    assert counts == {result: results.count(result) for result in ("a", "b", "draw")}
    first = found["matches"][0]
    seen = ring.cli.json("battle", "replay", "1", "1@hatch", "--seed", first["battle_seed"])
    assert (seen["result"], len(seen["turns"])) == (first["result"], first["turns"])
    assert (seen["verified"], seen["turns"][0]["acts"] == "a") == (None, first["a_first"])

    (state,) = (ring.cli.home / "snapshots").glob(f"{found['a']['state'][2:]}*")
    alone = Cli(ring.cli.program, tmp_path / "alone")
    offline = (f"{state}:{found['a']['dna']}", found["b"]["dna"], "--seeds", "40", "--first", "9")
    same = alone.json("battle", "simulate", *offline)
    assert [one["turns"] for one in same["matches"]] == [one["turns"] for one in found["matches"]]
    assert ring.cli.json("battle", "simulate", str(state), "2@0", "--seeds", "1")["a"]["beast"] == 1
    odd = tmp_path / "odd[red].state.zst"  # no markup of ours
    shutil.copy(state, odd)
    shown = alone.run("battle", "simulate", f"{odd}:{found['a']['dna']}", found["b"]["dna"])
    assert "A: odd[red].state.zst" in shown.stdout
    torn = tmp_path / "torn.state.zst"
    torn.write_bytes(state.read_bytes()[:-9])
    alone.hinted(
        "is no fighter and no published state", "state.zst", "battle", "simulate", str(torn), "1"
    )
