"""Amounts and times as people read them."""

from __future__ import annotations

import pytest

from chainbeasts.backend.chain.amounts import show_time
from chainbeasts.backend.cli.units import iso_time


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (0, "1970-01-01 00:00:00 UTC"),
        (253_402_300_799, "9999-12-31 23:59:59 UTC"),
        (253_402_300_800, "second 253402300800"),
        (2**64 - 1, "second 18446744073709551615"),  # "never", as contracts say it
    ],
)
def test_every_time_that_a_chain_can_name_is_shown(seconds: int, shown: str) -> None:
    """In JSON as to people: a date as long as there are dates, then the same seconds."""
    assert show_time(seconds) == shown
    date = shown.replace(" UTC", "Z").replace(" ", "T")
    assert iso_time(seconds) == (shown if shown.startswith("second") else date)
