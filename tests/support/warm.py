"""Runs `chainbeasts` commands as processes forked from one that has loaded the program already.

Each command is a process of its own, with its own environment, arguments and streams, and goes
through the same ``main``; what it saves is the seconds of imports. Reads one JSON request a line on
stdin and answers with a number: ``start`` with the process id, ``look`` with the exit code of a
process, or null while it runs.

The program is imported in functions, because workers that a command spawns import this file too.
"""

from __future__ import annotations

import functools
import gc
import json
import os
import runpy
import sys
from contextlib import suppress
from importlib import metadata
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
NOBODY = "http://127.0.0.1:9"
SCRIPTS, PROGRAM = "console_scripts", "chainbeasts"


def load() -> None:
    """Load every noun, and do once what every command does first."""
    from typer.main import get_command

    import chainbeasts.backend.cli.main  # noqa: F401 - what every command begins with
    from chainbeasts.backend.accounts import devnet_account
    from chainbeasts.backend.chain.client import read
    from chainbeasts.backend.chain.compile import artifacts
    from chainbeasts.backend.chain.errors import ChainError
    from chainbeasts.backend.chain.providers import make_web3
    from chainbeasts.backend.cli.commands import GROUP, app
    from chainbeasts.backend.store.facts import BeastRow
    from chainbeasts.backend.store.session import Database

    for entry in metadata.entry_points(group=GROUP):
        with suppress(ImportError):  # the program says so itself
            entry.load()
    artifacts()
    with TemporaryDirectory() as folder:  # tables, mappers and migrations
        database = Database(f"sqlite:///{folder}/empty.sqlite3")
        with database.session() as session:
            session.get(BeastRow, 1)
        database.close()
    # Of two hundred packages, and the same for each command: a third of what a short one takes.
    metadata.entry_points = functools.cache(metadata.entry_points)  # type: ignore[assignment]
    metadata.entry_points(group=GROUP)
    metadata.entry_points(group=SCRIPTS, name=PROGRAM)
    get_command(app)  # and what typer and signatures load when they are first used
    devnet_account(0).unsafe_sign_hash(bytes(32))
    nobody = make_web3(NOBODY)
    with suppress(ChainError):
        read(lambda: nobody.eth.chain_id, NOBODY, attempts=1)
    be_patient()
    gc.collect()
    gc.freeze()  # a child's collections leave what is shared alone


def be_patient() -> None:
    """Give whoever has to succeed the time that it takes on a machine that runs many tests."""
    from chainbeasts.backend.api import patience
    from chainbeasts.backend.api import server as api
    from chainbeasts.backend.chain import anvil, anvil_state, clock, lines
    from chainbeasts.backend.devnet import local
    from chainbeasts.backend.doctor import node
    from chainbeasts.backend.store import published, session
    from chainbeasts.trainer.cli import sinks
    from chainbeasts.trainer.datasets import hdf5
    from chainbeasts.trainer.metrics import server, streamer

    sys.path.insert(0, str(ROOT))
    from tests.support.patience import PATIENCE
    from tests.support.ports import free_port

    sys.path.remove(str(ROOT))
    anvil.free_port = free_port
    anvil.START_SECONDS = anvil.STOP_SECONDS = anvil.RPC_SECONDS = PATIENCE
    local.STOP_SECONDS = anvil.HUSH_SECONDS = local.HUSH_SECONDS = PATIENCE
    anvil_state.QUIET_SECONDS, anvil_state.MOST_QUIET_SECONDS = 5.0, PATIENCE
    api.PONG_SECONDS = hdf5.CHILD_SECONDS = node.SOCKET_SECONDS = PATIENCE
    session.BUSY_SECONDS = session.CONNECT_SECONDS = int(PATIENCE)
    clock.CALL_SECONDS = published.SLOW_SECONDS = sinks.LOOK_SECONDS = PATIENCE
    lines.STEP_SECONDS = patience.SECONDS = server.HANDSHAKE_SECONDS = streamer.PATIENCE = PATIENCE
    streamer.MetricsStreamer.close.__defaults__ = (PATIENCE,)


def child(request: dict[str, Any]) -> None:
    """Become the command; does not return."""
    os.environ.clear()
    os.environ.update(request["environment"])
    os.chdir(request["folder"])
    with open(os.devnull) as nothing:
        os.dup2(nothing.fileno(), 0)
    for descriptor, name in ((1, "out"), (2, "err")):
        with open(request[name], "ab") as file:
            os.dup2(file.fileno(), descriptor)
    code: Any = 70
    try:
        run(request["script"], request["module"], request["arguments"])
        code = 0
    except SystemExit as ending:
        code = 0 if ending.code is None else ending.code
    except BaseException:
        sys.excepthook(*sys.exc_info())
        code = 1
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code if isinstance(code, int) else 1)


def run(script: str, module: str | None, arguments: list[str]) -> None:
    """A console script, or a module as ``python -m`` runs it."""
    sys.argv = [module or script, *arguments]
    if module is not None:
        sys.path.insert(0, str(ROOT))
        runpy.run_module(module, run_name="__main__")
        return
    (entry,) = metadata.entry_points(group=SCRIPTS, name=script)
    sys.exit(entry.load()())


def serve() -> None:
    """Load, then fork for each request."""
    load()
    for line in sys.stdin:
        request = json.loads(line)
        sys.stdout.write(f"{json.dumps(answer(request))}\n")
        sys.stdout.flush()


def answer(request: dict[str, Any]) -> int | None:
    """Do what is asked."""
    if request["do"] == "look":
        found, status = os.waitpid(request["pid"], os.WNOHANG)
        return os.waitstatus_to_exitcode(status) if found else None
    pid = os.fork()
    if pid == 0:
        child(request)
    return pid


if __name__ == "__main__":
    serve()
