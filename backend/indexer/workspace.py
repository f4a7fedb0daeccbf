"""What every daemon and command starts from: one deployment, followed into one role's database.

Trainer, validator and arena add to it what they need; nothing here decides or sends anything.
"""

from __future__ import annotations

from dataclasses import dataclass

from chainbeasts.backend.chain.client import Chain
from chainbeasts.backend.indexer.sync import Indexer, SyncReport
from chainbeasts.backend.locks import ProcessLock
from chainbeasts.backend.settings import Settings
from chainbeasts.backend.store.session import Database


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
        """
        with self.lock:
            return self.indexer.sync()


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
    lock = ProcessLock(locks / f"{role}-index.lock", "the chain is read")
    return Workspace(chain, database, Indexer(chain, database, confirmations), lock)
