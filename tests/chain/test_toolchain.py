"""Tools are found where they were put, and their absence is one sentence."""

from __future__ import annotations

import json
import re
import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from chainbeasts.backend import resources
from chainbeasts.backend.chain import toolchain
from chainbeasts.backend.chain.toolchain import (
    find_anvil,
    find_forge,
    find_node,
    find_solc,
    solc_version,
)
from chainbeasts.backend.errors import ChainBeastsError
from scripts.lib import setup
from tests.support.patience import PATIENCE


@pytest.fixture(autouse=True)
def forget_solc() -> Iterator[None]:
    find_solc.cache_clear()
    yield
    find_solc.cache_clear()


@pytest.fixture
def bare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A checkout in which nothing is installed, and an empty PATH."""
    (tmp_path / "contracts").mkdir()
    text = (resources.project_root() / "package.json").read_text("utf-8")
    (tmp_path / "package.json").write_text(text, "utf-8")
    monkeypatch.setattr(resources, "_PACKAGE", tmp_path / "backend")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path / "empty"))
    for name in ("ANVIL_BINARY", "FORGE_BINARY", "SOLC_BINARY"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


def test_missing_packages_are_one_sentence_with_the_remedy(
    bare: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(toolchain.load_solcx(), "get_installed_solc_versions", list)
    for find, message in (
        (find_anvil, "Anvil was not found."),
        (find_forge, "Forge was not found."),
        (find_solc, "The Solidity compiler was not found."),
    ):
        with pytest.raises(ChainBeastsError) as caught:
            find()
        assert caught.value.message == message
        assert caught.value.hint == toolchain.SETUP_HINT


def test_nothing_is_written_to_a_home_that_is_not_ours_to_write(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    home = tmp_path / "home"
    home.write_text("a file: nobody can make a folder in it")
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("HARMONICS_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setenv("SOLCX_BINARY_PATH", "")  # taken back after the test, whatever is set in it
    monkeypatch.delenv("SOLCX_BINARY_PATH")
    toolchain.load_solcx.cache_clear()
    assert find_solc().exists()
    assert toolchain.load_solcx().get_solcx_install_folder() == tmp_path / "cache" / "solcx"
    environment = setup.environment()
    assert environment["npm_config_cache"].startswith(str(setup.ROOT))
    toolchain.load_solcx.cache_clear()


def test_every_package_of_node_is_pinned_by_what_is_in_it() -> None:
    """Those of other platforms, too, which npm leaves out where it does not download them."""
    lock = json.loads((setup.ROOT / "package-lock.json").read_text("utf-8"))
    packages = {name: one for name, one in lock["packages"].items() if name}
    assert {name for name in packages if "anvil-darwin-arm64" in name}
    assert [name for name, one in packages.items() if "integrity" not in one] == []


def test_a_second_set_up_says_what_it_waits_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    say, told = setup.say, threading.Event()

    def saying(text: str) -> None:
        say(text)
        told.set()

    def wait() -> None:
        with setup.alone():
            pass

    own = tmp_path / "setup.py"  # which is locked; the real one may be in use
    own.touch()
    monkeypatch.setattr(setup, "__file__", str(own))
    monkeypatch.setattr(setup, "say", saying)
    with setup.alone():
        waiting = threading.Thread(target=wait)
        waiting.start()
        assert told.wait(PATIENCE)
    waiting.join()
    assert capsys.readouterr().err == "[setup] waiting for another set-up of this clone\n"


@pytest.mark.parametrize(
    ("variable", "find"),
    [("ANVIL_BINARY", find_anvil), ("FORGE_BINARY", find_forge), ("SOLC_BINARY", find_solc)],
)
def test_a_named_binary_wins_and_must_exist(
    variable: str, find: object, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert callable(find)
    binary = tmp_path / "tool"
    monkeypatch.setenv(variable, str(binary))
    with pytest.raises(ChainBeastsError, match=f"{variable} names {binary}, which is not a file"):
        find()
    binary.touch()
    assert find() == binary


@pytest.mark.parametrize("find", [find_anvil, find_forge])
def test_a_foundry_tool_is_found_on_path_if_no_package_has_it(
    bare: Path, find: Callable[[], Path]
) -> None:
    binary = bare / "empty" / find.__name__.removeprefix("find_")
    binary.parent.mkdir()
    binary.touch(0o755)
    binary.chmod(0o755)
    assert find() == binary


@pytest.mark.parametrize("find", [find_anvil, find_forge])
def test_a_foundry_tool_that_lost_its_mode_is_made_executable(
    bare: Path, find: Callable[[], Path]
) -> None:
    tool = find.__name__.removeprefix("find_")
    folder = bare / "node_modules" / "@foundry-rs" / toolchain._platform_package(tool) / "bin"
    folder.mkdir(parents=True)
    binary = folder / tool
    binary.touch(0o644)
    assert find() == binary
    assert binary.stat().st_mode & 0o100


def test_node_runs() -> None:
    said = subprocess.run([find_node(), "--version"], capture_output=True, text=True, check=True)
    assert said.stdout.startswith("v")


def test_the_compiler_is_the_pinned_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SOLC_BINARY", raising=False)
    said = subprocess.run([find_solc(), "--version"], capture_output=True, text=True, check=True)
    assert f"Version: {solc_version()}+" in said.stdout


def test_a_locks_halves_are_the_whole_lock() -> None:
    """Each requirement with all of its hashes, in one of them."""
    lock = (setup.ROOT / "requirements-dev.lock").read_text("utf-8")
    halves = setup.parts(lock, 2)
    entries = [re.findall(r"^\S+==(?:.|\n\s)*", half, re.MULTILINE) for half in halves]
    assert abs(len(entries[0]) - len(entries[1])) <= 1
    everything = re.findall(r"^\S+==(?:.|\n\s)*", lock, re.MULTILINE)
    assert sorted(entries[0] + entries[1]) == sorted(everything)
    assert all("--hash=sha256:" in entry for entry in everything)
