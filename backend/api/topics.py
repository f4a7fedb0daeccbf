"""What a listener of the live stream wants to hear of: kinds of news, or those about one thing."""

from __future__ import annotations

from collections.abc import Sequence

from chainbeasts.backend.api.models import Live

KINDS = ("beast", "checkpoint", "dispute", "match", "season", "energy")
NUMBERED = ("beast", "dispute", "match", "season")
_TOPIC = f"({'|'.join(KINDS)}|({'|'.join(NUMBERED)}):(0|[1-9][0-9]{{0,17}}))"
PATTERN = rf"^{_TOPIC}(,{_TOPIC}){{0,63}}$"

Topics = frozenset[str]


def parse_topics(text: str | None) -> Topics | None:
    """The topics of a list that has been checked; None for everything."""
    return None if text is None else frozenset(text.split(","))


def topics_of(message: Live) -> Topics | None:
    """What a message is about; None of what concerns everybody: blocks, reorgs, gaps."""
    if message.type not in KINDS:
        return None
    numbers: Sequence[tuple[str, int | None]] = (
        ("beast", message.beast),
        ("beast", message.rival),
        ("dispute", message.dispute),
        ("match", message.match),
        ("season", message.season),
    )
    about = {topic for kind, number in numbers if number is not None
             for topic in (kind, f"{kind}:{number}")}  # fmt: skip
    return frozenset({message.type, *about})


def wants(wanted: Topics | None, about: Topics | None) -> bool:
    """Whether somebody with these wishes is told of something with those topics."""
    return wanted is None or about is None or not wanted.isdisjoint(about)
