"""Command lines in processes of their own that end themselves with SIGKILL at a chosen instant."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
from collections.abc import Sequence
from typing import Any

import chainbeasts.trainer.train.in_flight
from chainbeasts.backend.chain.transactions import TransactionManager
from chainbeasts.backend.cli.main import main
from chainbeasts.backend.store.snapshots import SnapshotStore
from chainbeasts.trainer.train.window_store import WindowStore
from tests.support.patience import PATIENCE
from tests.support.warm import be_patient


def die(*_: Any) -> Any:
    os.kill(os.getpid(), signal.SIGKILL)


def _after(owner: Any, name: str, times: int, *, before: bool = False) -> None:
    """Die after (or before) that many calls of a function."""
    function, calls = getattr(owner, name), 0

    def counted(*args: Any, **kwargs: Any) -> Any:
        nonlocal calls
        calls += 1
        if before and calls == times:
            die()
        result = function(*args, **kwargs)
        if calls == times:
            die()
        return result

    setattr(owner, name, counted)


def _arm(instant: str, number: int) -> None:
    match instant:
        case "training":
            _after(chainbeasts.trainer.train.in_flight, "train_window", number, before=True)
        case "trained":
            _after(chainbeasts.trainer.train.in_flight, "train_window", number)
        case "state published":
            _after(SnapshotStore, "put", number)
        case "on record":
            _after(WindowStore, "keep", number)
        case "signed":
            _after(TransactionManager, "_broadcast", number, before=True)
        case "sent":
            _after(TransactionManager, "_broadcast", number)
        case "mined":
            _after(TransactionManager, "_judge", number)
        case _:
            raise ValueError(instant)


def _run(instant: str, number: int, arguments: Sequence[str]) -> None:
    be_patient()
    _arm(instant, number)
    sys.argv = ["chainbeasts", *arguments]
    main()


def run_until(instant: str, number: int, arguments: Sequence[str]) -> int | None:
    """Run a command that dies at the ``number``-th such instant; its exit code."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([__name__])
    process = context.Process(target=_run, args=(instant, number, list(arguments)))
    process.start()
    process.join(PATIENCE)
    return process.exitcode
