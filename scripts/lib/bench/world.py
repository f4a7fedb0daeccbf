"""A database of any size as an indexer would have filled it, and the real server over it.

No chain is needed: the server's node does not answer, which it says, and serves what is indexed.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from eth_hash.auto import keccak
from sqlalchemy import insert, text

from chainbeasts.backend.api.app import make_app
from chainbeasts.backend.api.follow import Follower
from chainbeasts.backend.api.limits import Limits
from chainbeasts.backend.api.places import States
from chainbeasts.backend.api.server import bind, make_server
from chainbeasts.backend.api.services import Services
from chainbeasts.backend.chain.client import Chain
from chainbeasts.backend.chain.deployment import CONTRACTS, Deployment
from chainbeasts.backend.chain.providers import make_web3
from chainbeasts.backend.chain.seasons import load_profile, season_table
from chainbeasts.backend.indexer.follow import Waker
from chainbeasts.backend.indexer.tallies import MICRO
from chainbeasts.backend.kernel.window import genesis_state
from chainbeasts.backend.monitoring.health import Health
from chainbeasts.backend.nicknames import nickname
from chainbeasts.backend.store.facts import (
    BeastRow,
    BlockRow,
    CheckpointRow,
    CheckpointStatus,
    DisputeRow,
    EpochRow,
)
from chainbeasts.backend.store.governance import SeasonRow
from chainbeasts.backend.store.matches import MatchRow, MatchStatus
from chainbeasts.backend.store.session import Database
from chainbeasts.backend.store.snapshots import SnapshotStore, reading_store

START_SECONDS = 240.0
PENDING = 20
"""Of each beast's windows, the last so many are not final."""

OWNER = "0x" + "11" * 20
NOWHERE = "http://127.0.0.1:9"
BURN = 2_500_000_000_000_000_000
ZERO = bytes(32)
MOST_AT_ONCE = 5_000
DISPUTED_ONE_IN, SOURCE_FOR, GROWS_EVERY = 10, 25, 400
MASKS = (0x11, 0x33, 0x77, 0xFF)
STATES = "states"


@dataclass(frozen=True, slots=True)
class Size:
    """How much there is: beast 1 may have had a longer life than the others."""

    beasts: int
    windows: int
    first: int | None = None

    def of(self, beast: int) -> int:
        """How many windows a beast has."""
        return self.windows if beast > 1 or self.first is None else self.first

    @property
    def most(self) -> int:
        """Windows of the beast that has most."""
        return max(self.windows, self.first or 0)


def digest_of(*parts: int) -> bytes:
    """A hash that is the same in each run."""
    return bytes(keccak(b"".join(part.to_bytes(32) for part in parts)))


def fill(database: Database, size: Size, states: Callable[[int, int], bytes] = digest_of) -> None:
    """Write beasts, their windows and a dispute for every tenth beast, as the indexer would.

    Args:
        states: the hash of the state that a window of a beast ended in.
    """
    season = load_profile("devnet").season
    epoch_windows = season.schedule.epoch_windows
    beasts = range(1, size.beasts + 1)
    tables: list[tuple[Any, Iterable[dict[str, Any]]]] = [
        (BlockRow, ({"number": n, "hash": digest_of(n), "parent_hash": digest_of(n - 1),
                     "timestamp": 1_000 + n} for n in range(1, size.most + 2))),
        (SeasonRow, [{"season": 1, "constants": json.dumps(season_table(season)),
                      "block_number": 1, "tx_hash": ZERO}]),
        (BeastRow, ({"beast_id": b, "owner": OWNER, "owner_key": OWNER, "dna": digest_of(b),
                     "name_key": nickname(digest_of(b)).lower(), "windows": size.of(b),
                     "spent_micro": size.of(b) * BURN // MICRO, "epoch_seed": ZERO,
                     "season": 1, "block_number": 1} for b in beasts)),
        (EpochRow, ({"beast_id": b, "epoch": e, "epoch_seed": ZERO, "season": 1,
                     "start_index": e * epoch_windows}
                    for b in beasts for e in range(1 + size.of(b) // epoch_windows))),
        (CheckpointRow, (_checkpoint(b, i, size.of(b), epoch_windows, states)
                         for i in range(size.most) for b in beasts if i < size.of(b))),
        (DisputeRow, (_dispute(b, size.of(b))
                      for b in beasts if b % DISPUTED_ONE_IN == 0)),
    ]  # fmt: skip
    for table, rows in tables:
        given = list(rows)
        for start in range(0, len(given), MOST_AT_ONCE):
            with database.session() as session:
                session.execute(insert(table), given[start : start + MOST_AT_ONCE])
    with database.session() as session:
        session.execute(text("ANALYZE"))  # as PostgreSQL does by itself within a minute


def _checkpoint(
    beast: int, index: int, windows: int, epoch_windows: int, states: Callable[[int, int], bytes]
) -> dict[str, Any]:
    pending = index >= windows - PENDING
    return {
        "digest": digest_of(beast, index, 4), "beast_id": beast, "index": index, "generation": 0,
        "parent": states(beast, index - 1) if index else digest_of(beast),
        "epoch": index // epoch_windows, "h128": states(beast, index),
        "energy_burn": BURN * (1 + index // 25), "lr_shift": 9,
        "active_mask": MASKS[min(index // GROWS_EVERY, len(MASKS) - 1)],
        "global_step": 128 * (index + 1),
        "window_loss": max(400_000 - 2_000 * index, 40_000) + beast,
        "source": index // SOURCE_FOR % 2, "source_id": 0, "season": 1, "trainer": OWNER,
        "submitted_at": 1_000 + index, "bond": 4 * BURN, "locked_sum": 5 * BURN * (index + 1),
        "epoch_seed": ZERO, "loss_drop": True, "proven": False,
        "status": CheckpointStatus.PENDING if pending else CheckpointStatus.FINAL,
        "settled_block": None, "proven_block": None, "block_number": index + 1,
        "tx_hash": digest_of(beast, index, 1),
    }  # fmt: skip


def _dispute(beast: int, windows: int) -> dict[str, Any]:
    return {
        "dispute_id": 1 + beast // DISPUTED_ONE_IN, "beast_id": beast, "index": windows - 1,
        "generation": 0, "digest": digest_of(beast, 2), "filer": OWNER, "bond": BURN,
        "status": "filed", "missing": 1, "response_deadline": 9_999, "segments": None,
        "steps_done": 0, "conviction": None, "segment": None, "prover": None,
        "block_number": windows, "tx_hash": digest_of(beast, 3),
    }  # fmt: skip


def publish(folder: Path, beasts: Iterable[int]) -> dict[int, bytes]:
    """Put a state of each of some beasts where the server looks for it; their hashes."""
    store = SnapshotStore(folder / STATES)
    return {beast: store.put(genesis_state(beast, digest_of(beast))) for beast in beasts}


def match(database: Database, beasts: tuple[int, int], states: tuple[bytes, bytes]) -> int:
    """Write a match whose seed is drawn and that nobody has recorded; its number."""
    row = {
        "match_id": 1, "status": MatchStatus.SEEDED, "beast_a": beasts[0], "beast_b": beasts[1],
        "owner_a": OWNER, "owner_b": OWNER, "state_a": states[0], "state_b": states[1],
        "season": 1, "seed_block": 1, "battle_seed": 77, "record_until": 9_999, "result": None,
        "block_number": 1, "accepted_block": 1, "final_block": None, "tx_hash": digest_of(5),
    }  # fmt: skip
    with database.session() as session:
        session.execute(insert(MatchRow), [row])
    return 1


@contextmanager
def serving(database: Database, folder: Path) -> Iterator[str]:
    """The API and the page over a database, on a free port; the address."""
    addresses = dict.fromkeys(CONTRACTS, OWNER)
    deployment = Deployment(31_337, "0x" + "00" * 32, "devnet", OWNER, 1, addresses)
    chain = Chain(make_web3(NOWHERE), NOWHERE, deployment)
    follower = Follower(chain, database, None, Waker(NOWHERE, 60.0), Health("api"))
    states = States(reading_store(folder / STATES, []))
    services = Services(chain, database, states, folder, follower)
    listener, ready = bind(0), threading.Event()
    server = make_server(make_app(services, limits=Limits(rate=0)), ready.set)
    thread = threading.Thread(target=server.run, args=([listener],))
    thread.start()
    try:
        assert ready.wait(START_SECONDS), "the server does not start"
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join()
