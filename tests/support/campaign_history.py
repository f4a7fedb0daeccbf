"""One history of a campaign as the chain sees it: transactions in blocks whose time, base fee and
price are chosen, and every account read back after each. The moves are in campaign.py.
"""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from chainbeasts.backend.chain.views import call_data
from scripts.lib.wire import Wire
from tests.support.campaign_stage import Stage, Trained
from tests.support.model import Beast, Block, Dispute, Window
from tests.support.model_court import Court
from tests.support.onchain import mined
from tests.support.patience import PATIENCE
from tests.support.protocol import BURN, GWEI, OPENED, TREASURY, Checkpoint, World
from tests.support.snapshots import set_base_fee

GAS = 16_000_000
FEES = (GWEI // 2, GWEI, 2 * GWEI, 5 * GWEI, 20 * GWEI)


@dataclass
class History:
    """The chain's side of one history: sends, checks, chooses."""

    world: World
    stage: Stage
    seed: int
    chance: random.Random = field(init=False)
    books: Court = field(init=False)
    windows: list[Window] = field(default_factory=list)
    trained: dict[Window, Trained] = field(default_factory=dict)
    done: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)
    now: int = 0
    prompt: bool = False
    """Whether moves come one right after the other."""
    _wire: Wire = field(init=False)
    _spent: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self.chance = random.Random(self.seed)
        self._wire = Wire(self.world.w3.provider.endpoint_uri, PATIENCE)  # type: ignore[attr-defined]
        self.accounts = self.world.accounts[1:7]
        self.now = self.world.now()
        self.books = Court(self.world.season.economics)
        for number, trainee in self.stage.trainees.items():
            records = len(trainee.dataset.words) if trainee.dataset else 0
            self.books.beasts[number] = Beast(trainee.trainer, records=records)
        for account in self.accounts:
            self.books.energy[account] = self.world.escrow(account)
            self.books.wallet[account] = self.world.coin(account)
            self.books.purse[account] = self._purse(account)
        self.supply = int(self.world.energy.functions.totalSupply().call())
        held = self.world.energy.functions.balanceOf(self.world.ledger.address).call()
        self.others = int(held) - sum(self.books.energy.values())
        self.burned = self.world.coin(BURN)
        self.proceeds = self.world.coin(TREASURY)
        self.sold = int(self.world.sale.functions.sold().call())
        self._reads = self._prepare_reads()

    def _purse(self, account: str) -> int:
        return int(self.world.energy.functions.balanceOf(account).call())

    # --- transactions -------------------------------------------------------------------------

    def block(self, *times: int, sharp: float = 0.25) -> Block:
        """The next block: soon, or with a chance of `sharp` at one of the seconds that matter."""
        ahead = [t + late for t in times for late in (-1, 0, 1) if t + late > self.now]
        time = self.now + self.chance.choice((1, 1, 2, 4))
        if ahead and not self.prompt and self.chance.random() < sharp:
            time = self.chance.choice(ahead)
        fee = self.chance.choice(FEES)
        number = int(self._rpc("eth_blockNumber"), 16) + 1
        return Block(number, time, fee, tip=fee)

    def send(
        self, name: str, block: Block, sender: str, call: Any, error: str | None, value: int = 0
    ) -> None:
        """Mine a call in a block; its outcome, and all the books, must be the model's."""
        self.mine(name, block, sender, call, error, value)
        self.check(name)

    def mine(
        self, name: str, block: Block, sender: str, call: Any, error: str | None, value: int = 0
    ) -> Any:
        """The same, with the books left to be checked; the receipt."""
        set_base_fee(self._rpc, block.base_fee)
        self._rpc("evm_setNextBlockTimestamp", hex(block.time))
        tx = {
            "from": sender,
            "to": call.address,
            "data": "0x" + call_data(call).hex(),
            "value": hex(value),
            "gas": hex(GAS),
            "gasPrice": hex(block.base_fee + block.tip),
        }
        sent = self._rpc("eth_sendTransaction", tx)
        receipt = mined(self.world.w3, sent)
        self.now = block.time
        self._spent[sender] += receipt["gasUsed"] * receipt["effectiveGasPrice"]
        assert receipt["blockNumber"] == block.number
        actual = None if receipt["status"] else self._error(sent)
        assert actual == error, f"{self.seed}: {name} by {sender}: {actual}, not {error}"
        if error:
            self.refused[f"{name}: {error}"] += 1
        else:
            self.done[name] += 1
        return receipt

    def _error(self, tx: str) -> str:
        trace = self._rpc("debug_traceTransaction", tx, {"tracer": "callTracer"})
        return self.world.decode_error(trace["output"]).name

    def _rpc(self, method: str, *params: Any) -> Any:
        return self._batch([(method, list(params))])[0]

    def _batch(self, calls: Sequence[tuple[str, list[Any]]]) -> list[Any]:
        body = [
            {"jsonrpc": "2.0", "id": i, "method": method, "params": params}
            for i, (method, params) in enumerate(calls)
        ]
        answers = json.loads(self._wire.post(json.dumps(body).encode()))
        by_id = {answer["id"]: answer for answer in answers}
        return [by_id[i]["result"] for i in range(len(body))]

    # --- what the chain says ------------------------------------------------------------------

    def _prepare_reads(self) -> list[tuple[str, list[Any]]]:
        world, held = self.world, [*self.accounts, self.world.vault.address]
        places = [*self.accounts, BURN, world.ledger.address, world.vault.address, TREASURY]
        calls = [world.ledger.functions.escrowOf(a) for a in held]
        calls += [world.vault.functions.creditOf(a) for a in self.accounts]
        calls += [world.energy.functions.balanceOf(a) for a in self.accounts]
        calls += [
            world.sale.functions.sold(),
            world.energy.functions.totalSupply(),
            world.energy.functions.balanceOf(world.ledger.address),
        ]
        reads: list[tuple[str, list[Any]]] = [("eth_getBalance", [a, "latest"]) for a in places]
        for call in calls:
            asked = {"to": call.address, "data": "0x" + call_data(call).hex()}
            reads.append(("eth_call", [asked, "latest"]))
        return reads

    def check(self, name: str) -> None:
        """Every account, in every pot, is what the model says."""
        books, n = self.books, len(self.accounts)
        found = [int(answer, 16) for answer in self._batch(self._reads)]
        coins, rest = found[: n + 4], found[n + 4 :]
        energy, rest = rest[: n + 1], rest[n + 1 :]
        credits, rest = rest[:n], rest[n:]
        purses, (sold, supply, held) = rest[:n], rest[n:]
        where = f"{self.seed}: after {name}"
        wallets = {a: coins[i] + self._spent[a] for i, a in enumerate(self.accounts)}
        assert wallets == {a: books.wallet[a] for a in self.accounts}, where
        assert dict(zip(self.accounts, credits, strict=True)) == {
            a: books.credit[a] for a in self.accounts
        }, where
        pools = sum(d.energy_pool for d in books.disputes.values())
        mine = [books.energy[a] for a in self.accounts]
        assert energy == [*mine, pools], where
        assert purses == [books.purse[a] for a in self.accounts], where
        assert coins[n:] == [
            self.burned + books.coin_burned,
            books.ledger_coin,
            books.vault_coin,
            self.proceeds + books.proceeds,
        ], where
        assert (sold, supply, held - self.others) == (
            self.sold + books.energy_sold,
            self.supply + books.energy_sold - books.energy_burned,
            books.ledger_energy,
        ), where

    def check_standing(self) -> None:
        """At the end: every head, dispute, bond and reward."""
        world = self.world
        for number, beast in self.books.beasts.items():
            head = world.head(number)
            assert (head.headCount, head.finalCount) == (len(beast.chain), beast.final)
            assert world.ledger.functions.burnedOf(number).call() == beast.burned
            assert world.vault.functions.openDisputesOf(number).call() == beast.open_disputes
            for account in self.accounts:
                reward = self.books.rewards.get((number, account))
                assert world.reward(number, account)[:2] == (
                    (reward.filing, reward.proof) if reward else (0, 0)
                )
                assert world.staked(number, account) == self.books.stakes[number, account].amount
        for d in self.books.disputes.values():
            found, bond = world.dispute(d.number), world.opening_bond(d.number)
            assert (found.status, found.missing, found.stepsDone) == (
                d.status,
                d.missing,
                d.steps_done,
            )
            assert (found.proofStart, found.proofDeadline) == (d.proof_start, d.proof_deadline)
            if d.live:
                money = (d.base, d.surplus, d.slashings, d.paid, d.waiting)
                assert bond == money

    # --- choices ------------------------------------------------------------------------------

    def account(self) -> str:
        return self.chance.choice(self.accounts)

    def beast(self) -> int:
        return self.chance.choice(list(self.books.beasts))

    def pick_window(self) -> Window | None:
        """Mostly a pending one, now and then one that is final or fell."""
        pending = [w for b in self.books.beasts.values() for w in b.chain[b.final :]]
        known = [w for w in pending if w in self.trained]
        if known and self.chance.random() < 0.6:
            return self.chance.choice(known)
        pool = pending if pending and self.chance.random() < 0.9 else self.windows
        return self.chance.choice(pool) if pool else None

    def pick_dispute(self, wanted: Callable[[Dispute], bool] = lambda _: True) -> Dispute | None:
        """Mostly a live one that the move is made for."""
        disputes = list(self.books.disputes.values())
        live = [d for d in disputes if d.live and wanted(d)]
        if live and self.chance.random() < 0.9:
            return self.chance.choice(live)
        return self.chance.choice(disputes) if disputes and self.chance.random() < 0.3 else None

    def place(self, d: Dispute) -> tuple[int, int, Checkpoint]:
        return d.number, d.window.beast, d.window.record

    def claim(self, d: Dispute) -> tuple[Any, ...]:
        return (*self.place(d), d.window.parent)

    def times(self, d: Dispute) -> tuple[int, ...]:
        if d.status != OPENED:
            return (d.deadline,)
        quarter = (d.proof_deadline - d.proof_start) // 4
        return d.proof_start + quarter, d.proof_deadline
