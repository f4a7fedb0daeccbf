"""Disputes in the books of model.py: filing, openings, verdicts, and what each end pays.

As there: a method is one transaction, returns the error that the contracts must give or changes
the books, and asks the chain nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Concatenate, ParamSpec

from tests.support.model import Block, Books, Dispute, Publication, Reward, Stake, Window
from tests.support.money import (
    CHEAP_GAS,
    FEE_HEADROOM,
    MAX_MULTIPLE,
    PROOF_GAS,
    SEGMENTS_GAS,
    STEP_GAS,
    STEPS,
    gas_owed,
    shares,
)
from tests.support.protocol import (
    DAY,
    DISMISSED,
    FILED,
    OPENED,
    PROVEN_RIGHT,
    RECORDS,
    SEGMENTS,
    STATE,
    UPHELD,
    VOIDED,
)

RENEWAL = 30 * DAY
NOBODY = ""
HEADER_PROOF = 16
P = ParamSpec("P")


def refused_whole(
    move: Callable[Concatenate[Court, Dispute, P], str | None],
) -> Callable[Concatenate[Court, Dispute, P], str | None]:
    """A refused move leaves nothing behind, not even the openings that it took note of."""

    def run(self: Court, d: Dispute, /, *args: P.args, **kwargs: P.kwargs) -> str | None:
        trainer = d.window.record.trainer
        account = self.accounts[d.window.beast, trainer]
        saved = replace(d), replace(account), self.credit[trainer]
        error = move(self, d, *args, **kwargs)
        if error:
            vars(d).update(vars(saved[0]))
            vars(account).update(vars(saved[1]))
            self.credit[trainer] = saved[2]
        return error

    return run


class Court(Books):
    """The books with the disputes in them."""

    # --- filing and openings ------------------------------------------------------------------

    def file(self, window: Window, filer: str, value: int, block: Block) -> str | None:
        if window.dispute:
            self.wallet[filer] -= value
            self.credit[filer] += value
            return None
        beast, e = self.beasts[window.beast], self.economics
        if not beast.is_live(window):
            return "NotLive"
        if window.index < beast.final:
            return "AlreadyFinal"
        if block.time >= window.record.submittedAt + e.challengePeriod:
            return "ChallengePeriodOver"
        if window.proven:
            return "AlreadyProven"
        bond = e.disputeBondMultiple * window.record.payload.energyBurn
        if self.energy[filer] < bond:
            return "InsufficientEscrow"
        missing = self.owed(window, block)
        base, required = self.opening_bond(window, missing, block)
        if value < required:
            return "OpeningBondTooSmall"
        beast.open_disputes += 1
        self.energy[filer] -= bond
        self.wallet[filer] -= value
        self.credit[filer] += value - required
        number = len(self.disputes) + 1
        window.dispute = number
        slashings = self.accounts[window.beast, window.record.trainer].slashings
        deadline = block.time + e.responseWindow
        self.disputes[number] = Dispute(
            number,
            window,
            filer,
            block.number,
            block.time,
            deadline,
            missing,
            bond,
            base,
            required - base,
            slashings,
        )
        return None

    def owed(self, window: Window, block: Block) -> int:
        missing = SEGMENTS
        age = self.economics.publicationAge
        state = self.states.get(window.record.parent)
        if window.index and not (state and state.time + age >= block.time):
            missing |= STATE
        opened = self.records.get((window.beast, window.index))
        if window.private and not (opened and opened.time + age >= block.time):
            missing |= RECORDS
        return missing

    def opening_bond(self, window: Window, missing: int, block: Block) -> tuple[int, int]:
        """The base bond and all that is asked for."""
        beast = self.beasts[window.beast]
        records = beast.records if missing & RECORDS else 0
        gas = gas_owed(state=bool(missing & STATE), records=records)
        base = gas * FEE_HEADROOM * block.bond_fee
        return base, base * min(beast.open_disputes + 1, MAX_MULTIPLE)

    def publish_state(self, state: bytes, gas: int, block: Block) -> None:
        self.states[state] = _published(self.states.get(state), gas, block)

    def publish_records(self, beast: int, index: int, gas: int, block: Block) -> None:
        self.records[beast, index] = _published(self.records.get((beast, index)), gas, block)
        self.revealed.add(beast)

    def open_segments(self, d: Dispute, sender: str, block: Block) -> str | None:
        refused = self._open(d)
        if refused:
            return refused
        if block.time > d.deadline:
            return "ResponseWindowClosed"
        trainer = d.window.record.trainer
        if sender not in (trainer, self.defenders.get(trainer)):
            return "NotDefender"
        if d.missing & SEGMENTS:
            self._accept(d, SEGMENTS, block.time, SEGMENTS_GAS * block.opening_fee, block)
        return None

    @refused_whole
    def accept(self, d: Dispute, block: Block) -> str | None:
        refused = self._open(d)
        if refused:
            return refused
        return None if self._note(d, block) else "NothingToAccept"

    def _open(self, d: Dispute) -> str | None:
        if not d.live:
            return "DisputeEnded"
        return None if self._is_live(d.window) else "NotPending"

    def _is_live(self, window: Window) -> bool:
        return self.beasts[window.beast].is_live(window)

    def _unopened(self, window: Window) -> bool:
        opened = (window.beast, window.index) in self.records
        return window.private and not opened and window.beast not in self.revealed

    def _note(self, d: Dispute, block: Block) -> bool:
        """Publications made in time, which nobody told the court of."""
        noted, window = False, d.window
        for bit, publication in (
            (STATE, self.states.get(window.record.parent)),
            (RECORDS, self.records.get((window.beast, window.index))),
        ):
            if not d.missing & bit or publication is None:
                continue
            age = self.economics.publicationAge
            opened_at = publication.in_time(d.filed_at, d.deadline, age)
            if opened_at:
                self._accept(d, bit, opened_at, publication.pay, block)
                noted = True
        return noted

    def _accept(self, d: Dispute, bit: int, opened_at: int, pay: int, block: Block) -> None:
        d.missing &= ~bit
        d.proof_start = max(d.proof_start, d.filed_at, opened_at)
        if not d.missing:
            d.status = OPENED
            d.proof_deadline = d.proof_start + self.economics.proofWindow
        key = d.window.beast, d.window.record.trainer
        account = self.accounts[key]
        amount = min(pay, d.base + d.surplus - d.paid - d.waiting)
        reserve = self.economics.stakeGas * block.bond_fee
        room = self.stakes[key].amount - (account.debt - account.pot + reserve)
        # After a slashing the pot holds what older disputes had paid until then, and no more.
        older = account.slashings != d.slashings
        paid = 0 if older else min(amount, max(room, 0))
        d.paid += paid
        d.waiting += amount - paid
        account.debt += paid
        self.credit[key[1]] += paid

    # --- verdicts -----------------------------------------------------------------------------

    def commit(self, key: tuple[object, ...], block: Block) -> str | None:
        if key in self.commitments:
            return "AlreadyCommitted"
        self.commitments[key] = block.number
        return None

    @refused_whole
    def prove(self, d: Dispute, sender: str, k: int, wrong: bool, block: Block) -> str | None:
        refused = self._open(d)
        if refused:
            return refused
        self._note(d, block)
        if d.missing & SEGMENTS:
            return "SegmentsMissing"
        if d.missed(block):
            return "ResponseWindowClosed"
        if d.status == OPENED and block.time > d.proof_deadline:
            return "ProofWindowClosed"
        if self._unopened(d.window):
            return "RecordsNotOpened"
        if not wrong:
            return "SegmentCorrect"
        prover = self._prover(d, (sender, d.window, k), block)
        self._uphold(d, prover, 0, PROOF_GAS, block)
        return None

    @refused_whole
    def advance(self, d: Dispute, sender: str, steps: int, block: Block) -> str | None:
        refused = self._open(d)
        if refused:
            return refused
        self._note(d, block)
        if self._unopened(d.window):
            return "RecordsNotOpened"
        ends = d.steps_done + steps == STEPS
        convicts = ends and (not d.window.right or d.window.wrong_header)
        if d.missed(block) and not convicts:
            return "ResponseWindowClosed"
        committed = self.commitments.get((sender, d.window, d.steps_done, steps), block.number)
        d.steps_done += steps
        if committed < block.number:
            d.steps[sender] += steps
        if convicts:
            cap = PROOF_GAS if not d.window.right else CHEAP_GAS
            self._uphold(d, NOBODY, d.counted, cap, block)
        elif ends:
            self._prove_right(d, block)
        return None

    def _prove_right(self, d: Dispute, block: Block) -> None:
        d.status, d.window.proven, d.window.dispute = PROVEN_RIGHT, True, 0
        price = self.economics.energyPrice
        pay = min(d.energy_bond, d.counted * STEP_GAS * block.base_fee * 10**18 // price)
        self.burn_energy(d.energy_bond - pay)
        d.energy_bond, d.energy_pool = 0, pay
        self._release(d, "KEEP")

    def challenge_header(self, window: Window, sender: str, block: Block) -> str | None:
        beast = self.beasts[window.beast]
        if not beast.is_live(window) or window.index < beast.final:
            return "NotPending"
        if not window.wrong_header:
            return "NoContradiction"
        d = self.disputes[window.dispute] if window.dispute else None
        key = sender, window, HEADER_PROOF
        if d:
            self._note(d, block)
            self._uphold(d, self._prover(d, key, block), 0, CHEAP_GAS, block)
        else:
            committed = self.commitments.get(key, block.number)
            prover = sender if committed < block.number else NOBODY
            self._slash(window, None, prover, prover, 0, CHEAP_GAS, block)
        return None

    @refused_whole
    def timeout(self, d: Dispute, block: Block) -> str | None:
        refused = self._open(d)
        if refused:
            return refused
        self._note(d, block)
        if block.time <= d.deadline:
            return "ResponseWindowOpen"
        if not d.missing:
            return "NothingMissing"
        self._uphold(d, d.filer, 0, CHEAP_GAS, block)
        return None

    @refused_whole
    def dismiss(self, d: Dispute, block: Block) -> str | None:
        if not d.live:
            return "DisputeEnded"
        if not self._is_live(d.window):
            d.status, d.window.dispute = VOIDED, 0
            self.energy[d.filer] += d.energy_bond
            d.energy_bond = 0
            self._release(d, "VOID")
            return None
        self._note(d, block)
        if d.status != OPENED:
            return "OpeningsMissing"
        if block.time <= d.proof_deadline:
            return "ProofWindowOpen"
        d.status, d.window.dispute = DISMISSED, 0
        self.burn_energy(d.energy_bond)
        d.energy_bond = 0
        self._release(d, "KEEP")
        return None

    def _prover(self, d: Dispute, key: tuple[object, ...], block: Block) -> str:
        committed = self.commitments.get(key, block.number)
        if committed < d.filed_in:
            return str(key[0])
        head_start_ends = d.proof_start + (d.proof_deadline - d.proof_start) // 4
        if d.status == FILED or block.time <= head_start_ends:
            return d.filer
        return str(key[0]) if committed < block.number else NOBODY

    # --- ends ---------------------------------------------------------------------------------

    def _uphold(self, d: Dispute, prover: str, steps: int, gas_cap: int, block: Block) -> None:
        d.status, d.window.dispute = UPHELD, 0
        self.energy[d.filer] += d.energy_bond
        d.energy_bond = 0
        self._slash(d.window, d, d.filer, prover, steps, gas_cap, block)
        self._release(d, "RETURN")

    def _slash(
        self,
        window: Window,
        d: Dispute | None,
        filer: str,
        prover: str,
        steps: int,
        gas_cap: int,
        block: Block,
    ) -> None:
        beast = self.beasts[window.beast]
        energy = shares(window.record.locked, self.economics, None if prover else steps)
        filing = energy.filing if filer else 0
        fallen = sum(w.record.locked for w in beast.chain[window.index :])
        self.burn_energy(fallen - filing - energy.proof)
        if filer:
            self.energy[filer] += filing
        if prover:
            self.energy[prover] += energy.proof
        elif d:
            d.energy_pool = energy.proof
        del beast.chain[window.index :]
        self._take_stake(window, d, filer, prover, steps, gas_cap, block)

    def _take_stake(
        self,
        window: Window,
        d: Dispute | None,
        filer: str,
        prover: str,
        steps: int,
        gas_cap: int,
        block: Block,
    ) -> None:
        key = window.beast, window.record.trainer
        stake = self.stakes.pop(key, Stake()).amount
        account = self.accounts[key]
        debts = min(account.debt - account.pot, stake)
        account.pot += debts
        account.slashings += 1
        filing, proof, burned = shares(stake - debts, self.economics)
        old = self.rewards.pop(key, None)
        if old:
            gas_paid = min(old.gas_cap * block.bond_fee, old.proof)
            self.credit[old.prover or old.filer] += gas_paid
            carried = old.total - gas_paid
            e = self.economics
            part = carried * e.filingBps // (e.filingBps + e.proofBps)
            filing, proof = filing + part, proof + carried - part
        if not filer:
            filing, burned = 0, burned + filing
        if not prover:
            earned = proof * steps // STEPS
            proof, burned = earned, burned + proof - earned
        self.coin_burned += burned
        if filing + proof:
            number = d.number if d else 0
            self.rewards[key] = Reward(filing, proof, window.index, number, filer, prover, gas_cap)

    def _release(self, d: Dispute, end: str) -> None:
        """The opening bond, whose disputed window has just been judged."""
        trainer = d.window.record.trainer
        self.beasts[d.window.beast].open_disputes -= 1
        account = self.accounts[d.window.beast, trainer]
        slashed = account.slashings != d.slashings
        if end == "VOID" and slashed:
            end = "RETURN"
        account.debt -= d.paid
        repaid = min(d.paid, account.pot) if slashed else 0
        account.pot -= repaid
        left = d.base + d.surplus - d.paid
        if end == "RETURN":
            self.credit[d.filer] += left + repaid
            return
        self.credit[trainer] += d.waiting
        left -= d.waiting
        self.coin_burned += repaid
        if end == "KEEP":
            kept = d.paid + d.waiting
            again = min(kept, left - max(d.base - kept, 0))
            self.coin_burned += again
            left -= again
        self.credit[d.filer] += left


def _published(old: Publication | None, gas: int, block: Block) -> Publication:
    """What an archive keeps; a publication that is not due changes nothing."""
    if old is not None and block.time < old.time + RENEWAL:
        return old
    return Publication(block.time, old.time if old else 0, gas * block.opening_fee)
