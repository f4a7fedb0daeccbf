"""Puts a validator's parts together from settings and options; nothing here works by itself."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock

from backend.battle.logs import MatchLogs, parse_peers
from backend.chain.client import Chain
from backend.chain.outbox import Outbox
from backend.chain.transactions import TransactionManager
from backend.indexer.follow import Waker
from backend.indexer.sync import Indexer, SyncReport
from backend.settings import Settings
from backend.store.session import Database
from backend.store.snapshots import reading_store
from validator.cases import CaseReader
from validator.cluster import Cluster, ClusterExecutor
from validator.collect import Collector, arena_till, ledger_till
from validator.daemon import Validator
from validator.datasets import DatasetFolder
from validator.disprove import Disprover
from validator.enforce import Enforcer
from validator.executors import make_executor
from validator.jobs import JobBook
from validator.judging import Judge
from validator.ledger import MoveLedger
from validator.matches import MatchJobBook, MatchJudge, MatchReader
from validator.monitor import Monitor
from validator.moves import Moves
from validator.overdue import Alarm
from validator.policy import Policy
from validator.states import StateBook
from validator.work import PendingWork


def database_url(settings: Settings) -> str:
    """The validator's database."""
    return settings.database("validator")


@dataclass(frozen=True, slots=True)
class Desk:
    """What daemon and commands share: the chain, its database, and what is known about states.

    Attributes:
        reader: cases of the indexed chain.
        book: states and datasets.
        moves: the court's calls.
        lock: held while the chain is read, so that commands do not index it twice at once.
    """

    chain: Chain
    database: Database
    indexer: Indexer
    reader: CaseReader
    book: StateBook
    moves: Moves
    lock: FileLock

    def sync(self) -> SyncReport:
        """Bring the database up to the chain's present head.

        Raises:
            ChainError: the node is away, or serves another chain.
        """
        with self.lock:
            return self.indexer.sync()


def open_desk(
    settings: Settings,
    chain: Chain,
    *,
    datasets: Path | None = None,
    snapshots: Sequence[str] = (),
    confirmations: int = 0,
) -> Desk:
    """Open database and folders.

    Args:
        datasets: folder of owners' files; ``beasts`` under home if not given.
        snapshots: where trainers publish states; ``snapshots`` under home if none is given.

    Raises:
        ChainBeastsError: the database cannot be opened, or a place of snapshots is none.
    """
    database = Database(database_url(settings))
    reader = CaseReader(chain, database)
    book = StateBook(
        reader,
        states=reading_store(
            settings.home / "validator" / "states", snapshots or [str(settings.snapshots_dir)]
        ),
        datasets=DatasetFolder(datasets or settings.home / "beasts"),
        logs=MatchLogs(database, parse_peers(settings.peers)),
    )
    indexer = Indexer(chain, database, confirmations)
    locks = settings.home / "locks"
    locks.mkdir(parents=True, exist_ok=True)
    lock = FileLock(locks / "validator-index.lock")
    return Desk(chain, database, indexer, reader, book, Moves(reader), lock)


def replays(desk: Desk, workers: int, cluster: Cluster | None) -> Callable[[], Executor]:
    """What makes the executors of a judge at a desk."""
    desk.book.shared = cluster is not None

    def make() -> Executor:
        local = make_executor(workers)
        return local if cluster is None else ClusterExecutor(cluster, local, desk.book.find)

    return make


def make_validator(
    desk: Desk,
    sender: TransactionManager | None,
    *,
    policy: Policy,
    workers: int,
    monitor: Monitor,
    waker: Waker,
    cluster: Cluster | None = None,
    payout: str | None = None,
) -> Validator:
    """A validator at a desk.

    Args:
        cluster: replays besides this machine's workers.
        sender: signs its moves; None watches only.
        payout: account that rewards go to; the sender's own if not given.
    """
    jobs = JobBook(desk.database)
    matches, match_jobs = MatchReader(desk.book, policy.scope), MatchJobBook(desk.database)
    made, collectors = None, list[Collector]()
    if sender is not None:
        outbox = Outbox(desk.database, sender)
        made = MoveLedger(desk.database, outbox)
        collectors = [
            Collector(desk.chain, desk.database, till, outbox.intents, payout)
            for till in (ledger_till(desk.chain), arena_till(desk.chain))
        ]
    return Validator(
        sync=desk.sync,
        book=desk.book,
        jobs=jobs,
        judge=Judge(
            desk.book,
            jobs,
            replays(desk, workers, cluster),
            PendingWork(desk.reader, policy.scope),
            monitor.replayed,
        ),
        alarm=Alarm(desk.reader, policy.scope),
        enforcer=Enforcer(desk.book, jobs, desk.moves, policy, made),
        match_jobs=match_jobs,
        match_judge=MatchJudge(matches, match_jobs),
        disprover=Disprover(matches, match_jobs, made),
        made=made,
        collectors=collectors,
        monitor=monitor,
        waker=waker,
    )
