"""Packs: what is found again after a kill, and what a budget leaves."""

from __future__ import annotations

from pathlib import Path

import pytest

from chainbeasts.backend.kernel.state import State, encode_state, state_hash
from chainbeasts.backend.kernel.window import genesis_state
from chainbeasts.backend.store import packs
from chainbeasts.backend.store.packs import NO_GROUP, SMALLEST_PACK, PackStore
from chainbeasts.backend.store.snapshots import PackedSnapshots

BLOB = 10_000


def blob(number: int) -> tuple[bytes, bytes]:
    """A hash, and bytes that are known by it."""
    return number.to_bytes(32), number.to_bytes(4) * (BLOB // 4)


def put(store: PackStore, group: int, *numbers: int) -> None:
    store.put([(h, group, data) for h, data in map(blob, numbers)])


def names(store: PackStore) -> set[int]:
    return {int.from_bytes(h) for h in store.hashes()}


def test_blobs_are_found_again_but_for_a_torn_end(tmp_path: Path) -> None:
    store = PackStore(tmp_path, 1 << 20)
    put(store, 1, 1, 2, 3)
    put(store, 2, 2)  # once is enough
    (pack,) = tmp_path.iterdir()
    size = pack.stat().st_size
    assert size < 4 * BLOB
    with pack.open("r+b") as file:  # killed, or without power, as the third was written
        file.truncate(size - 1)
    again = PackStore(tmp_path, 1 << 20)
    assert names(again) == {1, 2}
    assert again.get(blob(2)[0]) == blob(2)[1]
    assert again.get(blob(3)[0]) is None
    put(again, 1, 3)
    # What another process writes is not touched: each has a pack of its own.
    assert pack.stat().st_size == size - 1
    assert names(PackStore(tmp_path, 1 << 20)) == {1, 2, 3}


def test_the_oldest_go_but_for_the_newest_of_each_group(tmp_path: Path) -> None:
    budget = 4 * SMALLEST_PACK
    store = PackStore(tmp_path, budget)
    put(store, 7, 1)
    put(store, NO_GROUP, 2)
    for number in range(3, 200):
        put(store, 9, number)
    assert store.size <= budget + SMALLEST_PACK
    assert sum(path.stat().st_size for path in tmp_path.iterdir()) == store.size
    found = names(store)
    assert {1, 199} <= found
    assert not {2, 3, 4} & found
    assert store.get(blob(1)[0]) == blob(1)[1]
    assert names(PackStore(tmp_path, budget)) == found


def test_a_budget_for_less_than_what_is_needed_loses_nothing_that_is(tmp_path: Path) -> None:
    store = PackStore(tmp_path, 1)
    for number in range(1, 50):
        put(store, number, number)
    assert names(store) == set(range(1, 50))


def test_a_full_disk_leaves_whole_packs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = PackStore(tmp_path, 1 << 20)
    put(store, 1, 1)

    def half(handle: int, data: bytes) -> None:
        write(handle, data[: len(data) // 2])
        raise OSError(28, "No space left on device")

    write = packs.write_whole
    monkeypatch.setattr(packs, "write_whole", half)
    with pytest.raises(OSError, match="No space left"):
        put(store, 1, 2)
    assert names(store) == {1}
    monkeypatch.setattr(packs, "write_whole", write)
    put(store, 1, 2)
    assert names(PackStore(tmp_path, 1 << 20)) == {1, 2}


def ends(beast: int, count: int) -> list[tuple[bytes, bytes]]:
    """States of a beast, each with its hash."""
    state, found = genesis_state(beast, bytes([beast]) * 32), []
    for step in range(count):
        one = State(state.header, state.weights.copy())
        one.update(global_step=128 * (step + 1))
        found.append((state_hash(one), encode_state(one)))
    return found


def test_states_in_memory_reach_the_disk_when_they_leave_it(tmp_path: Path) -> None:
    mine, other = ends(1, 6), ends(2, 1)
    store = PackedSnapshots(tmp_path, memory=3 * 34_000)
    for one in mine[:3]:
        store.keep([one])
    assert names_of(tmp_path) == set()  # each was replaced by the next
    store.keep(other)
    store.keep(mine[3:5])
    assert names_of(tmp_path) == set()
    store.keep([mine[5]])  # and the other beast's leaves
    assert names_of(tmp_path) == {other[0][0]}
    assert store.encoded(other[0][0]) == other[0][1]
    store.close()
    again = PackedSnapshots(tmp_path, memory=1)
    assert set(again.hashes()) == {other[0][0], mine[5][0]}
    assert again.encoded(mine[5][0]) == mine[5][1]
    own = again.own(mine[5][0])
    assert own is not None
    assert encode_state(own) == mine[5][1]


def test_a_state_that_is_not_what_its_pack_says_is_none(tmp_path: Path) -> None:
    (one,) = ends(1, 1)
    store = PackedSnapshots(tmp_path)
    store.keep([one], {one[0]})
    (pack,) = tmp_path.glob("*.pack")
    data = bytearray(pack.read_bytes())
    data[-20] ^= 1
    pack.write_bytes(data)
    again = PackedSnapshots(tmp_path)
    assert again.has(one[0])
    assert again.encoded(one[0]) is None
    assert not again.has(one[0])


def names_of(folder: Path) -> set[bytes]:
    return set(PackStore(folder, 1 << 30).hashes())
