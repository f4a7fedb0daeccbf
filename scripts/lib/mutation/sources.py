"""Which sources are mutated, and which tests answer for each."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from scripts.lib.mutation.mutants import Mutant, python_mutants, solidity_mutants

KERNEL = "backend/kernel"
CONTRACTS = "contracts"
LEFT_OUT = (
    "backend/kernel/vector",
    "contracts/interfaces/",
    "contracts/types/",
    "contracts/test/",
)
"""What chooses test vectors, declarations, and what only tests deploy: no rules stand there."""

GENERATED = ("contracts/kernel/KernelTables.sol",)
NEAREST = {
    "contracts/Arena.sol": ("arena_record", "arena_match", "arena_disproofs", "arena_windows"),
    "contracts/Beasts.sol": ("beasts",),
    "contracts/CheckpointLedger.sol": ("submit", "finality", "stakes", "openings"),
    "contracts/DatasetStage.sol": ("stage",),
    "contracts/DisputeCourt.sol": ("filing", "verdicts", "timeouts", "headers"),
    "contracts/DisputeVault.sol": ("provers", "conservation", "verdicts"),
    "contracts/Energy.sol": ("sale", "escrow"),
    "contracts/EnergyEscrow.sol": ("escrow",),
    "contracts/EnergySale.sol": ("sale",),
    "contracts/RecordArchive.sol": ("record_archive", "private_windows"),
    "contracts/SeasonRegistry.sol": ("seasons",),
    "contracts/StateArchive.sol": ("state_archive",),
    "contracts/WindowReferee.sol": ("verdicts", "private_windows"),
    "contracts/libraries/BeastMetadata.sol": ("beasts",),
    "contracts/libraries/BeastPortrait.sol": ("beasts",),
    "contracts/libraries/Heads.sol": ("submit",),
    "contracts/libraries/Logs.sol": ("arena_record", "arena_disproofs"),
    "contracts/libraries/MatchStore.sol": ("arena_match", "arena_record"),
    "contracts/libraries/OpeningGas.sol": ("openings", "record_archive", "state_archive"),
    "contracts/libraries/Publications.sol": ("state_archive", "record_archive", "openings"),
    "contracts/libraries/Records.sol": ("record_archive",),
    "contracts/libraries/Rewards.sol": ("arena_record",),
    "contracts/libraries/Schedules.sol": ("submit",),
    "contracts/libraries/Slots.sol": ("submit",),
}
"""The tests of tests/contracts that see most of a contract's faults: run first, as they are few."""

PROPERTIES = {
    f"contracts/libraries/{library}.sol": (f"tests/forge/libraries/{harness}.t.sol",)
    for harness, libraries in {
        "Libraries": ("Heads", "Schedules", "Slots"),
        "Payments": ("OpeningGas", "Publications", "Rewards"),
    }.items()
    for library in libraries
}
"""The harness of a library's properties, which compiles nothing else."""


def sources(root: Path) -> list[str]:
    """What is mutated."""
    found = [*(root / KERNEL).glob("*.py"), *(root / CONTRACTS).rglob("*.sol")]
    names = sorted(path.relative_to(root).as_posix() for path in found)
    return [n for n in names if not n.startswith(LEFT_OUT) and n not in GENERATED]


def mutants(root: Path, source: str) -> list[Mutant]:
    """All faults of a source."""
    text = (root / source).read_text("utf-8")
    return python_mutants(text) if source.endswith(".py") else solidity_mutants(text)


def stages(root: Path, source: str) -> list[Sequence[str]]:
    """The tests that have to pass for a mutant to survive, the nearest first."""
    if source.startswith(KERNEL):
        near = f"tests/kernel/test_{Path(source).stem}.py"
        return [*([(near,)] if (root / near).exists() else []), ("tests/kernel",)]
    if source.startswith("contracts/kernel/"):
        return [("tests/evm_kernel",), ("tests/contracts",)]
    nearest = tuple(f"tests/contracts/test_{name}.py" for name in NEAREST.get(source, ()))
    quick = [PROPERTIES[source]] if source in PROPERTIES else []
    return [*quick, *([nearest] if nearest else []), ("tests/contracts",)]
