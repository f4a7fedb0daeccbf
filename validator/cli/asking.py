"""Asks before something is sent that costs money."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from backend.errors import ChainBeastsError

YesOption = Annotated[bool, typer.Option("--yes", help="Do not ask.")]


def require_yes(question: str, yes: bool) -> None:
    """Go on only if that is wanted.

    Args:
        yes: it was said beforehand.

    Raises:
        ChainBeastsError: it is not, or nobody can be asked; nothing was sent.
    """
    if yes:
        return
    if not sys.stdin.isatty():
        raise ChainBeastsError(
            "Nothing was sent: there is no terminal to ask on.", "Say --yes to what is shown."
        )
    if not typer.confirm(question, err=True):
        raise ChainBeastsError("Nothing was sent.")
