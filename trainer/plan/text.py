"""Plans and growth as the command line spells them."""

from __future__ import annotations

import re

from chainbeasts.backend.chain.growth import window_number
from chainbeasts.backend.errors import ChainBeastsError
from chainbeasts.backend.kernel.samples import Source
from chainbeasts.trainer.plan.plan import Plan, PlanRange
from chainbeasts.trainer.plan.sources import Battle, TrainingSource, source_text

_RANGE = re.compile(r"(\d{1,10})(?:(-)(\d{1,10})?)?", re.ASCII)
_BATTLE = re.compile(r"battle#(\d{1,10})", re.ASCII)

LAST_MATCH = (1 << 32) - 1
"""A checkpoint names its match by a uint32."""


def parse_source(name: str, item: str) -> TrainingSource:
    """A source by its name, with either ``-`` or ``_`` inside; a match as ``battle#7``.

    Args:
        item: where it stands, for the error.

    Raises:
        ChainBeastsError: there is none of that name, or it names no match that there can be.
    """
    text = name.strip().lower().replace("_", "-")
    match = _BATTLE.fullmatch(text)
    if match is not None:
        number = int(match[1])
        if not 1 <= number <= LAST_MATCH:
            raise ChainBeastsError(f"{item}: matches are numbered from 1 to {LAST_MATCH}.")
        return Battle(number)
    found = {source_text(source): source for source in Source}.get(text)
    if found is Source.BATTLE or text.startswith("battle#"):
        raise ChainBeastsError(
            f"{item}: which match is to be trained on?",
            "Name a final one by its number: battle#7 (see: chainbeasts battle list).",
        )
    if found is None:
        raise ChainBeastsError(
            f"{item}: there is no source {name.strip()!r}.",
            "Sources are curriculum, self-play, private, and battle#N for match N.",
        )
    return found


def parse_training_source(text: str) -> TrainingSource:
    """The source of the option ``--source``, where a match may also be ``battle:7``.

    Raises:
        ChainBeastsError: there is none of that name, or it names no match that there can be.
    """
    return parse_source(re.sub(r"^battle:#?", "battle#", text.strip().lower()), "--source")


def parse_plan(text: str) -> Plan:
    """The plan of a text such as ``curriculum:0-40,self-play,battle#7``.

    Raises:
        ChainBeastsError: an item is not ``source``, ``source:n``, ``source:first-last`` or
            ``source:first-``; or the items do not fit together.
    """
    ranges: list[PlanRange] = []
    rest: list[TrainingSource] = []
    for item in (part.strip() for part in text.split(",")):
        if not item:
            raise ChainBeastsError(f"The plan {text!r} has an empty item.", "Remove a comma.")
        name, colon, span = item.partition(":")
        source = parse_source(name, item)
        if not colon:
            rest.append(source)
            continue
        match = _RANGE.fullmatch(span.strip())
        if match is None:
            raise ChainBeastsError(
                f"{item}: {span!r} is no range of windows.", "Write 5, 0-40 or 41-."
            )
        first = window_number(int(match[1]), item)
        last = first if match[2] is None else int(match[3]) if match[3] else None
        ranges.append(PlanRange(source, first, None if last is None else window_number(last, item)))
    return Plan(tuple(ranges), tuple(rest))
