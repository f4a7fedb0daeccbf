"""Home is found upwards like .git, and whoever misses something is told where it was looked for."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from chainbeasts.backend.chain.deployment import Deployment
from chainbeasts.backend.errors import ChainBeastsError
from chainbeasts.backend.home import NAME, find_home, seen_homes
from chainbeasts.backend.settings import DEVNET_FILE, load_settings
from tests.cli.conftest import Cli


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project with a folder in it, in which we are; nothing else of ours is seen."""
    (tmp_path / "project" / "deep" / "er").mkdir(parents=True)
    (tmp_path / "user").mkdir()
    monkeypatch.setenv("HOME", str(tmp_path / "user"))
    monkeypatch.delenv("CHAINBEASTS_HOME", raising=False)
    monkeypatch.chdir(tmp_path / "project" / "deep" / "er")
    return tmp_path


def test_the_nearest_home_upwards_is_ours(tree: Path) -> None:
    assert find_home() == Path(NAME)  # to be made here
    (tree / NAME).mkdir()
    assert find_home() == tree / NAME
    nearer = tree / "project" / NAME
    nearer.mkdir()
    assert load_settings().home == nearer
    assert load_settings(home=Path("elsewhere")).home == Path("elsewhere")
    Path(NAME).mkdir()
    assert find_home() == Path(NAME)


def test_another_users_folder_is_passed_over(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever may write to /tmp chooses no node and no contracts for who works below it."""
    (tree / "project" / NAME).mkdir()
    monkeypatch.setattr(os, "geteuid", lambda: os.getuid() + 1)
    assert find_home() == Path(NAME)


def test_a_hint_names_the_home_and_others(tree: Path) -> None:
    home, other = tree / "project" / NAME, tree / "user" / NAME
    assert seen_homes(home, DEVNET_FILE) == f"The home is {home}."
    for folder in (home, other):
        folder.mkdir()
    (other / DEVNET_FILE).write_text("{}")
    found = seen_homes(home, DEVNET_FILE)
    assert found == f"The home is {home}. Others, for --home: {other} (has one)."
    with pytest.raises(ChainBeastsError) as missing:
        Deployment.load(home / "deployments", 31_337)
    assert f"The home is {home}." in missing.value.hint


def test_commands_that_miss_a_devnet_name_the_home(cli: Cli, monkeypatch: Any) -> None:
    where = f"The home is {cli.home}."
    cli.hinted("No devnet runs.", where, "devnet", "down")
    cli.hinted("No devnet runs.", where, "devnet", "fund", "devnet:1")
    cli.hinted("This home has no devnet.", where, "devnet", "backup", "x.gz")
    assert where in cli.run("devnet", "status").stdout
    assert cli.json("devnet", "status")["home"] == str(cli.home)
    cli.hinted("No node answers", where, "energy", "balance", "--account", "devnet:1")
