"""Where published files lie: a folder, a web server or an S3-compatible store, named by one URL.

Bytes only, and never more of them than the caller asked for. Credentials come from the environment
(``AWS_…``) and are neither shown nor logged.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import SplitResult, urlsplit

from obstore.exceptions import BaseError
from obstore.store import HTTPStore, LocalStore, S3Store

from chainbeasts.backend.errors import ChainBeastsError
from chainbeasts.backend.remote import beside

if TYPE_CHECKING:
    from obstore.store import ClientConfig, RetryConfig

SECONDS = 20.0
"""For one request, its answer included."""

LEFT_SECONDS = 3_600.0
"""Half a file that is older has no writer any more."""

RETRIES = 2
KINDS = "a folder, http(s)://host/path or s3://bucket/prefix"
T = TypeVar("T")
ENDPOINTS = ("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL", "AWS_ENDPOINT")


class PlaceError(Exception):
    """The place did not answer, or not with a whole file; what it has is not known."""


class TooLargeError(PlaceError):
    """The file is larger than was asked for; nothing of it was kept."""


@dataclass(frozen=True, slots=True)
class Place:
    """One place of files with flat names.

    Attributes:
        url: as it was given; it holds no secret.
        folder: where it is, for a folder on this machine.
    """

    url: str
    _store: HTTPStore | LocalStore | S3Store
    folder: Path | None = None

    @property
    def writable(self) -> bool:
        """Whether files can be put there at all; a web server only serves them."""
        return not isinstance(self._store, HTTPStore)

    def read(self, name: str, limit: int) -> bytes | None:
        """A file of at most ``limit`` bytes; None if there is none of that name.

        Raises:
            TooLargeError: it announces or sends more than that.
            PlaceError: the place cannot be reached, refuses, stalls or breaks off.
        """
        try:
            return self._beside(lambda: self._read(name, limit))
        except FileNotFoundError:
            return None
        except (BaseError, OSError) as error:
            raise PlaceError(_first_line(error)) from None

    def _read(self, name: str, limit: int) -> bytes:
        answer = self._store.get(name)
        size = answer.meta["size"]
        if size > limit:
            raise TooLargeError(f"the file has {size} bytes, more than {limit}")
        found = bytearray()
        for chunk in answer.stream(min_chunk_size=1):
            found += memoryview(chunk)
            if len(found) > limit:
                raise TooLargeError(f"the file has more than {limit} bytes")
        if len(found) != size:
            raise PlaceError(f"the answer ended after {len(found)} of {size} bytes")
        return bytes(found)

    def write(self, name: str, data: bytes) -> None:
        """Put a file there, whole or not at all.

        Raises:
            PlaceError: it was not put there.
        """
        store = self._store
        if isinstance(store, HTTPStore):
            raise PlaceError("a web server is only read")
        try:
            self._beside(lambda: store.put(name, data))
        except (BaseError, OSError) as error:
            raise PlaceError(_first_line(error)) from None

    def _beside(self, work: Callable[[], T]) -> T:
        """Ask the place, but not to its end once the process is to end.

        Raises:
            HungUpError: it is.
        """
        return work() if self.folder is not None else beside(work)


def _first_line(error: Exception) -> str:
    """What went wrong, without the library's dump of its request."""
    lines = str(error).strip().splitlines()
    return lines[0][:300] if lines else type(error).__name__


def open_place(url: str, *, seconds: float = SECONDS) -> Place:
    """The place that a URL or a path names; nothing is asked of it yet.

    Args:
        seconds: for one request; a failed one is repeated twice at most, within twice that time.

    Raises:
        ChainBeastsError: it is none of a folder, ``http(s)://…`` or ``s3://…``, it carries
            credentials, or the S3 endpoint of the environment is no URL.
    """
    parts = _split(url)
    if parts.scheme in ("", "file"):
        folder = Path(parts.path if parts.scheme else url).absolute()
        try:
            store = LocalStore(folder, mkdir=True)
            _sweep(folder)
            return Place(url, store, folder)
        except (BaseError, OSError):
            raise ChainBeastsError(f"{url} is not a folder.", "Name an existing one.") from None
    retries: RetryConfig = {
        "max_retries": RETRIES,
        "retry_timeout": timedelta(seconds=2 * seconds),
    }
    if parts.scheme == "s3":
        endpoint = _endpoint()
        client = _client(seconds, endpoint.startswith("http:"))
        return Place(url, S3Store.from_url(url, client_options=client, retry_config=retries))
    client = _client(seconds, parts.scheme == "http")
    return Place(url, HTTPStore(url, client_options=client, retry_config=retries))


def _sweep(folder: Path) -> None:
    """Remove what killed writers left: the store writes to `name#1` and renames it."""
    before = time.time() - LEFT_SECONDS
    with suppress(OSError):
        for entry in os.scandir(folder):
            name, mark, number = entry.name.rpartition("#")
            if name and mark and number.isdigit() and entry.is_file(follow_symlinks=False):
                with suppress(OSError):
                    if entry.stat(follow_symlinks=False).st_mtime < before:
                        os.unlink(entry.path)


def _client(seconds: float, plain: bool) -> ClientConfig:
    """How to talk to a server; unencrypted only where its URL says so."""
    limit = timedelta(seconds=seconds)
    return {"allow_http": plain, "timeout": limit, "connect_timeout": limit / 4}


def _split(url: str) -> SplitResult:
    """The parts of a place's URL, checked."""
    try:
        parts = urlsplit(url) if "://" in url else SplitResult("", "", url, "", "")
        host, credentials = parts.hostname, parts.username or parts.password
        _ = parts.port
    except ValueError:
        raise ChainBeastsError("The place of snapshots is no URL.", f"Name {KINDS}.") from None
    if credentials or parts.query or parts.fragment:
        raise ChainBeastsError(
            "The URL of a place of snapshots carries a password or parameters.",
            "Give the bare URL; the keys of an S3 store come from AWS_ACCESS_KEY_ID and "
            "AWS_SECRET_ACCESS_KEY.",
        )
    if parts.scheme not in ("", "file", "http", "https", "s3") or (
        parts.scheme in ("http", "https", "s3") and not host
    ):
        raise ChainBeastsError(f"{url} is no place of snapshots.", f"Name {KINDS}.")
    return parts


def _endpoint() -> str:
    """The S3 endpoint of the environment, empty for Amazon's own.

    Raises:
        ChainBeastsError: it is no URL.
    """
    for name in ENDPOINTS:
        value = os.environ.get(name, "")
        if value:
            try:
                parts = urlsplit(value)
                fits = parts.scheme in ("http", "https") and bool(parts.hostname)
                _ = parts.port
            except ValueError:
                fits = False
            if not fits:
                raise ChainBeastsError(
                    f"{name} is no URL.", "It is like https://s3.example.org, without a path."
                )
            return value
    return ""
