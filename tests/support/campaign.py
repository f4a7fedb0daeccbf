"""A random campaign: all moves of all roles, each against the model's books.

The model knows what the contracts see, since the campaign chose it (campaign_history.py). Moves
that must be refused are sent, too.
"""

from __future__ import annotations

from typing import Any

from eth_abi.abi import encode
from eth_utils.crypto import keccak

from chainbeasts.backend.kernel.state import State, state_hash
from tests.support.campaign_history import FEES, History
from tests.support.model import ENERGY_UNIT, Dispute, Window
from tests.support.model_court import HEADER_PROOF
from tests.support.money import records_gas, state_gas
from tests.support.protocol import (
    DAY,
    NO_CHECKPOINT,
    NO_COMMITMENTS,
    NO_OPENING,
    OPENED,
    PRIVATE,
    StateHeader,
    fresh_hash,
    garbage_segments,
)
from tests.support.training import SALT, hashed_opening, opening

VALUE = 4 * 10**18
"""Sent with a filing: more than any bond here."""

MOVES = {
    "submit": 14,
    "finalize": 6,
    "case": 16,
    "file": 6,
    "file_private": 2,
    "open_segments": 6,
    "publish_state": 2,
    "publish_records": 2,
    "accept": 4,
    "commit": 5,
    "prove": 12,
    "advance": 14,
    "challenge_header": 4,
    "timeout": 8,
    "dismiss": 10,
    "buy": 2,
    "deposit": 1,
    "request_hatch": 1,
    "stake": 4,
    "announce": 3,
    "cancel": 1,
    "withdraw_stake": 3,
    "settle": 6,
    "claim_steps": 4,
    "withdraw_credit": 3,
    "set_trainer": 2,
    "set_defender": 1,
    "transfer": 1,
    "travel": 2,
}


class Campaign(History):
    """One history of random moves."""

    def run(self, actions: int) -> None:
        """The owners begin to train, then everybody does what he likes."""
        for number in self.books.beasts:
            self.stake_enough(number, self.books.beasts[number].owner)
            self.submit(number)
        names, weights = list(MOVES), list(MOVES.values())
        while sum(self.done.values()) + sum(self.refused.values()) < actions:
            getattr(self, self.chance.choices(names, weights)[0])()
        self._wire.close()

    # --- training -----------------------------------------------------------------------------

    def submit(self, number: int = 0) -> None:
        number = number or self.beast()
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
        # The record is in the receipt, so the books are checked once it is entered.
        receipt = self.mine("submit", block, trainer, call, None)
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
        block = self.block(ready[-1].record.submittedAt + period, sharp=0.4)
        error = self.books.finalize(beast, count, block)
        call = self.world.ledger.functions.finalize(number, [w.record for w in ready])
        self.send("finalize", block, self.account(), call, error)

    # --- ENERGY -------------------------------------------------------------------------------

    def buy(self) -> None:
        buyer, to, block = self.account(), self.account(), self.block()
        paid = self.chance.choice((0, 1, 10**12, self.chance.randrange(10**17)))
        out = paid * ENERGY_UNIT // self.books.economics.energyPrice
        min_out = self.chance.choice((0, out, out + 1))
        error = self.books.buy(buyer, to, paid, min_out)
        self.send("buy", block, buyer, self.world.sale.functions.buy(to, min_out), error, paid)

    def deposit(self) -> None:
        account, block = self.account(), self.block()
        purse = self.books.purse[account]
        amount = purse + 1 if self.chance.random() < 0.1 else self.chance.randint(0, purse)
        error = self.books.deposit(account, amount)
        call = self.world.ledger.functions.deposit(amount)
        self.send("deposit", block, account, call, error)

    def request_hatch(self) -> None:
        """Somebody throws for a beast, which never hatches."""
        account = self.account()
        if not self.done["request_hatch"]:  # chance seldom meets who has as much
            self.buy_for_a_hatch(account)
        block = self.block()
        error = self.books.request_hatch(account)
        call = self.world.beasts.functions.requestHatch(*NO_COMMITMENTS)
        self.send("request_hatch", block, account, call, error)

    def buy_for_a_hatch(self, account: str) -> None:
        economics, block = self.books.economics, self.block()
        paid = -(-economics.hatchCost * economics.energyPrice // ENERGY_UNIT)
        error = self.books.buy(account, account, paid, 0)
        call = self.world.sale.functions.buy(account, 0)
        self.send("buy", block, account, call, error, paid)

    # --- stakes and ownership -----------------------------------------------------------------

    def stake(self) -> None:
        self.stake_enough(self.beast(), self.account())

    def stake_enough(self, number: int, trainer: str) -> None:
        gas = self.books.economics.stakeGas
        fee = FEES[-1] if self.chance.random() < 0.8 else self.chance.choice(FEES)
        amount = gas * fee * self.chance.choice((1, 2)) + self.chance.randrange(10**12)
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
        seconds = 31 * DAY if self.chance.random() < 0.2 else self.chance.randint(20, 120)
        self.now += seconds
        self.world.travel_to(self.now)

    # --- filing and openings ------------------------------------------------------------------

    def case(self) -> None:
        """A dispute in one go: filed, opened as far as its trainer likes, then perhaps judged."""
        before = len(self.books.disputes)
        self.prompt = True
        self.file()
        if len(self.books.disputes) > before:
            self._open_and_judge(self.books.disputes[before + 1])
        self.prompt = False

    def _open_and_judge(self, d: Dispute) -> None:
        window = d.window
        if self.chance.random() < 0.8:
            self.open_segments(d)
        if window in self.trained and d.missing & 2 and self.chance.random() < 0.8:
            self.publish_state(window)
        if d.missing & 4 and self.chance.random() < 0.8:
            self.publish_records(window)
        if d.missing & 6 and self.chance.random() < 0.8:
            self.accept(d)
        if window not in self.trained or self.chance.random() < 0.3:
            return
        if d.window.right or self.chance.random() < 0.3:
            for _ in range(self.chance.randint(1, 3)):
                self.commit(window)
                self.advance(d)
        else:
            self.commit(window)
            self.prove(d)

    def file(self) -> None:
        window = self.pick_window()
        if window is None:
            return
        filer, block = self.account(), self.block(*self._period(window), sharp=0.1)
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
        filer, block = self.account(), self.block(*self._period(window), sharp=0.1)
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

    def open_segments(self, d: Dispute | None = None) -> None:
        d = d or self.pick_dispute(lambda d: bool(d.missing & 1))
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

    def publish_state(self, of: Window | None = None) -> None:
        """The state that a window starts from, mostly the end of another."""
        known = [of] if of else [w for w in self.windows if w in self.trained]
        if not known:
            return
        state = self.trained[self.chance.choice(known)].true_states[0]
        header, weights = opening(state)
        block = self.block()
        self.books.publish_state(state_hash(state), state_gas(weights), block)
        call = self.world.states.functions.publish(header, weights)
        self.send("publish_state", block, self.account(), call, None)

    def publish_records(self, of: Window | None = None) -> None:
        wanted = [r for r in self.stage.records if of and r[:2] == (of.beast, of.index)]
        number, index, opened = self.chance.choice(wanted or self.stage.records)
        block = self.block()
        gas = records_gas(len(opened.words), len(opened.siblings))
        self.books.publish_records(number, index, gas, block)
        call = self.world.records.functions.publish(number, index, *opened.arguments)
        self.send("publish_records", block, self.account(), call, None)

    def accept(self, d: Dispute | None = None) -> None:
        d = d or self.pick_dispute(lambda d: bool(d.missing & 6))
        if d is None:
            return
        block = self.block(*self.times(d))
        error = self.books.accept(d, block)
        call = self.world.court.functions.acceptOpenings(*self.place(d))
        self.send("accept", block, self.account(), call, error)

    # --- verdicts -----------------------------------------------------------------------------

    def commit(self, of: Window | None = None) -> None:
        """To what a later move of the same account will prove, mostly."""
        known = [of] if of else [w for w in self.windows if w in self.trained]
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

    def _sender(self, *key: object) -> str:
        """Mostly somebody who has committed to it, if there is anybody."""
        ready = [str(found[0]) for found in self.books.commitments if found[1:] == key]
        return self.chance.choice(ready) if ready and self.chance.random() < 0.8 else self.account()

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

    def prove(self, d: Dispute | None = None) -> None:
        d = d or self.pick_dispute(lambda d: d.window in self.trained and not d.missing & 1)
        if d is None or d.window not in self.trained:
            return
        trained, block = self.trained[d.window], self.block(*self.times(d))
        wrong = trained.wrong_segment
        k = (
            wrong
            if wrong is not None and self.chance.random() < 0.8
            else self.chance.choice((0, 9))
        )
        sender = self._sender(d.window, k)
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

    def advance(self, d: Dispute | None = None) -> None:
        busy = [d for d in self.books.disputes.values() if d.live and d.steps_done]
        wanted = self.chance.choice(busy) if busy and self.chance.random() < 0.5 else None
        d = d or wanted or self.pick_dispute(lambda d: d.window in self.trained)
        if d is None or d.window not in self.trained or d.steps_done == 128:
            return
        trained, block = self.trained[d.window], self.block(*self.times(d))
        done = d.steps_done
        steps = 64 if done % 64 == 0 and self.chance.random() < 0.8 else 32
        sender = self._sender(d.window, done, steps)
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
        window, block = self.chance.choice(pool[-4:]), self.block()
        sender = self._sender(window, HEADER_PROOF)
        error = self.books.challenge_header(window, sender, block)
        header, root = hashed_opening(self.trained[window].end)
        call = self.world.court.functions.challengeHeader(
            window.beast, window.record, window.parent, header, root, SALT
        )
        self.send("challenge_header", block, sender, call, error)

    def timeout(self) -> None:
        d = self.pick_dispute(lambda d: bool(d.missing))
        if d is None:
            return
        block = self.block(*self.times(d), sharp=0.7)
        error = self.books.timeout(d, block)
        call = self.world.court.functions.claimTimeout(self.claim(d))
        self.send("timeout", block, self.account(), call, error)

    def dismiss(self) -> None:
        def ripe(d: Dispute) -> bool:
            return d.status == OPENED or not self.books.beasts[d.window.beast].is_live(d.window)

        d = self.pick_dispute(ripe)
        if d is None:
            return
        block = self.block(*self.times(d), sharp=0.7)
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
    header, root = hashed_opening(state)
    types = ["uint256", "bytes32", "uint32", "uint8", "uint32", "uint256", "bytes32"]
    return keccak(encode(types, [*header, root]))
