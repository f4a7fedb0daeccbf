"""A deployed chain with an honest and a cheating trainer, for the validator's tests.

The trainers here are the kernel's windows with one lie, submitted by hand; `trainer` is not used.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import zstandard
from eth_hash.auto import keccak
from web3.logs import DISCARD

from chainbeasts.backend.accounts import devnet_account
from chainbeasts.backend.chain.anvil import Anvil, rpc
from chainbeasts.backend.chain.client import Chain
from chainbeasts.backend.chain.escrow import ensure_escrow, ensure_stake
from chainbeasts.backend.chain.openings import records_opening
from chainbeasts.backend.chain.transactions import Receipt, TransactionManager
from chainbeasts.backend.chain.types import (
    NO_CHECKPOINT,
    Checkpoint,
    CheckpointPayload,
    Commitments,
    header_to_abi,
)
from chainbeasts.backend.indexer.follow import Waker
from chainbeasts.backend.kernel import merkle
from chainbeasts.backend.kernel.board import word_bytes
from chainbeasts.backend.kernel.samples import Source
from chainbeasts.backend.kernel.state import State, serialize_weights
from chainbeasts.backend.kernel.window import genesis_state, open_window
from chainbeasts.backend.kernels import state_hash
from chainbeasts.backend.settings import Settings
from chainbeasts.backend.store.private import PrivateDataset
from chainbeasts.backend.store.snapshots import SnapshotStore
from chainbeasts.validator.daemon import Validator
from chainbeasts.validator.enforce import doubts
from chainbeasts.validator.enforce.policy import Policy
from chainbeasts.validator.enforce.strategy import Strategy
from chainbeasts.validator.operations.metrics import ValidatorMetrics
from chainbeasts.validator.setup import ValidatorWorkspace, make_validator, open_workspace
from tests.support.hatching import pay_hatch
from tests.support.ring import Corner, Ring
from tests.support.snapshots import go_back
from tests.support.stepping import Tamper, segment_ends

DEPLOYER, TRAINER, VALIDATOR, OTHER = range(4)
ENERGY = 10**18
MATCH = 1
"""The match that ``seeded`` makes."""

SHARES = 4_000
"""Basis points of what an offender loses that filer and prover get."""

QUIET: dict[str, Any] = {"open_budget": 0, "open_rate": 0.0, "gas_budget": 10**9}
"""A policy's fields for tests that are not about budgets: nothing is disputed on doubt."""


@pytest.fixture(autouse=True)
def unhurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """A look for doubts that a loaded machine made long puts none off in the test."""
    monkeypatch.setattr(doubts, "LONG_SCAN_SECONDS", float("inf"))


@dataclass
class Submitted:
    """A submitted window: its record, the states it claims to have gone through, its segments."""

    checkpoint: Checkpoint
    end: State
    segments: list[bytes]
    parent: Checkpoint = NO_CHECKPOINT


@dataclass
class Rig:
    """One chain, and everything that acts on it."""

    chain: Chain
    home: Path
    private: dict[int, PrivateDataset] = field(default_factory=dict)
    logs: dict[int, Sequence[int]] = field(default_factory=dict)

    @property
    def settings(self) -> Settings:
        return Settings(home=self.home, rpc_url=self.chain.rpc_url, account=f"devnet:{VALIDATOR}")

    def sender(self, who: int) -> TransactionManager:
        return TransactionManager(self.chain, devnet_account(who), self.home / "locks")

    def send(self, who: int, call: Any, value: int = 0) -> Receipt:
        return self.sender(who).send(call, label="test", value=value)

    def fund(self, who: int, amount: int = 1_000 * ENERGY) -> None:
        mint = self.chain.energy.functions.mint(devnet_account(who).address, amount)
        self.send(DEPLOYER, mint)

    def travel(self, seconds: int) -> None:
        """Mine a block that many seconds after the last one."""
        rpc(self.chain.rpc_url, "evm_setNextBlockTimestamp", self.chain.now() + seconds)
        rpc(self.chain.rpc_url, "anvil_mine", "0x1")

    # --- beasts and windows ---------------------------------------------------------------------

    def request_hatch(self, who: int, committed: Commitments) -> None:
        """Ask for a beast, with ENERGY given for it."""
        pay_hatch(self.chain, self.sender(DEPLOYER), self.sender(who))
        self.send(who, self.chain.beasts.functions.requestHatch(*committed.to_abi()))

    def hatch(self, words: list[int] | None = None, who: int = TRAINER) -> int:
        committed = Commitments()
        if words is not None:
            secret = bytes(range(32))
            data = b"".join(word_bytes(word) for word in words)
            blob = zstandard.ZstdCompressor(write_content_size=True).compress(data)
            committed = Commitments(keccak(blob), merkle.root(words), len(words), keccak(secret))
        self.request_hatch(who, committed)
        rpc(self.chain.rpc_url, "anvil_mine", "0x1")
        beast = self.chain.beast_count()
        self.send(who, self.chain.beasts.functions.hatch(beast))
        if words is not None:
            self.private[beast] = PrivateDataset(tuple(words), secret, blob)
        return beast

    def train(
        self,
        beast: int,
        parent: Submitted | None = None,
        *,
        source: Source = Source.CURRICULUM,
        match: int = 0,
        who: int = TRAINER,
        tamper: tuple[int, Tamper] | None = None,
        publish: bool = True,
        **lies: Any,
    ) -> Submitted:
        """Submit the next window.

        Args:
            match: that a BATTLE window trains on.
            who: submits it.
            tamper: after that many steps, change the state so.
            lies: payload fields that do not follow from the training.
        """
        head = self.chain.head(beast)
        data = self.private.get(beast) if source is Source.PRIVATE else None
        fold = 0 if data is None else data.fold
        ctx = self.chain.window_context(
            beast, epoch=head.epoch, source=source, source_id=match, owner_secret_fold=fold
        )
        words: Sequence[int] | None = None if data is None else data.words
        if match:
            words = self.logs[match]
        dna = self.chain.birth(beast).dna
        begin = genesis_state(beast, dna) if parent is None else parent.end
        state = open_window(begin, head.active_mask)
        segments = [state_hash(end) for end in segment_ends(ctx, state, words, tamper)]
        burn, _ = self.chain.quote(beast, head.active_mask)
        payload = CheckpointPayload(
            head.epoch,
            segments[-1],
            burn,
            head.lr_shift,
            head.active_mask,
            state.header.global_step,
            state.header.window_loss,
            source,
            match,
        )
        record = self.submit(beast, replace(payload, **lies), ctx.epoch_seed, who)
        if publish:
            SnapshotStore(self.settings.snapshots_dir).put(state)
        return Submitted(
            record, state, segments, NO_CHECKPOINT if parent is None else parent.checkpoint
        )

    def submit(
        self, beast: int, payload: CheckpointPayload, seed: bytes, who: int = TRAINER
    ) -> Checkpoint:
        sender, head = self.sender(who), self.chain.head(beast)
        ensure_escrow(self.chain, sender, 100 * ENERGY)
        ensure_stake(self.chain, sender, beast, 2 * self.chain.required_stake(beast))
        functions = self.chain.ledger.functions
        call = functions.submit(beast, head.h128, seed, payload.to_abi(), True)
        receipt = sender.send(call, label="submit")
        logs = self.chain.ledger.events.CheckpointSubmitted().process_receipt(
            receipt.raw, errors=DISCARD
        )
        return Checkpoint.from_abi(logs[0]["args"]["checkpoint"])

    # --- disputes -------------------------------------------------------------------------------

    def file(self, who: int, beast: int, window: Submitted) -> int:
        """Dispute a window; the dispute's number."""
        self.fund(who)
        ensure_escrow(self.chain, self.sender(who), 100 * ENERGY)
        value = 2 * self.chain.filing_quote(beast, window.checkpoint).opening_bond
        call = self.chain.court.functions.file(beast, window.checkpoint.to_abi())
        self.send(who, call, value)
        return self.disputes

    def open_segments(
        self,
        beast: int,
        window: Submitted,
        dispute: int = 1,
        segments: Sequence[bytes] | None = None,
    ) -> None:
        """Open a window's segments, as its trainer."""
        record, hashes = window.checkpoint.to_abi(), list(segments or window.segments)
        call = self.chain.court.functions.openSegments(dispute, beast, record, hashes)
        self.send(TRAINER, call)

    def publish_state(self, state: State, who: int = TRAINER) -> None:
        """Put a state on chain."""
        weights = serialize_weights(state.weights)
        call = self.chain.states.functions.publish(header_to_abi(state.header), weights)
        self.send(who, call)

    def publish_records(self, beast: int, index: int, who: int = TRAINER) -> None:
        """Put the records of a private window on chain."""
        dna = self.chain.birth(beast).dna
        opening = records_opening(self.private[beast], dna, index).arguments()
        self.send(who, self.chain.records.functions.publish(beast, index, *opening))

    def accept(self, beast: int, window: Submitted, dispute: int = 1) -> None:
        """Have the court note what was published."""
        record = window.checkpoint.to_abi()
        self.send(OTHER, self.chain.court.functions.acceptOpenings(dispute, beast, record))

    def open_all(
        self, beast: int, window: Submitted, before: Submitted | None = None, dispute: int = 1
    ) -> None:
        """Open everything that a dispute asks for."""
        index = window.checkpoint.index
        self.open_segments(beast, window, dispute)
        if index:
            assert before is not None
            self.publish_state(before.end)
        if window.checkpoint.payload.source is Source.PRIVATE:
            self.publish_records(beast, index)
        if self.chain.dispute(dispute).missing:
            self.accept(beast, window, dispute)

    def finalize(self, beast: int, *windows: Submitted) -> None:
        """Make a beast's windows final, once their time has come."""
        self.travel(self.chain.season(1).economics.challenge_period + 1)
        records = [window.checkpoint.to_abi() for window in windows]
        self.send(OTHER, self.chain.ledger.functions.finalize(beast, records))

    def live(self, beast: int, window: Submitted) -> bool:
        return self.chain.is_live(beast, window.checkpoint)

    @property
    def disputes(self) -> int:
        return int(self.chain.call(self.chain.court.functions.disputeCount()))

    def nonce(self, who: int) -> int:
        return int(self.chain.w3.eth.get_transaction_count(devnet_account(who).address))

    # --- the validator --------------------------------------------------------------------------

    def workspace(self) -> ValidatorWorkspace:
        return open_workspace(self.settings, self.chain)

    def validator(
        self,
        strategy: Strategy = Strategy.FAST,
        *,
        max_bonds: int | None = None,
        dry_run: bool = False,
        monitor: ValidatorMetrics | None = None,
        **policy: Any,
    ) -> Validator:
        return make_validator(
            self.workspace(),
            None if dry_run else self.sender(VALIDATOR),
            policy=Policy(strategy, max_bonds, **QUIET | policy),
            workers=0,
            monitor=monitor or ValidatorMetrics(),
            waker=Waker(self.chain.rpc_url, 0.05),
        )

    def verdicts(self) -> dict[tuple[int, int], str | None]:
        """Verdict by (beast, index)."""
        from chainbeasts.validator.judge.jobs import JobStore

        jobs = JobStore(self.workspace().database).all()
        return {(job.beast_id, job.index): job.verdict for job in jobs}


@pytest.fixture
def rig(deployed: tuple[Chain, Path], anvil: Anvil, tmp_path: Path) -> Rig:
    """A funded trainer and a funded validator on a chain that is undone after the test."""
    chain, folder = deployed
    home = tmp_path / "home"
    (home / "deployments").mkdir(parents=True)
    (home / "snapshots").mkdir()
    for record in folder.glob("*.json"):
        shutil.copy(record, home / "deployments")
    rig = Rig(chain, home)
    rig.fund(TRAINER)
    rig.fund(VALIDATOR)
    return rig


@pytest.fixture(scope="module")
def seeded(
    deployed: tuple[Chain, Path],
    anvil_process: Anvil,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[tuple[Rig, Ring]]:
    """A match between two final states that nobody has recorded; undone after the module."""
    chain, folder = deployed
    snapshot = rpc(anvil_process.url, "evm_snapshot")
    home = tmp_path_factory.mktemp("ring")
    (home / "deployments").mkdir()
    (home / "snapshots").mkdir()
    for record in folder.glob("*.json"):
        shutil.copy(record, home / "deployments")
    rig = Rig(chain, home)
    corners = []
    for who in (TRAINER, OTHER):
        rig.fund(who)
        beast = rig.hatch(who=who)
        window = rig.train(beast, who=who)
        rig.finalize(beast, window)
        corners.append(Corner(rig.sender(who), beast, window.checkpoint, window.end))
    ring = Ring(chain, *corners)
    assert ring.seeded() == MATCH
    yield rig, ring
    go_back(partial(rpc, anvil_process.url), snapshot)


@pytest.fixture
def fight(seeded: tuple[Rig, Ring], anvil: Anvil, tmp_path: Path) -> tuple[Rig, Ring]:
    """The same with a home of the test's own; what the test does is undone after it."""
    rig, ring = seeded
    shutil.copytree(rig.home, tmp_path / "home")
    return replace(rig, home=tmp_path / "home"), ring


@pytest.fixture
def plausible(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing speaks against a window because it learned more than was ever measured.

    A right one may, by the DNA that its beast has, which the chain draws anew in each run.
    """
    monkeypatch.setattr("chainbeasts.validator.judge.published.objection", lambda window: "")
