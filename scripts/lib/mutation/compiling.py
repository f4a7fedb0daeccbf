"""Compiles the contracts of the copy that a mutant lives in: it runs there, as a program.

With a source's name: only whether the compiler takes it, which takes a second. Without one: all of
them, as they are deployed; a digest of their code goes to standard output.
"""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Sequence

from chainbeasts.backend.chain.compile import artifacts
from chainbeasts.backend.errors import ChainBeastsError
from scripts.lib.syntax_trees import analyse, request


def main(arguments: Sequence[str]) -> int:
    """Analyse one source, or compile all; the exit code."""
    try:
        if arguments:
            analyse(request(arguments))
            return 0
        made = sorted(artifacts().items())
    except ChainBeastsError:
        return 1
    codes = hashlib.sha256()
    for name, one in made:
        codes.update(f"{name} {len(one.bytecode)} ".encode() + one.bytecode)
    sys.stdout.write(codes.hexdigest())
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
