"""What has arrived of a download: the bytes, and what the server said of their file."""

from __future__ import annotations

import json
import math
import re
from dataclasses import asdict, dataclass
from email.utils import parsedate_to_datetime
from pathlib import Path

import httpx

from chainbeasts.backend.cache import write_atomic

STRONG_ETAG = re.compile(r'"[\x21\x23-\x7e]*"')
"""Of ASCII, since no other can be sent back (RFC 9110, 8.8.3, would allow it to be there)."""

STRONG_DATE_SECONDS = 60
"""A file that was changed so shortly before it was sent may change again within the same second,
which its date cannot tell (RFC 9110, 8.8.2.2)."""

CONTENT_RANGE = re.compile(r"bytes ([0-9]{1,18})-([0-9]{1,18})/([0-9]{1,18})")
MAX_ABOUT = 16 * 1024


class OtherFileError(Exception):
    """A part that does not go on where we are; the message says why not."""


@dataclass(frozen=True, slots=True)
class About:
    """What a server said of a file.

    Attributes:
        total: bytes of the whole file, if it said so.
    """

    etag: str | None = None
    modified: str | None = None
    total: int | None = None

    @classmethod
    def of(cls, said: httpx.Headers, total: int | None) -> About:
        """What an answer says of its file; a date that does not tell one file from another is left
        out.
        """
        modified = said.get("last-modified")
        strong = _seconds(said.get("date")) - _seconds(modified) >= STRONG_DATE_SECONDS
        return cls(said.get("etag"), modified if strong else None, total)

    @property
    def validator(self) -> str | None:
        """What a server can be held to: its ETag if that is strong, or a date where there is none.

        With any ETag at all, a date must not be used (RFC 9110, 13.1.5).
        """
        if self.etag is None:
            return self.modified
        return self.etag if STRONG_ETAG.fullmatch(self.etag) else None

    def goes_on(self, said: httpx.Headers, total: int) -> bool:
        """Whether a part is of this file.

        A server repeats its ETag with every part (RFC 9110, 15.3.7) but may leave out the date.
        """
        if self.etag is not None:
            same = said.get("etag") == self.etag
        else:
            same = said.get("last-modified") in (None, self.modified)
        return same and self.total in (None, total)


def _seconds(date: str | None) -> float:
    """Unix seconds of a date in a header; not a number if it is none."""
    try:
        return parsedate_to_datetime(date or "").timestamp()
    except (ValueError, OverflowError):
        return math.nan


class PartialFile:
    """A file on its way, and beside it a file about it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._about = path.with_suffix(".json")

    def resumable(self) -> tuple[About, int]:
        """What is known of the file, and the bytes that a resumption may build on."""
        try:
            with self._about.open("rb") as file:
                found = json.loads(file.read(MAX_ABOUT))
            about = About(found["etag"], found["modified"], found["total"])
            have = self.path.stat().st_size
        except (OSError, ValueError, KeyError, TypeError, RecursionError):
            return About(), 0
        texts = all(
            value is None or isinstance(value, str) for value in (about.etag, about.modified)
        )
        if not texts or about.validator is None:
            return About(), 0
        return about, have

    def begin(self, about: About) -> None:
        """Note whose bytes come now; those of an earlier file must have been discarded."""
        write_atomic(self._about, json.dumps(asdict(about)).encode(), mode=0o600)

    def check_part(self, said: httpx.Headers, about: About, have: int) -> int:
        """The whole file's size in bytes, if the part that is coming is its rest.

        Raises:
            OtherFileError: it is another part, or of another file.
        """
        found = CONTENT_RANGE.fullmatch(said.get("content-range", ""))
        if found is None or not have:
            raise OtherFileError("the server sends a part that nobody asked for")
        first, last, total = (int(number) for number in found.groups())
        if first != have or last != total - 1 or not about.goes_on(said, total):
            raise OtherFileError("the server resumes with another file; beginning anew")
        return total

    def discard(self) -> None:
        """Remove both files: first the bytes, so that they never have another's description."""
        self.path.unlink(missing_ok=True)
        self._about.unlink(missing_ok=True)
