"""The error that a user sees: one clear sentence, and what to do next."""

from __future__ import annotations


class ChainBeastsError(Exception):
    """Something a user can act on; the command line prints it without a traceback.

    Attributes:
        message: what is wrong, one sentence.
        hint: what to do next, or an empty string.
    """

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message} {self.hint}".strip()
