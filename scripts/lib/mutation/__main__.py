"""Puts faults into the kernel and the contracts, as many as fit the time, and runs their tests.

Fails on a fault that no test sees and that docs/audit/mutation.md does not answer, and on an answer
about a line that is not there any more.
"""

from __future__ import annotations

import argparse
import random
import secrets
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from chainbeasts.backend.cli.output import note, print_error, stderr
from chainbeasts.backend.errors import ChainBeastsError
from scripts.lib.mutation.answers import Survivor, read_answers, stale
from scripts.lib.mutation.mutants import Mutant
from scripts.lib.mutation.sources import mutants, sources, stages
from scripts.lib.mutation.trial import Outcome, Trial, copied, test_command

ROOT = Path(__file__).resolve().parents[3]
ANSWERS = ROOT / "docs" / "audit" / "mutation.md"
MINUTES = 10.0
NIGHTLY_MINUTES = 90.0


def sample(names: Sequence[str], seed: int) -> Iterator[tuple[str, Mutant]]:
    """All mutants in random order, Python and Solidity by turns, so that both get their share."""
    chance = random.Random(seed)
    kinds = [
        [(name, mutant) for name in names if name.endswith(kind) for mutant in mutants(ROOT, name)]
        for kind in (".py", ".sol")
    ]
    for kind in kinds:
        chance.shuffle(kind)
    while any(kinds):
        for kind in kinds:
            if kind:
                yield kind.pop()


def _require_pass(trial: Trial, tests: Sequence[str]) -> None:
    """Tests that fail without any mutant would kill every one."""
    if not trial.passes(test_command(tests)):
        raise ChainBeastsError(
            f"{' '.join(tests)} fails without any mutant.", "Mend it first: it kills every mutant."
        )


def try_all(
    names: Sequence[str], answered: set[Survivor], seed: int, seconds: float, line: int | None
) -> tuple[Counter[Outcome], list[Survivor]]:
    """Try mutants until the time is up.

    Returns:
        How many ended how, and the survivors; those with an answer are not tried again.

    Raises:
        ChainBeastsError: a test fails without any mutant.
    """
    counts: Counter[Outcome] = Counter()
    survivors = []
    sound: set[tuple[str, ...]] = set()
    taken: set[str] = set()
    with copied(ROOT) as trial:
        until = time.monotonic() + seconds
        for name, mutant in sample(names, seed):
            if time.monotonic() > until:
                break
            survivor = Survivor.of(name, mutant)
            if survivor in answered or line not in (None, mutant.line):
                continue
            if name not in taken and not trial.takes(name):
                raise ChainBeastsError(f"{name} is refused without any mutant.")
            taken.add(name)
            fate = trial.judge(name, mutant.text, stages(ROOT, name))
            if fate.killers and fate.killers not in sound:
                _require_pass(trial, fate.killers)
                sound.add(fate.killers)
            counts[fate.outcome] += 1
            told = f"{fate.outcome.value}: {name}:{mutant.line}: {mutant.before} → {mutant.after}"
            stderr.print(told, markup=False, highlight=False, soft_wrap=True)
            if fate.seen_by:
                stderr.print(f"    {fate.seen_by}"[:160], markup=False, soft_wrap=True)
            if fate.outcome is Outcome.SURVIVED:
                survivors.append(survivor)
    return counts, survivors


def main() -> int:
    """Try mutants; the exit code."""
    parser = argparse.ArgumentParser(prog="scripts/mutate", description=__doc__)
    parser.add_argument("sources", nargs="*", help="these alone, for example contracts/Arena.sol")
    parser.add_argument("--minutes", type=float, help=f"at most about so many ({MINUTES:.0f})")
    parser.add_argument("--seed", type=int, help="of the sample (else a random one)")
    parser.add_argument("--line", type=int, help="of the sources: these mutants alone")
    parser.add_argument("--nightly", action="store_true", help=f"{NIGHTLY_MINUTES:.0f} minutes")
    options = parser.parse_args()
    seed = secrets.randbits(32) if options.seed is None else options.seed
    minutes = options.minutes or (NIGHTLY_MINUTES if options.nightly else MINUTES)
    every = sources(ROOT)
    names = options.sources or every
    if unknown := set(names) - set(every):
        parser.error(f"not mutated: {', '.join(sorted(unknown))}")
    answered = read_answers(ANSWERS.read_text("utf-8"))
    possible = (Survivor.of(name, one) for name in every for one in mutants(ROOT, name))
    gone = stale(answered, possible)
    note(f"Mutants of {len(names)} sources for {minutes:g} minutes, --seed {seed}")
    try:
        counts, survivors = try_all(names, answered, seed, 60 * minutes, options.line)
    except ChainBeastsError as error:
        print_error(error)
        return 1
    for one in gone:
        stderr.print(f"Answers nothing any more: {one.row()}", markup=False, soft_wrap=True)
    for one in survivors:
        stderr.print(f"Without an answer: {one.row()}", markup=False, soft_wrap=True)
    note(", ".join(f"{counts[outcome]} {outcome.value}" for outcome in Outcome) + ".")
    return 1 if gone or survivors else 0


if __name__ == "__main__":
    sys.exit(main())
