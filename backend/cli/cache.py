"""``chainbeasts cache``, also as ``graph_cache_cli``: the compiled kernels on this machine."""

from __future__ import annotations

import re
import sys
from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from chainbeasts.backend.cli.output import print_error, progress, table
from chainbeasts.backend.cli.session import Session, command
from chainbeasts.backend.errors import ChainBeastsError
from chainbeasts.backend.graph_cache.build import build
from chainbeasts.backend.graph_cache.objects import CachedObject, ObjectCache
from chainbeasts.backend.kernel.native.graph import Graph

app = typer.Typer(help="Compiled kernels: list, compile and clear them.", no_args_is_help=True)

MINUTE, HOUR, DAY = 60, 3_600, 86_400


def _age(created: float) -> str:
    seconds = max(0, int(datetime.now(UTC).timestamp() - created))
    for unit, name in ((DAY, "d"), (HOUR, "h"), (MINUTE, "min")):
        if seconds >= unit:
            return f"{seconds // unit} {name}"
    return f"{seconds} s"


def _facts(kept: CachedObject) -> dict[str, Any]:
    return {
        "digest": kept.digest,
        "graph": kept.variation.graph,
        "target": kept.variation.target,
        "compiler": kept.variation.compiler,
        "size": kept.size,
        "created": datetime.fromtimestamp(kept.created, UTC),
        "hits": kept.hits,
        "path": kept.path,
    }


def _count(number: int) -> str:
    return "1 kernel" if number == 1 else f"{number} kernels"


@command(app, "list", example="chainbeasts cache list --json")
def list_(session: Session) -> None:
    """Show every compiled kernel: its digest, graph, target, size, age, and how often it served."""
    cache = ObjectCache()
    kept = cache.all()
    columns = ("digest", "graph", "target", "size", "age", "hits")
    session.show(
        [_facts(one) for one in kept],
        lambda: table(
            f"{_count(len(kept))} in {cache.folder}",
            columns,
            [
                (
                    one.digest[:12],
                    one.variation.graph.rpartition("/")[0],
                    one.variation.target,
                    f"{one.size / 1024:.0f} KiB",
                    _age(one.created),
                    one.hits,
                )
                for one in kept
            ],
        ),
    )


@command(app, "clear", example="chainbeasts cache clear")
def clear(session: Session) -> None:
    """Remove every compiled kernel; each is compiled again when it is next needed."""
    cache = ObjectCache()
    count = cache.clear()
    session.show(
        {"removed": count, "folder": cache.folder}, f"{_count(count)} removed from {cache.folder}."
    )


def _mask(text: str) -> int:
    if not re.fullmatch(r"0x[0-9a-fA-F]{1,2}|[0-9]{1,3}", text) or int(text, 0) > 0xFF:
        raise ChainBeastsError(f"{text!r} is no active mask.", "It is a uint8, like 0xff.")
    return int(text, 0)


@command(app, "compile", example="chainbeasts cache compile 0x11 0xff")
def compile_(
    session: Session,
    masks: Annotated[
        list[str], typer.Argument(metavar="MASK", help="Awake slots, as in `beast show`.")
    ],
) -> None:
    """Compile kernels ahead of time.

    The one of 0xff serves every beast; a mask's own is up to a fifth faster.
    """
    wanted = [_mask(text) for text in masks]
    built = []
    with progress() as bar:
        for mask in bar.track(wanted, description="kernels"):
            built.append((mask, build(Graph(mask))))
    facts = [
        {
            "mask": mask,
            "compiled": one.compiled,
            "digest": one.object.digest if one.object else None,
        }
        for mask, one in built
    ]
    rows = [
        (f"{mask:#04x}", "compiled" if one.compiled else "was there already") for mask, one in built
    ]
    session.show(facts, lambda: table("Kernels", ("mask", ""), rows))


def main() -> None:
    """``graph_cache_cli``: exit 0 on success, 1 on an error, 2 on wrong usage."""
    try:
        app()
    except ChainBeastsError as error:
        print_error(error)
        sys.exit(1)
