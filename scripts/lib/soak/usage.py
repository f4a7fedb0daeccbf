"""What processes and folders take up, and whether that grows beyond what the work explains."""

from __future__ import annotations

import os
import statistics
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

MIB = 1 << 20
PAGE = os.sysconf("SC_PAGE_SIZE")
WARM_UP = 0.3
"""Share of a soak in which pools, caches and imports come to their size."""

LAST = 0.3
"""Share of a soak that is compared with what followed the warm-up."""


@dataclass(frozen=True, slots=True)
class Taken:
    """What a daemon takes at one moment.

    Attributes:
        memory: resident bytes, of its children too.
        files: open files and sockets, of its children too.
        disk: bytes of its home without databases and logs.
        database: bytes of its databases.
        log: bytes of its log.
        windows: on the chain at that moment.
        at: seconds since the beginning.
    """

    at: float
    windows: int
    memory: int
    files: int
    disk: int
    database: int
    log: int


@dataclass(frozen=True, slots=True)
class Bounds:
    """What a daemon may grow by after its warm-up.

    A minute and a window have bounds of their own, so a longer soak and a faster machine are
    judged alike. Memory may not grow with either: what a daemon remembers is in its database.
    """

    memory: int = 48 * MIB
    files: int = 12
    disk_per_window: int = 64 << 10
    disk_per_minute: int = 64 << 10
    database: int = 4 * MIB  # to which SQLite's write-ahead log may come before it is written back
    database_per_window: int = 24 << 10
    database_per_minute: int = 128 << 10
    log_per_window: int = 2 << 10
    log_per_minute: int = 256 << 10


def family(pid: int) -> list[int]:
    """A process and all that descend from it."""
    found, wanted = [], [pid]
    while wanted:
        one = wanted.pop()
        found.append(one)
        with suppress(OSError):
            for task in Path(f"/proc/{one}/task").iterdir():
                wanted += map(int, (task / "children").read_text().split())
    return found


def memory_of(pids: Sequence[int]) -> int:
    """Resident bytes of processes; those that have ended have none."""
    total = 0
    for pid in pids:
        with suppress(OSError):
            total += int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * PAGE
    return total


def files_of(pids: Sequence[int]) -> int:
    """Open files and sockets of processes."""
    total = 0
    for pid in pids:
        with suppress(OSError):
            total += len(os.listdir(f"/proc/{pid}/fd"))
    return total


def sizes_of(home: Path) -> tuple[int, int, int]:
    """Bytes of a home: other files, databases, logs."""
    disk = database = log = 0
    for folder, _, names in os.walk(home):
        for name in names:
            with suppress(OSError):  # a temporary one that is gone
                size = os.stat(os.path.join(folder, name)).st_blocks * 512
                if ".sqlite3" in name:  # with its journal
                    database += size
                elif name.endswith(".log"):
                    log += size
                else:
                    disk += size
    return disk, database, log


@dataclass(frozen=True, slots=True)
class Growth:
    """How much a daemon grew between the end of its warm-up and the end of the soak."""

    minutes: float
    windows: int
    memory: int
    files: int
    disk: int
    database: int
    log: int

    @classmethod
    def of(cls, taken: Sequence[Taken]) -> Growth:
        """The growth that some samples show: of memory and files by medians, which a passing
        peak does not move."""
        warm = taken[int(len(taken) * WARM_UP) :]
        part = max(1, round(len(taken) * LAST / 2))
        early, late = warm[:part], warm[-part:]
        first, last = warm[0], warm[-1]
        return cls(
            (last.at - first.at) / 60,
            last.windows - first.windows,
            _median(late, "memory") - _median(early, "memory"),
            _median(late, "files") - _median(early, "files"),
            last.disk - first.disk,
            last.database - first.database,
            last.log - first.log,
        )

    def faults(self, name: str, bounds: Bounds) -> list[str]:
        """A sentence for each bound that was passed."""

        def most(kind: str) -> int:
            fixed = getattr(bounds, kind, 0)
            per_window = getattr(bounds, f"{kind}_per_window") * self.windows
            return int(fixed + per_window + getattr(bounds, f"{kind}_per_minute") * self.minutes)

        allowed = {"memory": bounds.memory, "files": bounds.files} | {
            kind: most(kind) for kind in ("disk", "database", "log")
        }
        return [
            f"{name}: {kind} grew by {getattr(self, kind):,} in {self.minutes:.1f} minutes and "
            f"{self.windows} windows; at most {bound:,} are explained"
            for kind, bound in allowed.items()
            if getattr(self, kind) > bound
        ]


def _median(taken: Sequence[Taken], name: str) -> int:
    values: list[int] = [getattr(one, name) for one in taken]
    return round(statistics.median(values))
