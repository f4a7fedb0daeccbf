"""Sets the clone up: virtual environment, locked packages, locked Node tools. Standard library only."""

from __future__ import annotations

import argparse
import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
STAMP = VENV / ".set-up"
INPUTS = (
    "pyproject.toml",
    "requirements-dev.lock",
    "requirements-node.lock",
    "package-lock.json",
)
MADE = (PYTHON, VENV / "bin" / "chainbeasts", ROOT / "node_modules" / "solc")
MIN_NODE = 20


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


def run(*command: str | Path, hint: str) -> None:
    """Run a command quietly; its last lines are shown if it fails.

    Raises:
        SetupError: it failed.
    """
    path = f"{VENV / 'bin'}{os.pathsep}{os.environ.get('PATH', '')}"
    done = subprocess.run(
        [str(part) for part in command],
        cwd=ROOT,
        env={**os.environ, "PATH": path},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        last = "\n".join(done.stdout.strip().splitlines()[-12:])
        raise SetupError(f"{Path(str(command[0])).name} failed:\n{last}\n{hint}")


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
        shutil.rmtree(VENV)
    say("making .venv")
    run(
        sys.executable,
        "-m",
        "venv",
        VENV,
        hint="Install the venv module of your Python (Debian: apt install python3-venv).",
    )


def pip(*arguments: str | Path) -> None:
    """Install with the environment's own pip."""
    options = ("--disable-pip-version-check", "--no-input", "--quiet")
    hint = "Check the network and pip's index, then run this again."
    run(PYTHON, "-m", "pip", "install", *options, *arguments, hint=hint)


def install_packages() -> None:
    """The locked packages, each checked by its hash, then the project itself."""
    say("installing the locked Python packages")
    pip("--require-hashes", "-r", ROOT / "requirements-dev.lock")
    pip("--no-deps", "--no-build-isolation", "-e", ROOT)


def node_version() -> int:
    """Major version of the Node on PATH, 0 if there is none."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        return 0
    told = subprocess.run([node, "--version"], capture_output=True, text=True, check=False)
    major = told.stdout.strip().removeprefix("v").split(".")[0]
    return int(major) if major.isdigit() else 0


def install_node_tools() -> None:
    """Anvil, OpenZeppelin, solc and the Solidity linters, as package-lock.json pins them."""
    npm = shutil.which("npm")
    if node_version() < MIN_NODE:
        say("no Node.js here: installing it into .venv")
        pip("--require-hashes", "-r", ROOT / "requirements-node.lock")
        npm = str(VENV / "bin" / "npm")
    assert npm is not None
    say("installing Anvil, OpenZeppelin and solc")
    options = ("--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error")
    run(npm, "ci", *options, hint="Check the network and npm's registry, then run this again.")


def main() -> int:
    """Set the clone up; the exit code."""
    parser = argparse.ArgumentParser(prog="scripts/setup", description=__doc__)
    parser.add_argument("--force", action="store_true", help="install again")
    options = parser.parse_args()
    wanted = digest()
    if not options.force and STAMP.exists() and STAMP.read_text("ascii") == wanted:
        if all(path.exists() for path in MADE):
            return 0
    try:
        make_venv()
        install_packages()
        install_node_tools()
    except SetupError as error:
        sys.stderr.write(f"Error: {error}\n")
        return 1
    STAMP.write_text(wanted, "ascii")
    say("ready")
    return 0


if __name__ == "__main__":
    sys.exit(main())
