"""``checkpoint_demo``: trains a while, and goes on from there when it is run again."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

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


@app.command(epilog="Example: checkpoint_demo && checkpoint_demo")
def demo(
    file: Annotated[Path, typer.Option(help="The checkpoint to create or update.")] = Path(
        "trainer.ckpt"
    ),
    data: DataOption = None,
    cache: CacheOption = CACHE_NAME,
    epochs: EpochsOption = 1,
    as_json: JsonOption = False,
) -> None:
    """Train a brain on battle records, one pass at a time, with a checkpoint file.

    Run again it resumes at the next micro-step, also after it was killed.
    """
    demonstrate(data, cache, epochs, file, as_json)


def main() -> None:
    """The console script."""
    exit_code(app)
