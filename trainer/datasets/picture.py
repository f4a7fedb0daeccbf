"""What is in a dataset: counts of labels, and boards drawn with characters."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from rich.text import Text

from chainbeasts.backend.kernel.board import bit, unpack
from chainbeasts.backend.kernel.labels import label
from chainbeasts.backend.kernel.rules import Rules

MOVES = ("north", "south", "east", "west")
LEGEND = "S self, E enemy, # wall, ~ hazard"
STYLES = {"S": "bold green", "E": "bold red", "#": "bright_black", "~": "yellow", "·": "dim"}


@dataclass(frozen=True, slots=True)
class Balance:
    """How often each label occurs.

    Attributes:
        moves: by direction, and ``none``.
        attacks: positions by attack label, 0 to 15.
        block: positions in which blocking pays.
        repeated: records that are in the dataset before.
    """

    records: int
    repeated: int
    moves: dict[str, int]
    attacks: dict[int, int]
    block: int


def balance(words: Sequence[int], rules: Rules) -> Balance:
    """The labels of a dataset, counted."""
    labels = [label(word, rules) for word in words]
    moves = Counter("none" if one.move is None else MOVES[one.move] for one in labels)
    attacks = Counter(one.attack for one in labels)
    return Balance(
        records=len(words),
        repeated=len(words) - len(set(words)),
        moves={name: moves[name] for name in (*MOVES, "none")},
        attacks=dict(sorted(attacks.items())),
        block=sum(one.block for one in labels),
    )


def draw_board(word: int) -> list[str]:
    """Eight lines of eight characters."""
    p = unpack(word)
    rows = []
    for y in range(8):
        row = ""
        for tile in range(8 * y, 8 * y + 8):
            if tile == p.self_.pos:
                row += "S"
            elif tile == p.enemy.pos:
                row += "E"
            else:
                row += "#" if bit(p.walls, tile) else "~" if bit(p.hazards, tile) else "·"
        rows.append(row)
    return rows


def draw_boards(words: Sequence[int], first: int, rules: Rules, across: int = 4) -> Text:
    """Boards side by side, each under its record's number and its labels."""
    text = Text()
    for start in range(0, len(words), across):
        group = words[start : start + across]
        for offset, word in enumerate(group):
            text.append(f"{_caption(first + start + offset, word, rules):<20}")
        text.append("\n")
        for rows in zip(*map(draw_board, group), strict=True):
            for row in rows:
                for tile in row:
                    text.append(tile + " ", STYLES[tile])
                text.append("    ")
            text.append("\n")
        text.append("\n")
    return text


def _caption(number: int, word: int, rules: Rules) -> str:
    found = label(word, rules)
    move = "–" if found.move is None else MOVES[found.move][0].upper()
    return f"#{number} {move} a{found.attack} b{found.block}"
