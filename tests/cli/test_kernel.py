"""`chainbeasts kernel` as a user's process: several files, either kernel, files that are none."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from chainbeasts.backend.kernel.tables import KERNEL_ID, VERSION
from tests.cli.conftest import Cli

FOLDER = Path(__file__).parents[2] / "docs" / "spec" / "vectors"


def forge(path: Path, kind: str, case: int, change: dict[str, Any]) -> str:
    """A published file with one case changed."""
    document = json.loads((FOLDER / f"{kind}.json").read_text("utf-8"))
    document["cases"][case] |= change
    path.write_text(json.dumps(document), "utf-8")
    return str(path)


def test_id_is_that_of_the_published_files(cli: Cli) -> None:
    said = cli.json("kernel", "id")
    assert said == {"version": VERSION, "kernel_id": "0x" + KERNEL_ID.hex()}
    assert json.loads((FOLDER / "combat.json").read_text())["kernelId"] == said["kernel_id"]


@pytest.mark.parametrize("backend", ["numpy", "evm"])
def test_several_files_hold(cli: Cli, backend: str) -> None:
    files = [str(FOLDER / f"{kind}.json") for kind in ("features", "genesis")]
    results = cli.json("kernel", "check", *files, "--backend", backend)
    assert [(r["file"], r["backend"], r["mismatches"]) for r in results] == [
        (file, backend, []) for file in files
    ]


def test_mismatch_is_shown_whatever_a_name_holds(cli: Cli, tmp_path: Path) -> None:
    """Case, field, expected and actual; brackets of the file are text. Files that hold are told."""
    path = tmp_path / "[b]forged.json"
    forged = forge(path, "genesis", 4, {"name": "[/b]", "mask": "[/red]"})
    done = cli.run("kernel", "check", forged, str(FOLDER / "features.json"))
    assert done.returncode == 1, done.stderr
    assert "Traceback" not in done.stderr
    for cell in ("[/b]", "mask", "[/red]", forged, "all 44 features cases agree"):
        assert cell in done.stdout
    right = json.loads((FOLDER / "genesis.json").read_text())["cases"][4]["mask"]
    row = next(line for line in done.stdout.splitlines() if "[/red]" in line)
    assert str(right) in row
    assert f"1 of 17 cases in {forged}" in done.stderr


def test_one_bad_file_among_good_ones_is_named(cli: Cli, tmp_path: Path) -> None:
    """Blanks inside hex digits are no hex digits."""
    bad = forge(tmp_path / "bad.json", "genesis", 2, {"dna": "0x  " + "00" * 31, "name": "x"})
    done = cli.run("kernel", "check", str(FOLDER / "features.json"), bad)
    assert (done.returncode, done.stdout) == (2, "")
    assert f"{bad}: case 2 (x): dna is '0x  " in done.stderr
    assert "Traceback" not in done.stderr


def test_published_files_are_as_the_command_writes_them(cli: Cli) -> None:
    done = cli.run("kernel", "vectors", "-o", str(FOLDER), "--check")
    assert done.returncode == 0, done.stderr
