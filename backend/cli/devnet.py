"""``chainbeasts devnet``: a local chain as a managed child process."""

from __future__ import annotations

import os
import signal
from dataclasses import asdict
from types import FrameType
from typing import Annotated

import typer

from backend import devnet
from backend.chain.anvil import rpc
from backend.cli.output import fields, note
from backend.cli.session import Session, command
from backend.errors import ChainBeastsError

app = typer.Typer(help="A local chain (Anvil) that keeps its state.", no_args_is_help=True)


@command(app, "up", example="chainbeasts devnet up --detach")
def up(
    session: Session,
    port: Annotated[
        int | None,
        typer.Option(min=1, max=65_535, help="Listen here; where the last one did otherwise."),
    ] = None,
    block_time: Annotated[
        float, typer.Option(min=0.1, help="Seconds between blocks; transactions need no wait.")
    ] = 1.0,
    detach: Annotated[bool, typer.Option(help="Leave it running and return.")] = False,
    fresh: Annotated[
        bool,
        typer.Option(
            help="Forget the kept chain and its deployment; the home's databases and its beasts' "
            "files move to HOME/old."
        ),
    ] = False,
) -> None:
    """Start the chain; go on where it stopped the last time."""
    settings = session.settings
    child = devnet.make(settings, port=port, block_time=block_time, fresh=fresh, detached=detach)
    child.start()
    try:
        record = devnet.record_started(settings, child)
        session.show(asdict(record), fields("Devnet", asdict(record)))
        if detach:
            return
        note("Press Ctrl-C to end it; its state is kept.")
        _wait(child.pid)
    except BaseException:
        child.stop()
        raise
    finally:
        if not detach:
            child.stop()
            settings.devnet_file.unlink(missing_ok=True)


def _wait(pid: int) -> None:
    """Wait for Ctrl-C, SIGTERM, or the child's own end."""

    def interrupt(_: int, __: FrameType | None) -> None:
        raise KeyboardInterrupt

    for number in (signal.SIGINT, signal.SIGTERM):  # also where a shell had SIGINT ignored
        signal.signal(number, interrupt)
    try:
        status = os.waitpid(pid, 0)[1]
    except KeyboardInterrupt:
        return
    raise ChainBeastsError(f"Anvil ended by itself (status {status}).")


@command(app, "down", example="chainbeasts devnet down")
def down(session: Session) -> None:
    """End the detached chain; its state is kept."""
    record = devnet.stop(session.settings)
    if record is None:
        raise ChainBeastsError("No devnet runs.", "Start one with `chainbeasts devnet up`.")
    session.show({"stopped": asdict(record)}, f"Ended the devnet on port {record.port}.")


@command(app, "status", example="chainbeasts devnet status --json")
def status(session: Session) -> None:
    """Say whether the chain runs, and where."""
    record = devnet.running(session.settings)
    if record is None:
        session.show({"running": False}, "No devnet runs. Start one: chainbeasts devnet up")
        return
    shown = {"running": True, **asdict(record), "block_number": devnet.block_number(record)}
    session.show(shown, fields("Devnet", shown))


@command(app, "fund", example="chainbeasts devnet fund alice --amount 10")
def fund(
    session: Session,
    to: Annotated[str, typer.Argument(metavar="WHO", help="Address, or a name that it has here.")],
    amount: Annotated[float, typer.Option(min=0.0, max=1e9, help="Native coin.")] = 10.0,
) -> None:
    """Give an account some of the devnet's native coin, for gas."""
    record = devnet.running(session.settings)
    if record is None:
        raise ChainBeastsError("No devnet runs.", "Start one with `chainbeasts devnet up`.")
    address = session.resolve(to)
    before = int(str(rpc(record.rpc_url, "eth_getBalance", address, "latest")), 16)
    balance = before + int(amount * 10**18)
    rpc(record.rpc_url, "anvil_setBalance", address, hex(balance))
    facts = {"address": address, "balance_wei": balance}
    session.show(facts, f"{facts['address']} has {balance / 10**18:g} of the native coin.")
