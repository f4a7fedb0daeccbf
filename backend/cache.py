"""The cache folder: where it is, and how files get into it and others (whole or not at all)."""

from __future__ import annotations

import fcntl
import os
import re
import secrets
import shutil
import sys
import tempfile
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import Self

from chainbeasts.backend.resources import is_checkout, project_root

DEFAULT = Path(".harmonics") / "cache"
FOLDER_MODE = 0o755
"""Of folders that we make: under umask 002 theirs would be a group's to write, which the kernel
cache refuses to load from."""

UNFINISHED = ".unfinished"
_UNFINISHED_NAME = re.compile(r"\..+\.[0-9a-f]{8}" + re.escape(UNFINISHED))

SWEEP_SECONDS = 60.0
"""Younger than this nothing is swept: its writer may not have locked it yet."""

_swept: set[Path] = set()
_sweeping = threading.Lock()


def cache_dir(kind: str) -> Path:
    """The folder for one kind of cached file, made if missing.

    It lies under ``HARMONICS_CACHE_DIR``, else under ``.harmonics/cache`` of the checkout; where
    chainbeasts is installed, in the user's cache folder, since what is installed is not ours to
    write.
    """
    given = os.environ.get("HARMONICS_CACHE_DIR")
    folder = (Path(given) if given else _default()).absolute() / kind
    make_folder(folder)
    return folder


def _default() -> Path:
    if is_checkout():
        return project_root() / DEFAULT
    if sys.platform == "darwin":
        return Path("~/Library/Caches/chainbeasts").expanduser()
    base = os.environ.get("XDG_CACHE_HOME", "")
    return (Path(base) if os.path.isabs(base) else Path("~/.cache").expanduser()) / "chainbeasts"


def make_folder(folder: Path) -> None:
    """Make a folder, and those above it, that nobody but its owner can write."""
    for missing in reversed([folder, *folder.parents]):
        if not missing.is_dir():
            missing.mkdir(mode=FOLDER_MODE, exist_ok=True)


def write_atomic(path: Path, data: bytes, mode: int = 0o644) -> None:
    """Write a file so that a reader sees the old one or the new one, never a part.

    The file has its mode from the start, so a secret is at no instant readable by others: at most
    ``mode``, at most what the umask allows, and at most what the old file had.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    sweep_unfinished(path.parent)
    with suppress(FileNotFoundError):
        mode &= path.stat().st_mode & 0o777
    unfinished = path.with_name(f".{path.name}.{secrets.token_hex(4)}{UNFINISHED}")
    # Not mkstemp and chmod: whoever creates a file with its mode is held to the umask.
    handle = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
    try:
        with os.fdopen(handle, "wb") as file:
            with suppress(OSError):  # some network folders know no locks; then only age protects
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
            unfinished.replace(path)
    except BaseException:
        unfinished.unlink(missing_ok=True)
        raise


def sweep_unfinished(folder: Path, *, again: bool = False) -> None:
    """Remove what killed writers left in a folder; once per process, as listing it costs time.

    Args:
        again: also if this process has swept it before.
    """
    with _sweeping:
        if folder in _swept and not again:
            return
        _swept.add(folder)
    with suppress(OSError):
        for entry in os.scandir(folder):
            if _UNFINISHED_NAME.fullmatch(entry.name):
                with suppress(OSError):
                    _sweep_file(Path(entry.path))


def remove_unfinished(path: Path) -> None:
    """Remove what killed writers of one file left; for who knows that nobody is writing it."""
    ours = re.compile(re.escape(f".{path.name}.") + "[0-9a-f]{8}" + re.escape(UNFINISHED))
    with suppress(OSError):
        for entry in os.scandir(path.parent):
            if ours.fullmatch(entry.name):
                Path(entry.path).unlink(missing_ok=True)


def _sweep_file(path: Path) -> None:
    """Remove a file whose writer is dead: it holds no lock."""
    if time.time() - path.stat().st_mtime < SWEEP_SECONDS:
        return
    with path.open("rb") as file:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        path.unlink(missing_ok=True)


class ScratchFolder:
    """A folder that goes when it is closed, or else when a later one of its kind is made.

    Until then a lock tells that it is in use. A child that inherits ``handle`` keeps the lock, and
    so the folder, also when this process is gone.

    Args:
        kind: of what is put there.
        parent: where; the system's folder of temporary files if None.

    Raises:
        OSError: it cannot be made.
    """

    def __init__(self, kind: str, parent: Path | None = None) -> None:
        place = Path(tempfile.gettempdir()) if parent is None else parent
        sweep_folders(kind, place)
        self.path = Path(tempfile.mkdtemp(prefix=_scratch_prefix(kind), dir=place))
        self.handle = os.open(self.path, os.O_RDONLY | os.O_DIRECTORY)
        with suppress(OSError):
            fcntl.flock(self.handle, fcntl.LOCK_EX | fcntl.LOCK_NB)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Remove it with all that is in it."""
        shutil.rmtree(self.path, ignore_errors=True)
        os.close(self.handle)


def _scratch_prefix(kind: str) -> str:
    return f"chainbeasts-{kind}-"


def sweep_folders(kind: str, place: Path) -> None:
    """Remove the scratch folders of a kind that no living process holds."""
    prefix = _scratch_prefix(kind)
    with suppress(OSError):
        for entry in os.scandir(place):
            if not entry.name.startswith(prefix) or not entry.is_dir(follow_symlinks=False):
                continue
            with suppress(OSError):
                found = entry.stat(follow_symlinks=False)
                if found.st_uid == os.getuid() and time.time() - found.st_mtime >= SWEEP_SECONDS:
                    _sweep_folder(Path(entry.path))


def _sweep_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        shutil.rmtree(folder, ignore_errors=True)
    finally:
        os.close(handle)
