"""``chainbeasts doctor``: is everything in order for a daemon to work here?"""

from __future__ import annotations

from contextlib import suppress

import typer
from rich.console import Group
from rich.text import Text

from chainbeasts.backend.cli.compiling import compile_contracts
from chainbeasts.backend.cli.output import stderr
from chainbeasts.backend.cli.session import Session, command
from chainbeasts.backend.doctor.examine import examine
from chainbeasts.backend.doctor.report import Check, Result
from chainbeasts.backend.errors import ChainBeastsError

app = typer.Typer(help="Check node, deployment, kernel, account, database and secrets.")

STYLES = {Result.OK: "green", Result.WARNING: "yellow", Result.FAILED: "bold red"}


@command(app, "doctor", signs=True, example="chainbeasts doctor --account alice --json")
def doctor(session: Session) -> None:
    """Check what a daemon needs, and say what to do. Exit code 1 if something failed."""
    with suppress(ChainBeastsError):  # what keeps them from being compiled, the checks tell
        compile_contracts()
    checks = []
    with stderr.status("checking…"):
        for check in examine(session.settings, session.rpc_url):
            checks.append(check)
    session.show(checks, lambda: Group(*(_line(check) for check in checks)))
    if any(check.result is Result.FAILED for check in checks):
        raise typer.Exit(1)


def _line(check: Check) -> Text:
    line = Text()
    line.append(f"{check.result:<8}", STYLES[check.result])
    line.append(f"{check.name}: {check.found}")
    if check.do:
        line.append(f"\n        → {check.do}")
    return line
