"""How submitted windows are shown."""

from __future__ import annotations

from typing import Any

from backend.cli.output import table
from backend.cli.session import Session
from trainer.train.job import Submitted


def submitted_facts(made: Submitted) -> dict[str, Any]:
    """One submitted window for people and scripts."""
    payload = made.payload
    return {
        "beast": made.beast_id,
        "checkpoint": made.index,
        "epoch": payload.epoch,
        "source": payload.source,
        "h128": payload.h128,
        "window_loss": payload.window_loss,
        "energy_burn": payload.energy_burn,
        "gas": made.gas,
        "tx": made.tx_hash,
    }


def show_submitted(session: Session, made: list[Submitted]) -> None:
    """A table of what was submitted."""
    rows = [
        (
            one.index,
            one.payload.epoch,
            "0x" + one.payload.h128.hex()[:16] + "…",
            one.payload.window_loss,
            one.gas,
        )
        for one in made
    ]
    columns = ("checkpoint", "epoch", "h128", "loss", "gas")
    session.show([submitted_facts(one) for one in made], lambda: table("Submitted", columns, rows))
