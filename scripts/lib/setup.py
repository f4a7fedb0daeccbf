"""Sets the clone up: virtual environment, locked packages, locked Node tools.

Stands on the standard library alone, since nothing else is installed yet. A digest of the locks is
left in the environment, so that a second run only compares it. What scripts/test runs: checks.py.
"""

from __future__ import annotations

import argparse
import fcntl
import hashlib
import importlib.util
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
NPM = VENV / "bin" / "npm"  # of the Node wheel, where the machine has none
STAMP = VENV / ".set-up"
NODE_STAMP = ROOT / "node_modules" / ".set-up"
LOG = VENV / "set-up.log"
PACKAGES = ("backend", "migrations", "trainer", "validator")
NPM_CACHE = ROOT / ".harmonics" / "npm"
INPUTS = (
    "pyproject.toml",
    "requirements-dev.lock",
    "requirements-node.lock",
    "requirements-zig.lock",
    "package-lock.json",
)
MADE = (PYTHON, VENV / "bin" / "chainbeasts", ROOT / "node_modules" / "solc")
MIN_NODE = 20
PIPS, PARTS = 4, 8
"""So many at once, each with another part of the lock when it is done with one."""


class SetupError(Exception):
    """What went wrong and what to do, in a sentence each."""


def say(text: str) -> None:
    """One line of progress."""
    sys.stderr.write(f"[setup] {text}\n")
    sys.stderr.flush()


def digest() -> str:
    """What the set-up depends on, as one hash."""
    found = hashlib.sha256(f"{sys.version_info[:2]} {ROOT}".encode())
    for name in INPUTS:
        found.update((ROOT / name).read_bytes())
    return found.hexdigest()


def environment() -> dict[str, str]:
    """What a tool is started with: ours first on PATH, and npm's files in the clone.

    npm cannot do without a folder of its own, and takes one under HOME, which a service's account
    often cannot write. pip does without.
    """
    path = f"{VENV / 'bin'}{os.pathsep}{os.environ.get('PATH', '')}"
    return {"npm_config_cache": str(NPM_CACHE), **os.environ, "PATH": path}


def run(*command: str | Path, hint: str) -> None:
    """Run a command quietly; its last lines are shown if it fails.

    Raises:
        SetupError: it failed.
    """
    done = subprocess.run(
        [str(part) for part in command],
        cwd=ROOT,
        env=environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        LOG.write_text(done.stdout, "utf-8")
        lines = [line for line in done.stdout.splitlines() if "error" in line.lower()]
        reason = "\n".join(lines[:6] or done.stdout.splitlines()[-6:])
        name = " ".join(Path(str(part)).name for part in command[:3])
        raise SetupError(f"`{name}` failed:\n{reason}\n{hint}\nIts whole output is in {LOG}.")


def make_venv() -> None:
    """A virtual environment of this Python, kept if it works."""
    if PYTHON.exists():
        version = subprocess.run(
            [str(PYTHON), "-c", "import sys, pip; print(sys.version_info[:2])"],
            capture_output=True,
            text=True,
            check=False,
        )
        if version.stdout.strip() == str(sys.version_info[:2]):
            return
        if Path(sys.prefix) == VENV:
            raise SetupError(
                "This Python lives in .venv, which has to be made anew: deactivate it."
            )
        shutil.rmtree(VENV)
    if importlib.util.find_spec("venv") is None or importlib.util.find_spec("ensurepip") is None:
        raise SetupError(
            f"{sys.executable} has no venv module, so it cannot make the environment.\n"
            "Install it (Debian and Ubuntu: apt install python3-venv), or name another Python: "
            "PYTHON=/path/to/python3"
        )
    say("making .venv")
    VENV.mkdir(exist_ok=True)
    run(sys.executable, "-m", "venv", VENV, hint="Is the disk full, or another Python needed?")


def pip(*arguments: str | Path) -> None:
    """Install with the environment's own pip."""
    options = ("--disable-pip-version-check", "--no-input", "--quiet")
    hint = "Check the network and pip's index, then run this again."
    run(PYTHON, "-m", "pip", "install", *options, *arguments, hint=hint)


def link_packages(root: Path = ROOT) -> None:
    """Make the top folders packages of `chainbeasts`, where a clone or sdist lacks the links."""
    for name in PACKAGES:
        link = root / "chainbeasts" / name
        if not link.exists():
            link.symlink_to(Path("..") / name)


def parts(lock: str, count: int) -> list[str]:
    """A lock's requirements, shared out among as many locks."""
    # A requirement goes on in lines that are indented: its hashes, and what wants it.
    whole = re.split(r"^(?=[^\s#])", lock, flags=re.MULTILINE)[1:]
    return ["".join(whole[first::count]) for first in range(count)]


def install_locked(lock: Path) -> None:
    """The packages of a lock, each checked by its hash.

    It has all that they need, so there is nothing to resolve, and pips with a part of it each get
    in nobody's way: one waits for the network while another one unpacks. Most modules are never
    imported, so none is compiled before it is.
    """
    options = ("--no-deps", "--no-compile", "--require-hashes")
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(PIPS) as beside:
        begun = []
        for number, part in enumerate(parts(lock.read_text("utf-8"), PARTS)):
            path = Path(folder) / f"{number}.lock"
            path.write_text(part, "utf-8")
            begun.append(beside.submit(pip, *options, "-r", path))
        for one in begun:
            one.result()


def install_packages() -> None:
    """The locked packages, then the project itself."""
    say("installing the locked Python packages")
    install_locked(ROOT / "requirements-dev.lock")
    pip("--no-deps", "--no-build-isolation", "-e", ROOT)
    hint = "requirements-dev.lock lacks something: scripts/lock makes it anew."
    run(PYTHON, "-m", "pip", "--disable-pip-version-check", "check", hint=hint)


def install_compiler() -> None:
    """A C compiler for the native kernel, where the machine has none."""
    if not (os.environ.get("CC") or any(map(shutil.which, ("cc", "gcc", "clang")))):
        say("no C compiler here: installing one into .venv")
        pip("--require-hashes", "-r", ROOT / "requirements-zig.lock")


def node_version() -> int:
    """Major version of the Node on PATH, 0 if there is none."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        return 0
    told = subprocess.run([node, "--version"], capture_output=True, text=True, check=False)
    major = told.stdout.strip().removeprefix("v").split(".")[0]
    return int(major) if major.isdigit() else 0


def install_node_tools() -> None:
    """Anvil, Forge, OpenZeppelin, solc and the Solidity linters, as package-lock.json pins them."""
    npm = shutil.which("npm")
    if node_version() < MIN_NODE:
        say("no Node.js here: installing it into .venv")
        pip("--require-hashes", "-r", ROOT / "requirements-node.lock")
        npm = str(NPM)
    assert npm is not None
    wanted = hashlib.sha256((ROOT / "package-lock.json").read_bytes()).hexdigest()
    if NODE_STAMP.exists() and NODE_STAMP.read_text("ascii") == wanted:
        return
    say("installing Anvil, Forge, OpenZeppelin and solc")
    options = ("--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error")
    run(npm, "ci", *options, hint="Check the network and npm's registry, then run this again.")
    NODE_STAMP.write_text(wanted, "ascii")  # npm ci empties the folder first


@contextmanager
def alone() -> Iterator[None]:
    """Wait for another set-up of this clone to end."""
    with Path(__file__).open("rb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("waiting for another set-up of this clone")
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


def up_to_date() -> bool:
    """Whether what is installed is what the locks say."""
    if not STAMP.exists() or STAMP.read_text("ascii") != digest():
        return False
    return all(path.exists() for path in MADE) and (node_version() >= MIN_NODE or NPM.exists())


def install() -> None:
    """Make everything, in order, and leave the stamp."""
    STAMP.unlink(missing_ok=True)
    make_venv()
    link_packages()
    with ThreadPoolExecutor(1) as beside:
        ready = node_version() >= MIN_NODE
        node_tools = beside.submit(install_node_tools) if ready else None
        install_packages()
        install_compiler()
        if node_tools is None:
            install_node_tools()  # with the Node that pip brings
        else:
            node_tools.result()
    STAMP.write_text(digest(), "ascii")
    say("ready")


def main() -> int:
    """Set the clone up; the exit code."""
    parser = argparse.ArgumentParser(prog="scripts/setup", description=__doc__)
    parser.add_argument("--force", action="store_true", help="install again")
    options = parser.parse_args()
    try:
        with alone():
            if options.force or not up_to_date():
                install()
    except SetupError as error:
        sys.stderr.write(f"Error: {error}\n")
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
