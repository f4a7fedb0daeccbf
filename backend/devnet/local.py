"""Starts and ends the local chain that outlives a command: Anvil, and what looks after it."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import replace
from functools import partial
from pathlib import Path

from chainbeasts.backend.cache import sweep_folders
from chainbeasts.backend.chain.anvil import SCRATCH, Anvil, AnvilError, rpc
from chainbeasts.backend.chain.anvil_state import dump, hush, last_good, settle
from chainbeasts.backend.devnet import keeper
from chainbeasts.backend.devnet.processes import process_start
from chainbeasts.backend.devnet.record import (
    DevnetRecord,
    devnet_dir,
    log_file,
    port_file,
    running,
    state_file,
    write_record,
)
from chainbeasts.backend.errors import ChainBeastsError
from chainbeasts.backend.settings import Settings

STOP_SECONDS = 60.0
"""A long chain takes its time to be written."""

HUSH_SECONDS = 20.0
SAVE_ATTEMPTS = 20


def make(settings: Settings, *, port: int | None, fresh: bool, detached: bool) -> Anvil:
    """An Anvil for this home, not yet started.

    Args:
        port: the last one if None, so that daemons find it again; a free one if that is taken.
        fresh: forget the kept state and the deployment that was made on it; what this home knows
            of the old chain's beasts and checkpoints is set aside.

    Raises:
        ChainBeastsError: this home's devnet runs already.
    """
    present = running(settings)
    if present is not None:
        raise ChainBeastsError(
            f"This home's devnet already runs on port {present.port} (process {present.pid}).",
            "Use it, or end it with `chainbeasts devnet down`.",
        )
    state = state_file(settings)
    state.parent.mkdir(parents=True, exist_ok=True)
    child = Anvil(
        port=port,
        prefer=_last_port(settings),
        state=state,
        log=log_file(settings),
        detached=detached,
        home=settings.home,
    )
    if fresh:
        deployment = settings.deployments_dir / f"{child.chain_id}.json"
        set_aside(settings, child.chain_id, [state, last_good(state), deployment], whole=True)
    return child


def _last_port(settings: Settings) -> int | None:
    """The port of the last devnet of this home, if nobody else listens there now."""
    try:
        port = int(port_file(settings).read_text("ascii"))
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(("127.0.0.1", port))
    except (OSError, ValueError, OverflowError):
        return None
    return port


def set_aside(
    settings: Settings, chain_id: int, files: Iterable[Path], *, whole: bool
) -> Path | None:
    """Move what belongs to a chain that is left to a folder of its own: nothing is deleted.

    Args:
        whole: with all that this home knows of the chain, its beasts' secrets among it.

    Returns:
        The folder; None if there was nothing.
    """
    found = list(files)
    if whole:
        found.append(settings.home / "beasts" / str(chain_id))
        if settings.database_url is None:
            found += sorted(settings.home.glob("*.sqlite3*"))
    found = [path for path in found if path.exists()]
    if not found:
        return None
    place = _new_folder(settings.home / "old")
    for path in found:
        path.rename(place / path.name)
    return place


def _new_folder(parent: Path) -> Path:
    """A folder named by the time; a second one in the same second gets a number."""
    name = time.strftime("%Y-%m-%dT%H-%M-%S", time.gmtime())
    for number in range(1, 100):
        place = parent / (name if number == 1 else f"{name}.{number}")
        with suppress(FileExistsError):
            place.mkdir(parents=True, mode=0o700)
            return place
    raise ChainBeastsError(f"{parent} cannot take another folder.", "Try again in a second.")


def record_started(settings: Settings, child: Anvil, block_time: float) -> DevnetRecord:
    """Let other commands find the started child, and give it its keeper if it is detached.

    Args:
        block_time: seconds between blocks while transactions come.
    """
    started = process_start(child.pid)
    if started is None:
        raise AnvilError("Anvil ended right after it had started.")
    record = DevnetRecord(child.pid, child.port, child.url, child.chain_id, started)
    keeper_id = _start_keeper(settings, record, block_time) if child.detached else os.getpid()
    record = replace(record, keeper=keeper_id, keeper_started=process_start(keeper_id) or "")
    write_record(settings, record)
    return record


def _start_keeper(settings: Settings, record: DevnetRecord, block_time: float) -> int:
    # -P: without it -m would import what lies in the folder that the user happens to be in
    command = [sys.executable, "-P", "-m", keeper.__name__, str(record.pid), record.started]
    command += [record.rpc_url, str(state_file(settings).absolute())]
    command += [str(log_file(settings).absolute()), f"{block_time:g}"]
    with (devnet_dir(settings) / "keeper.log").open("wb") as output:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    return process.pid


def keeper_of(settings: Settings, record: DevnetRecord, block_time: float) -> keeper.Keeper:
    """Who looks after a chain from within this process."""
    return keeper.Keeper(record.rpc_url, state_file(settings), log_file(settings), block_time)


def save(settings: Settings, record: DevnetRecord) -> None:
    """Write the running chain down now.

    Raises:
        ChainBeastsError: it mines without a pause, or does not answer.
    """

    def call(method: str, *params: object) -> object:
        return rpc(record.rpc_url, method, *params, timeout=keeper.CALL_SECONDS)

    for attempt in range(SAVE_ATTEMPTS):
        # What has waited so long is waited for no more.
        if dump(state_file(settings), call, stuck=2 * attempt > SAVE_ATTEMPTS) is not None:
            return
        time.sleep(0.1)
    raise ChainBeastsError("The chain mines without a pause.", "Try again when it is quieter.")


def stop(settings: Settings) -> DevnetRecord | None:
    """End this home's devnet by its process id; None if there is none.

    Raises:
        ChainBeastsError: it does not end.
    """
    record = running(settings)
    if record is not None:
        if record.keeper and record.is_kept:
            # First, for it mines. In the foreground it is the command, which ends its chain, too.
            _end(record.keeper, lambda: record.is_kept)
        if record.runs:
            with suppress(AnvilError):  # one that does not answer is ended all the same
                hush(partial(rpc, record.rpc_url, timeout=HUSH_SECONDS))
            _end(record.pid, lambda: record.runs)  # it writes its chain down and ends
        settle(state_file(settings))
        sweep_folders(SCRATCH, devnet_dir(settings))
    settings.devnet_file.unlink(missing_ok=True)
    return record


def _end(pid: int, runs: Callable[[], bool]) -> None:
    """Ask a process to end, and wait for it.

    Raises:
        ChainBeastsError: it does not end.
    """
    deadline = time.monotonic() + STOP_SECONDS
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGTERM)
    while runs():
        if time.monotonic() > deadline:
            raise ChainBeastsError(f"The devnet (process {pid}) does not end.")
        with suppress(ChildProcessError):
            os.waitpid(pid, os.WNOHANG)
        time.sleep(0.05)


def block_number(record: DevnetRecord) -> int:
    """The devnet's latest block."""
    return int(str(rpc(record.rpc_url, "eth_blockNumber")), 16)
