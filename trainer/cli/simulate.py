"""``chainbeasts trainer simulate``: what a plan teaches, costs and takes, off chain."""

from __future__ import annotations

import re
import secrets
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Group
from rich.table import Table

from backend.chain.seasons import load_profile
from backend.cli.output import energy, fields, progress, table
from backend.cli.session import Session
from backend.errors import ChainBeastsError
from backend.kernel.samples import Source
from trainer.cli.options import (
    BatchOption,
    GrowOption,
    PlanOption,
    SnapshotsOption,
    SourceName,
    SourceOption,
    WakeOption,
)
from trainer.desk import open_desk
from trainer.figures import Tally
from trainer.planfile import make_plan
from trainer.plantext import slots_mask
from trainer.simulate import EpochReport, Report, Subject, newborn
from trainer.simulate import simulate as carry_out
from trainer.windows import set_up_bench

EXAMPLE = "chainbeasts trainer simulate --new --windows 40 --plan curriculum:0-19,self-play"


def simulate(
    session: Session,
    beast: Annotated[int | None, typer.Argument(min=1, help="A hatched beast's id.")] = None,
    dna: Annotated[str | None, typer.Option(help="A newborn of this DNA, 32 bytes hex.")] = None,
    new: Annotated[bool, typer.Option("--new", help="A newborn of random DNA.")] = False,
    windows: Annotated[int, typer.Option(min=1, help="How many windows of 128 steps.")] = 8,
    source: SourceOption = SourceName.CURRICULUM,
    plan: PlanOption = None,
    grow: GrowOption = None,
    wake: WakeOption = None,
    batch: BatchOption = 1,
    boards: Annotated[int, typer.Option(min=1, help="Random boards to test it on.")] = 256,
    profile: Annotated[
        str, typer.Option(help="Season of a newborn: devnet or mainnet.")
    ] = "devnet",
    snapshots: SnapshotsOption = None,
) -> None:
    """Carry out a plan off chain: learning, price and time. Spends nothing, signs nothing."""
    if (beast is not None) + (dna is not None) + new != 1:
        raise ChainBeastsError("Whose plan is it?", "Name one of BEAST, --dna 0x… or --new.")
    mask, chosen = slots_mask(wake or []), make_plan(plan, grow, source.source)
    private = Source.PRIVATE in chosen.sources
    if beast is not None:
        subject = _hatched(session, beast, private, snapshots)
    elif private:
        raise ChainBeastsError(
            "A newborn has no private dataset to train on.",
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
            on_window=lambda: bar.advance(task),
        )
    session.show(report_facts(subject, report), lambda: report_view(subject, report))


def parse_dna(text: str) -> bytes:
    """The 32 bytes of a DNA in hex.

    Raises:
        ChainBeastsError: it is none.
    """
    if not re.fullmatch(r"(0x)?[0-9a-fA-F]{64}", text):
        raise ChainBeastsError(f"{text!r} is no DNA.", "It has 64 hex digits after 0x.")
    return bytes.fromhex(text.removeprefix("0x"))


def _hatched(session: Session, beast: int, private: bool, snapshots: Path | None) -> Subject:
    """A beast as the chain has it; reads, and never writes."""
    chain = session.chain
    desk = open_desk(session.settings, chain, snapshots=snapshots)
    chain.birth(beast)
    data = desk.private_data(beast) if private else None
    bench = set_up_bench(chain, desk.snapshots, beast, Source.CURRICULUM)
    return Subject(
        beast,
        bench.ctx.dna,
        bench.head,
        bench.state,
        chain.season(bench.head.season),
        bench.ctx.epoch_seed,
        data,
        chain.commitments(beast).records_root,
    )


def _figures(counted: Tally, *, trained: bool = True) -> dict[str, Any]:
    shown = {
        "loss": counted.mean_loss,
        "move_accuracy": counted.move_accuracy,
        "attack_mae": counted.attack_mae,
        "block_accuracy": counted.block_accuracy,
    }
    return shown if trained else {name: shown[name] for name in shown if name != "loss"}


def _epoch_facts(one: EpochReport) -> dict[str, Any]:
    return {
        "epoch": one.epoch,
        "first": one.first,
        "last": one.last,
        "sources": one.sources,
        "woken": one.woken,
        **_figures(one.learned),
        "price": one.cost.price,
        "growth": one.cost.growth,
        "bond": one.cost.bond,
        "seconds": one.seconds,
    }


def report_facts(subject: Subject, report: Report) -> dict[str, Any]:
    """A simulated run for scripts; ENERGY in wei."""
    cost = report.cost
    return {
        "beast": subject.beast_id,
        "dna": subject.dna,
        "windows": cost.windows,
        "epochs": [_epoch_facts(one) for one in report.epochs],
        "held_out": {
            "boards": report.boards,
            "before": _figures(report.before, trained=False),
            "after": _figures(report.after, trained=False),
        },
        "price": cost.price,
        "growth": cost.growth,
        "bond": cost.bond,
        "lock": cost.lock,
        "gas": report.gas,
        "seconds": report.seconds,
        "seconds_per_window": report.seconds / cost.windows,
    }


def _share(value: float | None) -> str:
    return "–" if value is None else f"{value:.1%}"


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.2f}"


def _cells(counted: Tally) -> tuple[str, str, str]:
    return (
        _share(counted.move_accuracy),
        _number(counted.attack_mae),
        _share(counted.block_accuracy),
    )


def report_view(subject: Subject, report: Report) -> Group:
    """A simulated run for people."""
    return Group(_epoch_table(report), _board_table(report), _bill(subject, report))


def _epoch_table(report: Report) -> Table:
    columns = ("epoch", "windows", "source", "wakes", "loss", "move", "attack", "block", "ENERGY")
    rows = [
        (
            one.epoch,
            f"{one.first}–{one.last}",
            ", ".join(f"{count} × {name}" for name, count in one.sources.items()),
            one.woken or "–",
            f"{one.learned.mean_loss:.0f}",
            *_cells(one.learned),
            f"{one.cost.price / 10**18:.4f}",
        )
        for one in report.epochs
    ]
    return table("While training", columns, rows)


def _board_table(report: Report) -> Table:
    rows = [("before", *_cells(report.before)), ("after", *_cells(report.after))]
    title = f"On {report.boards} boards it never saw"
    return table(title, ("", "move", "attack", "block"), rows)


def _bill(subject: Subject, report: Report) -> Table:
    cost = report.cost
    facts = {
        "DNA": "0x" + subject.dna.hex(),
        "windows": cost.windows,
        "burns": energy(cost.price),
        "of it growth": energy(cost.growth),
        "bond, returned": energy(cost.bond),
        "locks at most": energy(cost.lock),
        "gas, about": f"{report.gas:,}",
        "training": f"{report.seconds:.1f} s, {report.seconds / cost.windows:.2f} s a window",
    }
    return fields("In all", facts)
