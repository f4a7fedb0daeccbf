"""How a simulated run is shown."""

from __future__ import annotations

from typing import Any

from rich.console import Group
from rich.table import Table

from chainbeasts.backend.cli.output import fields, table
from chainbeasts.trainer.cli.quotes import quote_view
from chainbeasts.trainer.metrics.accuracy import Tally
from chainbeasts.trainer.train.simulate import EpochReport, SimulatedBeast, SimulationReport


def learned_facts(counted: Tally) -> dict[str, Any]:
    """What a brain gets right, for scripts."""
    return {
        "move_accuracy": counted.move_accuracy,
        "attack_mae": counted.attack_mae,
        "block_accuracy": counted.block_accuracy,
    }


def _epoch_facts(one: EpochReport) -> dict[str, Any]:
    return {
        "epoch": one.epoch,
        "first": one.first,
        "last": one.last,
        "sources": one.sources,
        "woken": one.woken,
        "loss": one.learned.mean_loss,
        **learned_facts(one.learned),
        "price": one.cost.price,
        "growth": one.cost.growth,
        "bond": one.cost.bond,
        "seconds": one.seconds,
    }


def report_facts(subject: SimulatedBeast, report: SimulationReport) -> dict[str, Any]:
    """A simulated run for scripts; ENERGY in wei."""
    cost = report.cost
    return {
        "beast": subject.beast_id,
        "dna": subject.dna,
        "epochs": [_epoch_facts(one) for one in report.epochs],
        "held_out": {
            "boards": report.boards,
            "before": learned_facts(report.before),
            "after": learned_facts(report.after),
        },
        **report.quote.values(),
        "h128": report.h128,
        "seconds": report.seconds,
        "seconds_per_window": report.seconds / cost.windows,
    }


def _share(value: float | None) -> str:
    return "–" if value is None else f"{value:.1%}"


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.2f}"


def learned_cells(counted: Tally) -> tuple[str, str, str]:
    """What a brain gets right, for people: moves, error of the attack, blocks."""
    return (
        _share(counted.move_accuracy),
        _number(counted.attack_mae),
        _share(counted.block_accuracy),
    )


def report_view(subject: SimulatedBeast, report: SimulationReport) -> Group:
    """A simulated run for people."""
    return Group(_epoch_table(report), _board_table(report), _bill(subject, report))


def _sources(one: EpochReport) -> str:
    lines = [f"{count} {name}" for name, count in one.sources.items()]
    return "\n".join([*lines, *([f"wakes {one.woken}"] if one.woken else [])])


def _epoch_table(report: SimulationReport) -> Table:
    columns = ("epoch", "windows", "source", "loss", "move", "attack", "block", "ENERGY")
    rows = [
        (
            one.epoch,
            f"{one.first}–{one.last}",
            _sources(one),
            f"{one.learned.mean_loss:.0f}",
            *learned_cells(one.learned),
            f"{one.cost.price / 10**18:.4f}",
        )
        for one in report.epochs
    ]
    return table("While training", columns, rows)


def _board_table(report: SimulationReport) -> Table:
    rows = [("before", *learned_cells(report.before)), ("after", *learned_cells(report.after))]
    title = f"On {report.boards} boards it never saw"
    return table(title, ("", "move", "attack", "block"), rows)


def _bill(subject: SimulatedBeast, report: SimulationReport) -> Table:
    cost = report.cost
    each = 1000 * report.seconds / cost.windows
    facts = {
        "DNA": "0x" + subject.dna.hex(),
        "windows": cost.windows,
        **quote_view(report.quote),
        "training": f"{report.seconds:.1f} s, {each:.1f} ms a window",
    }
    return fields("In all", facts)
