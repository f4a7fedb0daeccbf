"""What the chain says, and what it should say: every window replayed, every unit counted.

Reads events and states alone; no daemon's database, no daemon's verdict.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from web3 import Web3

from chainbeasts.backend.chain.client import Chain
from chainbeasts.backend.chain.types import (
    ZERO_ADDRESS,
    Checkpoint,
    Commitments,
    Economics,
    StakeReward,
)
from chainbeasts.backend.kernel.constants import WINDOW_STEPS
from chainbeasts.backend.kernel.samples import Source
from chainbeasts.backend.kernel.state import State, state_hash
from chainbeasts.backend.kernel.window import WindowContext, genesis_state, open_window
from chainbeasts.backend.kernels import kernel_for
from chainbeasts.backend.store.private import PrivateDataset

BPS = 10_000


@dataclass
class Window:
    """A submitted checkpoint of the canonical chain.

    Attributes:
        fate: what the rules make of it: ``final``, ``slashed`` or ``void``.
        found: what the chain made of it; ``pending`` if nothing yet.
    """

    beast_id: int
    record: Checkpoint
    honest: bool
    fate: str
    found: str = "pending"

    @property
    def name(self) -> str:
        return f"beast {self.beast_id}, checkpoint {self.record.index}.{self.record.generation}"

    @property
    def locked(self) -> int:
        return self.record.payload.energy_burn + self.record.bond


@dataclass
class Filing:
    """A dispute as it was filed.

    Attributes:
        window: its name.
        honest: whether the disputed window is right, and what it stands on.
        steps: committed ones, by who re-executed them.
        pool: wei of ENERGY that they share.
    """

    filer: str
    bond: int
    window: str
    honest: bool
    steps: dict[str, int] = field(default_factory=dict)
    pool: int = 0


@dataclass
class Books:
    """The money of a run, kept from the rules and events, not from balances.

    Attributes:
        wealth: wei of ENERGY by account, the vault's escrow among them.
        credit: wei of native coin by account, in the vault.
        held: rewards out of slashed stakes, by beast and trainer.
        step_coin: what committed steps of a dispute share and have not claimed.
    """

    wealth: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    burned: int = 0
    credit: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    held: dict[tuple[int, str], int] = field(default_factory=dict)
    step_coin: dict[int, int] = field(default_factory=lambda: defaultdict(int))


class Audit:
    """Reads a chain from its first event to its head.

    Attributes:
        burned_bonds: the filers whose bonds burned.
        opened: openings that the court took note of.
        owed: wei of rewards and returned bonds by account that it has not withdrawn.

    Args:
        funds: what each account was given, wei of ENERGY.
        datasets: of the beasts that train on private records.
    """

    def __init__(
        self, chain: Chain, funds: Mapping[str, int], datasets: Mapping[int, PrivateDataset]
    ) -> None:
        self._chain = chain
        self._datasets = datasets
        self._states: dict[int, dict[bytes, State]] = defaultdict(dict)
        self._live: dict[int, list[Window]] = defaultdict(list)
        self._births: dict[int, bytes] = {}
        self._epochs: dict[tuple[int, int], tuple[bytes, int]] = {}
        self._disputes: dict[int, Filing] = {}
        self._open: set[int] = set()
        self._awaited: set[int] = set()
        self._vault = chain.deployment.addresses["DisputeVault"]
        self.windows: list[Window] = []
        self.books = Books(defaultdict(int, funds))
        self.filed = self.dismissed = self.upheld = self.opened = 0
        self.burned_bonds: list[str] = []
        self.owed: dict[str, int] = defaultdict(int)

    def read(self) -> Audit:
        """Take in everything that the chain has."""
        head = self.head = self._chain.block().number
        handlers: dict[str, Callable[[Mapping[str, Any]], None]] = {
            "HatchRequested": self._hatch_requested,
            "Hatched": self._hatched,
            "EpochStarted": self._epoch_started,
            "CheckpointSubmitted": self._checkpoint_submitted,
            "CheckpointFinalized": self._checkpoint_finalized,
            "DisputeUpheld": self._dispute_upheld,
            "DisputeFiled": self._dispute_filed,
            "OpeningAccepted": self._opening_accepted,
            "ProofWindowOpened": self._proof_window_opened,
            "DisputeAdvanced": self._dispute_advanced,
            "StepsClaimed": self._steps_claimed,
            "DisputeDismissed": self._dispute_dismissed,
            "DisputeProven": self._dispute_proven,
            "DisputeVoided": self._dispute_voided,
            "Withdrawn": self._withdrawn,
            "Credited": self._credited,
            "CreditWithdrawn": self._credit_withdrawn,
            "StakeTaken": self._stake_taken,
            "RewardSettled": self._reward_settled,
            "RewardTakenOver": self._reward_taken_over,
        }
        for event in self._chain.events(self._chain.deployment.start_block, head):
            if event.name in handlers:
                handlers[event.name](event.args)
        return self

    # --- what is to be seen ----------------------------------------------------------------------

    @property
    def unsettled(self) -> list[str]:
        """What is not over yet: disputes, and frauds that still stand."""
        standing = [
            f"{window.name} is {window.found}, should be {window.fate}"
            for window in self.windows
            if window.fate != "final" and window.found == "pending"
        ]
        return standing + [f"dispute {number} is open" for number in sorted(self._open)]

    @property
    def unanswered(self) -> set[int]:
        """Open disputes over honest windows that still have something to open."""
        return {number for number in self._open & self._awaited if self._disputes[number].honest}

    @property
    def undisputed(self) -> list[str]:
        """Frauds that stand without a dispute over them."""
        disputed = {self._disputes[number].window for number in self._open}
        return [
            window.name
            for window in self.windows
            if window.fate == "slashed" and window.found == "pending"
            if window.name not in disputed
        ]

    @property
    def standing(self) -> list[str]:
        """Frauds, and what was built on them, that are not slashed yet."""
        return [w.name for w in self.windows if w.fate != "final" and w.found == "pending"]

    def faults(self) -> list[str]:
        """Everything that is not as the rules have it; empty if all is well."""
        found = [
            f"{window.name} is {window.found}, should be {window.fate}"
            for window in self.windows
            if window.found != window.fate
        ]
        chain, accounts = self._chain, list(self.books.wealth)
        for account in accounts:
            has = chain.energy_of(account) + chain.escrow_of(account)
            if has != self.books.wealth[account]:
                found.append(f"{account} has {has} wei, should have {self.books.wealth[account]}")
        supply = int(chain.call(chain.energy.functions.totalSupply()))
        total = sum(self.books.wealth.values())
        if supply != total:
            found.append(f"the supply is {supply} wei, everybody's together {total}")
        ledger = chain.deployment.addresses["CheckpointLedger"]
        kept, escrow = chain.energy_of(ledger), sum(map(chain.escrow_of, accounts))
        if kept != escrow:
            found.append(f"the ledger keeps {kept} wei, escrow is {escrow}")
        return found + self._coin_faults()

    def _coin_faults(self) -> list[str]:
        """Whether the vault holds what it owes: credits, held rewards, steps not claimed yet."""
        chain, books = self._chain, self.books
        has = int(chain.w3.eth.get_balance(Web3.to_checksum_address(self._vault)))
        owes = sum(books.credit.values()) + sum(books.held.values()) + sum(books.step_coin.values())
        found = [] if has == owes else [f"the vault has {has} wei of native coin, owes {owes}"]
        for account, credit in books.credit.items():
            if chain.credit_of(account) != credit:
                found.append(f"{account} has another credit than {credit} wei of native coin")
        return found

    # --- windows ---------------------------------------------------------------------------------

    def _hatch_requested(self, args: Mapping[str, Any]) -> None:
        """Burned at the request, whether or not a beast comes of it."""
        self.books.wealth[args["requester"]] -= int(args["cost"])
        self.books.burned += int(args["cost"])

    def _hatched(self, args: Mapping[str, Any]) -> None:
        beast_id = int(args["beastId"])
        self._births[beast_id] = bytes(args["dna"])
        self._epochs[beast_id, 0] = (bytes(args["epochSeed"]), args["season"])

    def _epoch_started(self, args: Mapping[str, Any]) -> None:
        key = int(args["beastId"]), int(args["epoch"])
        self._epochs[key] = (bytes(args["epochSeed"]), args["season"])

    def _checkpoint_submitted(self, args: Mapping[str, Any]) -> None:
        beast_id, record = int(args["beastId"]), Checkpoint.from_abi(args["checkpoint"])
        live = self._live[beast_id]
        honest = self._replayed(beast_id, record)
        fallen = any(window.fate != "final" for window in live)
        fate = "void" if fallen else "final" if honest else "slashed"
        window = Window(beast_id, record, honest, fate)
        live.append(window)
        self.windows.append(window)
        self.books.wealth[record.trainer] -= window.locked

    def _replayed(self, beast_id: int, record: Checkpoint) -> bool:
        """Whether a window is what its trainer says; keeps its end's state if it is."""
        states, payload, dna = self._states[beast_id], record.payload, self._births[beast_id]
        parent = states.get(record.parent) if record.index else genesis_state(beast_id, dna)
        if parent is None:
            return False
        data = self._datasets.get(beast_id) if payload.source is Source.PRIVATE else None
        context = self._context(beast_id, record, data)
        end = open_window(parent, payload.active_mask)
        kernel = kernel_for(payload.active_mask)
        kernel.run(context, end, WINDOW_STEPS, None if data is None else data.words)
        if state_hash(end) != payload.h128 or end.header.window_loss != payload.window_loss:
            return False
        states[payload.h128] = end
        return True

    def _context(
        self, beast_id: int, record: Checkpoint, data: PrivateDataset | None
    ) -> WindowContext:
        payload = record.payload
        seed, number = self._epochs[beast_id, payload.epoch]
        season = self._chain.season(number)
        committed = Commitments() if data is None else self._chain.commitments(beast_id)
        return WindowContext(
            dna=self._births[beast_id],
            epoch_seed=seed,
            heads=season.schedule.heads(payload.epoch),
            lr_shift=payload.lr_shift,
            source=payload.source,
            rules=season.rules,
            owner_secret_fold=0 if data is None else data.fold,
            records_root=committed.records_root,
            records_length=committed.dataset_length,
        )

    def _checkpoint_finalized(self, args: Mapping[str, Any]) -> None:
        window = self._live[int(args["beastId"])][args["index"]]
        window.found = "final"
        self.books.wealth[window.record.trainer] += window.record.bond
        self.books.burned += window.record.payload.energy_burn

    def _dispute_upheld(self, args: Mapping[str, Any]) -> None:
        """The slashing follows in the same transaction; it is booked here, with its rewards."""
        beast_id, index = int(args["beastId"]), int(args["index"])
        fallen = self._live[beast_id][index:]
        del self._live[beast_id][index:]
        for number, window in enumerate(fallen):
            window.found = "void" if number else "slashed"
        offender = fallen[0]
        rules = self._economics(offender.record.season)
        dispute = self._disputes.get(int(args["disputeId"]))
        filing = offender.locked * rules.filing_bps // BPS
        proof = offender.locked * rules.proof_bps // BPS
        if args["filer"] == ZERO_ADDRESS:  # a header was opened by nobody who had committed to it
            filing = 0
        else:
            self._earn(args["filer"], filing)
        if args["prover"] != ZERO_ADDRESS:
            self._earn(args["prover"], proof)
        else:
            counted = 0 if dispute is None else sum(dispute.steps.values())
            proof = proof * counted // WINDOW_STEPS
            self._fill(dispute, proof)
        self.books.burned += sum(window.locked for window in fallen) - filing - proof
        self.upheld += 1
        self._close(int(args["disputeId"]), refund=True)

    def _earn(self, account: str, amount: int) -> None:
        self.books.wealth[account] += amount
        self.owed[account] += amount

    def _fill(self, dispute: Filing | None, energy: int) -> None:
        """ENERGY for a dispute's committed steps waits in the vault's escrow."""
        if dispute is not None and energy:
            dispute.pool = energy
            self.books.wealth[self._vault] += energy

    def _economics(self, season: int) -> Economics:
        return self._chain.season(season).economics

    # --- disputes --------------------------------------------------------------------------------

    def _dispute_filed(self, args: Mapping[str, Any]) -> None:
        number, bond = int(args["disputeId"]), int(args["bond"])
        window = self._live[int(args["beastId"])][int(args["index"])]
        self._disputes[number] = Filing(args["filer"], bond, window.name, window.fate == "final")
        self._open.add(number)
        self._awaited.add(number)
        self.books.wealth[args["filer"]] -= bond
        self.filed += 1

    def _opening_accepted(self, args: Mapping[str, Any]) -> None:
        self.opened += 1

    def _proof_window_opened(self, args: Mapping[str, Any]) -> None:
        self._awaited.discard(int(args["disputeId"]))

    def _dispute_advanced(self, args: Mapping[str, Any]) -> None:
        if args["counted"]:
            steps = self._disputes[int(args["disputeId"])].steps
            steps[args["account"]] = steps.get(args["account"], 0) + int(args["count"])

    def _steps_claimed(self, args: Mapping[str, Any]) -> None:
        """Paid by steps; the ENERGY moves from the vault's escrow into the claimer's."""
        number, account = int(args["disputeId"]), args["account"]
        dispute = self._disputes[number]
        if int(args["energy"]):
            amount = dispute.pool * dispute.steps[account] // sum(dispute.steps.values())
            self.books.wealth[self._vault] -= amount
            self._earn(account, amount)
        self.books.step_coin[number] -= int(args["coin"])

    def _dispute_dismissed(self, args: Mapping[str, Any]) -> None:
        self.dismissed += 1
        self._close(int(args["disputeId"]), refund=False)

    def _dispute_proven(self, args: Mapping[str, Any]) -> None:
        """The bond first pays the steps: without a sale of ENERGY, their part of it."""
        number = int(args["disputeId"])
        dispute = self._disputes[number]
        pay = dispute.bond * sum(dispute.steps.values()) // WINDOW_STEPS
        self._awaited.discard(number)
        self._fill(dispute, pay)
        self._close(number, refund=False)
        self.books.burned -= pay

    def _dispute_voided(self, args: Mapping[str, Any]) -> None:
        self._close(int(args["disputeId"]), refund=True)

    def _close(self, number: int, *, refund: bool) -> None:
        if number == 0:  # a header was opened without a dispute
            return
        dispute = self._disputes[number]
        self._open.discard(number)
        if refund:
            self._earn(dispute.filer, dispute.bond)
        else:
            self.burned_bonds.append(dispute.filer)
            self.books.burned += dispute.bond

    def _withdrawn(self, args: Mapping[str, Any]) -> None:
        self.owed[args["account"]] -= int(args["amount"])

    # --- native coin -----------------------------------------------------------------------------

    def _credited(self, args: Mapping[str, Any]) -> None:
        self.books.credit[args["account"]] += int(args["amount"])

    def _credit_withdrawn(self, args: Mapping[str, Any]) -> None:
        self.books.credit[args["account"]] -= int(args["amount"])

    def _stake_taken(self, args: Mapping[str, Any]) -> None:
        reward = StakeReward.from_abi(args["held"])
        if reward.filing + reward.proof:
            self.books.held[int(args["beastId"]), args["trainer"]] = reward.filing + reward.proof

    def _reward_settled(self, args: Mapping[str, Any]) -> None:
        """Its shares are credited; a proof share without a prover waits for who did the steps."""
        del self.books.held[int(args["beastId"]), args["trainer"]]
        reward = StakeReward.from_abi(args["held"])
        if reward.prover == ZERO_ADDRESS:
            self.books.step_coin[reward.dispute_id] += reward.proof

    def _reward_taken_over(self, args: Mapping[str, Any]) -> None:
        self.books.held.pop((int(args["beastId"]), args["trainer"]), None)
