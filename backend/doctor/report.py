"""What a check found, and what to do about it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from chainbeasts.backend.errors import ChainBeastsError
from chainbeasts.backend.redact import redact_text


class Result(StrEnum):
    """How a check ended. Only ``failed`` keeps a daemon from its work."""

    OK = "ok"
    WARNING = "warning"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Check:
    """One check that was made.

    Attributes:
        found: what was found, one line.
        do: what to do, one line; empty where nothing is to be done.
    """

    name: str
    result: Result
    found: str
    do: str = ""


def ok(name: str, found: str) -> Check:
    """Nothing to do."""
    return Check(name, Result.OK, found)


def warning(name: str, found: str, do: str) -> Check:
    """Works, but not as it should."""
    return Check(name, Result.WARNING, found, do)


def failed(name: str, found: str, do: str) -> Check:
    """Keeps a daemon from its work."""
    return Check(name, Result.FAILED, found, do)


def refusal(name: str, error: ChainBeastsError) -> Check:
    """A check that an error ended."""
    return failed(name, redact_text(error.message), error.hint)


def guarded(name: str, checks: Iterable[Check]) -> Iterator[Check]:
    """Checks up to the first error, which is reported as one that failed."""
    try:
        yield from checks
    except ChainBeastsError as error:
        yield refusal(name, error)
    except OSError as error:
        found = f"{error.filename or name}: {error.strerror or error}."
        yield failed(name, redact_text(found), "Check it.")
    except ValueError as error:
        found = f"A file or an answer is not as expected ({type(error).__name__})."
        yield failed(name, found, "Look for a damaged file, or another program at that address.")
