"""The local chain that outlives a command: an Anvil child, its record on disk, its kept state."""

from __future__ import annotations

import json
import os
import signal
import socket
import time
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from backend.cache import write_atomic
from backend.chain.anvil import Anvil, AnvilError, rpc
from backend.errors import ChainBeastsError
from backend.settings import Settings

STOP_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class DevnetRecord:
    """The devnet that runs, as other commands find it."""

    pid: int
    port: int
    rpc_url: str
    chain_id: int
    started: str


def _process_start(pid: int) -> str | None:
    """When a process began, as its kernel says it; tells a reused process id from the old one."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
        return None if fields[0] == "Z" else fields[19]
    except (OSError, IndexError):
        pass
    if Path("/proc/self/stat").exists():
        return None
    try:
        os.kill(pid, 0)
    except OSError:
        return None
    return "unknown"


def running(settings: Settings) -> DevnetRecord | None:
    """The devnet of this home if it still runs; a stale record counts as none."""
    try:
        record = DevnetRecord(**json.loads(settings.devnet_file.read_text("utf-8")))
    except (OSError, ValueError, TypeError):
        return None
    return record if _process_start(record.pid) == record.started else None


def state_file(settings: Settings) -> Path:
    """Where the chain is kept between runs."""
    return settings.home / "devnet" / "state.json"


def log_file(settings: Settings) -> Path:
    """Where Anvil's output goes."""
    return settings.home / "devnet" / "anvil.log"


def make(
    settings: Settings, *, port: int | None, block_time: float, fresh: bool, detached: bool
) -> Anvil:
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
        port=port or _last_port(settings),
        block_time=block_time,
        state=state,
        log=log_file(settings),
        detached=detached,
    )
    if fresh:
        state.unlink(missing_ok=True)
        (settings.deployments_dir / f"{child.chain_id}.json").unlink(missing_ok=True)
        _set_aside(settings, child.chain_id)
    return child


def _port_file(settings: Settings) -> Path:
    return settings.home / "devnet" / "port"


def _last_port(settings: Settings) -> int | None:
    """The port of the last devnet of this home, if nobody else listens there now."""
    try:
        port = int(_port_file(settings).read_text("ascii"))
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(("127.0.0.1", port))
    except (OSError, ValueError, OverflowError):
        return None
    return port


def _set_aside(settings: Settings, chain_id: int) -> None:
    """Move what belongs to a chain that is forgotten: secrets are never deleted."""
    found = [settings.home / "beasts" / str(chain_id)]
    if settings.database_url is None:
        found += sorted(settings.home.glob("*.sqlite3*"))
    found = [path for path in found if path.exists()]
    if found:
        place = settings.home / "old" / time.strftime("%Y-%m-%dT%H-%M-%S", time.gmtime())
        place.mkdir(parents=True, mode=0o700)
        for path in found:
            path.rename(place / path.name)


def record_started(settings: Settings, child: Anvil) -> DevnetRecord:
    """Write the record by which other commands find the started child."""
    started = _process_start(child.pid)
    if started is None:
        raise AnvilError("Anvil ended right after it had started.")
    record = DevnetRecord(child.pid, child.port, child.url, child.chain_id, started)
    write_atomic(settings.devnet_file, json.dumps(asdict(record), indent=2).encode())
    write_atomic(_port_file(settings), str(child.port).encode())
    return record


def stop(settings: Settings) -> DevnetRecord | None:
    """End this home's devnet by its process id; None if there is none.

    Raises:
        ChainBeastsError: it does not end.
    """
    record = running(settings)
    if record is not None:
        os.kill(record.pid, signal.SIGTERM)
        deadline = time.monotonic() + STOP_SECONDS
        while _process_start(record.pid) == record.started:
            if time.monotonic() > deadline:
                raise ChainBeastsError(f"The devnet (process {record.pid}) does not end.")
            with suppress(ChildProcessError):
                os.waitpid(record.pid, os.WNOHANG)
            time.sleep(0.05)
    settings.devnet_file.unlink(missing_ok=True)
    return record


def block_number(record: DevnetRecord) -> int:
    """The devnet's latest block."""
    return int(str(rpc(record.rpc_url, "eth_blockNumber")), 16)
