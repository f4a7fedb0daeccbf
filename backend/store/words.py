"""Board words by ``keccak256(word)``: a cache that match logs fill, and anybody's answers may.

A key pins its word, so it does not matter where a word came from. Which words make a match is not
known here; see ``words_of_match``.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from eth_hash.auto import keccak
from sqlalchemy import select
from sqlalchemy.orm import Session

from chainbeasts.backend.kernel.board import word_bytes
from chainbeasts.backend.store.columns import AT_ONCE, insert_new
from chainbeasts.backend.store.matches import MatchRecordRow, RecordStatus, WordRow


def word_key(word: int) -> bytes:
    """The key of a word: keccak-256 of its 32 bytes."""
    return bytes(keccak(word_bytes(word)))


def keep_words(session: Session, words: Iterable[int]) -> list[bytes]:
    """Put words in the cache; their keys, in the order given."""
    words = list(words)
    given = {word_key(word): word_bytes(word) for word in words}
    insert_new(session, WordRow, [{"key": key, "word": data} for key, data in given.items()])
    return [word_key(word) for word in words]


def word_by_key(session: Session, key: bytes) -> bytes | None:
    """The 32 bytes of a word; None if the cache does not have it."""
    return session.scalar(select(WordRow.word).where(WordRow.key == key))


def words_by_keys(session: Session, keys: Sequence[bytes]) -> dict[bytes, int]:
    """Those words of some keys that the cache has."""
    found: dict[bytes, int] = {}
    wanted = sorted(set(keys))
    for start in range(0, len(wanted), AT_ONCE):
        some = select(WordRow).where(WordRow.key.in_(wanted[start : start + AT_ONCE]))
        found |= {row.key: int.from_bytes(row.word) for row in session.scalars(some)}
    return found


def record_of_match(session: Session, match_id: int) -> MatchRecordRow | None:
    """The record of a match that stands or is final."""
    return session.scalar(
        select(MatchRecordRow)
        .where(MatchRecordRow.match_id == match_id)
        .where(MatchRecordRow.status != RecordStatus.DISPROVED)
    )


def words_of_match(session: Session, match_id: int) -> tuple[int, ...] | None:
    """The log of a match's present record; None without one, or if the cache lacks a word of it."""
    record = record_of_match(session, match_id)
    if record is None:
        return None
    known = words_by_keys(session, keys := record.word_keys)
    return tuple(known[key] for key in keys) if known.keys() >= set(keys) else None
