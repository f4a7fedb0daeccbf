"""Draws runs in the terminal with block characters."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from itertools import pairwise

from rich.console import Console, ConsoleOptions, Group, RenderResult
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from chainbeasts.backend.cli.output import energy
from chainbeasts.backend.monitoring.training import TrainingMetrics
from chainbeasts.trainer.metrics.curves import HEADS, Head, Run, Runs, printable

BLOCKS = " ▁▂▃▄▅▆▇█"
_ROWS = {"loss": 5, "move_accuracy": 3}
_STYLES = {"loss": "red", "move_accuracy": "green", "attack_mae": "yellow"}
_LABELS = 34  # columns of names, numbers and borders beside a chart


def squeeze(values: Sequence[float], width: int) -> list[float]:
    """At most ``width`` values, each the mean of its share of the values."""
    count = len(values)
    if count <= width:
        return list(values)
    edges = [i * count // width for i in range(width + 1)]
    return [sum(values[a:b]) / (b - a) for a, b in pairwise(edges)]


def bars(values: Sequence[float], width: int, height: int, top: float) -> list[str]:
    """A bar chart from 0 to ``top``, its lines from above; every value is at least a trace."""
    full = height * 8
    columns = squeeze(values, width)
    eighths = [max(1, round(max(0.0, min(v, top)) / top * full)) if top > 0 else 1 for v in columns]
    return [
        "".join(BLOCKS[min(8, max(0, n - row * 8))] for n in eighths)
        for row in reversed(range(height))
    ]


def facts(metrics: TrainingMetrics) -> str:
    """Where a run stands."""
    told = [f"step {metrics.step:,}", printable(metrics.source)]
    if metrics.beast:
        told.insert(0, f"beast {metrics.beast}")
    if metrics.window is not None:
        told.append(f"window {metrics.window}")
    if metrics.energy is not None:
        told.append(f"{energy(metrics.energy)} locked")
    return " · ".join(told)


def line(metrics: TrainingMetrics) -> str:
    """A message as one line of text."""
    figures = [
        f"{head.title} {head.show(value)}"
        for head in HEADS
        if (value := getattr(metrics, head.figure)) is not None
    ]
    return "  ".join([printable(metrics.run), facts(metrics), *figures])


def _head_row(table: Table, head: Head, run: Run, width: int) -> None:
    _, values = run.curve(head.figure)
    if not values:
        return
    height = _ROWS.get(head.figure, 1)
    top = 1.0 if head.share else max(values)
    chart = bars(values, width, height, top)
    style = _STYLES.get(head.figure, "cyan")
    scale = [head.show(top), *[""] * (height - 2), "0"][:height] if height > 1 else [""]
    table.add_row(
        Text(head.title),
        Text(head.show(values[-1]), style="bold"),
        Text("\n".join(scale), style="dim"),
        Text("\n".join(chart), style=style, no_wrap=True),
    )


class Screen:
    """The picture of all runs; may be fed in one thread and drawn in another."""

    def __init__(self, url: str) -> None:
        self._lock = threading.Lock()
        self._runs = Runs(keep=4096, most=8)
        self._state = f"Waiting for figures from {url}"
        self._url = url

    def add(self, metrics: TrainingMetrics) -> None:
        """Take in a message."""
        with self._lock:
            self._runs.add(metrics)
            self._state = self._url

    def say(self, text: str) -> None:
        """Show a line about the connection."""
        with self._lock:
            self._state = text

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        width = max(10, options.max_width - _LABELS - 8)
        parts: list[Text | Table | Padding] = [Text(self._state, style="dim")]
        with self._lock:
            for name, run in self._runs.items():
                table = Table.grid(padding=(0, 2))
                table.add_column(width=14)
                table.add_column(justify="right", width=8)
                table.add_column(justify="right", width=8)
                table.add_column(no_wrap=True)
                for head in HEADS:
                    _head_row(table, head, run, width)
                title = Text(printable(name), style="bold")
                title.append("  " + facts(run.latest), style="dim")
                parts += [title, Padding(table, (0, 0, 1, 0))]
        yield Group(*parts)
