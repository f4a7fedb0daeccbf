"""Curves and changes of lives of any shape, against what all of their windows say one by one."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, insert

from chainbeasts.backend.api.changes import read_changes
from chainbeasts.backend.api.curves import read_curve
from chainbeasts.backend.api.summaries import SOURCES
from chainbeasts.backend.store.facts import CheckpointRow, DisputeRow
from chainbeasts.backend.store.session import Database
from tests.support.postgres import database_url, postgres_server, postgres_url

__all__ = ["database_url", "postgres_server", "postgres_url"]

BEAST, OTHER = 7, 8
NOBODY = "0x" + "11" * 20

# Of each window: whether it stands, its epoch, source and mask, its loss, whether it was disputed.
Window = tuple[str, int, int, int, int, bool]
WINDOWS = st.tuples(
    st.sampled_from(["pending", "final", "final", "final"]),
    st.integers(0, 2),
    st.integers(0, 1),
    st.sampled_from([0x11, 0x33]),
    st.integers(0, 1_000_000),
    st.booleans(),
)
FALLEN = st.dictionaries(st.integers(0, 12), st.sampled_from(["slashed", "void"]), max_size=4)


@pytest.fixture(scope="module")
def lists(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    opened = Database(f"sqlite:///{tmp_path_factory.mktemp('curves') / 'index.sqlite3'}")
    yield opened
    opened.close()


def row(beast: int, index: int, generation: int, window: Window) -> dict[str, object]:
    status, epoch, source, mask, loss, _ = window
    place = (beast << 16 | index << 4 | generation).to_bytes(32)
    return {
        "digest": place, "beast_id": beast, "index": index, "generation": generation,
        "parent": place, "epoch": epoch, "h128": place, "energy_burn": 1, "lr_shift": 9 + epoch,
        "active_mask": mask, "global_step": 128 * (index + 1), "window_loss": loss,
        "source": source, "source_id": 0, "season": 1, "trainer": NOBODY, "submitted_at": index,
        "bond": 1, "locked_sum": 1, "epoch_seed": place, "loss_drop": False, "proven": False,
        "status": status, "block_number": index + 1, "tx_hash": place,
    }  # fmt: skip


def dispute(number: int, index: int, generation: int) -> dict[str, object]:
    return {
        "dispute_id": number, "beast_id": BEAST, "index": index, "generation": generation,
        "digest": bytes(32), "filer": NOBODY, "bond": 1, "status": "filed", "missing": 1,
        "response_deadline": 9, "steps_done": 0, "block_number": 1, "tx_hash": bytes(32),
    }  # fmt: skip


def compare(database: Database, life: list[Window], fallen: dict[int, str], points: int) -> None:
    """Write a life and look at it both ways; where a window fell, another one came after it."""
    rows, disputed = [], []
    for index, window in enumerate(life):
        if index in fallen:
            rows.append(row(BEAST, index, 0, (fallen[index], *window[1:])))
        rows.append(row(BEAST, index, int(index in fallen), window))
        if window[5]:
            disputed.append((index, int(index in fallen)))
    others = [row(OTHER, index, 0, ("final", 0, 0, 0x11, 5, False)) for index in range(3)]
    with database.session() as session:
        session.execute(delete(CheckpointRow))
        session.execute(delete(DisputeRow))
        session.execute(insert(CheckpointRow), [*rows, *others])
        for number, (index, generation) in enumerate(disputed * 2, 1):
            session.execute(insert(DisputeRow), dispute(number, index, generation))
    with database.session() as session:
        curve, changes = read_curve(session, BEAST, points), read_changes(session, BEAST)

    live = [one for one in rows if one["status"] in ("pending", "final")]
    each = next(2**n for n in range(5) if len(live) <= 2**n * points)
    parts = [live[n : n + each] for n in range(0, len(live), each)]
    losses = [[int(str(one["window_loss"])) for one in part] for part in parts]
    assert curve.windows == changes.windows == len(live)
    assert curve.index == [part[-1]["index"] for part in parts]
    assert curve.hash == [part[-1]["digest"] for part in parts]
    assert curve.lr_shift == [part[-1]["lr_shift"] for part in parts]
    assert curve.loss == [sum(some) / len(some) / 128 for some in losses]
    assert curve.low == [min(some) / 128 for some in losses]
    assert curve.high == [max(some) / 128 for some in losses]

    def eventful(one: dict[str, object], before: dict[str, object] | None) -> bool:
        nature = ("epoch", "source", "active_mask")
        return before is None or any(one[name] != before[name] for name in nature)

    begins = [n for one, n in zip([None, *live], live, strict=False) if eventful(n, one)]
    expected = [
        one
        for one in rows
        if one in begins
        or one == live[-1]
        or one not in live
        or (one["index"], one["generation"]) in disputed
    ]
    assert changes.index == [one["index"] for one in expected]
    assert changes.generation == [one["generation"] for one in expected]
    assert changes.state == [one["status"] for one in expected]
    assert changes.source == [SOURCES[int(str(one["source"]))] for one in expected]
    latest = {place: len(disputed) + n for n, place in enumerate(disputed, 1)}
    assert changes.dispute == [latest.get((one["index"], one["generation"])) for one in expected]


@settings(max_examples=40)
@given(st.lists(WINDOWS, max_size=13), FALLEN, st.integers(2, 9))
def test_what_the_database_leaves_out_is_what_nobody_would_mark(
    lists: Database, life: list[Window], fallen: dict[int, str], points: int
) -> None:
    compare(lists, life, fallen, points)


def test_a_point_stays_as_windows_come(lists: Database) -> None:
    window: Window = ("final", 0, 0, 0x11, 1, False)
    before: list[int] = []
    for count in range(1, 40):
        compare(lists, [window] * count, {}, 5)
        with lists.session() as session:
            found = read_curve(session, BEAST, 5).index
        assert set(found[:-1]) <= set(before)
        assert found[-1] == count - 1
        before = found


def test_every_kind_of_database_thins_alike(database_url: str) -> None:
    database = Database(database_url)
    life: list[Window] = [
        ("final" if n < 9 else "pending", n // 5, n // 3 % 2, 0x11, 997 * n % 613, n == 4)
        for n in range(11)
    ]
    compare(database, life, {2: "void", 3: "slashed"}, 4)
    database.close()
