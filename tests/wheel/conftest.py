"""The wheel and the sdist of this checkout, and an environment that the wheel is installed into."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
import venv
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SEED = 0


@dataclass(frozen=True)
class Dist:
    """What a release consists of."""

    wheel: Path
    sdist: Path


@dataclass(frozen=True)
class Installed:
    """An environment that has the wheel."""

    folder: Path

    @property
    def python(self) -> Path:
        return self.folder / "bin" / "python"

    @property
    def packages(self) -> Path:
        return Path(sysconfig.get_path("purelib", "venv", {"base": str(self.folder)}))

    def files(self) -> set[Path]:
        """All that lies in site-packages, but for Python's own caches."""
        return {path for path in self.packages.rglob("*") if "__pycache__" not in path.parts}


def build(root: Path, out: Path, *options: str, **environment: str) -> None:
    """Build the distributions of a source tree, as `scripts/build` does."""
    done = subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-d", str(out), *options],
        cwd=root,
        env=os.environ | environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture(scope="session")
def dist(tmp_path_factory: pytest.TempPathFactory) -> Dist:
    out = tmp_path_factory.mktemp("dist")
    build(ROOT, out)
    (wheel,), (sdist,) = out.glob("*.whl"), out.glob("*.tar.gz")
    return Dist(wheel, sdist)


@pytest.fixture(scope="session")
def installed(dist: Dist, tmp_path_factory: pytest.TempPathFactory) -> Installed:
    """The wheel alone in a fresh environment; its dependencies are the locked ones beside it.

    A path file brings those: what the path files of their folder add, the checkout, it does not.
    """
    made = Installed(tmp_path_factory.mktemp("environment"))
    venv.create(made.folder, with_pip=False, symlinks=True)
    pip = [sys.executable, "-m", "pip", "--python", str(made.python)]
    subprocess.run([*pip, "install", "-q", "--no-deps", "--no-index", dist.wheel], check=True)
    (made.packages / "locked.pth").write_text(sysconfig.get_path("purelib"))
    return made
