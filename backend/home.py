"""Which folder is home: the nearest one upwards from the working folder, as Git finds its own."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

NAME = ".chainbeasts"


def find_home() -> Path:
    """The nearest home at or above the working folder; one to be made here if there is none.

    Another user's folder is passed over: whoever can write to a folder above this one would
    otherwise choose the node, the contracts and the keys that are used here.
    """
    here = Path(NAME)
    if here.is_dir():
        return here
    return next(_above(), here)


def seen_homes(home: Path, holding: str) -> str:
    """A hint that names the home that was looked in, and others that there are.

    Args:
        holding: what was looked for, as a path in a home; homes that have it say so.
    """
    looked = home.absolute()
    others = [other for other in _known() if other.absolute() != looked]
    text = f"The home is {looked}."
    if not others:
        return text
    listed = (f"{one}{' (has one)' if (one / holding).exists() else ''}" for one in others)
    return f"{text} Others, for --home: {', '.join(listed)}."


def _known() -> Iterator[Path]:
    """Homes here, above, and in the user's own folder."""
    seen = set()
    places = [Path(NAME).absolute(), *_above(), Path("~").expanduser() / NAME]
    for place in places:
        if place not in seen and place.is_dir():
            seen.add(place)
            yield place


def _above() -> Iterator[Path]:
    """Our own homes in the folders above the working one, the nearest first."""
    for folder in Path.cwd().parents:
        place = folder / NAME
        if place.is_dir() and place.stat().st_uid == os.geteuid():
            yield place
