"""A random campaign: all moves of all roles on a chain, each against the model's books.

Every transaction has a time, a base fee and a price that the campaign chose, so the model knows
what the contracts see. Moves that must be refused are sent, too.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import httpx
from eth_abi.abi import encode
from eth_utils.crypto import keccak

from backend.kernel.state import State, state_hash
from tests.support.campaign_stage import Stage, Trained
from tests.support.hostile import step
from tests.support.model import Beast, Block, Dispute, Window
from tests.support.model_court import HEADER_PROOF, Court
from tests.support.money import records_gas, state_gas
from tests.support.protocol import (
    BURN,
    DAY,
    GWEI,
    NO_CHECKPOINT,
    NO_OPENING,
    OPENED,
    PRIVATE,
    Checkpoint,
    StateHeader,
    World,
    fresh_hash,
    garbage_segments,
)
from tests.support.training import SALT, hashed_opening, opening

GAS = 16_000_000
FEES = (GWEI // 2, GWEI, 2 * GWEI, 5 * GWEI, 20 * GWEI)
VALUE = 4 * 10**18

MOVES = {
    "submit": 26,
    "finalize": 8,
    "file": 16,
    "file_private": 2,
    "open_segments": 14,
    "publish_state": 8,
    "publish_records": 6,
    "accept": 7,
    "commit": 12,
    "prove": 12,
    "advance": 14,
    "challenge_header": 5,
    "timeout": 8,
    "dismiss": 10,
    "stake": 8,
    "announce": 2,
    "cancel": 2,
    "withdraw_stake": 4,
    "settle": 6,
    "claim_steps": 6,
    "withdraw_credit": 3,
    "set_trainer": 3,
    "set_defender": 2,
    "transfer": 2,
    "travel": 3,
}


@dataclass
class Campaign:
    """One history."""

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
    _client: httpx.Client = field(init=False)
    _spent: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self.chance = random.Random(self.seed)
        self._client = httpx.Client(timeout=30)
        self.accounts = self.world.accounts[1:7]
        self.now = self.world.now()
        self.books = Court(self.world.season.economics)
        for number, trainee in self.stage.trainees.items():
            records = len(trainee.dataset.words) if trainee.dataset else 0
            self.books.beasts[number] = Beast(trainee.trainer, records=records)
        for account in self.accounts:
            self.books.energy[account] = self.world.escrow(account)
            self.books.wallet[account] = self.world.coin(account)
        self.supply = int(self.world.energy.functions.totalSupply().call())
        held = self.world.energy.functions.balanceOf(self.world.ledger.address).call()
        self.others = int(held) - sum(self.books.energy.values())
        self.burned = self.world.coin(BURN)
        self._reads = self._prepare_reads()

    def run(self, actions: int) -> None:
        names, weights = list(MOVES), list(MOVES.values())
        while sum(self.done.values()) + sum(self.refused.values()) < actions:
            name = self.chance.choices(names, weights)[0]
            getattr(self, name)()
        self._client.close()

    # --- transactions -------------------------------------------------------------------------

    def block(self, *times: int) -> Block:
        """The next block: soon, or at one of the seconds that matter."""
        ahead = [t + late for t in times for late in (-1, 0, 1) if t + late > self.now]
        time = self.now + self.chance.choice((1, 1, 2, 5, 12))
        if ahead and self.chance.random() < 0.5:
            time = self.chance.choice(ahead)
        fee = self.chance.choice(FEES)
        number = int(self._rpc("eth_blockNumber"), 16) + 1
        return Block(number, time, fee, tip=fee)

    def send(
        self, name: str, block: Block, sender: str, call: Any, error: str | None, value: int = 0
    ) -> Any:
        """Mine a call in a block; its outcome, and all the books, must be the model's."""
        contract = self.world.w3.eth.contract(address=call.address, abi=call.contract_abi)
        to, _, data = step(contract, call)
        self._rpc("anvil_setNextBlockBaseFeePerGas", hex(block.base_fee))
        self._rpc("evm_setNextBlockTimestamp", hex(block.time))
        tx = {
            "from": sender,
            "to": to,
            "data": "0x" + data.hex(),
            "value": hex(value),
            "gas": hex(GAS),
            "gasPrice": hex(block.base_fee + block.tip),
        }
        sent = self._rpc("eth_sendTransaction", tx)
        receipt = self.world.w3.eth.wait_for_transaction_receipt(sent, 30, poll_latency=0.002)
        self.now = block.time
        self._spent[sender] += receipt["gasUsed"] * receipt["effectiveGasPrice"]
        assert receipt["blockNumber"] == block.number
        actual = None if receipt["status"] else self._error(sent)
        assert actual == error, f"{self.seed}: {name} by {sender}: {actual}, not {error}"
        if error:
            self.refused[f"{name}: {error}"] += 1
        else:
            self.done[name] += 1
        self.check(name)
        return receipt

    def _error(self, tx: str) -> str:
        trace = self._rpc("debug_traceTransaction", tx, {"tracer": "callTracer"})
        return self.world.decode_error(trace["output"]).name

    def _rpc(self, method: str, *params: Any) -> Any:
        return self._batch([(method, list(params))])[0]

    def _batch(self, calls: Sequence[tuple[str, list[Any]]]) -> list[Any]:
        url = self.world.w3.provider.endpoint_uri  # type: ignore[attr-defined]
        body = [
            {"jsonrpc": "2.0", "id": i, "method": method, "params": params}
            for i, (method, params) in enumerate(calls)
        ]
        answers = self._client.post(url, json=body).json()
        by_id = {answer["id"]: answer for answer in answers}
        return [by_id[i]["result"] for i in range(len(body))]

    # --- what the chain says ------------------------------------------------------------------

    def _prepare_reads(self) -> list[tuple[str, list[Any]]]:
        world, held = self.world, [*self.accounts, self.world.vault.address]
        places = [*self.accounts, BURN, world.ledger.address, world.vault.address]
        calls = [(world.ledger, world.ledger.functions.escrowOf(a)) for a in held]
        calls += [(world.vault, world.vault.functions.creditOf(a)) for a in self.accounts]
        calls += [
            (world.energy, world.energy.functions.totalSupply()),
            (world.energy, world.energy.functions.balanceOf(world.ledger.address)),
        ]
        reads: list[tuple[str, list[Any]]] = [("eth_getBalance", [a, "latest"]) for a in places]
        for contract, call in calls:
            to, _, data = step(contract, call)
            reads.append(("eth_call", [{"to": to, "data": "0x" + data.hex()}, "latest"]))
        return reads

    def check(self, name: str) -> None:
        """Every account, in every pot, is what the model says."""
        books, n = self.books, len(self.accounts)
        found = [int(answer, 16) for answer in self._batch(self._reads)]
        coins, rest = found[: n + 3], found[n + 3 :]
        energy, rest = rest[: n + 1], rest[n + 1 :]
        credits, (supply, held) = rest[:n], rest[n:]
        where = f"{self.seed}: after {name}"
        wallets = {a: coins[i] + self._spent[a] for i, a in enumerate(self.accounts)}
        assert wallets == {a: books.wallet[a] for a in self.accounts}, where
        assert dict(zip(self.accounts, credits, strict=True)) == {
            a: books.credit[a] for a in self.accounts
        }, where
        pools = sum(d.energy_pool for d in books.disputes.values())
        mine = [books.energy[a] for a in self.accounts]
        assert energy == [*mine, pools], where
        assert coins[n:] == [
            self.burned + books.coin_burned,
            books.ledger_coin,
            books.vault_coin,
        ], where
        assert (supply, held - self.others) == (
            self.supply - books.energy_burned,
            books.ledger_energy,
        ), where

    def check_standing(self) -> None:
        """At the end: every head, dispute, bond and reward."""
        world = self.world
        for number, beast in self.books.beasts.items():
            head = world.head(number)
            assert (head.headCount, head.finalCount) == (len(beast.chain), beast.final)
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

    # --- training -----------------------------------------------------------------------------

    def submit(self) -> None:
        number = self.beast()
        beast = self.books.beasts[number]
        likely = self.chance.random() < 0.9
        trainer = self.chance.choice([beast.owner, *sorted(beast.trainers)])
        trainer = trainer if likely else self.account()
        accept = self.chance.random() < 0.3
        window = self.stage.choose(self.chance, number, self.world.head(number).h128)
        if window:
            payload = self.world.payload(number, window.h128)._replace(**window.payload)
        else:
            private = bool(beast.records) and self.chance.random() < 0.5
            payload = self.world.payload(
                number, fresh_hash(self.seed, len(self.windows)), source=PRIVATE if private else 0
            )
        bond = self.books.economics.trainerBondMultiple * payload.energyBurn
        block = self.block()
        locked = payload.energyBurn + bond
        error = self.books.submit(beast, number, trainer, locked, accept, block)
        call = self.world.submit_call(number, payload, accept_foreign=accept)
        if error == "StakeTooSmall" and number and self.chance.random() < 0.9:
            return self.stake_enough(number, trainer)
        if error:
            self.send("submit", block, trainer, call, error)
            return None
        parent = beast.chain[-1].record if beast.chain else NO_CHECKPOINT
        # The record is read afterwards, so the books are checked once it is entered.
        check, self.check = self.check, lambda _: None  # type: ignore[method-assign]
        receipt = self.send("submit", block, trainer, call, None)
        self.check = check  # type: ignore[method-assign]
        record = self.world.submitted(receipt)[0]
        assert (record.locked, record.trainer) == (locked, trainer)
        entered = Window(number, record, parent)
        if window:
            entered.wrong_segment, entered.wrong_header = window.wrong_segment, window.wrong_header
            self.trained[entered] = window
        self.books.enter(entered)
        self.windows.append(entered)
        self.check("submit")
        return None

    def finalize(self) -> None:
        number = self.beast()
        beast = self.books.beasts[number]
        count = self.chance.randint(1, 3)
        ready = beast.chain[beast.final : beast.final + count]
        if not ready:
            return
        period = self.books.economics.challengePeriod
        block = self.block(ready[-1].record.submittedAt + period)
        error = self.books.finalize(beast, count, block)
        call = self.world.ledger.functions.finalize(number, [w.record for w in ready])
        self.send("finalize", block, self.account(), call, error)

    # --- stakes and ownership -----------------------------------------------------------------

    def stake(self) -> None:
        self.stake_enough(self.beast(), self.account())

    def stake_enough(self, number: int, trainer: str) -> None:
        gas = self.books.economics.stakeGas
        amount = gas * self.chance.choice(FEES) + self.chance.randrange(10**12)
        block = self.block()
        error = self.books.stake(number, trainer, amount)
        call = self.world.ledger.functions.stake(number)
        self.send("stake", block, trainer, call, error, amount)

    def _staker(self) -> tuple[int, str]:
        keys = sorted(key for key, stake in self.books.stakes.items() if stake.amount)
        if keys and self.chance.random() < 0.8:
            return self.chance.choice(keys)
        return self.beast(), self.account()

    def announce(self) -> None:
        number, trainer = self._staker()
        block = self.block()
        error = self.books.announce(number, trainer, block)
        call = self.world.ledger.functions.announceWithdrawal(number)
        self.send("announce", block, trainer, call, error)

    def cancel(self) -> None:
        number, trainer = self._staker()
        block, error = self.block(), self.books.cancel(number, trainer)
        call = self.world.ledger.functions.cancelWithdrawal(number)
        self.send("cancel", block, trainer, call, error)

    def withdraw_stake(self) -> None:
        leaving = sorted(k for k, stake in self.books.stakes.items() if stake.withdrawable_at)
        number, trainer = self.chance.choice(leaving) if leaving else self._staker()
        block = self.block(self.books.stakes[number, trainer].withdrawable_at)
        error = self.books.withdraw(number, trainer, block)
        call = self.world.ledger.functions.withdrawStake(number, trainer)
        self.send("withdraw_stake", block, trainer, call, error)

    def set_trainer(self) -> None:
        number, account, block = self.beast(), self.account(), self.block()
        beast = self.books.beasts[number]
        beast.trainers.add(account)
        call = self.world.beasts.functions.setTrainer(number, account, True)
        self.send("set_trainer", block, beast.owner, call, None)

    def set_defender(self) -> None:
        trainer, defender, block = self.account(), self.account(), self.block()
        self.books.defenders[trainer] = defender
        call = self.world.court.functions.setDefender(defender)
        self.send("set_defender", block, trainer, call, None)

    def transfer(self) -> None:
        number, buyer, block = self.beast(), self.account(), self.block()
        seller = self.books.beasts[number].owner
        if buyer == seller:
            return
        self.books.transfer(number, buyer)
        call = self.world.beasts.functions.transferFrom(seller, buyer, number)
        self.send("transfer", block, seller, call, None)

    def travel(self) -> None:
        """Idle time, seldom a month: then archives take publications again."""
        seconds = 31 * DAY if self.chance.random() < 0.15 else self.chance.randint(50, 320)
        self.now += seconds
        self.world.travel_to(self.now)

    # --- filing and openings ------------------------------------------------------------------

    def file(self) -> None:
        window = self.pick_window()
        if window is None:
            return
        filer, block = self.account(), self.block(*self._period(window))
        value = VALUE
        if self.chance.random() < 0.1:
            value = self.chance.choice((0, 10**15))
        error = self.books.file(window, filer, value, block)
        call = self.world.court.functions.file(window.beast, window.record)
        self.send("file", block, filer, call, error, value)

    def file_private(self) -> None:
        """With the whole dataset, which settles the secret for good."""
        window = self.pick_window()
        if window is None or not self.books.beasts[window.beast].records:
            return
        filer, block = self.account(), self.block(*self._period(window))
        data = self.stage.trainees[window.beast].dataset
        assert data is not None
        error = self.books.file(window, filer, VALUE, block)
        if error is None:
            self.books.revealed.add(window.beast)
        call = self.world.court.functions.filePrivate(
            window.beast, window.record, data.blob, data.secret
        )
        self.send("file_private", block, filer, call, error, VALUE)

    def _period(self, window: Window) -> tuple[int]:
        return (window.record.submittedAt + self.books.economics.challengePeriod,)

    def open_segments(self) -> None:
        d = self.pick_dispute(lambda d: bool(d.missing & 1))
        if d is None:
            return
        trainer = d.window.record.trainer
        defender = self.books.defenders.get(trainer, trainer)
        usual = self.chance.choice((trainer, defender))
        sender = usual if self.chance.random() < 0.9 else self.account()
        block = self.block(*self.times(d))
        error = self.books.open_segments(d, sender, block)
        segments = self._segments(d.window)
        call = self.world.court.functions.openSegments(*self.place(d), segments)
        self.send("open_segments", block, sender, call, error)

    def _segments(self, window: Window) -> list[bytes]:
        known = self.trained.get(window)
        return known.segments if known else garbage_segments(window.record.payload.h128)

    def publish_state(self) -> None:
        known = [w for w in self.windows if w in self.trained]
        if not known:
            return
        state = self.trained[self.chance.choice(known)].end
        header, weights = opening(state)
        block = self.block()
        self.books.publish_state(state_hash(state), state_gas(weights), block)
        call = self.world.states.functions.publish(header, weights)
        self.send("publish_state", block, self.account(), call, None)

    def publish_records(self) -> None:
        number, index, opened = self.chance.choice(self.stage.records)
        block = self.block()
        gas = records_gas(len(opened.words), len(opened.siblings))
        self.books.publish_records(number, index, gas, block)
        call = self.world.records.functions.publish(number, index, *opened.arguments)
        self.send("publish_records", block, self.account(), call, None)

    def accept(self) -> None:
        d = self.pick_dispute(lambda d: bool(d.missing & 6))
        if d is None:
            return
        block = self.block(*self.times(d))
        error = self.books.accept(d, block)
        call = self.world.court.functions.acceptOpenings(*self.place(d))
        self.send("accept", block, self.account(), call, error)

    # --- verdicts -----------------------------------------------------------------------------

    def commit(self) -> None:
        """To what a later move of the same account will prove, mostly."""
        known = [w for w in self.windows if w in self.trained]
        if not known:
            return
        window, sender = self.chance.choice(known[-6:]), self.account()
        kind = self.chance.choice(("proof", "header", "steps", "steps"))
        key: tuple[object, ...]
        trained = self.trained[window]
        if kind == "header":
            key, result = (sender, window, HEADER_PROOF), _header_result(trained.end)
        elif kind == "proof":
            k = trained.wrong_segment or 0
            key, result = (sender, window, k), trained.true_result(k)
        else:
            first = 64 * self.chance.randrange(2)
            d = self.books.disputes.get(window.dispute)
            first = d.steps_done if d and d.steps_done < 128 else first
            steps = 64 if first % 64 == 0 else 32
            key = (sender, window, first, steps)
            result = state_hash(trained.true_states[first + steps])
        block = self.block()
        error = self.books.commit(key, block)
        commitment = self._commitment(key, result)
        self.send("commit", block, sender, self.world.court.functions.commit(commitment), error)

    def _commitment(self, key: tuple[object, ...], result: bytes) -> bytes:
        sender, window, *places = key
        assert isinstance(window, Window)
        digest = keccak(
            encode(["uint256", "address", "uint256"], [31_337, self.world.ledger.address, 0])[:64]
            + self._record(window)
        )
        types = ["address", "bytes32", *["uint8"] * len(places), "bytes32", "bytes32"]
        return keccak(encode(types, [sender, digest, *places, result, SALT]))

    def _record(self, window: Window) -> bytes:
        """The beast and the record as the ledger hashes them, behind chain and ledger."""
        c, p = window.record, window.record.payload
        words: list[Any] = [window.beast, c.index, c.generation, c.parent, *p]
        words += [c.season, int(c.trainer, 16), c.submittedAt, c.bond, c.lockedSum]
        return b"".join(w if isinstance(w, bytes) else int(w).to_bytes(32) for w in words)

    def prove(self) -> None:
        d = self.pick_dispute(lambda d: d.window in self.trained and not d.missing & 1)
        if d is None or d.window not in self.trained:
            return
        trained, sender, block = self.trained[d.window], self.account(), self.block(*self.times(d))
        wrong = trained.wrong_segment
        k = (
            wrong
            if wrong is not None and self.chance.random() < 0.8
            else self.chance.choice((0, 9))
        )
        error = self.books.prove(d, sender, k, k == wrong, block)
        header, weights = self._start(d.window, trained.segment_ends[k - 1] if k else None)
        witnesses = self._witnesses(d.window, 8 * k, 8)
        call = self.world.court.functions.prove(
            self.claim(d), trained.segments, k, header, weights, witnesses, SALT
        )
        self.send("prove", block, sender, call, error)

    def _start(self, window: Window, state: State | None) -> tuple[StateHeader, bytes]:
        """The state that steps run from; the window's own start if it is None."""
        if state is not None:
            return opening(state)
        if window.index == 0:
            return StateHeader(), b""
        return opening(self.trained[window].true_states[0])

    def _witnesses(self, window: Window, done: int, steps: int) -> bytes:
        if not window.private:
            return b""
        if (window.beast, window.index) in self.books.records:
            return self.stage.opened(window.beast, window.index).witnesses(done, steps)
        return self.stage.paths(self.trained[window], done, steps)

    def advance(self) -> None:
        busy = [d for d in self.books.disputes.values() if d.live and d.steps_done]
        wanted = self.chance.choice(busy) if busy and self.chance.random() < 0.5 else None
        d = wanted or self.pick_dispute(lambda d: d.window in self.trained)
        if d is None or d.window not in self.trained or d.steps_done == 128:
            return
        trained, sender, block = self.trained[d.window], self.account(), self.block(*self.times(d))
        done = d.steps_done
        steps = 64 if done % 64 == 0 and self.chance.random() < 0.8 else 32
        error = self.books.advance(d, sender, steps, block)
        header, weights = self._start(d.window, trained.true_states[done] if done else None)
        ends = done + steps == 128 and trained.wrong_segment is None
        call = self.world.court.functions.advance(
            (*self.place(d), d.window.parent),
            steps,
            header,
            weights,
            self._witnesses(d.window, done, steps),
            hashed_opening(trained.end) if ends else NO_OPENING,
            SALT,
        )
        self.send("advance", block, sender, call, error)

    def challenge_header(self) -> None:
        known = [w for w in self.windows if w in self.trained]
        lies = [w for w in known if w.wrong_header]
        pool = lies if lies and self.chance.random() < 0.7 else known
        if not pool:
            return
        window, sender, block = self.chance.choice(pool[-4:]), self.account(), self.block()
        error = self.books.challenge_header(window, sender, block)
        header, weights_hash = hashed_opening(self.trained[window].end)
        call = self.world.court.functions.challengeHeader(
            window.beast, window.record, window.parent, header, weights_hash, SALT
        )
        self.send("challenge_header", block, sender, call, error)

    def timeout(self) -> None:
        d = self.pick_dispute(lambda d: bool(d.missing))
        if d is None:
            return
        block = self.block(*self.times(d))
        error = self.books.timeout(d, block)
        call = self.world.court.functions.claimTimeout(self.claim(d))
        self.send("timeout", block, self.account(), call, error)

    def dismiss(self) -> None:
        def ripe(d: Dispute) -> bool:
            return d.status == OPENED or not self.books.beasts[d.window.beast].is_live(d.window)

        d = self.pick_dispute(ripe)
        if d is None:
            return
        block = self.block(*self.times(d))
        error = self.books.dismiss(d, block)
        call = self.world.court.functions.dismiss(*self.place(d))
        self.send("dismiss", block, self.account(), call, error)

    # --- payouts ------------------------------------------------------------------------------

    def settle(self) -> None:
        held = sorted(self.books.rewards)
        number, trainer = self.chance.choice(held) if held else (self.beast(), self.account())
        block, error = self.block(), self.books.settle(number, trainer)
        call = self.world.vault.functions.settleReward(number, trainer)
        self.send("settle", block, self.account(), call, error)

    def claim_steps(self) -> None:
        paid = [d for d in self.books.disputes.values() if d.energy_pool or d.coin_pool]
        d = self.chance.choice(paid) if paid else self.pick_dispute()
        if d is None:
            return
        account = self.chance.choice([*sorted(d.steps), self.account()])
        block, error = self.block(), self.books.claim_steps(d, account)
        call = self.world.vault.functions.claimSteps(d.number)
        self.send("claim_steps", block, account, call, error)

    def withdraw_credit(self) -> None:
        account, block = self.account(), self.block()
        error = self.books.withdraw_credit(account)
        call = self.world.vault.functions.withdrawCredit(account)
        self.send("withdraw_credit", block, account, call, error)


def _header_result(state: State) -> bytes:
    header, weights_hash = hashed_opening(state)
    types = ["uint256", "bytes32", "uint32", "uint8", "uint32", "uint256", "bytes32"]
    return keccak(encode(types, [*header, weights_hash]))
