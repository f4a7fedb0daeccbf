"""What a soak calls growth: not a passing peak, nor what the work explains, but every leak."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from scripts.lib.checks import checks
from scripts.lib.soak.usage import (
    MIB,
    Bounds,
    Growth,
    Taken,
    family,
    files_of,
    memory_of,
    sizes_of,
)

SAMPLES = 120
SECONDS = 5


def soaked(change: Callable[[int, dict[str, int]], None] = lambda n, taken: None) -> Growth:
    """The growth of a daemon in ten minutes of which a window comes with each sample.

    Args:
        change: given the number of the sample and what it is about to hold.
    """
    samples = []
    for n in range(SAMPLES):
        warm = min(n / 20, 1.0)
        taken = {
            "memory": int((80 + 60 * warm) * MIB),
            "files": 20 + int(10 * warm),
            "disk": 4_000 * n,
            "database": 6_000 * n,
            "log": 500 * n,
        }
        change(n, taken)
        samples.append(Taken(at=SECONDS * n, windows=n, **taken))
    return Growth.of(samples)


def test_warming_up_a_peak_and_rows_for_windows_are_no_faults() -> None:
    def peak(n: int, taken: dict[str, int]) -> None:
        if n == 100:
            taken["memory"] += 500 * MIB
            taken["files"] += 500

    grown = soaked(peak)
    assert (grown.memory, grown.files, grown.windows) == (0, 0, 83)
    assert grown.faults("one", Bounds()) == []


@pytest.mark.parametrize(
    ("kind", "a_sample"),
    [("memory", MIB), ("files", 1), ("disk", MIB), ("database", MIB), ("log", MIB)],
)
def test_a_leak_is_a_fault(kind: str, a_sample: int) -> None:
    def leak(n: int, taken: dict[str, int]) -> None:
        taken[kind] += a_sample * n

    (fault,) = soaked(leak).faults("vera's validator", Bounds())
    assert fault.startswith(f"vera's validator: {kind} grew by ")


def test_what_a_process_takes_is_read_with_its_children(tmp_path: Path) -> None:
    program = "import sys; kept = bytearray(64 << 20); print(flush=True); sys.stdin.read()"
    with subprocess.Popen(
        [sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as child:
        assert child.stdout is not None
        child.stdout.readline()
        here = family(os.getpid())
        assert {os.getpid(), child.pid} <= set(here)
        assert memory_of([child.pid]) > 64 * MIB
        assert files_of([child.pid]) >= 3
        assert child.stdin is not None
        child.stdin.close()
    assert memory_of([child.pid]) == files_of([child.pid]) == 0
    for name in ("a.sqlite3-wal", "b.log", "c"):
        (tmp_path / name).write_bytes(b"x" * 9_000)
    assert min(sizes_of(tmp_path)) >= 8_192


def test_the_soak_is_one_of_the_nightly_checks() -> None:
    assert "soak" not in {check.name for check in checks([], fast=False)}
    assert "soak" in {check.name for check in checks([], fast=False, nightly=True)}
