"""What the tests of both archives go by."""

from __future__ import annotations

from tests.support.protocol import DAY, Publication

ACCEPTANCE = 170_000
"""Gas of `acceptOpenings` where it is the trainer's first, about."""
NEVER = Publication(0, 0, 0, 0, 0)
RENEWAL = 30 * DAY
