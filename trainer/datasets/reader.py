"""Reads battle records in any of our formats, and names what is wrong in them.

Nothing is repaired and nothing is skipped: a file is taken whole or refused.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from pathlib import Path

from chainbeasts.backend.errors import ChainBeastsError
from chainbeasts.backend.kernel.constants import MAX_RECORDS
from chainbeasts.backend.store.private import WORD_BYTES, unpack_words, words_of
from chainbeasts.trainer.datasets import hdf5
from chainbeasts.trainer.datasets.columns import (
    COLUMNS,
    OPTIONAL,
    RecordError,
    check_header,
    checked,
    word_of_row,
)

MAX_FILE_BYTES = 32 * 1024 * 1024
"""More than any CSV of 65,536 records has; read before anything is looked at."""

CSV_SUFFIX = ".csv"
ZSTD_MAGIC = b"\x28\xb5\x2f\xfd"


def read_records(path: Path) -> tuple[int, ...]:
    """The words of a file, as ``parse_records`` finds them.

    Raises:
        ChainBeastsError: it cannot be read, is empty or too long, or a record is not valid; the
            message names the row and the reason.
    """
    return parse_records(path.name, read_bytes(path))


def checks_itself(data: bytes) -> bool:
    """Whether its own bytes tell that a file was cut short: they say its length or its hash."""
    return data.startswith((hdf5.MAGIC, ZSTD_MAGIC))


def parse_records(name: str, data: bytes, *, whole: bool = False) -> tuple[int, ...]:
    """The words of a file's bytes: HDF5 and zstd by how they begin, CSV by its name or header,
    else 32-byte words.

    Args:
        whole: a length or a checksum vouches that nothing is missing at the end.

    Raises:
        ChainBeastsError: there are none or too many, or a record is not valid; the message names
            the row and the reason.
    """
    if data.startswith(hdf5.MAGIC):
        words = hdf5.decode(name, data)
    elif data.startswith(ZSTD_MAGIC):
        words = unpack_words(data)
    elif name.lower().endswith(CSV_SUFFIX) or _begins_like_csv(data):
        return _some(name, tuple(_csv_words(name, data, whole)))
    else:
        count, rest = divmod(len(data), WORD_BYTES)
        if rest:
            reason = f"it has {rest} bytes instead of {WORD_BYTES}"
            raise _refuse(f"{name}, record {count + 1}", reason)
        _count(name, f"record {MAX_RECORDS + 1}", count)
        words = words_of(data)
    for number, word in enumerate(words, start=1):
        try:
            checked(word)
        except RecordError as error:
            raise _refuse(f"{name}, record {number}", error) from None
    return _some(name, words)


def _some(name: str, words: tuple[int, ...]) -> tuple[int, ...]:
    if not words:
        raise ChainBeastsError(f"{name} has no records.", "Give 1 to 65,536 of them.")
    return words


def read_bytes(path: Path) -> bytes:
    """A dataset's file, no further than any has a right to be long.

    Raises:
        ChainBeastsError: it cannot be read, or is too long.
    """
    try:
        with path.open("rb") as file:
            data = file.read(MAX_FILE_BYTES + 1)
    except OSError as error:
        raise ChainBeastsError(
            f"The dataset {path} cannot be read ({error.strerror}).", "Check the path and rights."
        ) from None
    if len(data) > MAX_FILE_BYTES:
        raise ChainBeastsError(
            f"{path.name} has over {MAX_FILE_BYTES} bytes.",
            f"A dataset has at most {MAX_RECORDS} records.",
        )
    return data


def _begins_like_csv(data: bytes) -> bool:
    """Whether the first line names a column; a word of 32 bytes begins with its flags, 0 or 1."""
    first = data.lstrip()[:1024].split(b"\n", 1)[0]
    return any(name.encode("ascii") in first for name in COLUMNS)


def _refuse(place: str, reason: object) -> ChainBeastsError:
    return ChainBeastsError(f"{place}: {reason}.", "Correct the record, or leave it out.")


def _refuse_header(place: str, reason: object) -> ChainBeastsError:
    return ChainBeastsError(
        f"{place}: {reason}.",
        f"The first line names the columns, with commas between them: {', '.join(COLUMNS)}; "
        f"{' and '.join(OPTIONAL)} may be left out.",
    )


def _count(name: str, place: str, number: int) -> None:
    if number > MAX_RECORDS:
        raise ChainBeastsError(
            f"{name}, {place}: a dataset has at most {MAX_RECORDS} records.",
            "Split the file; a beast has one dataset.",
        )


def _csv_words(name: str, data: bytes, whole: bool) -> Iterator[int]:
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise _refuse(f"{name}, line {line}", "the bytes are not UTF-8 text") from None
    rows = csv.reader(io.StringIO(text, newline=""), strict=True)
    header: list[str] | None = None
    number = 0
    try:
        for row in rows:
            if not row:
                continue
            if header is None:
                header = [cell.strip() for cell in row]
                check_header(header)
                continue
            number += 1
            _count(name, f"line {rows.line_num}", number)
            if len(row) != len(header):
                raise RecordError(f"the row has {len(row)} cells instead of {len(header)}")
            yield word_of_row(dict(zip(header, row, strict=True)))
        if number and not whole and not text.endswith(("\n", "\r")):
            raise ChainBeastsError(
                f"{name}, line {rows.line_num} (record {number}): the line does not end, and so "
                "may have been cut short.",
                "Compare the record with its source, then end the file with a newline.",
            )
    except (RecordError, csv.Error) as error:
        if number == 0:
            raise _refuse_header(f"{name}, line {rows.line_num}", error) from None
        place = f"{name}, line {rows.line_num}" + (f" (record {number})" if number else "")
        raise _refuse(place, error) from None
