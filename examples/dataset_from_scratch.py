"""A private dataset from nothing: close fights on a board with one wall, as rows of a CSV file.

    python examples/dataset_from_scratch.py close.csv
    chainbeasts beast hatch --dataset close.csv --account NAME

What a record means is in examples/README.md. A beast is taught by rules (docs/spec/labels.md), so a
dataset chooses positions, not answers: this one is all about standing next to the enemy.
"""

from __future__ import annotations

import argparse
import csv
from collections.abc import Iterator
from pathlib import Path

from chainbeasts.datasets import pack_dataset, read_records

SIZE = 8
WALL = (3, 3)
Tile = tuple[int, int]


def tiles() -> Iterator[Tile]:
    """Every tile where somebody can stand."""
    for y in range(SIZE):
        for x in range(SIZE):
            if (x, y) != WALL:
                yield x, y


def number(tile: Tile) -> int:
    """A tile as records name it, ``8·y + x``."""
    x, y = tile
    return SIZE * y + x


def neighbours(tile: Tile) -> Iterator[Tile]:
    """North, south, east and west of a tile, where somebody can stand."""
    x, y = tile
    free = set(tiles())
    yield from (near for near in ((x, y - 1), (x, y + 1), (x + 1, y), (x - 1, y)) if near in free)


def rows() -> Iterator[dict[str, object]]:
    """Both creatures side by side, on every tile; we are now strong, now weak."""
    for own in tiles():
        for enemy in neighbours(own):
            for hp in (20, 90, 160):
                yield {
                    "walls": f"0x{1 << number(WALL):016x}",
                    "hazards": "0x0",
                    "self_pos": number(own),
                    "self_hp": hp,
                    "self_stamina": 20,
                    "self_temp_def": 0,
                    "self_power": 60,
                    "self_defense": 40,
                    "self_last_action": 1,
                    "enemy_pos": number(enemy),
                    "enemy_hp": 90,
                    "enemy_stamina": 20,
                    "enemy_temp_def": 0,
                    "enemy_power": 60,
                    "enemy_defense": 40,
                    "enemy_last_action": 2,
                    "turn": 10,
                    "flags": 0,
                }


def write(path: Path) -> int:
    """Write the file; how many records it has."""
    made = list(rows())
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, made[0])
        writer.writeheader()
        writer.writerows(made)
    return len(made)


def main() -> None:
    parser = argparse.ArgumentParser(description="Make a dataset of close fights.")
    parser.add_argument("path", type=Path)
    path: Path = parser.parse_args().path
    write(path)
    # As a hatch will read it: taken whole, or refused with the row and the reason.
    words = read_records(path)
    packed = pack_dataset(words)
    print(f"{len(words)} records, {len(packed.compressed)} bytes compressed")
    print(f"records' root 0x{packed.commitments.records_root.hex()}")


if __name__ == "__main__":
    main()
