"""Published states for the routes, from places that may hang without holding up other answers."""

from __future__ import annotations

from collections.abc import Sequence

from anyio import move_on_after, to_thread

from chainbeasts.backend.api import patience
from chainbeasts.backend.api.errors import RETRY_SECONDS, ApiError
from chainbeasts.backend.api.patience import Threads
from chainbeasts.backend.kernel.state import State
from chainbeasts.backend.store.snapshots import SnapshotStore


class States:
    """A store of states, asked in threads of its own.

    Args:
        seconds: that one place may take; ``patience.SECONDS`` if None.
    """

    def __init__(self, store: SnapshotStore, seconds: float | None = None) -> None:
        self._store = store
        given = patience.SECONDS if seconds is None else seconds
        self._threads = [Threads(given) for _ in store.sources]

    async def get_many(self, hashes: Sequence[bytes]) -> tuple[dict[bytes, State], bool]:
        """Those states of some hashes that are here, or at a place that gives them in time.

        Returns:
            The states by their hashes, and whether a place that may have more did not answer.
        """
        found, late = await self._look(hashes)
        return found, late and len(found) < len(set(hashes))

    async def get(self, h: bytes) -> State | None:
        """The state of a hash; None if it is at none of the places.

        Raises:
            ApiError: it is not here, and a place that may have it fails or does not answer in time.
        """
        found, late = await self._look([h])
        if not found and late:
            raise ApiError(
                "place_unavailable",
                "A place of snapshots does not answer in time, or at all.",
                "Everything else is answered: ask for this state again later.",
                Retry_After=str(RETRY_SECONDS),
            )
        return found.get(h)

    async def _look(self, hashes: Sequence[bytes]) -> tuple[dict[bytes, State], bool]:
        """What is found of some hashes, and whether a place did not answer in time, or lately."""
        found, late = await to_thread.run_sync(self._own, hashes), False
        for source, threads in enumerate(self._threads):
            place = self._store.sources[source]
            late = late or place.rests  # and may well have it
            # One wait for all that a place is asked for: what it has given by then is served.
            with move_on_after(threads.patience) as wait:
                for h in [h for h in hashes if h not in found]:
                    state = await threads.run(self._store.fetch, source, h)
                    if state is not None:
                        found[h] = state
            late = late or wait.cancelled_caught or place.away
        return found, late

    def _own(self, hashes: Sequence[bytes]) -> dict[bytes, State]:
        states = {h: self._store.own(h) for h in hashes}
        return {h: state for h, state in states.items() if state is not None}
