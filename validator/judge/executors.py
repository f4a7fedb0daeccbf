"""Where replays run: threads of this process, or worker processes that end with their parent.

The compiled kernel runs without the interpreter's lock, so threads share states and send nothing;
the reference does not, and takes processes.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from multiprocessing.connection import wait
from typing import Any, ParamSpec, TypeVar

from chainbeasts.backend.graph_cache.tiered import EVERY_SLOT
from chainbeasts.backend.kernels import ReferenceKernel, kernel_for

P = ParamSpec("P")
T = TypeVar("T")


class InlineExecutor(Executor):
    """Runs each call at once, in the caller's thread."""

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """Run the call; its future is done when this returns."""
        future: Future[T] = Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except Exception as error:
            future.set_exception(error)
        return future


def make_executor(workers: int) -> Executor:
    """An executor with that many workers; with 0, replays run in the caller's thread."""
    if workers == 0:
        return InlineExecutor()
    if not isinstance(kernel_for(EVERY_SLOT), ReferenceKernel):
        return ThreadPoolExecutor(workers, "replay")
    context: Any = multiprocessing.get_context("spawn")
    return ProcessPoolExecutor(workers, mp_context=context, initializer=_obey_the_parent)


def _obey_the_parent() -> None:
    """Leave no orphan behind when the daemon is killed; Ctrl-C, which all get, is the daemon's."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = multiprocessing.parent_process()
    if parent is None:
        return

    def watch() -> None:
        wait([parent.sentinel])
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
