"""Documents that people and other programs wrote: JSON and TOML, or the reason why they are not.

What a document says is checked by whoever asked for it; here only that it can be read at all.
"""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Any

from chainbeasts.backend.errors import ChainBeastsError

TOO_DEEP = "it is nested too deeply"


def parse_json(data: bytes) -> Any:
    """The value of a JSON document in UTF-8, with or without a byte order mark.

    Raises:
        ValueError: it is none, is nested without end, or has a number of endless digits.
    """
    try:
        return json.loads(data.decode("utf-8-sig"))
    except RecursionError:
        raise ValueError(TOO_DEEP) from None


def read_toml(path: Path, name: str) -> dict[str, Any]:
    """The table of a TOML file.

    Args:
        name: of the document, to begin the sentence with.

    Raises:
        ChainBeastsError: it cannot be read, or is not TOML.
    """
    try:
        return tomllib.loads(path.read_bytes().decode("utf-8-sig"))
    except OSError as error:
        raise ChainBeastsError(f"{name} cannot be read ({error.strerror}).") from None
    except RecursionError:
        raise ChainBeastsError(f"{name} is not TOML: {TOO_DEEP}.") from None
    except ValueError as error:  # not TOML, not UTF-8, or a number of more digits than Python takes
        raise ChainBeastsError(f"{name} is not TOML: {error}.") from None
