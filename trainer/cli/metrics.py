"""``chainbeasts metrics``: the server of live figures, the terminal view, and plots."""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from contextlib import nullcontext
from itertools import islice
from pathlib import Path
from typing import Annotated

import structlog
import typer
from rich.live import Live

from chainbeasts.backend.cli import output
from chainbeasts.backend.cli.output import fields, note
from chainbeasts.backend.cli.session import Session, command
from chainbeasts.backend.errors import ChainBeastsError
from chainbeasts.trainer.metrics.curves import printable
from chainbeasts.trainer.metrics.limits import DEFAULT_HOST, DEFAULT_PORT, Limits, metrics_url
from chainbeasts.trainer.metrics.listener import listen
from chainbeasts.trainer.metrics.log import read_log
from chainbeasts.trainer.metrics.server import MetricsServer, serve_until_stopped
from chainbeasts.trainer.metrics.terminal import Screen, line

log = structlog.get_logger()

app = typer.Typer(help="Live figures of training runs.", no_args_is_help=True)

PortOption = Annotated[
    int, typer.Option(min=0, max=65535, help="Port of the metrics server.", envvar="METRICS_PORT")
]
RunOption = Annotated[str | None, typer.Option("--run", help="Only this run.")]


@command(app, "serve", example="chainbeasts metrics serve --port 8765")
def serve(
    session: Session,
    port: PortOption = DEFAULT_PORT,
    host: Annotated[
        str, typer.Option(help="Where to listen.", envvar="CHAINBEASTS_METRICS_HOST")
    ] = DEFAULT_HOST,
    history: Annotated[
        int,
        typer.Option(
            min=0,
            max=100_000,
            help="Messages of each beast that a late joiner gets.",
            envvar="CHAINBEASTS_METRICS_HISTORY",
        ),
    ] = Limits().history,
) -> None:
    """Relay trainers' figures to everybody who connects. Runs until it is stopped."""
    server = MetricsServer(host, port, Limits(history=history))

    def ready() -> None:
        facts = {"url": server.url, "host": host, "port": server.port, "history": history}
        session.show(facts, f"Metrics at {server.url}; Ctrl-C ends.")

    if host not in (DEFAULT_HOST, "localhost", "::1"):
        log.warning("whoever reaches this port can read and send figures", host=host)
    asyncio.run(serve_until_stopped(server, ready))


@command(app, "watch", example="chainbeasts metrics watch --run beast-1")
def watch(
    session: Session,
    url: Annotated[
        str | None, typer.Argument(help="ws://HOST:PORT/metrics; the local server if not given.")
    ] = None,
    port: PortOption = DEFAULT_PORT,
    run: RunOption = None,
    once: Annotated[bool, typer.Option("--once", help="End after one message.")] = False,
    messages: Annotated[int | None, typer.Option(min=1, help="End after so many messages.")] = None,
) -> None:
    """Draw loss and accuracy live; line by line where there is no terminal, raw with --json."""
    if once and messages is not None:
        raise ChainBeastsError("--once and --messages contradict each other.", "Give one of them.")
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    address = url or metrics_url(port=port)
    drawn = not session.as_json and output.stdout.is_terminal
    screen = Screen(address)
    source = listen(address, screen.say if drawn else note)
    wanted = (one for one in source if run is None or one[1].run == run)
    view = Live(screen, console=output.stdout, refresh_per_second=8) if drawn else nullcontext()
    try:
        with view:
            for text, metrics in islice(wanted, 1 if once else messages):
                if drawn:
                    screen.add(metrics)
                else:
                    sys.stdout.write((_one_line(text) if session.as_json else line(metrics)) + "\n")
                    sys.stdout.flush()
    except KeyboardInterrupt:  # how it is meant to end
        pass
    finally:
        source.close()


def _one_line(text: str) -> str:
    """A message as it came, unless its JSON goes over several lines."""
    return text if len(text.splitlines()) == 1 else json.dumps(json.loads(text))


@command(app, "plot", example="chainbeasts metrics plot run.jsonl -o run.png")
def plot(
    session: Session,
    path: Annotated[Path, typer.Argument(metavar="LOG", help="A run's log.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="The PNG to write.")],
    run: RunOption = None,
) -> None:
    """Draw loss and the heads' figures of a run's log into a PNG."""
    messages = read_log(path)
    from chainbeasts.trainer.metrics.plot import (
        plot as write_plot,  # matplotlib takes a second to load
    )

    drawn = write_plot(messages, out, run)
    facts = {
        "png": out,
        "runs": [one.latest.run for one in drawn],
        "messages": sum(len(one.messages) for one in drawn),
        "last_step": max(one.latest.step for one in drawn),
    }
    view = {**facts, "runs": ", ".join(printable(one.latest.run) for one in drawn)}
    session.show(facts, lambda: fields("Plotted", view))
