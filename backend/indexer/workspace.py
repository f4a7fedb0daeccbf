"""What every daemon and command starts from: one deployment, followed into one role's database.

Trainer, validator and arena add to it what they need; nothing here decides or sends anything.
"""

from __future__ import annotations

from dataclasses import dataclass

from chainbeasts.backend.chain.client import Chain, check_open
from chainbeasts.backend.indexer.sync import Indexer, SyncReport
from chainbeasts.backend.locks import ProcessLock
from chainbeasts.backend.settings import Settings
from chainbeasts.backend.store.session import Database

INDEX_SECONDS = 300.0
"""Longest wait for another process that reads the chain. Only one that begins with an old chain is
at work for longer, and whoever waits can wait again."""


@dataclass(frozen=True, slots=True)
class Workspace:
    """One home's view of one deployment.

    Attributes:
        lock: held while the chain is read, so that two commands do not index it at once.
    """

    chain: Chain
    database: Database
    indexer: Indexer
    lock: ProcessLock

    def sync(self) -> SyncReport:
        """Bring the database up to the chain's present head.

        Raises:
            ChainError: the node is away, or serves another chain.
            StoppedError: the process is to end while another one reads.
            LockHeldError: another one has read for minutes, or stands still.
        """
        self.lock.acquire(check_open)
        try:
            return self.indexer.sync()
        finally:
            self.lock.release()


def open_index(settings: Settings, chain: Chain, role: str, confirmations: int = 0) -> Workspace:
    """Open a role's database and locks under home.

    Args:
        role: ``trainer``, ``validator`` or ``arena``; each has a database of its own.
        confirmations: blocks on top of one before it is read.

    Raises:
        ChainBeastsError: the database cannot be opened.
    """
    database = Database(settings.database(role))
    locks = settings.home / "locks"
    locks.mkdir(parents=True, exist_ok=True)
    lock = ProcessLock(locks / f"{role}-index.lock", "the chain is read", seconds=INDEX_SECONDS)
    return Workspace(chain, database, Indexer(chain, database, confirmations), lock)
