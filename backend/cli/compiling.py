"""Compiles the contracts that a command needs, and says how far it is: it may take minutes."""

from __future__ import annotations

from collections.abc import Sequence

from chainbeasts.backend.chain.compile import compile_units, source_units, uncompiled
from chainbeasts.backend.chain.deployment import CONTRACTS
from chainbeasts.backend.cli.output import note, progress, stderr


def compile_contracts(names: Sequence[str] | None = CONTRACTS) -> int:
    """Compile the sources of some contracts where the cache lacks them; says nothing if it has all.

    Args:
        names: those that are deployed; None for every contract there is, those of tests too.

    Returns:
        How many sources they have.

    Raises:
        CompileError: the compiler refused a source, or warned about one of ours.
    """
    units = source_units(names)
    lacking = uncompiled(units)
    done: set[str] = set()
    if lacking:
        with progress() as bar:
            task = bar.add_task("compiling the contracts", total=len(lacking))
            if not stderr.is_terminal:
                note(f"Compiling {len(lacking)} contracts, which takes a minute or two once.")
            for made in compile_units(lacking):
                if made.source in done:
                    continue
                done.add(made.source)
                bar.update(task, advance=1, description=f"compiled {made.name}")
                if not stderr.is_terminal:
                    note(f"compiled {len(done)}/{len(lacking)}: {made.name}")
    return len(units)
