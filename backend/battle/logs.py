"""The logs of matches, from the cache of board words and, word by word, from peers.

A peer is trusted with nothing: each word must have its key, and the whole log the recorded root.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Self

import httpx
import structlog

from chainbeasts.backend.errors import ChainBeastsError
from chainbeasts.backend.kernel import merkle
from chainbeasts.backend.redact import redact_url
from chainbeasts.backend.store.matches import MatchRecordRow
from chainbeasts.backend.store.session import Database
from chainbeasts.backend.store.words import keep_words, record_of_match, word_key, words_by_keys

log = structlog.get_logger()

WORD_BYTES = 32
PEER_SECONDS = 5.0
"""For one word; a peer that fails is not asked for the log's other words."""

MOST_LOGS = 64
"""Logs in memory at once; one has up to 254 words."""


class MissingLogError(ChainBeastsError):
    """A match's log is not at hand."""


@dataclass(frozen=True, slots=True)
class Peers:
    """Other people's APIs.

    Attributes:
        urls: without a slash at the end.
    """

    urls: tuple[str, ...] = ()
    transport: httpx.BaseTransport | None = None

    def fetch(self, keys: Sequence[bytes]) -> dict[bytes, int]:
        """The words of some keys, as far as any peer has them."""
        found: dict[bytes, int] = {}
        for url in self.urls:
            left = [key for key in keys if key not in found]
            if not left:
                break
            with _Peer(url, self.transport) as peer:
                found |= peer.fetch(left)
        return found


class _Peer:
    def __init__(self, url: str, transport: httpx.BaseTransport | None) -> None:
        self._url = url
        self._client = httpx.Client(timeout=PEER_SECONDS, transport=transport)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._client.close()

    def fetch(self, keys: Sequence[bytes]) -> dict[bytes, int]:
        found: dict[bytes, int] = {}
        for key in keys:
            try:
                data = self._get(key)
            except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
                problem = str(error) or type(error).__name__
                log.warning("peer refused", peer=redact_url(self._url), problem=problem)
                break
            if data is not None:
                found[key] = int.from_bytes(data)
        return found

    def _get(self, key: bytes) -> bytes | None:
        """One word, no more than its 32 bytes read; None if the peer does not have it."""
        with self._client.stream("GET", f"{self._url}/v1/words/0x{key.hex()}") as answer:
            if answer.status_code == httpx.codes.NOT_FOUND:
                return None
            answer.raise_for_status()
            data = b""
            for chunk in answer.iter_bytes():
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
