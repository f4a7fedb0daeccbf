"""``chainbeasts trainer simulate``: what a plan teaches, costs and takes, off chain."""

from __future__ import annotations

import re
import secrets
from pathlib import Path
from typing import Annotated

import typer

from chainbeasts.backend.battle.fighter_files import FighterFile, write_fighter
from chainbeasts.backend.chain.growth import slots_mask
from chainbeasts.backend.chain.seasons import load_profile
from chainbeasts.backend.cli.output import note, progress
from chainbeasts.backend.cli.session import Session
from chainbeasts.backend.errors import ChainBeastsError
from chainbeasts.backend.kernel.samples import Source
from chainbeasts.trainer.cli.options import (
    CURRICULUM,
    BatchOption,
    GrowOption,
    PlanOption,
    SnapshotsOption,
    SourceOption,
    WakeOption,
)
from chainbeasts.trainer.cli.report import report_facts, report_view
from chainbeasts.trainer.plan.plan import Plan
from chainbeasts.trainer.plan.sources import Battle
from chainbeasts.trainer.plan.text import parse_training_source
from chainbeasts.trainer.plan.toml import make_plan
from chainbeasts.trainer.train.simulate import SimulatedBeast, newborn
from chainbeasts.trainer.train.simulate import simulate as carry_out
from chainbeasts.trainer.train.windows import read_window_start
from chainbeasts.trainer.workspace import open_workspace

EXAMPLE = "chainbeasts trainer simulate --new --windows 40 --plan curriculum:0-19,self-play"


def simulate(
    session: Session,
    beast: Annotated[int | None, typer.Argument(min=1, help="A hatched beast's id.")] = None,
    dna: Annotated[str | None, typer.Option(help="A newborn of this DNA, 32 bytes hex.")] = None,
    new: Annotated[bool, typer.Option("--new", help="A newborn of random DNA.")] = False,
    windows: Annotated[int, typer.Option(min=1, help="How many windows of 128 steps.")] = 8,
    source: SourceOption = CURRICULUM,
    plan: PlanOption = None,
    grow: GrowOption = None,
    wake: WakeOption = None,
    batch: BatchOption = 1,
    boards: Annotated[int, typer.Option(min=1, help="Random boards to test it on.")] = 256,
    profile: Annotated[
        str, typer.Option(help="Season of a newborn: devnet or mainnet.")
    ] = "devnet",
    snapshots: SnapshotsOption = None,
    output: Annotated[
        Path | None,
        typer.Option("-o", "--output", help="Write the trained fighter: `battle simulate FILE …`."),
    ] = None,
) -> None:
    """Carry out a plan off chain: learning, price and time. Spends nothing, signs nothing."""
    if (beast is not None) + (dna is not None) + new != 1:
        raise ChainBeastsError("Whose plan is it?", "Name one of BEAST, --dna 0x… or --new.")
    energy_price: int | None = None  # a newborn's is its season's own
    mask, chosen = slots_mask(wake or []), make_plan(plan, grow, parse_training_source(source))
    if beast is not None:
        subject = _hatched(session, beast, chosen, snapshots)
        energy_price = session.chain.energy_price()
    elif not chosen.sources <= {Source.CURRICULUM, Source.SELF_PLAY}:
        raise ChainBeastsError(
            "A newborn has no private dataset to train on, and no chain whose matches it knows.",
            "Simulate the plan for a hatched beast, or plan curriculum and self-play.",
        )
    else:
        given = secrets.token_bytes(32) if dna is None else parse_dna(dna)
        subject = newborn(given, load_profile(profile).season)
    with progress() as bar:
        task = bar.add_task("simulating", total=windows)
        report = carry_out(
            subject,
            chosen,
            windows,
            wake=mask,
            batch=batch,
            boards=boards,
            energy_price=energy_price,
            on_window=lambda: bar.advance(task),
        )
    if output is not None:
        write_fighter(output, FighterFile(subject.dna, report.end, subject.season.rules))
        note(f"Wrote the fighter {output}; let it fight: chainbeasts battle simulate {output} B")
    facts = report_facts(subject, report) | {"file": output}
    session.show(facts, lambda: report_view(subject, report))


def parse_dna(text: str) -> bytes:
    """The 32 bytes of a DNA in hex.

    Raises:
        ChainBeastsError: it is none.
    """
    if not re.fullmatch(r"(0x)?[0-9a-fA-F]{64}", text):
        raise ChainBeastsError(f"{text!r} is no DNA.", "It has 64 hex digits after 0x.")
    return bytes.fromhex(text.removeprefix("0x"))


def _hatched(
    session: Session, beast: int, plan: Plan, snapshots: list[str] | None
) -> SimulatedBeast:
    """A beast as the chain has it; spends nothing."""
    chain = session.chain
    workspace = open_workspace(session.settings, chain, snapshots=snapshots or ())
    chain.birth(beast)
    data = workspace.private_data(beast) if Source.PRIVATE in plan.sources else None
    ids = [source.match_id for source in plan.sources if isinstance(source, Battle)]
    logs = {match_id: workspace.match_log(match_id) for match_id in ids}
    start = read_window_start(chain, workspace.snapshots, beast, Source.CURRICULUM)
    return SimulatedBeast(
        beast,
        start.ctx.dna,
        start.head,
        start.state,
        chain.season(start.head.season),
        start.ctx.epoch_seed,
        data,
        logs,
    )
