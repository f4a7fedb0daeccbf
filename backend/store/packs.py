"""Many small blobs by their hash in few files, with a budget: one append for each, none of its own.

A pack is appended to by the process that began it, and never changed. What is found again after a
kill is what was written whole. Nothing here is the only copy of anything, so nothing waits for the
disk; a machine that dies may lose the newest blobs, and damage is the reader's to find by the hash.
"""

from __future__ import annotations

import errno
import os
import struct
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

HASH_BYTES = 32
ENTRY = struct.Struct(f">4sQI{HASH_BYTES}s")
"""Mark, group, length, hash; the blob follows."""

MEMORY_BYTES, DISK_BYTES = 256 << 20, 1 << 30
"""What a validator's own states may take, unless its operator says something else."""

MARK = b"pack"
SUFFIX = ".pack"
PACKS_PER_BUDGET = 16
"""The oldest of so many packs goes when the budget is used up."""

LARGEST_PACK, SMALLEST_PACK = 64 << 20, 1 << 16
MOST_BLOB = 1 << 20
NO_GROUP = 0
"""Of blobs of which none is kept beyond the budget."""


@dataclass(frozen=True, slots=True)
class _Place:
    pack: int
    offset: int
    length: int
    group: int


@dataclass
class _Pack:
    path: Path
    size: int = 0
    hashes: list[bytes] = field(default_factory=list)


class PackStore:
    """Blobs by hash. Of each group the newest is kept whatever the budget is.

    Args:
        folder: of the packs alone.
        budget: bytes that all packs may take, give or take one pack.
    """

    def __init__(self, folder: Path, budget: int) -> None:
        self.folder = folder
        self.budget = budget
        self._pack_bytes = max(SMALLEST_PACK, min(LARGEST_PACK, budget // PACKS_PER_BUDGET))
        self._places: dict[bytes, _Place] = {}
        self._newest: dict[int, bytes] = {}
        self._packs: OrderedDict[int, _Pack] = OrderedDict()
        self._reading: dict[int, int] = {}
        self._writing: int | None = None
        folder.mkdir(parents=True, exist_ok=True)
        for path in sorted(folder.glob(f"*{SUFFIX}")):
            self._open(path)

    def __contains__(self, h: bytes) -> bool:
        return h in self._places

    def hashes(self) -> Iterator[bytes]:
        """All hashes, in no order."""
        return iter(list(self._places))

    @property
    def size(self) -> int:
        """Bytes on disk."""
        return sum(pack.size for pack in self._packs.values())

    def get(self, h: bytes) -> bytes | None:
        """The blob of a hash; None if there is none."""
        place = self._places.get(h)
        if place is None:
            return None
        try:
            found = os.pread(self._reader(place.pack), place.length, place.offset)
        except FileNotFoundError:  # another process was over its budget
            self.drop(h)
            return None
        return found if len(found) == place.length else None

    def put(self, blobs: Sequence[tuple[bytes, int, bytes]]) -> None:
        """Add blobs: hash, group, bytes. Those that are there already are not written again.

        Raises:
            OSError: the disk is full, or cannot be written; what was not written is not there.
        """
        for h, group, blob in blobs:
            if h not in self._places:
                self._append(h, group, blob)
            if group != NO_GROUP:
                self._newest[group] = h
        self._evict()

    def drop(self, h: bytes) -> None:
        """Forget a blob that is not what its hash says; its bytes go with their pack."""
        place = self._places.pop(h, None)
        if place is not None and self._newest.get(place.group) == h:
            del self._newest[place.group]

    def close(self) -> None:
        """Let the files go."""
        for handle in self._reading.values():
            os.close(handle)
        self._reading.clear()
        if self._writing is not None:
            os.close(self._writing)
            self._writing = None

    # --- files ----------------------------------------------------------------------------------

    def _open(self, path: Path) -> None:
        try:
            number = int(path.name.removesuffix(SUFFIX))
        except ValueError:
            return
        pack, end = _Pack(path), path.stat().st_size
        with path.open("rb") as file:
            while (entry := _entry(file.read(ENTRY.size))) is not None:
                group, length, h = entry
                start = pack.size + ENTRY.size
                if start + length > end:
                    break
                self._note(number, pack, h, _Place(number, start, length, group))
                file.seek(start + length)
        self._packs[number] = pack  # a torn end is left: another process may be writing it

    def _note(self, number: int, pack: _Pack, h: bytes, place: _Place) -> None:
        pack.size = place.offset + place.length
        pack.hashes.append(h)
        self._places[h] = place
        if place.group != NO_GROUP:
            self._newest[place.group] = h

    def _append(self, h: bytes, group: int, blob: bytes) -> None:
        number, pack = self._current()
        assert self._writing is not None
        data = ENTRY.pack(MARK, group, len(blob), h) + blob
        try:
            write_whole(self._writing, data)
        except OSError:
            with suppress(OSError):
                os.ftruncate(self._writing, pack.size)
            raise
        place = _Place(number, pack.size + ENTRY.size, len(blob), group)
        self._note(number, pack, h, place)

    def _current(self) -> tuple[int, _Pack]:
        """The pack that is written; a new one where the last is full, or another process's."""
        if self._writing is not None:
            number, pack = next(reversed(self._packs.items()))
            if pack.size < self._pack_bytes:
                return number, pack
            os.close(self._writing)
            self._writing = None
        number = next(reversed(self._packs), 0)
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
        while self._writing is None:
            number += 1
            path = self.folder / f"{number:08d}{SUFFIX}"
            with suppress(FileExistsError):
                self._writing = os.open(path, flags, 0o644)
        pack = self._packs[number] = _Pack(path)
        return number, pack

    def _reader(self, number: int) -> int:
        handle = self._reading.get(number)
        if handle is None:
            handle = self._reading[number] = os.open(self._packs[number].path, os.O_RDONLY)
        return handle

    def _evict(self) -> None:
        """Remove the oldest packs that are too many, but carry over the newest of each group."""
        while self.size > self.budget and len(self._packs) > 1:
            number, pack = next(iter(self._packs.items()))
            mine = [h for h in pack.hashes if h in self._places and self._places[h].pack == number]
            kept = {h for h in mine if self._newest.get(self._places[h].group) == h}
            if sum(self._places[h].length for h in kept) > pack.size // 2:
                return  # most of it is needed: there are more groups than the budget has room for
            for h in mine:
                place, blob = self._places[h], self.get(h) if h in kept else None
                del self._places[h]
                if blob is not None:
                    self._append(h, place.group, blob)
            self._remove(number, pack)

    def _remove(self, number: int, pack: _Pack) -> None:
        handle = self._reading.pop(number, None)
        if handle is not None:
            os.close(handle)
        del self._packs[number]
        pack.path.unlink(missing_ok=True)


def write_whole(handle: int, data: bytes) -> None:
    """Append an entry.

    Raises:
        OSError: not all of it could be written.
    """
    written = os.write(handle, data)
    if written != len(data):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def _entry(data: bytes) -> tuple[int, int, bytes] | None:
    """Group, length and hash of an entry's beginning; None if it is none."""
    if len(data) != ENTRY.size:
        return None
    mark, group, length, h = ENTRY.unpack(data)
    return (group, length, h) if mark == MARK and length <= MOST_BLOB else None
