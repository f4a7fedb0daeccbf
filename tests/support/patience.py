"""How long tests wait for what must come: so long that only what hangs is given up."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

PATIENCE = 240.0
"""Seconds until what has not come is held to hang. No test is about this time: it is several calls
that a stuck node never answers (``backend.chain.clock.CALL_SECONDS``), on a machine that has ten
times as much to do as it can. pytest's own deadline, in ``pyproject.toml``, is longer, so that what
is said is the test's."""

LOOK_SECONDS = 0.02

Found = TypeVar("Found")


def eventually(look: Callable[[], Found], told: Callable[[], object] = str) -> Found:
    """The first true value of a look.

    Args:
        told: what is shown of a wait that was in vain: a process's log, say.

    Raises:
        AssertionError: there is none in ``PATIENCE``.
    """
    deadline = time.monotonic() + PATIENCE
    while not (found := look()):
        assert time.monotonic() < deadline, told() or "waited in vain"
        time.sleep(LOOK_SECONDS)
    return found
