"""Arguments and options that the trainer's commands share."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from backend.chain.outbox import Outbox
from backend.cli.session import Session
from backend.errors import ChainBeastsError
from backend.kernel.constants import APPENDAGE_SLOTS, SENSOR_SLOTS
from backend.kernel.samples import Source
from trainer.desk import Desk, open_desk
from trainer.loop import Trainer
from trainer.records import WindowBook
from trainer.submitter import Submitter

BeastId = Annotated[int, typer.Argument(min=1, help="The beast's id.")]
Index = Annotated[int, typer.Argument(min=0, help="The checkpoint's index, from 0.")]


class SourceName(StrEnum):
    """Sources of samples by their names on the command line."""

    CURRICULUM = "curriculum"
    SELF_PLAY = "self-play"
    BATTLE = "battle"
    PRIVATE = "private"

    @property
    def source(self) -> Source:
        return Source[self.name]


SourceOption = Annotated[SourceName, typer.Option("--source", help="Where the samples come from.")]
SnapshotsOption = Annotated[
    Path | None,
    typer.Option(
        help="Folder of published states; HOME/snapshots if not given.",
        envvar="CHAINBEASTS_SNAPSHOTS",
    ),
]


def wake_mask(slots: list[str]) -> int:
    """The mask of slots named s0 to s3 (sensors) and a0 to a3 (appendages).

    Raises:
        ChainBeastsError: a name is none of these.
    """
    names = [f"s{i}" for i in range(SENSOR_SLOTS)] + [f"a{i}" for i in range(APPENDAGE_SLOTS)]
    mask = 0
    for slot in slots:
        if slot not in names:
            raise ChainBeastsError(f"There is no slot {slot!r}.", f"Slots are {', '.join(names)}.")
        mask |= 1 << names.index(slot)
    return mask


def outbox_of(session: Session, desk: Desk) -> Outbox:
    """Where the acting account's transactions go out."""
    return Outbox(desk.database, session.sender)


def trainer_of(
    session: Session, beast_id: int, source: Source, snapshots: Path | None = None
) -> tuple[Desk, WindowBook, Submitter, Trainer]:
    """Everything that trains one beast.

    Raises:
        ChainBeastsError: the account may not train it, or its dataset is not at hand.
    """
    if source is Source.BATTLE:
        raise ChainBeastsError(
            "There are no recorded matches to train on.",
            "Use --source curriculum, self-play or private.",
        )
    desk = open_desk(session.settings, session.chain, snapshots=snapshots)
    account = session.account.address
    session.chain.birth(beast_id)  # a beast that has not hatched is refused here, by name
    if not session.chain.is_trainer(beast_id, account):
        owner = session.chain.owner_of(beast_id)
        raise ChainBeastsError(
            f"{account} may not train beast {beast_id}; its owner is {owner}.",
            f"The owner can allow it: chainbeasts beast authorise {beast_id} {account}",
        )
    private = desk.private_data(beast_id) if source is Source.PRIVATE else None
    book = WindowBook(desk.database, desk.snapshots)
    submitter = Submitter(session.chain, outbox_of(session, desk))
    made = Trainer(session.chain, desk.snapshots, book, submitter, beast_id, private)
    return desk, book, submitter, made
