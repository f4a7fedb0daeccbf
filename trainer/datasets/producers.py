"""Where samples come from: one small protocol, and the producers that need no network."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Protocol

from chainbeasts.backend.errors import ChainBeastsError
from chainbeasts.backend.kernel.rules import Rules
from chainbeasts.trainer.datasets import hdf5
from chainbeasts.trainer.datasets.columns import RecordError, checked
from chainbeasts.trainer.datasets.generate import DEFAULT_RECORDS, DEFAULT_SEED, battle_words
from chainbeasts.trainer.datasets.reader import CSV_SUFFIX, parse_records, read_bytes


class Producer(Protocol):
    """A source of board words: always the same ones in the same order, perhaps more one day."""

    @property
    def name(self) -> str:
        """For messages."""
        ...

    def version(self) -> str:
        """A token; where it changes, words that were produced before may have changed too.

        Touches neither the network nor the source.
        """
        ...

    def words(self, start: int = 0) -> Iterator[int]:
        """The words from number ``start`` on; every one is valid.

        Raises:
            ChainBeastsError: the source cannot be read, or is no dataset.
        """
        ...


class MemoryProducer:
    """Words that are at hand.

    Args:
        version: changed by whoever changes the words.
    """

    def __init__(self, words: Sequence[int], name: str = "memory", version: str = "1") -> None:
        self.name = name
        self._words = words
        self._version = version

    def version(self) -> str:
        return f"memory:{self.name}:{self._version}"

    def words(self, start: int = 0) -> Iterator[int]:
        for number, word in enumerate(self._words[start:], start + 1):
            try:
                yield checked(word)
            except (RecordError, OverflowError) as error:
                raise ChainBeastsError(f"{self.name}, record {number}: {error}.") from None


class GeneratedProducer:
    """Words of matches that the combat engine plays; the same seed gives the same words."""

    def __init__(
        self, count: int = DEFAULT_RECORDS, seed: int = DEFAULT_SEED, rules: Rules | None = None
    ) -> None:
        self.name = f"{count} generated records"
        self._count, self._seed, self._rules = count, seed, rules or Rules()

    def version(self) -> str:
        """Its number of words is part of it: a cache of more or fewer is of no use."""
        return f"generated:{self._count}:{self._seed}:{self._rules.values()}"

    def words(self, start: int = 0) -> Iterator[int]:
        for number, word in enumerate(battle_words(self._count, self._seed, self._rules)):
            if number >= start:
                yield word


class FileProducer:
    """A file of records in any of our formats.

    Args:
        version: changed by whoever edits records that were there before; appending needs none.
    """

    def __init__(self, path: Path | str, version: str = "1") -> None:
        self.path = Path(path)
        self.name = str(path)
        self._version = version

    def version(self) -> str:
        return f"file:{self.path.absolute()}:{self._version}"

    def words(self, start: int = 0) -> Iterator[int]:
        data = read_bytes(self.path)
        self._check(data)
        yield from parse_records(self.path.name, data)[start:]

    def _check(self, data: bytes) -> None:
        """Refuse a file of another format than the producer's."""


class CsvProducer(FileProducer):
    """A CSV file, one column per field of a word."""

    def words(self, start: int = 0) -> Iterator[int]:
        data = read_bytes(self.path)
        yield from parse_records(self.path.stem + CSV_SUFFIX, data)[start:]


class Hdf5Producer(FileProducer):
    """An HDF5 file as ``dataset_convert`` makes them."""

    def _check(self, data: bytes) -> None:
        if not data.startswith(hdf5.MAGIC):
            raise ChainBeastsError(
                f"{self.path.name} is not an HDF5 file.",
                "Make one: dataset_convert --csv IN -o OUT.hdf5",
            )
