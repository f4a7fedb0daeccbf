"""The cache folder: where it is, and how files get into it (whole or not at all)."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from backend.resources import project_root

DEFAULT = Path(".harmonics") / "cache"


def cache_dir(kind: str) -> Path:
    """The folder for one kind of cached file, made if missing.

    It lies under ``HARMONICS_CACHE_DIR``, else under ``.harmonics/cache`` of the project.
    """
    given = os.environ.get("HARMONICS_CACHE_DIR")
    folder = (Path(given) if given else project_root() / DEFAULT).absolute() / kind
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def write_atomic(path: Path, data: bytes, mode: int = 0o644) -> None:
    """Write a file so that a reader sees the old one or the new one, never a part.

    The file has its mode from the start, so a secret is at no instant readable by others.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            os.fchmod(file.fileno(), mode)
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
