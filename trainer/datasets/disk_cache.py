"""Keeps what a producer produced, so that the next run needs neither network nor source.

One file per cache: a line of JSON (token, count, hash), then the words. It is replaced whole, so a
reader beside a writer sees the old words or the new ones.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path

import structlog

from chainbeasts.backend.cache import cache_dir, remove_unfinished, write_atomic
from chainbeasts.backend.errors import ChainBeastsError
from chainbeasts.backend.kernel.constants import MAX_RECORDS
from chainbeasts.backend.locks import ProcessLock
from chainbeasts.backend.store.private import WORD_BYTES, words_of
from chainbeasts.trainer.datasets.formats import to_binary
from chainbeasts.trainer.datasets.producers import Producer

log = structlog.get_logger()

KIND = "datasets"
FORMAT = "chainbeasts.dataset-cache/1"
MAX_HEADER = 4096
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")

READ_SECONDS = 900.0
"""Longest wait for another process that reads the same dataset; a download takes 600 at most."""


class DiskCacheProducer:
    """A producer in front of another one, with a file between them.

    While the file is whole and has the base's token, the source is not touched at all. Another
    token discards the file. ``revalidate`` reads the source all the same: words that have come
    since are appended, and changed ones discard the file.

    Args:
        cache_name: of the file under ``datasets`` of the cache folder.
        revalidate: read the source at each call of ``words``.

    Raises:
        ChainBeastsError: the name is no plain file name.
    """

    def __init__(self, base: Producer, cache_name: str, *, revalidate: bool = False) -> None:
        if not NAME.fullmatch(cache_name) or cache_name.endswith(".lock"):
            raise ChainBeastsError(
                f"{cache_name!r} cannot name a cache.", "Use letters, digits, dots and dashes."
            )
        self.base = base
        self.name = base.name
        self.cache_name = cache_name
        self._revalidate = revalidate

    @property
    def path(self) -> Path:
        """The cache's file.

        Raises:
            OSError: the cache folder cannot be made.
        """
        return cache_dir(KIND) / self.cache_name

    def version(self) -> str:
        """The base's token."""
        return self.base.version()

    def words(self, start: int = 0) -> Iterator[int]:
        """The words, kept or produced and then kept.

        Raises:
            ChainBeastsError: nothing is kept, and the base cannot be read.
        """
        kept = self._load()
        if self._serves(kept):
            assert kept is not None
            yield from kept[1][start:]
        else:
            yield from self._refresh()[start:]

    def append(self) -> int:
        """Take over what the source has beyond what is kept; how many words those were.

        Only those are asked of the base, whose token vouches for the others; ``revalidate`` is for
        sources of which that cannot be said.

        Raises:
            ChainBeastsError: the base cannot be read.
        """
        with self._writing() as locked:
            kept = self._load() if locked else None
            token = self.base.version()
            known = kept[1] if kept is not None and kept[0] == token else ()
            new = self._pull(len(known))
            if new:
                self._store(token, known + new)
            return len(new)

    def _serves(self, kept: tuple[str, tuple[int, ...]] | None) -> bool:
        return kept is not None and not self._revalidate and kept[0] == self.base.version()

    @contextmanager
    def _writing(self) -> Iterator[bool]:
        """One writer at a time; False where there is no place for a lock."""
        try:
            path = self.path.with_name(self.cache_name + ".lock")
            lock = ProcessLock(path, "the dataset is read", 0o600, seconds=READ_SECONDS)
            lock.acquire()
        except OSError as error:
            self._warn_unkept(error)
            yield False
            return
        try:
            remove_unfinished(self.path)  # under the lock, so that nobody is writing it
            yield True
        finally:
            lock.release()

    def _refresh(self) -> tuple[int, ...]:
        with self._writing() as locked:
            return self._update(self._load()) if locked else self._pull()

    def _update(self, kept: tuple[str, tuple[int, ...]] | None) -> tuple[int, ...]:
        """Bring the file up to date; another process may have done so while we waited."""
        if kept is not None and self._serves(kept):
            return kept[1]
        token = self.base.version()
        words = self._pull()
        if kept is not None:
            before, known = kept
            if before == token and words == known:
                return known
            if before == token and words[: len(known)] == known:
                log.info("dataset has grown", cache=self.cache_name, new=len(words) - len(known))
            else:
                log.warning("dataset has changed, cache discarded", cache=self.cache_name)
        self._store(token, words)
        return words

    def _pull(self, start: int = 0) -> tuple[int, ...]:
        """The base's words from ``start`` on: some in all, and no more than a dataset may have."""
        limit = MAX_RECORDS - start
        words = tuple(islice(self.base.words(start), limit + 1))
        if len(words) > limit:
            raise ChainBeastsError(f"{self.name} has over {MAX_RECORDS} records.", "Split it.")
        if not start and not words:
            raise ChainBeastsError(f"{self.name} has no records.", "Give 1 to 65,536 of them.")
        return words

    def _store(self, token: str, words: tuple[int, ...]) -> None:
        try:
            # A producer's words may be somebody's private records, and this folder is everybody's.
            write_atomic(self.path, _encode(token, words), mode=0o600)
        except OSError as error:
            self._warn_unkept(error)

    def _warn_unkept(self, error: OSError) -> None:
        log.warning("dataset not cached", cache=self.cache_name, reason=error.strerror)

    def _load(self) -> tuple[str, tuple[int, ...]] | None:
        """Token and words of the file; None if there is none that is whole."""
        try:
            with self.path.open("rb") as file:
                data = file.read(MAX_HEADER + MAX_RECORDS * WORD_BYTES + 1)
        except OSError:
            return None
        found = _decode(data)
        if found is None:
            log.warning("dataset cache is damaged and not used", cache=self.cache_name)
        return found


def _encode(token: str, words: tuple[int, ...]) -> bytes:
    body = to_binary(words)
    header = {
        "format": FORMAT,
        "token": token,
        "count": len(words),
        "sha256": hashlib.sha256(body).hexdigest(),
    }
    return json.dumps(header).encode() + b"\n" + body


def _decode(data: bytes) -> tuple[str, tuple[int, ...]] | None:
    line, _, body = data.partition(b"\n")
    if len(line) > MAX_HEADER:
        return None
    try:
        header = json.loads(line)
        whole = (
            header["format"] == FORMAT
            and header["count"] * WORD_BYTES == len(body)
            and header["sha256"] == hashlib.sha256(body).hexdigest()
        )
        token = str(header["token"])
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
    words = words_of(body) if whole else ()
    return (token, words) if words else None
