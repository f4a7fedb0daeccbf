"""``chainbeasts devnet``: a local chain as a managed child process."""

from __future__ import annotations

import os
import signal
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from chainbeasts.backend.chain.anvil import rpc
from chainbeasts.backend.cli.output import fields, note
from chainbeasts.backend.cli.session import Session, command
from chainbeasts.backend.devnet import backup as backups
from chainbeasts.backend.devnet import local
from chainbeasts.backend.devnet.keeper import Keeper, keep
from chainbeasts.backend.devnet.record import DevnetRecord, running
from chainbeasts.backend.errors import ChainBeastsError
from chainbeasts.backend.home import seen_homes
from chainbeasts.backend.settings import DEVNET_FILE, Settings
from chainbeasts.backend.signals import SignalSafeEvent

app = typer.Typer(help="A local chain (Anvil) that keeps its state.", no_args_is_help=True)


@command(app, "up", example="chainbeasts devnet up --detach")
def up(
    session: Session,
    port: Annotated[
        int | None,
        typer.Option(min=1, max=65_535, help="Listen here; where the last one did otherwise."),
    ] = None,
    block_time: Annotated[
        float,
        typer.Option(
            min=0.1,
            help="Seconds between blocks; transactions need no wait, and a quiet chain slows down.",
        ),
    ] = 1.0,
    detach: Annotated[bool, typer.Option(help="Leave it running and return.")] = False,
    fresh: Annotated[
        bool,
        typer.Option(
            help="Begin a new chain; the kept one, its deployment, the home's databases and its "
            "beasts' files move to HOME/old."
        ),
    ] = False,
) -> None:
    """Start the chain; go on where it stopped the last time."""
    settings, ended = session.settings, SignalSafeEvent()
    # From before there is a child, so that none is left behind; also where a shell ignores SIGINT.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: ended.set())
    child = local.make(settings, port=port, fresh=fresh, detached=detach)
    child.start()
    try:
        if detach and ended.is_set():
            raise KeyboardInterrupt
        record = local.record_started(settings, child, block_time)
        session.show(asdict(record), fields("Devnet", _view(record)))
        if detach:
            return
        note("Press Ctrl-C to end it; its state is kept.")
        _keep(local.keeper_of(settings, record, block_time), child.pid, ended)
    except BaseException:
        child.stop()
        raise
    finally:
        if not detach:
            child.stop()
            settings.devnet_file.unlink(missing_ok=True)


def _view(record: DevnetRecord) -> dict[str, object]:
    """The record for people, without the clock ticks that tell its processes from later ones."""
    ticks = ("started", "keeper_started")
    return {name: value for name, value in asdict(record).items() if name not in ticks}


def _keep(keeper: Keeper, pid: int, ended: SignalSafeEvent) -> None:
    """Look after the chain until Ctrl-C, SIGTERM, or the child's own end."""
    statuses: list[int] = []

    def runs() -> bool:
        if not ended.is_set() and not statuses:
            found, status = os.waitpid(pid, os.WNOHANG)
            statuses.extend([status] if found else [])
        return not ended.is_set() and not statuses

    keep(keeper, runs, ended.wait)
    if statuses:
        raise ChainBeastsError(f"Anvil ended by itself (status {statuses[0]}).")


@command(app, "down", example="chainbeasts devnet down")
def down(session: Session) -> None:
    """End the detached chain; its state is kept."""
    record = local.stop(session.settings)
    if record is None:
        raise _none_runs(session.settings)
    session.show({"stopped": asdict(record)}, f"Ended the devnet on port {record.port}.")


@command(app, "status", example="chainbeasts devnet status --json")
def status(session: Session) -> None:
    """Say whether the chain runs, and where."""
    record = running(session.settings)
    if record is None:
        error = _none_runs(session.settings)
        home = session.settings.home.absolute()
        session.show({"running": False, "home": home}, f"{error.message} {error.hint}")
        return
    number = local.block_number(record)
    shown = {"running": True, **asdict(record), "kept": record.is_kept, "block_number": number}
    view = {"running": True, **_view(record), "kept": record.is_kept, "block_number": number}
    session.show(shown, fields("Devnet", view))
    if not record.is_kept:
        note(
            "Nobody mines idle blocks and saves the chain any more: run `chainbeasts devnet down`, "
            "which keeps it, and `chainbeasts devnet up --detach`."
        )


def _running(settings: Settings) -> DevnetRecord:
    record = running(settings)
    if record is None:
        raise _none_runs(settings)
    return record


def _none_runs(settings: Settings) -> ChainBeastsError:
    hint = f"Start one with `chainbeasts devnet up`. {seen_homes(settings.home, DEVNET_FILE)}"
    return ChainBeastsError("No devnet runs.", hint)


@command(app, "backup", example="chainbeasts devnet backup before.devnet.gz")
def backup(
    session: Session,
    file: Annotated[Path, typer.Argument(help="Where to; an older file is replaced.")],
) -> None:
    """Write the chain and its deployment into one file; the chain may run on."""
    made = backups.back_up(session.settings, file)
    facts = {"file": file, "block_number": made.block, "deployment": made.deployment is not None}
    session.show(facts, f"The chain up to block {made.block} is in {file}.")


@command(app, "restore", example="chainbeasts devnet restore before.devnet.gz")
def restore(
    session: Session,
    file: Annotated[
        Path,
        typer.Argument(help="A backup's, or a chain's as HOME/devnet/state.previous.json is."),
    ],
) -> None:
    """Go back to a backup; what it replaces moves to HOME/old.

    Daemons follow an older state of their chain as they follow a reorg. If the backup is of another
    chain, the home's databases and its beasts' files move to HOME/old, too.
    """
    found, aside = backups.restore(session.settings, file)
    facts = {"file": file, "block_number": found.block, "set_aside": aside}
    moved = "" if aside is None else f" What was there is in {aside}."
    session.show(facts, f"The chain goes on from block {found.block} at the next up.{moved}")


@command(app, "fund", example="chainbeasts devnet fund alice --amount 10")
def fund(
    session: Session,
    to: Annotated[str, typer.Argument(metavar="WHO", help="Address, or a name that it has here.")],
    amount: Annotated[float, typer.Option(min=0.0, max=1e9, help="Native coin.")] = 10.0,
) -> None:
    """Give an account some of the devnet's native coin, for gas."""
    record = _running(session.settings)
    address = session.resolve(to)
    before = int(str(rpc(record.rpc_url, "eth_getBalance", address, "latest")), 16)
    balance = before + int(amount * 10**18)
    rpc(record.rpc_url, "anvil_setBalance", address, hex(balance))
    rpc(record.rpc_url, "evm_mine")  # without a block there would be nothing new to save
    facts = {"address": address, "balance_wei": balance}
    session.show(facts, f"{facts['address']} has {balance / 10**18:g} of the native coin.")
