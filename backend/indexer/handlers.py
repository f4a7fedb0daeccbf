"""What every function that applies an event looks like."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from sqlalchemy.orm import Session

from chainbeasts.backend.chain.events import Event

Handler = Callable[[Session, Event, Mapping[str, Any]], None]
"""Brings the tables up to date with one event, whose values are given by their Solidity names."""

Handlers = Mapping[tuple[str, str], Handler]
"""By contract and event."""
