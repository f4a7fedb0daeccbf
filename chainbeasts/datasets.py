"""Battle records: where they come from, how they are kept, and what a hatch commits to."""

from __future__ import annotations

from chainbeasts.trainer.datasets.disk_cache import DiskCacheProducer
from chainbeasts.trainer.datasets.generate import battle_words
from chainbeasts.trainer.datasets.http import HttpProducer
from chainbeasts.trainer.datasets.pack import PackedDataset, pack_dataset
from chainbeasts.trainer.datasets.producers import (
    CsvProducer,
    FileProducer,
    GeneratedProducer,
    Hdf5Producer,
    MemoryProducer,
    Producer,
)
from chainbeasts.trainer.datasets.reader import parse_records, read_records

__all__ = [
    "CsvProducer",
    "DiskCacheProducer",
    "FileProducer",
    "GeneratedProducer",
    "Hdf5Producer",
    "HttpProducer",
    "MemoryProducer",
    "PackedDataset",
    "Producer",
    "battle_words",
    "pack_dataset",
    "parse_records",
    "read_records",
]
