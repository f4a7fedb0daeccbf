"""What the routes answer from: the indexed chain, published states, words and bundles."""

from __future__ import annotations

import json
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from threading import Lock
from typing import Annotated, Any, TypeVar, cast

from fastapi import Depends
from sqlalchemy import select
from sqlalchemy.orm import Session
from starlette.requests import HTTPConnection

from chainbeasts.backend.api.follow import Follower
from chainbeasts.backend.api.places import States
from chainbeasts.backend.api.standings import Standings
from chainbeasts.backend.api.wallets import Wallets
from chainbeasts.backend.chain.client import Chain
from chainbeasts.backend.store.facts import BlockRow
from chainbeasts.backend.store.governance import SeasonRow
from chainbeasts.backend.store.session import Database

T = TypeVar("T")


@dataclass
class OncePerBlock:
    """Values that take a while to compute, kept until another block is the indexed one."""

    _lock: Lock = field(default_factory=Lock)
    _kept: dict[Hashable, tuple[bytes | None, Any]] = field(default_factory=dict)

    def get(self, key: Hashable, tip: bytes | None, compute: Callable[[], T]) -> T:
        """The value at a block, computed if it is the first one asked for there."""
        with self._lock:
            found = self._kept.get(key)
            if found is None or found[0] != tip:
                found = tip, compute()
                self._kept[key] = found
            return cast("T", found[1])


@dataclass(frozen=True)
class Services:
    """What one server answers from.

    Attributes:
        bundles: folder of evidence bundles, named as ``dispute bundle`` names them.
        wallet: whether the page may ask the reader's wallet to sign; the server never signs.
    """

    chain: Chain
    database: Database
    states: States
    bundles: Path
    follower: Follower
    standings: Standings = field(default_factory=Standings)
    once: OncePerBlock = field(default_factory=OncePerBlock)
    wallets: Wallets = field(default_factory=Wallets)
    wallet: bool = False

    def bundle_path(self, dispute_id: int) -> Path:
        """Where a dispute's evidence bundle is, if it is published."""
        return self.bundles / f"dispute-{dispute_id}.zip"

    @contextmanager
    def session(self) -> Iterator[Session]:
        """A session that only reads, and sees the index as it was at one block."""
        with self.database.reading() as session:
            yield session


def challenge_periods(session: Session, seasons: Iterable[int]) -> Mapping[int, int]:
    """The challenge periods of some seasons, in seconds."""
    found = select(SeasonRow.season, SeasonRow.constants).where(SeasonRow.season.in_(seasons))
    return {season: _challenge_period(text) for season, text in session.execute(found)}


@lru_cache(maxsize=64)
def _challenge_period(constants: str) -> int:
    period: int = json.loads(constants)["economics"]["challenge_period"]
    return period


def tip_of(session: Session) -> BlockRow | None:
    """The newest indexed block."""
    return session.scalar(select(BlockRow).order_by(BlockRow.number.desc()).limit(1))


def tip_hash(tip: BlockRow | None) -> bytes | None:
    """What values that are kept for one block are told apart by."""
    return None if tip is None else tip.hash


async def _services(connection: HTTPConnection) -> Services:
    # Waits for nothing; a plain function would be called in a thread, which takes longer than it.
    return cast("Services", connection.app.state.services)


ServicesDep = Annotated[Services, Depends(_services)]
"""The services, as a route's parameter."""
