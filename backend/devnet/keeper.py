"""What Anvil does not do for a chain that is left alone: few idle blocks, safe saving, short logs.

Runs in the command in the foreground, or as a process of its own beside a detached Anvil, and ends
with it. It holds nothing that is not on disk: without it the chain still serves, but mines for
transactions only, and is saved when it ends in good order.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from chainbeasts.backend.chain.anvil import AnvilError, rpc
from chainbeasts.backend.chain.anvil_state import dump
from chainbeasts.backend.devnet.processes import process_start
from chainbeasts.backend.locks import LockHeldError

CALL_SECONDS = 120.0
"""A dump of a chain of many hundred megabytes takes its time."""

LOOK_SECONDS = 1.0
SAVE_SECONDS = 2.0
SAVE_SHARE = 20
"""Saving takes at most one part in so many of the time."""

PATIENCE = 10
"""Dumps that were not taken, after which transactions that wait are held to be stuck."""

QUIET_SHARE = 60
"""A chain without transactions waits for its next block a part of so many of the time that it has
been quiet: so late is the contracts' clock, and a week alone makes 600 blocks, not 600,000."""

MAX_LOG_BYTES = 8 << 20
COPY_BYTES = 1 << 20


@dataclass(slots=True)
class Keeper:
    """Looks after one running Anvil.

    Args:
        block_time: seconds between blocks while transactions come.
        clock: seconds that only grow.
    """

    url: str
    state: Path
    log: Path
    block_time: float
    clock: Callable[[], float] = time.monotonic
    _head: int = -1
    _quiet_since: float = 0.0
    _mined_at: float = 0.0
    _saved: int = -1
    _next_save: float = field(default=0.0)
    _not_saved: int = 0

    def look(self) -> None:
        """Mine, save and shorten the log, as far as each is due.

        Raises:
            AnvilError: it does not answer.
            LockHeldError: another process has been writing the kept chain for minutes.
            OSError: the disk is full, say; the kept chain is as it was.
        """
        self._mine()
        self._save()
        shorten_log(self.log)

    def _call(self, method: str, *params: object) -> object:
        return rpc(self.url, method, *params, timeout=CALL_SECONDS)

    def _block_number(self) -> int:
        return int(str(self._call("eth_blockNumber")), 16)

    def _mine(self) -> None:
        head, now = self._block_number(), self.clock()
        if head != self._head:  # somebody else's block: a transaction's
            self._head, self._quiet_since, self._mined_at = head, now, now
            return
        if now - self._mined_at >= max(self.block_time, (now - self._quiet_since) / QUIET_SHARE):
            self._call("evm_mine")
            # Not what the node says now: a transaction's block that came meanwhile has to show.
            self._head, self._mined_at = head + 1, now

    def _save(self) -> None:
        if self.clock() < self._next_save or self._head == self._saved:
            return
        began = self.clock()
        saved = dump(self.state, self._call, stuck=self._not_saved >= PATIENCE)
        took = self.clock() - began
        self._next_save = self.clock() + max(SAVE_SECONDS, SAVE_SHARE * took)
        self._not_saved = 0 if saved is not None else self._not_saved + 1
        if saved is not None:
            self._saved = saved


def shorten_log(log: Path, limit: int = MAX_LOG_BYTES) -> None:
    """Begin a log anew that has grown long, and keep the old one beside it as ``.1``.

    Copied and cut off, since Anvil keeps its log open; it adds to the file's end, wherever that is.
    """
    if not log.exists() or log.stat().st_size <= limit:
        return
    copy = log.with_name(f"{log.name}.1")
    with log.open("r+b") as source, copy.open("wb") as target:
        while chunk := source.read(COPY_BYTES):
            target.write(chunk)
        source.truncate(0)


def keep(keeper: Keeper, runs: Callable[[], bool], pause: Callable[[float], object]) -> None:
    """Look after a chain until it ends; what fails now is tried again at the next look."""
    complaint = ""
    while runs():
        try:
            keeper.look()
            complaint = ""
        except (AnvilError, LockHeldError, OSError, ValueError) as error:
            if str(error) != complaint and runs():
                complaint = str(error)
                sys.stderr.write(f"The devnet is not kept at the moment: {complaint}\n")
                sys.stderr.flush()
        pause(min(LOOK_SECONDS, keeper.block_time))


def main(arguments: list[str]) -> None:
    """The process beside a detached Anvil: its id and start, URL, files, and the block time."""
    pid, started, url, state, log, block_time = arguments
    keeper = Keeper(url, Path(state), Path(log), float(block_time))
    keep(keeper, partial(_runs, int(pid), started), time.sleep)


def _runs(pid: int, started: str) -> bool:
    return process_start(pid) == started


if __name__ == "__main__":
    main(sys.argv[1:])
