"""What was produced once is kept: whole, verified, and safe between processes."""

from __future__ import annotations

import os
import resource
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from chainbeasts.backend.errors import ChainBeastsError
from chainbeasts.trainer.datasets.disk_cache import KIND, DiskCacheProducer
from chainbeasts.trainer.datasets.formats import to_binary, write_words
from chainbeasts.trainer.datasets.http import HttpProducer
from chainbeasts.trainer.datasets.producers import CsvProducer, GeneratedProducer, MemoryProducer
from tests.datasets.conftest import Server, records

WORDS = records(30)


class Counting(MemoryProducer):
    """Counts how often it is asked for words."""

    asked = 0

    def words(self, start: int = 0) -> Iterator[int]:
        self.asked += 1
        yield from super().words(start)


def test_the_second_run_does_not_ask_the_base() -> None:
    base = Counting(WORDS)
    assert tuple(DiskCacheProducer(base, "train.cache").words()) == WORDS
    assert tuple(DiskCacheProducer(base, "train.cache").words(7)) == WORDS[7:]
    assert base.asked == 1


def test_a_download_is_kept_when_the_server_is_gone(
    web: Callable[[bytes], Server], cache: Path
) -> None:
    server = web(to_binary(WORDS))
    base = HttpProducer("127.0.0.1", server.port, "/train")
    assert tuple(DiskCacheProducer(base, "train.cache").words()) == WORDS
    server.shutdown()
    server.server_close()
    asked = len(server.ranges)
    assert tuple(DiskCacheProducer(base, "train.cache").words()) == WORDS
    assert len(server.ranges) == asked
    (cache / KIND / "train.cache").unlink()
    with pytest.raises(ChainBeastsError, match="could not be downloaded"):
        tuple(DiskCacheProducer(HttpProducer(base.url, total=0.5), "train.cache").words())


def test_a_source_file_is_only_read_while_nothing_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "battle.csv"
    write_words(path, WORDS)
    base = CsvProducer(path)
    assert tuple(DiskCacheProducer(base, "train.cache").words()) == WORDS
    path.unlink()
    assert tuple(DiskCacheProducer(base, "train.cache").words()) == WORDS


def test_what_has_come_since_is_appended_and_what_changed_discards() -> None:
    grown = (*WORDS, *records(5, seed=1))
    for words in (WORDS, grown, records(8, seed=2), records(3, seed=2)):
        found = DiskCacheProducer(MemoryProducer(words), "train.cache", revalidate=True).words()
        assert tuple(found) == words
        assert tuple(DiskCacheProducer(MemoryProducer(()), "train.cache").words()) == words


def test_another_token_discards() -> None:
    assert tuple(DiskCacheProducer(MemoryProducer(WORDS), "train.cache").words()) == WORDS
    newer = MemoryProducer(records(4, seed=3), version="2")
    assert tuple(DiskCacheProducer(newer, "train.cache").words()) == records(4, seed=3)


@pytest.mark.parametrize("damage", ["flip", "cut", "longer", "empty", "header"])
def test_a_damaged_cache_is_made_again(cache: Path, damage: str) -> None:
    base = Counting(WORDS)
    tuple(DiskCacheProducer(base, "train.cache").words())
    path = cache / KIND / "train.cache"
    data = path.read_bytes()
    altered = {
        "flip": data[:-9] + bytes([data[-9] ^ 1]) + data[-8:],
        "cut": data[:-32],
        "longer": data + bytes(32),
        "empty": b"",
        "header": b"{}\n" + data.partition(b"\n")[2],
    }[damage]
    path.write_bytes(altered)
    assert tuple(DiskCacheProducer(base, "train.cache").words()) == WORDS
    assert base.asked == 2
    assert path.read_bytes() == data


def test_where_nothing_can_be_written_the_base_serves(cache: Path) -> None:
    shutil.rmtree(cache)
    cache.write_text("a file where the folder should be")
    assert tuple(DiskCacheProducer(MemoryProducer(WORDS), "train.cache").words()) == WORDS
    assert cache.read_text() == "a file where the folder should be"


def test_a_full_disk_leaves_nothing_half_written(cache: Path) -> None:
    tuple(DiskCacheProducer(MemoryProducer(WORDS), "train.cache").words())
    before = sorted((cache / KIND).iterdir())
    kept = (cache / KIND / "train.cache").read_bytes()
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    old = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (200, limits[1]))
        newer = MemoryProducer(records(40, seed=4), version="2")
        assert tuple(DiskCacheProducer(newer, "train.cache").words()) == records(40, seed=4)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, old)
    assert sorted((cache / KIND).iterdir()) == before
    assert (cache / KIND / "train.cache").read_bytes() == kept


@pytest.mark.parametrize("name", ["", "..", "../up", "a/b", ".hidden", "x.lock", "a" * 101])
def test_a_name_cannot_lead_out_of_the_folder(name: str) -> None:
    with pytest.raises(ChainBeastsError, match="cannot name a cache"):
        DiskCacheProducer(MemoryProducer(WORDS), name)


def test_readers_beside_writers_see_whole_datasets(cache: Path) -> None:
    """Two processes replace the file as fast as they can; every read finds one of the versions.

    They go on until the reader has come to one.
    """
    program = (
        "import itertools, os, sys\n"
        "from tests.datasets.conftest import records\n"
        "from chainbeasts.trainer.datasets.disk_cache import DiskCacheProducer\n"
        "from chainbeasts.trainer.datasets.producers import MemoryProducer\n"
        "for turn in itertools.count():\n"
        "    if turn >= 60 and os.path.exists(sys.argv[2]):\n"
        "        break\n"
        "    words = records(200 + turn % 2, seed=turn % 2)\n"
        "    base = MemoryProducer(words, version=sys.argv[1] + str(turn))\n"
        "    assert tuple(DiskCacheProducer(base, 'train.cache').words()) == words\n"
    )
    enough = cache / "enough"
    writers = [
        subprocess.Popen([sys.executable, "-c", program, name, str(enough)], env=dict(os.environ))
        for name in ("a", "b")
    ]
    versions = {records(200), records(201, seed=1)}
    path = cache / KIND / "train.cache"
    seen = 0
    while any(writer.poll() is None for writer in writers):
        if path.exists():
            reader = DiskCacheProducer(MemoryProducer(()), "train.cache")
            found = reader._load()
            assert found is not None
            assert found[1] in versions
            seen += 1
            enough.touch()
    assert [writer.returncode for writer in writers] == [0, 0]
    assert seen > 0


def test_generated_words_are_the_same_every_time() -> None:
    assert tuple(GeneratedProducer(20).words(5)) == tuple(GeneratedProducer(20).words())[5:]
    assert GeneratedProducer(20).version() != GeneratedProducer(20, seed=2).version()
