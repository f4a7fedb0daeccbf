"""The kernel beside an older commit's: hashes, micro-steps, windows and matches, as ratios."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from scripts.lib.bench.figures import Figure

ROOT = Path(__file__).resolve().parents[3]
PROBE = Path(__file__).with_name("kernel_probe.py")
PACKAGE = "chainbeasts"
ROUNDS = 3


def probe(tree: Path) -> dict[str, float]:
    """What the probe finds in a tree, by this environment's Python.

    Raises:
        subprocess.CalledProcessError: it does not run there.
    """
    environment = {**os.environ, "PYTHONPATH": str(tree)}
    text = PROBE.read_text("utf-8")
    if not (tree / PACKAGE).is_dir():  # from before all was below one package
        text = text.replace(f"{PACKAGE}.", "")
    command = [sys.executable, "-P", "-c", text]
    done = subprocess.run(command, cwd=tree, env=environment, stdout=subprocess.PIPE, check=True)
    # The last line; what is logged about a kernel that had to be compiled comes before.
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def least(found: list[dict[str, float]]) -> dict[str, float]:
    """Each figure's least: what a tree can do when nothing else disturbs it."""
    return {name: min(one[name] for one in found) for name in found[0]}


def measure(beside: Path, tell: Callable[[str], None]) -> list[Figure]:
    """Both trees in turn, some rounds; the ratios of their least times."""
    old, new = [], []
    for round_ in range(ROUNDS):
        tell(f"kernels, round {round_ + 1} of {ROUNDS}")
        old.append(probe(beside))
        new.append(probe(ROOT))
    before, now = least(old), least(new)

    def ratio(name: str, old_key: str, new_key: str, target: float | None, what: str) -> Figure:
        times = f"{1e6 * before[old_key]:.2f} µs before, {1e6 * now[new_key]:.2f} µs now"
        return Figure(name, before[old_key] / now[new_key], "×", target, method=f"{what}; {times}")

    bytes_alone = [
        ratio(f"root of a state's bytes, {key.rpartition(' ')[2]}", "bytes", key, None,
              "the tree over 33,792 bytes, beside one keccak-256 over them")
        for key in sorted(now) if key.startswith("bytes ")
    ]  # fmt: skip
    return [
        ratio("state hash", "state hash", "state hash", 3.5, "from a state in memory, one core"),
        *bytes_alone,
        ratio("window replay", "window", "window", 2.2,
              "from the parent's state to the end's hash, one core, batches of windows now"),
        ratio("micro-step, trained, all slots", "micro-step", "micro-step", 1.25,
              "source curriculum, sample and label included"),
        ratio("full native match with root", "match", "match", 1.6,
              f"trained beasts, all slots; {before['turns']:.1f} turns a match before, "
              f"{now['turns']:.1f} now"),
    ]  # fmt: skip
