"""Published states, each under its own state hash; nothing unverified leaves this module.

A store has a folder of its own, where everything ends up that it verified, and may read from other
places and publish to one.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path

import structlog

from chainbeasts.backend.cache import write_atomic
from chainbeasts.backend.errors import ChainBeastsError
from chainbeasts.backend.kernel.state import (
    ENCODED_BYTES,
    MalformedStateError,
    State,
    decode_state,
    encode_state,
    state_hash,
)
from chainbeasts.backend.store.packs import DISK_BYTES, MEMORY_BYTES, NO_GROUP, PackStore
from chainbeasts.backend.store.places import LEFT_SECONDS, SECONDS, open_place
from chainbeasts.backend.store.published import PublishedStates
from chainbeasts.backend.store.state_files import SUFFIX, compress, file_name, pack, unpack

log = structlog.get_logger()

UNPUBLISHED = "unpublished"

PUBLISH_SECONDS = 5.0
"""After which nothing more of a backlog is begun in one call; the next one goes on."""

MOST_REMOTE_LOOKUPS = 64
"""Ancestors that remote places are asked for; older ones are looked for on this machine only."""


class SnapshotStore:
    """A content-addressed folder of states, with other places to read from and to publish to.

    Args:
        folder: our own; what the others served is kept there.
        sources: read, in this order, when the folder does not have a state.
        target: where each new state is published besides.
        clock: seconds that only grow.
    """

    def __init__(
        self,
        folder: Path,
        sources: Sequence[PublishedStates] = (),
        target: PublishedStates | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.folder = folder
        self.sources = tuple(sources)
        self._target = target
        self._clock = clock

    @property
    def remote(self) -> tuple[str, ...]:
        """URLs of the sources that other machines can read, too."""
        return tuple(one.place.url for one in self.sources if one.place.folder is None)

    def path(self, h: bytes) -> Path:
        """The file of a state hash in our own folder."""
        return self.folder / file_name(h)

    def has(self, h: bytes) -> bool:
        """Whether our own folder has a file for a hash."""
        return self.path(h).exists()

    def put(self, state: State, *, publish: bool = True) -> bytes:
        """Keep a state and publish it; returns its state hash.

        A target that is away or slow does not stop us: what it lacks is noted in the folder, and is
        published with a later one.

        Args:
            publish: now; else with a later call, for those who have no time for a slow target.
        """
        h = state_hash(state)
        path = self.path(h)
        if not path.exists():
            if self._target is not None:
                write_atomic(self.folder / UNPUBLISHED / h.hex(), b"")
            write_atomic(path, pack(state))
        if publish:
            self._publish(h)
        return h

    def publish(self) -> int:
        """Publish what the target still lacks, as far as it takes it; how many are left.

        After ``PUBLISH_SECONDS`` the rest is left to the next call.
        """
        return self._publish(None)

    def _publish(self, first: bytes | None) -> int:
        waiting = self._unpublished()
        if self._target is None:
            return len(waiting)
        # What others wait for now must not stand behind a backlog.
        waiting.sort(key=lambda h: h != first)
        until = self._clock() + PUBLISH_SECONDS
        early = 0
        for done, h in enumerate(waiting):
            if done and self._clock() >= until:
                return early + len(waiting) - done
            note = self.folder / UNPUBLISHED / h.hex()
            try:
                packed = self.path(h).read_bytes()
            except FileNotFoundError:
                # Its writer was killed between the note and the file, or is there just now.
                if not _is_left(note):
                    early += 1
                    continue
            else:
                if not self._target.put(h, packed):
                    return early + len(waiting) - done
            note.unlink(missing_ok=True)
        return early

    def get(self, h: bytes, *, remote: bool = True) -> State | None:
        """The state of a hash; None if nobody here has it now.

        Args:
            remote: also from places that are no folders here.
        """
        state = self.own(h)
        for number, source in enumerate(self.sources):
            if state is not None:
                break
            if remote or source.place.folder is not None:
                state = self.fetch(number, h)
        return state

    def fetch(self, source: int, h: bytes) -> State | None:
        """The state of a hash at one of the sources, kept if that is not a folder here."""
        found = self.sources[source]
        state = found.get(h)
        if state is not None and found.place.folder is None:
            self._keep(h, state)
        return state

    def _keep(self, h: bytes, state: State) -> None:
        """Keep what a source has served."""
        write_atomic(self.path(h), pack(state))

    def hashes(self) -> Iterator[bytes]:
        """The hashes that our own folder has files for, in no order."""
        for path in self.folder.glob(f"*{SUFFIX}"):
            with suppress(ValueError):
                yield bytes.fromhex(path.name.removesuffix(SUFFIX))

    def discard(self, hashes: Iterable[bytes], older_than: float = 0.0) -> int:
        """Remove files from our own folder, but what is not published yet; how many.

        Args:
            older_than: only files written before that time, in seconds since 1970.
        """
        removed = 0
        unpublished = set(self._unpublished()) if self._target is not None else set()
        for h in set(hashes) - unpublished:
            path = self.path(h)
            with suppress(FileNotFoundError):
                if not older_than or path.stat().st_mtime < older_than:
                    path.unlink()
                    removed += 1
        return removed

    def own(self, h: bytes) -> State | None:
        """A state of our own folder. A file that is not that state is set aside."""
        path = self.path(h)
        try:
            return unpack(path.read_bytes(), h)
        except OSError:
            return None
        except MalformedStateError as error:
            log.warning("snapshot set aside", file=path.name, reason=str(error))
            path.rename(path.with_suffix(".corrupt"))
            return None

    def _unpublished(self) -> list[bytes]:
        names = sorted(path.name for path in (self.folder / UNPUBLISHED).glob("?" * 64))
        return [bytes.fromhex(name) for name in names]


class PackedSnapshots(SnapshotStore):
    """The same with packs instead of a file for each state, and what was used last in memory.

    A state that replaces the newest of its beast in memory goes to a pack now and then only: after
    a kill, the few windows since are computed again.

    Args:
        folder: of our own packs.
        memory: bytes for states in memory.
        disk: bytes for the packs.
    """

    def __init__(
        self,
        folder: Path,
        sources: Sequence[PublishedStates] = (),
        *,
        memory: int = MEMORY_BYTES,
        disk: int = DISK_BYTES,
    ) -> None:
        super().__init__(folder, sources)
        self._packs = PackStore(folder, disk)
        self._room = max(1, memory // ENCODED_BYTES)
        self._recent: OrderedDict[bytes, bytes] = OrderedDict()
        self._unwritten: dict[int, bytes] = {}

    def has(self, h: bytes) -> bool:
        return h in self._recent or h in self._packs

    def put(self, state: State, *, publish: bool = True) -> bytes:
        h = state_hash(state)
        self._keep(h, state)
        return h

    def keep(self, encoded: Iterable[tuple[bytes, bytes]], durable: Collection[bytes] = ()) -> None:
        """Keep encoded states of windows that were judged, each with its hash.

        Args:
            durable: hashes of those that a kill must not lose.

        Raises:
            OSError: the disk is full; what was to be written is in memory.
        """
        written = []
        for h, data in encoded:
            beast = _group(data)
            self._recent[h] = data
            self._recent.move_to_end(h)
            if h in durable:
                written.append((h, beast, data))
                self._unwritten.pop(beast, None)
            elif h not in self._packs:
                self._unwritten[beast] = h
        while len(self._recent) > self._room:
            h, data = self._recent.popitem(last=False)
            beast = _group(data)
            if self._unwritten.get(beast) == h:  # the newest of its beast
                written.append((h, beast, data))
                del self._unwritten[beast]
        self._write(written)

    def encoded(self, h: bytes) -> bytes | None:
        """An encoded state of our own, its hash not looked at where it is in memory."""
        data = self._recent.get(h)
        if data is not None:
            self._recent.move_to_end(h)
            return data
        state = self._unpacked(h)
        if state is None:
            return None
        data = encode_state(state)
        self._recent[h] = data
        return data

    def own(self, h: bytes) -> State | None:
        data = self.encoded(h)
        return None if data is None else decode_state(data)

    def hashes(self) -> Iterator[bytes]:
        return iter({*self._recent, *self._packs.hashes()})

    def flush(self) -> None:
        """Write what is in memory alone, the newest of each beast."""
        waiting = {h: beast for beast, h in self._unwritten.items()}
        self._unwritten = {}
        self._write([(h, beast, self._recent[h]) for h, beast in waiting.items()])

    def close(self) -> None:
        """Write what is in memory alone, and let the files go."""
        self.flush()
        self._packs.close()

    def _keep(self, h: bytes, state: State) -> None:
        # Of no beast, as far as we know: who publishes states may write any number into them, and
        # the newest of each beast is kept beyond the budget.
        data = encode_state(state)
        self._write([(h, NO_GROUP, data)])
        self._recent[h] = data

    def _unpacked(self, h: bytes) -> State | None:
        packed = self._packs.get(h)
        if packed is None:
            return None
        try:
            return unpack(packed, h)
        except MalformedStateError as error:
            log.warning("state in a pack dropped", h=h, reason=str(error))
            self._packs.drop(h)
            return None

    def _write(self, states: Sequence[tuple[bytes, int, bytes]]) -> None:
        new = [one for one in states if one[0] not in self._packs]
        try:
            self._packs.put([(h, beast, compress(data)) for h, beast, data in new])
        except OSError:
            self._unwritten.update((beast, h) for h, beast, _ in new if h in self._recent)
            raise


def _is_left(note: Path) -> bool:
    """Whether whoever made a note is no more at work."""
    with suppress(FileNotFoundError):
        return note.stat().st_mtime < time.time() - LEFT_SECONDS
    return True


def _group(encoded: bytes) -> int:
    """The beast of an encoded state, as far as a pack tells them apart."""
    return int.from_bytes(encoded[24:32])


def publishing_store(own: Path, places: Sequence[str]) -> SnapshotStore:
    """A trainer's store: it publishes to the first place named and reads from all of them.

    Nothing is asked of them yet: what an earlier run could not publish goes out with ``publish``.

    Args:
        own: the folder to use if none is named, and to keep states in besides a remote one.

    Raises:
        ChainBeastsError: the first place cannot be written, or one of them is none.
    """
    opened = [PublishedStates(open_place(url)) for url in places]
    if not opened:
        return SnapshotStore(own)
    first = opened[0].place
    if not first.writable:
        raise ChainBeastsError(
            f"{first.url} can only be read, and states are published to the first place named.",
            "Name a folder or s3://bucket/prefix first; a web server may serve that folder.",
        )
    if first.folder is not None:
        return SnapshotStore(first.folder, opened[1:])
    return SnapshotStore(own, opened, target=opened[0])


def reading_store(own: Path, places: Sequence[str], seconds: float = SECONDS) -> SnapshotStore:
    """A reader's store: its own folder, and the places where trainers publish.

    Args:
        seconds: for one request to a place.

    Raises:
        ChainBeastsError: one of them is no place.
    """
    return SnapshotStore(own, _sources(places, seconds))


def packed_store(
    own: Path,
    places: Sequence[str],
    *,
    memory: int = MEMORY_BYTES,
    disk: int = DISK_BYTES,
) -> PackedSnapshots:
    """A validator's store: its own packs, and the places where trainers publish.

    Raises:
        ChainBeastsError: one of them is no place.
    """
    return PackedSnapshots(own, _sources(places), memory=memory, disk=disk)


def _sources(places: Sequence[str], seconds: float = SECONDS) -> list[PublishedStates]:
    return [PublishedStates(open_place(url, seconds=seconds)) for url in places]
