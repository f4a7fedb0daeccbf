"""The example of a dataset from scratch makes a file that a hatch takes."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from chainbeasts.datasets import pack_dataset, read_records

SCRIPT = Path(__file__).resolve().parents[2] / "examples" / "dataset_from_scratch.py"


def test_the_dataset_from_scratch_is_taken_whole(tmp_path: Path) -> None:
    path = tmp_path / "close.csv"
    command = [sys.executable, str(SCRIPT), str(path)]
    told = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    words = read_records(path)
    assert len(set(words)) == len(words) == len(path.read_text("utf-8").splitlines()) - 1
    assert told.startswith(f"{len(words)} records")
    assert pack_dataset(words).commitments.records_root.hex() in told  # public, whatever the secret
