"""Ratings as answers, computed from all final matches once per block."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy.orm import Session

from backend.api.library import Library
from backend.api.models import Leaderboard, Rating


def ratings(library: Library, session: Session) -> Mapping[int, Rating]:
    """Every rated beast's rating."""
    return {}


def leaderboard_answer(library: Library, session: Session) -> Leaderboard:
    """All rated beasts, the strongest first."""
    return Leaderboard(matches=0, items=[])
