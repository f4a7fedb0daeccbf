"""Answers about what happens: events of the chain, and the messages of the live stream."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from chainbeasts.backend.api.models.base import (
    Account,
    Answer,
    BeastName,
    Hex32,
    Index,
    Page,
    Time,
    Wei,
)

Kind = Literal["beast", "checkpoint", "dispute", "match", "season", "energy"]
EventId = str


class Amount(Answer):
    """What an event moved."""

    name: str = Field(description="What for.", examples=["bond"])
    wei: Wei
    coin: Literal["energy", "native"]


class Activity(Answer):
    """One event of the chain."""

    id: str = Field(
        description="Block and number of the log in it; the same for ever, unless a reorg takes "
        "the block back.",
        examples=["1072-3"],
    )
    kind: Kind
    event: str = Field(description="The contract's event.", examples=["CheckpointSubmitted"])
    block: Index
    time: Time
    tx: Hex32
    beasts: list[BeastName] = Field(description="Those that it is about, of a match A and B.")
    index: int | None = Field(description="Of the checkpoint.")
    dispute: int | None
    match: int | None
    season: int | None
    account: Account | None = Field(
        description="Whose doing it is, or whom it befell; null where the event names nobody."
    )
    amounts: list[Amount]


class ActivityPage(Page):
    """Events, newest first."""

    items: list[Activity]
    newest: str | None = Field(
        description="Of all that is known: pass it as ?since= to be told what comes after it, "
        "here and by /v1/events. null before the first event."
    )
    gap: bool = Field(
        description="Whether the event of ?since= is not known any more: a reorg took it back, so "
        "what stands here is not just what came after it."
    )
