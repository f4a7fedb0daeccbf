"""A match as a whole story: agreed on, lied about, disproved, recorded, final, and trained on."""

from __future__ import annotations

from typing import Any

from chainbeasts.backend.accounts import devnet_account
from chainbeasts.backend.chain.anvil import DEVNET_CHAIN_ID
from chainbeasts.backend.chain.client import Chain
from chainbeasts.backend.chain.deployment import Deployment
from chainbeasts.backend.chain.escrow import ensure_escrow
from chainbeasts.backend.chain.transactions import TransactionManager
from chainbeasts.backend.kernel import merkle
from chainbeasts.backend.kernel.combat import start_match
from scripts.lib.deadlines import PATIENT
from scripts.lib.stage import Player, Stage
from tests.e2e.conftest import FUNDS

A, B, VALIDATOR, LIAR = 1, 2, 3, 4


def record_one_turn(stage: Stage, liar: Player, match_id: int) -> None:
    """Somebody records, by a program of his own, that A has won in the first turn."""
    folder = stage.host.home / "deployments"
    chain = Chain.connect(stage.rpc_url, Deployment.load(folder, DEVNET_CHAIN_ID))
    sender = TransactionManager(chain, devnet_account(liar.number), liar.home / "locks")
    sender.send(chain.arena.functions.drawSeed(match_id), label="draw the seed")
    found = chain.match(match_id)
    dnas = (chain.birth(beast).dna for beast in (found.beast_a, found.beast_b))
    season = chain.season(found.season)
    log = [start_match(*dnas, found.battle_seed, season.rules)]
    ensure_escrow(chain, sender, season.arena.record_bond, escrow=chain.arena)
    facts = (found.battle_seed, 0, len(log), merkle.root(log), log)
    sender.send(chain.arena.functions.record(match_id, *facts), label="lie")


def test_a_match_is_fought_lied_about_recorded_and_trained_on(stage: Stage) -> None:
    a, b = stage.enter("a", A, FUNDS), stage.enter("b", B, FUNDS)
    validator, liar = stage.enter("validator", VALIDATOR, FUNDS), stage.enter("liar", LIAR, FUNDS)
    validator.start("validator", "validator", "run", "--strategy", "cheap")
    beasts = [int(player.do("beast", "hatch", "--yes")["beast"]) for player in (a, b)]
    for player, beast in zip((a, b), beasts, strict=True):
        player.do("trainer", "run", beast)
    stage.travel(PATIENT.challenge_period + 1)
    for player, beast in zip((a, b), beasts, strict=True):
        player.do("checkpoint", "finalize", beast)
    match = int(a.do("battle", "challenge", *beasts, "--yes")["match"])
    b.do("battle", "accept", match, "--yes")
    stage.host.do("energy", "faucet", 1, "--to", liar.address)  # a block after the seed's
    record_one_turn(stage, liar, match)

    def moves(action: str) -> list[dict[str, Any]]:
        made = validator.events("validator", "move made")
        return [move for move in made if move["action"] == action]

    stage.wait("the validator disproves the lie", lambda: moves("disprove"))
    b.do("battle", "record", match)

    def judged() -> list[Any]:
        return [event["verdict"] for event in validator.events("validator", "match judged")]

    stage.wait("the validator plays the truth again", lambda: len(judged()) == 2)
    assert judged() == ["invalid", "valid"]
    stage.travel(PATIENT.disproof_period + 1)
    a.do("battle", "finalize", match)

    a.do("trainer", "run", beasts[0], "--source", f"battle:{match}")
    a.start("defender", "trainer", "defend", "--no-finalize", "--poll", "0.5")
    told = a.do("trainer", "drill", "weight", beasts[0], "--source", f"battle:{match}")
    stage.wait("the wrong window falls", lambda: moves("prove"))
    rows = a.do("checkpoint", "list", beasts[0], "--all")
    assert [(row["status"], row["source"], row["source_id"]) for row in rows] == [
        ("final", "curriculum", 0),
        ("pending", "battle", match),
        ("slashed", "battle", match),
    ]
    assert int(told["checkpoint"]) == 2
    assert len(moves("disprove")) == 1
