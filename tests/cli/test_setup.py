"""`chainbeasts setup`: what it gets from npm for a home, and what it says where it cannot."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from chainbeasts.backend import resources
from chainbeasts.backend.chain import tools
from chainbeasts.backend.chain.toolchain import _platform_package, find_anvil
from chainbeasts.backend.chain.tools import install_anvil
from chainbeasts.backend.errors import ChainBeastsError
from tests.cli.conftest import Cli

ROOT = Path(__file__).parents[2]
NPM = """#!/bin/sh
test "$1 $2" = "ci --ignore-scripts" || exit 9
test -f package-lock.json || exit 8
mkdir -p {folder} && echo '#!/bin/sh' > {folder}/anvil && chmod +x {folder}/anvil
"""


@pytest.fixture
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An installation without Node packages, and a PATH with the system's tools only."""
    (tmp_path / "contracts").mkdir()
    for name in ("package.json", "package-lock.json"):
        shutil.copy(ROOT / name, tmp_path / name)
    (tmp_path / "bin").mkdir()
    for name in ("sh", "mkdir", "chmod", "test"):
        (tmp_path / "bin" / name).symlink_to(str(shutil.which(name)))
    monkeypatch.setattr(resources, "_PACKAGE", tmp_path / "backend")
    monkeypatch.setattr(tools.sys, "executable", str(tmp_path / "bin" / "python"))
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.setenv("HARMONICS_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.delenv("ANVIL_BINARY", raising=False)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def npm(elsewhere: Path, text: str) -> None:
    file = elsewhere / "bin" / "npm"
    file.write_text(text)
    file.chmod(0o755)


def test_anvil_comes_into_the_home_as_the_lock_pins_it(elsewhere: Path) -> None:
    home = elsewhere / "home"
    npm(elsewhere, NPM.format(folder=f"node_modules/@foundry-rs/{_platform_package('anvil')}/bin"))
    with pytest.raises(ChainBeastsError, match="Anvil was not found"):
        find_anvil(home)
    assert install_anvil(home) == find_anvil(home)
    assert find_anvil(home).is_relative_to(home / "tools")
    whole = json.loads((ROOT / "package-lock.json").read_text())["packages"]
    ours = json.loads((home / "tools" / "package-lock.json").read_text())["packages"]
    assert ours.pop("")["dependencies"] == {
        "@foundry-rs/anvil": whole[""]["dependencies"]["@foundry-rs/anvil"]
    }
    assert ours
    assert ours.items() <= whole.items()
    assert all(one["integrity"].startswith("sha512-") for one in ours.values())
    needed = whole["node_modules/@foundry-rs/anvil"]["optionalDependencies"]
    assert {f"node_modules/{name}" for name in needed} < set(ours)


def test_what_is_missing_is_said_with_the_remedy(elsewhere: Path) -> None:
    with pytest.raises(ChainBeastsError, match="npm was not found") as caught:
        install_anvil(elsewhere / "home")
    assert "chainbeasts[devnet]" in caught.value.hint
    npm(elsewhere, "#!/bin/sh\necho nobody answers there\nexit 1\n")
    with pytest.raises(ChainBeastsError, match="nobody answers there") as caught:
        install_anvil(elsewhere / "home")
    assert "ANVIL_BINARY" in caught.value.hint


def test_what_is_there_is_left_alone(cli: Cli) -> None:
    assert Path(cli.json("setup")["anvil"]) == find_anvil()
    assert not cli.home.exists()
