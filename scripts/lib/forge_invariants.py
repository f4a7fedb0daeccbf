"""Runs the Forge invariants of tests/forge against the project's own artifacts.

Forge compiles the harness alone. What the harness deploys, the season, and what the NumPy kernel
says of two beasts' first windows is written to one file that the harness reads.
"""

from __future__ import annotations

import argparse
import json
import os
import secrets
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from eth_abi.abi import encode
from eth_utils.abi import collapse_if_tuple
from eth_utils.crypto import keccak

from chainbeasts.backend.cache import cache_dir
from chainbeasts.backend.chain.compile import artifact
from chainbeasts.backend.chain.toolchain import find_forge, find_solc
from chainbeasts.backend.cli.output import note, print_error, stderr
from chainbeasts.backend.errors import ChainBeastsError
from chainbeasts.backend.kernel.constants import SEGMENT_STEPS, WINDOW_STEPS
from chainbeasts.backend.kernel.rules import Rules, Schedule
from chainbeasts.backend.kernel.samples import Source
from chainbeasts.backend.kernel.state import State, serialize_weights, state_hash, weights_root
from chainbeasts.backend.kernel.window import WindowContext, genesis_state, open_window, step_window
from tests.support.protocol import ETHER, Economics, Limits, Season

ROOT = Path(__file__).resolve().parents[2]
HARNESS = ROOT / "tests" / "forge"
CONTRACTS = (
    "SeasonRegistry",
    "Energy",
    "EnergySale",
    "Beasts",
    "StepReferee",
    "DatasetStage",
    "StateArchive",
    "RecordArchive",
    "CheckpointLedger",
    "DisputeVault",
    "WindowReferee",
    "DisputeCourt",
    "MatchReferee",
    "Arena",
)
VAULT_SLOTS = ("_accounts", "_pools")
ACTORS = tuple(f"0x{0xA11CE000 + number:040x}" for number in range(4))
"""The first ones hatch the beasts 1, 2 and 3."""

TRAINED_BEASTS = (1, 2)
LATE_STEP = WINDOW_STEPS - SEGMENT_STEPS
"""Where the harness parts a window in two."""

HEADER = "(uint256,bytes32,uint32,uint8,uint32,uint256)"
TRUE_WINDOW = f"(bytes32,bytes32[16],{HEADER},bytes32,{HEADER},bytes)"
RUNS, DEPTH = 40, 80
NIGHTLY_RUNS, NIGHTLY_DEPTH = 500, 100
FUZZ_RUNS = 40
"""Cases of each property that needs no history; as many as histories if those are more."""

LIBRARIES = "libraries"
"""Folder of the harnesses that deploy nothing, so that no contract has to be compiled for them."""

SEED = 1
ECONOMICS = Economics(responseWindow=200, proofWindow=400, energyPrice=ETHER + 3)
"""Time for several moves in each window; steps that are worth less than a bond, or more."""

ENDS = (
    "by timeout",
    "by segment",
    "by advance",
    "by header",
    "dismissed",
    "proven",
    "voided",
)
"""How disputes end; a campaign that sees no end of one kind says nothing about it."""

MARKET = (
    "market buy",
    "market hatch",
    "market finalize",
    "market expire",
    "market credited",
    "market claim",
    "market season",
)
"""What must have happened to ENERGY for its supply to say anything."""


def _header(state: State) -> tuple[Any, ...]:
    h = state.header
    return h.beast_id, h.parent, h.global_step, h.active_mask, h.window_loss, h.arena


def true_window(beast_id: int, season: Season) -> tuple[Any, ...]:
    """A TrueWindow of tests/forge/Protocol.sol: the first window of a beast hatched there."""
    epoch_seed = keccak(text="the block of the hatch")
    requester = ACTORS[beast_id - 1]
    dna = keccak(encode(["bytes32", "address", "uint256"], [epoch_seed, requester, beast_id]))
    schedule = Schedule(*season.schedule)
    context = WindowContext(
        dna=dna,
        epoch_seed=epoch_seed,
        heads=schedule.heads(0),
        lr_shift=schedule.lr_shift(0),
        source=Source.CURRICULUM,
        rules=Rules(*season.rules),
    )
    newborn = genesis_state(beast_id, dna)
    state = open_window(newborn, newborn.header.active_mask)
    late, segments = state, []
    for done in range(1, WINDOW_STEPS + 1):
        step_window(context, state)
        if done % SEGMENT_STEPS == 0:
            segments.append(state_hash(state))
        if done == LATE_STEP:
            late = state.copy()
    return (
        epoch_seed,
        segments,
        _header(state),
        weights_root(state.weights),
        _header(late),
        serialize_weights(late.weights),
    )


def world() -> dict[str, Any]:
    """What the harness reads."""
    season = Season(economics=ECONOMICS)
    registry = artifact("SeasonRegistry").abi
    constructor = next(entry for entry in registry if entry["type"] == "constructor")
    add = next(entry for entry in registry if entry.get("name") == "addSeason")
    types = {
        "limits": collapse_if_tuple(constructor["inputs"][1]),
        "season": collapse_if_tuple(add["inputs"][0]),
        "windows": f"{TRUE_WINDOW}[]",
    }
    windows = [true_window(beast_id, season) for beast_id in TRAINED_BEASTS]
    values = {"limits": tuple(Limits()), "season": season, "windows": windows}
    layout = artifact("DisputeVault").storage["storage"]
    slots = {entry["label"]: int(entry["slot"]) for entry in layout}
    encoded = {name: "0x" + encode([types[name]], [values[name]]).hex() for name in types}
    return encoded | {
        "code": {name: "0x" + artifact(name).bytecode.hex() for name in CONTRACTS},
        "actors": ACTORS,
        "slots": {name: slots[name] for name in VAULT_SLOTS},
    }


def _config(folder: Path) -> Path:
    """The harness's configuration, and leave to use the folder, which no variable can give."""
    permission = f'[[profile.default.fs_permissions]]\naccess = "read-write"\npath = "{folder}"\n'
    path = folder / "foundry.toml"
    path.write_text((HARNESS / "foundry.toml").read_text("utf-8") + permission, "utf-8")
    return path


def run(
    runs: int, depth: int, seed: int, extra: Sequence[str], *, deployed: bool = True
) -> tuple[int, Counter[str]]:
    """Run the campaign, or the properties of libraries, for which nothing is deployed.

    Returns:
        Forge's exit code, and how often what happened in all histories.

    Raises:
        ChainBeastsError: Forge, the compiler or an artifact is missing.
    """
    with tempfile.TemporaryDirectory(prefix="chainbeasts-forge-") as folder:
        path = Path(folder) / "world.json"
        cache = cache_dir("forge")
        chosen = {}
        if deployed:
            path.write_text(json.dumps(world()), "utf-8")
        else:
            cache /= LIBRARIES
            chosen = {"FOUNDRY_SRC": LIBRARIES, "FOUNDRY_TEST": LIBRARIES}
        report = Path(folder) / "report"
        environment = {
            **os.environ,
            **chosen,
            "CHAINBEASTS_FORGE_WORLD": str(path),
            "CHAINBEASTS_FORGE_REPORT": str(report),
            "FOUNDRY_CONFIG": str(_config(Path(folder))),
            "FOUNDRY_SOLC": str(find_solc()),
            "FOUNDRY_OUT": str(cache / "out"),
            "FOUNDRY_CACHE_PATH": str(cache / "cache"),
            "FOUNDRY_FUZZ_SEED": hex(seed),
            "FOUNDRY_FUZZ_RUNS": str(max(runs, FUZZ_RUNS)),
            "FOUNDRY_INVARIANT_RUNS": str(runs),
            "FOUNDRY_INVARIANT_DEPTH": str(depth),
            "FOUNDRY_INVARIANT_FAILURE_PERSIST_DIR": str(Path(folder) / "failures"),
            "FOUNDRY_FUZZ_FAILURE_PERSIST_DIR": str(Path(folder) / "failures"),
        }
        command = [str(find_forge()), "test", "--root", str(HARNESS), *extra]
        code = subprocess.run(command, cwd=ROOT, env=environment, check=False).returncode
        counts: Counter[str] = Counter()
        for line in report.read_text("utf-8").splitlines() if report.exists() else ():
            name, _, count = line.rpartition("=")
            counts[name] += int(count)
        return code, counts


def main() -> int:
    """Run the invariants; the exit code."""
    parser = argparse.ArgumentParser(
        prog="scripts/forge_invariants",
        description="Random histories of ledger, court and vault, and of ENERGY's supply. "
        "Other arguments go to forge.",
    )
    parser.add_argument("--runs", type=int, help=f"histories ({RUNS})")
    parser.add_argument("--depth", type=int, help=f"moves in each ({DEPTH})")
    parser.add_argument("--seed", type=int, help=f"of the histories ({SEED}; nightly a random one)")
    parser.add_argument(
        "--nightly",
        action="store_true",
        default=bool(os.environ.get("CHAINBEASTS_NIGHTLY")),
        help=f"{NIGHTLY_RUNS} histories of {NIGHTLY_DEPTH} moves",
    )
    parser.add_argument(
        "--libraries", action="store_true", help="the properties of libraries alone, in seconds"
    )
    options, extra = parser.parse_known_args()
    runs = options.runs or (NIGHTLY_RUNS if options.nightly else RUNS)
    depth = options.depth or (NIGHTLY_DEPTH if options.nightly else DEPTH)
    seed = options.seed or (secrets.randbits(64) if options.nightly else SEED)
    if not options.libraries:
        note(f"Forge: {runs} histories of {depth} moves, --seed {seed}")
    try:
        code, counts = run(runs, depth, seed, extra, deployed=not options.libraries)
    except ChainBeastsError as error:
        print_error(error)
        return 1
    if counts:
        stderr.print(", ".join(f"{name} {count}" for name, count in counts.most_common()))
    unseen = [name for name in (*ENDS, *MARKET) if counts[name] == 0]
    if code == 0 and not (extra or options.libraries) and unseen and runs * depth >= RUNS * DEPTH:
        stderr.print(f"In these histories never happened: {', '.join(unseen)}.")
        return 1
    return code


if __name__ == "__main__":
    sys.exit(main())
