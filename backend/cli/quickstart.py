"""``chainbeasts quickstart``: from nothing to a recorded fight, by the commands of the guide.

docs/quickstart.md has the same lines for who types them; a test holds the two together.
"""

from __future__ import annotations

import os
import subprocess
import sys
import webbrowser
from pathlib import Path
from typing import Annotated

import httpx
import typer

from chainbeasts.backend.cli.output import note, print_json
from chainbeasts.backend.cli.session import Session, command
from chainbeasts.backend.errors import ChainBeastsError

app = typer.Typer(help="A whole small world in one command.")

HOME = Path("quickstart")
PASSWORD = "--password-file password.txt"
ENTER = f"mkdir -p {HOME}/.chainbeasts && cd {HOME}"
"""The folder gets a home of its own, so that one above it is not taken."""

LINES = (
    "chainbeasts setup",
    "chainbeasts devnet up --detach",
    "chainbeasts deploy",
    "(umask 077 && echo 'only for the quickstart' > password.txt)",
    f"chainbeasts account new alice {PASSWORD}",
    f"chainbeasts account new ben {PASSWORD}",
    "chainbeasts devnet fund alice --amount 100",
    "chainbeasts devnet fund ben --amount 100",
    "chainbeasts energy faucet 100 --to alice --account devnet:0",
    "chainbeasts energy faucet 100 --to ben --account devnet:0",
    f"chainbeasts beast hatch --yes --account alice {PASSWORD}",
    f"chainbeasts beast hatch --yes --account ben {PASSWORD}",
    f"chainbeasts trainer run 1 --windows 8 --batch 8 --yes --account alice {PASSWORD}",
    f"chainbeasts trainer run 2 --windows 8 --batch 8 --yes --account ben {PASSWORD}",
    f"chainbeasts checkpoint finalize 1 --wait --account alice {PASSWORD}",
    f"chainbeasts checkpoint finalize 2 --wait --account ben {PASSWORD}",
    f"chainbeasts battle challenge 1 2 --yes --account alice {PASSWORD}",
    f"chainbeasts battle accept 1 --yes --account ben {PASSWORD}",
    f"chainbeasts battle record 1 --account alice {PASSWORD}",
    "chainbeasts battle show 1",
)
SERVE = "chainbeasts serve"
PAGE = "http://127.0.0.1:8400"
"""Where `serve` listens if it is told nothing else."""

ANSWER_SECONDS = 0.5


@command(app, "quickstart", example="chainbeasts quickstart")
def quickstart(
    session: Session,
    serve: Annotated[
        bool, typer.Option(help="Serve the page at the end, until Ctrl-C.", show_default=True)
    ] = True,
    browser: Annotated[bool, typer.Option(help="Open the page in a browser.")] = True,
) -> None:
    """Start a chain, deploy, hatch two beasts, train them, let them fight, and open the page.

    All of it lies in the new folder `quickstart`; each command is printed before it runs. The chain
    goes on until `chainbeasts devnet down` is run there.
    """
    if HOME.exists():
        raise ChainBeastsError(
            f"There is a folder {HOME} here already.",
            f"Go on in it (cd {HOME}; chainbeasts devnet up --detach; {SERVE}), or remove it.",
        )
    note(f"$ {ENTER}")
    (HOME / ".chainbeasts").mkdir(parents=True)
    for line in LINES:
        note(f"$ {line}")
        _run(line, quiet=session.as_json)
    if session.as_json:
        print_json({"folder": HOME.absolute(), "commands": [ENTER, *LINES]})
    if serve:
        note(f"$ {SERVE}")
        _serve(open_page=browser)
    note(f"The chain still runs: cd {HOME}; {SERVE}, or chainbeasts devnet down.")


def _environment() -> dict[str, str]:
    """This installation's programs first, and no setting of another home."""
    kept = {
        name: value for name, value in os.environ.items() if not name.startswith("CHAINBEASTS_")
    }
    here = str(Path(sys.executable).parent)
    return kept | {"PATH": f"{here}{os.pathsep}{kept.get('PATH', os.defpath)}"}


def _run(line: str, *, quiet: bool) -> None:
    """Run a line as a shell does; with ``quiet`` what it prints does not go to stdout.

    Raises:
        ChainBeastsError: it failed; it has said why.
    """
    output = sys.stderr if quiet else None
    done = subprocess.run(
        ["/bin/sh", "-c", line], cwd=HOME, env=_environment(), stdout=output, check=False
    )
    if done.returncode != 0:
        raise ChainBeastsError(
            f"`{line}` failed.",
            f"What was done until then is in {HOME}; end its chain there with "
            "`chainbeasts devnet down`.",
        )


def _serve(*, open_page: bool) -> None:
    """Serve until Ctrl-C, which ends the server, too, or until the server ends."""
    server = subprocess.Popen(["/bin/sh", "-c", f"exec {SERVE}"], cwd=HOME, env=_environment())
    try:
        if open_page and _answers(server):
            webbrowser.open(PAGE)
        code = server.wait()
    except KeyboardInterrupt:
        code = server.wait()
    if code != 0:
        raise ChainBeastsError(f"`{SERVE}` failed.", "Is its port taken? Try --port 0.")


def _answers(server: subprocess.Popen[bytes]) -> bool:
    """Wait for the page; whether it came before the server ended."""
    while server.poll() is None:
        try:
            httpx.get(PAGE, timeout=ANSWER_SECONDS)
        except httpx.TransportError:
            try:
                server.wait(ANSWER_SECONDS)
            except subprocess.TimeoutExpired:
                continue
        else:
            return True
    return False
