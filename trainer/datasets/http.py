"""A dataset from a web server: resumed where it broke off, within limits, checked.

What has arrived waits in the cache folder; it is used again only if the server vouches, by a strong
ETag or its date, that the rest is of the same file.
"""

from __future__ import annotations

import hashlib
import json
import re
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path, PurePosixPath
from urllib.parse import urlsplit

import httpx
import stamina
import structlog
from filelock import FileLock

from backend.cache import cache_dir, write_atomic
from backend.errors import ChainBeastsError
from trainer.datasets.reader import MAX_FILE_BYTES, parse_records

log = structlog.get_logger()

KIND = "downloads"
ATTEMPTS = 5
STALL_SECONDS = 15.0
TOTAL_SECONDS = 600.0
MAX_REDIRECTS = 5
RETRIED = frozenset({408, 425, 429, 500, 502, 503, 504})
CONTENT_RANGE = re.compile(r"bytes (\d+)-(\d+)/(\d+)")


class _TransientError(Exception):
    """Worth another attempt; the message says what happened."""


@dataclass(frozen=True, slots=True)
class _Kept:
    """What a server said of the file whose beginning we have."""

    etag: str | None = None
    modified: str | None = None
    total: int | None = None

    @property
    def validator(self) -> str | None:
        """What a server can be held to: its ETag if that is strong, else the date."""
        if self.etag is not None and not self.etag.startswith("W/"):
            return self.etag
        return self.modified


class HttpProducer:
    """A dataset behind a URL, in any of our formats.

    Args:
        host: a host name or address; or a whole ``http(s)://`` URL, and then nothing else.
        sha256: of the file, hex; any other file is refused.
        max_bytes: no file is read further than this.
        stall: seconds without a byte before an attempt is given up.
        total: seconds for all attempts together.

    Raises:
        ChainBeastsError: the URL or the checksum is none.
    """

    def __init__(
        self,
        host: str,
        port: int | None = None,
        path: str = "/",
        *,
        sha256: str | None = None,
        max_bytes: int = MAX_FILE_BYTES,
        stall: float = STALL_SECONDS,
        total: float = TOTAL_SECONDS,
    ) -> None:
        self.url = host if "://" in host else f"http://{host}:{port or 80}{path}"
        parts = urlsplit(self.url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ChainBeastsError(f"{self.url} is no http(s) URL.", "Write http://host:port/path.")
        if sha256 is not None and not re.fullmatch("[0-9a-fA-F]{64}", sha256):
            raise ChainBeastsError(f"{sha256[:80]!r} is no SHA-256.", "It has 64 hex digits.")
        # a URL may carry a password, which no message shows
        self.name = parts._replace(netloc=parts.netloc.rpartition("@")[2], query="").geturl()
        self._file = PurePosixPath(parts.path).name or "dataset"
        self._sha256 = None if sha256 is None else sha256.lower()
        self._max_bytes = max_bytes
        self._stall, self._total = stall, total

    def version(self) -> str:
        """The checksum if one was given; else the URL, and only the words can tell."""
        return f"http:{self._sha256 or self.name}"

    def words(self, start: int = 0) -> Iterator[int]:
        """Downloads the file, and its words.

        Raises:
            ChainBeastsError: it cannot be had whole, or is no dataset.
        """
        yield from parse_records(self._file, self.download())[start:]

    def download(self) -> bytes:
        """The file, whole and checked.

        Raises:
            ChainBeastsError: the server is away, stalls, lies, or has another file.
        """
        key = hashlib.sha256(self.url.encode()).hexdigest()[:32]
        try:
            part = cache_dir(KIND) / f"{key}.part"
            with FileLock(part.with_suffix(".lock"), mode=0o600):
                return self._download(part)
        except OSError as error:
            raise ChainBeastsError(
                f"The download of {self.name} has nowhere to go: {error.strerror}.",
                "Make room, or set HARMONICS_CACHE_DIR to a folder that you can write.",
            ) from None

    def _download(self, part: Path) -> bytes:
        deadline = time.monotonic() + self._total
        attempts = stamina.retry_context(
            on=_TransientError,
            attempts=ATTEMPTS,
            timeout=self._total,
            wait_initial=0.1,
            wait_max=5.0,
            wait_jitter=0.1,
        )
        try:
            for attempt in attempts:
                with attempt:
                    self._attempt(part, deadline)
        except _TransientError as error:
            raise ChainBeastsError(
                f"{self.name} could not be downloaded: {error}.",
                "Run it again later; what has arrived is kept.",
            ) from None
        data = part.read_bytes()
        _discard(part)
        actual = hashlib.sha256(data).hexdigest()
        if self._sha256 is not None and actual != self._sha256:
            raise ChainBeastsError(
                f"{self.name} has the SHA-256 {actual}, not {self._sha256}.",
                "Ask whoever gave you the checksum; nothing of the file is used.",
            )
        return data

    def _attempt(self, part: Path, deadline: float) -> None:
        """Get what is missing of the file."""
        kept = _load(part)
        have = part.stat().st_size if kept and kept.validator and part.exists() else 0
        headers = {"Accept-Encoding": "identity"}
        if kept and kept.validator and have:
            headers |= {"Range": f"bytes={have}-", "If-Range": kept.validator}
        limits = httpx.Timeout(self._stall)
        try:
            with (
                httpx.Client(
                    follow_redirects=True, max_redirects=MAX_REDIRECTS, timeout=limits
                ) as client,
                client.stream("GET", self.url, headers=headers) as response,
            ):
                self._take(response, part, kept, have, deadline)
        except httpx.TimeoutException:
            raise _TransientError(f"nothing came for {self._stall:g} s") from None
        except httpx.TooManyRedirects:
            raise self._refuse("it redirects for ever") from None
        except (httpx.TransportError, httpx.DecodingError) as error:
            raise _TransientError(str(error) or type(error).__name__) from None
        except httpx.InvalidURL as error:
            raise self._refuse(str(error)) from None

    def _take(
        self,
        response: httpx.Response,
        part: Path,
        kept: _Kept | None,
        have: int,
        deadline: float,
    ) -> None:
        status, said = response.status_code, response.headers
        if status == 416:
            _discard(part)
            raise _TransientError("the server has less than we do; beginning anew")
        if status in RETRIED:
            raise _TransientError(f"the server answers {status}")
        if status not in (200, 206):
            raise self._refuse(f"the server answers {status}")
        if said.get("content-encoding", "identity") != "identity":
            raise self._refuse("the server compresses what must come as it is")
        if self.url.startswith("https:") and response.url.scheme != "https":
            raise self._refuse("it redirects to a connection without encryption")
        length = said.get("content-length")
        announced = int(length) if length is not None and length.isdigit() else None
        total = announced
        if status == 206:
            total = self._check_range(said, part, kept, have)
        else:
            have = 0
            part.unlink(missing_ok=True)  # before the file about it, so that they never disagree
        if (total or 0) > self._max_bytes:
            _discard(part)
            raise self._refuse(f"it has {total} bytes, {self._max_bytes} are allowed")
        now = _Kept(said.get("etag"), said.get("last-modified"), total)
        write_atomic(_about(part), json.dumps(asdict(now)).encode())
        with part.open("ab" if have else "wb") as file:
            for chunk in response.iter_raw():
                have += len(chunk)
                if have > self._max_bytes:
                    _discard(part)
                    raise self._refuse(f"it has over {self._max_bytes} bytes")
                if time.monotonic() > deadline:
                    raise _TransientError(f"it takes longer than {self._total:g} s")
                file.write(chunk)
        if total is not None and have != total:
            raise _TransientError(f"it broke off after {have} of {total} bytes")

    def _check_range(self, said: httpx.Headers, part: Path, kept: _Kept | None, have: int) -> int:
        """The whole file's size; a part of anything else than what we have begun is not taken."""
        found = CONTENT_RANGE.fullmatch(said.get("content-range", ""))
        etag = said.get("etag")
        if found is None or not have or kept is None:
            _discard(part)
            raise _TransientError("the server sends a part that nobody asked for")
        first, last, total = (int(number) for number in found.groups())
        other = kept.total not in (None, total) or (etag is not None and etag != kept.etag)
        if first != have or last != total - 1 or other:
            _discard(part)
            raise _TransientError("the server resumes with another file; beginning anew")
        return total

    def _refuse(self, reason: str) -> ChainBeastsError:
        return ChainBeastsError(f"{self.name} cannot be used: {reason}.", "Check the address.")


def _about(part: Path) -> Path:
    return part.with_suffix(".json")


def _load(part: Path) -> _Kept | None:
    try:
        return _Kept(**json.loads(_about(part).read_text("utf-8")))
    except (OSError, ValueError, TypeError):
        return None


def _discard(part: Path) -> None:
    part.unlink(missing_ok=True)
    _about(part).unlink(missing_ok=True)
