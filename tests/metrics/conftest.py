"""What tests of the figures share."""

from __future__ import annotations

import pytest

from chainbeasts.trainer.metrics import listener, server, streamer
from tests.support.patience import PATIENCE


@pytest.fixture(autouse=True)
def _patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who is slow to shake hands is well all the same."""
    monkeypatch.setattr(server, "HANDSHAKE_SECONDS", PATIENCE)
    monkeypatch.setattr(streamer, "PATIENCE", PATIENCE)
    monkeypatch.setattr(listener, "OPEN_SECONDS", PATIENCE)
