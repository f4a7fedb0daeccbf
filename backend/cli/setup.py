"""``chainbeasts setup``: what an installed program needs besides itself, made ready in the home."""

from __future__ import annotations

from typing import Annotated

import typer

from chainbeasts.backend.chain.toolchain import find_anvil
from chainbeasts.backend.chain.tools import install_anvil
from chainbeasts.backend.cli.output import fields, note, stderr
from chainbeasts.backend.cli.session import Session, command
from chainbeasts.backend.errors import ChainBeastsError
from chainbeasts.backend.graph_cache.compilers import INSTALL_HINT, find_compiler

app = typer.Typer(help="Make ready what a local chain needs.")


@command(app, "setup", example="chainbeasts setup")
def setup(
    session: Session,
    force: Annotated[bool, typer.Option(help="Install it anew, even if there is one.")] = False,
) -> None:
    """Install Anvil, which `devnet` runs, into HOME/tools; say if kernels can be compiled here.

    Needed for a local chain only: whoever works on another chain needs neither Anvil nor Node.
    """
    home = session.settings.home
    try:
        anvil = None if force else find_anvil(home)
    except ChainBeastsError:
        anvil = None
    if anvil is None:
        with stderr.status("installing Anvil…"):
            anvil = install_anvil(home)
    compiler = find_compiler()
    facts = {"anvil": anvil.absolute(), "compiler": compiler.version if compiler else None}
    session.show(facts, fields("Ready", {k: v for k, v in facts.items() if v is not None}))
    if compiler is None:
        note(f"There is no C compiler, so training runs on the slow reference. {INSTALL_HINT}")
