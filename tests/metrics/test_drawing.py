"""Curves, the terminal's picture, and the PNG."""

from __future__ import annotations

import io
import json
import struct
from pathlib import Path

from rich.console import Console
from typer.testing import CliRunner

from chainbeasts.backend.errors import ChainBeastsError
from chainbeasts.trainer.cli.metrics import app
from chainbeasts.trainer.metrics.curves import Run, Runs
from chainbeasts.trainer.metrics.log import MetricsLog
from chainbeasts.trainer.metrics.terminal import Screen, bars, line, squeeze
from tests.metrics.figures import figures


def test_a_run_that_went_back_replaces_what_came_after() -> None:
    run = Run()
    for step in (1, 2, 3, 4, 2, 3):
        run.add(figures(step, loss=float(step)))
    run.add(figures(9, loss=0.5, block_accuracy=0.25))
    assert run.curve("loss") == ([1, 2, 3, 9], [1.0, 2.0, 3.0, 0.5])
    assert run.curve("block_accuracy") == ([9], [0.25])


def test_the_run_that_was_silent_the_longest_makes_room() -> None:
    runs = Runs(most=2)
    for step, name in enumerate("abac"):
        runs.add(figures(step, run=name))
    assert [name for name, _ in runs.items()] == ["a", "c"]


def test_bars_show_heights_in_eighths() -> None:
    assert bars([0.0, 0.5, 1.0], 10, 1, 1.0) == ["▁▄█"]
    assert bars([0.0, 0.5, 1.0], 10, 2, 1.0) == ["  █", "▁██"]
    assert bars([1e308, 1e308, -1e308], 1, 1, 1.0) == ["█"]
    assert bars([0.0], 1, 1, 0.0) == ["▁"]
    assert squeeze([1, 2, 3, 4, 5, 6], 3) == [1.5, 3.5, 5.5]
    assert len(squeeze(range(1000), 77)) == 77


def test_the_screen_shows_every_run_within_its_width_and_no_escape_of_a_name() -> None:
    screen = Screen("ws://there")
    for step in range(500):
        screen.add(figures(step, run="one", window=step // 128, energy=10**18))
    screen.add(figures(1, run="\x1b[31mtwo", source="a\nb", attack_mae=0.25))
    out = io.StringIO()
    Console(file=out, width=80, highlight=False).print(screen)
    shown = out.getvalue()
    for said in ("ws://there", "one", "[31mtwo", "window 3", "1 ENERGY", "50.0%", "0.25", "█"):
        assert said in shown
    assert "\x1b" not in shown
    assert all(len(row) <= 80 for row in shown.splitlines())
    assert "\n" not in line(figures(1, source="a\nb"))


def write_log(path: Path, *names: str) -> Path:
    with MetricsLog(path) as log:
        for name in names:
            for step in range(0, 12800, 128):
                log.send(figures(step, run=name, attack_mae=1.0))
    return path


def test_plot_writes_a_png_of_the_runs_in_a_log(tmp_path: Path) -> None:
    log = write_log(tmp_path / "log", "one", "_$broken\\frac{$^", "three")
    out = tmp_path / "out.png"
    done = CliRunner().invoke(app, ["plot", str(log), "-o", str(out), "--json"])
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout) == {
        "png": str(out),
        "runs": ["one", "_$broken\\frac{$^", "three"],
        "messages": 300,
        "last_step": 12672,
    }
    data = out.read_bytes()
    assert data.startswith(b"\x89PNG\r\n\x1a\n")
    width, height = struct.unpack(">II", data[16:24])
    assert width > 800
    assert height > 600
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []


def test_plot_says_what_it_cannot_draw(tmp_path: Path) -> None:
    log, empty = write_log(tmp_path / "log", "one", "two"), write_log(tmp_path / "empty")
    out = str(tmp_path / "no" / "out.png")
    for arguments, said in (
        ([str(log), "-o", out, "--run", "x"], "no run 'x'. It has: one, two."),
        ([str(empty), "-o", out], "no messages"),
        ([str(log), "-o", out], "out.png cannot be written: No such file"),
    ):
        done = CliRunner().invoke(app, ["plot", *arguments])
        assert isinstance(done.exception, ChainBeastsError)
        assert said in str(done.exception)


def test_a_curve_of_one_run_is_that_runs(tmp_path: Path) -> None:
    from chainbeasts.trainer.metrics.plot import draw, runs_of

    messages = [figures(1, run="a"), figures(2, run="b", loss=7.0, block_accuracy=1.0)]
    figure = draw(runs_of(messages, "b"))
    assert [axes.get_title(loc="left") for axes in figure.axes] == [
        "loss",
        "move accuracy",
        "block accuracy",
    ]
    assert [list(one.get_xdata()) for one in figure.axes[0].lines] == [[2]]
    assert [list(one.get_ydata()) for one in figure.axes[0].lines] == [[7.0]]
    assert all(axes.get_ylabel() for axes in figure.axes)
    assert figure.axes[-1].get_xlabel() == "micro-steps trained"
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["run b"]
