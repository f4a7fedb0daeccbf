"""The thin scripts set the clone up and become the command that their name promises."""

from __future__ import annotations

import os
import re
import subprocess
import tomllib
from pathlib import Path

import pytest

from tests.cli.conftest import Cli
from tests.support.patience import PATIENCE

ROOT = Path(__file__).parents[2]
SCRIPTS = ROOT / "scripts"
BECOMES = {
    "checkpoint_demo": "checkpoint_demo",
    "dataset_convert": "dataset_convert",
    "deploy": "chainbeasts deploy",
    "file_dispute": "chainbeasts dispute file",
    "graph_cache_cli": "graph_cache_cli",
    "hatch": "chainbeasts beast hatch",
    "metrics_demo": "metrics_demo",
    "run_validator": "chainbeasts validator run",
    "submit_checkpoint": "chainbeasts checkpoint submit",
}


@pytest.mark.parametrize("name", BECOMES)
def test_a_script_becomes_an_installed_command(cli: Cli, name: str) -> None:
    program, _, words = BECOMES[name].partition(" ")
    *_, setup, last = (SCRIPTS / name).read_text("utf-8").splitlines()
    assert os.access(SCRIPTS / name, os.X_OK)
    assert setup == '"$here/setup"'
    wanted = f'exec "$here/../.venv/bin/{program}"' + (f" {words}" if words else "") + ' "$@"'
    assert last == wanted
    installed = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["scripts"]
    assert program in installed
    if words:
        shown = cli.run(*words.split(), "--help")
        assert f"Usage: {BECOMES[name]} " in shown.stdout, shown.stderr


def test_the_readme_has_exactly_two_commands() -> None:
    text = (ROOT / "README.md").read_text("utf-8")
    blocks = re.findall(r"^```(?:bash|sh)\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    lines = [line.partition("#")[0].strip() for block in blocks for line in block.splitlines()]
    assert lines == ["scripts/demo", "scripts/test"]


def test_a_script_runs_from_any_folder_with_what_it_was_given(tmp_path: Path) -> None:
    done = subprocess.run(
        [SCRIPTS / "graph_cache_cli", "list", "--json"],
        cwd=tmp_path,
        env=os.environ | {"HARMONICS_CACHE_DIR": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )
    assert (done.returncode, done.stdout) == (0, "[]\n"), done.stderr
