"""Published states for the routes, from places that may hang without holding up other answers."""

from __future__ import annotations

from collections.abc import Sequence

from anyio import CapacityLimiter, move_on_after, to_thread

from chainbeasts.backend.api.errors import RETRY_SECONDS, ApiError
from chainbeasts.backend.kernel.state import State
from chainbeasts.backend.store.snapshots import SnapshotStore

SECONDS = 2.5
"""That one place may take for one answer."""

AT_ONCE = 4
"""Threads for one place. The ordinary pool, which all other routes share, never waits for one."""


class States:
    """A store of states, asked in threads of its own.

    Args:
        seconds: that one place may take.
    """

    def __init__(self, store: SnapshotStore, seconds: float = SECONDS) -> None:
        self._store, self._seconds = store, seconds
        self._threads = [CapacityLimiter(AT_ONCE) for _ in store.sources]

    async def get_many(self, hashes: Sequence[bytes]) -> dict[bytes, State]:
        """Those states of some hashes that are here, or at a place that gives them in time."""
        found = await to_thread.run_sync(self._own, hashes)
        rest = [h for h in hashes if h not in found]
        for source, threads in enumerate(self._threads):
            # One wait for all that a place is asked for: what it has given by then is served.
            with move_on_after(self._seconds if threads.available_tokens else 0):
                for h in [h for h in rest if h not in found]:
                    state = await to_thread.run_sync(
                        self._store.fetch, source, h, limiter=threads, abandon_on_cancel=True
                    )
                    if state is not None:
                        found[h] = state
        return found

    def _own(self, hashes: Sequence[bytes]) -> dict[bytes, State]:
        states = {h: self._store.own(h) for h in hashes}
        return {h: state for h, state in states.items() if state is not None}

    async def get(self, h: bytes) -> State | None:
        """The state of a hash; None if it is at none of the places.

        Raises:
            ApiError: it is not here, and a place that may have it does not answer in time.
        """
        state = await to_thread.run_sync(self._store.own, h)
        late = False
        for source, threads in enumerate(self._threads):
            if state is not None:
                break
            # A thread that was given up keeps its token until it ends: once all of them hang,
            # the place is passed over without a wait.
            with move_on_after(self._seconds if threads.available_tokens else 0) as wait:
                state = await to_thread.run_sync(
                    self._store.fetch, source, h, limiter=threads, abandon_on_cancel=True
                )
            late = late or wait.cancelled_caught
        if state is None and late:
            raise ApiError(
                "place_unavailable",
                "A place of snapshots does not answer in time.",
                "Everything else is answered: ask for this state again later.",
                Retry_After=str(RETRY_SECONDS),
            )
        return state
