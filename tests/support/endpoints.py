"""A GET that also takes an error for an answer."""

from __future__ import annotations

import urllib.error
import urllib.request

from tests.support.patience import PATIENCE


def get(url: str) -> tuple[int, str]:
    """Status and body."""
    try:
        with urllib.request.urlopen(url, timeout=PATIENCE) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()
