"""Puts a validator's parts together from settings and options; nothing here works by itself."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from pathlib import Path

from chainbeasts.backend.battle.logs import MatchLogs, parse_peers
from chainbeasts.backend.chain.client import Chain
from chainbeasts.backend.chain.outbox import Outbox
from chainbeasts.backend.chain.transactions import TransactionManager
from chainbeasts.backend.indexer.follow import Waker
from chainbeasts.backend.indexer.workspace import Workspace, open_index
from chainbeasts.backend.settings import Settings
from chainbeasts.backend.store.packs import DISK_BYTES, MEMORY_BYTES
from chainbeasts.backend.store.snapshots import packed_store
from chainbeasts.validator.daemon import Collector, Validator
from chainbeasts.validator.enforce.bonds import MoveSender
from chainbeasts.validator.enforce.collect import PayoutCollector
from chainbeasts.validator.enforce.credits import arena_credits, ledger_credits
from chainbeasts.validator.enforce.matches import Disprover
from chainbeasts.validator.enforce.moves import MoveBuilder
from chainbeasts.validator.enforce.policy import Policy
from chainbeasts.validator.enforce.secret import own_secret
from chainbeasts.validator.enforce.stakes import StakeCollector
from chainbeasts.validator.enforce.value import Appraiser
from chainbeasts.validator.enforce.windows import Enforcer
from chainbeasts.validator.judge.cases import CaseReader
from chainbeasts.validator.judge.cluster import Cluster, ClusterExecutor
from chainbeasts.validator.judge.datasets import DatasetFolder
from chainbeasts.validator.judge.executors import make_executor
from chainbeasts.validator.judge.jobs import JobStore
from chainbeasts.validator.judge.matches import MatchJobStore, MatchJudge, MatchReader
from chainbeasts.validator.judge.published import PublishedWindows
from chainbeasts.validator.judge.states import StateProvider
from chainbeasts.validator.judge.windows import WindowJudge
from chainbeasts.validator.judge.worklist import FinalWindows, PendingWindows
from chainbeasts.validator.operations.deadlines import DeadlineAlarm
from chainbeasts.validator.operations.funds import FundsWatch
from chainbeasts.validator.operations.metrics import ValidatorMetrics
from chainbeasts.validator.operations.timelock import TimelockAlarm


@dataclass(frozen=True, slots=True)
class ValidatorWorkspace(Workspace):
    """What daemon and commands share: the chain, its database, and what is known about states.

    Attributes:
        reader: cases of the indexed chain.
        states: states and datasets.
        moves: the court's calls.
        secret: see ``validator.enforce.secret``.
    """

    reader: CaseReader
    states: StateProvider
    moves: MoveBuilder
    secret: bytes


def open_workspace(
    settings: Settings,
    chain: Chain,
    *,
    datasets: Path | None = None,
    snapshots: Sequence[str] = (),
    confirmations: int = 0,
    memory: int = MEMORY_BYTES,
    disk: int = DISK_BYTES,
) -> ValidatorWorkspace:
    """Open database and folders.

    Args:
        memory, disk: bytes for states of our own.
        datasets: folder of owners' files; ``beasts`` under home if not given.
        snapshots: where trainers publish states; ``snapshots`` under home if none is given.

    Raises:
        ChainBeastsError: the database cannot be opened, or a place of snapshots is none.
    """
    index = open_index(settings, chain, "validator", confirmations)
    reader = CaseReader(chain, index.database)
    states = StateProvider(
        reader,
        snapshots=packed_store(
            settings.home / "validator" / "states",
            snapshots or [str(settings.snapshots_dir)],
            memory=memory,
            disk=disk,
        ),
        datasets=DatasetFolder(datasets or settings.home / "beasts"),
        logs=MatchLogs(index.database, parse_peers(settings.peers)),
    )
    return ValidatorWorkspace(
        chain,
        index.database,
        index.indexer,
        index.lock,
        reader,
        states,
        MoveBuilder(reader),
        own_secret(settings.home / "validator" / "secret"),
    )


def executor_factory(
    workspace: ValidatorWorkspace, workers: int, cluster: Cluster | None
) -> Callable[[], Executor]:
    """Makes a judge's executors, the first one and any that replaces a broken one."""
    workspace.states.shared = cluster is not None

    def make() -> Executor:
        local = make_executor(workers)
        return (
            local if cluster is None else ClusterExecutor(cluster, local, workspace.states.encoded)
        )

    return make


def payout_collectors(
    workspace: ValidatorWorkspace, outbox: Outbox, payout: str | None = None
) -> list[PayoutCollector]:
    """What pulls an account's ENERGY out of the escrows of ledger and arena.

    Args:
        payout: account that rewards go to; the outbox's own if not given.
    """
    return [
        PayoutCollector(workspace.chain, workspace.database, source, outbox, payout)
        for source in (ledger_credits(workspace.chain), arena_credits(workspace.chain))
    ]


def make_validator(
    workspace: ValidatorWorkspace,
    sender: TransactionManager | None,
    *,
    policy: Policy,
    workers: int,
    monitor: ValidatorMetrics,
    waker: Waker,
    cluster: Cluster | None = None,
    payout: str | None = None,
) -> Validator:
    """A validator that works in a workspace.

    Args:
        cluster: replays besides this machine's workers.
        sender: signs its moves; None watches only.
        payout: account that rewards go to; the sender's own if not given.
    """
    jobs = JobStore(workspace.database)
    matches = MatchReader(workspace.states, policy.scope)
    match_jobs = MatchJobStore(workspace.database)
    move_sender, collectors = None, list[Collector]()
    if sender is not None:
        outbox = Outbox(workspace.database, sender)
        move_sender = MoveSender(workspace.database, outbox)
        appraiser = Appraiser(workspace.reader, policy.energy_price)
        stakes = StakeCollector(workspace.reader, workspace.database, outbox, appraiser)
        # Before the ledger's credits: pay for steps becomes one of them.
        collectors = [stakes, *payout_collectors(workspace, outbox, payout)]
    return Validator(
        sync=workspace.sync,
        states=workspace.states,
        jobs=jobs,
        judge=WindowJudge(
            workspace.states,
            jobs,
            executor_factory(workspace, workers, cluster),
            PendingWindows(workspace.reader, policy.scope),
            monitor.replayed,
            FinalWindows(workspace.reader, policy.scope),
        ),
        alarm=DeadlineAlarm(workspace.reader, policy.scope),
        timelock=TimelockAlarm(workspace.chain, workspace.database),
        enforcer=Enforcer(
            workspace.states,
            jobs,
            workspace.moves,
            policy,
            move_sender,
            workspace.secret,
            PublishedWindows(workspace.states).objection,
        ),
        match_jobs=match_jobs,
        match_judge=MatchJudge(matches, match_jobs),
        disprover=Disprover(matches, match_jobs, move_sender),
        sender=move_sender,
        collectors=collectors,
        monitor=monitor,
        funds=None if sender is None else FundsWatch(sender, monitor),
        waker=waker,
    )
