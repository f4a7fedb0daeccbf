"""The record by which commands find the devnet that runs, and what lies beside it on disk."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from chainbeasts.backend.cache import write_atomic
from chainbeasts.backend.devnet.processes import process_start
from chainbeasts.backend.documents import parse_json
from chainbeasts.backend.settings import Settings


@dataclass(frozen=True, slots=True)
class DevnetRecord:
    """The devnet that runs, as other commands find it.

    Attributes:
        pid, started: of Anvil.
        keeper, keeper_started: of the process that mines and saves for it: one of its own, or the
            command in the foreground.
    """

    pid: int
    port: int
    rpc_url: str
    chain_id: int
    started: str
    keeper: int = 0
    keeper_started: str = ""

    @property
    def runs(self) -> bool:
        """Whether Anvil still does."""
        return process_start(self.pid) == self.started

    @property
    def is_kept(self) -> bool:
        """Whether somebody still mines and saves."""
        return not self.keeper or process_start(self.keeper) == self.keeper_started


def running(settings: Settings) -> DevnetRecord | None:
    """The devnet of this home if it still runs; a stale record counts as none."""
    try:
        record = DevnetRecord(**parse_json(settings.devnet_file.read_bytes()))
    except (OSError, ValueError, TypeError):
        return None
    return record if record.runs else None


def write_record(settings: Settings, record: DevnetRecord) -> None:
    """Let other commands find it."""
    write_atomic(settings.devnet_file, json.dumps(asdict(record), indent=2).encode())
    write_atomic(port_file(settings), str(record.port).encode())


def devnet_dir(settings: Settings) -> Path:
    """Where everything of the devnet lies but its record."""
    return settings.home / "devnet"


def state_file(settings: Settings) -> Path:
    """Where the chain is kept between runs."""
    return devnet_dir(settings) / "state.json"


def log_file(settings: Settings) -> Path:
    """Where Anvil's output goes."""
    return devnet_dir(settings) / "anvil.log"


def port_file(settings: Settings) -> Path:
    """Where the last port stands."""
    return devnet_dir(settings) / "port"
