"""Whether a trainer should build on a head: never blindly on another one's pending window."""

from __future__ import annotations

from chainbeasts.backend.chain.types import Head, trainer_tag
from chainbeasts.backend.errors import ChainBeastsError


class ForeignParentError(ChainBeastsError):
    """The head is another trainer's window, and can still fall."""


def check_parent(beast_id: int, head: Head, account: str) -> None:
    """Make sure that a window on this head cannot fall by another trainer's doing.

    Raises:
        ForeignParentError: it can.
    """
    if not head.pending or head.trainer_tag == trainer_tag(account):
        return
    raise ForeignParentError(
        f"Window {head.head_count - 1} of beast {beast_id} is another trainer's and still pending: "
        "if it falls, or its trainer lets a dispute over it run out, all that you build on it "
        "burns with it.",
        f"Wait until it is final (chainbeasts checkpoint list {beast_id}), or take the risk with "
        "--accept-foreign-parent.",
    )
