"""Daemons killed with SIGKILL at many random instants: nothing is lost, nothing is done twice.

One account trains, answers and finalizes, another validates, all against a chain that takes a
while to mine. `CHAINBEASTS_KILLS_SEED` chooses other instants; a failure names its seed.
With CHAINBEASTS_NIGHTLY=1 there are twice as many frauds, and more windows and kills.
"""

from __future__ import annotations

import os
import random
import time
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from typing import Any

import pytest
from sqlalchemy import select

from chainbeasts.backend.chain.anvil import DEVNET_CHAIN_ID
from chainbeasts.backend.chain.client import Chain
from chainbeasts.backend.chain.deployment import Deployment
from chainbeasts.backend.store.daemons import IntentRow, IntentState, JobRow, Verdict
from chainbeasts.backend.store.facts import CheckpointRow, CheckpointStatus
from chainbeasts.backend.store.session import Database
from scripts.lib.stage import Player, Stage
from tests.kills.conftest import DEADLINES, Mortal, slow_blocks
from tests.support.patience import PATIENCE

SEED = int(os.environ.get("CHAINBEASTS_KILLS_SEED", "4"))
NIGHTLY = os.environ.get("CHAINBEASTS_NIGHTLY") == "1"
FUNDS = 1_000
ENERGY = 10**18
TRAINER, VALIDATOR, STRANGER = 1, 2, 3
ROUNDS, WINDOWS, KILLS = (2, 80, 36) if NIGHTLY else (1, 30, 12)
FRAUDS = ("weight", "label", "sample") * ROUNDS
"""Each brought down by a dispute; two more are silent, and one lies in its header."""

ROUND_KILLS, ANSWER_KILLS, CLAIM_KILLS, END_KILLS = (5, 4, 6, 3) if NIGHTLY else (3, 3, 3, 2)
"""After each fraud, and while a wrong dispute is answered, silence claimed, all made final."""

MOST_SECONDS = 0.9
POLL = "0.25"
"""A daemon that looks for news costs the processor as much as what it does when there are some."""


class Play:
    """The daemons, and the instants at which they die."""

    def __init__(self, trainer: Player, validator: Player, beast: int) -> None:
        self.random = random.Random(SEED)
        run = ("trainer", "run", str(beast), "--until", str(WINDOWS), "--batch", "1")
        defend = ("trainer", "defend", "--poll", POLL)
        validate = ("validator", "run", "--workers", "0", "--poll", POLL, "--strategy")
        self.trainer = Mortal(trainer, "run", (*run, "--in-flight", "1", "--no-metrics"))
        self.defender = Mortal(trainer, "defend", defend)
        self.validator = Mortal(validator, "validate", (*validate, "cheap"))
        self._strategies = [(*validate, "cheap"), (*validate, "fast")]
        self.all = (self.trainer, self.defender, self.validator)

    def restart(self, one: Mortal) -> None:
        if one is self.validator:
            one.arguments = self.random.choice(self._strategies)
        one.start()

    def kill(self, times: int, *those: Mortal) -> None:
        """Kill these in random order, one after another, each time at a random instant.

        Who has come to its end leaves its turn to the next.
        """
        order: list[Mortal] = []
        while times:
            order = order or self.random.sample(those, len(those))
            one = order.pop()
            if one.ended():
                continue
            time.sleep(self.random.uniform(0.05, MOST_SECONDS))
            before = one.kills
            one.kill()
            times -= one.kills - before
            if not one.finished:
                self.restart(one)

    def until(self, what: str, look: Callable[[], Any]) -> None:
        """Let them live until there is something to see, for which several may have to move."""
        deadline = time.monotonic() + 2 * PATIENCE
        while not look():
            for one in self.all:
                one.ended()
            assert time.monotonic() < deadline, f"in vain: {what}"
            time.sleep(0.1)

    def close(self) -> None:
        for one in self.all:
            one.stop()


@pytest.fixture
def chain(stage: Stage) -> Chain:
    record = Deployment.load(stage.host.home / "deployments", DEVNET_CHAIN_ID)
    return Chain.connect(stage.rpc_url, record)


def wealth(chain: Chain, player: Player) -> int:
    return chain.energy_of(player.address) + chain.escrow_of(player.address)


def rows(player: Player, role: str, table: Any) -> list[Any]:
    database = Database(f"sqlite:///{player.home / f'{role}.sqlite3'}")
    try:
        with database.session() as session:
            return list(session.scalars(select(table)))
    finally:
        database.close()


def drill(trainer: Player, kind: str, beast: int) -> tuple[int, int]:
    return beast, int(trainer.do("trainer", "drill", kind, beast)["checkpoint"])


class Facts:
    """What the contracts say happened."""

    def __init__(self, chain: Chain) -> None:
        found = chain.events(chain.deployment.start_block, chain.block().number)
        self._events = [(event.name, event.args) for event in found]

    def of(self, name: str) -> list[Any]:
        return [args for found, args in self._events if found == name]

    @property
    def disputed(self) -> set[int]:
        """The beasts of which a window is, or was."""
        return {args["beastId"] for args in self.of("DisputeFiled")}

    @property
    def slashed(self) -> Counter[tuple[int, int]]:
        return Counter((a["beastId"], a["index"]) for a in self.of("CheckpointSlashed"))


def test_killed_at_random_instants_nothing_is_lost_or_done_twice(
    stage: Stage, chain: Chain
) -> None:
    print(f"CHAINBEASTS_KILLS_SEED={SEED}")
    trainer = stage.enter("trainer", TRAINER, FUNDS)
    validator = stage.enter("validator", VALIDATOR, FUNDS)
    stranger = stage.enter("stranger", STRANGER, FUNDS)
    honest, silent, liar, *others = (
        int(trainer.do("beast", "hatch", "--yes")["beast"]) for _ in range(3 + len(FRAUDS))
    )
    trainer.do("trainer", "run", honest)
    accused = 0
    with slow_blocks(stage) as mine, closing(Play(trainer, validator, honest)) as play:
        for one in play.all:
            one.start()
        play.kill(1, play.trainer)  # who would be done before it dies, on a slow day
        mine()
        frauds = []
        for beast, kind in zip(others, FRAUDS, strict=True):
            frauds.append(drill(trainer, kind, beast))
            play.kill(ROUND_KILLS, *play.all)
        frauds.append(drill(trainer, "loss", liar))
        frauds.append(drill(trainer, "silent", silent))
        play.until("all windows are submitted", play.trainer.ended)
        play.until("all but the silent one fall", lambda: len(Facts(chain).slashed) > len(FRAUDS))
        stranger.do("dispute", "file", honest, accused, "--yes")
        play.kill(ANSWER_KILLS, play.defender, play.validator)
        play.until("the wrong dispute is answered", lambda: answered(chain, stranger))
        play.until("the silent one is disputed", lambda: silent in Facts(chain).disputed)
        stage.travel(max(DEADLINES.response_window, DEADLINES.proof_window) + 1)
        play.kill(CLAIM_KILLS, play.defender, play.validator)  # claiming, dismissing
        play.until("the silent one falls", lambda: len(Facts(chain).slashed) == len(frauds))
        play.until("the wrong dispute ends", lambda: Facts(chain).of("DisputeDismissed"))
        stage.travel(DEADLINES.challenge_period)
        play.kill(END_KILLS, play.defender)
        play.until("all is final", lambda: chain.head(honest).final_count == WINDOWS)
        play.until("all is collected", lambda: not uncollected(chain, validator))
        play.until("every window is judged", lambda: all_judged(validator, chain))
        play.until("the trainer's index is as far", lambda: all_final(trainer, honest))
        play.until("every move has ended on record", lambda: all_ended(trainer, validator))
        kills = {one.name: one.kills for one in play.all}
    print(kills, "blocks:", chain.block().number, "failed:", failures(chain))
    assert sum(kills.values()) >= KILLS
    assert min(kills.values()) >= KILLS // 7

    facts = Facts(chain)
    assert facts.slashed == dict.fromkeys(frauds, 1)
    filed = Counter((a["beastId"], a["index"], a["filer"]) for a in facts.of("DisputeFiled"))
    disputed = [fraud for fraud in frauds if fraud[0] != liar]  # a header needs no dispute
    assert filed == {(*fraud, validator.address): 1 for fraud in disputed} | {
        (honest, accused, stranger.address): 1
    }
    openings = Counter((a["disputeId"], a["opening"]) for a in facts.of("OpeningAccepted"))
    assert set(openings.values()) == {1}
    assert len(facts.of("SegmentsOpened")) == sum(not opening for _, opening in openings)
    published = Counter(bytes(a["state"]) for a in facts.of("StatePublished"))
    assert set(published.values()) <= {1}
    staked = Counter(a["beastId"] for a in facts.of("Staked"))
    assert staked == dict.fromkeys([honest, silent, liar, *others], 1)
    submitted = Counter((a["beastId"], a["index"]) for a in facts.of("CheckpointSubmitted"))
    assert submitted == dict.fromkeys([*((honest, n) for n in range(WINDOWS)), *frauds], 1)

    verdicts = {
        (job.beast_id, job.index): job.verdict for job in rows(validator, "validator", JobRow)
    }
    assert verdicts == {
        one: Verdict.INVALID if one in frauds else Verdict.VALID for one in submitted
    }
    for player, role in ((trainer, "trainer"), (validator, "validator")):
        check_intents(chain, rows(player, role, IntentRow))
    check_money(chain, facts, trainer, validator, stranger)


def answered(chain: Chain, challenger: Player) -> bool:
    facts = Facts(chain)
    ours = {a["disputeId"] for a in facts.of("DisputeFiled") if a["filer"] == challenger.address}
    return bool(ours & {a["disputeId"] for a in facts.of("ProofWindowOpened")})


def uncollected(chain: Chain, player: Player) -> int:
    """ENERGY in the player's escrow, and what no one claimed yet for steps of disputes."""
    return chain.escrow_of(player.address) + chain.escrow_of(chain.vault.address)


def all_judged(validator: Player, chain: Chain) -> bool:
    jobs = rows(validator, "validator", JobRow)
    return len(jobs) == len(Facts(chain).of("CheckpointSubmitted")) and all(
        job.verdict is not None for job in jobs
    )


def all_final(trainer: Player, honest: int) -> bool:
    windows = rows(trainer, "trainer", CheckpointRow)
    ours = [row.status for row in windows if row.beast_id == honest]
    return ours == [CheckpointStatus.FINAL] * WINDOWS


def all_ended(trainer: Player, validator: Player) -> bool:
    """A move is on the chain before the daemon that made it has it on record."""
    moves = [*rows(trainer, "trainer", IntentRow), *rows(validator, "validator", IntentRow)]
    return all(row.state in (IntentState.MINED, IntentState.FAILED) for row in moves)


def failures(chain: Chain) -> int:
    """Transactions that were mined and did nothing."""
    eth = chain.w3.eth
    blocks = (eth.get_block(number) for number in range(eth.block_number + 1))
    hashes = [tx for block in blocks for tx in block["transactions"]]
    return sum(eth.get_transaction_receipt(tx)["status"] != 1 for tx in hashes)


def check_intents(chain: Chain, intents: list[IntentRow]) -> None:
    """Everything that was begun came to its end, and what is called mined is."""
    assert {row.state for row in intents} <= {IntentState.MINED, IntentState.FAILED}
    mined = [row for row in intents if row.state == IntentState.MINED]
    for row in mined:
        receipt = chain.w3.eth.get_transaction_receipt(row.tx_hash)  # type: ignore[arg-type]
        assert (receipt["status"], receipt["gasUsed"]) == (1, row.gas_used), row.kind
    assert len({row.nonce for row in mined}) == len(mined)


def check_money(
    chain: Chain, facts: Facts, trainer: Player, validator: Player, stranger: Player
) -> None:
    """Each ends with what the rules give, and no wei is missing."""
    # A window that falls by its re-execution pays for the steps instead of for the last word.
    claimed: Counter[str] = Counter()
    for a in facts.of("StepsClaimed"):
        claimed[a["account"]] += a["energy"]
    windows = rows(trainer, "trainer", CheckpointRow)
    final = sum(row.energy_burn for row in windows if row.status == CheckpointStatus.FINAL)
    lost = sum(
        row.energy_burn + row.bond for row in windows if row.status == CheckpointStatus.SLASHED
    )
    rewards = sum(
        a["filerReward"] * (a["filer"] == validator.address)
        + a["proverReward"] * (a["prover"] == validator.address)
        for a in facts.of("CheckpointSlashed")
    )
    wrong = sum(a["bond"] for a in facts.of("DisputeFiled") if a["filer"] == stranger.address)
    hatches = sum(
        a["cost"] for a in facts.of("HatchRequested") if a["requester"] == trainer.address
    )
    earned = rewards + claimed[validator.address]
    assert wealth(chain, trainer) == FUNDS * ENERGY - hatches - final - lost
    assert wealth(chain, validator) == FUNDS * ENERGY + earned
    assert wealth(chain, stranger) == FUNDS * ENERGY - wrong
    assert chain.energy_of(validator.address) == FUNDS * ENERGY + earned  # all of it pulled out
    supply = int(chain.call(chain.energy.functions.totalSupply()))
    assert sum(wealth(chain, one) for one in (trainer, validator, stranger)) == supply
