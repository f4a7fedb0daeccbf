"""Battle records as rows of text: one column per field of a board word (docs/spec/rules.md §2).

Reads and writes single rows; files are read in reader, compressed in pack.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import fields

from chainbeasts.backend.kernel.board import (
    LAST_HEADING,
    NO_HEADING,
    Creature,
    Position,
    invalid_reason,
    pack,
    unpack,
)

CREATURE_FIELDS = tuple(field.name for field in fields(Creature))
"""pos, hp, stamina, temp_def, power, defense, last_action, heading: from the low end; the last two
share a byte."""

COLUMNS = (
    "walls",
    "hazards",
    *(f"{side}_{name}" for side in ("self", "enemy") for name in CREATURE_FIELDS),
    "turn",
    "flags",
)
"""The 20 columns: two boards of 64 bits in hex, two creatures, the turn and the flags."""

OPTIONAL = ("self_heading", "enemy_heading")
"""Columns that a header may lack: a creature that no record has seen move has no heading."""

_LARGEST = {"last_action": 3, "heading": LAST_HEADING}
"""Fields that are less than a byte: in a word, more would be read as another field's."""

_BOARDS = ("walls", "hazards")
_BOARD = re.compile("0[xX][0-9a-fA-F]{1,16}|[0-9a-fA-F]{16}")
"""A board in decimal digits would be read as another one: without 0x it has all its 16 digits."""

_WHOLE = re.compile("[0-9]+")
_MOST_DIGITS = 20
BYTE_MAX = 255


class RecordError(ValueError):
    """A record that cannot be trained on; the message is the reason, for a user."""


def _number(column: str, text: str) -> int:
    board = column in _BOARDS
    digits = text.strip()
    # Not by trying int(): it also takes underscores, signs and digits of other scripts.
    if (_BOARD if board else _WHOLE).fullmatch(digits) is None:
        wanted = "a board: 0x and up to 16 hexadecimal digits, or exactly 16"
        raise RecordError(
            f"{column} is {digits[:24]!r}, not {wanted if board else 'a whole number'}"
        )
    if board:
        return int(digits, 16)
    value = int(digits[:_MOST_DIGITS])
    if len(digits) > _MOST_DIGITS or value > BYTE_MAX:
        raise RecordError(f"{column} {digits[:24]} is over {BYTE_MAX}")
    return value


def check_header(names: Sequence[str]) -> None:
    """Make sure that a header names every column once and nothing else, in any order.

    Those of ``OPTIONAL`` may be missing.

    Raises:
        RecordError: a column is missing, unknown or named twice.
    """
    missing = [name for name in COLUMNS if name not in names and name not in OPTIONAL]
    unknown = [name for name in names if name not in COLUMNS]
    if missing:
        raise RecordError(f"column {missing[0]} is missing")
    if unknown:
        raise RecordError(f"column {unknown[0][:24]!r} is not known")
    twice = [name for name in names if list(names).count(name) > 1]
    if twice:
        raise RecordError(f"column {twice[0]} is named twice")


def word_of_row(row: Mapping[str, str]) -> int:
    """The valid board word of a row whose header ``check_header`` has accepted.

    Raises:
        RecordError: a value is no number or beyond its field, or the word is not valid.
    """
    values = dict.fromkeys(OPTIONAL, NO_HEADING)
    values |= {column: _number(column, text) for column, text in row.items()}
    me, enemy = (_creature(side, values) for side in ("self", "enemy"))
    position = Position(
        values["walls"], values["hazards"], me, enemy, values["turn"], values["flags"]
    )
    return checked(pack(position))


def _creature(side: str, values: Mapping[str, int]) -> Creature:
    for name, most in _LARGEST.items():
        value = values[f"{side}_{name}"]
        if value > most:
            raise RecordError(f"{side} {name} {value} is over {most}")
    return Creature(*(values[f"{side}_{name}"] for name in CREATURE_FIELDS))


def checked(word: int) -> int:
    """The word itself.

    Raises:
        RecordError: it is not a valid sample.
    """
    reason = invalid_reason(word)
    if reason is not None:
        raise RecordError(reason)
    return word


def row_of_word(word: int) -> list[str]:
    """The row of a word, in the order of ``COLUMNS``."""
    position = unpack(word)
    creatures = (position.self_, position.enemy)
    return [
        f"0x{position.walls:016x}",
        f"0x{position.hazards:016x}",
        *(str(getattr(side, name)) for side in creatures for name in CREATURE_FIELDS),
        str(position.turn),
        str(position.flags),
    ]
