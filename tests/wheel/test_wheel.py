"""A release: reproducible, whole, typed, and at work without compiler and Node."""

from __future__ import annotations

import hashlib
import json
import os
import re
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path
from typing import Any

import pytest

from chainbeasts.backend.api.vendored import LICENCES, VENDORED
from chainbeasts.backend.cache import cache_dir
from chainbeasts.backend.chain.compile import artifact
from chainbeasts.backend.chain.deployment import CONTRACTS
from chainbeasts.backend.chain.toolchain import find_anvil, find_node
from chainbeasts.backend.cli.quickstart import ENTER, LINES, SERVE
from scripts.lib.setup import link_packages
from tests.wheel.conftest import ROOT, Dist, Installed, build

MOST_BYTES = 5_000_000
GUIDE = ROOT / "docs" / "guides" / "python.md"
PAGE = ROOT / "docs" / "quickstart.md"
PACKAGES = {"chainbeasts"}
COMPILE = """
import json, sys
from chainbeasts.backend.chain.compile import artifact
print(json.dumps(artifact(sys.argv[1]).document()))
"""


@pytest.fixture(scope="module")
def other(dist: Dist, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sdist, unpacked in another folder."""
    folder = tmp_path_factory.mktemp("other")
    with tarfile.open(dist.sdist) as archive:
        # Python 3.11.2, as Debian 12 has it, knows no filters.
        archive.extraction_filter = getattr(tarfile, "data_filter", None)
        archive.extractall(folder)
    (unpacked,) = folder.iterdir()
    return unpacked


def test_two_builds_in_two_folders_are_the_same_bytes(
    dist: Dist, other: Path, tmp_path: Path
) -> None:
    """The second is made of the sdist, without solc and with an empty cache."""
    build(
        other,
        tmp_path / "again",
        "-t",
        "wheel",
        HARMONICS_CACHE_DIR=str(tmp_path / "cache"),
        SOLC_BINARY="/bin/false",
    )
    (again,) = (tmp_path / "again").glob("*.whl")
    assert again.name == dist.wheel.name
    digests = [hashlib.sha256(path.read_bytes()).hexdigest() for path in (dist.wheel, again)]
    assert digests[0] == digests[1]
    assert dist.wheel.stat().st_size <= MOST_BYTES
    assert not (tmp_path / "cache").exists()


def test_a_contract_compiled_elsewhere_is_the_same(dist: Dist, other: Path, tmp_path: Path) -> None:
    """And it is what the wheel has, with what it was compiled from."""
    (other / "node_modules").symlink_to(ROOT / "node_modules")
    link_packages(other)
    done = subprocess.run(
        [sys.executable, "-c", COMPILE, "EnergySale"],
        cwd=other,
        env=os.environ | {"HARMONICS_CACHE_DIR": str(tmp_path), "PYTHONPATH": str(other)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert list((tmp_path / "contracts").glob("EnergySale.sol-*.json"))
    compiled = json.loads(done.stdout)
    assert compiled == artifact("EnergySale").document()
    with zipfile.ZipFile(dist.wheel) as wheel:
        (name,) = (one for one in wheel.namelist() if one.endswith("/EnergySale.json"))
        brought = json.loads(wheel.read(name))
    assert compiled.items() <= brought.items()
    source = (ROOT / "contracts" / "EnergySale.sol").read_bytes()
    assert brought["sources"]["contracts/EnergySale.sol"] == hashlib.sha256(source).hexdigest()
    assert (
        brought["compiler"]
        == json.loads((ROOT / "package.json").read_text())["dependencies"]["solc"]
    )


def test_a_wheel_has_its_packages_and_nothing_else(dist: Dist) -> None:
    with zipfile.ZipFile(dist.wheel) as wheel:
        names = wheel.namelist()
    tops = {name.partition("/")[0] for name in names}
    assert {top for top in tops if not top.endswith(".dist-info")} == PACKAGES
    assert {f"{package}/py.typed" for package in PACKAGES} <= set(names)
    artifacts = {Path(name).stem for name in names if "/artifacts/" in name}
    assert set(CONTRACTS) <= artifacts
    (resources,) = {name.partition("/artifacts/")[0] for name in names if "/artifacts/" in name}
    page = {f"{resources}/node_modules/{path}" for path in (*VENDORED.values(), *LICENCES)}
    assert page <= set(names)
    assert not {name for name in artifacts if name.startswith("Hostile")}


def environment(folder: Path, installed: Installed) -> dict[str, str]:
    """One in which solc, Node and npm leave a trace when they are called, and fail."""
    traps = folder / "traps"
    traps.mkdir()
    for name in ("node", "npm", "solc"):
        trap = traps / name
        trap.write_text(f"#!/bin/sh\necho {name} $* >> {folder / 'called'}\nexit 1\n")
        trap.chmod(0o755)
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("CHAINBEASTS_", "HARMONICS_"))}
    # Kernels are named by what they are compiled from: those of other tests serve, if they are the
    # same, and these serve them. A compilation takes three seconds.
    user = folder / "user"
    (user / ".cache").mkdir(parents=True)
    (user / ".cache" / "chainbeasts").symlink_to(cache_dir("kernels").parent)
    return kept | {
        "XDG_CACHE_HOME": str(user / ".cache"),
        "PATH": f"{installed.folder / 'bin'}:{traps}:{kept['PATH']}",
        "SOLC_BINARY": str(traps / "solc"),
        "ANVIL_BINARY": str(find_anvil()),
        "HOME": str(user),
        "NO_COLOR": "1",
    }


class Shell:
    """Runs the installed program."""

    def __init__(self, folder: Path, given: dict[str, str]) -> None:
        self.folder = folder
        self.environment = given

    def run(self, *command: str | Path) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            command,
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
        )

    def json(self, *words: str) -> Any:
        done = self.run("chainbeasts", *words, "--json")
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)


def blocks(page: Path, language: str) -> list[str]:
    return re.findall(
        rf"^```{language}\n(.*?)^```", page.read_text("utf-8"), re.MULTILINE | re.DOTALL
    )


def test_the_pages_lines_are_those_of_the_command() -> None:
    first, by_hand = blocks(PAGE, "sh")
    assert by_hand.splitlines() == [ENTER, *LINES, SERVE]
    assert first.splitlines() == ["pip install dist/chainbeasts-*.whl", "chainbeasts quickstart"]


@pytest.mark.timeout(3_600)
def test_an_installed_wheel_plays_the_quickstart(installed: Installed, tmp_path: Path) -> None:
    """Each line as the page has it, run by a shell; then what others do with what it left."""
    before = installed.files()
    shell = Shell(tmp_path, environment(tmp_path, installed))
    version = shell.run("chainbeasts", "--version")
    assert version.stdout == f"chainbeasts {_version(installed)}\n"
    told = shell.json("quickstart", "--no-serve")
    assert told["commands"] == [ENTER, *LINES]
    shell.folder = Path(told["folder"])
    try:
        again = shell.run("chainbeasts", "deploy")
        assert again.returncode == 0, again.stderr
        verified = shell.json("verify-deployment")
        assert [one["contract"] for one in verified] == list(CONTRACTS)
        assert all(one["matches"] and one["creation"] == "as_built" for one in verified)
        beasts = shell.json("beast", "list")
        assert [one["final"] for one in beasts] == [8, 8]
        checks = {
            one["name"]: one["result"]
            for one in shell.json("doctor", "--account", "alice", "--password-file", "password.txt")
        }
        assert checks["contracts"] == checks["kernel"] == checks["referee"] == "ok"
        url = shell.json("devnet", "status")["rpc_url"]
        (deployment,) = (code for code in blocks(GUIDE, "python") if "open_chain" in code)
        (tmp_path / "deployment.py").write_text(deployment)
        call = f"import deployment; deployment.main({url!r}, '.chainbeasts')"
        shell.environment["PYTHONPATH"] = str(tmp_path)
        seen = shell.run(installed.python, "-c", call)
        assert seen.stdout.count(": 8 windows\n") == 2, seen.stderr
    finally:
        shell.run("chainbeasts", "devnet", "down")
    assert not (tmp_path / "called").exists()
    assert installed.files() == before
    refused = Shell(tmp_path, shell.environment).run("chainbeasts", "quickstart")
    assert refused.returncode == 1
    assert "There is a folder quickstart here already." in refused.stderr


def _version(installed: Installed) -> str:
    (found,) = installed.packages.glob("chainbeasts-*.dist-info")
    return found.name.removeprefix("chainbeasts-").removesuffix(".dist-info")


@pytest.mark.timeout(3_600)
def test_the_guides_programs_are_typed_and_run_outside(
    installed: Installed, tmp_path: Path
) -> None:
    names = []
    for number, code in enumerate(blocks(GUIDE, "python")):
        names.append(f"example_{number}.py")
        (tmp_path / names[-1]).write_text(code)
    assert len(names) == 3
    # Beside them a mistake, which both have to find: else they would have seen no types.
    (tmp_path / "wrong.py").write_text("from chainbeasts.kernel import state_hash\nstate_hash(7)\n")
    shell = Shell(tmp_path, os.environ | {"HOME": str(tmp_path)})
    python = str(installed.python)
    mypy = [sys.executable, "-m", "mypy", "--strict", "--python-executable", python]
    mypy.append(f"--cache-dir={os.devnull}")  # nobody looks at these again
    pyright = [find_node(), ROOT / "node_modules/pyright/index.js", "--pythonpath", python]
    for checker in (mypy, pyright):
        told = shell.run(*checker, *names, "wrong.py").stdout
        faults = [line for line in told.splitlines() if "error:" in line]
        assert len(faults) == 1, told
        assert "wrong.py:2" in faults[0]
        assert '"State"' in told
    for name in names:
        done = shell.run(python, name)
        assert done.returncode == 0, done.stderr
