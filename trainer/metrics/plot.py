"""Draws the figures of a run's log as a PNG."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter, StrMethodFormatter

from chainbeasts.backend.errors import ChainBeastsError
from chainbeasts.backend.monitoring.training import TrainingMetrics
from chainbeasts.trainer.metrics.curves import HEADS, Head, Run, Runs, printable

_SMOOTH_FROM = 60
_INCHES = (9.0, 2.3)


def runs_of(messages: Sequence[TrainingMetrics], name: str | None = None) -> Runs:
    """The runs in a log, or the named one.

    Raises:
        ChainBeastsError: there is nothing to draw.
    """
    if not messages:
        raise ChainBeastsError("The log has no messages.", "Its run has not trained a step yet.")
    chosen = [m for m in messages if name is None or m.run == name]
    if not chosen:
        names = ", ".join(dict.fromkeys(printable(m.run) for m in messages))
        raise ChainBeastsError(f"The log has no run {name!r}.", f"It has: {names}.")
    runs = Runs()
    for metrics in chosen:
        runs.add(metrics)
    return runs


def draw(runs: Runs) -> Figure:
    """Loss and the heads' figures over the steps, one panel each, one colour per run."""
    drawn = [head for head in HEADS if any(run.curve(head.figure)[0] for _, run in runs.items())]
    figure = Figure(figsize=(_INCHES[0], 0.7 + _INCHES[1] * len(drawn)), layout="constrained")
    FigureCanvasAgg(figure)
    panels = figure.subplots(len(drawn), 1, sharex=True, squeeze=False)[:, 0]
    for head, axes in zip(drawn, panels, strict=True):
        _panel(axes, head, runs)
    panels[-1].set_xlabel("micro-steps trained")
    panels[-1].xaxis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))
    handles, labels = panels[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper center", ncols=min(3, len(labels)))
    return figure


def _panel(axes: Axes, head: Head, runs: Runs) -> None:
    for number, (name, run) in enumerate(runs.items()):
        steps, values = run.curve(head.figure)
        # A name is shown as it is: "$" would start a formula, and "_" hide it from the legend.
        label = "run " + printable(name).replace("$", r"\$")
        colour = f"C{number % 10}"
        smooth = len(values) >= _SMOOTH_FROM
        axes.plot(
            steps,
            values,
            color=colour,
            label=None if smooth else label,
            alpha=0.25 if smooth else 1.0,
            linewidth=0.8 if smooth else 1.5,
            marker="." if len(values) < 30 else None,
        )
        if smooth:
            axes.plot(steps, _moving_mean(values), color=colour, label=label, linewidth=1.6)
    axes.set_title(head.title, loc="left", fontsize="medium")
    axes.set_ylabel(head.axis, fontsize="small")
    axes.grid(visible=True, alpha=0.3)
    if head.share:
        axes.set_ylim(-0.02, 1.02)
        axes.yaxis.set_major_formatter(PercentFormatter(xmax=1.0))
    else:
        axes.set_ylim(bottom=0)
        axes.yaxis.set_major_formatter(StrMethodFormatter("{x:,.6g}"))


def _moving_mean(values: Sequence[float]) -> list[float]:
    """The mean of each value and those before it, over a twentieth of all."""
    width = max(2, len(values) // 20)
    found, total = [], 0.0
    for i, value in enumerate(values):
        total += value - (values[i - width] if i >= width else 0.0)
        found.append(total / min(i + 1, width))
    return found


def write_png(figure: Figure, path: Path) -> None:
    """Write a figure, whole or not at all.

    Raises:
        ChainBeastsError: the file cannot be written.
    """
    part = path.with_name(f".{path.name}.part")
    try:
        figure.savefig(part, format="png", dpi=120)
        part.replace(path)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise ChainBeastsError(
            f"{path} cannot be written: {error.strerror}.", "Name another file with --out."
        ) from None


def plot(messages: Sequence[TrainingMetrics], path: Path, run: str | None = None) -> list[Run]:
    """Draw the messages of a log into a PNG; the runs that were drawn.

    Raises:
        ChainBeastsError: there is nothing to draw, or the file cannot be written.
    """
    runs = runs_of(messages, run)
    write_png(draw(runs), path)
    return [one for _, one in runs.items()]
