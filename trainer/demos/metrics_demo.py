"""``metrics_demo``: trains on cached battle records and streams the figures."""

from __future__ import annotations

import typer

from chainbeasts.trainer.demos.run import (
    CACHE_NAME,
    CacheOption,
    DataOption,
    EpochsOption,
    JsonOption,
    demonstrate,
    exit_code,
)

app = typer.Typer(pretty_exceptions_enable=False, rich_markup_mode=None)


@app.command(epilog="Example: scripts/metrics_server.py & metrics_demo --epochs 20")
def demo(
    data: DataOption = None,
    cache: CacheOption = CACHE_NAME,
    epochs: EpochsOption = 10,
    as_json: JsonOption = False,
) -> None:
    """Train a brain on battle records and send its figures to ws://127.0.0.1:8765/metrics.

    METRICS_PORT names another port. Without a server the figures are dropped and counted.
    """
    demonstrate(data, cache, epochs, None, as_json)


def main() -> None:
    """The console script."""
    exit_code(app)
