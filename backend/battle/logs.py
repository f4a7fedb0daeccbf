"""The logs of matches, from the cache of board words and, word by word, from peers.

A peer is trusted with nothing: each word must have its key, and the whole log the recorded root.
"""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from collections.abc import Coroutine, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

import httpx
import structlog

from chainbeasts.backend.addresses import LookingUpLoop
from chainbeasts.backend.errors import ChainBeastsError
from chainbeasts.backend.kernel import merkle
from chainbeasts.backend.redact import redact_url
from chainbeasts.backend.remote import until_the_end
from chainbeasts.backend.signals import HungUpError
from chainbeasts.backend.store.matches import MatchRecordRow
from chainbeasts.backend.store.session import Database
from chainbeasts.backend.store.waits import Waits
from chainbeasts.backend.store.words import keep_words, record_of_match, word_key, words_by_keys

log = structlog.get_logger()

WORD_BYTES = 32
PEER_SECONDS = 5.0
"""Without a byte of a word; a peer that fails is not asked for the log's other words."""

LOG_SECONDS = 30.0
"""For all words of a log from one peer. What came by then is kept, so that a slow and honest peer
has given the whole log after a few times."""

AWAY_SECONDS, LONGEST_AWAY_SECONDS = 30.0, 600.0
MOST_AWAY = 256
"""Peers remembered as having failed."""

MOST_LOGS = 64
"""Logs in memory at once; one has up to 254 words."""


class MissingLogError(ChainBeastsError):
    """A match's log is not at hand."""


def _waits() -> Waits:
    return Waits(AWAY_SECONDS, LONGEST_AWAY_SECONDS, MOST_AWAY, time.monotonic)


@dataclass(frozen=True, slots=True)
class Peers:
    """Other people's APIs. One that fails is left alone for a while, longer each time.

    Attributes:
        urls: without a slash at the end.
        transport: instead of the network.
        seconds: for all that one call asks of one peer, the connection included.
        waits: those that failed, by URL.
    """

    urls: tuple[str, ...] = ()
    transport: httpx.AsyncBaseTransport | None = None
    seconds: float = LOG_SECONDS
    waits: Waits = field(default_factory=_waits, compare=False)

    def fetch(self, keys: Sequence[bytes]) -> dict[bytes, int]:
        """The words of some keys, as far as any peer has them. Not for a thread with an event loop.

        It takes no more than ``seconds`` a peer, and ends with the process.
        """
        found: dict[bytes, int] = {}
        for url in self.urls:
            left = [key for key in keys if key not in found]
            if not left:
                break
            if self.waits.due(url.encode()):
                found |= self._given(url, left)
        return found

    def _given(self, url: str, keys: Sequence[bytes]) -> dict[bytes, int]:
        """What a peer has of some words, as far as it comes in time."""
        found = dict[bytes, int]()
        with asyncio.Runner(loop_factory=LookingUpLoop) as runner, suppress(HungUpError):
            runner.run(self._ask(url, keys, found))
        return found

    async def _ask(self, url: str, keys: Sequence[bytes], found: dict[bytes, int]) -> None:
        try:
            # One limit over all of it: a peer that sends a byte of a header, or another interim
            # answer, now and then keeps each single read going.
            async with asyncio.timeout(self.seconds):
                await _until_the_end(self._words(url, keys, found))
        except TimeoutError:
            self._refuse(url, f"it takes longer than {self.seconds:g} s")
        except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
            self._refuse(url, str(error) or type(error).__name__)
        else:
            self.waits.done(url.encode())

    async def _words(self, url: str, keys: Sequence[bytes], found: dict[bytes, int]) -> None:
        """Add what a peer has of some words."""
        async with httpx.AsyncClient(timeout=PEER_SECONDS, transport=self.transport) as client:
            for key in keys:
                data = await _word(client, url, key)
                if data is not None:
                    found[key] = int.from_bytes(data)

    def _refuse(self, url: str, problem: str) -> None:
        self.waits.again(url.encode())
        log.warning("peer refused", peer=redact_url(url), problem=problem)


async def _until_the_end(work: Coroutine[None, None, None]) -> None:
    """Do some work, but not to its end once the process is to end.

    Raises:
        HungUpError: it is.
    """
    task = asyncio.ensure_future(work)
    try:
        while not task.done():
            await asyncio.wait([task], timeout=until_the_end())
        task.result()
    finally:
        if task.cancel():
            await asyncio.gather(task, return_exceptions=True)


async def _word(client: httpx.AsyncClient, url: str, key: bytes) -> bytes | None:
    """One word, no more than its 32 bytes read; None if the peer does not have it.

    Raises:
        httpx.HTTPError, httpx.InvalidURL: the peer is away, or refuses.
        ValueError: it sent something else.
    """
    # As it is: a hundred bytes of nested compression become megabytes before anybody counts them.
    headers = {"Accept-Encoding": "identity"}
    async with client.stream("GET", f"{url}/v1/words/0x{key.hex()}", headers=headers) as answer:
        if answer.status_code == httpx.codes.NOT_FOUND:
            return None
        answer.raise_for_status()
        if answer.headers.get("content-encoding", "identity").strip().lower() != "identity":
            raise ValueError("it compresses what must come as it is")
        data = b""
        async for chunk in answer.aiter_raw():
            data += chunk
            if len(data) > WORD_BYTES:
                raise ValueError("its word has more than 32 bytes")
    if len(data) != WORD_BYTES or word_key(int.from_bytes(data)) != key:
        raise ValueError("it sent another word than it was asked for")
    return data


def parse_peers(text: str | None) -> Peers:
    """Peers from a setting: URLs with spaces between.

    Raises:
        ChainBeastsError: one is no http or https URL, or carries credentials.
    """
    urls = []
    for given in (text or "").split():
        try:
            url = httpx.URL(given)
        except httpx.InvalidURL:
            url = httpx.URL()
        if url.scheme not in ("http", "https") or not url.host or url.userinfo:
            raise ChainBeastsError(
                f"{redact_url(given)} is no peer.", "Peers are http(s)://HOST:PORT, bare."
            )
        urls.append(given.rstrip("/"))
    return Peers(tuple(urls))


class MatchLogs:
    """Reads logs; what peers give is kept in the cache."""

    def __init__(self, database: Database, peers: Peers | None = None) -> None:
        self._database = database
        self._peers = peers or Peers()
        self._known: OrderedDict[tuple[int, bytes], tuple[int, ...]] = OrderedDict()

    def words(self, match_id: int) -> tuple[int, ...]:
        """The log of a match's record that stands or is final, checked against its root.

        Raises:
            MissingLogError: there is no record, or no place has all of its words.
        """
        with self._database.session() as session:
            record = record_of_match(session, match_id)
        if record is None:
            raise MissingLogError(
                f"Match {match_id} has no record here.", f"See: chainbeasts battle show {match_id}"
            )
        place = (match_id, record.log_root)
        if place not in self._known:
            self._known[place] = self._read(record)
            if len(self._known) > MOST_LOGS:
                self._known.popitem(last=False)
        return self._known[place]

    def _read(self, record: MatchRecordRow) -> tuple[int, ...]:
        keys = record.word_keys
        with self._database.session() as session:
            found = words_by_keys(session, keys)
        missing = [key for key in dict.fromkeys(keys) if key not in found]
        if missing:
            fetched = self._peers.fetch(missing)
            with self._database.session() as session:
                keep_words(session, fetched.values())
            found |= fetched
        if any(key not in found for key in keys):
            raise MissingLogError(
                f"{sum(key not in found for key in missing)} words of match {record.match_id}'s "
                "log are neither here nor at a peer.",
                "Name somebody's API with CHAINBEASTS_PEERS, or read the chain again: "
                "chainbeasts db reindex",
            )
        words = tuple(found[key] for key in keys)
        if merkle.root(words) != record.log_root:
            raise MissingLogError(
                f"The log of match {record.match_id} does not have the recorded root.",
                "The node's logs are wrong: use another node, and chainbeasts db reindex.",
            )
        return words
