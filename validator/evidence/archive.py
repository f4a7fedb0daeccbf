"""A bundle as a zip file: the same contents always give the same bytes, and hostile ones nothing.

Members are stored, not compressed, so that none is larger than the file that it came in.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping
from pathlib import Path

from chainbeasts.backend.cache import write_atomic
from chainbeasts.backend.errors import ChainBeastsError
from chainbeasts.backend.kernel.state import ENCODED_BYTES
from chainbeasts.backend.store.private import MAX_COMPRESSED
from chainbeasts.validator.evidence import manifest

MANIFEST = "manifest.json"
PARENT = "parent.state"
PUBLISHED = "published.state"
DATASET = "dataset.zst"
RECORDS = "records.bin"
MATCH_LOG = "match.log"
MAX_LOG = 254 * 32
"""Bytes of the longest match's log (docs/spec/rules.md §3)."""

MAX_RECORDS_FILE = 128 + 32 * (128 + 128 * 16)
"""Bytes of an opening of 128 records out of 65,536, were no sibling shared."""

LIMITS = {
    MANIFEST: manifest.MAX_BYTES,
    PARENT: ENCODED_BYTES,
    PUBLISHED: ENCODED_BYTES,
    DATASET: MAX_COMPRESSED,
    RECORDS: MAX_RECORDS_FILE,
    MATCH_LOG: MAX_LOG,
}
"""Members and the most bytes of each, in their order."""

MAX_FILE_BYTES = sum(LIMITS.values()) + 4_096
_MOMENT = (1980, 1, 1, 0, 0, 0)
_UNIX, _MODE = 3, 0o644 << 16


def pack(members: Mapping[str, bytes]) -> bytes:
    """The file of some members."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for name in LIMITS:
            if name in members:
                entry = zipfile.ZipInfo(name, _MOMENT)
                entry.create_system, entry.external_attr = _UNIX, _MODE
                archive.writestr(entry, members[name])
    return buffer.getvalue()


def unpack(data: bytes) -> dict[str, bytes]:
    """The members of a file.

    Raises:
        ChainBeastsError: it is no bundle, or damaged.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            return {entry.filename: _member(archive, entry) for entry in _entries(archive)}
    except (zipfile.BadZipFile, NotImplementedError, EOFError, OSError, ValueError) as error:
        raise _refusal(str(error) or type(error).__name__) from None


def _entries(archive: zipfile.ZipFile) -> list[zipfile.ZipInfo]:
    entries = archive.infolist()
    names = [entry.filename for entry in entries]
    strange = [name for name in names if name not in LIMITS]
    if strange:
        raise _refusal(f"it has a member {strange[0][:40]!r}")
    if len(set(names)) < len(names) or MANIFEST not in names:
        raise _refusal("a member is there twice, or the manifest is missing")
    return entries


def _member(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> bytes:
    name = entry.filename
    if entry.compress_type != zipfile.ZIP_STORED or entry.flag_bits & 1:
        raise _refusal(f"{name} is compressed or encrypted")
    if entry.file_size > LIMITS[name]:
        raise _refusal(f"{name} has {entry.file_size} bytes, {LIMITS[name]} are allowed")
    return archive.read(entry)


def _refusal(why: str) -> ChainBeastsError:
    return ChainBeastsError(
        f"This is no evidence bundle: {why}.", "Make one: chainbeasts dispute bundle ID"
    )


def read(path: Path) -> dict[str, bytes]:
    """The members of a file on disk.

    Raises:
        ChainBeastsError: it cannot be read, or is no bundle.
    """
    try:
        with path.open("rb") as file:
            data = file.read(MAX_FILE_BYTES + 1)
    except OSError as error:
        raise ChainBeastsError(f"{path} cannot be read ({error.strerror}).") from None
    if len(data) > MAX_FILE_BYTES:
        raise _refusal(f"it has more than {MAX_FILE_BYTES} bytes")
    return unpack(data)


def write(path: Path, data: bytes, *, force: bool) -> None:
    """Write a file whole or not at all.

    Raises:
        ChainBeastsError: another file is there and ``force`` is off, or it cannot be written.
    """
    try:
        if path.exists() and not force and path.read_bytes() != data:
            raise ChainBeastsError(f"{path} exists.", "Pass --force to replace it.")
        write_atomic(path, data)
    except OSError as error:
        raise ChainBeastsError(f"{path} cannot be written ({error.strerror}).") from None
