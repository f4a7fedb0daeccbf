"""`chainbeasts cache` and `graph_cache_cli` as processes."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

from tests.cli.conftest import COMMAND, Cli


def test_kernels_are_compiled_listed_and_cleared(cli: Cli, tmp_path: Path) -> None:
    cli.extra["HARMONICS_CACHE_DIR"] = str(tmp_path / "shared")
    assert cli.json("cache", "list") == []
    (made,) = cli.json("cache", "compile", "0x11")
    assert made["compiled"] is True
    (again,) = cli.json("cache", "compile", "0x11")
    assert again == {**made, "compiled": False}
    (listed,) = cli.json("cache", "list")
    assert listed["digest"] == made["digest"]
    assert listed["hits"] == 1
    assert listed["size"] == Path(listed["path"]).stat().st_size

    tool = str(Path(COMMAND).with_name("graph_cache_cli"))
    done = subprocess.run(
        [tool, "list", "--json"], env=cli.environment(), capture_output=True, text=True, check=True
    )
    assert json.loads(done.stdout) == [listed]
    done = subprocess.run(
        [tool, "clear", "--json"], env=cli.environment(), capture_output=True, text=True, check=True
    )
    assert json.loads(done.stdout)["removed"] == 1
    assert cli.json("cache", "list") == []
    cli.hinted("is no active mask", "uint8", "cache", "compile", "0x100")

    taken = tmp_path / "taken"
    taken.write_text("a file where the folder should be")
    cli.extra["HARMONICS_CACHE_DIR"] = str(taken)
    for verb in ("list", "clear"):
        cli.hinted("cannot be made", "HARMONICS_CACHE_DIR", "cache", verb)
