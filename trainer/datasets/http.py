"""A dataset from a web server: resumed where it broke off, within limits, checked.

What has arrived waits in the cache folder; it is used again only if the server vouches, by a strong
ETag or its date, that the rest is of the same file.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import re
import ssl
import time
from collections.abc import Iterator
from contextlib import suppress
from functools import cache
from pathlib import PurePosixPath
from urllib.parse import urlsplit

import httpx
import stamina
import structlog

from chainbeasts.backend.cache import ScratchFolder, cache_dir
from chainbeasts.backend.errors import ChainBeastsError
from chainbeasts.backend.locks import ProcessLock
from chainbeasts.trainer.datasets.partial import About, OtherFileError, PartialFile
from chainbeasts.trainer.datasets.reader import MAX_FILE_BYTES, checks_itself, parse_records

log = structlog.get_logger()

KIND = "downloads"
ATTEMPTS = 5
STALL_SECONDS = 15.0
TOTAL_SECONDS = 600.0
MAX_REDIRECTS = 5
RETRIED = frozenset({408, 425, 429, 500, 502, 503, 504})

LOCK_SLACK_SECONDS = 60.0
"""Another process that downloads the same is waited for so much longer than a download takes."""


@cache
def _certificates() -> ssl.SSLContext:
    """What the web's hosts are trusted by; reading it takes longer than most downloads."""
    return httpx.create_ssl_context()


class _TransientError(Exception):
    """Worth another attempt; the message says what happened."""


class HttpProducer:
    """A dataset behind a URL, in any of our formats.

    Args:
        host: a host name or address; or a whole ``http(s)://`` URL, and then nothing else.
        sha256: of the file, hex; any other file is refused.
        max_bytes: no file is read further than this.
        stall: seconds without a byte before an attempt is given up.
        total: seconds for all attempts together, from the first look for the host on.

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
        self.url = host if "://" in host else _url(host, port, path)
        try:
            parts = urlsplit(self.url)
            usable = parts.scheme in ("http", "https") and bool(parts.hostname)
            usable = usable and parts.port != 0  # reading it raises if it is no number
        except ValueError:
            usable = False
        if not usable:
            raise ChainBeastsError(
                "The dataset's address is no http(s) URL.", "Write http://host:port/path."
            )
        if sha256 is not None and not re.fullmatch("[0-9a-fA-F]{64}", sha256):
            raise ChainBeastsError(f"{sha256[:80]!r} is no SHA-256.", "It has 64 hex digits.")
        # a URL may carry a password, which no message and no cache shows
        public = parts._replace(netloc=parts.netloc.rpartition("@")[2], fragment="")
        self.name = public._replace(query="").geturl()
        self._identity = hashlib.sha256(public.geturl().encode()).hexdigest()
        self._file = PurePosixPath(parts.path).name or "dataset"
        self._sha256 = None if sha256 is None else sha256.lower()
        self._max_bytes = max_bytes
        self._stall, self._total = stall, total

    def version(self) -> str:
        """The checksum if one was given; else a hash of the URL, and only the words can tell."""
        return f"http:{self._sha256 or self._identity}"

    def words(self, start: int = 0) -> Iterator[int]:
        """Downloads the file, and its words.

        Raises:
            ChainBeastsError: it cannot be had whole, or is no dataset.
        """
        yield from parse_records(self._file, self.download(), whole=True)[start:]

    def download(self) -> bytes:
        """The file, whole and checked. Where the cache folder cannot be used, nothing is kept.

        Raises:
            ChainBeastsError: the server is away, stalls, lies, or has another file.
        """
        try:
            path = cache_dir(KIND) / f"{self._identity[:32]}.part"
            lock = path.with_suffix(".lock")
            wait = self._total + LOCK_SLACK_SECONDS
            with ProcessLock(lock, f"{self.name} is downloaded", 0o600, seconds=wait):
                return self._download(PartialFile(path))
        except OSError as error:
            log.warning("download is not kept", source=self.name, reason=error.strerror)
        try:
            with ScratchFolder("download") as scratch:
                return self._download(PartialFile(scratch.path / "dataset.part"))
        except OSError as error:
            raise ChainBeastsError(
                f"The download of {self.name} has nowhere to go: {error.strerror}.",
                "Make room, or set HARMONICS_CACHE_DIR to a folder that you can write.",
            ) from None

    def _download(self, part: PartialFile) -> bytes:
        deadline = time.monotonic() + self._total
        attempts = stamina.retry_context(
            on=_TransientError,
            attempts=ATTEMPTS,
            timeout=self._total,
            wait_initial=0.1,
            wait_max=5.0,
            wait_jitter=0.1,
        )
        whole = False
        try:
            for attempt in attempts:
                with attempt:
                    whole = asyncio.run(self._attempt(part, deadline))
            data = part.path.read_bytes()
        except _TransientError as error:
            raise ChainBeastsError(
                f"{self.name} could not be downloaded: {error}.",
                "Run it again later; what has arrived is kept.",
            ) from None
        except OSError:
            with suppress(OSError):
                part.discard()  # a full disk needs the room
            raise
        part.discard()
        actual = hashlib.sha256(data).hexdigest()
        if self._sha256 is not None and actual != self._sha256:
            raise ChainBeastsError(
                f"{self.name} has the SHA-256 {actual}, not {self._sha256}.",
                "Ask whoever gave you the checksum; nothing of the file is used.",
            )
        if not (whole or self._sha256 or checks_itself(data)):
            raise ChainBeastsError(
                f"{self.name} does not say how long it is, so nobody can tell whether it is whole.",
                "Give its sha256, or have it served with a Content-Length.",
            )
        return data

    async def _attempt(self, part: PartialFile, deadline: float) -> bool:
        """Get what is missing of the file; whether the server vouches that it is all of it."""
        try:
            # One limit over all of it: a server that sends a byte of its header now and then keeps
            # each single read going.
            async with asyncio.timeout(max(0.0, deadline - time.monotonic())):
                return await self._exchange(part)
        except TimeoutError:
            raise _TransientError(f"it takes longer than {self._total:g} s") from None

    async def _exchange(self, part: PartialFile) -> bool:
        about, have = part.resumable()
        headers = {"Accept-Encoding": "identity"}
        if have and about.validator is not None:
            headers |= {"Range": f"bytes={have}-", "If-Range": about.validator}
        try:
            async with (
                httpx.AsyncClient(
                    follow_redirects=True,
                    max_redirects=MAX_REDIRECTS,
                    timeout=self._stall,
                    verify=_certificates(),
                ) as client,
                client.stream("GET", self.url, headers=headers) as response,
            ):
                self._check_status(response, part)
                return await self._take(response, part, about, have)
        except OtherFileError as error:
            part.discard()
            raise _TransientError(str(error)) from None
        except httpx.TimeoutException:
            raise _TransientError(f"nothing came for {self._stall:g} s") from None
        except httpx.TooManyRedirects:
            raise self._refuse("it redirects for ever") from None
        except (httpx.TransportError, httpx.DecodingError) as error:
            raise _TransientError(str(error) or type(error).__name__) from None
        except httpx.InvalidURL as error:
            raise self._refuse(str(error)) from None

    def _check_status(self, response: httpx.Response, part: PartialFile) -> None:
        """Go on only with an answer that brings the file, or a part of it."""
        status = response.status_code
        if status == 416:
            part.discard()
            raise _TransientError("the server has less than we do; beginning anew")
        if status in RETRIED:
            raise _TransientError(f"the server answers {status}")
        if status not in (200, 206):
            raise self._refuse(f"the server answers {status}")
        if response.headers.get("content-encoding", "identity") != "identity":
            raise self._refuse("the server compresses what must come as it is")
        if self.url.lower().startswith("https:") and response.url.scheme != "https":
            raise self._refuse("it redirects to a connection without encryption")

    async def _take(
        self, response: httpx.Response, part: PartialFile, about: About, have: int
    ) -> bool:
        said = response.headers
        if response.status_code == 206:
            total: int | None = part.check_part(said, about, have)
        else:
            length = said.get("content-length", "")
            total = int(length) if re.fullmatch("[0-9]{1,18}", length) else None
            part.discard()
            have = 0
        if (total or 0) > self._max_bytes:
            part.discard()
            raise self._refuse(f"it has {total} bytes, {self._max_bytes} are allowed")
        if have == 0:
            part.begin(About.of(said, total))
        with open(part.path, "ab", opener=_private) as file:
            async for chunk in response.aiter_raw():
                have += len(chunk)
                if have > self._max_bytes:
                    part.discard()
                    raise self._refuse(f"it has over {self._max_bytes} bytes")
                file.write(chunk)
        if total is not None and have != total:
            raise _TransientError(f"it broke off after {have} of {total} bytes")
        # A body that ends with its connection may have ended early; the last chunk says so itself.
        return total is not None or "chunked" in said.get("transfer-encoding", "").lower()

    def _refuse(self, reason: str) -> ChainBeastsError:
        return ChainBeastsError(f"{self.name} cannot be used: {reason}.", "Check the address.")


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def _url(host: str, port: int | None, path: str) -> str:
    shown = f"[{host}]" if ":" in host else host
    return f"http://{shown}:{80 if port is None else port}/{path.removeprefix('/')}"
