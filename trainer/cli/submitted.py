"""How submitted windows are shown."""

from __future__ import annotations

from typing import Any

from chainbeasts.backend.cli.output import table
from chainbeasts.backend.cli.session import Session
from chainbeasts.backend.kernel.constants import WINDOW_STEPS
from chainbeasts.trainer.train.job import Submitted


def loss_of(window_loss: int) -> str:
    """A window's loss as it is shown everywhere: the mean over its steps, 1024 being 1.0."""
    return f"{window_loss / WINDOW_STEPS:.1f}"


def submitted_facts(submitted: Submitted) -> dict[str, Any]:
    """One submitted window for people and scripts."""
    payload = submitted.payload
    return {
        "beast": submitted.beast_id,
        "checkpoint": submitted.index,
        "epoch": payload.epoch,
        "source": payload.source,
        "h128": payload.h128,
        "window_loss": payload.window_loss,
        "loss": payload.window_loss / WINDOW_STEPS,
        "energy_burn": payload.energy_burn,
        "gas": submitted.gas,
        "tx": submitted.tx_hash,
    }


def show_submitted(session: Session, submitted: list[Submitted]) -> None:
    """A table of what was submitted."""
    rows = [
        (
            one.index,
            one.payload.epoch,
            "0x" + one.payload.h128.hex()[:16] + "…",
            loss_of(one.payload.window_loss),
            one.gas,
        )
        for one in submitted
    ]
    columns = ("checkpoint", "epoch", "h128", "loss", "gas")
    session.show(
        [submitted_facts(one) for one in submitted], lambda: table("Submitted", columns, rows)
    )
