"""Beasts as others mention them: by id, nickname, DNA and owner."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from sqlalchemy import select
from sqlalchemy.orm import Session

from chainbeasts.backend.api.models import BeastName
from chainbeasts.backend.nicknames import nickname
from chainbeasts.backend.store.facts import BeastRow


def beast_names(session: Session, ids: Collection[int]) -> Mapping[int, BeastName]:
    """Some beasts as others mention them; those that have not hatched are not there."""
    rows = session.scalars(select(BeastRow).where(BeastRow.beast_id.in_(ids)))
    return {row.beast_id: beast_name(row) for row in rows}


def beast_name(row: BeastRow) -> BeastName:
    """A beast as others mention it."""
    return BeastName(id=row.beast_id, name=nickname(row.dna), dna=row.dna, owner=row.owner)
