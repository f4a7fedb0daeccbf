"""Records survive every format, and a damaged or hostile file is refused in one sentence."""

from __future__ import annotations

import hashlib
import io
import json
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from chainbeasts.backend.errors import ChainBeastsError
from chainbeasts.backend.kernel.constants import MAX_RECORDS
from chainbeasts.trainer.datasets import hdf5, hdf5_child
from chainbeasts.trainer.datasets.formats import FORMATS, to_binary, write_words
from chainbeasts.trainer.datasets.producers import Hdf5Producer
from chainbeasts.trainer.datasets.reader import parse_records, read_records
from tests.datasets.conftest import records
from tests.support import strategies


@given(st.lists(strategies.valid_words, min_size=1, max_size=6))
@settings(max_examples=25)
def test_every_format_gives_back_what_was_written(words: list[int]) -> None:
    for suffix, encode in FORMATS.items():
        data = encode(words)
        if encode is hdf5.encode:  # as its child does, without a process for each example
            assert hdf5_child.read(data) == to_binary(words)
        else:
            assert parse_records(f"some{suffix}", data) == tuple(words), suffix
        assert encode(words) == data, suffix


@pytest.mark.parametrize("suffix", [".hdf5", ".zst", ".csv", ".bin"])
@pytest.mark.parametrize("left", [0.01, 0.51, 0.99])
def test_a_truncated_file_is_refused(suffix: str, left: float, tmp_path: Path) -> None:
    data = FORMATS[suffix](records(41))
    path = tmp_path / f"cut{suffix}"
    path.write_bytes(data[: int(len(data) * left)])
    with pytest.raises(ChainBeastsError):
        read_records(path)


def test_an_altered_hdf5_file_never_gives_other_words(monkeypatch: pytest.MonkeyPatch) -> None:
    """Some make the library refuse, some crash, and some (byte 920) hang; none gets further."""
    monkeypatch.setattr(hdf5, "SECONDS", 1)
    words = records(40)
    data = hdf5.encode(words)
    refused = 0
    for place in (0, 9, 140, 500, 920, len(data) // 2, len(data) - 100):
        altered = bytearray(data)
        altered[place] ^= 0xFF
        try:
            assert hdf5.decode("altered.hdf5", bytes(altered)) == words
        except ChainBeastsError:
            refused += 1
    assert refused >= 3


def hostile(**given: Any) -> bytes:
    """An HDF5 file of ours but for what is given: attributes, or what ``words`` is made with."""
    rows = np.frombuffer(to_binary(records(4)), np.uint8).reshape(-1, 32)
    file = io.BytesIO()
    with h5py.File(file, "w") as made:
        attributes = {
            "format": hdf5_child.FORMAT,
            "version": hdf5_child.VERSION,
            "sha256": "0" * 64,
        }
        for name, value in (attributes | given.pop("attrs", {})).items():
            made.attrs[name] = value
        link = given.pop("link", None)
        if link is not None:
            made[hdf5_child.DATASET] = link
        else:
            made.create_dataset(hdf5_child.DATASET, **({"data": rows} | given))
    return file.getvalue()


CASES = {
    "another format": ({"attrs": {"format": "other"}}, "attributes"),
    "another version": ({"attrs": {"version": 2}}, "attributes"),
    "a version that is a text": ({"attrs": {"version": "1"}}, "attributes"),
    "a format that is a number": ({"attrs": {"format": 1}}, "attributes"),
    "an empty version": ({"attrs": {"version": h5py.Empty("i4")}}, "attributes"),
    "another hash": ({}, "sha256"),
    "a soft link": ({"link": h5py.SoftLink("/elsewhere")}, "leads elsewhere"),
    "an external link": ({"link": h5py.ExternalLink("other.h5", "/words")}, "leads elsewhere"),
    "another dtype": ({"data": np.zeros((4, 32), np.float64)}, "uint8"),
    "another width": ({"data": np.zeros((4, 31), np.uint8)}, "4 × 31"),
    "no rows": ({"data": np.zeros((0, 32), np.uint8)}, "0 × 32"),
    "too many rows": (
        {"data": None, "shape": (MAX_RECORDS + 1, 32), "dtype": np.uint8, "chunks": (1, 32)},
        "65537",
    ),
    "a bomb of chunks": (
        {
            "data": np.zeros((4, 32), np.uint8),
            "maxshape": (None, 32),
            "chunks": (1 << 20, 32),
            "compression": "gzip",
        },
        "chunks",
    ),
    "another filter": ({"data": np.zeros((4, 32), np.uint8), "compression": "lzf"}, "filter"),
}


@pytest.mark.parametrize("name", CASES)
def test_a_hostile_hdf5_file_is_refused(name: str) -> None:
    given, reason = CASES[name]
    if given.get("data", 0) is None:
        given = {key: value for key, value in given.items() if key != "data"}
        file = io.BytesIO()
        with h5py.File(file, "w") as made:
            made.attrs["format"], made.attrs["version"] = hdf5_child.FORMAT, hdf5_child.VERSION
            made.create_dataset(hdf5_child.DATASET, **given)
        data = file.getvalue()
    else:
        data = hostile(**given)
    with pytest.raises(ChainBeastsError, match="is not a dataset of ours") as error:
        hdf5.decode("hostile.hdf5", data)
    assert reason in error.value.message


@pytest.mark.parametrize("kind", ["as C writes it", "as Julia writes it", "as R writes it"])
def test_attributes_of_other_languages_are_read(kind: str) -> None:
    words = records(4)
    digest = hashlib.sha256(to_binary(words)).hexdigest()
    texts = {"format": hdf5_child.FORMAT, "sha256": digest}
    attrs: dict[str, Any] = {"version": np.int32(1)}
    for name, value in texts.items():
        if kind == "as C writes it":
            attrs[name] = np.bytes_(value)  # of a fixed length, ended by a zero
        elif kind == "as Julia writes it":
            attrs[name] = np.array(value.encode() + b"   ", dtype="S80")  # and padded
        else:
            attrs[name] = np.array([value.encode()])
            attrs["version"] = np.array([1], np.int32)
    assert hdf5_child.read(hostile(attrs=attrs)) == to_binary(words)


def test_external_storage_is_never_read(tmp_path: Path) -> None:
    outside = tmp_path / "outside.bin"
    outside.write_bytes(to_binary(records(4)))
    path = tmp_path / "hostile.hdf5"
    with h5py.File(path, "w") as made:
        made.attrs["format"], made.attrs["version"] = hdf5_child.FORMAT, hdf5_child.VERSION
        made.create_dataset(
            hdf5_child.DATASET, (4, 32), np.uint8, external=[(str(outside), 0, 4 * 32)]
        )
    with pytest.raises(ChainBeastsError, match="from other files"):
        read_records(path)


def test_a_zstd_bomb_is_not_decompressed() -> None:
    made = zstandard.ZstdCompressor(level=1).compressobj(size=1 << 30)
    bomb = b"".join(made.compress(bytes(1 << 20)) for _ in range(1 << 10)) + made.flush()
    assert len(bomb) < 200_000
    with pytest.raises(ChainBeastsError, match="announces 1073741824 bytes"):
        parse_records("bomb.zst", bomb)


def test_what_cannot_be_written_leaves_the_old_file(tmp_path: Path) -> None:
    place = tmp_path / "folder"
    place.write_text("a file, not a folder")
    with pytest.raises(ChainBeastsError, match="cannot be written"):
        write_words(place / "out.bin", records(2))
    assert place.read_text() == "a file, not a folder"
    with pytest.raises(ChainBeastsError, match="none of the suffixes"):
        write_words(tmp_path / "out.txt", records(2))


def test_a_producer_of_hdf5_takes_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "words.hdf5"
    path.write_bytes(to_binary(records(2)))
    with pytest.raises(ChainBeastsError, match="not an HDF5 file"):
        list(Hdf5Producer(path).words())
    write_words(path, records(2))
    assert tuple(Hdf5Producer(path).words(1)) == records(2)[1:]
    assert json.dumps(Hdf5Producer(path).version())
