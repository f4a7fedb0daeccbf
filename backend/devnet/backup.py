"""Copies of the devnet's chain with its deployment, as one file; and back."""

from __future__ import annotations

import gzip
import json
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from chainbeasts.backend.cache import write_atomic
from chainbeasts.backend.chain.anvil import DEVNET_CHAIN_ID
from chainbeasts.backend.chain.anvil_state import check_state, genesis_of, settle
from chainbeasts.backend.devnet.local import save, set_aside
from chainbeasts.backend.devnet.record import running, state_file
from chainbeasts.backend.documents import parse_json
from chainbeasts.backend.errors import ChainBeastsError
from chainbeasts.backend.home import seen_homes
from chainbeasts.backend.settings import DEVNET_FILE, Settings

FORMAT = "chainbeasts.devnet/1"
GZIP_MAGIC = b"\x1f\x8b"


@dataclass(frozen=True, slots=True)
class Backup:
    """What a backup's file holds.

    Attributes:
        state: the chain as Anvil keeps it.
        deployment: the record of the contracts on it, if there was one.
        tells_deployment: not so if the file is a bare chain.
    """

    state: dict[str, Any]
    deployment: dict[str, Any] | None
    tells_deployment: bool = True

    @property
    def block(self) -> int:
        """The last block."""
        return max(int(one["header"]["number"], 16) for one in self.state["blocks"])


def back_up(settings: Settings, path: Path) -> Backup:
    """Write this home's chain and deployment into one file; the chain may run on.

    Raises:
        ChainBeastsError: there is no chain, or the file cannot be written.
    """
    record, state = running(settings), state_file(settings)
    if record is not None:
        save(settings, record)
    else:
        settle(state)
    if not state.exists():
        raise ChainBeastsError(
            "This home has no devnet.",
            f"Start one: chainbeasts devnet up. {seen_homes(settings.home, DEVNET_FILE)}",
        )
    made = Backup(check_state(state, state.read_bytes()), _deployment(settings))
    document = {"format": FORMAT, "state": made.state, "deployment": made.deployment}
    try:
        write_atomic(path, gzip.compress(json.dumps(document).encode()))
    except OSError as error:
        raise ChainBeastsError(f"{path} cannot be written: {error.strerror}.") from None
    return made


def restore(settings: Settings, path: Path) -> tuple[Backup, Path | None]:
    """Put a backup, or a kept chain as it is, in the place of this home's chain.

    Databases and beasts' files stay if the chain is the same one at another time: they follow it as
    they follow a reorg. Those of another chain are set aside.

    Returns:
        The backup, and the folder where what was replaced lies now.

    Raises:
        ChainBeastsError: the devnet runs, or the file is no backup.
    """
    present = running(settings)
    if present is not None:
        raise ChainBeastsError(
            f"This home's devnet runs on port {present.port}.",
            "End it first: chainbeasts devnet down",
        )
    found = read_backup(path)
    state = state_file(settings)
    same = _same_chain(state, found)
    replaced = [state]
    if found.tells_deployment:
        replaced.append(_deployment_file(settings))
    aside = set_aside(settings, DEVNET_CHAIN_ID, replaced, whole=not same)
    write_atomic(state, json.dumps(found.state).encode())
    if found.deployment is not None:
        text = json.dumps(found.deployment, indent=2) + "\n"
        write_atomic(_deployment_file(settings), text.encode())
    return found, aside


def read_backup(path: Path) -> Backup:
    """A backup's file, or a kept chain's.

    Raises:
        ChainBeastsError: it is neither, or not whole.
    """
    try:
        data = path.read_bytes()
        if data.startswith(GZIP_MAGIC):
            data = gzip.decompress(data)
        document = parse_json(data)
    except (EOFError, gzip.BadGzipFile, zlib.error, ValueError):
        raise _no_backup(path) from None
    except OSError as error:
        raise ChainBeastsError(f"{path} cannot be read: {error.strerror}.") from None
    if not isinstance(document, dict):
        raise _no_backup(path)
    if document.get("format") != FORMAT:
        return Backup(check_state(path, data), None, tells_deployment=False)
    deployment = document.get("deployment")
    if deployment is not None and not isinstance(deployment, dict):
        raise _no_backup(path)
    state = document.get("state")
    return Backup(check_state(path, json.dumps(state).encode()), deployment)


def _no_backup(path: Path) -> ChainBeastsError:
    return ChainBeastsError(
        f"{path} is no backup of a devnet, or is damaged.",
        "Name a file of `chainbeasts devnet backup`, or HOME/devnet/state.previous.json.",
    )


def _deployment_file(settings: Settings) -> Path:
    return settings.deployments_dir / f"{DEVNET_CHAIN_ID}.json"


def _deployment(settings: Settings) -> dict[str, Any] | None:
    try:
        found = parse_json(_deployment_file(settings).read_bytes())
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) else None


def _same_chain(state: Path, other: Backup) -> bool:
    """Whether the present chain, if one can be read, and the other began with one block."""
    try:
        present = check_state(state, state.read_bytes())
    except (OSError, ChainBeastsError):
        return True  # nothing says that the home's files are another chain's
    return genesis_of(present) == genesis_of(other.state)
