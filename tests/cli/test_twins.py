"""Every option can be set from the environment, and no variable means two things."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

import pytest
from typer.core import TyperOption
from typer.main import get_command

from chainbeasts.backend.cli.commands import app, load_commands
from chainbeasts.backend.cli.twins import add_twins, is_setting, options
from tests.support.patience import PATIENCE

FOREIGN = {"METRICS_PORT"}
"""Named by others, and kept."""

SPELLED = {"--metrics-port": "--port"}
"""The metrics server's own port, as it is called where another port is meant by --port."""


@pytest.fixture(scope="module")
def found() -> list[tuple[str, TyperOption]]:
    load_commands()
    root = get_command(app)
    add_twins(root)
    return [(" ".join(path), option) for path, option in options(root)]


def test_every_option_has_a_twin(found: list[tuple[str, TyperOption]]) -> None:
    assert len(found) > 300
    for path, option in found:
        if is_setting(option):
            assert f"[env: CHAINBEASTS_{str(option.name).upper()}]" in (option.help or ""), path
        else:
            assert isinstance(option.envvar, str), (path, option.name)
            assert option.envvar.startswith("CHAINBEASTS_") or option.envvar in FOREIGN
            assert option.show_envvar


def test_a_variable_means_one_thing(found: list[tuple[str, TyperOption]]) -> None:
    meanings = defaultdict(set)
    for _, option in found:
        if not is_setting(option):
            meanings[option.envvar].add(SPELLED.get(option.opts[0], option.opts[0]))
    twice = {name: what for name, what in meanings.items() if len(what) > 1}
    assert not twice


def test_a_twin_is_read() -> None:
    def run(*words: str, **environment: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "chainbeasts.backend.cli", "kernel", "id", *words]
        return subprocess.run(
            command,
            env=os.environ | environment,
            cwd=Path(__file__).parents[2],
            capture_output=True,
            text=True,
            timeout=PATIENCE,
        )

    assert json.loads(run(CHAINBEASTS_JSON="1").stdout)
    wrong = run(CHAINBEASTS_LOG_LEVEL="loud")
    assert wrong.returncode == 1
    assert "Traceback" not in wrong.stderr
