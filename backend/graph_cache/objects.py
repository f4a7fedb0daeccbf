"""The folder of compiled kernels: an object, and a record that says what it is and hashes it.

Nothing is loaded that the record does not vouch for, or that others could have put there.
"""

from __future__ import annotations

import hashlib
import json
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import structlog

from chainbeasts.backend.cache import cache_dir, make_folder, sweep_unfinished, write_atomic
from chainbeasts.backend.documents import parse_json
from chainbeasts.backend.errors import ChainBeastsError
from chainbeasts.backend.locks import LockHeldError, ProcessLock

log = structlog.get_logger()

KIND = "kernels"
WRITABLE_BY_OTHERS = stat.S_IWGRP | stat.S_IWOTH

COMPILE_SECONDS = 120.0
"""Another process that compiles the same kernel is waited for so long; it takes seconds."""


class CacheError(ChainBeastsError):
    """The cache's folder cannot be used."""


@dataclass(frozen=True, slots=True)
class Variation:
    """Everything that an object depends on.

    Attributes:
        graph: name of the graph, with sizes, awake slots and kernel id.
        source: SHA-256 of the C source, hex.
        compiler: what the compiler says of itself.
        flags: what it is called with.
        target: name of the target.
    """

    graph: str
    source: str
    compiler: str
    flags: tuple[str, ...]
    target: str

    @property
    def digest(self) -> str:
        """SHA-256 of all of it, hex; the object's name."""
        text = json.dumps(asdict(self), sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class CachedObject:
    """One compiled kernel on disk.

    Attributes:
        size: bytes.
        created: seconds since 1970.
        hits: how often it was loaded, on all machines that share the folder.
    """

    digest: str
    variation: Variation
    path: Path
    size: int
    created: float
    hits: int


class ObjectCache:
    """Compiled kernels by digest.

    Args:
        folder: where; the project's cache if None.
    """

    def __init__(self, folder: Path | None = None) -> None:
        try:
            self.folder = cache_dir(KIND) if folder is None else folder
            make_folder(self.folder)
        except OSError as error:
            raise CacheError(
                f"The kernel cache {error.filename} cannot be made: {error.strerror}.",
                "Set HARMONICS_CACHE_DIR to a folder that you can write.",
            ) from None

    @contextmanager
    def lock(self, digest: str) -> Iterator[None]:
        """Held while an object is made, so that processes that start together compile once."""
        try:
            path = self.folder / f"{digest}.lock"
            lock = ProcessLock(path, "a kernel is compiled", 0o600, seconds=COMPILE_SECONDS)
            lock.acquire()
        except OSError:  # where nothing can be written there is nothing to agree on
            yield
            return
        except LockHeldError as error:  # to compile twice is better than to stand still with it
            log.warning("a kernel is compiled beside another process", reason=str(error))
            yield
            return
        try:
            yield
        finally:
            lock.release()

    def find(self, digest: str) -> CachedObject | None:
        """The object of a digest if it is there, whole, ours and as recorded; else None."""
        if not self.path(digest).exists():
            return None
        refused = self.refusal(digest)
        if refused is not None:
            log.warning("a cached kernel is not used", digest=digest[:16], reason=refused)
            return None
        return self._read(digest)

    def find_for(self, graph: str, source: str, target: str) -> CachedObject | None:
        """Any object of a graph, source and target, whoever compiled it."""
        for kept in self.all():
            found = (kept.variation.graph, kept.variation.source, kept.variation.target)
            if found == (graph, source, target) and self.find(kept.digest) is not None:
                return kept
        return None

    def put(self, variation: Variation, data: bytes) -> CachedObject:
        """Keep an object: first the record that vouches for it, so that it is never without one.

        Raises:
            CacheError: the folder cannot be written.
        """
        digest = variation.digest
        record = {
            **asdict(variation),
            "sha256": hashlib.sha256(data).hexdigest(),
            "created": datetime.now(UTC).timestamp(),
        }
        try:
            self.path(digest).unlink(missing_ok=True)
            self._hits(digest).unlink(missing_ok=True)
            write_atomic(self._record(digest), json.dumps(record, indent=2).encode(), mode=0o644)
            write_atomic(self.path(digest), data, mode=0o755)
        except OSError as error:
            raise CacheError(
                f"The kernel cache {self.folder} cannot be written: {error.strerror}."
            ) from None
        found = self._read(digest)
        assert found is not None
        return found

    def count_hit(self, digest: str) -> None:
        """One byte more in the file of hits; appending is atomic, and failing does no harm."""
        try:
            handle = os.open(self._hits(digest), os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
            try:
                os.write(handle, b"\n")
            finally:
                os.close(handle)
        except OSError:
            return

    def all(self) -> list[CachedObject]:
        """Every recorded object, newest first; none of them checked."""
        found = (self._read(record.stem) for record in self.folder.glob("*.json"))
        return sorted((one for one in found if one), key=lambda one: -one.created)

    def clear(self) -> int:
        """Remove every object, also damaged ones; how many there were.

        Raises:
            CacheError: a file cannot be removed.
        """
        objects = list(self.folder.glob("*.so"))
        try:
            for suffix in ("so", "json", "hits", "lock"):
                for path in self.folder.glob(f"*.{suffix}"):
                    path.unlink(missing_ok=True)
            sweep_unfinished(self.folder, again=True)
        except OSError as error:
            raise CacheError(f"{error.filename} cannot be removed: {error.strerror}.") from None
        return len(objects)

    def refusal(self, digest: str) -> str | None:
        """Why an object must not be loaded; None if it may be."""
        path, record = self.path(digest), self._record(digest)
        try:
            for item in (self.folder, path, record):
                found = item.lstat()
                if stat.S_ISLNK(found.st_mode):
                    return f"{item.name} is a link"
                if found.st_mode & WRITABLE_BY_OTHERS:
                    return f"{item.name} can be written by others (chmod go-w)"
                if found.st_uid not in (os.getuid(), 0):
                    return f"{item.name} belongs to another user"
            recorded = str(parse_json(record.read_bytes())["sha256"])
            actual = hashlib.sha256(path.read_bytes()).hexdigest()
        except (OSError, ValueError, KeyError, TypeError):
            return "it has no readable record"
        known = self._read(digest)
        if known is None or known.variation.digest != digest:
            return "its record is another object's"
        return None if actual == recorded else "it is not as recorded"

    def is_ours_alone(self) -> bool:
        """Whether nobody else could put anything into the folder, or in the place of something."""
        try:
            found = self.folder.lstat()
        except OSError:
            return False
        return found.st_uid == os.getuid() and not found.st_mode & WRITABLE_BY_OTHERS

    def path(self, digest: str) -> Path:
        """Where an object lies."""
        return self.folder / f"{digest}.so"

    def _record(self, digest: str) -> Path:
        return self.folder / f"{digest}.json"

    def _hits(self, digest: str) -> Path:
        return self.folder / f"{digest}.hits"

    def _read(self, digest: str) -> CachedObject | None:
        path = self.path(digest)
        try:
            values: dict[str, Any] = parse_json(self._record(digest).read_bytes())
            variation = Variation(
                str(values["graph"]),
                str(values["source"]),
                str(values["compiler"]),
                tuple(str(flag) for flag in values["flags"]),
                str(values["target"]),
            )
            created, size = float(values["created"]), path.stat().st_size
        except (OSError, ValueError, KeyError, TypeError):
            return None
        hits = self._hits(digest)
        count = hits.stat().st_size if hits.exists() else 0
        return CachedObject(digest, variation, path, size, created, count)
