"""Datasets from an owner's file to commitments: what is read, what is refused and where."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from random import Random

import pytest
import zstandard
from eth_hash.auto import keccak

from chainbeasts.backend.chain.seasons import load_profile
from chainbeasts.backend.errors import ChainBeastsError
from chainbeasts.backend.kernel import merkle
from chainbeasts.backend.kernel.board import ATTACK, BLOCK, is_valid, unpack, word_bytes
from chainbeasts.backend.kernel.combat import Action, activate, decode_action
from chainbeasts.backend.kernel.constants import MAX_RECORDS
from chainbeasts.backend.store.private import (
    DATASET_FILE,
    MAX_COMPRESSED,
    SECRET_FILE,
    load_private,
)
from chainbeasts.trainer.datasets.columns import COLUMNS, OPTIONAL, row_of_word
from chainbeasts.trainer.datasets.generate import battle_words, sample_csv
from chainbeasts.trainer.datasets.pack import compress, pack_dataset, save_dataset
from chainbeasts.trainer.datasets.reader import MAX_FILE_BYTES, read_records

RULES = load_profile("mainnet").season.rules
EXAMPLE = Path(__file__).parents[2] / "examples" / "battle_samples.csv"
WORDS = tuple(battle_words(12, 7, RULES))


def table(words: tuple[int, ...] = WORDS) -> list[list[str]]:
    return [list(COLUMNS), *map(row_of_word, words)]


def as_csv(rows: list[list[str]]) -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text).writerows(rows)
    return text.getvalue().encode()


def as_words(words: tuple[int, ...] = WORDS) -> bytes:
    return b"".join(word_bytes(word) for word in words)


def refusal(path: Path) -> str:
    """The one sentence with which a file is refused."""
    with pytest.raises(ChainBeastsError) as caught:
        read_records(path)
    assert "\n" not in str(caught.value)
    return caught.value.message


# --- what is read ---------------------------------------------------------------------------------


def test_a_csv_has_each_field_of_the_word_in_its_column(tmp_path: Path) -> None:
    path = tmp_path / "one.csv"
    row = "0000000000000100,8000000000000000,1,2,3,4,5,6,0,4,62,7,8,9,10,11,3,1,12,1"
    path.write_text(",".join(COLUMNS) + "\n" + row + "\n")
    (word,) = read_records(path)
    # docs/spec/rules.md §2, byte for byte from the high end: flags, turn, enemy, self, boards
    enemy, me = bytes([3 + 4, 11, 10, 9, 8, 7, 62]), bytes([4 * 4, 6, 5, 4, 3, 2, 1])
    boards = (1 << 63).to_bytes(8) + (1 << 8).to_bytes(8)
    assert word_bytes(word) == bytes([1, 12]) + enemy + me + boards


def test_csv_and_binary_files_give_the_same_words(tmp_path: Path) -> None:
    files = {
        "a.csv": as_csv(table()),
        "quoted.CSV": as_csv(table()).replace(b"walls", b'"walls"'),
        "with old line ends.csv": as_csv(table()).replace(b"\r\n", b"\r"),
        "with byte order mark.csv": b"\xef\xbb\xbf" + as_csv(table()),
        "blank lines.csv": as_csv(table()).replace(b"\r\n", b"\n\n"),
        "columns turned round.csv": as_csv([row[::-1] for row in table()]),
        "a.bin": as_words(),
        "no suffix": as_words(),
        "csv without suffix": as_csv(table()),
    }
    assert {unpack(word).self_.heading for word in WORDS} > {0}
    for name, data in files.items():
        (tmp_path / name).write_bytes(data)
        assert read_records(tmp_path / name) == WORDS, name


def without(*columns: str) -> list[list[str]]:
    kept = [place for place, name in enumerate(COLUMNS) if name not in columns]
    return [[row[place] for place in kept] for row in table()]


@pytest.mark.parametrize("missing", [OPTIONAL, OPTIONAL[:1], OPTIONAL[1:]])
def test_headings_may_be_left_out_and_are_then_none(
    tmp_path: Path, missing: tuple[str, ...]
) -> None:
    """Files from before there were headings are read; what is written has them."""
    (tmp_path / "old.csv").write_bytes(as_csv(without(*missing)))
    bits = {"self_heading": 63 << 178, "enemy_heading": 63 << 234}
    lost = sum(bits[name] for name in missing)
    assert read_records(tmp_path / "old.csv") == tuple(word & ~lost for word in WORDS)
    assert set(OPTIONAL) < set(as_csv(table()).split(b"\r\n", 1)[0].decode().split(","))


def test_the_example_holds_600_records_of_fought_matches() -> None:
    words = read_records(EXAMPLE)
    assert len(words) == 600
    assert EXAMPLE.read_bytes() == sample_csv(600, 1, RULES), "remade by beast sample-dataset"
    acted = {unpack(word).self_.last_action for word in words}
    assert {ATTACK, BLOCK} <= acted
    assert sum(unpack(word).turn == 0 for word in words) > 1  # several matches
    assert any(unpack(word).crit for word in words)


def test_generated_records_follow_from_each_other_by_the_rules() -> None:
    first = tuple(battle_words(80, 3, RULES))
    assert first == tuple(battle_words(90, 3, RULES))[:80]
    assert first != tuple(battle_words(80, 4, RULES))
    for before, after in pairwise(first):
        assert is_valid(before)
        if unpack(after).turn == 0:
            continue
        # Some action leads from one to the next; the critical flag is the match's own draw.
        wanted = after & ~(1 << 248)
        assert wanted in reachable(before)


def reachable(word: int) -> set[int]:
    """What an appendage's actions lead to: its directions and blocks, with any power."""
    wishes = (
        decode_action([9 * (d == way) for d in range(4)] + [0, block, 0, 0], word)
        for way in range(4)
        for block in (0, 1)
    )
    kept = {(wish.direction, wish.block) for wish in wishes}
    actions = (Action(way, power, block) for way, block in kept for power in range(16))
    return {activate(word, action, RULES, 0) & ~(1 << 248) for action in actions}


# --- what is refused ------------------------------------------------------------------------------

CELL_FAULTS = [
    ("walls", "zz", "walls is 'zz', not a board: 0x and up to 16"),
    ("hazards", "1" + "0" * 16, "hazards is '10000000000000000', not a board"),
    ("hazards", "1000", "hazards is '1000', not a board"),  # in decimal, it would be read as 4096
    ("hazards", "0x", "hazards is '0x', not a board"),
    ("walls", "0x1_0", "walls is '0x1_0', not a board"),
    ("self_hp", "1" * 5000, "self_hp 111111111111111111111111 is over 255"),
    ("self_hp", "", "self_hp is '', not a whole number"),
    ("self_hp", "-1", "self_hp is '-1', not a whole number"),
    ("self_hp", "1.5", "self_hp is '1.5', not a whole number"),
    ("self_hp", "1_0", "self_hp is '1_0', not a whole number"),
    ("self_hp", "٣", "self_hp is '٣', not a whole number"),
    ("enemy_stamina", "256", "enemy_stamina 256 is over 255"),
    ("self_pos", "64", "self pos 64 is not a tile (0 to 63)"),
    ("enemy_hp", "0", "enemy hp is 0"),
    ("self_power", "128", "self power 128 is over 127"),
    ("self_last_action", "4", "self last_action 4 is over 3"),  # not a heading
    ("enemy_last_action", "19", "enemy last_action 19 is over 3"),
    ("self_heading", "5", "self heading 5 is over 4"),
    ("enemy_heading", "64", "enemy heading 64 is over 4"),  # not the turn
    ("enemy_heading", "", "enemy_heading is '', not a whole number"),
    ("flags", "2", "flags 2 is over 1"),
    ("walls", "f" * 16, "self stands on a wall"),
]


@pytest.mark.parametrize(("column", "cell", "reason"), CELL_FAULTS)
def test_a_bad_cell_is_named_by_line_and_reason(
    tmp_path: Path, column: str, cell: str, reason: str
) -> None:
    rows = table()
    rows[5][COLUMNS.index(column)] = cell
    path = tmp_path / "bad.csv"
    path.write_bytes(as_csv(rows))
    said = refusal(path)
    assert said.startswith("bad.csv, line 6 (record 5): ")
    assert reason in said


def damaged(change: Callable[[list[list[str]]], object]) -> bytes:
    rows = table()
    change(rows)
    return as_csv(rows)


FILES: list[tuple[str, bytes, str]] = [
    ("empty.csv", b"", "empty.csv has no records"),
    ("header.csv", damaged(lambda rows: rows.__delitem__(slice(1, None))), "has no records"),
    ("empty.bin", b"", "empty.bin has no records"),
    (
        "short.csv",
        damaged(lambda r: r[3].pop()),
        "line 4 (record 3): the row has 19 cells instead of 20",
    ),
    ("less.csv", damaged(lambda r: [x.pop() for x in r]), "line 1: column flags is missing"),
    ("more.csv", damaged(lambda r: [x.append("9") for x in r]), "line 1: column '9' is not known"),
    ("twice.csv", damaged(lambda r: [x.append(x[0]) for x in r]), "column walls is named twice"),
    ("cut.csv", as_csv(table())[:-20], "line 13 (record 12): the row has"),
    ("digit.csv", as_csv(table()).rstrip()[:-1], "line 13 (record 12): flags is ''"),
    ("newline.csv", as_csv(table()).rstrip(), "line 13 (record 12): the line does not end"),
    ("text.csv", b"\n\xff\xfe\x00", "text.csv, line 2: the bytes are not UTF-8 text"),
    ("quote.csv", as_csv(table()) + b'"open', "line 14"),
    ("cut.bin", as_words()[:-1], "cut.bin, record 12: it has 31 bytes instead of 32"),
    ("bad.bin", as_words() + bytes(32), "bad.bin, record 13: self and enemy stand on the same"),
    ("long.bin", as_words() * 5462, f"record 65537: a dataset has at most {MAX_RECORDS} records"),
    ("huge.bin", bytes(MAX_FILE_BYTES + 1), f"huge.bin has over {MAX_FILE_BYTES} bytes"),
]


@pytest.mark.parametrize(("name", "data", "reason"), FILES, ids=[name for name, *_ in FILES])
def test_a_bad_file_is_refused_as_a_whole(
    tmp_path: Path, name: str, data: bytes, reason: str
) -> None:
    path = tmp_path / name
    path.write_bytes(data)
    assert reason in refusal(path)


def test_a_file_that_cannot_be_opened_is_a_sentence(tmp_path: Path) -> None:
    assert "cannot be read (No such file or directory)" in refusal(tmp_path / "absent.csv")
    assert "cannot be read (Is a directory)" in refusal(tmp_path)


# --- what is committed to -------------------------------------------------------------------------


def test_commitments_open_with_independent_tools() -> None:
    secret = bytes(range(1, 33))
    packed = pack_dataset(WORDS, secret)
    committed = packed.commitments
    assert committed.c_dataset == keccak(packed.compressed)
    assert zstandard.get_frame_parameters(packed.compressed).content_size == 32 * len(WORDS)
    assert zstandard.decompress(packed.compressed) == as_words()
    assert committed.dataset_length == len(WORDS)
    assert committed.owner_secret_hash == keccak(secret)
    siblings = merkle.proof(WORDS, 5)
    assert merkle.verify(committed.records_root, len(WORDS), 5, WORDS[5], siblings)
    assert secret.hex() not in repr(packed)
    assert str(secret) not in repr(packed)


def test_every_dataset_has_its_own_secret() -> None:
    assert pack_dataset(WORDS).secret != pack_dataset(WORDS).secret


def test_the_largest_dataset_fits_and_noise_of_that_length_does_not() -> None:
    assert len(compress((WORDS * MAX_RECORDS)[:MAX_RECORDS])) <= MAX_COMPRESSED
    noise = Random(1)
    with pytest.raises(ChainBeastsError, match=rf"{MAX_COMPRESSED} are allowed"):
        compress([noise.getrandbits(256) for _ in range(MAX_COMPRESSED // 32 + 1)])


def test_saved_files_are_the_owners_alone_and_never_overwritten(tmp_path: Path) -> None:
    folder = tmp_path / "beast"
    packed = pack_dataset(WORDS)
    save_dataset(folder, packed)
    modes = {path.name: path.stat().st_mode & 0o777 for path in folder.iterdir()}
    assert set(modes.values()) == {0o600}
    assert folder.stat().st_mode & 0o777 == 0o700
    assert load_private(folder, packed.commitments).words == WORDS
    with pytest.raises(ChainBeastsError, match="already a secret"):
        save_dataset(folder, pack_dataset(WORDS[:3]))
    assert load_private(folder, packed.commitments).secret == packed.secret


@pytest.mark.parametrize("name", [DATASET_FILE, SECRET_FILE])
def test_a_damaged_private_file_is_not_trained_on(tmp_path: Path, name: str) -> None:
    packed = pack_dataset(WORDS)
    save_dataset(tmp_path / "beast", packed)
    path = tmp_path / "beast" / name
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 2])
    with pytest.raises(ChainBeastsError):
        load_private(tmp_path / "beast", packed.commitments)
    path.unlink()
    with pytest.raises(ChainBeastsError, match="cannot be read"):
        load_private(tmp_path / "beast", packed.commitments)
